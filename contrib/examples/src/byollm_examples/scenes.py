"""Scenes 1 to 3: what a request becomes, what a broken stream leaves, where a key may not appear."""

from __future__ import annotations

import http.client
import logging
import pickle
import secrets
from collections.abc import Mapping
from pathlib import Path
from traceback import TracebackException
from typing import Any, Final
from urllib.parse import urlsplit

import byollm
from byollm.errors import ByollmError
from byollm_examples.files import TASKS, TWINS, changed_lines, written
from byollm_examples.folder import own_documents
from byollm_examples.record import Cut, Echo, Previewed, Run, Stream, Tried
from byollm_sandbox import Twins

MESSAGE: Final = "Until when may the customer end this agreement?"
PARAMETERS: Final[Mapping[str, Any]] = {
    "system": "Answer from the contract only.",
    "temperature": 0.2,
    "seed": 7,
    "max_tokens": 300,
    "reasoning_effort": "low",
    "tools": [
        byollm.Tool(
            "look_up_clause",
            "The text of one clause.",
            {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
        )
    ],
    "output_schema": {
        "type": "object",
        "properties": {"date": {"type": "string"}},
        "required": ["date"],
        "additionalProperties": False,
    },
}
STREAMED: Final = "software-licence"
"""The document of scene 2."""
MASK: Final = "‹the key›"
PIECE: Final = 12
"""A run of so many characters of a key counts as a leak."""


def three_previews(run: Run, twins: Twins, client: byollm.Client) -> None:
    """Scene 1: one request for three providers. Previewed, then sent, so that the twin's record can be compared."""
    shown = {name: value for name, value in PARAMETERS.items() if name not in ("tools", "output_schema")}
    run.request = {"message": MESSAGE, **shown, "tools": ["look_up_clause"], "output_schema": "{date}"}
    previews = []
    for name in ("own", "claude", "gpt"):
        preview = client.preview(MESSAGE, deployment=name, **PARAMETERS)
        client.complete(MESSAGE, deployment=name, **PARAMETERS)
        recorded = [request for request in twins.requests if request.name == name][-1]
        previews.append(
            Previewed(
                name,
                preview.provider,
                preview.model,
                preview.method,
                preview.url,
                dict(preview.headers),
                preview.body,
                tuple(str(adjustment) for adjustment in preview.adjustments),
                recorded.json == preview.body,
                recorded.status,
            )
        )
    run.previews = tuple(previews)
    run.check(all(item.recorded_equal for item in previews), "a body was sent that the preview had not shown")
    run.check(any(item.adjustments for item in previews), "no provider needed an adjustment")


def cut_streams(run: Run, twins: Twins, folder: Path) -> None:
    """Scene 2: a stream that breaks, without and with a failover line."""
    plain = written(twins)
    backed = written(twins, {**TASKS, "rule_extraction": "{deployment: claude, failover: gpt}"})
    document = next(item for item in own_documents().items if item.name == STREAMED)
    prompt = f"Which rules does this document hold?\n\n{document.text}"
    (folder / "cut.yaml").write_text(plain, "utf-8")
    with byollm.Client.from_yaml(folder / "cut.yaml") as client:
        twins.fault("cut", after=20, unit="tokens", name="claude")
        without = read_stream("cut after 20 tokens, no failover in the file", client, prompt)
    (folder / "cut.yaml").write_text(backed, "utf-8")
    with byollm.Client.from_yaml(folder / "cut.yaml") as client:
        twins.fault("cut", after=1, unit="events", name="claude")
        before = read_stream("with that line, cut before the first word", client, prompt)
        twins.fault("cut", after=20, unit="tokens", name="claude")
        after = read_stream("with that line, cut after 20 tokens", client, prompt)
    run.cut = Cut(without, changed_lines(plain, backed), before, after)
    run.check(
        without.error == "StreamInterruptedError" and without.text != "", "the cut stream did not keep its partial text"
    )
    run.check(
        before.error is None and len(before.attempts) == 2, "a stream cut before its content was not answered elsewhere"
    )
    run.check(after.error == "StreamInterruptedError", "a stream cut after its content did not raise")


def read_stream(title: str, client: byollm.Client, prompt: str) -> Stream:
    """Read a stream as a program does; what is kept is what the caller has in hand afterwards."""
    pieces: list[str] = []
    try:
        with client.stream(prompt, task="rule_extraction") as stream:
            for text in stream.text_stream:
                pieces.append(text)
    except ByollmError as error:
        partial: byollm.Completion | None = getattr(error, "partial", None)
        return Stream(
            title,
            partial.text if partial is not None else "",
            len(pieces),
            partial.finish_reason if partial is not None else None,
            type(error).__name__,
            error.message,
            tuple(Tried.of(attempt) for attempt in error.attempts),
        )
    reply = stream.completion
    attempts = tuple(Tried.of(attempt) for attempt in reply.attempts)
    return Stream(title, reply.text, len(pieces), reply.finish_reason, None, "", attempts)


def echoed_key(run: Run, twins: Twins) -> None:
    """Scene 3: a provider that repeats the key it was sent. The key is made up for this run."""
    key = f"sk-demo-{secrets.token_urlsafe(32)}"
    endpoint = twins.url(TWINS["gpt"].dialect, "echo")
    twins.fault("echo-key", name="echo", times=2)
    client = byollm.Client(
        {"provider": "openai", "model": TWINS["gpt"].model, "endpoint": endpoint, "api_key": lambda: key}
    )
    error, records = _refused(client)
    status, body = _by_hand(endpoint, key)
    forms = {
        "message": str(error),
        "repr": repr(error),
        "traceback with locals": "".join(TracebackException.from_exception(error, capture_locals=True).format()),
        "pickle": pickle.dumps(error).decode("latin-1"),
        "log records": records,
    }
    pieces = {key[start : start + PIECE] for start in range(len(key) - PIECE + 1)}
    found = sum(piece in text for text in forms.values() for piece in pieces)
    run.echo = Echo(
        key_length=len(key),
        status=status,
        sent=body.replace(key, MASK),
        sent_keys=body.count(key),
        error=type(error).__name__,
        shown=str(error),
        searched=tuple(forms),
        found=found,
    )
    run.check(body.count(key) > 0, "the twin did not repeat the key")
    run.check(twins.requests[-1].key == key, "the twin was not sent the key")
    run.check(found == 0, "a piece of the key was found")
    run.check(isinstance(error, byollm.errors.AuthenticationError), "a 401 was no AuthenticationError")


def _refused(client: byollm.Client) -> tuple[BaseException, str]:
    """The error as a program catches it, and every log record made on the way."""
    log = logging.getLogger("byollm")
    kept = _Kept()
    level, handed_on = log.level, log.propagate
    log.addHandler(kept)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        client.complete("hello")
    except ByollmError as error:
        return error, "\n".join(kept.lines)
    finally:
        log.removeHandler(kept)
        log.setLevel(level)
        log.propagate = handed_on
    return RuntimeError("the provider answered, although it was to refuse"), ""


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _by_hand(endpoint: str, key: str) -> tuple[int, str]:
    """The same request without byollm: what the provider really sends back."""
    parts = urlsplit(endpoint)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        connection.request("POST", f"{parts.path}/responses", '{"model": "gpt-5.4", "input": "hello"}', headers)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    finally:
        connection.close()
