"""What DeepSeek's models take, and names that are gone. The first prefix that fits wins.

Sources, read 2026-11-21: litellm 1.109.0's and genai-prices 0.2.3's tables for windows and answers, recorded traffic
and pydantic-ai 2.68.0 for thinking. Recordings have `deepseek-v4-flash` refuse pictures, litellm says that it sees:
unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import ModelNote

WINDOW: Final = 1_000_000
ANSWER: Final = 393_216
EFFORTS: Final = ("none", "low", "high", "max")
FORCED: Final = ("tool_choice_required", "tool_choice_named")
"""What a model that thinks cannot be made to do."""
IGNORED: Final = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
"""What means nothing to a model that thinks."""

THINKS: Final[dict[str, Any]] = {
    "context_window": WINDOW,
    "max_output_tokens": ANSWER,
    "reasoning": "full",
    "reasoning_effort": "full",
    "reasoning_efforts": EFFORTS,
    "default_effort": "high",
    "sampling_needs_no_reasoning": True,
    "tools_while_reasoning": "full",
}
"""V4: it thinks unless told not to; while it does, sampling parameters mean nothing to it."""

MODELS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("deepseek-v4-flash-vision", {**THINKS, "images": "full"}),
    ("deepseek-v4-pro", {**THINKS, "images": "unsupported"}),
    ("deepseek-v4-flash", THINKS),
    ("deepseek-flash", {**THINKS, "images": "full"}),
    (
        "deepseek-reasoner",
        {
            "context_window": 131_072,
            "max_output_tokens": 65_536,
            "reasoning": "full",
            "reasoning_effort": "unsupported",
            "images": "unsupported",
            **dict.fromkeys((*FORCED, *IGNORED), "unsupported"),
        },
    ),
    (
        "deepseek-chat",
        {
            "context_window": 131_072,
            "max_output_tokens": 8_192,
            "reasoning": "unsupported",
            "reasoning_effort": "unsupported",
            "images": "unsupported",
        },
    ),
)
"""Pairs of a name's beginning and what is known of it."""

NOTES: Final[dict[str, ModelNote]] = {
    "deepseek-chat": ModelNote("2026-07-24", "deepseek-v4-flash"),
    "deepseek-reasoner": ModelNote("2026-07-24", "deepseek-v4-flash"),
}
"""litellm 1.109.0's dates; recordings later than them are answered by V4 Flash."""


@lru_cache(maxsize=256)
def facts_of(model: str) -> Mapping[str, Any]:
    """What the table says of a model; nothing of one that stands in no row."""
    return next((facts for prefix, facts in MODELS if model.startswith(prefix)), {})
