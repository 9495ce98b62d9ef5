"""Chat Completions requests, read as the server reads them (field list of the API reference, read 2026-11-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.types.parts import Audio, Document, Image, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, cache_of, document_of, key_of, media_of, path_of, renamed

PARAMETERS: Final = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "seed": "seed", "n": "n",
    "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty", "logit_bias": "logit_bias",
    "top_logprobs": "logprobs", "reasoning_effort": "reasoning_effort", "verbosity": "verbosity",
    "service_tier": "service_tier", "prompt_cache_key": "cache_key", "user": "end_user_id",
    "safety_identifier": "end_user_id", "metadata": "metadata", "store": "store",
    "parallel_tool_calls": "parallel_tool_calls",
}  # fmt: skip
"""Wire name → byollm's name."""
_READ: Final = {"model", "messages", "stream", "stop", "tools", "tool_choice", "response_format"}


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A Chat request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    parameters = renamed(document, PARAMETERS)
    stop = document.get("stop")
    if stop is not None:
        parameters["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
    format_ = document.get("response_format") or {}
    tools = document.get("tools")
    return Seen(
        model=document.get("model"),
        stream=document.get("stream") is True,
        messages=_messages(document.get("messages") or []),
        parameters=parameters,
        tools=tuple(_tool(tool) for tool in tools) if tools else None,
        tool_choice=_choice(document.get("tool_choice")),
        output_schema=(format_.get("json_schema") or {}).get("schema"),
        rest={name: value for name, value in document.items() if name not in _READ and name not in PARAMETERS},
        key=key_of(headers),
        path=path_of(url),
    )


def _messages(messages: Iterable[Mapping[str, Any]]) -> Any:
    turns = Turns()
    for message in messages:
        role = message["role"]
        if role == "tool":
            parts = tuple(_parts(message.get("content")))
            turns.results([ToolResult(message["tool_call_id"], parts, name=message.get("name"))])
        elif role == "assistant":
            turns.add("assistant", _assistant(message), name=message.get("name"))
        else:
            turns.add(role, _parts(message.get("content")), name=message.get("name"))
    return tuple(turns.messages)


def _assistant(message: Mapping[str, Any]) -> Iterable[Part]:
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str) and thought:
        yield Reasoning(thought)
    yield from _parts(message.get("content"))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield ToolCall(call["id"], function["name"], function["arguments"])


def _parts(content: Any) -> Iterable[Part]:
    if isinstance(content, str):
        yield Text(content)
    for block in content if isinstance(content, list) else ():
        part = _part(block)
        if part is not None:
            yield part


def _part(block: Mapping[str, Any]) -> Part | None:
    kind = block["type"]
    if kind in ("text", "refusal"):
        return Text(block[kind], cache_of(block))
    if kind == "image_url":
        source, media_type = media_of(block["image_url"]["url"])
        return Image(source, media_type, block["image_url"].get("detail"))
    if kind == "input_audio":
        source, _ = media_of("data:;base64," + block["input_audio"]["data"])
        sound = {"mp3": "audio/mpeg"}.get(block["input_audio"]["format"], f"audio/{block['input_audio']['format']}")
        return Audio(source, sound)
    if kind == "file":
        file = block["file"]
        source, media_type = media_of(file.get("file_data") or file.get("file_url") or file.get("url") or "")
        return Document(source, media_type, file.get("filename"))
    if kind == "thinking":
        return Reasoning("".join(item.get("text", "") for item in block.get("thinking") or ()))
    return None


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    if tool.get("type") != "function":
        return ProviderTool("openai", tool)
    function = tool["function"]
    return Tool(function["name"], function.get("description"), function.get("parameters") or {}, function.get("strict"))


def _choice(choice: Any) -> ToolChoice | None:
    if isinstance(choice, Mapping):
        return ToolChoice("required", choice["function"]["name"])
    if choice is None:
        return None
    return ToolChoice("required" if choice == "any" else choice)
