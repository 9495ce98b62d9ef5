"""Conversations as plain JSON data, versioned and neutral: kept in a file or a database, read back years later."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from byollm.errors import ConfigError
from byollm.types.messages import Message
from byollm.types.parts import Audio, Citation, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult

VERSION: Final = 1
_KINDS: Final[dict[str, type]] = {
    "text": Text,
    "image": Image,
    "document": Document,
    "audio": Audio,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "reasoning": Reasoning,
    "citation": Citation,
    "opaque": Opaque,
}
_ALWAYS: Final = frozenset({"text", "source", "id", "name", "arguments", "is_error", "parts", "provider", "transport"})
"""Fields that are never written as null: what is None is left out."""
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def dump_messages(messages: Sequence[Message]) -> dict[str, Any]:
    """Messages as JSON-able data. Nothing is lost: opaque state, cache hints and inline bytes included."""
    return {"byollm_messages": VERSION, "messages": [_message(message) for message in messages]}


def load_messages(data: Mapping[str, Any]) -> tuple[Message, ...]:
    """What `dump_messages` wrote, as messages. Raises ConfigError, saying where, for anything else."""
    if (
        not isinstance(data, Mapping)
        or data.get("byollm_messages") != VERSION
        or not isinstance(data.get("messages"), list)
    ):
        raise ConfigError(
            f"this is not version {VERSION} of byollm's messages", hint="write them with byollm.dump_messages"
        )
    try:
        return tuple(_read_message(item, f"messages[{index}]") for index, item in enumerate(data["messages"]))
    except RecursionError:
        problem = "these messages are nested too deeply"
    raise ConfigError(problem)


def _message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "parts": [_part(part) for part in message.parts]}
    if message.name is not None:
        written["name"] = message.name
    return written


def _part(part: Part) -> dict[str, Any]:
    written: dict[str, Any] = {"type": _NAMES[type(part)]}
    for field in fields(part):
        value = getattr(part, field.name)
        if value != field.default:
            written[field.name] = _value(field.name, value)
    return written


def _value(name: str, value: Any) -> Any:
    if name == "source" and isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if name == "state":
        return _part(value)
    if name == "parts":
        return [_part(part) for part in value]
    return value


def _read_message(item: Any, where: str) -> Message:
    if not isinstance(item, Mapping) or not isinstance(item.get("parts"), list):
        raise ConfigError(f"{where} is not a message")
    _check_fields(item, {"role", "parts", "name"}, where)
    parts = tuple(_read_part(part, f"{where}.parts[{index}]") for index, part in enumerate(item["parts"]))
    try:
        return Message(item.get("role"), parts, item.get("name"))  # type: ignore[arg-type]  # Message checks the role
    except ConfigError as error:
        problem = error.message
    raise ConfigError(f"{where}: {problem}")


def _read_part(item: Any, where: str) -> Part:
    word = item.get("type") if isinstance(item, Mapping) else None
    kind = _KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        raise ConfigError(f"{where} is no part that byollm knows")
    _check_fields(item, {"type", *(field.name for field in fields(kind))}, where)
    values = {name: _read_value(name, value, f"{where}.{name}") for name, value in item.items() if name != "type"}
    try:
        part: Part = kind(**values)
    except TypeError as error:  # a field without a default is missing
        problem = str(error)
    else:
        return part
    raise ConfigError(f"{where}: {problem}")


def _check_fields(item: Mapping[Any, Any], known: set[str], where: str) -> None:
    unknown = sorted(map(str, item.keys() - known))
    if unknown:
        raise ConfigError(f"{where} has a field that byollm does not know: {unknown[0]!r}")


def _read_value(name: str, value: Any, where: str) -> Any:
    if name == "data":  # opaque: kept as it came
        return value
    if name == "parts" and isinstance(value, list):
        return tuple(_read_part(part, f"{where}[{index}]") for index, part in enumerate(value))
    if value is None and name not in _ALWAYS:
        return None
    if name == "source" and isinstance(value, Mapping):
        return _read_bytes(value, where)
    if name == "state":
        state = _read_part(value, where)
        if isinstance(state, Opaque):
            return state
    elif name == "is_error":
        if isinstance(value, bool):
            return value
    elif name in ("start", "end"):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(value, str):
        return value
    raise ConfigError(f"{where} cannot be {type(value).__name__}")


def _read_bytes(value: Mapping[Any, Any], where: str) -> bytes:
    text = value.get("base64")
    try:
        return base64.b64decode(text, validate=True)  # type: ignore[arg-type]  # anything but a text is a TypeError
    except (TypeError, ValueError):
        problem = f"{where} is no base64 text"
    raise ConfigError(problem)
