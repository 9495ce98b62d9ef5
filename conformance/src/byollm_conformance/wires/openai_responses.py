"""Responses requests, read as the server reads them (field list of the API reference, read 2026-11-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, cache_of, document_of, key_of, media_of, path_of, renamed

PARAMETERS: Final = {
    "temperature": "temperature", "top_p": "top_p", "max_output_tokens": "max_tokens", "top_logprobs": "logprobs",
    "service_tier": "service_tier", "prompt_cache_key": "cache_key", "user": "end_user_id",
    "safety_identifier": "end_user_id", "metadata": "metadata", "store": "store",
    "parallel_tool_calls": "parallel_tool_calls",
}  # fmt: skip
"""Wire name → byollm's name."""
_READ: Final = {"model", "input", "instructions", "stream", "tools", "tool_choice", "text", "reasoning"}


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A Responses request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    parameters = renamed(document, PARAMETERS)
    effort = (document.get("reasoning") or {}).get("effort")
    if effort is not None:
        parameters["reasoning_effort"] = effort
    text = document.get("text") or {}
    if text.get("verbosity") is not None:
        parameters["verbosity"] = text["verbosity"]
    tools = document.get("tools")
    return Seen(
        model=document.get("model"),
        stream=document.get("stream") is True,
        messages=_messages(document),
        parameters=parameters,
        tools=tuple(_tool(tool) for tool in tools) if tools else None,
        tool_choice=_choice(document.get("tool_choice")),
        output_schema=(text.get("format") or {}).get("schema"),
        rest={name: value for name, value in document.items() if name not in _READ and name not in PARAMETERS},
        key=key_of(headers),
        path=path_of(url),
    )


def _messages(document: Mapping[str, Any]) -> tuple[Message, ...]:
    turns = Turns()
    if document.get("instructions"):
        turns.add("system", [Text(document["instructions"])])
    given = document.get("input")
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given or []:
        _item(item, turns)
    return tuple(turns.messages)


def _item(item: Mapping[str, Any], turns: Turns) -> None:
    kind = item.get("type", "message")
    if kind == "message":
        turns.add(item["role"], _parts(item.get("content")), join=item["role"] == "assistant")
    elif kind == "function_call":
        turns.add("assistant", [ToolCall(item["call_id"], item["name"], item["arguments"])], join=True)
    elif kind == "function_call_output":
        turns.results([ToolResult(item["call_id"], tuple(_parts(item.get("output"))))])
    elif kind == "reasoning":
        turns.add("assistant", [_reasoning(item)], join=True)
    else:
        turns.add("assistant", [Opaque("openai", "responses", dict(item))], join=True)


def _reasoning(item: Mapping[str, Any]) -> Reasoning:
    texts = [block.get("text", "") for block in [*(item.get("summary") or ()), *(item.get("content") or ())]]
    return Reasoning("\n\n".join(texts), Opaque("openai", "responses", dict(item)))


def _parts(content: Any) -> Iterable[Part]:
    if isinstance(content, str):
        yield Text(content)
    for block in content if isinstance(content, list) else ():
        part = _part(block)
        if part is not None:
            yield part


def _part(block: Mapping[str, Any]) -> Part | None:
    kind = block["type"]
    if kind in ("input_text", "output_text", "text"):
        return Text(block["text"], cache_of(block))
    if kind == "refusal":
        return Text(block["refusal"])
    if kind == "input_image":
        source, media_type = media_of(block.get("image_url") or "")
        return Image(source, media_type, block.get("detail"))
    if kind == "input_file":
        source, media_type = media_of(block.get("file_data") or block.get("file_url") or "")
        return Document(source, media_type, block.get("filename"))
    if kind == "input_audio":
        sound = block["input_audio"]
        source, _ = media_of("data:;base64," + sound["data"])
        return Audio(source, {"mp3": "audio/mpeg"}.get(sound["format"], f"audio/{sound['format']}"))
    return None


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    if tool.get("type") != "function":
        return ProviderTool("openai", tool)
    return Tool(tool["name"], tool.get("description"), tool.get("parameters") or {}, tool.get("strict"))


def _choice(choice: Any) -> ToolChoice | None:
    if isinstance(choice, Mapping):
        return ToolChoice("required", choice["name"])
    return None if choice is None else ToolChoice(choice)
