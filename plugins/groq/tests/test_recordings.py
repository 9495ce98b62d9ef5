"""Every recorded answer of Groq: read without error, or refused with the class that its words mean."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from groq.types.chat import ChatCompletion, ChatCompletionChunk

from byollm import testing
from byollm.errors import ByollmError

KNOWN = {"ModelNotFoundError": 6, "InvalidRequestError": 3}
"""Errors among the recordings, with how often: models that are gone or were never there; generations that broke, two of
them inside a stream."""


def exchanges() -> Iterator[dict[str, Any]]:
    named = os.environ.get("BYOLLM_CORPUS")
    beside = (folder / "shared" / "corpus" for folder in Path(__file__).resolve().parents)
    root = Path(named) if named else next(folder for folder in beside if folder.is_dir())
    for path in sorted((root / "groq").rglob("*.json")):
        for exchange in json.loads(path.read_bytes())["exchanges"]:
            url = exchange["request"]["url"].partition("?")[0]
            if exchange["request"]["method"] == "POST" and url.endswith("/chat/completions"):
                yield exchange


def seen(response: dict[str, Any]) -> str:
    body = (json.dumps(response["json"]) if "json" in response else response.get("body_text") or "").encode()
    streamed = body.lstrip()[:1] != b"{"
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    try:
        whole, cut = (
            testing.replay("groq", status=response["status"], headers=response["headers"], body=given, stream=streamed)
            for given in (body, pieces)
        )
    except ByollmError as error:
        return type(error).__name__
    assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
    return str(whole.finish_reason)


def test_recordings_are_read() -> None:
    """Answers end in stop, length or tool_calls; the rest is what the list above says."""
    found = Counter(seen(exchange["response"]) for exchange in exchanges())

    assert 80 <= sum(found[word] for word in ("stop", "length", "tool_calls"))
    assert KNOWN == {name: times for name, times in found.items() if name.endswith("Error")}


def read(response: dict[str, Any], body: bytes) -> Any:
    streamed = body.lstrip()[:1] != b"{"
    return testing.replay("groq", status=200, headers=response["headers"], body=body, stream=streamed)


def test_the_sdk_reads_the_same() -> None:
    """Text, calls and the last finish reason of every recorded answer, by groq's own types."""
    judged = 0
    for exchange in exchanges():
        response = exchange["response"]
        body = (json.dumps(response["json"]) if "json" in response else response.get("body_text") or "").encode()
        if response["status"] != 200 or b'"error"' in body:
            continue
        lines = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
        kind: Any = ChatCompletionChunk if lines else ChatCompletion
        found = [kind.construct(**json.loads(line)) for line in lines or [body] if line != b"[DONE]"]
        choices = [choice for chunk in found for choice in chunk.choices]
        turns = [choice.delta if lines else choice.message for choice in choices]
        names = [call.function.name for turn in turns for call in turn.tool_calls or () if call.function.name]
        reply = read(response, body)
        said = "".join(turn.content or "" for turn in turns)
        assert (said, names) == (reply.text, [call.name for call in reply.tool_calls])
        assert reply.raw_finish_reason == [choice.finish_reason for choice in choices if choice.finish_reason][-1]
        judged += 1
    assert 80 <= judged
