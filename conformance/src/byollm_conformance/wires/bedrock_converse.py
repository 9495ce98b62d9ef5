"""Converse requests, read as the server reads them (botocore 1.44.5's model of the service, read 2026-11-21)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, document_of, key_of, path_of, renamed

INFERENCE: Final = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
"""Name under `inferenceConfig` → byollm's name."""
_READ: Final = {
    "messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields",
    "requestMetadata", "serviceTier", "additionalModelResponseFieldPaths", "schemaVersion",
}  # fmt: skip
_MODEL: Final = re.compile(r"/model/([^/]+)/([a-z-]+)$")
_KINDS: Final = {
    "pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain", "md": "text/markdown",
    "doc": "application/msword", "xls": "application/vnd.ms-excel",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A Converse request in neutral words. Raises ValueError for bytes that are none."""
    return seen(document_of(body), url, headers)


def seen(document: Mapping[str, Any], url: str, headers: Mapping[str, str]) -> Seen:
    """The same of a body that was read."""
    asked = _MODEL.search(urlsplit(url).path)
    fields = document.get("additionalModelRequestFields") or {}
    config = document.get("toolConfig") or {}
    own = fields.get("tool_choice") or {}
    tools = config.get("tools")
    return Seen(
        model=unquote(asked[1]) if asked else None,
        stream=bool(asked and asked[2] in ("converse-stream", "invoke-with-response-stream")),
        messages=_messages(document),
        parameters=_parameters(document, fields, own),
        tools=tuple(_tools(tools)) if tools else None,
        tool_choice=_choice(config.get("toolChoice"), own),
        output_schema=_schema(document),
        rest={name: value for name, value in document.items() if name not in _READ},
        key=key_of(headers),
        path=path_of(url),
    )


def _parameters(document: Mapping[str, Any], fields: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    inference = document.get("inferenceConfig") or {}
    found = renamed(inference, INFERENCE) | renamed(document, {"requestMetadata": "metadata"})
    if inference.get("stopSequences") is not None:
        found["stop"] = tuple(inference["stopSequences"])
    if document.get("serviceTier") is not None:
        found["service_tier"] = document["serviceTier"]["type"]
    top_k = fields.get("top_k", (fields.get("inferenceConfig") or {}).get("topK"))
    if top_k is not None:
        found["top_k"] = top_k
    if own.get("disable_parallel_tool_use") is not None:
        found["parallel_tool_calls"] = not own["disable_parallel_tool_use"]
    return found | _effort(fields)


def _effort(fields: Mapping[str, Any]) -> dict[str, Any]:
    thinking, nova = fields.get("thinking") or {}, fields.get("reasoningConfig") or {}
    told = (fields.get("output_config") or {}).get("effort") or (fields.get("reasoning") or {}).get("effort")
    told = told or fields.get("reasoning_effort") or fields.get("reasoning_config") or nova.get("maxReasoningEffort")
    found: dict[str, Any] = {} if told is None else {"reasoning_effort": told}
    if "disabled" in (thinking.get("type"), nova.get("type")):
        found["reasoning_effort"] = "none"
    if thinking.get("budget_tokens") is not None:
        found["reasoning_budget"] = thinking["budget_tokens"]
    return found


def _messages(document: Mapping[str, Any]) -> tuple[Message, ...]:
    turns = Turns()
    system = list(_parts(document.get("system") or ()))
    if system:
        turns.add("system", system)
    for message in document.get("messages") or ():
        parts = list(_parts(message["content"]))
        if message["role"] == "assistant":
            turns.add("assistant", parts)
            continue
        results = [part for part in parts if isinstance(part, ToolResult)]
        others = [part for part in parts if not isinstance(part, ToolResult)]
        if results:
            turns.results(results)
        if others or not results:
            turns.add("user", others)
    return tuple(turns.messages)


def _parts(blocks: Iterable[Mapping[str, Any]]) -> Iterable[Part]:
    """The parts; a cache point is a mark on what stands before it."""
    held: Part | None = None
    for block in blocks:
        if "cachePoint" in block:
            held = _marked(held, block["cachePoint"].get("ttl") or "default")
            continue
        if held is not None:
            yield held
        held = _part(block)
    if held is not None:
        yield held


def _marked(part: Any, life: str) -> Any:
    from dataclasses import replace

    return replace(part, cache=life) if part is not None and hasattr(part, "cache") else part


def _part(block: Mapping[str, Any]) -> Part:
    kind, inner = next(iter(block.items()))
    if kind == "text":
        return Text(inner)
    if kind == "citationsContent":
        said = "".join(piece["text"] for piece in inner["content"])
        return Text(said, state=Opaque("bedrock", "converse", {"citations": inner["citations"]}))
    if kind == "toolUse" and "type" not in inner:
        return ToolCall(inner["toolUseId"], inner["name"], json.dumps(inner["input"], ensure_ascii=False))
    if kind == "toolResult":
        content = tuple(_part(piece) for piece in inner["content"] if piece != {"text": ""})
        return ToolResult(inner["toolUseId"], content, is_error=inner.get("status") == "error")
    if kind == "reasoningContent":
        told = inner.get("reasoningText") or {}
        state = {name: value for name, value in told.items() if name != "text"} or dict(inner)
        return Reasoning(told.get("text", ""), Opaque("bedrock", "converse", state))
    if kind in ("image", "document", "audio"):
        return _media(kind, inner)
    return Opaque("bedrock", "converse", dict(block))


def _media(kind: str, inner: Mapping[str, Any]) -> Part:
    source: Any = inner["source"]
    data = base64.b64decode(source["bytes"]) if "bytes" in source else source["s3Location"]["uri"]
    word = inner["format"]
    if kind == "document":
        return Document(data, _KINDS.get(word), inner.get("name"))
    return Image(data, f"image/{word}") if kind == "image" else Audio(data, f"audio/{word}")


def _tools(tools: Iterable[Mapping[str, Any]]) -> Iterable[Tool | ProviderTool]:
    held: Any = None
    for tool in tools:
        if "cachePoint" in tool:
            held = _marked(held, tool["cachePoint"].get("ttl") or "default")
            continue
        if held is not None:
            yield held
        spec = tool.get("toolSpec")
        held = ProviderTool("bedrock", tool) if spec is None else _tool(spec)
    if held is not None:
        yield held


def _tool(spec: Mapping[str, Any]) -> Tool:
    return Tool(spec["name"], spec.get("description"), spec["inputSchema"]["json"], spec.get("strict"))


def _choice(choice: Mapping[str, Any] | None, own: Mapping[str, Any]) -> ToolChoice | None:
    if own:
        mode: Any = {"any": "required", "tool": "required", "none": "none"}.get(str(own.get("type")), "auto")
        return ToolChoice(mode, own.get("name"))
    if not choice:
        return None
    if "tool" in choice:
        return ToolChoice("required", choice["tool"]["name"])
    return ToolChoice("required" if "any" in choice else "auto")


def _schema(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    told = (document.get("outputConfig") or {}).get("textFormat")
    found: Mapping[str, Any] | None = json.loads(told["structure"]["jsonSchema"]["schema"]) if told else None
    return found
