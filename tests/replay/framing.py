"""Frames of an answer: one JSON document, or the events of a `text/event-stream`, read the plain way.

The grammar is WHATWG HTML's "server-sent events" (read 2026-11-21), with one difference that recorded providers need:
an event that the end of the stream leaves without its blank line is still delivered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class BrokenFrameError(ValueError):
    """A frame's data is not what the dialect promises: it cannot be read as a JSON object."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event: its name (empty when the server gave none) and its JSON object."""

    event: str
    value: Mapping[str, Any]


def frames(body: bytes) -> Iterator[Frame]:
    """The JSON objects of an answer, in order. `[DONE]` ends a stream and is not one of them.

    Raises BrokenFrameError for data that is not a JSON object.
    """
    if body[:1] == b"\0":  # the length of a binary message, far below 16 MiB
        from tests.replay.bedrock import binary

        yield from binary(body)
        return
    if body.lstrip()[:1] in (b"{", b"["):
        for text in _documents(body.decode("utf-8")):
            yield Frame("", _parsed(text))
        return
    for event, data in events(body):
        if data.strip() == "[DONE]":
            return
        if data:
            yield Frame(event, _parsed(data))


def _documents(text: str) -> Iterator[str]:
    """The document; the chunks of a stream that Gemini, not asked for events, sends as an array; Ollama's lines."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        yield from map(json.dumps, value)
    elif value is None and _is_object(text.lstrip().partition("\n")[0]):
        yield from (line for line in text.split("\n") if line.strip())
    else:
        yield text


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), Mapping)
    except ValueError:
        return False


def events(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and data of each server-sent event. Only CR, LF and CRLF end a line: U+2028 and its like do not."""
    name, data = "", list[str]()
    for line in re.split(r"\r\n|\r|\n", body.decode("utf-8-sig")):
        if not line:
            if name or data:
                yield name, "\n".join(data)
            name, data = "", []
            continue
        label, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if label == "event":
            name = value
        elif label == "data":
            data.append(value)
    if name or data:
        yield name, "\n".join(data)


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BrokenFrameError(f"not JSON: {text[:60]!r} ({error})") from error
    if not isinstance(value, Mapping):
        raise BrokenFrameError(f"not a JSON object: {text[:60]!r}")
    return value
