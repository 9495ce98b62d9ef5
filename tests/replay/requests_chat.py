"""Recorded Chat Completions requests as Requests, and what may differ when one is translated back.

`read` gives the Request, or None for a body that byollm has no words for (with the reason from `inexpressible`).
`options` are the YAML keys of a `custom` target that speaks as the recorder's server wanted. `canonical` undoes the
declared defaults (`DEFAULTS`) in a body, so that a recording and a translation of it must be equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from byollm import Request
from byollm.types.parts import Opaque
from byollm.types.tools import ProviderTool

DEFAULTS: Final = {
    "null": "a field that is null is left out",
    "bare text": "a list of one plain text part is written as the text itself",
    "texts of an answer": "the text parts of an assistant's turn are written as one text",
    "silent turn": "an empty content beside tool calls is left out",
    "stop": "stop is a list",
    "stream": "stream: false is left out",
    "usage": "stream_options.include_usage is asked for in every stream",
    "n": "n: 1 is left out",
    "no tools": "an empty list of tools is left out, and tool_choice with it",
    "no parameters": "a function without parameters has an empty object's schema",
    "type": "a tool, a tool choice and a tool call without a type are a function's",
    "arguments": "empty arguments are {}",
    "image": "image_url is an object",
    "no logprobs": "logprobs: false is left out, and top_logprobs: 0",
}
"""What byollm writes otherwise than some recorders did, always and for every request."""

MARKS: Final = ("cache_control", "prompt_cache_breakpoint")
FUNCTION: Final = {"name", "description", "parameters", "strict"}


def inexpressible(body: Mapping[str, Any]) -> str:
    """Why byollm has no words for this body; empty when it has."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "no messages"
    for message in messages:
        if message.get("role") == "function" or message.get("function_call"):
            return "the old function_call form"
        if message.get("role") == "assistant" and message.get("reasoning") and message.get("reasoning_content"):
            return "the same thought in two fields"
        if any(not call.get("id") for call in message.get("tool_calls") or ()):
            return "a tool call without an id"
    if any(all(mark in block for mark in MARKS) for message in messages for block in _blocks(message.get("content"))):
        return "two cache marks on one part"
    if any(set(tool.get("function") or ()) - FUNCTION for tool in body.get("tools") or ()):
        return "a function with fields of its own"
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        return "two limits for one answer"
    if body.get("safety_identifier") is not None and body.get("user") is not None:
        return "two names for one end user"
    return ""


def read(body: Mapping[str, Any], provider: str = "openai") -> Request | None:
    """The body as a Request whose opaque parts and `extra` belong to `provider`; None when it is inexpressible."""
    if inexpressible(body):
        return None
    return owned(Request.from_openai(body), provider)


def owned(request: Request, provider: str) -> Request:
    """The same request with everything tagged "openai" tagged with `provider`."""
    extra = {provider: request.extra["openai"]} if request.extra else None
    changes = {"messages": _tagged(request.messages, provider), "tools": _tagged(request.tools, provider)}
    return request.with_(**changes, extra=extra)


def _tagged(value: Any, provider: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_tagged(item, provider) for item in value)
    if isinstance(value, Opaque | ProviderTool):
        return replace(value, provider=provider)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: _tagged(getattr(value, item.name), provider) for item in fields(value)})
    return value


def options(body: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a `custom` target for the server this body was written for: only names and places, never values."""
    found: dict[str, Any] = {"reasoning_replay": "always", "tool_result_media": "tool_message", "system_role": "keep"}
    if body.get("max_completion_tokens") is not None:
        found["max_tokens_field"] = "max_completion_tokens"
    if body.get("tool_choice") == "any":
        found["required_word"] = "any"
    if body.get("safety_identifier") is not None:
        found["end_user_field"] = "safety_identifier"
    messages = body["messages"]
    if any(message.get("role") == "tool" and message.get("name") for message in messages):
        found["tool_result_names"] = True
    blocks = [block for message in messages for block in _blocks(message.get("content"))]
    for mark in MARKS:
        if any(mark in item for item in (*blocks, *(body.get("tools") or ()))):
            found["cache_field"] = mark
    if any(str((block.get("file") or {}).get("file_data")).startswith("http") for block in blocks):
        found["file_urls"] = True
    return found


def canonical(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the declared defaults undone."""
    found = {key: value for key, value in body.items() if value is not None}
    if not found.get("tools"):
        for key in ("tools", "tool_choice", "parallel_tool_calls"):
            found.pop(key, None)
    for key, default in (("stream", False), ("n", 1), ("logprobs", False), ("top_logprobs", 0)):
        if key in found and found[key] == default:
            del found[key]
    if found.get("stream") and found.get("stream_options", {"include_usage": True}) == {"include_usage": True}:
        found["stream_options"] = {"include_usage": True}
    if isinstance(found.get("tool_choice"), Mapping) and "function" in found["tool_choice"]:
        found["tool_choice"] = {"type": "function", **found["tool_choice"]}
    if isinstance(found.get("stop"), str):
        found["stop"] = [found["stop"]]
    found["messages"] = [_message(message) for message in found["messages"]]
    if "tools" in found:
        found["tools"] = [_tool(tool) for tool in found["tools"]]
    return found


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in message.items() if value is not None}
    content = found.get("content")
    if isinstance(content, list):
        content = [_block(block) for block in content]
        plain = all(block.get("type") == "text" and set(block) == {"type", "text"} for block in content)
        if plain and (len(content) == 1 or found["role"] == "assistant"):
            content = "".join(block["text"] for block in content)
        found["content"] = content
    calls = [_call(call) for call in found.pop("tool_calls", None) or ()]
    if calls:
        found["tool_calls"] = calls
        if not found.get("content"):
            found.pop("content", None)
    elif found["role"] == "assistant":
        found.setdefault("content", "")
    return found


def _block(block: Any) -> dict[str, Any]:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    found = {key: value for key, value in block.items() if value is not None}
    if isinstance(found.get("image_url"), str):
        found["image_url"] = {"url": found["image_url"]}
    if found.get("type") == "thinking":
        found.pop("closed", None)
    return found


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in call.items() if value is not None}
    if "function" in found:
        found["type"] = "function"
        found["function"] = {**found["function"], "arguments": found["function"].get("arguments") or "{}"}
    return found


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in tool.items() if value is not None}
    if isinstance(found.get("function"), Mapping):
        found["type"] = "function"
        function = {key: value for key, value in found["function"].items() if value is not None}
        found["function"] = {"parameters": {"type": "object", "properties": {}}, **function}
    return found
