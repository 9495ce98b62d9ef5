"""A recorded body back into a `Request`, and the two spellings that mean the same brought together.

It knows the wire only: nothing of the plugin's translation is used.
"""

from __future__ import annotations

import base64
from typing import Any

from byollm.plugin import (
    Document,
    Image,
    Message,
    Opaque,
    Part,
    ProviderTool,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

DEFAULTS = (
    "a string and a list of one text block are the same content",
    "neighbouring turns of one role are one turn",
    "is_error, stream and disable_parallel_tool_use are false when absent",
    "an empty list of tools, and a choice among none, are absent",
    "max_tokens is filled in where a recording of count_tokens has none",
)
"""What the comparison forgives; everything else must be equal."""

NEUTRAL = ("model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k", "anthropic_version")


def request_of(body: dict[str, Any]) -> Request:
    """The request in neutral terms; what has no neutral name goes into `extra`."""
    extra = {name: value for name, value in body.items() if name not in NEUTRAL}
    fields: dict[str, Any] = {
        name: body[name] for name in ("max_tokens", "temperature", "top_p", "top_k") if name in body
    }
    fields["stream"] = bool(body.get("stream"))
    if "stop_sequences" in extra:
        fields["stop"] = extra.pop("stop_sequences")
    if set(extra.get("metadata", {})) == {"user_id"}:
        fields["end_user_id"] = extra.pop("metadata")["user_id"]
    fields["tools"] = [_tool(tool) for tool in extra.pop("tools", [])]
    choice = extra.pop("tool_choice", None)
    if choice is not None and fields["tools"]:
        fields["tool_choice"] = _choice(choice)
        fields["parallel_tool_calls"] = False if choice.get("disable_parallel_tool_use") else None
    _output(fields, extra)
    messages = [Message("system", _parts(body["system"]))] if body.get("system") else []
    messages += [Message(message["role"], _parts(message["content"])) for message in body["messages"]]
    fields["prefill"] = True if messages[-1].role == "assistant" else None
    return Request(
        messages,
        **{name: value for name, value in fields.items() if value not in (None, [])},
        extra={"anthropic": extra},
    )


def _output(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    config = dict(extra.get("output_config", {}))
    if extra.get("thinking") == {"type": "adaptive"} and "effort" in config:
        fields["reasoning_effort"] = config.pop("effort")
        del extra["thinking"]
    if set(config) == {"format"}:
        fields["output_schema"] = config.pop("format")["schema"]
    if not config:
        extra.pop("output_config", None)


def _choice(wire: dict[str, Any]) -> ToolChoice:
    if wire["type"] == "tool":
        return ToolChoice("required", wire["name"])
    return ToolChoice({"auto": "auto", "any": "required", "none": "none"}[wire["type"]])  # type: ignore[arg-type]  # the wire's own words


def _tool(wire: dict[str, Any]) -> Tool | ProviderTool:
    if set(wire) - {"name", "description", "input_schema", "strict", "cache_control"}:
        return ProviderTool("anthropic", wire)
    return Tool(wire["name"], wire.get("description"), wire["input_schema"], wire.get("strict"), _cache(wire))


def _parts(content: Any) -> tuple[Part, ...]:
    return (Text(content),) if isinstance(content, str) else tuple(_part(block) for block in content)


def _part(block: dict[str, Any]) -> Part:
    kind, cache = block["type"], _cache(block)
    if kind == "text":
        return Text(block["text"], cache, _state(block, "text"))
    if kind == "tool_use":
        return ToolCall(block["id"], block["name"], block["input"], cache, _state(block, "id", "name", "input"))
    if kind == "tool_result":
        return ToolResult(
            block["tool_use_id"], _parts(block.get("content", [])), bool(block.get("is_error")), None, cache
        )
    if kind == "thinking":
        return Reasoning(block["thinking"], _state(block, "thinking"))
    if kind == "image" and block["source"]["type"] != "file":
        return Image(*_source(block["source"]), cache=cache)
    if kind == "document" and block["source"]["type"] != "file":
        state = _state(block, "source", "title")
        return Document(*_source(block["source"]), name=block.get("title"), cache=cache, state=state)
    return Opaque("anthropic", "messages", block)


def _source(source: dict[str, Any]) -> tuple[Any, str | None]:
    if source["type"] == "url":
        return source["url"], None
    if source["type"] == "text":
        return source["data"].encode(), source["media_type"]
    return f"data:{source['media_type']};base64,{source['data']}", source["media_type"]


def _cache(block: dict[str, Any]) -> str | None:
    hint = block.get("cache_control")
    return None if hint is None else hint.get("ttl", "default")


def _state(block: dict[str, Any], *known: str) -> Opaque | None:
    rest = {name: value for name, value in block.items() if name not in ("type", "cache_control", *known)}
    return Opaque("anthropic", "messages", rest) if rest else None


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A body as the server understands it: see DEFAULTS."""
    made = {name: value for name, value in body.items() if not (name in ("stream", "tools") and not value)}
    if "tools" not in made:
        made.pop("tool_choice", None)
    if made.get("tool_choice"):
        made["tool_choice"] = _without(made["tool_choice"], "disable_parallel_tool_use")
    if "system" in made:
        made["system"] = _content(made["system"])
    turns: list[dict[str, Any]] = []
    for message in made["messages"]:
        content = _content(message["content"])
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1]["content"] += content
        else:
            turns.append({"role": message["role"], "content": content})
    return {**made, "messages": turns}


def _content(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [_block(block) for block in content]


def _block(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "tool_result" and "content" in block:
        return _without({**block, "content": _content(block["content"])}, "is_error")
    return block


def _without(wire: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in wire.items() if key != name or value}


def is_base64(text: str) -> bool:
    """Recordings cut long media; what is left may be no base64 any more."""
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True
