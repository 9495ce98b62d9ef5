"""A neutral answer as an Anthropic message, whole and as events."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from byollm.types.parts import Citation, Opaque, Part, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer, state_of
from byollm_sandbox.dialects.base import Call, identifier
from byollm_sandbox.tokens import count_messages, count_text, count_tools, count_value
from byollm_sandbox.wire import Frame, dump

STOP: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "error": "error",
    "other": "other",
}
"""Neutral finish reason → stop reason."""


def stop_reason(answer: Answer) -> str:
    """The stop reason in Anthropic's words."""
    if answer.stop_sequence is not None and answer.finish_reason == "stop":
        return answer.raw_finish_reason or "stop_sequence"
    return answer.raw_finish_reason or STOP[answer.finish_reason or "stop"]


def ending(answer: Answer) -> dict[str, Any]:
    """Stop reason, the sequence that matched, and why it refused."""
    reason = stop_reason(answer)
    details = None
    if reason == "refusal":
        details = {"type": "refusal", "category": None, "explanation": answer.refusal}
    return {"stop_reason": reason, "stop_sequence": answer.stop_sequence, "stop_details": details}


def usage_of(answer: Answer, call: Call) -> Usage | None:
    """The scripted usage, or one counted by the twins' rule; None when it is not told."""
    if answer.usage is not None:
        return None if answer.usage == Usage() else answer.usage
    body = call.body
    prompt = count_messages(body.get("messages")) + count_tools(body.get("tools")) + count_value(body.get("system"))
    calls = sum(count_text(item.name) + count_text(item.arguments) for item in answer.tool_calls)
    reasoning = count_text(answer.reasoning)
    return Usage(prompt, count_text(answer.text) + calls + reasoning, 0, 0, reasoning)


def usage_document(usage: Usage) -> dict[str, Any]:
    """Anthropic's words: `input_tokens` leaves out what was read from or written to the cache."""
    details = usage.details or {}
    read, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    hour = int(details.get("cache_write_1h_tokens", 0))
    document: dict[str, Any] = {
        "input_tokens": (usage.input_tokens or 0) - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour},
        "output_tokens": usage.output_tokens or 0,
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
    if usage.reasoning_tokens is not None:
        document["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return document


def blocks_of(answer: Answer, call: Call) -> list[dict[str, Any]]:
    """The content blocks. A citation belongs to the text before it."""
    hidden = (call.body.get("thinking") or {}).get("display") == "omitted"
    blocks: list[dict[str, Any]] = []
    for part in answer.parts:
        if isinstance(part, Citation):
            texts = [block for block in blocks if block["type"] == "text"]
            if not texts:
                raise TypeError("a Citation follows the Text it belongs to")
            texts[-1]["citations"] = [*(texts[-1].get("citations") or []), citation(part)]
        else:
            blocks.append(block_of(part, hidden))
    return blocks


def block_of(part: Part, hidden: bool = False) -> dict[str, Any]:
    """One part as a block. Tool arguments that are no JSON object come as an empty input, as from a cut answer."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part.arguments)}
    if isinstance(part, Reasoning):
        state = state_of(part)
        if state.get("type") == "redacted_thinking":
            return dict(state)
        signature = state.get("signature") or state.get("") or signature_of(part.text)
        return {"type": "thinking", "thinking": "" if hidden else part.text, "signature": signature}
    if isinstance(part, Opaque) and isinstance(part.data, Mapping) and "type" in part.data:
        return dict(part.data)
    raise TypeError(f"Anthropic cannot answer with {type(part).__name__}: use Opaque with a block, or Raw")


def signature_of(text: str) -> str:
    """A made-up signature: base64, bound to the text, and checked by the twin when it comes back."""
    digest = hashlib.sha256(b"byollm twin " + text.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(b"\x12\x20" + digest * 3).decode()


def citation(part: Citation) -> dict[str, Any]:
    """A citation: of a search result when it has an address, else of a plain text document."""
    if part.url is not None:
        return {
            "type": "web_search_result_location",
            "cited_text": part.cited_text or "",
            "url": part.url,
            "title": part.title,
            "encrypted_index": signature_of(part.url)[:32],
        }
    start = part.start or 0
    return {
        "type": "char_location",
        "cited_text": part.cited_text or "",
        "document_index": 0,
        "document_title": part.title,
        "start_char_index": start,
        "end_char_index": part.end if part.end is not None else start + len(part.cited_text or ""),
        "file_id": None,
    }


def document(answer: Answer, call: Call) -> dict[str, Any]:
    """The whole message."""
    usage = usage_of(answer, call)
    message = {
        "id": answer.id or identifier("msg_01", call.number, 22),
        "type": "message",
        "role": "assistant",
        "model": answer.model or str(call.body.get("model", "unknown")),
        "content": blocks_of(answer, call),
        **ending(answer),
        "usage": usage_document(usage) if usage else None,
        **answer.extra,
    }
    if usage is None:
        del message["usage"]
    return message


def stream(answer: Answer, call: Call) -> list[Frame]:
    """All events, in order."""
    usage = usage_of(answer, call)
    shown = usage_document(usage) if usage else None
    first = {**document(answer, call), "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    if shown is not None:
        first["usage"] = {**shown, "output_tokens": min(1, shown["output_tokens"])}
        first["usage"].pop("output_tokens_details", None)
    frames = [_frame("message_start", {"message": first}, answer)]
    groups = [_block_frames(answer, block, index) for index, block in enumerate(blocks_of(answer, call))]
    ordered = _take_turns(groups) if "interleave" in call.quirks else [frame for group in groups for frame in group]
    frames += ordered[:1]
    frames.append(_frame("ping", {}, answer))
    for frame in ordered[1:]:
        frames.append(frame)
        if "unknown-events" in call.quirks:
            frames.append(_frame("twin_event", {"note": "an event type from the future"}, answer))
    final: dict[str, Any] = {"delta": ending(answer)}
    if shown is not None:
        kept = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
        final["usage"] = {key: shown[key] for key in (*kept, "output_tokens_details") if key in shown}
    frames.append(_frame("message_delta", final, answer, role="finish"))
    frames.append(_frame("message_stop", {}, answer, role="finish"))
    return frames


def _frame(kind: str, members: Mapping[str, Any], answer: Answer, *, tokens: int = 0, role: str = "") -> Frame:
    return Frame(dump({"type": kind, **members}), event=kind, tokens=tokens, pause=answer.pause, role=role)


def _block_frames(answer: Answer, block: dict[str, Any], index: int) -> list[Frame]:
    start, deltas = _split(answer, block)
    frames = [_frame("content_block_start", {"index": index, "content_block": start}, answer)]
    for delta in deltas:
        content = delta["type"] in ("text_delta", "thinking_delta", "input_json_delta") and any(
            delta.get(key) for key in ("text", "thinking", "partial_json")
        )
        frames.append(_frame("content_block_delta", {"index": index, "delta": delta}, answer, tokens=int(content)))
    frames.append(_frame("content_block_stop", {"index": index}, answer))
    return frames


def _split(answer: Answer, block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    kind = block["type"]
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": item} for item in block.get("citations") or []]
        start = {"type": "text", "text": "", **({"citations": []} if cited else {})}
        return start, [*[{"type": "text_delta", "text": piece} for piece in answer.cut(block["text"])], *cited]
    if kind == "thinking":
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in answer.cut(block["thinking"])]
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, signed]
    if kind == "tool_use":
        arguments = next((call.arguments for call in answer.tool_calls if call.id == block["id"]), "{}")
        pieces = ["", *answer.cut("" if arguments.strip() == "{}" else arguments)]
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block, []


def _take_turns(groups: list[list[Frame]]) -> list[Frame]:
    longest = max((len(group) for group in groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]


def _input(arguments: str) -> dict[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
