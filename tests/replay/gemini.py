"""An independent reader of Gemini's generateContent: one document, its chunks as events, or its chunks as one array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.replay.errors import classify
from tests.replay.framing import Frame
from tests.replay.values import AnswerError, Call, Expected, Tokens, parsed_arguments, whole_number

FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION",
            "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
        ),
        "content_filter",
    ),
    **dict.fromkeys(
        (
            "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE", "LANGUAGE", "NO_IMAGE",
        ),
        "error",
    ),
    # `enum-encoding=int`, as far as AI Studio and Vertex number alike.
    "1": "stop",
    "2": "length",
    "3": "content_filter",
    "4": "content_filter",
}  # fmt: skip


@dataclass(slots=True)
class Growing:
    """An answer while it grows: its parts, its reason, the prompt's refusal, the counts."""

    parts: list[Mapping[str, Any]] = field(default_factory=list)
    reason: str | None = None
    blocked: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> list[str]:
        """The visible text so far."""
        return [part["text"] for part in self.parts if part.get("text") and not part.get("thought")]


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    for frame in frames:
        carried = frame.value.get("error")
        if carried is not None:
            error, rule = classify(None, {"error": carried})
            raise AnswerError(error, f"rule {rule}: {str(carried)[:120]}")
        _grow(growing, frame.value)
    if growing.reason is None and growing.blocked is None:
        raise AnswerError("StreamInterruptedError", "the answer ended without a finishReason")
    return answer(growing)


def _grow(growing: Growing, chunk: Mapping[str, Any]) -> None:
    for candidate in chunk.get("candidates") or ():
        growing.parts += (candidate.get("content") or {}).get("parts") or ()
        growing.reason = _word(candidate.get("finishReason")) or growing.reason
    growing.blocked = _word((chunk.get("promptFeedback") or {}).get("blockReason")) or growing.blocked
    told = chunk.get("usageMetadata") or {}
    growing.usage.update({name: value for name, value in told.items() if value is not None})


def _word(value: Any) -> str | None:
    return str(value) if value and not str(value).endswith("_UNSPECIFIED") else None


def answer(growing: Growing) -> Expected:
    """A finished answer as an expectation. A refused prompt is an answer with content_filter."""
    asked = [part["functionCall"] for part in growing.parts if "functionCall" in part]
    calls = tuple(Call(call["name"], parsed_arguments(call.get("args"))) for call in asked)
    raw = growing.reason or growing.blocked or ""
    finish = FINISH.get(raw, "other") if growing.reason is not None else "content_filter"
    return Expected(
        outcome="answer",
        text="".join(growing.text),
        tool_calls=calls,
        finish_reason="tool_calls" if calls and finish == "stop" else finish,
        raw_finish_reason=raw,
        usage=tokens(growing.usage),
        reasoning="".join(part["text"] for part in growing.parts if part.get("text") and part.get("thought")),
    )


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Neutral usage of `usageMetadata`, where zeros are left out and total is the sum of all (google-genai 3.4)."""
    given, used, made, thought, total = (
        whole_number(usage.get(f"{name}TokenCount"))
        for name in ("prompt", "toolUsePrompt", "candidates", "thoughts", "total")
    )
    given = None if given is None else given + (used or 0)
    output = None if made is None and thought is None else (made or 0) + (thought or 0)
    if output is None and total is not None and given is not None:
        output = total - given
    return Tokens(
        input_tokens=given,
        output_tokens=output,
        cached_tokens=whole_number(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thought,
    )
