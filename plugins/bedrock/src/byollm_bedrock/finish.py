"""Why an answer ended."""

from __future__ import annotations

from typing import Final

from byollm.plugin import FinishReason

REASONS: Final[dict[str, FinishReason]] = {
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
"""`stopReason` as botocore 1.44.5 lists it, read 2026-11-21; everything else is `other`."""


def neutral(raw: str, called: bool) -> FinishReason:
    """The neutral word. A call makes a plain ending one that waits for its results."""
    return "tool_calls" if called and raw == "end_turn" else REASONS.get(raw, "other")
