"""Usage: the wire counts fresh, written and read input apart, and everybody else together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Usage, checked

_KNOWN: Final = frozenset(
    {
        "inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens",
        "cacheReadInputTokenCount", "cacheWriteInputTokenCount",
    }
)  # fmt: skip


def neutral_usage(wire: Mapping[str, Any], beside: Mapping[str, Any]) -> Usage:
    """`usage` as `Usage`: `input_tokens` is the whole prompt. Reasoning is not broken out by the wire.

    InvokeModel of Amazon's models says the two counts of the cache with `Count` at their end; some answers say both.
    `details` keeps the rest by its own names, and what stood beside the usage (`beside`).
    """
    fresh, answered = (
        checked.tokens(wire.get("inputTokens"), "inputTokens"),
        checked.tokens(wire.get("outputTokens"), "outputTokens"),
    )
    read, written = (_either(wire, f"cache{verb}InputToken") for verb in ("Read", "Write"))
    details = {name: value for name, value in wire.items() if name not in _KNOWN and value not in (None, {}, [])}
    details.update(beside)
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=answered,
        cached_tokens=read,
        cache_write_tokens=written,
        details=details or None,
    )


def _either(wire: Mapping[str, Any], stem: str) -> int | None:
    found = checked.tokens(wire.get(f"{stem}s"), f"{stem}s")
    return found if found is not None else checked.tokens(wire.get(f"{stem}Count"), f"{stem}Count")
