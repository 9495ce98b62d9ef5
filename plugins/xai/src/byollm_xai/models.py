"""What xAI's models take, and names that are gone. The first prefix that fits wins.

Sources, read 2026-11-21: windows from litellm 1.109.0's and genai-prices 0.2.3's tables; efforts from pydantic-ai
2.68.0's Grok profile and recorded refusals. There is no cap of its own on an answer: it shares the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import ModelNote

MILLION: Final = 1_000_000
HALF: Final = 500_000
CODE: Final = 256_000
OLD: Final = 131_072

_CALLS: Final = (
    "tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls", "parallel_tool_calls_off",
)  # fmt: skip
_SEES: Final = {"images": "full", "image_urls": "full"}
_BLIND: Final = {"images": "unsupported"}
_SILENCED: Final = dict.fromkeys(("stop", "frequency_penalty", "presence_penalty"), "unsupported")
"""What models that reason refuse (`stop`: the core cuts)."""
_PLAIN: Final = {"reasoning": "unsupported", "reasoning_effort": "unsupported"}
_THINKS: Final = {"reasoning": "full", "reasoning_effort": "unsupported"}
_OPTIONAL: Final = ("none", "low", "medium", "high")


def _row(window: int, *traits: Mapping[str, Any], efforts: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {"context_window": window, "max_output_tokens": window, **dict.fromkeys(_CALLS, "full")}
    for trait in traits:
        found |= trait
    if efforts:
        found |= {"reasoning": "full", "reasoning_effort": "full", "reasoning_efforts": efforts}
    return found


MODELS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        "grok-4.20-multi-agent",
        _row(MILLION, _SEES, _SILENCED, _THINKS, dict.fromkeys(_CALLS, "unsupported")),
    ),
    *[
        (name, _row(MILLION, _SEES, _SILENCED, _PLAIN))
        for name in (
            "grok-4.20-0309-non-reasoning", "grok-4.20-non-reasoning", "grok-4.20-beta-0309-non-reasoning",
            "grok-4.20-beta-non-reasoning", "grok-4.20-beta-latest-non-reasoning",
            "grok-4.20-experimental-beta-0304-non-reasoning", "grok-4.20-experimental-beta-non-reasoning",
        )
    ],
    ("grok-4.20", _row(MILLION, _SEES, _SILENCED, _THINKS)),
    ("grok-4.3", _row(MILLION, _SEES, _SILENCED, efforts=_OPTIONAL)),
    ("grok-4.5", _row(HALF, _SEES, _SILENCED, efforts=_OPTIONAL[1:])),
    ("grok-4.6", _row(HALF, _SEES, _SILENCED, efforts=_OPTIONAL[1:])),
    ("grok-4.7", _row(HALF, _SEES, _SILENCED, efforts=(*_OPTIONAL[1:], "xhigh"))),
    ("grok-latest", _row(HALF, _SEES, _SILENCED, efforts=_OPTIONAL)),
    ("grok-build-latest", _row(HALF, _SEES, _SILENCED, efforts=_OPTIONAL[1:])),
    ("grok-build-0.1", _row(CODE, _SEES, _SILENCED, _THINKS)),
    ("grok-code-fast", _row(CODE, _SILENCED, _THINKS)),
    ("grok-4-1-fast", _row(2 * MILLION, _SEES, _SILENCED, efforts=_OPTIONAL)),
    ("grok-4-fast", _row(2 * MILLION, _SEES, _SILENCED, efforts=_OPTIONAL)),
    ("grok-4", _row(CODE, _SEES, _SILENCED, efforts=_OPTIONAL)),
    ("grok-3-mini", _row(OLD, _BLIND, _SILENCED, efforts=("none", "low", "high"))),
    ("grok-3", _row(OLD, _BLIND)),
    ("grok-2-vision", _row(32_768, _SEES, _PLAIN)),
    ("grok-2", _row(32_768, _BLIND, _PLAIN)),
)  # fmt: skip
"""Pairs of a name's beginning and what is known of it. `grok-latest` answers `none` as Grok 4.3."""

_BUILD, _THREE = "grok-build-0.1", "grok-4.3"

NOTES: Final[dict[str, ModelNote]] = {
    **dict.fromkeys(("grok-code-fast-1", "grok-code-fast-1-0825", "grok-code-fast"), ModelNote("2026-05-15", _BUILD)),
    **dict.fromkeys(
        (
            "grok-4-0709", "grok-4-1-fast-reasoning", "grok-4-1-fast-non-reasoning", "grok-4-fast-reasoning",
            "grok-4-fast-non-reasoning", "grok-4-fast", "grok-3", "grok-3-mini",
        ),
        ModelNote("2026-05-15", _THREE),
    ),
    **dict.fromkeys(
        ("grok-beta", "grok-2", "grok-2-latest", "grok-2-1212", "grok-2-vision", "grok-2-vision-1212"),
        ModelNote(replacement=_THREE),
    ),
}  # fmt: skip
"""Ends of life by xAI's retirement guide of 2026-05-15 as pydantic-ai 2.68.0 quotes it; names of Grok 2 are gone."""


@lru_cache(maxsize=256)
def facts_of(model: str) -> Mapping[str, Any]:
    """What the table says of a model; nothing of one that stands in no row."""
    return next((facts for prefix, facts in MODELS if model.startswith(prefix)), {})
