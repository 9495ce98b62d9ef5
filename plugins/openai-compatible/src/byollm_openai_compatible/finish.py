"""Why an answer ended, in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from byollm.plugin import FinishReason

FINISH_REASONS: Final[Mapping[str | None, FinishReason]] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "": "stop",
    None: "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "error": "error",
    "abort": "error",
    "insufficient_system_resource": "error",
}
"""What vendors were seen to write, read 2026-11-21; every other word is `other`, kept as `raw_finish_reason`."""

_ORDINARY: Final = frozenset({"stop", "", None, "tool_calls", "function_call"})


def finish_reason(raw: str | None, calls: bool, refusal: bool, more: Mapping[str, str]) -> FinishReason:
    """The neutral word for `raw`.

    Tool calls make it `tool_calls` whatever the server calls an ordinary end (a named tool choice gives `stop` at
    several); a cut answer stays cut. A refusal in the message makes an ordinary end `refusal`.
    """
    if raw in _ORDINARY:
        if calls:
            return "tool_calls"
        if refusal:
            return "refusal"
    if raw is not None and raw in more:
        return more[raw]  # type: ignore[return-value]  # the target's own words, checked where they are read
    return FINISH_REASONS.get(raw, "other")
