"""OpenAI Chat Completions dicts as byollm's values: for people who have them already.

What has no neutral form is not lost: unknown keys of a body go to `extra["openai"]`, unknown blocks and fields of a
message become `Opaque("openai", "chat", …)`, tools that are no functions become `ProviderTool("openai", …)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from byollm.errors import ConfigError
from byollm.types.messages import Message
from byollm.types.openai_answer import completion_to_openai
from byollm.types.parts import (
    Audio,
    Document,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from byollm.types.request import EFFORTS, Request
from byollm.types.tools import ProviderTool, Tool

__all__ = ["completion_to_openai", "messages_from_openai", "request_from_openai", "tool_from_openai"]

_CACHE_MARKS: Final = ("cache_control", "prompt_cache_breakpoint")
_SAME: Final = (
    "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "verbosity",
    "service_tier", "metadata", "store", "parallel_tool_calls", "stop",
)  # fmt: skip
"""Parameters that are called alike."""
_RENAMED: Final = {"prompt_cache_key": "cache_key"}


def _opaque(data: Any) -> Opaque:
    return Opaque("openai", "chat", data)


# tools


def tool_from_openai(mapping: Mapping[str, Any]) -> Tool | ProviderTool:
    """`{"type": "function", "function": {…}}`, or the flat form of Responses, as a Tool; other types as a ProviderTool.

    Raises ConfigError for a function without a name.
    """
    if mapping.get("type", "function") != "function":
        return ProviderTool("openai", dict(mapping))
    function = mapping.get("function", mapping)
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
        raise ConfigError("a tool's function has no name", hint='{"type": "function", "function": {"name": …}}')
    cache = next((cache_of(mapping[name]) for name in _CACHE_MARKS if mapping.get(name)), None)
    parameters = function.get("parameters")
    known: dict[str, Any] = {} if parameters is None else {"parameters": parameters}
    return Tool(function["name"], function.get("description"), strict=function.get("strict"), cache=cache, **known)


def cache_of(mark: Any) -> str:
    """A cache mark's lifetime; "default" when it names none."""
    ttl = mark.get("ttl") if isinstance(mark, Mapping) else None
    return ttl if isinstance(ttl, str) else "default"


# messages


def messages_from_openai(sequence: Sequence[Any]) -> tuple[Message, ...]:
    """OpenAI-style dicts (and Messages among them) as messages; results of one turn's tools become one message.

    Raises ConfigError, naming the place, for what is not a chat message.
    """
    messages: list[Message] = []
    for place, item in enumerate(sequence):
        message = item if isinstance(item, Message) else _message(item, f"messages[{place}]")
        last = messages[-1] if messages else None
        if message.role == "tool" and last is not None and last.role == "tool":
            messages[-1] = Message("tool", (*last.parts, *message.parts))
        else:
            messages.append(message)
    return tuple(messages)


def _message(item: Any, where: str) -> Message:
    if not isinstance(item, Mapping):
        kind = type(item).__name__
        raise ConfigError(f"{where} is a {kind}, not a message", hint='{"role": "user", "content": "…"}')
    role = item.get("role")
    if role in ("user", "system", "developer"):
        parts = [*_content(item.get("content"), where), *_fields(item, {"role", "content", "name"})]
        return Message(role, tuple(parts), _name(item))
    if role == "assistant":
        return _assistant(item, where)
    if role == "tool":
        return Message("tool", (_result(item, where),))
    if role == "function":
        raise ConfigError(f"{where}: role 'function' is the old form", hint='write role "tool" with a tool_call_id')
    raise ConfigError(f"{where}: role {role!r} is not system, developer, user, assistant or tool")


def _name(item: Mapping[str, Any]) -> str | None:
    name = item.get("name")
    return name if isinstance(name, str) else None


def _fields(item: Mapping[str, Any], known: set[str]) -> list[Part]:
    """Fields of a message that have no neutral name, as one part that goes back to its provider."""
    rest = {key: value for key, value in item.items() if key not in known and value is not None}
    return [_opaque(rest)] if rest else []


def _content(content: Any, where: str) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)]
    if not isinstance(content, Sequence):
        raise ConfigError(f"{where}: content is neither text nor a list of parts")
    return [_part(part, f"{where}.content[{place}]") for place, part in enumerate(content)]


def _part(part: Any, where: str) -> Part:
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        raise ConfigError(f"{where} is not a content part", hint='{"type": "text", "text": "…"}')
    kind = part["type"]
    told = {key: value for key, value in part.items() if value is not None}
    cache = next((cache_of(told[name]) for name in _CACHE_MARKS if name in told), None)
    if set(told) - {"type", kind, *_CACHE_MARKS}:
        return _opaque(dict(part))
    value = told.get(kind)
    if kind == "text" and isinstance(value, str):
        return Text(value, cache)
    if kind == "image_url":
        return _image(value, cache) or _opaque(dict(part))
    if kind == "input_audio" and isinstance(value, Mapping) and set(value) == {"data", "format"}:
        form = "mpeg" if value["format"] == "mp3" else value["format"]
        return Audio(f"data:audio/{form};base64,{value['data']}", cache=cache)
    if kind == "file" and isinstance(value, Mapping):
        return _file(value, cache) or _opaque(dict(part))
    return _opaque(dict(part))


def _image(value: Any, cache: str | None) -> Image | None:
    if isinstance(value, str):
        return Image(value, cache=cache)
    if isinstance(value, Mapping) and set(value) <= {"url", "detail"} and isinstance(value.get("url"), str):
        return Image(value["url"], detail=value.get("detail"), cache=cache)
    return None


def _file(value: Mapping[str, Any], cache: str | None) -> Document | None:
    source = value.get("file_data")
    if set(value) <= {"file_data", "filename"} and isinstance(source, str) and source.startswith(("data:", "http")):
        return Document(source, name=value.get("filename"), cache=cache)
    return None


_ASSISTANT: Final = {
    "role", "content", "name", "tool_calls", "reasoning", "reasoning_content", "reasoning_details", "refusal",
}  # fmt: skip


def _assistant(item: Mapping[str, Any], where: str) -> Message:
    if item.get("function_call"):
        raise ConfigError(f"{where}: function_call is the old form", hint="write it as one of tool_calls")
    parts: list[Part] = _reasoning(item)
    parts += [_spoken(part) for part in _content(item.get("content"), where)]
    if item.get("refusal"):
        parts.append(_opaque({"type": "refusal", "refusal": item["refusal"]}))
    parts += [_call(call, f"{where}.tool_calls[{place}]") for place, call in enumerate(item.get("tool_calls") or ())]
    return Message("assistant", (*parts, *_fields(item, _ASSISTANT)), _name(item))


def _reasoning(item: Mapping[str, Any]) -> list[Part]:
    field = next((name for name in ("reasoning", "reasoning_content") if item.get(name) is not None), None)
    details = item.get("reasoning_details")
    if field is None and not details:
        return []
    text = item[field] if field is not None and isinstance(item[field], str) else ""
    state = {"field": field} if field is not None else {}
    if details:
        state["reasoning_details"] = details
    # Plain text in the most common field needs no state, and may go to any provider that takes thoughts.
    return [Reasoning(text, None if state == {"field": "reasoning_content"} else _opaque(state))]


def _spoken(part: Part) -> Part:
    """Mistral's thinking chunk as Reasoning; any other part as it is."""
    block = part.data if isinstance(part, Opaque) else None
    if not isinstance(block, Mapping) or block.get("type") != "thinking":
        return part
    thinking = block.get("thinking")
    pieces = thinking if isinstance(thinking, list) else [thinking]
    text = "".join(str(piece.get("text") or "") if isinstance(piece, Mapping) else str(piece) for piece in pieces)
    rest = {key: value for key, value in block.items() if key not in ("type", "thinking")}
    return Reasoning(text, _opaque({**rest, "field": "content"}))


def _call(call: Any, where: str) -> ToolCall:
    function = (call.get("function") or call.get("custom")) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise ConfigError(f"{where} is not a tool call", hint='{"id": …, "type": "function", "function": {…}}')
    if not isinstance(call.get("id"), str) or not call["id"]:
        raise ConfigError(f"{where} has no id", hint="its result must name it")
    state = {key: value for key, value in call.items() if key not in ("id", "type", "function", "custom")}
    if "custom" in call:
        state["type"] = "custom"
    arguments = function.get("arguments") if "custom" not in call else function.get("input")
    return ToolCall(call["id"], function["name"], arguments or "{}", state=_opaque(state) if state else None)


def _result(item: Mapping[str, Any], where: str) -> ToolResult:
    id = item.get("tool_call_id")
    if not isinstance(id, str) or not id:
        raise ConfigError(f"{where}: a tool message without a tool_call_id answers no call")
    parts = [*_content(item.get("content"), where), *_fields(item, {"role", "content", "name", "tool_call_id"})]
    return ToolResult(id, tuple(parts), name=_name(item))


# requests


def request_from_openai(body: Mapping[str, Any]) -> Request:
    """A Chat Completions body as a Request; `model` belongs to the configuration and is left out.

    Raises ConfigError when `messages` is missing or is no conversation, and for unusable values.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), Sequence):
        raise ConfigError("this is not a Chat Completions body: it has no list of messages")
    messages = messages_from_openai(body["messages"])
    parameters: dict[str, Any] = {"stream": bool(body.get("stream"))}
    extra: dict[str, Any] = {}
    for key, value in body.items():
        if value is not None and key not in ("model", "messages", "stream"):
            _parameter(key, value, body, parameters, extra)
    if messages and messages[-1].role == "assistant" and body["messages"][-1].get("prefix"):
        parameters["prefill"] = True
    if extra:
        parameters["extra"] = {"openai": extra}
    return Request(messages, **parameters)


def _parameter(key: str, value: Any, body: Mapping[str, Any], found: dict[str, Any], extra: dict[str, Any]) -> None:
    if key in _SAME or key in _RENAMED:
        found[_RENAMED.get(key, key)] = value
    elif key in _READERS:
        found.update(_READERS[key](value, body))
    elif key == "tool_choice" and (isinstance(value, str) or _names_function(value)):
        found["tool_choice"] = value
    elif key == "reasoning_effort" and value in EFFORTS:
        found["reasoning_effort"] = value
    elif key == "user" and not body.get("safety_identifier"):
        found["end_user_id"] = value
    elif key != "stream_options" or value != {"include_usage": True}:  # the latter is what byollm asks for anyway
        if key == "response_format" and _schema_of(value) is not None:
            found["output_schema"] = _schema_of(value)  # its name and strictness stay in `extra`
        extra[key] = value


def _max_tokens(value: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"max_tokens": body.get("max_completion_tokens") or body.get("max_tokens") or value}


_READERS: Final[dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]]] = {
    "max_tokens": _max_tokens,
    "max_completion_tokens": _max_tokens,
    "n": lambda value, body: {} if value == 1 else {"n": value},
    "tools": lambda value, body: {"tools": [tool_from_openai(tool) for tool in value] or None},
    "logprobs": lambda value, body: {"logprobs": body.get("top_logprobs") or 0} if value else {},
    "top_logprobs": lambda value, body: {},
    "safety_identifier": lambda value, body: {"end_user_id": value},
}


def _names_function(choice: Any) -> bool:
    return isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping) and "name" in choice["function"]


def _schema_of(response_format: Any) -> Mapping[str, Any] | None:
    wrapper = response_format.get("json_schema") if isinstance(response_format, Mapping) else None
    schema = wrapper.get("schema") if isinstance(wrapper, Mapping) else None
    return schema if isinstance(schema, Mapping) else None
