"""A neutral answer as Converse gives it, whole and as events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from byollm.types.parts import Citation, Image, Opaque, Part, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer, state_of
from byollm_sandbox.dialects.anthropic_render import signature_of
from byollm_sandbox.dialects.base import Call
from byollm_sandbox.tokens import count_text, count_value
from byollm_sandbox.wire import Frame, dump

STOP: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "refusal": "content_filtered",
    "error": "malformed_model_output",
    "other": "other",
}
"""Neutral finish reason → stop reason."""
_PAD: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def stop_reason(answer: Answer) -> str:
    """The stop reason in Converse's words."""
    if answer.stop_sequence is not None and answer.finish_reason == "stop":
        return answer.raw_finish_reason or "stop_sequence"
    return answer.raw_finish_reason or STOP[answer.finish_reason or "stop"]


def used_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of a request by the twins' rule."""
    return sum(count_value(body.get(name)) for name in ("messages", "system", "toolConfig"))


def usage_of(answer: Answer, call: Call) -> Usage | None:
    """The scripted usage, or one counted by the twins' rule; None when it is not told."""
    if answer.usage is not None:
        return None if answer.usage == Usage() else answer.usage
    calls = sum(count_text(item.name) + count_text(item.arguments) for item in answer.tool_calls)
    return Usage(used_tokens(call.body), count_text(answer.text) + calls + count_text(answer.reasoning), 0, 0)


def usage_document(usage: Usage) -> dict[str, Any]:
    """Converse's words: `inputTokens` leaves out what was read from or written to the cache."""
    read, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    fresh, output = (usage.input_tokens or 0) - read - written, usage.output_tokens or 0
    document: dict[str, Any] = {
        "inputTokens": fresh,
        "outputTokens": output,
        "totalTokens": fresh + output + read + written,
    }
    if usage.cached_tokens is not None:
        document["cacheReadInputTokens"] = read
    if usage.cache_write_tokens is not None:
        document["cacheWriteInputTokens"] = written
    return document


def blocks_of(answer: Answer) -> list[dict[str, Any]]:
    """The content blocks. A citation belongs to the text before it, which then is cited content."""
    blocks: list[dict[str, Any]] = []
    for part in answer.parts:
        if isinstance(part, Citation):
            _cite(blocks, part)
        else:
            blocks.append(block_of(part))
    if answer.refusal:
        blocks.append({"text": answer.refusal})
    return blocks


def block_of(part: Part) -> dict[str, Any]:
    """One part. Tool arguments that are no JSON object come as an empty input."""
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, ToolCall):
        return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": _input(part.arguments)}}
    if isinstance(part, Reasoning):
        held = state_of(part)
        if "redactedContent" in held:
            return {"reasoningContent": {"redactedContent": held["redactedContent"]}}
        signature = held.get("signature") or held.get("") or signature_of(part.text)
        return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": signature}}}
    if isinstance(part, Image) and part.media.base64 is not None:
        kind = (part.media.media_type or "image/png").partition("/")[2]
        return {"image": {"format": kind, "source": {"bytes": part.media.base64}}}
    if isinstance(part, Opaque) and isinstance(part.data, Mapping) and len(part.data) == 1:
        return dict(part.data)
    raise TypeError(f"Converse cannot answer with {type(part).__name__}: use Opaque with a block, or Raw")


def _cite(blocks: list[dict[str, Any]], part: Citation) -> None:
    texts = [block for block in blocks if "text" in block or "citationsContent" in block]
    if not texts:
        raise TypeError("a Citation follows the Text it belongs to")
    block = texts[-1]
    if "text" in block:
        block["citationsContent"] = {"content": [{"text": block.pop("text")}], "citations": []}
    block["citationsContent"]["citations"].append(citation(part))


def citation(part: Citation) -> dict[str, Any]:
    """A citation: of a page when it has an address, else of a document."""
    quoted = {"sourceContent": [{"text": part.cited_text}]} if part.cited_text is not None else {}
    titled = {"title": part.title} if part.title is not None else {}
    if part.url is not None:
        return {**titled, **quoted, "location": {"web": {"url": part.url}}}
    span = {"documentIndex": 0, "start": part.start or 0, "end": part.end or len(part.cited_text or "")}
    return {**titled, **quoted, "location": {"documentChar": span}}


def document(answer: Answer, call: Call) -> dict[str, Any]:
    """The whole answer. It has no id: that is in a header."""
    usage = usage_of(answer, call)
    return {
        "output": {"message": {"role": "assistant", "content": blocks_of(answer)}},
        "stopReason": stop_reason(answer),
        **_additional(answer),
        **({"usage": usage_document(usage)} if usage else {}),
        "metrics": {"latencyMs": 512},
        **answer.extra,
    }


def stream(answer: Answer, call: Call) -> list[Frame]:
    """All events, in order. Texts have no beginning, and the metadata comes after the end of the message."""
    usage = usage_of(answer, call)
    frames = [_frame("messageStart", {"role": "assistant"}, answer)]
    groups = [_block_frames(answer, block, index) for index, block in enumerate(blocks_of(answer))]
    for frame in _take_turns(groups) if "interleave" in call.quirks else [frame for group in groups for frame in group]:
        frames.append(frame)
        if "unknown-events" in call.quirks:
            frames.append(_frame("twinEvent", {"note": "an event type from the future"}, answer))
    frames.append(
        _frame("messageStop", {"stopReason": stop_reason(answer), **_additional(answer)}, answer, role="finish")
    )
    told = {"usage": usage_document(usage)} if usage else {}
    frames.append(_frame("metadata", {**told, "metrics": {"latencyMs": 512}}, answer, role="usage"))
    return frames


def _additional(answer: Answer) -> dict[str, Any]:
    if answer.stop_sequence is None:
        return {}
    return {"additionalModelResponseFields": {"stop_sequence": answer.stop_sequence}}


def _frame(kind: str, members: Mapping[str, Any], answer: Answer, *, tokens: int = 0, role: str = "") -> Frame:
    padded = {**members, "p": _PAD[: 3 + len(dump(members)) % 40]}
    return Frame(dump(padded), event=kind, tokens=tokens, pause=answer.pause, role=role)


def _block_frames(answer: Answer, block: dict[str, Any], index: int) -> list[Frame]:
    start, deltas = _split(answer, block)
    at = {"contentBlockIndex": index}
    frames = [_frame("contentBlockStart", {"start": start, **at}, answer)] if start else []
    frames += [_frame("contentBlockDelta", {"delta": delta, **at}, answer, tokens=_content(delta)) for delta in deltas]
    return [*frames, _frame("contentBlockStop", at, answer)]


def _content(delta: Mapping[str, Any]) -> int:
    inner = next(iter(delta.values()))
    said = (
        inner if isinstance(inner, str) else inner.get("text") or inner.get("input") if isinstance(inner, dict) else ""
    )
    return int(bool(said))


def _split(answer: Answer, block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    kind, inner = next(iter(block.items()))
    if kind == "text":
        return {}, [{"text": piece} for piece in answer.cut(inner)]
    if kind == "citationsContent":
        said = "".join(piece["text"] for piece in inner["content"])
        cited = [{"citation": item} for item in inner["citations"]]
        return {}, [*[{"text": piece} for piece in answer.cut(said)], *cited]
    if kind == "reasoningContent" and "reasoningText" in inner:
        told = inner["reasoningText"]
        thoughts = [{"reasoningContent": {"text": piece}} for piece in answer.cut(told["text"])]
        return {}, [*thoughts, {"reasoningContent": {"signature": told["signature"]}}]
    if kind == "reasoningContent":
        return {}, [{"reasoningContent": inner}]
    if kind == "toolUse" and "type" not in inner:
        arguments = next((call.arguments for call in answer.tool_calls if call.id == inner["toolUseId"]), "{}")
        pieces = answer.cut("" if arguments.strip() == "{}" else arguments)
        start = {"toolUse": {"toolUseId": inner["toolUseId"], "name": inner["name"]}}
        return start, [{"toolUse": {"input": piece}} for piece in pieces]
    if kind == "image":
        return {"image": {"format": inner["format"]}}, [{"image": {"source": inner["source"]}}]
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
