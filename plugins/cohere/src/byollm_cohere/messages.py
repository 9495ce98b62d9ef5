"""A conversation as Cohere's messages: plans and thoughts apart from the text, results of tools each on its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from byollm.plugin import (
    Adjustment,
    Citation,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
    dump_json,
)

TRANSPORT: Final = "chat"
SEE_BELOW: Final = "What the tool returned follows in the next message."


def wire_messages(conversation: Iterable[Message], provider: str, notes: list[Adjustment]) -> list[dict[str, Any]]:
    """The `messages` of a body. Raises UnsupportedFeatureError for parts that the wire cannot say."""
    written: list[dict[str, Any]] = []
    for message in conversation:
        if message.role == "assistant":
            written.append(_assistant(message.parts, provider))
            continue
        role = "system" if message.role in ("system", "developer") else "user"
        rest = _results(message.parts, written, notes)
        if rest or not any(isinstance(part, ToolResult) for part in message.parts):
            written.append({"role": role, "content": _content(rest)})
    return written


def state_of(part: Part, provider: str) -> Any:
    """The state of a part, when it is this provider's own; an empty object otherwise."""
    state = getattr(part, "state", None)
    own = isinstance(state, Opaque) and state.provider == provider and state.transport == TRANSPORT
    return state.data if own and isinstance(state, Opaque) else {}


def _assistant(parts: Iterable[Part], provider: str) -> dict[str, Any]:
    parts = tuple(parts)
    made: dict[str, Any] = {"role": "assistant"}
    text = "".join(part.text for part in parts if isinstance(part, Text))
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    thoughts = _thoughts(parts, provider, made)
    citations = [state_of(part, provider) for part in parts if isinstance(part, Citation)]
    alien = next((part for part in parts if not isinstance(part, _SPOKEN)), None)
    if alien is not None:
        what = type(alien).__name__
        raise UnsupportedFeatureError(f"a {what} cannot stand in an assistant's message", field="messages")
    if thoughts:
        made["content"] = [*thoughts, *([{"type": "text", "text": text}] if text else [])]
    elif text or not calls:
        made["content"] = text
    if calls:
        made["tool_calls"] = calls
    if any(citations):
        made["citations"] = [citation for citation in citations if citation]
    return made


_SPOKEN: Final = (Text, ToolCall, Reasoning, Citation, Opaque)


def _thoughts(parts: Iterable[Part], provider: str, made: dict[str, Any]) -> list[dict[str, Any]]:
    """Thinking blocks; a plan for tools is a field of the message. Thoughts of other houses are not said here."""
    found: list[dict[str, Any]] = []
    for part in parts:
        field = state_of(part, provider).get("field") if isinstance(part, Reasoning) else None
        if field == "tool_plan" and isinstance(part, Reasoning):
            made["tool_plan"] = part.text
        elif field == "thinking" and isinstance(part, Reasoning):
            found.append({"type": "thinking", "thinking": part.text})
    return found


def _call(part: ToolCall) -> dict[str, Any]:
    """Arguments are the text of an object; what a model wrote wrongly is wrapped."""
    arguments = part.arguments if part.arguments.strip() else "{}"
    try:
        sound = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        arguments = dump_json({"_raw": part.arguments}).decode()
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _results(parts: Iterable[Part], written: list[dict[str, Any]], notes: list[Adjustment]) -> list[Part]:
    """Writes a message for each result. Returns what has to follow as the user's: other parts, pictures of results."""
    rest: list[Part] = []
    for part in parts:
        if not isinstance(part, ToolResult):
            rest.append(part)
            continue
        media = [item for item in part.parts if not isinstance(item, Text | Reasoning | Citation | Opaque)]
        text = "".join(item.text for item in part.parts if isinstance(item, Text))
        if media:
            rest += media
            reason = "a tool's result can only be text here: its files follow in a user message"
            notes.append(Adjustment("messages", "mapped", "media in a tool result", "media in a user message", reason))
        written.append({"role": "tool", "tool_call_id": part.id, "content": text or (SEE_BELOW if media else "")})
    return rest


def _content(parts: Iterable[Part]) -> str | list[dict[str, Any]]:
    """Bare text where that is all, else blocks."""
    parts = [part for part in parts if not isinstance(part, Reasoning | Citation | Opaque)]
    if all(isinstance(part, Text) for part in parts) and len(parts) < 2:
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [_block(part) for part in parts]


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        place = {"url": part.media.data_uri}
        return {"type": "image_url", "image_url": {**place, "detail": part.detail} if part.detail else place}
    raise UnsupportedFeatureError(
        f"Cohere reads text and pictures, not a {type(part).__name__}; nothing was sent",
        field="messages",
        hint='texts to cite go into extra={"cohere": {"documents": […]}}',
    )
