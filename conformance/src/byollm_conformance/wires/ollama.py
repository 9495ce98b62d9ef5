"""Ollama's native chat requests, read as the server reads them (its sources and docs/api.md, read 2026-11-21)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.types.messages import Message
from byollm.types.parts import Image, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import Tool
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, document_of, key_of, path_of, renamed

OPTIONS: Final = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "seed": "seed", "num_predict": "max_tokens",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
"""Name under `options` → byollm's name."""
_READ: Final = {"model", "messages", "stream", "tools", "format", "think", "options"}


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A chat request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    options = document.get("options") or {}
    parameters = renamed(options, OPTIONS)
    if options.get("stop") is not None:
        parameters["stop"] = tuple(options["stop"])
    think = document.get("think")
    if think is not None:
        parameters["reasoning_effort"] = think if isinstance(think, str) else "high" if think else "none"
    format_, tools = document.get("format"), document.get("tools")
    return Seen(
        model=document.get("model"),
        stream=document.get("stream") is not False,
        messages=_messages(document.get("messages") or []),
        parameters=parameters,
        tools=tuple(_tool(tool["function"]) for tool in tools) if tools else None,
        output_schema=format_ if isinstance(format_, Mapping) else None,
        rest={name: value for name, value in document.items() if name not in _READ},
        key=key_of(headers),
        path=path_of(url),
    )


def _messages(messages: Iterable[Mapping[str, Any]]) -> tuple[Message, ...]:
    turns = Turns()
    for message in messages:
        if message["role"] == "tool":
            turns.results([ToolResult(message["tool_call_id"], tuple(_parts(message)), name=message.get("tool_name"))])
        elif message["role"] == "assistant":
            turns.add("assistant", [*_thoughts(message), *_parts(message), *_calls(message)])
        else:
            turns.add(message["role"], _parts(message))
    return tuple(turns.messages)


def _thoughts(message: Mapping[str, Any]) -> Iterable[Part]:
    if message.get("thinking"):
        yield Reasoning(message["thinking"])


def _parts(message: Mapping[str, Any]) -> Iterable[Part]:
    if message.get("content") or not (message.get("tool_calls") or message.get("images")):
        yield Text(message.get("content") or "")
    for image in message.get("images") or ():
        data = base64.b64decode(image)
        yield Image(data, Image(data).media.media_type)  # the server looks at the bytes


def _calls(message: Mapping[str, Any]) -> Iterable[Part]:
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield ToolCall(call["id"], function["name"], json.dumps(function["arguments"], ensure_ascii=False))


def _tool(function: Mapping[str, Any]) -> Tool:
    return Tool(function["name"], function.get("description"), function.get("parameters") or {})
