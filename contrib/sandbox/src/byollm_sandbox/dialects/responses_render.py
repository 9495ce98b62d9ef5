"""A neutral answer as an OpenAI response object, whole and as events."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from byollm.types.parts import Audio, Citation, Document, Image, Opaque, Reasoning, Text, ToolCall, ToolResult
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer, state_of
from byollm_sandbox.dialects.base import Call, identifier
from byollm_sandbox.dialects.openai_usage import responses_usage, usage_of
from byollm_sandbox.wire import Frame, dump

Item = dict[str, Any]
Events = list[tuple[str, dict[str, Any], int]]


def ending(answer: Answer) -> tuple[str, str | None]:
    """Status and, for an incomplete answer, why."""
    raw = answer.raw_finish_reason
    if raw is not None:
        return (
            (raw, None) if raw in ("completed", "failed", "cancelled", "queued", "in_progress") else ("incomplete", raw)
        )
    match answer.finish_reason:
        case "length":
            return "incomplete", "max_output_tokens"
        case "content_filter":
            return "incomplete", "content_filter"
        case "other":
            return "incomplete", "other"
        case "error":
            return "failed", None
        case _:
            return "completed", None


def document(answer: Answer, call: Call) -> dict[str, Any]:
    """The whole response."""
    status, reason = ending(answer)
    usage = usage_of(answer, call, call.body.get("input"))
    details = {"reason": reason} if reason else None
    error = {"code": "server_error", "message": "The model failed to answer."} if status == "failed" else None
    return {
        **_skeleton(answer, call, status),
        "completed_at": call.created + 1 if status == "completed" else None,
        "error": error,
        "incomplete_details": details,
        "output": items_of(answer, call),
        "usage": responses_usage(usage) if usage else None,
        **answer.extra,
    }


def _skeleton(answer: Answer, call: Call, status: str) -> dict[str, Any]:
    body = call.body
    asked = body.get("reasoning") or {}
    reasoning = {"effort": asked.get("effort"), "summary": asked.get("summary")}
    text = body.get("text") or {}
    return {
        "id": answer.id or identifier("resp_", call.number, 48),
        "object": "response",
        "created_at": call.created,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": answer.model or str(body.get("model", "unknown")),
        "moderation": None,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "presence_penalty": 0.0,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": None,
        "reasoning": reasoning,
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def failed(code: str, message: str, call: Call) -> dict[str, Any]:
    """A response that failed in mid-air."""
    return {**_skeleton(Answer(), call, "failed"), "error": {"code": code, "message": message}}


def items_of(answer: Answer, call: Call) -> list[Item]:
    """The output items: texts, refusals and citations share a message, everything else is an item of its own."""
    items: list[Item] = []
    for part in answer.parts:
        place = call.number * 100 + len(items)
        if isinstance(part, Text):
            message = _open_message(items, place, state_of(part).get("phase"))
            message["content"].append({"type": "output_text", "annotations": [], "logprobs": [], "text": part.text})
        elif isinstance(part, Citation):
            _annotate(items, part)
        elif isinstance(part, ToolCall):
            items.append(_function_call(part, place))
        elif isinstance(part, Reasoning):
            items.append(_reasoning(part, call, place))
        else:
            items.append(_other(part, place))
    if answer.refusal is not None:
        message = _open_message(items, call.number * 100 + len(items), None)
        message["content"].append({"type": "refusal", "refusal": answer.refusal})
    if items and ending(answer)[0] == "incomplete" and "status" in items[-1]:
        items[-1]["status"] = "incomplete"
    return items


def _open_message(items: list[Item], place: int, phase: str | None) -> Item:
    if items and items[-1]["type"] == "message" and items[-1].get("phase") == phase:
        return items[-1]
    message: Item = {"id": identifier("msg_", place, 48), "type": "message", "status": "completed", "content": []}
    message["role"] = "assistant"
    if phase is not None:
        message["phase"] = phase
    items.append(message)
    return message


def _annotate(items: list[Item], part: Citation) -> None:
    if not items or items[-1]["type"] != "message":
        raise TypeError("a Citation follows the Text it belongs to")
    text = items[-1]["content"][-1]
    annotation = {
        "type": "url_citation",
        "start_index": part.start or 0,
        "end_index": part.end if part.end is not None else len(text["text"]),
        "url": part.url or "",
        "title": part.title or "",
    }
    text["annotations"].append(annotation)


def _function_call(part: ToolCall, place: int) -> Item:
    item: Item = {"id": state_of(part).get("id") or identifier("fc_", place, 48), "type": "function_call"}
    return {**item, "status": "completed", "arguments": part.arguments, "call_id": part.id, "name": part.name}


def _reasoning(part: Reasoning, call: Call, place: int) -> Item:
    state = state_of(part)
    item: Item = {"id": state.get("id") or identifier("rs_", place, 48), "type": "reasoning"}
    item["summary"] = [{"type": "summary_text", "text": part.text}] if part.text else []
    encrypted = state.get("encrypted_content") or state.get("")
    if encrypted or "reasoning.encrypted_content" in (call.body.get("include") or []):
        item["encrypted_content"] = encrypted or sealed(part.text)
    return item


def sealed(text: str) -> str:
    """Made-up encrypted content: readable by nobody who does not look."""
    return "gAAAA" + base64.urlsafe_b64encode(b"byollm twin " + text.encode("utf-8", "surrogatepass")).decode()


def _other(part: Image | Audio | Document | ToolResult | Opaque, place: int) -> Item:
    if isinstance(part, Opaque) and isinstance(part.data, Mapping) and "type" in part.data:
        return dict(part.data)
    if isinstance(part, Image):
        raw = part.source if isinstance(part.source, bytes) else base64.b64decode(part.source.partition(",")[2])
        result = base64.b64encode(raw).decode()
        return {
            "id": identifier("ig_", place, 48),
            "type": "image_generation_call",
            "status": "completed",
            "result": result,
        }
    raise TypeError(f"Responses cannot answer with {type(part).__name__}: use Opaque with an item, or Raw")


def stream(answer: Answer, call: Call) -> list[Frame]:
    """All events, numbered."""
    whole = document(answer, call)
    start = {**whole, **_skeleton(answer, call, "in_progress"), **answer.extra}
    events: Events = [("response.created", {"response": start}, 0), ("response.in_progress", {"response": start}, 0)]
    groups = [_item_events(answer, item, index) for index, item in enumerate(whole["output"])]
    if "interleave" in call.quirks:
        longest = max((len(group) for group in groups), default=0)
        events += [group[turn] for turn in range(longest) for group in groups if turn < len(group)]
    else:
        events += [event for group in groups for event in group]
    if "unknown-events" in call.quirks:
        note: Events = [("response.twin_event", {"note": "an event type from the future"}, 0)]
        events = [item for event in events for item in (event, *note)]
    events.append((f"response.{whole['status']}", {"response": whole}, 0))
    frames = [
        Frame(dump({"type": kind, **members, "sequence_number": number}), kind, tokens, answer.pause)
        for number, (kind, members, tokens) in enumerate(events)
    ]
    frames[-1].role = "finish"
    return frames


def _item_events(answer: Answer, item: Item, index: int) -> Events:
    place = {"output_index": index}
    match item["type"]:
        case "message":
            opened, inner = {**item, "status": "in_progress", "content": []}, _message_events(answer, item, index)
        case "function_call":
            opened, inner = {**item, "status": "in_progress", "arguments": ""}, _call_events(answer, item, index)
        case "reasoning":
            opened, inner = {**item, "summary": []}, _summary_events(answer, item, index)
        case _:
            opened, inner = item, []
    added = ("response.output_item.added", {"item": opened, **place}, 0)
    return [added, *inner, ("response.output_item.done", {"item": item, **place}, 0)]


def _message_events(answer: Answer, item: Item, index: int) -> Events:
    events: Events = []
    for number, part in enumerate(item["content"]):
        place = {"item_id": item["id"], "output_index": index, "content_index": number}
        if part["type"] == "refusal":
            empty: Item = {"type": "refusal", "refusal": ""}
            kind, text = "refusal", part["refusal"]
            done = {"refusal": text}
            more: dict[str, Any] = {}
        else:
            empty, kind, text = {**part, "annotations": [], "text": ""}, "output_text", part["text"]
            more = {"logprobs": []}
            done = {"text": text, **more}
        events.append(("response.content_part.added", {**place, "part": empty}, 0))
        events += [(f"response.{kind}.delta", {**place, "delta": piece, **more}, 1) for piece in answer.cut(text)]
        for position, note in enumerate(part.get("annotations") or []):
            members = {**place, "annotation": note, "annotation_index": position}
            events.append(("response.output_text.annotation.added", members, 0))
        events.append((f"response.{kind}.done", {**place, **done}, 0))
        events.append(("response.content_part.done", {**place, "part": part}, 0))
    return events


def _call_events(answer: Answer, item: Item, index: int) -> Events:
    place = {"item_id": item["id"], "output_index": index}
    kind = "response.function_call_arguments"
    events: Events = [(f"{kind}.delta", {**place, "delta": piece}, 1) for piece in answer.cut(item["arguments"])]
    return [*events, (f"{kind}.done", {**place, "arguments": item["arguments"]}, 0)]


def _summary_events(answer: Answer, item: Item, index: int) -> Events:
    events: Events = []
    for number, part in enumerate(item["summary"]):
        place = {"item_id": item["id"], "output_index": index, "summary_index": number}
        kind = "response.reasoning_summary"
        events.append((f"{kind}_part.added", {**place, "part": {"type": "summary_text", "text": ""}}, 0))
        events += [(f"{kind}_text.delta", {**place, "delta": piece}, 1) for piece in answer.cut(part["text"])]
        events.append((f"{kind}_text.done", {**place, "text": part["text"]}, 0))
        events.append((f"{kind}_part.done", {**place, "part": part}, 0))
    return events


__all__ = ["Usage", "document", "ending", "failed", "items_of", "sealed", "stream"]
