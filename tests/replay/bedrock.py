"""An independent reader of Bedrock: Converse, its event stream, and what InvokeModel's families answer.

Binary frames are taken apart here; recorders also write an event as a line `{name: payload}`. InvokeModel packs the
documents of a stream in base64.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from tests.replay import messages
from tests.replay.errors import classify
from tests.replay.framing import BrokenFrameError, Frame
from tests.replay.values import AnswerError, Call, Expected, Tokens, first_told, parsed_arguments, whole_number

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}
TEXT_FINISH = {
    **dict.fromkeys(("finish", "complete", "endoftext", "stop", "stop_sequence", "end_turn"), "stop"),
    **dict.fromkeys(("length", "max_tokens"), "length"),
}
EVENTS = {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
METRICS = "amazon-bedrock-invocationMetrics"


@dataclass(slots=True)
class Growing:
    """An answer while it grows: its blocks by index, its reason, the counts."""

    blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    reason: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


def binary(body: bytes) -> Iterator[Frame]:
    """The messages of AWS's event stream; a part of one at the end is a stream that was interrupted."""
    start = 0
    while start < len(body):
        if len(body) - start < 12:
            raise AnswerError("StreamInterruptedError", "a message is cut short")
        total, size, checksum = struct.unpack_from("!III", body, start)
        message = body[start : start + total]
        if crc32(message[:8]) != checksum:
            raise BrokenFrameError("a prelude is damaged")
        if len(message) < total:
            raise AnswerError("StreamInterruptedError", "a message is cut short")
        if crc32(message[:-4]) != struct.unpack("!I", message[-4:])[0]:
            raise BrokenFrameError("a message is damaged")
        yield Frame(_event(message[12 : 12 + size]), json.loads(message[12 + size : -4]))
        start += total


def _event(block: bytes) -> str:
    """The value of the header that names the message's type; all headers here are texts."""
    position = 0
    while position < len(block):
        length = block[position]
        name = block[position + 1 : position + 1 + length].decode()
        (size,) = struct.unpack_from("!H", block, position + 2 + length)
        begin = position + 4 + length
        if name in (":event-type", ":exception-type"):
            return block[begin : begin + size].decode()
        position = begin + size
    return ""


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    told: list[Frame] = []
    for frame in _unpacked(frames):
        told.append(frame)
        if frame.event in EVENTS or "output" in frame.value:
            _grow(growing, frame)
    first = told[0].value if told else {}
    if first.get("type") in ("message", "message_start"):
        return messages.read(iter(told), first["type"] == "message_start", messages.Growing())
    if not growing.blocks and growing.reason is None:
        return _texts([frame.value for frame in told], growing)
    if growing.reason is None:
        raise AnswerError("StreamInterruptedError", "the answer ended without a stopReason")
    return _answer(growing)


def _unpacked(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        name, value = frame.event, frame.value
        if isinstance(value.get("bytes"), str):
            name, value = "", json.loads(base64.b64decode(value["bytes"]))
        named = [key for key in value if key in EVENTS]
        if not name and named and value.keys() <= {named[0], METRICS}:
            name, value = named[0], value[named[0]]
        if name.endswith("Exception"):
            error, rule = classify(None, value, {"x-amzn-errortype": name})
            raise AnswerError(error, f"rule {rule}: {name}")
        if set(value) != {METRICS}:
            yield Frame(name, value)


def _grow(growing: Growing, frame: Frame) -> None:
    value = frame.value
    if "output" in value:
        for index, block in enumerate(value["output"]["message"]["content"]):
            growing.blocks[index] = _whole(block)
    index = value.get("contentBlockIndex", -1)
    if frame.event == "contentBlockStart":
        growing.blocks[index] = _whole(value["start"])
    if frame.event == "contentBlockDelta":
        block = growing.blocks.setdefault(index, {})
        delta = value["delta"]
        if "text" in delta:
            block["text"] = block.get("text", "") + delta["text"]
            growing.text.append(delta["text"])
        if "toolUse" in delta:
            block["input"] = block.get("input", "") + delta["toolUse"].get("input", "")
    growing.reason = value.get("stopReason") or growing.reason
    growing.usage.update(value.get("usage") or {})


def _whole(block: Mapping[str, Any]) -> dict[str, Any]:
    if "citationsContent" in block:
        return {"text": "".join(piece["text"] for piece in block["citationsContent"].get("content") or ())}
    if "toolUse" in block and block["toolUse"].get("type") != "server_tool_use":
        call = block["toolUse"]
        return {"name": call["name"], "input": call["input"] if call.get("input") is not None else ""}
    return {"text": block["text"]} if "text" in block else {}


def _answer(growing: Growing) -> Expected:
    blocks = [growing.blocks[index] for index in sorted(growing.blocks)]
    calls = tuple(Call(block["name"], parsed_arguments(block["input"])) for block in blocks if "name" in block)
    finish = FINISH.get(growing.reason or "", "other")
    return Expected(
        outcome="answer",
        text="".join(block.get("text", "") for block in blocks),
        tool_calls=calls,
        finish_reason="tool_calls" if calls and finish == "stop" else finish,
        raw_finish_reason=growing.reason,
        usage=_tokens(growing.usage),
    )


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    fresh = whole_number(usage.get("inputTokens"))
    read, written = (
        first_told(usage.get(f"cache{verb}InputTokens"), usage.get(f"cache{verb}InputTokenCount"))
        for verb in ("Read", "Write")
    )
    given = None if fresh is None else fresh + (read or 0) + (written or 0)
    return Tokens(given, whole_number(usage.get("outputTokens")), read, written)


def _texts(documents: list[Mapping[str, Any]], growing: Growing) -> Expected:
    """The families that complete a text: each names text, ending and counts in its own words."""
    raw: str | None = None
    given = made = None
    for document in documents:
        item = _item(document)
        if item is None:
            raise BrokenFrameError("a document of no family")
        growing.text.append(item[0])
        raw = item[1] or raw
        metrics = document.get(METRICS) or {}
        given = first_told(metrics.get("inputTokenCount"), item[2], given)
        made = first_told(metrics.get("outputTokenCount"), item[3], made)
    if raw is None:
        raise AnswerError("StreamInterruptedError", "the answer ended without a reason")
    return Expected(
        outcome="answer",
        text="".join(growing.text),
        finish_reason=TEXT_FINISH.get(raw.lower(), "other"),
        raw_finish_reason=raw,
        usage=Tokens(given, made),
    )


def _item(document: Mapping[str, Any]) -> tuple[str, str | None, Any, Any] | None:
    if "results" in document or "outputText" in document:
        result = document["results"][0] if "results" in document else document
        made = result.get("tokenCount", document.get("totalOutputTextTokenCount"))
        return result["outputText"], result.get("completionReason"), document.get("inputTextTokenCount"), made
    if "completions" in document:
        completion = document["completions"][0]
        read, made = len(document["prompt"]["tokens"]), len(completion["data"]["tokens"])
        return completion["data"]["text"], completion["finishReason"]["reason"], read, made
    if "generation" in document:
        counts = document.get("prompt_token_count"), document.get("generation_token_count")
        return document["generation"], document.get("stop_reason"), *counts
    if "completion" in document:
        return document["completion"], document.get("stop_reason"), None, None
    for word in ("generations", "outputs", "choices"):
        if word in document:
            item, usage = document[word][0], document.get("usage") or {}
            ending = item.get("finish_reason") or item.get("stop_reason")
            return item["text"], ending, usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (document["text"], document.get("finish_reason"), None, None) if "text" in document else None
