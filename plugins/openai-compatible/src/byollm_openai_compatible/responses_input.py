"""A conversation as the `input` items of the Responses API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from byollm.plugin import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
)
from byollm_openai_compatible.chat_parts import cache_mark, check_kind, file_name, sound
from byollm_openai_compatible.ids import wire_ids
from byollm_openai_compatible.profile import Quirks


def message_items(messages: Iterable[Message], quirks: Quirks, provider: str) -> list[dict[str, Any]]:
    """The items. What this dialect itself made goes back as it came: reasoning, item ids, phases, hosted tools."""
    messages = tuple(messages)
    writer = _Writer(quirks, provider, wire_ids(messages, quirks.tool_id_format))
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "assistant":
            writer.assistant(message, items)
        else:
            writer.other(message, items)
    return items


class _Writer:
    def __init__(self, quirks: Quirks, provider: str, ids: dict[str, str]) -> None:
        self.quirks = quirks
        self.provider = provider
        self.ids = ids

    def own(self, state: Opaque | None) -> dict[str, Any]:
        """The data of a state that this dialect of this provider made; empty for any other."""
        if state is None or state.provider != self.provider or state.transport != "responses":
            return {}
        return state.data if isinstance(state.data, dict) else {}

    def other(self, message: Message, items: list[dict[str, Any]]) -> None:
        plain: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                items.append(self.result(part))
            elif isinstance(part, Opaque) and not str(part.data.get("type", "")).startswith("input_"):
                if not self.own(part):
                    raise _foreign(part, self.provider)
                items.append(part.data)
            else:
                plain.append(part)
        if not plain and message.role != "user":
            return
        role = "user" if message.role == "tool" else message.role
        if plain or not message.parts:
            items.append({"role": role, "content": self.content(plain)})

    def content(self, parts: list[Part]) -> str | list[dict[str, Any]]:
        if len(parts) == 1 and type(parts[0]) is Text and not (parts[0].cache and self.quirks.cache_field):
            return parts[0].text
        return [self.block(part) for part in parts] or ""

    def block(self, part: Part) -> dict[str, Any]:
        if isinstance(part, Opaque):
            if not self.own(part):
                raise _foreign(part, self.provider)
            return dict(part.data)
        check_kind(part, self.quirks)
        if isinstance(part, Text):
            made: dict[str, Any] = {"type": "input_text", "text": part.text}
        elif isinstance(part, Image):
            made = {"type": "input_image", "image_url": part.media.data_uri, "detail": part.detail or "auto"}
        elif isinstance(part, Document):
            made = _file(part)
        elif isinstance(part, Audio):
            made = {"type": "input_audio", "input_audio": sound(part)}
        else:
            raise UnsupportedFeatureError(f"a {type(part).__name__} cannot stand in a user's message", field="messages")
        if part.cache and self.quirks.cache_field:
            made[self.quirks.cache_field] = cache_mark(part.cache, self.quirks)
        return made

    def result(self, part: ToolResult) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        plain: list[Part] = []
        for inner in part.parts:
            if isinstance(inner, Opaque) and "type" not in inner.data:
                fields.update(self.own(inner))
            else:
                plain.append(inner)
        call = self.ids.get(part.id, part.id)
        return {"type": "function_call_output", "call_id": call, "output": self.content(plain), **fields}

    # the model's own turns

    def assistant(self, message: Message, items: list[dict[str, Any]]) -> None:
        first = len(items)
        for part in message.parts:
            if isinstance(part, Text):
                self.said(part, items, first)
            elif isinstance(part, ToolCall):
                items.append(self.call(part))
            elif isinstance(part, Reasoning | Image):
                item = self.own(part.state)
                if item:
                    items.append(item)
            elif isinstance(part, Opaque):
                self.opaque(part, items)

    def said(self, part: Text, items: list[dict[str, Any]], first: int) -> None:
        """Text in its own message item; texts of one item go back into one. `first`: where this turn's items begin."""
        state = self.own(part.state)
        if not state.get("item"):
            last = items[-1] if len(items) > first else None
            if last is not None and last.get("role") == "assistant" and isinstance(last.get("content"), str):
                last["content"] += part.text
            else:
                items.append({"role": "assistant", "content": part.text})
            return
        content = {"type": "output_text", "text": part.text, "annotations": [], **state.get("part", {})}
        self.into(state["item"], content, items)

    def into(self, item: dict[str, Any], content: dict[str, Any], items: list[dict[str, Any]]) -> None:
        last = items[-1] if items else None
        if (
            last is not None
            and item.get("id")
            and last.get("id") == item["id"]
            and isinstance(last.get("content"), list)
        ):
            last["content"].append(content)
        else:
            items.append({**item, "content": [content]})

    def opaque(self, part: Opaque, items: list[dict[str, Any]]) -> None:
        data = self.own(part)
        if data.get("type") == "message" and isinstance(data.get("content"), list) and data["content"]:
            self.into({key: value for key, value in data.items() if key != "content"}, data["content"][0], items)
        elif data:
            items.append(data)

    def call(self, part: ToolCall) -> dict[str, Any]:
        state = dict(self.own(part.state))
        id = self.ids.get(part.id, part.id)
        if state.pop("type", None) == "custom_tool_call":
            return {"type": "custom_tool_call", "call_id": id, "name": part.name, "input": part.arguments, **state}
        arguments = part.arguments if part.arguments.strip() else "{}"
        return {"type": "function_call", "call_id": id, "name": part.name, "arguments": arguments, **state}


def _file(part: Document) -> dict[str, Any]:
    media = part.media
    if media.url is not None:
        return {"type": "input_file", "file_url": media.url}
    return {"type": "input_file", "filename": file_name(part), "file_data": media.data_uri}


def _foreign(part: Opaque, provider: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(
        f"a block of {part.provider}'s {part.transport} dialect cannot be sent to {provider}", field="messages"
    )
