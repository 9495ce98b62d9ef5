"""Gemini requests, read as the server reads them (field list of the API reference, read 2026-11-21).

Most models know no ids of calls: results answer calls by name and order. Here a call without an id gets one by its
place in the conversation, and its result the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm_conformance.wire import Seen
from byollm_conformance.wires.reading import Turns, document_of, key_of, media_of, path_of, renamed

CONFIG: Final = {
    "temperature": "temperature", "topP": "top_p", "topK": "top_k", "seed": "seed", "maxOutputTokens": "max_tokens",
    "frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty", "candidateCount": "n",
    "logprobs": "logprobs",
}  # fmt: skip
"""Name under `generationConfig` → byollm's name."""
_READ: Final = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "serviceTier", "store"}
_MODEL: Final = re.compile(r"/(?:models|tunedModels)/([^/:]+):(\w+)$")
_MODES: Final = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A request to generate in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    asked = _MODEL.search(urlsplit(url).path)
    config = document.get("generationConfig") or {}
    tools = document.get("tools")
    return Seen(
        model=unquote(asked[1]) if asked else None,
        stream=bool(asked and asked[2] == "streamGenerateContent"),
        messages=_messages(document),
        parameters=_parameters(document, config),
        tools=tuple(_tools(tools)) if tools else None,
        tool_choice=_choice((document.get("toolConfig") or {}).get("functionCallingConfig")),
        output_schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        rest={name: value for name, value in document.items() if name not in _READ},
        key=headers.get("x-goog-api-key") or key_of(headers),
        path=path_of(url),
    )


def _parameters(document: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    found = renamed(config, CONFIG) | renamed(document, {"serviceTier": "service_tier", "store": "store"})
    if config.get("stopSequences") is not None:
        found["stop"] = tuple(config["stopSequences"])
    thinking = config.get("thinkingConfig") or {}
    if thinking.get("thinkingLevel") is not None:
        found["reasoning_effort"] = thinking["thinkingLevel"].lower()
    if thinking.get("thinkingBudget") is not None:
        found["reasoning_budget"] = thinking["thinkingBudget"]
        if thinking["thinkingBudget"] == 0:
            found["reasoning_effort"] = "none"
    return found


def _messages(document: Mapping[str, Any]) -> tuple[Message, ...]:
    turns, naming = Turns(), _Naming()
    system = document.get("systemInstruction")
    if system:
        turns.add("system", [Text(part["text"]) for part in system["parts"]])
    for content in document.get("contents") or ():
        parts = [naming.part(part) for part in content["parts"]]
        if content.get("role") == "model":
            turns.add("assistant", parts)
            continue
        results = [part for part in parts if isinstance(part, ToolResult)]
        others = [part for part in parts if not isinstance(part, ToolResult)]
        if results:
            turns.results(results)
        if others or not results:
            turns.add("user", others)
    return tuple(turns.messages)


class _Naming:
    """Ids for calls that have none, and for the results that answer them."""

    def __init__(self) -> None:
        self.calls = 0
        self.open: list[tuple[str, str]] = []

    def part(self, part: Mapping[str, Any]) -> Part:
        if "functionCall" in part:
            call = part["functionCall"]
            id = call.get("id") or f"call_{self.calls}"
            self.calls += 1
            self.open.append((id, call["name"]))
            return ToolCall(id, call["name"], json.dumps(call.get("args") or {}, ensure_ascii=False))
        if "functionResponse" in part:
            return self._result(part["functionResponse"])
        return _part(part)

    def _result(self, answer: Mapping[str, Any]) -> ToolResult:
        id, name = answer.get("id"), answer["name"]
        place = next(
            (at for at, held in enumerate(self.open) if held[0] == id or (id is None and held[1] == name)), None
        )
        known = self.open.pop(place)[0] if place is not None else id or f"answer to {name}"
        response = answer["response"]
        plain = set(response) in ({"output"}, {"error"})
        text = next(iter(response.values())) if plain else json.dumps(response, ensure_ascii=False)
        media = [_part(item) for item in answer.get("parts") or ()]
        return ToolResult(known, (Text(str(text)), *media), is_error=set(response) == {"error"}, name=name)


def _part(part: Mapping[str, Any]) -> Part:
    if "text" in part:
        return Reasoning(part["text"], _state(part)) if part.get("thought") else Text(part["text"], state=_state(part))
    data = part.get("inlineData") or part.get("fileData")
    if data is None:
        return Opaque("google", "gemini", dict(part))
    kind = str(data.get("mimeType") or "")
    source, _ = media_of(f"data:{kind};base64,{data['data']}") if "data" in data else (data["fileUri"], None)
    made = Image if kind.startswith("image/") else Audio if kind.startswith("audio/") else Document
    return made(source, kind or None)


def _state(part: Mapping[str, Any]) -> Opaque | None:
    signature = part.get("thoughtSignature")
    return Opaque("google", "gemini", {"thoughtSignature": signature}) if signature else None


def _tools(tools: Iterable[Mapping[str, Any]]) -> Iterable[Tool | ProviderTool]:
    for entry in tools:
        for item in entry.get("functionDeclarations") or ():
            schema = item.get("parametersJsonSchema") or item.get("parameters") or {"type": "object", "properties": {}}
            yield Tool(item["name"], item.get("description"), schema)
        if "functionDeclarations" not in entry:
            yield ProviderTool("google", entry)


def _choice(calling: Mapping[str, Any] | None) -> ToolChoice | None:
    if not calling:
        return None
    names = calling.get("allowedFunctionNames") or [None]
    mode: Any = _MODES.get(str(calling.get("mode")), "auto")
    return ToolChoice(mode, names[0] if mode == "required" else None)
