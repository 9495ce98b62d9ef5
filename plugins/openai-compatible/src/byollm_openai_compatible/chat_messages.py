"""A conversation as Chat Completions messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from byollm.plugin import (
    Audio,
    Citation,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    dump_json,
)
from byollm_openai_compatible.chat_parts import block, cache_mark, content_of
from byollm_openai_compatible.ids import wire_ids
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.wholes import TOLD_FIELDS

_SEE_BELOW = "What the tool returned follows in the next message."


def chat_messages(conversation: Sequence[Message], quirks: Quirks, provider: str) -> list[dict[str, Any]]:
    """The `messages` of a body. Raises UnsupportedFeatureError for parts that the wire cannot say."""
    writer: _Writer | None = None  # most conversations are plain: it is made for the first message that is not
    written: list[dict[str, Any]] = []
    for message in conversation:
        parts = message.parts
        if message.role == "user" and len(parts) == 1 and type(parts[0]) is Text and message.name is None:
            written.append({"role": "user", "content": content_of(parts, quirks, provider)})
        else:
            if writer is None:
                form = quirks.tool_id_format
                writer = _Writer(quirks, provider, wire_ids(conversation, form) if form else {})
            writer.write(message, written)
    if quirks.merge_systems:
        written = _one_system(written)
    return _alternating(written) if quirks.merge_roles else written


class _Writer:
    def __init__(self, quirks: Quirks, provider: str, ids: Mapping[str, str]) -> None:
        self.quirks = quirks
        self.provider = provider
        self.ids = ids

    def write(self, message: Message, written: list[dict[str, Any]]) -> None:
        role, parts = message.role, message.parts
        if role == "assistant":
            written.append(self.assistant(message))
            return
        if role == "tool" or ToolResult in map(type, parts):
            parts = self.results(parts, written)
            if not parts:
                return
            role = "user"
        if role in ("system", "developer") and self.quirks.system_role != "keep":
            role = self.quirks.system_role
        made: dict[str, Any] = {"role": role}
        plain = self.message_fields(parts, made) if Opaque in map(type, parts) else parts
        made["content"] = content_of(plain, self.quirks, self.provider)
        if message.name is not None:
            made["name"] = message.name
        written.append(made)

    def message_fields(self, parts: Iterable[Part], made: dict[str, Any]) -> list[Part]:
        """Fields of the message itself that a server wants back are written to `made`; the other parts are returned."""
        plain: list[Part] = []
        for part in parts:
            if isinstance(part, Opaque) and isinstance(part.data, dict) and "type" not in part.data:
                if part.provider == self.provider and part.transport == "chat":
                    made.update({name: value for name, value in part.data.items() if name not in TOLD_FIELDS})
            else:
                plain.append(part)
        return plain

    # the model's own turns

    def assistant(self, message: Message) -> dict[str, Any]:
        made: dict[str, Any] = {"role": "assistant"}
        calls = [self.call(part) for part in message.parts if type(part) is ToolCall]
        parts = self.message_fields(message.parts, made)
        content = self.said(parts)
        thoughts = [part for part in parts if isinstance(part, Reasoning)]
        replayed = self.quirks.reasoning_replay
        if replayed == "always" or (replayed == "tool_turns" and calls):
            content = self.thoughts(thoughts, content, made)
            if calls and self.quirks.reasoning_required and not thoughts:
                made[self.quirks.reasoning_field or "reasoning_content"] = ""
        recording = next((part for part in parts if isinstance(part, Audio)), None)
        if recording is not None and recording.state is not None and "id" in recording.state.data:
            made["audio"] = {"id": recording.state.data["id"]}
        if content or not (calls or "audio" in made):
            made["content"] = content
        elif self.quirks.empty_content != "omit":
            made["content"] = "" if self.quirks.empty_content == "empty" else None
        if calls:
            made["tool_calls"] = calls
        if message.name is not None:
            made["name"] = message.name
        return made

    def said(self, parts: list[Part]) -> str | list[dict[str, Any]]:
        """What the model said: its text in one piece, unless there are blocks of this dialect or cache marks in it."""
        said = [part for part in parts if isinstance(part, Text | Image)]
        blocks = [part for part in parts if isinstance(part, Opaque) and self.is_own(part)]
        if not blocks and all(type(part) is Text and not (part.cache and self.quirks.cache_field) for part in said):
            return "".join([part.text for part in said if isinstance(part, Text)])
        return [block(part, self.quirks, self.provider) for part in (*said, *blocks)]

    def is_own(self, part: Opaque) -> bool:
        return part.provider == self.provider and part.transport == "chat" and isinstance(part.data, dict)

    def thoughts(self, thoughts: list[Reasoning], content: Any, made: dict[str, Any]) -> Any:
        """Earlier reasoning where the server wants it; answers the content, with thinking chunks if need be."""
        for thought in thoughts:
            state = thought.state.data if thought.state is not None and self.is_own(thought.state) else {}
            field = self.quirks.reasoning_field or state.get("field") or "reasoning_content"
            if field == "content":
                extra = {key: value for key, value in state.items() if key != "field"}
                chunk = {"type": "thinking", "thinking": [{"type": "text", "text": thought.text}], **extra}
                rest = [{"type": "text", "text": content}] if isinstance(content, str) and content else content
                content = [chunk, *(rest or [])]
                continue
            if thought.text or not state.get("reasoning_details"):
                made[field] = made.get(field, "") + thought.text
            if state.get("reasoning_details"):
                made["reasoning_details"] = state["reasoning_details"]
        return content

    def call(self, part: ToolCall) -> dict[str, Any]:
        state = dict(part.state.data) if part.state is not None and self.is_own(part.state) else {}
        id = self.ids.get(part.id, part.id)
        if state.pop("type", None) == "custom":
            return {"id": id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}, **state}
        arguments = part.arguments if part.arguments.strip() else "{}"
        if self.quirks.arguments_must_parse and not _is_object(arguments):
            arguments = dump_json({"_raw": part.arguments}).decode()
        return {"id": id, "type": "function", "function": {"name": part.name, "arguments": arguments}, **state}

    # what tools answered

    def results(self, parts: Iterable[Part], written: list[dict[str, Any]]) -> tuple[Part, ...]:
        """Writes one message a result. Returns what has to follow as the user's: other parts, media of the results."""
        rest: list[Part] = []
        for part in parts:
            if not isinstance(part, ToolResult):
                rest.append(part)
                continue
            made: dict[str, Any] = {"role": "tool", "tool_call_id": self.ids.get(part.id, part.id)}
            inner = self.message_fields(part.parts, made)
            if self.quirks.tool_result_media == "user_message":
                media = [item for item in inner if isinstance(item, Image | Document | Audio)]
                inner = [item for item in inner if item not in media] or ([Text(_SEE_BELOW)] if media else [])
                rest += media
            inner = [item for item in inner if not isinstance(item, Reasoning | Citation)]
            made["content"] = content_of(inner, self.quirks, self.provider)
            if part.name is not None and self.quirks.tool_result_names:
                made["name"] = part.name
            if part.cache and self.quirks.cache_field:
                made[self.quirks.cache_field] = cache_mark(part.cache, self.quirks)
            written.append(made)
        return tuple(rest)


def _is_object(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _one_system(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Templates of several open models take exactly one system message, at the beginning."""
    leading = 0
    while leading < len(written) and written[leading]["role"] in ("system", "developer"):
        leading += 1
    if leading < 2:
        return written
    merged = written[0]
    for message in written[1:leading]:
        merged = {**merged, "content": _joined(merged["content"], message["content"])}
    return [merged, *written[leading:]]


def _alternating(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbours of one role as one turn; tool results stay apart, each answers its own call."""
    merged: list[dict[str, Any]] = []
    for message in written:
        last = merged[-1] if merged else None
        if last is not None and last["role"] == message["role"] and message["role"] in ("user", "assistant"):
            calls = [*last.get("tool_calls", ()), *message.get("tool_calls", ())]
            joined = {**last, **message, "content": _joined(last.get("content", ""), message.get("content", ""))}
            merged[-1] = {**joined, "tool_calls": calls} if calls else joined
        else:
            merged.append(message)
    return merged


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return "\n\n".join(text for text in (first, second) if text)
    return [*_blocks(first), *_blocks(second)]


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or ())
