"""An independent reader of Anthropic Messages: one message, or the events that build it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.replay.errors import in_band_error
from tests.replay.framing import Frame
from tests.replay.values import AnswerError, Call, Expected, Tokens, parsed_arguments, whole_number

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


@dataclass(slots=True)
class Growing:
    """A streamed message while it grows: blocks by index, and what the deltas added to each."""

    blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    added: dict[int, list[str]] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    stop_reason: str | None = None
    stopped: bool = False

    @property
    def text(self) -> list[str]:
        """The visible text so far."""
        return [block.get("text") or "" for block in self.content() if block.get("type") == "text"]

    def content(self) -> list[dict[str, Any]]:
        """The blocks with their deltas joined in."""
        return [_joined(self.blocks[index], self.added.get(index, [])) for index in sorted(self.blocks)]


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    for frame in frames:
        error = in_band_error(frame.event, frame.value)
        if error is not None:
            raise error
        if not streamed:
            message = frame.value
            return answer(message.get("content") or (), message.get("stop_reason"), message.get("usage") or {})
        _grow(growing, frame.value)
    if not growing.stopped:
        raise AnswerError("StreamInterruptedError", "the stream ended without message_stop")
    return answer(growing.content(), growing.stop_reason, growing.usage)


def _grow(growing: Growing, event: Mapping[str, Any]) -> None:
    kind = event.get("type")
    if kind == "message_start":
        growing.usage.update(event["message"].get("usage") or {})
        growing.stop_reason = event["message"].get("stop_reason")
    elif kind == "content_block_start":
        growing.blocks[event["index"]] = dict(event["content_block"])
    elif kind == "content_block_delta":
        delta = event["delta"]
        piece = delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""
        growing.added.setdefault(event["index"], []).append(piece)
    elif kind == "message_delta":
        growing.stop_reason = (event.get("delta") or {}).get("stop_reason") or growing.stop_reason
        told = event.get("usage") or {}
        growing.usage.update({name: value for name, value in told.items() if value is not None})
    elif kind == "message_stop":
        growing.stopped = True


def _joined(block: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
    joined = "".join(pieces)
    kind = block.get("type")
    if kind == "text":
        return {**block, "text": (block.get("text") or "") + joined}
    if kind == "thinking":
        return {**block, "thinking": (block.get("thinking") or "") + joined}
    if kind == "tool_use" and joined:
        return {**block, "input": joined}
    return block


def answer(content: Iterable[Mapping[str, Any]], stop_reason: str | None, usage: Mapping[str, Any]) -> Expected:
    """A finished message as an expectation."""
    blocks = list(content)
    calls = tuple(
        Call(block["name"], parsed_arguments(block.get("input"))) for block in blocks if block.get("type") == "tool_use"
    )
    return Expected(
        outcome="answer",
        text="".join(block.get("text") or "" for block in blocks if block.get("type") == "text"),
        tool_calls=calls,
        finish_reason="tool_calls" if stop_reason == "tool_use" and calls else FINISH.get(stop_reason or "", "other"),
        raw_finish_reason=stop_reason,
        usage=tokens(usage),
        reasoning="".join(block.get("thinking") or "" for block in blocks if block.get("type") == "thinking"),
    )


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Neutral usage of a Messages `usage` object, whose `input_tokens` leaves out what the cache read and wrote."""
    told = whole_number(usage.get("input_tokens"))
    written = whole_number(usage.get("cache_creation_input_tokens"))
    cached = whole_number(usage.get("cache_read_input_tokens"))
    return Tokens(
        input_tokens=None if told is None else told + (written or 0) + (cached or 0),
        output_tokens=whole_number(usage.get("output_tokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=whole_number((usage.get("output_tokens_details") or {}).get("thinking_tokens")),
    )
