"""A request with placeholders in all its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from byollm.errors import UnsupportedFeatureError
from byollm.plugin import (
    Audio,
    Citation,
    Document,
    Image,
    Message,
    Part,
    Reasoning,
    Request,
    Text,
    ToolCall,
    ToolResult,
)
from byollm_redact.session import Session

_MEDIA = (Image, Document, Audio)


def redacted(session: Session, request: Request, *, refuse_media: bool) -> Request:
    """The request as it may leave; the same object when nothing is in it. Raises UnsupportedFeatureError for media."""
    if refuse_media:
        _refuse_media(request)
    for text in _texts(request):
        session.reserve(text)
    changes: dict[str, Any] = {}
    if request.system:
        changes["system"] = _system(request.system, session.redact)
    changes["messages"] = tuple([_message(session, message) for message in request.messages])
    if request.end_user_id is not None:
        changes["end_user_id"] = session.redact(request.end_user_id)
    if request.metadata:
        changes["metadata"] = {name: session.redact(value) for name, value in request.metadata.items()}
    if request.stop:
        changes["stop"] = tuple(map(session.redact, request.stop))
    changed = {name: value for name, value in changes.items() if value != getattr(request, name)}
    return request.with_(**changed) if changed else request


def size_of(request: Request) -> int:
    """The letters of all texts of a request."""
    return sum(map(len, _texts(request)))


def _system(system: str | tuple[Text, ...], change: Callable[[str], str]) -> str | tuple[Text, ...]:
    if isinstance(system, str):
        return change(system)
    return tuple(replace(part, text=change(part.text)) for part in system)


def _message(session: Session, message: Message) -> Message:
    parts = tuple([_part(session, part) for part in message.parts])
    name = None if message.name is None else session.redact(message.name)
    return message if parts == message.parts and name == message.name else Message(message.role, parts, name)


def _part(session: Session, part: Part) -> Part:
    if isinstance(part, Text):
        return replace(part, text=session.redact(part.text))
    if isinstance(part, ToolResult):
        return replace(part, parts=tuple([_part(session, inner) for inner in part.parts]))
    if isinstance(part, ToolCall):
        return replace(part, arguments=session.redact_json(part.arguments))
    if isinstance(part, Reasoning):
        return replace(part, text=(session.redact if part.state is None else session.redact_known)(part.text))
    if isinstance(part, Citation):
        return replace(part, cited_text=part.cited_text and session.redact(part.cited_text))
    return part


def _texts(request: Request) -> Iterable[str]:
    """Every text of a request that may leave with it."""
    system = request.system or ""
    yield from [system] if isinstance(system, str) else [part.text for part in system]
    yield from request.stop or ()
    yield from (request.metadata or {}).values()
    yield request.end_user_id or ""
    for message in request.messages:
        yield message.name or ""
        yield from _of_parts(message.parts)


def _of_parts(parts: Sequence[Part]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, Text | Reasoning):
            yield part.text
        elif isinstance(part, ToolCall):
            yield part.arguments
        elif isinstance(part, ToolResult):
            yield from _of_parts(part.parts)
        elif isinstance(part, Citation):
            yield part.cited_text or ""


def _refuse_media(request: Request) -> None:
    parts = [part for message in request.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    if any(isinstance(part, _MEDIA) for part in parts):
        raise UnsupportedFeatureError(
            "redact: images, documents and recordings cannot be looked into",
            field="messages",
            hint="send their text, or set `media: pass` for this middleware",
        )
