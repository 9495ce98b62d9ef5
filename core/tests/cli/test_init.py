"""`byollm init`: a small file that passes `check`."""

from __future__ import annotations

import re

import pytest

from byollm.cli.presets import SHAPES, STARTERS

SHAPE_WORDS = {
    "single": [],
    "tasks": ["--tasks", "rule_extraction=anthropic/claude-sonnet-5-5,pii_detection,document_classification"],
    "on-premise": ["--endpoint", "https://internal-ai.example.com", "--model", "our-model"],
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_each_shape_passes_check(run, shape):
    """Each of the guide's three shapes is written without a question, and passes a strict check."""
    written = run("init", "--yes", "--shape", shape, *SHAPE_WORDS[shape])

    assert written.code == 0
    assert run("check", "--strict").code == 0


@pytest.mark.parametrize("shape", list(SHAPES))
def test_no_key_is_written(run, shape, tmp_path, monkeypatch):
    """The file refers to environment variables; what they hold is not in it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    run("init", "--yes", "--shape", shape, *SHAPE_WORDS[shape])

    text = (tmp_path / "llm.yaml").read_text()

    assert "_API_KEY}" in text
    assert "sk-secret" not in text


def test_without_a_terminal(fresh, tmp_path):
    """Without a terminal nothing is asked: flags and defaults."""
    ran = fresh("init")

    assert ran.code == 0
    assert 'provider: "openai"' in (tmp_path / "llm.yaml").read_text()
    assert fresh("check", "--strict").code == 0


def test_it_says_what_comes_next(run):
    """After writing, the next three commands are shown."""
    out = run("init", "--yes").out

    assert "export OPENAI_API_KEY=…" in out
    assert "byollm doctor" in out
    assert 'byollm complete "hi"' in out


def test_a_file_stays_as_it_is(run, tmp_path):
    """An existing file is never overwritten without --force."""
    (tmp_path / "llm.yaml").write_text("mine")

    ran = run("init", "--yes")

    assert ran.code == 1
    assert "--force" in ran.mend
    assert (tmp_path / "llm.yaml").read_text() == "mine"


def test_force(run, tmp_path):
    """With --force it is."""
    (tmp_path / "llm.yaml").write_text("mine")

    assert run("init", "--yes", "--force").code == 0
    assert "mine" not in (tmp_path / "llm.yaml").read_text()


def test_a_link_to_nowhere_stays_as_it_is(run, tmp_path):
    """A link whose target does not exist counts as a file."""
    (tmp_path / "llm.yaml").symlink_to(tmp_path / "elsewhere.yaml")

    assert run("init", "--yes").code == 1
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_to_stdout(run, tmp_path):
    """`--output -` prints the file and writes none."""
    ran = run("init", "--yes", "--output", "-")

    assert ran.out.startswith("# byollm")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(run):
    """A file that cannot be written is told."""
    ran = run("init", "--yes", "--output", "nowhere/llm.yaml")

    assert (ran.code, ran.mend) == (1, "--output names another file")


def test_questions(run, tmp_path):
    """On a terminal a few questions are asked; an empty line takes the default."""
    ran = run("init", stdin=b"2\nanthropic\n\nrules,pii\n", terminal=True)

    text = (tmp_path / "llm.yaml").read_text()
    assert ran.code == 0
    assert "What is it for?" in ran.err
    assert f'model: "{STARTERS["anthropic"]}"' in text
    assert "  rules:\n" in text
    assert "  pii:\n" in text
    assert run("check", "--strict").code == 0


def test_questions_for_a_model_of_ones_own(run, tmp_path):
    """For a model of one's own, endpoint and model are asked for; a word that is no choice is asked again."""
    ran = run("init", stdin=b"what?\non-premise\n\nhttps://llm.example.com\nour-model\n", terminal=True)

    text = (tmp_path / "llm.yaml").read_text()
    assert ran.code == 0
    assert 'provider: "custom"' in text
    assert 'endpoint: "https://llm.example.com"' in text


def test_a_wrong_answer_is_asked_again(run, tmp_path):
    """What cannot be is said with its reason, and the question comes again; what was answered before is kept."""
    ran = run("init", stdin=b"9\ntasks\nopnai\nopenai\n\na b\nrules\n", terminal=True)

    assert ran.code == 0
    assert "1 to 6, or one of the names" in ran.err
    assert "did you mean openai?" in ran.err
    assert "--tasks is a list of names" in ran.err
    assert "  rules:\n" in (tmp_path / "llm.yaml").read_text()


def test_an_address_that_is_none_is_asked_again(run, tmp_path):
    """The endpoint of a model of one's own is looked at when it is answered, not when the file is read."""
    ran = run("init", stdin=b"on-premise\n\nllm.example.com\nhttps://llm.example.com\nm\n", terminal=True)

    assert ran.code == 0
    assert "an address is a whole URL" in ran.err
    assert 'endpoint: "https://llm.example.com"' in (tmp_path / "llm.yaml").read_text()


@pytest.mark.parametrize("shape", ["single", "tasks"])
def test_the_comments_hold_when_they_are_uncommented(run, tmp_path, shape):
    """Without the number signs, what stands there as a suggestion is read."""
    run("init", "--yes", "--shape", shape)
    file = tmp_path / "llm.yaml"
    file.write_text(re.sub(r"^( +)# (?=timeout|retries|failover|  - )", r"\1", file.read_text(), flags=re.MULTILINE))

    assert "\n    failover:" in file.read_text() or shape == "single"
    assert run("check", "--strict").code == 0


def test_a_terminal_that_is_closed(run):
    """Questions that nobody answers end in a line that needs none, below the question."""
    ran = run("init", stdin=b"1\n", terminal=True)

    assert ran.code == 2
    assert "--yes" in ran.mend
    assert "\nerror: " in ran.err


def test_a_local_server_wants_no_key(run, tmp_path):
    """A provider that runs here gets `authentication: none`."""
    run("init", "--yes", "--provider", "local", "--model", "m", "--endpoint", "http://127.0.0.1:8080")

    assert "authentication: none" in (tmp_path / "llm.yaml").read_text()
    assert run("check", "--strict").code == 0


def test_a_provider_whose_plugin_is_missing(run, absent):
    """The file is written, and what it still needs is told with the line that installs it."""
    ran = run("init", "--yes", "--provider", absent, "--model", "m")

    assert ran.code == 0
    assert f"pip install byollm-{absent}" in ran.out


def test_as_json(run):
    """With --json the file, the findings and the next commands are told."""
    found = run("init", "--yes", "--json").json

    assert (found["file"], found["shape"], found["findings"]) == ("llm.yaml", "single", [])
    assert "byollm doctor" in found["next"]


@pytest.mark.parametrize(
    "words, told",
    [
        (["--provider", "opnai"], "did you mean openai?"),
        (["--provider", "groq"], "--model your-model"),
        (["--shape", "on-premise", "--model", "m"], "--endpoint"),
        (["--tasks", "a=gpt"], "--tasks rules"),
        (["--tasks", "a b"], "--tasks rules"),
        (["--tasks", "a=opnai/gpt"], "did you mean openai?"),
        (["--shape", "single", "--tasks", "a"], "--shape tasks"),
        (["--shape", "double"], "byollm init --help"),
        (["--provider", "openai", "--endpoint", "not a url"], "--endpoint https://"),
        (["--tasks", ","], "--tasks rules,pii"),
    ],
)
def test_wrong_usage(run, tmp_path, words, told):
    """Flags that make no file are wrong usage, and no file is written."""
    ran = run("init", "--yes", *words)

    assert ran.code == 2
    assert told in ran.mend
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--tasks", "tenants"], ["--tasks", "middleware,a"]])
def test_what_would_not_load_is_not_written(run, tmp_path, words):
    """A file that the client would refuse is refused before it is written."""
    ran = run("init", "--yes", *words)

    assert ran.code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no", "on", "Yes", "true"])
def test_a_task_called_like_a_truth(run, name):
    """A task whose name YAML 1.1 takes for a truth value is written in quotes."""
    assert run("init", "--yes", "--tasks", name).code == 0
    assert run("check", "--strict").code == 0
