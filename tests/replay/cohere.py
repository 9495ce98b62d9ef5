"""An independent reader of Cohere's chat, version 2: one document, or the events that build it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.replay.errors import classify
from tests.replay.framing import Frame
from tests.replay.values import AnswerError, Call, Expected, Tokens, parsed_arguments, whole_number

FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
}


@dataclass(slots=True)
class Growing:
    """An answer while it grows: its blocks and calls by index."""

    blocks: dict[int, dict[str, str]] = field(default_factory=dict)
    calls: dict[int, list[str]] = field(default_factory=dict)
    plan: list[str] = field(default_factory=list)

    @property
    def text(self) -> list[str]:
        """The visible text so far."""
        return [self.blocks[index]["text"] for index in sorted(self.blocks)]


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    for frame in frames:
        value = frame.value
        if not streamed:
            message = value["message"]
            for index, block in enumerate(message.get("content") or ()):
                _block(growing, index, block)
            for index, call in enumerate(message.get("tool_calls") or ()):
                _call(growing, index, call)
            growing.plan.append(message.get("tool_plan") or "")
            return answer(growing, value["finish_reason"], value.get("usage") or {})
        end = _grow(growing, value)
        if end is not None:
            return answer(growing, end["finish_reason"], end.get("usage") or {})
    raise AnswerError("StreamInterruptedError", "the stream ended without message-end")


def _grow(growing: Growing, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    kind, delta = event["type"], event.get("delta") or {}
    message = delta.get("message") or {}
    if kind in ("content-start", "content-delta"):
        _block(growing, event["index"], message["content"])
    elif kind in ("tool-call-start", "tool-call-delta"):
        _call(growing, event["index"], message["tool_calls"])
    elif kind == "tool-plan-delta":
        growing.plan.append(message["tool_plan"])
    elif kind == "message-end":
        if delta.get("error"):
            error, rule = classify(None, {"error": delta["error"], "error_type": delta.get("error_type")})
            raise AnswerError(error, f"rule {rule}: {delta['error']}")
        found: Mapping[str, Any] = delta
        return found
    return None


def _block(growing: Growing, index: int, block: Mapping[str, Any]) -> None:
    held = growing.blocks.setdefault(index, {"text": "", "thinking": ""})
    for name in held:
        held[name] += block.get(name) or ""


def _call(growing: Growing, index: int, call: Mapping[str, Any]) -> None:
    function = call.get("function") or {}
    held = growing.calls.setdefault(index, [function.get("name") or "", ""])
    held[1] += function.get("arguments") or ""


def answer(growing: Growing, raw: str, usage: Mapping[str, Any]) -> Expected:
    """A finished answer as an expectation."""
    calls = tuple(Call(name, parsed_arguments(text)) for _, (name, text) in sorted(growing.calls.items()))
    finish = FINISH.get(raw, "other")
    thoughts = "".join(growing.blocks[index]["thinking"] for index in sorted(growing.blocks))
    return Expected(
        outcome="answer",
        text="".join(growing.text),
        tool_calls=calls,
        finish_reason="tool_calls" if calls and finish == "stop" else finish,
        raw_finish_reason=raw,
        usage=tokens(usage),
        reasoning="".join(growing.plan) + thoughts,
    )


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Neutral usage: `tokens` count what the model read and wrote; `billed_units` are what is charged."""
    counts = usage.get("tokens") or {}
    return Tokens(
        input_tokens=whole_number(counts.get("input_tokens")),
        output_tokens=whole_number(counts.get("output_tokens")),
        cached_tokens=whole_number(usage.get("cached_tokens")),
        reasoning_tokens=whole_number(counts.get("reasoning_tokens")),
    )
