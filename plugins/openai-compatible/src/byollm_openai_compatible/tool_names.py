"""Tool names as the dialects take them, and back: letters, digits, `_` and `-`, at most 64 (read 2026-11-21)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from byollm.plugin import (
    Event,
    Frame,
    Head,
    Message,
    Part,
    Reader,
    Request,
    Tool,
    ToolCall,
    ToolCallStarted,
    ToolResult,
)

_LEGAL: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_-]")


def with_legal_names(request: Request) -> tuple[Request, Mapping[str, str]]:
    """The request with names that the wire takes, and wire name → the caller's own. The same object when all are legal.

    Illegal characters become `_`, and a digest keeps `a/b` apart from `a_b`.
    """
    wire = {name: _legal(name) for name in _names(request) if not _LEGAL.fullmatch(name)}
    if not wire:
        return request, {}
    changes: dict[str, Any] = {"messages": [_renamed(message, wire) for message in request.messages]}
    if request.tools:
        tools = request.tools
        changes["tools"] = [replace(t, name=wire.get(t.name, t.name)) if isinstance(t, Tool) else t for t in tools]
    choice = request.tool_choice
    if choice is not None and choice.name is not None:
        changes["tool_choice"] = replace(choice, name=wire.get(choice.name, choice.name))
    return request.with_(**changes), {legal: name for name, legal in wire.items()}


def naming_back(reader: Callable[[Head], Reader[Event]], names: Mapping[str, str]) -> Callable[[Head], Reader[Event]]:
    """A reader whose calls bear the caller's own names."""

    def made(head: Head) -> Reader[Event]:
        read = reader(head)

        def named(frame: Frame) -> Iterator[Event]:
            for event in read(frame):
                if isinstance(event, ToolCallStarted):
                    yield replace(event, name=names.get(event.name, event.name))
                else:
                    yield event

        return named

    return made


def _names(request: Request) -> Iterable[str]:
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            yield tool.name
    for message in request.messages:
        for part in message.parts:
            if type(part) is ToolCall:
                yield part.name


def _renamed(message: Message, wire: Mapping[str, str]) -> Message:
    def renamed(part: Part) -> Part:
        if not isinstance(part, ToolCall | ToolResult):
            return part
        return part if part.name is None else replace(part, name=wire.get(part.name, part.name))

    return replace(message, parts=tuple([renamed(part) for part in message.parts]))


def _legal(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_ILLEGAL.sub('_', name)[:50]}_{digest}"
