"""An independent reader of the Responses API: one response object, or the events that build it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.replay.errors import classify, in_band_error
from tests.replay.framing import Frame
from tests.replay.values import AnswerError, Call, Expected, Tokens, parsed_arguments, whole_number

TERMINAL = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


@dataclass(slots=True)
class Growing:
    """A streamed response while it grows: what the deltas said, and the items that were finished."""

    deltas: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    arguments: dict[int, list[str]] = field(default_factory=dict)
    items: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    last: Mapping[str, Any] | None = None

    @property
    def text(self) -> list[str]:
        """The visible text of all deltas, in the order of their parts."""
        return ["".join(self.deltas[place]) for place in sorted(self.deltas)]


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    for frame in frames:
        error = in_band_error(frame.event, frame.value)
        if error is not None and frame.value.get("object") != "response":
            raise error
        if not streamed:
            return answer(frame.value, frame.value.get("output") or ())
        _grow(growing, frame)
    if growing.last is None:
        raise AnswerError("StreamInterruptedError", "the stream ended without a terminal event")
    # A backend was seen that completes with an empty `output`: the finished items hold the answer then.
    finished = [growing.items[place] for place in sorted(growing.items)]
    return answer(growing.last, growing.last.get("output") or finished)


def _grow(growing: Growing, frame: Frame) -> None:
    value = frame.value
    kind = value.get("type") or frame.event
    if kind == "response.output_text.delta":
        place = (value.get("output_index") or 0, value.get("content_index") or 0)
        growing.deltas.setdefault(place, []).append(value.get("delta") or "")
    elif kind == "response.function_call_arguments.delta":
        growing.arguments.setdefault(value.get("output_index") or 0, []).append(value.get("delta") or "")
    elif kind == "response.output_item.done":
        growing.items[value.get("output_index") or 0] = value["item"]
    elif kind in TERMINAL:
        growing.last = value["response"]


def answer(response: Mapping[str, Any], output: Sequence[Mapping[str, Any]]) -> Expected:
    """A finished response object with its items as an expectation."""
    _raise_failure(response)
    calls = tuple(call for item in output if (call := _call(item)) is not None)
    parts = [part for item in output if item.get("type") == "message" for part in item.get("content") or ()]
    refusal = "".join(part.get("refusal") or "" for part in parts if part.get("type") == "refusal")
    finish, raw = _finish(response, bool(calls), bool(refusal))
    return Expected(
        outcome="answer",
        text="".join(part.get("text") or "" for part in parts if part.get("type") == "output_text"),
        tool_calls=calls,
        finish_reason=finish,
        raw_finish_reason=raw,
        usage=tokens(response.get("usage") or {}),
        reasoning="".join(_reasoning(item) for item in output if item.get("type") == "reasoning"),
        refusal=refusal,
    )


def _raise_failure(response: Mapping[str, Any]) -> None:
    if response.get("error") or response.get("status") == "failed":
        error, rule = classify(None, {"error": response.get("error") or {}})
        raise AnswerError(error, f"rule {rule}: {str(response.get('error'))[:120]}")
    if response.get("status") in ("queued", "in_progress"):
        raise AnswerError("ProtocolError", f"a response that is {response['status']}")


def _call(item: Mapping[str, Any]) -> Call | None:
    if item.get("type") == "function_call":
        return Call(item["name"], parsed_arguments(item.get("arguments")))
    if item.get("type") == "custom_tool_call":
        return Call(item["name"], item.get("input"))
    return None


def _reasoning(item: Mapping[str, Any]) -> str:
    shown = item.get("summary") or item.get("content") or ()
    return "\n\n".join(part.get("text") or "" for part in shown)


def _finish(response: Mapping[str, Any], has_calls: bool, has_refusal: bool) -> tuple[str, str | None]:
    status = response.get("status")
    if status == "incomplete":
        reason = (response.get("incomplete_details") or {}).get("reason")
        neutral = {"max_output_tokens": "length", "content_filter": "content_filter"}
        return neutral.get(reason or "", "other"), reason or status
    if status not in ("completed", None):
        return "other", status
    if has_calls:
        return "tool_calls", status
    return ("refusal" if has_refusal else "stop"), status


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Neutral usage of a Responses `usage` object."""
    given = usage.get("input_tokens_details") or {}
    made = usage.get("output_tokens_details") or {}
    return Tokens(
        input_tokens=whole_number(usage.get("input_tokens")),
        output_tokens=whole_number(usage.get("output_tokens")),
        cached_tokens=whole_number(given.get("cached_tokens")),
        cache_write_tokens=whole_number(given.get("cache_write_tokens")),
        reasoning_tokens=whole_number(made.get("reasoning_tokens")),
    )
