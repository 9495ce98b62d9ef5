"""Usage: the wire counts fresh, written and read input apart, and everybody else together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Usage, checked

_COUNTS: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def neutral_usage(wire: Mapping[str, Any], beside: Mapping[str, Any]) -> Usage:
    """Wire usage as `Usage`. The wire counts what a cache gave or took apart; here `input_tokens` is the whole prompt.

    `details` keeps the rest by its own names (service_tier, cache_creation, server_tool_use, iterations, …) and what
    stood beside the usage and has no neutral name (`beside`: stop_sequence, stop_details, container, …).
    """
    fresh, answered, read, written = (checked.tokens(wire.get(name), f"usage.{name}") for name in _COUNTS)
    told = wire.get("output_tokens_details")
    thought = checked.mapping(told, "usage.output_tokens_details").get("thinking_tokens") if told is not None else None
    details = {name: value for name, value in wire.items() if name not in _COUNTS and value is not None}
    details.update(beside)
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=answered,
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=checked.tokens(thought, "usage.output_tokens_details.thinking_tokens"),
        details=details or None,
    )
