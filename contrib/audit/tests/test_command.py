"""`byollm audit`: what people see of the record."""

import csv
import io
import json
from pathlib import Path

import pytest

from byollm import Client
from byollm.cli.main import main
from byollm_audit import Audit


@pytest.fixture
def words(path, key):
    return ["--path", str(path), "--key", key]


@pytest.fixture
def reply(path, key, target):
    """Two calls on record."""
    with Client(target, observers=[Audit(path=path, key=key)]) as client:
        client.complete("hi", tenant=None, labels={"team": "=cmd()"})
        return client.complete("hi again")


def told(capsys, *words):
    code = main(["audit", *words])
    return code, capsys.readouterr()


def test_verify_says_intact_and_what_it_cannot_know(reply, words, capsys):
    """Without an anchor a cut end looks like an end."""
    code, seen = told(capsys, "verify", *words)

    assert (0, "ok intact: 5 records") == (code, seen.out[:20])
    assert "keep what `byollm audit anchor` prints" in seen.err


def test_verify_holds_an_anchor_that_was_printed_before(reply, words, capsys, tmp_path):
    """Anchors are lines, and several may be in one file."""
    (tmp_path / "anchors").write_text(told(capsys, "anchor", *words)[1].out * 2)
    code, seen = told(capsys, "verify", *words, "--anchor", str(tmp_path / "anchors"), "--json")

    assert (0, True, 2) == (code, json.loads(seen.out)["intact"], json.loads(seen.out)["anchors"])


def test_verify_fails_with_what_is_wrong(reply, words, capsys, tmp_path, key):
    """Exit code 1, each problem with its place."""
    from byollm_audit.keys import new_key

    new_key(tmp_path / "other")
    code, seen = told(capsys, "verify", *words[:2], "--key", f"file:{tmp_path / 'other'}")

    assert 1 == code
    assert "record 1 was changed, or does not belong here" in seen.out
    assert "not one record fits this key" in seen.err


def test_show_tells_each_call_on_two_lines(reply, words, capsys):
    """Where it went, and what became of it."""
    code, seen = told(capsys, "show", *words, "--last", "2")

    assert 0 == code
    intent, outcome = seen.out.splitlines()[1:]
    assert "to default at 127.0.0.1:" in intent
    assert "answered from default, 0." in outcome


def test_show_finds_an_operation(reply, words, capsys):
    """Both its records, and nobody else's."""
    everything = json.loads(told(capsys, "show", *words, "--json")[1].out)
    operation = everything[-1]["operation"]
    found = json.loads(told(capsys, "show", *words, "--json", "--operation", operation)[1].out)

    assert ["intent", "outcome"] == [record["kind"] for record in found]
    assert reply.id == found[1]["reply"]


def test_show_finds_a_prompt_by_its_hash(reply, words, capsys):
    """Whoever has the key and the text; nobody can read it out of the record."""
    found = json.loads(told(capsys, "show", *words, "--json", "--prompt", "hi again")[1].out)

    assert ["intent", "outcome"] == [record["kind"] for record in found]
    assert reply.id == found[1]["reply"]
    assert [] == json.loads(told(capsys, "show", *words, "--json", "--prompt", "hi there")[1].out)


def test_export_is_jsonl_or_csv(reply, words, capsys):
    """Every record; a cell that a spreadsheet would run is told to be a text."""
    lines = told(capsys, "export", *words)[1].out.splitlines()
    rows = list(csv.DictReader(io.StringIO(told(capsys, "export", *words, "--csv")[1].out)))

    assert [json.loads(line)["kind"] for line in lines] == [row["kind"] for row in rows]
    assert "default" == rows[1]["deployment"]


def test_export_takes_a_span_of_time(reply, words, capsys):
    """`--since` is included, `--until` is not."""
    assert "" == told(capsys, "export", *words, "--until", "2001-01-01")[1].out
    assert 5 == len(told(capsys, "export", *words, "--since", "2001-01-01")[1].out.splitlines())


def test_the_file_tells_where_the_audit_is(reply, path, key, capsys, tmp_path):
    """`--config`, like everywhere else."""
    text = "llm_config:\n  default: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9', api_key: k-123}\n"
    text += f"  observers:\n    - audit: {{path: '{path}', key: '{key}'}}\n"
    (tmp_path / "llm.yaml").write_text(text)

    assert 0 == told(capsys, "verify", "--config", str(tmp_path / "llm.yaml"))[0]


@pytest.mark.parametrize(
    "given, code",
    [
        (["nonsense"], 2),
        (["verify", "--nonsense"], 2),
        (["verify", "--first", "0"], 2),
        (["show", "--last", "0"], 2),
        (["show", "--kind", "outcom"], 2),
        (["export", "--since", "yesterday"], 2),
        (["show", "--path", "nowhere"], 1),
        (["export", "--path", "nowhere"], 1),
        (["anchor", "--path", "nowhere"], 1),
        (["anchor", "--path", "nowhere.db"], 1),
        (["verify", "--first", "7"], 1),
        (["verify", "--path", "nowhere", "--key", "env:NOBODY_SET_THIS"], 1),
        (["erase", "nobody", "--reason", "x"], 1),
        (["--help"], 0),
    ],
)
def test_wrong_words_get_the_right_ones(given, code, words, reply, capsys):
    """Two lines, no traceback."""
    own = [] if "--key" in given else words
    found, seen = told(capsys, given[0], *own, *given[1:])

    assert (code, False) == (found, "mistake in the program" in seen.err)
    assert not Path("nowhere").exists()
    assert not Path("nowhere.db").exists()


def test_reading_begins_no_audit(words, path, capsys):
    """An anchor of an empty log under a misspelt name would be worse than none."""
    code, seen = told(capsys, "anchor", *words)

    assert (1, True, False) == (code, f"there is no audit in {path}" in seen.err, path.exists())


def test_another_file_is_no_audit(key, tmp_path, capsys):
    """Its name says database, and it is none."""
    (tmp_path / "other.db").write_text("this is a text, and not a database of anybody")
    code, seen = told(capsys, "verify", "--path", str(tmp_path / "other.db"), "--key", key)

    assert (1, True) == (code, "the audit's database is none" in seen.err)


@pytest.mark.parametrize("kind", ["intent", "outcome"])
def test_show_takes_one_kind_of_a_task(path, key, target, capsys, kind):
    """What became of a task's calls stands under their operation."""
    config = {
        "llm_config": {"deployments": {"a": target}, "tasks": {"sums": {"route": ["a"]}, "mail": {"route": ["a"]}}}
    }
    with Client(config, observers=[Audit(path=path, key=key)]) as client:
        client.complete("hi", task="sums")
        client.complete("hi", task="mail")
    words = ["--path", str(path), "--key", key, "--kind", kind, "--task", "mail"]
    found = json.loads(told(capsys, "show", *words, "--json")[1].out)

    assert [(5, 4)[kind == "intent"]] == [record["n"] for record in found]


def test_a_new_key_is_its_owners_alone(tmp_path, capsys):
    """And never overwrites one."""
    assert 0 == told(capsys, "new-key", str(tmp_path / "key"))[0]
    assert 0o600 == (tmp_path / "key").stat().st_mode & 0o777
    assert 1 == told(capsys, "new-key", str(tmp_path / "key"))[0]


def test_show_decrypts_what_was_kept(path, key, target, capsys, tmp_path):
    """With the file's own content key; what was erased says so."""
    told(capsys, "new-key", str(tmp_path / "content.key"))
    content = {"key": f"file:{tmp_path / 'content.key'}"}
    with Client(target, observers=[Audit(path=path, key=key, content=content)]) as client:
        client.complete("what is it?")
    text = "llm_config:\n  default: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9', api_key: k-123}\n"
    text += f"  observers:\n    - audit: {{path: '{path}', key: '{key}', content: {{key: '{content['key']}'}}}}\n"
    (tmp_path / "llm.yaml").write_text(text)
    words = ["--config", str(tmp_path / "llm.yaml")]
    intent, outcome = json.loads(told(capsys, "show", *words, "--last", "2", "--content", "--json")[1].out)
    assert "what is it?" in intent["content"]["text"]

    assert 0 == told(capsys, "erase", outcome["operation"], "--reason", "asked to", *words)[0]
    shown = json.loads(told(capsys, "show", *words, "--last", "3", "--content", "--json")[1].out)
    assert ["erased", "erased"] == [record["content"]["text"] for record in shown[:2]]
    assert 0 == told(capsys, "verify", *words)[0]
