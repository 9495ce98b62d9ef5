"""Cohere's chat requests, read as the server reads them (cohere 7.3.1's types, read 2026-11-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.types.messages import Message
from byollm.types.parts import Image, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import Tool, ToolChoice
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, document_of, key_of, media_of, path_of, renamed

PARAMETERS: Final = {
    "temperature": "temperature", "p": "top_p", "k": "top_k", "seed": "seed", "max_tokens": "max_tokens",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
"""Wire name → byollm's name."""
_READ: Final = {
    "model", "messages", "stream", "tools", "tool_choice", "response_format", "thinking", "stop_sequences",
    "strict_tools",
}  # fmt: skip
_CHOICES: Final[Mapping[str, ToolChoice]] = {"REQUIRED": ToolChoice("required"), "NONE": ToolChoice("none")}


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A chat request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    parameters = renamed(document, PARAMETERS)
    if document.get("stop_sequences") is not None:
        parameters["stop"] = tuple(document["stop_sequences"])
    thinking = document.get("thinking")
    if thinking is not None and thinking["type"] == "disabled":
        parameters["reasoning_effort"] = "none"
    elif thinking is not None and thinking.get("token_budget") is not None:
        parameters["reasoning_budget"] = thinking["token_budget"]
    strict = document.get("strict_tools") or None
    tools = document.get("tools")
    return Seen(
        model=document.get("model"),
        stream=document.get("stream") is True,
        messages=_messages(document.get("messages") or []),
        parameters=parameters,
        tools=tuple(_tool(tool["function"], strict) for tool in tools) if tools else None,
        tool_choice=_CHOICES.get(document.get("tool_choice") or ""),
        output_schema=(document.get("response_format") or {}).get("json_schema"),
        rest={name: value for name, value in document.items() if name not in _READ and name not in PARAMETERS},
        key=key_of(headers),
        path=path_of(url),
    )


def _messages(messages: Iterable[Mapping[str, Any]]) -> tuple[Message, ...]:
    turns = Turns()
    for message in messages:
        if message["role"] == "tool":
            turns.results([ToolResult(message["tool_call_id"], tuple(_parts(message.get("content"))))])
        elif message["role"] == "assistant":
            turns.add("assistant", [*_plan(message), *_parts(message.get("content")), *_calls(message)])
        else:
            turns.add(message["role"], _parts(message.get("content")))
    return tuple(turns.messages)


def _plan(message: Mapping[str, Any]) -> Iterable[Part]:
    if message.get("tool_plan"):
        yield Reasoning(message["tool_plan"])


def _parts(content: Any) -> Iterable[Part]:
    if isinstance(content, str):
        yield Text(content)
    for block in content if isinstance(content, list) else ():
        if block["type"] == "text":
            yield Text(block["text"])
        elif block["type"] == "thinking":
            yield Reasoning(block["thinking"])
        elif block["type"] == "image_url":
            source, media_type = media_of(block["image_url"]["url"])
            yield Image(source, media_type, block["image_url"].get("detail"))


def _calls(message: Mapping[str, Any]) -> Iterable[Part]:
    for call in message.get("tool_calls") or ():
        yield ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])


def _tool(function: Mapping[str, Any], strict: bool | None) -> Tool:
    return Tool(function["name"], function.get("description"), function["parameters"], strict)
