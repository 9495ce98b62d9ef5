"""Requests in one shape, whoever tells them: as the caller made them, and as another end of the wire reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import Tool, ToolChoice
from byollm_conformance.judge import ordered
from byollm_conformance.strategies import NUMBERS
from byollm_conformance.wire import Seen

WORDS: Final = (*NUMBERS, "logit_bias", "parallel_tool_calls", "service_tier")
"""Parameters that have a neutral name on the wire."""


def of_request(request: Request, fields: Iterable[str] = WORDS) -> dict[str, Any]:
    """What the caller asks, as data. What is left out means nothing."""
    said = {name: value for name in fields if (value := getattr(request, name)) is not None}
    return {
        **_common(request.conversation, request.tools, request.tool_choice),
        **said,
        "output_schema": request.json_schema,
        "stream": request.stream,
    }


def of_seen(seen: Seen, fields: Iterable[str] = WORDS) -> dict[str, Any]:
    """What the other end reads, as data."""
    said = {name: seen.parameters[name] for name in fields if name in seen.parameters}
    return {
        **_common(seen.messages, seen.tools, seen.tool_choice),
        **said,
        "output_schema": seen.output_schema,
        "stream": seen.stream,
    }


def _common(messages: Iterable[Message], tools: Any, choice: Any) -> dict[str, Any]:
    turns = list(messages)
    system = [text for turn in turns if turn.role in ("system", "developer") for _, text in _items(turn)]
    said: list[tuple[str, Any]] = []
    for turn in turns:
        for kind, value in _items(turn) if turn.role not in ("system", "developer") else ():
            role = "tool" if kind == "result" else turn.role
            if kind == "text" and said and said[-1][0] == f"{role} text":
                said[-1] = (f"{role} text", said[-1][1] + value)
            else:
                said.append((f"{role} {kind}", value))
    offered = [(tool.name, tool.description, tool.parameters) for tool in tools or () if isinstance(tool, Tool)]
    if choice is not None and choice.name is not None:  # that tool alone, and one must be called: some say it so
        offered, choice = [tool for tool in offered if tool[0] == choice.name], ToolChoice("required")
    if choice is not None and choice.mode == "none":  # a server that takes no choice is offered nothing
        offered, choice = [], None
    return {
        "system": "\n\n".join(system) or None,
        "messages": _numbered(said),
        "tools": offered or None,
        "tool_choice": None if choice is None or (choice.mode, choice.name) == ("auto", None) else choice,
    }


def _numbered(said: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Calls and results by the number of their call: some dialects tell no ids, and some take only ids of their own."""
    numbers: dict[str, int] = {}
    return [
        (kind, (numbers.setdefault(value[0], len(numbers)), *value[1:]))
        if kind.endswith((" call", " result"))
        else (kind, value)
        for kind, value in said
    ]


def _items(turn: Message) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, Text):
            found.append(("text", part.text))
        elif isinstance(part, ToolCall):
            found.append(("call", (part.id, part.name, ordered(part.arguments))))
        elif isinstance(part, ToolResult):
            found.append(("result", (part.id, part.text)))
        elif isinstance(part, Image | Document | Audio):
            found.append((type(part).__name__, part.source))
    return found


def differing(expected: Mapping[str, Any], got: Mapping[str, Any], told: Iterable[str]) -> list[str]:
    """The names that differ and that the caller was not told of."""
    excused = set(told)
    names = {**expected, **got}
    return [name for name in names if name not in excused and expected.get(name) != got.get(name)]
