"""A neutral answer as a GenerateContentResponse, whole and as chunks."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from byollm.types.parts import Audio, Citation, Image, Opaque, Part, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer, state_of
from byollm_sandbox.dialects import gemini_models as gemini
from byollm_sandbox.dialects.base import Call, identifier
from byollm_sandbox.dialects.gemini_rules import used_tokens
from byollm_sandbox.tokens import count_text
from byollm_sandbox.wire import Frame, dump

FINISH: Final = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
    "error": "MALFORMED_FUNCTION_CALL",
    "other": "OTHER",
}
"""Neutral finish reason → Gemini's."""


def finish(answer: Answer) -> str:
    """The finish reason in Gemini's words."""
    return answer.raw_finish_reason or FINISH[answer.finish_reason or "stop"]


def usage_of(answer: Answer, call: Call) -> Usage | None:
    """The scripted usage, or one counted by the twins' rule; None when it is not told."""
    if answer.usage is not None:
        return None if answer.usage == Usage() else answer.usage
    calls = sum(count_text(item.name) + count_text(item.arguments) for item in answer.tool_calls)
    reasoning = count_text(answer.reasoning)
    return Usage(used_tokens(call.body), count_text(answer.text) + calls + reasoning, 0, 0, reasoning)


def usage_document(usage: Usage) -> dict[str, Any]:
    """Gemini's words: candidates leave out thoughts, and what is zero is left out."""
    thought = usage.reasoning_tokens or 0
    prompt, output = usage.input_tokens or 0, usage.output_tokens or 0
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": output - thought,
        "totalTokenCount": prompt + output,
        "cachedContentTokenCount": usage.cached_tokens or 0,
        "thoughtsTokenCount": thought,
    }
    document: dict[str, Any] = {name: value for name, value in counts.items() if value}
    document["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": prompt}]
    return document


def parts_of(answer: Answer, call: Call) -> list[dict[str, Any]]:
    """The parts. Gemini 3 signs the first call of a step and gives ids; older models do neither."""
    modern = gemini.family_of(str(call.body.get("model", ""))).modern
    parts = [part_of(part, modern) for part in answer.parts if not isinstance(part, Citation)]
    if answer.refusal:
        parts.append({"text": answer.refusal})
    first = next((part for part in parts if "functionCall" in part), None)
    if modern and first is not None and "thoughtSignature" not in first:
        first["thoughtSignature"] = signature_of(dump(first))
    return parts


def part_of(part: Part, modern: bool) -> dict[str, Any]:
    """One part. Tool arguments that are no JSON object come as none."""
    state = {key: value for key, value in state_of(part).items() if key == "thoughtSignature"}
    if isinstance(part, Text):
        return {"text": part.text, **state}
    if isinstance(part, Reasoning):
        return {"text": part.text, "thought": True, **state}
    if isinstance(part, ToolCall):
        call = {"name": part.name, "args": _input(part.arguments)}
        return {"functionCall": {**call, **({"id": part.id} if modern else {})}, **state}
    if isinstance(part, Image | Audio) and part.media.base64 is not None:
        return {"inlineData": {"mimeType": part.media.media_type, "data": part.media.base64}, **state}
    if isinstance(part, Opaque) and isinstance(part.data, Mapping):
        return dict(part.data)
    raise TypeError(f"Gemini cannot answer with {type(part).__name__}: use Opaque with a part, or Raw")


def signature_of(text: str) -> str:
    """A made-up signature: base64, bound to the text."""
    digest = hashlib.sha256(b"byollm twin " + text.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(b"\x12\x20" + digest * 2).decode()


def grounding(answer: Answer) -> dict[str, Any]:
    """The citations as grounding metadata, whose offsets count bytes."""
    if not answer.citations:
        return {}
    chunks = [{"web": {"uri": item.url or "", "title": item.title or ""}} for item in answer.citations]
    supports = []
    for index, item in enumerate(answer.citations):
        start, end = item.start or 0, item.end if item.end is not None else len(answer.text)
        span = {"startIndex": _bytes(answer.text[:start]), "endIndex": _bytes(answer.text[:end])}
        segment = {**span, "text": item.cited_text or answer.text[start:end]}
        supports.append({"segment": segment, "groundingChunkIndices": [index]})
    return {"groundingMetadata": {"groundingChunks": chunks, "groundingSupports": supports}}


def document(answer: Answer, call: Call) -> dict[str, Any]:
    """The whole answer. A filtered prompt has no candidate."""
    usage = usage_of(answer, call)
    whole = {
        **_candidates(answer, parts_of(answer, call), finish(answer), grounding(answer)),
        **({"usageMetadata": usage_document(usage)} if usage else {}),
        **_identity(answer, call),
    }
    return {**whole, **answer.extra}


def stream(answer: Answer, call: Call) -> list[Frame]:
    """All chunks, in order. The reason comes with the last one, and there is no end marker."""
    identity = _identity(answer, call)
    usage = usage_of(answer, call)
    frames = []
    for part in parts_of(answer, call):
        for piece in _cut(answer, part):
            chunk = {"candidates": [{"content": {"parts": [piece], "role": "model"}, "index": 0}], **identity}
            seen = int(bool(piece.get("text")) or "functionCall" in piece)
            frames.append(Frame(dump(chunk), tokens=seen, pause=answer.pause))
    empty: list[dict[str, Any]] = [{"text": ""}] if frames else []
    last = {
        **_candidates(answer, empty, finish(answer), grounding(answer)),
        **({"usageMetadata": usage_document(usage)} if usage else {}),
        **identity,
    }
    frames.append(Frame(dump(last), pause=answer.pause, role="finish"))
    return frames


def _candidates(answer: Answer, parts: list[dict[str, Any]], reason: str, more: Mapping[str, Any]) -> dict[str, Any]:
    if not answer.parts and answer.finish_reason == "content_filter" and answer.raw_finish_reason is None:
        return {"promptFeedback": {"blockReason": "SAFETY"}}
    content = {"content": {"parts": parts, "role": "model"}} if parts else {}
    return {"candidates": [{**content, "finishReason": reason, "index": 0, **more}]}


def _identity(answer: Answer, call: Call) -> dict[str, Any]:
    name = answer.model or gemini.bare(str(call.body.get("model", "unknown")))
    return {"modelVersion": name, "responseId": answer.id or identifier("tw", call.number, 22)}


def _cut(answer: Answer, part: dict[str, Any]) -> list[dict[str, Any]]:
    if "text" not in part or not part["text"]:
        return [part]
    rest = {name: value for name, value in part.items() if name not in ("text", "thoughtSignature")}
    pieces: list[dict[str, Any]] = [{"text": piece, **rest} for piece in answer.cut(part["text"])]
    if "thoughtSignature" in part:
        pieces.append({"text": "", **rest, "thoughtSignature": part["thoughtSignature"]})
    return pieces


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _input(arguments: str) -> dict[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
