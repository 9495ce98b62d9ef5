"""Messages requests, read as the server reads them (field list of the API reference, read 2026-11-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.types.parts import Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, document_of, key_of, media_of, path_of, renamed

PARAMETERS: Final = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_tokens": "max_tokens",
    "service_tier": "service_tier",
}  # fmt: skip
"""Wire name → byollm's name."""
_READ: Final = {
    "model", "messages", "system", "stream", "tools", "tool_choice", "stop_sequences", "metadata", "thinking",
    "output_config", "output_format",
}  # fmt: skip


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A Messages request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    output = document.get("output_config") or {}
    choice = document.get("tool_choice") or {}
    tools = document.get("tools")
    format_ = output.get("format") or document.get("output_format") or {}
    return Seen(
        model=document.get("model"),
        stream=document.get("stream") is True,
        messages=_messages(document),
        parameters=_parameters(document, output, choice),
        tools=tuple(_tool(tool) for tool in tools) if tools else None,
        tool_choice=_choice(choice),
        output_schema=format_.get("schema"),
        rest={name: value for name, value in document.items() if name not in _READ and name not in PARAMETERS},
        key=key_of(headers),
        path=path_of(url),
    )


def _parameters(document: Mapping[str, Any], output: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    """`reasoning_budget` stands beside the neutral names: some models are told a budget and not a word."""
    found = renamed(document, PARAMETERS)
    if document.get("stop_sequences") is not None:
        found["stop"] = tuple(document["stop_sequences"])
    user = (document.get("metadata") or {}).get("user_id")
    if user is not None:
        found["end_user_id"] = user
    if choice.get("disable_parallel_tool_use") is not None:
        found["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
    thinking = document.get("thinking") or {}
    if output.get("effort") is not None:
        found["reasoning_effort"] = output["effort"]
    elif thinking.get("type") == "disabled":
        found["reasoning_effort"] = "none"
    if thinking.get("budget_tokens") is not None:
        found["reasoning_budget"] = thinking["budget_tokens"]
    return found


def _messages(document: Mapping[str, Any]) -> Any:
    turns = Turns()
    system = document.get("system")
    if system:
        turns.add("system", _parts(system))
    for message in document.get("messages") or ():
        parts = tuple(_parts(message.get("content")))
        if message["role"] != "user":
            turns.add(message["role"], parts)
            continue
        results = [part for part in parts if isinstance(part, ToolResult)]
        others = [part for part in parts if not isinstance(part, ToolResult)]
        if results:
            turns.results(results)
        if others or not results:
            turns.add("user", others)
    return tuple(turns.messages)


def _parts(content: Any) -> Iterable[Part]:
    if isinstance(content, str):
        yield Text(content)
    for block in content if isinstance(content, list) else ():
        yield _part(block)


def _part(block: Mapping[str, Any]) -> Part:
    kind = block["type"]
    cache = "default" if block.get("cache_control") else None
    if cache and block["cache_control"].get("ttl"):
        cache = block["cache_control"]["ttl"]
    if kind == "text":
        return Text(block["text"], cache)
    if kind == "image":
        return Image(*_source(block["source"]), cache=cache)
    if kind == "document":
        return Document(*_source(block["source"]), block.get("title"), cache=cache)
    if kind == "tool_use":
        return ToolCall(block["id"], block["name"], block["input"], cache)
    if kind == "tool_result":
        return ToolResult(
            block["tool_use_id"], tuple(_parts(block.get("content"))), bool(block.get("is_error")), cache=cache
        )
    if kind == "thinking":
        return Reasoning(block["thinking"], Opaque("anthropic", "messages", dict(block)))
    if kind == "redacted_thinking":
        return Reasoning("", Opaque("anthropic", "messages", dict(block)))
    return Opaque("anthropic", "messages", dict(block))


def _source(source: Mapping[str, Any]) -> tuple[str | bytes, str | None]:
    if source["type"] == "url":
        return source["url"], None
    if source["type"] == "text":
        return source["data"].encode(), source.get("media_type")
    return media_of(f"data:{source.get('media_type')};base64,{source.get('data', '')}")


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    if "input_schema" not in tool:
        return ProviderTool("anthropic", tool)
    return Tool(tool["name"], tool.get("description"), tool["input_schema"], tool.get("strict"))


def _choice(choice: Mapping[str, Any]) -> ToolChoice | None:
    kind = choice.get("type")
    if kind == "tool":
        return ToolChoice("required", choice["name"])
    if kind is None:
        return None
    return ToolChoice("required" if kind == "any" else kind)
