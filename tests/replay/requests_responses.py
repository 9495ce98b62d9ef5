"""Recorded Responses requests as Requests, and what may differ when one is translated back.

`read` gives the Request, or None for a body that byollm has no words for (with the reason from `inexpressible`).
`options` are the YAML keys of a target that speaks as the recorder's server wanted. `canonical` undoes the declared
defaults (`DEFAULTS`) in a body, so that a recording and a translation of it must be equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm import Request
from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool

DEFAULTS: Final = {
    "null": "a field that is null is left out",
    "bare input": "an input that is a text is written as one user message",
    "bare text": "a list of one plain text is written as the text itself",
    "message": "a message without an id has no type; a text with one says that it has no annotations",
    "store": "store is always said, false unless asked otherwise",
    "include": "encrypted reasoning is asked for where the model reasons; an empty include is left out",
    "strict": "every function says whether it is strict",
    "detail": "an image says its detail, auto unless told",
    "stream": "stream: false is left out",
    "no tools": "an empty list of tools is left out, and tool_choice with it",
    "arguments": "empty arguments are {}",
}
"""What byollm writes otherwise than some recorders did, always and for every request."""
ENCRYPTED: Final = ["reasoning.encrypted_content"]
_SAME: Final = {
    "temperature": "temperature", "top_p": "top_p", "max_output_tokens": "max_tokens", "instructions": "system",
    "service_tier": "service_tier", "prompt_cache_key": "cache_key", "metadata": "metadata", "store": "store",
    "parallel_tool_calls": "parallel_tool_calls", "stream": "stream", "user": "end_user_id",
    "safety_identifier": "end_user_id",
}  # fmt: skip
_FUNCTION: Final = {"type", "name", "description", "parameters", "strict"}


def inexpressible(body: Mapping[str, Any]) -> str:
    """Why byollm has no words for this body; empty when it has."""
    if not isinstance(body.get("input"), str | list) or not body["input"]:
        return "no input: a prompt kept by the provider"
    if body.get("user") is not None and body.get("safety_identifier") is not None:
        return "two names for one end user"
    return ""


def read(body: Mapping[str, Any], provider: str = "openai") -> Request | None:
    """The body as a Request whose opaque parts and `extra` belong to `provider`; None when it is inexpressible."""
    if inexpressible(body):
        return None
    parameters: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in body.items():
        if value is None or key in ("model", "input"):
            continue
        if key in _SAME:
            parameters[_SAME[key]] = value
        elif key == "tools":
            parameters["tools"] = [_tool(tool, provider) for tool in value] or None
        elif key == "tool_choice" and (isinstance(value, str) or value.get("type") == "function"):
            parameters["tool_choice"] = value
        elif key != "include" or value not in (ENCRYPTED, []):
            extra[key] = value
            _neutral(key, value, parameters, extra)
    return Request(_messages(body["input"], provider), **parameters, extra={provider: extra} if extra else None)


def _neutral(key: str, value: Any, parameters: dict[str, Any], extra: dict[str, Any]) -> None:
    """What of a nested field has a neutral name; the field itself stays in `extra` unless that is all of it."""
    told = {name: inner for name, inner in value.items() if inner is not None} if isinstance(value, Mapping) else {}
    if key == "reasoning" and "effort" in told:
        parameters["reasoning_effort"] = told["effort"]
        if set(told) == {"effort"}:
            del extra[key]
    if key == "text" and "verbosity" in told:
        parameters["verbosity"] = told["verbosity"]
        if set(told) == {"verbosity"}:
            del extra[key]
    if key == "text" and (told.get("format") or {}).get("type") == "json_schema":
        parameters["output_schema"] = told["format"]["schema"]


def _tool(tool: Mapping[str, Any], provider: str) -> Tool | ProviderTool:
    if tool.get("type") != "function" or set(tool) - _FUNCTION or not isinstance(tool.get("parameters"), Mapping):
        return ProviderTool(provider, dict(tool))
    return Tool(tool["name"], tool.get("description"), tool["parameters"], strict=tool.get("strict"))


def _messages(items: str | list[Any], provider: str) -> list[Message]:
    if isinstance(items, str):
        return [Message("user", (Text(items),))]
    messages: list[Message] = []
    for item in items:
        role, parts = _item(item, provider)
        last = messages[-1] if messages else None
        if last is not None and role == last.role and role in ("assistant", "tool") and not _two_texts(last, parts):
            messages[-1] = Message(role, (*last.parts, *parts))
        else:
            messages.append(Message(role, parts))
    return messages


def _two_texts(message: Message, parts: tuple[Part, ...]) -> bool:
    """Two bare texts in a row are two turns."""
    return all(isinstance(part, Text) and part.state is None for part in (message.parts[-1], parts[0]))


def _item(item: Mapping[str, Any], provider: str) -> tuple[Any, tuple[Part, ...]]:
    kind, role = item.get("type", "message"), item.get("role")

    def opaque(data: Any) -> Opaque:
        return Opaque(provider, "responses", data)

    if kind == "message" and role == "assistant":
        return role, tuple(_said(item, opaque))
    if kind == "message":
        content = item["content"]
        return role, (Text(content),) if isinstance(content, str) else tuple(_part(part, opaque) for part in content)
    if kind == "function_call":
        state = {key: value for key, value in item.items() if key not in ("type", "call_id", "name", "arguments")}
        call = ToolCall(item["call_id"], item["name"], item["arguments"], state=opaque(state) if state else None)
        return "assistant", (call,)
    if kind == "function_call_output":
        output = item["output"]
        parts = (Text(output),) if isinstance(output, str) else tuple(_part(part, opaque) for part in output)
        rest = {key: value for key, value in item.items() if key not in ("type", "call_id", "output")}
        return "tool", (ToolResult(item["call_id"], (*parts, *([opaque(rest)] if rest else []))),)
    if kind == "reasoning":
        shown = item.get("summary") or item.get("content") or ()
        return "assistant", (Reasoning("\n\n".join(part["text"] for part in shown), opaque(dict(item))),)
    return ("user" if role is not None else "assistant"), (opaque(dict(item)),)


def _said(item: Mapping[str, Any], opaque: Any) -> list[Part]:
    content = item["content"]
    around = {key: value for key, value in item.items() if key != "content"}
    if isinstance(content, str):
        return [Text(content)]
    if not item.get("id"):
        return [Text(part["text"]) for part in content]
    rests = [{key: value for key, value in part.items() if key not in ("type", "text")} for part in content]
    pairs = zip(content, rests, strict=True)
    return [Text(part["text"], state=opaque({"item": around, "part": rest})) for part, rest in pairs]


def _part(part: Mapping[str, Any], opaque: Any) -> Part:
    told = {key: value for key, value in part.items() if value is not None}
    kind, rest = told["type"], set(told) - {"type"}
    if kind == "input_text" and rest == {"text"}:
        return Text(told["text"])
    if kind == "input_image" and rest <= {"image_url", "detail"}:
        return Image(told["image_url"], detail=told.get("detail"))
    if kind == "input_file" and rest == {"file_url"}:
        return Document(told["file_url"])
    if kind == "input_file" and rest == {"file_data", "filename"} and told["file_data"].startswith("data:"):
        return Document(told["file_data"], name=told["filename"])
    if kind == "input_audio" and set(told["input_audio"]) == {"data", "format"}:
        sound = told["input_audio"]
        form = "mpeg" if sound["format"] == "mp3" else sound["format"]
        return Audio(f"data:audio/{form};base64,{sound['data']}")
    return opaque(dict(part))


def options(body: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a target for the server this body was written for: only names and places, never values."""
    return {"end_user_field": "user" if body.get("user") is not None else "safety_identifier"}


def canonical(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the declared defaults undone."""
    found: dict[str, Any] = _told(body)
    items = found.get("input")
    found["input"] = [_plain_item(item) for item in items] if isinstance(items, list) else [_user(items)]
    if not found.get("tools"):
        for key in ("tools", "tool_choice", "parallel_tool_calls"):
            found.pop(key, None)
    found["tools"] = [_plain_tool(tool) for tool in found.get("tools", ())]
    found.setdefault("store", False)
    if found.get("include", []) in ([], ENCRYPTED):
        found.pop("include", None)
    if not found.get("stream"):
        found.pop("stream", None)
    return found


def _user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _told(inner) for key, inner in value.items() if inner is not None}
    return [_told(inner) for inner in value] if isinstance(value, list) else value


def _plain_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"strict": False, **tool} if tool.get("type") == "function" and "parameters" in tool else dict(tool)


def _plain_item(item: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(item)
    if found.get("type") == "message" and not found.get("id"):
        del found["type"]
    if "role" in found and not found.get("id") and "content" in found:
        found["content"] = _plain_content(found["content"])
    elif isinstance(found.get("content"), list) and found.get("role") == "assistant":
        found["content"] = [{"annotations": [], **part} for part in found["content"]]
    if found.get("type") == "function_call_output":
        found["output"] = _plain_content(found["output"])
    if found.get("type") == "function_call":
        found["arguments"] = found["arguments"] or "{}"
    return found


def _plain_content(content: Any) -> Any:
    if isinstance(content, str):
        return content
    if len(content) == 1 and set(content[0]) == {"type", "text"}:
        return content[0]["text"]
    return [{"detail": "auto", **part} if part.get("type") == "input_image" else part for part in content]
