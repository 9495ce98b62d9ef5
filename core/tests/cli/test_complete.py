"""`byollm complete`: the answer on stdout, everything about it on stderr."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from byollm.errors import ContentFilterError, InvalidRequestError, RateLimitError, ServerError
from byollm_sandbox import Answer


def test_the_text_and_what_is_about_it(run, twin, config):
    """The text goes to stdout, provider, model, tokens and time to stderr."""
    config(twin.url())
    twin.script(Answer(parts=("Four.",), model="gpt-4o"))

    ran = run("complete", "2+2?")

    assert (ran.code, ran.out) == (0, "Four.\n")
    assert ran.err.startswith("custom/gpt-4o · tokens ")
    assert " ms" in ran.err


def test_quiet(run, twin, config):
    """With -q nothing is said about the answer."""
    config(twin.url())

    assert run("complete", "2+2?", "-q").err == ""


def test_a_model_without_a_file(run, twin):
    """`--model provider/model --endpoint` needs no file; the key is the provider's usual variable."""
    twin.script("hi")

    ran = run("complete", "hello", "--model", "custom/gpt-4o", "--endpoint", twin.url())

    assert (ran.code, ran.out) == (0, "hi\n")


@pytest.mark.parametrize("words", [["-"], []])
def test_the_prompt_from_a_pipe(run, twin, config, words):
    """`-`, or no text at all, reads the prompt from stdin."""
    config(twin.url())

    run("complete", *words, stdin="Grüße\n".encode())

    assert twin.requests[0].json["messages"][-1]["content"] == "Grüße\n"


def test_the_parameters_arrive(run, twin, config):
    """Every parameter given as an option is in the request."""
    config(twin.url())
    words = ["--system", "Be brief.", "--temperature", "0.5", "--top-p", "0.9", "--max-tokens", "7", "--seed", "3"]

    ran = run("complete", "hi", *words, "--stop", "END", "--stop", "STOP")

    sent = twin.requests[0].json
    assert ran.code == 0
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert (sent["temperature"], sent["top_p"], sent["seed"], sent["stop"]) == (0.5, 0.9, 3, ["END", "STOP"])


def test_json(run, twin, config):
    """With --json the answer is one document: text, usage, attempts."""
    config(twin.url())
    twin.script(Answer(parts=("Four.",), model="gpt-4o"))

    found = run("complete", "2+2?", "--json").json

    assert (found["text"], found["provider"], found["finish_reason"]) == ("Four.", "custom", "stop")
    assert found["usage"]["input_tokens"] > 0
    assert [attempt["status"] for attempt in found["attempts"]] == [200]


def test_a_stream(run, twin, config):
    """With --stream the same text arrives, and the same facts."""
    config(twin.url())
    twin.script("one two three")

    ran = run("complete", "count", "--stream")

    assert (ran.code, ran.out) == (0, "one two three\n")
    assert "tokens" in ran.err


def test_a_stream_as_json_lines(run, twin, config):
    """With --stream --json every event is a line of JSON, and the last line is the whole answer."""
    config(twin.url())
    twin.script("one two")

    lines = [json.loads(line) for line in run("complete", "count", "--stream", "--json").out.splitlines()]

    assert lines[0]["event"] == "Started"
    assert "".join(line["text"] for line in lines if line["event"] == "TextDelta") == "one two"
    assert (lines[-1]["event"], lines[-1]["text"]) == ("completion", "one two")


def test_a_cut_stream_as_json_lines(run, twin, config):
    """With --stream --json an error is one line of JSON, too: what reads lines goes on reading lines."""
    config(twin.url())
    twin.script("one two three four five")
    twin.fault("cut", after=2, unit="tokens", times=None)

    lines = [json.loads(line) for line in run("complete", "count", "--stream", "--json").out.splitlines()]

    assert [lines[-1]["error"]["type"]] == ["StreamInterruptedError"]


def test_each_piece_is_shown_as_it_comes(twin, config):
    """A stream is flushed piece by piece: the first is readable while the answer is still held back."""
    config(twin.url())
    twin.script(Answer(parts=("one two",), pieces=("one ", "two")), "unused")
    twin.fault("hang", after=2)
    process = _start("complete", "count", "--stream")

    assert process.stdout.read(4) == b"one "

    _interrupt(process)


def test_interrupted(twin, config):
    """Ctrl-C in a stream keeps what came, says so, and exits 130 without a traceback."""
    config(twin.url())
    twin.script(Answer(parts=("one two",), pieces=("one ", "two")))
    twin.fault("hang", after=2)
    process = _start("complete", "count", "--stream")
    came = process.stdout.read(4)

    out, err = _interrupt(process)

    assert came + out == b"one \n"
    assert process.returncode == 130
    assert b"interrupted after 4 characters" in err
    assert b"Traceback" not in err


def test_interrupted_before_anything_came(twin, config):
    """Ctrl-C while waiting exits 130, too."""
    config(twin.url())
    twin.fault("hang", times=None)
    process = _start("complete", "hi")
    while not twin.requests:
        assert process.poll() is None
        time.sleep(0.01)

    out, err = _interrupt(process)

    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def _start(*words):
    # A lane that was started in the background hands on an ignored SIGINT, and the program would never see Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "byollm", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(process):
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


def test_a_stream_that_breaks(run, twin, config):
    """A cut stream keeps what came on stdout; the error and its mend follow on stderr, exit code 1."""
    config(twin.url())
    twin.script("one two three four five")
    twin.fault("cut", after=2, unit="tokens")

    ran = run("complete", "count", "--stream")

    assert ran.code == 1
    assert "one two three four five".startswith(ran.out.strip())
    assert ran.out.strip() != ""
    assert "failover" in ran.mend


def test_a_failover_is_told(run, twin, yaml):
    """When another deployment answered, every attempt is told on stderr."""
    target = (
        f"{{provider: custom, model: gpt-4o, endpoint: '{twin.url()}', retries: {{attempts: 1}}, failover: [second]}}"
    )
    second = f"{{provider: custom, model: gpt-4o, endpoint: '{twin.url(name='second')}'}}"
    yaml(f"llm_config:\n  default: ask\n  deployments: {{second: {second}}}\n  ask: {target}\n")
    twin.script(ServerError("down"), name="default")
    twin.script("from the second", name="second")

    ran = run("complete", "hi")

    assert (ran.code, ran.out) == (0, "from the second\n")
    assert "attempt: ask (custom/gpt-4o) 500 ServerError" in ran.err
    assert "attempt: second (custom/gpt-4o) 200 answered" in ran.err


def test_an_adjustment_is_told(run, twin, yaml):
    """What was changed so that the model takes the request is told on stderr."""
    endpoint = twin.url("anthropic-messages")
    yaml(
        "llm_config: {provider: anthropic, model: claude-sonnet-5-5, api_key: '${CUSTOM_API_KEY}', "
        f"endpoint: '{endpoint}'}}"
    )

    ran = run("complete", "hi", "--seed", "3")

    assert ran.code == 0
    assert "adjusted: seed dropped" in ran.err


def test_dry_run(run, twin, config, monkeypatch):
    """--dry-run shows method, URL, masked headers, body and adjustments; nothing is sent and no key is needed."""
    monkeypatch.delenv("CUSTOM_API_KEY")
    config(twin.url())

    ran = run("complete", "hi", "--dry-run", "--temperature", "0.5")

    head, body = ran.out.split("\n\n")[:2]
    assert head.splitlines()[0] == f"POST {twin.url()}/chat/completions"
    assert "authorization: [redacted]" in head
    assert json.loads(body)["temperature"] == 0.5
    assert ran.out.endswith("adjustments: none\n")
    assert twin.requests == []


def test_dry_run_as_json(run, twin, config):
    """The preview as JSON is the request: its body is an object, its key is masked."""
    config(twin.url())

    found = run("complete", "hi", "--dry-run", "--stream", "--json").json

    assert (found["method"], found["body"]["stream"], found["headers"]["authorization"]) == ("POST", True, "[redacted]")


def test_dry_run_of_a_literal_key(run, twin, config):
    """Even a key that stands in the file does not show in a preview."""
    config(twin.url(), api_key="sk-literal-0123456789abcdef")

    ran = run("complete", "hi", "--dry-run")

    assert ran.code == 0
    assert "sk-literal" not in ran.out + ran.err


def test_a_schema(run, twin, config, tmp_path):
    """--output-schema asks for structured output and holds the answer to it."""
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    config(twin.url())
    twin.script('{"n": 4}', '{"n": "four"}')

    fits = run("complete", "2+2?", "--output-schema", "schema.json", "--json")
    misfits = run("complete", "2+2?", "--output-schema", "schema.json")

    assert fits.json["parsed"] == {"n": 4}
    assert misfits.code == 1
    assert "does not fit" in misfits.err


@pytest.mark.parametrize("content, told", [(None, "cannot be read"), ("{", "is not JSON"), ("[]", "no JSON schema")])
def test_a_schema_that_is_none(run, twin, config, tmp_path, content, told):
    """A schema file that is missing, broken or no schema is told; nothing is sent."""
    config(twin.url())
    if content is not None:
        (tmp_path / "schema.json").write_text(content)

    ran = run("complete", "hi", "--output-schema", "schema.json")

    assert ran.code == 1
    assert told in ran.err
    assert twin.requests == []


def test_the_wrong_key(run, fresh, twin, config, monkeypatch):
    """A wrong key is told in the provider's words, redacted, and the mend comes last."""
    monkeypatch.setenv("CUSTOM_API_KEY", "wrong-key-0123456789abcdef")
    config(twin.url())

    for ran in (run("complete", "hi"), fresh("complete", "hi")):
        assert ran.code == 1
        assert "Incorrect API key" in ran.err
        assert "wrong-key-01234" not in ran.err
        assert "byollm doctor" in ran.mend


@pytest.mark.parametrize("form", ["raw", "base64", "url", "json", "header"])
def test_a_provider_that_echoes_the_key(run, twin, config, form):
    """However a provider repeats the key in its 401, the screen does not."""
    config(twin.url())
    twin.fault("echo-key", form=form)

    ran = run("complete", "hi", "--json")

    assert ran.code == 1
    assert "twin-key-0123" not in ran.out + ran.err


def test_no_key(run, twin, config, monkeypatch):
    """Without a key nothing is sent, and the line to type is shown."""
    monkeypatch.delenv("CUSTOM_API_KEY")
    config(twin.url())

    ran = run("complete", "hi")

    assert (ran.code, ran.mend.split("=")[0]) == (1, "export CUSTOM_API_KEY")
    assert twin.requests == []


def test_the_wrong_model(run, twin, config):
    """A model that the provider does not know is told, with where to look."""
    config(twin.url(), model="gpt-0")

    ran = run("complete", "hi")

    assert ran.code == 1
    assert "gpt-0" in ran.err
    assert "model:" in ran.mend


def test_the_wrong_parameter(run, twin, config):
    """A parameter the provider refuses is told in its words."""
    config(twin.url())

    ran = run("complete", "hi", "--temperature", "9")

    assert ran.code == 1
    assert "temperature" in ran.err


@pytest.mark.parametrize(
    "error, mend",
    [
        (RateLimitError("slow down", retry_after=900), "failover"),
        (ContentFilterError("not this one"), "filter"),
        (ServerError("oh no"), "try again"),
        (InvalidRequestError("no such thing"), "byollm complete --dry-run"),
    ],
)
def test_every_failure_ends_with_its_mend(run, twin, config, error, mend):
    """Each class of error has a last line that helps."""
    config(twin.url(), retries={"attempts": 1})
    twin.script(error)

    ran = run("complete", "hi")

    assert ran.code == 1
    assert mend in ran.mend


def test_nobody_listens(run, config, closed_port, monkeypatch):
    """A refused connection sends the user to the doctor."""
    monkeypatch.setenv("CUSTOM_API_KEY", "k-0123456789")
    config(f"http://127.0.0.1:{closed_port}", retries={"attempts": 1})

    ran = run("complete", "hi")

    assert ran.code == 1
    assert "byollm doctor" in ran.mend


def test_a_terminal_is_not_played_with(run, twin, config, monkeypatch):
    """On a terminal an answer's control sequences are left out; a pipe gets every byte."""
    config(twin.url())
    twin.script("a\x1b]0;title\x07b", "a\x1b[2Jb")

    piped = run("complete", "hi")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    shown = run("complete", "hi")

    assert piped.out == "a\x1b]0;title\x07b\n"
    assert shown.out == "a[2Jb\n"


def test_an_error_text_does_not_play_with_the_terminal(run, twin, config):
    """A provider's error text is stripped of control sequences, wherever it goes."""
    config(twin.url(), retries={"attempts": 1})
    twin.script(ServerError("bad \x1b[31mred"))

    assert "\x1b" not in run("complete", "hi").err


@pytest.mark.parametrize(
    "words, told",
    [
        (["--model", "gpt-4o", "hi"], "a provider and its model"),
        (["--model", "openai/gpt-4o", "--task", "x", "hi"], "exclude each other"),
        (["--endpoint", "http://127.0.0.1", "hi"], "belongs to --model"),
        (["--model", "custom/m", "--label", "x", "hi"], "NAME=VALUE"),
        (["--model", "custom/m", "--endpoint", "http://127.0.0.1:9", "  "], "the text is empty"),
        (["--model", "custom/m", "--temperature", "warm", "hi"], "--temperature"),
    ],
)
def test_wrong_usage(run, words, told):
    """What makes no sense together is wrong usage, told before anything is read or sent."""
    ran = run("complete", *words)

    assert ran.code == 2
    assert told in ran.err


def test_no_text_on_a_terminal(run):
    """On a terminal a missing text is asked for by example, and not waited for."""
    ran = run("complete", "--model", "custom/m", "--endpoint", "http://127.0.0.1:9", terminal=True)

    assert ran.code == 2
    assert 'byollm complete "hi"' in ran.mend


def test_stdin_that_is_no_text(run):
    """Bytes that are not UTF-8 are refused before anything is sent."""
    ran = run("complete", "-", "--model", "custom/m", "--endpoint", "http://127.0.0.1:9", stdin=b"\xff\xfe")

    assert ran.code == 2
    assert "UTF-8" in ran.err


def test_a_timeout_that_is_none(run, twin, config):
    """A timeout below zero is refused."""
    config(twin.url())

    assert run("complete", "hi", "--timeout", "-1").code == 1


def test_colours_only_where_wanted(fresh, twin, config):
    """Without a terminal there are no colours; NO_COLOR and TERM=dumb say the same."""
    config(twin.url())

    assert "\x1b" not in "".join([(ran := fresh("complete", "hi")).out, ran.err])


def test_a_wait_is_told(run, twin, config):
    """A rate limit tells how long the provider asks to wait."""
    config(twin.url(), retries={"attempts": 1})
    twin.script(RateLimitError("slow down", retry_after=900))

    assert "the provider asks to wait 900 s" in run("complete", "hi").err
