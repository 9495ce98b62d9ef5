"""`byollm sandbox`: it listens, tells where, and ends as asked."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from importlib.metadata import entry_points

import pytest

from byollm_sandbox import serve
from byollm_sandbox.command import configuration, sandbox

VERSION = {"anthropic-version": "2023-06-01"}


def test_it_is_a_command_of_byollm() -> None:
    """The entry point leads to it."""
    (entry,) = [entry for entry in entry_points(group="byollm.commands") if entry.name == "sandbox"]

    assert sandbox is entry.load()


def test_it_prints_addresses_and_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """For people: every dialect's address and a file to paste."""
    assert 0 == sandbox(["--port", "0", "--seconds", "0.01"])

    shown = capsys.readouterr().out
    assert all(word in shown for word in ("openai-chat", "anthropic-messages", "llm_config:", "/custom/v1"))


def test_the_key_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The file names a variable; the key itself appears nowhere."""
    sandbox(["--port", "0", "--seconds", "0.01", "--json", "--key", "sk-very-secret-key"])

    told = json.loads(capsys.readouterr().out)
    assert "${SANDBOX_KEY}" in told["config"]
    assert "very-secret" not in json.dumps(told)


def test_it_answers_in_a_process_of_its_own() -> None:
    """The addresses it tells answer; a fault given on the command line strikes; the process ends by itself."""
    code = "import sys; from byollm_sandbox.command import sandbox; sys.exit(sandbox(sys.argv[1:]))"
    words = ["--port", "0", "--json", "--seconds", "3", "--fault", "comments"]
    with subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
        request = urllib.request.Request(told["urls"]["custom"] + "/chat/completions", body)
        with urllib.request.urlopen(request, timeout=10) as reply:
            seen = reply.read()
        ended = process.wait(timeout=20)

    assert (True, 0) == (b": keep-alive" in seen, ended)


def test_a_taken_port_and_wrong_words_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use is 1 with the mend; an unknown fault or option is 2."""
    with serve() as twin:
        taken = sandbox(["--port", str(twin.port), "--seconds", "0"])

    assert [1, 2, 2, 0] == [taken, sandbox(["--fault", "odd"]), sandbox(["--nope"]), sandbox(["--help"])]
    assert 2 == sandbox(["--batch-seconds", "-1"])
    assert "--port 0" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--port", "99999"], ["--port", "-1"], ["--seconds", "-1"], ["--seconds", "x"]])
def test_a_number_that_cannot_be_is_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines say which option and where its help is; nothing listens."""
    assert 2 == sandbox(words)

    told = capsys.readouterr()
    assert "" == told.out
    assert [f"error: argument {words[0]}", "  byollm sandbox --help"] == [
        line.rpartition(":")[0] or line for line in told.err.splitlines()
    ]


def test_batches_work_as_long_as_asked() -> None:
    """`--batch-seconds` holds for every batch of the process."""
    code = "import sys; from byollm_sandbox.command import sandbox; sys.exit(sandbox(sys.argv[1:]))"
    words = ["--port", "0", "--json", "--seconds", "3", "--batch-seconds", "60"]
    with subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = json.loads(process.stdout.readline())["urls"]["anthropic-messages"] + "/v1/messages/batches"
        body = json.dumps({"requests": [{"custom_id": "a", "params": {}}]}).encode()
        seen = []
        for _ in range(2):
            new = json.load(urllib.request.urlopen(urllib.request.Request(base, body, VERSION), timeout=10))
            look = urllib.request.Request(f"{base}/{new['id']}", headers=VERSION)
            seen.append(json.load(urllib.request.urlopen(look, timeout=10))["processing_status"])
        process.wait(timeout=20)

    assert ["in_progress", "in_progress"] == seen


@pytest.mark.parametrize("key", [None, "sk-0123456789"])
def test_its_file_works_as_it_stands(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task of the file to paste is answered by its twin, with and without a key."""
    import yaml

    import byollm

    monkeypatch.setenv("SANDBOX_KEY", key or "")
    with serve(key=key) as twin, byollm.Client(yaml.safe_load(configuration(twin, key=key is not None))) as client:
        for task in ("rule_extraction", "pii_detection", "document_classification"):
            assert "stand-in" == client.complete("hello", task=task).model

        assert {key} == {request.key for request in twin.requests}


def test_its_file_has_a_target_for_every_dialect() -> None:
    """The file to paste is YAML with one task for each twin."""
    import yaml

    with serve() as twin:
        loaded = yaml.safe_load(configuration(twin, key=False))["llm_config"]

        assert {"openai", "anthropic", "custom"} == {target["provider"] for target in loaded.values()}
        assert all(str(twin.port) in target["endpoint"] for target in loaded.values())
