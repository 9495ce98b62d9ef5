"""Which requests a model takes as they stand, worked out once of its capabilities.

`fit()` decides. Most requests are a few texts and a few parameters that it would hand back untouched, and which those
are is a constant of the deployment. A test holds this table to `fit()` for any capabilities and any request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from byollm.types.capabilities import Capabilities, Support
from byollm.types.messages import Message
from byollm.types.parts import Text
from byollm.types.request import Request

Takes = Callable[[Any], bool] | None
"""Which values are taken as they stand; None: any."""

_PLAIN_HINTS: Final = ("seed", "verbosity", "cache_key", "end_user_id", "metadata")
_SAMPLING: Final = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty")


class Taken:
    """What one model takes as it stands; everything else is `fit()`'s to judge."""

    __slots__ = ("_roles", "_values")

    def __init__(self, can: Capabilities) -> None:
        self._values = dict(_parameters(can))
        self._roles = {"user"} if can.system.refused else {"user", "system", "developer"}

    def takes(self, request: Request) -> bool:
        """True only when `fit()` would change nothing and refuse nothing. False says nothing."""
        values = self._values
        for name, value in request.asked.items():
            if value is not None:
                fits = values.get(name, _never)
                if fits is not None and not fits(value):
                    return False
        return self._plain(request.messages)

    def _plain(self, messages: Iterable[Message]) -> bool:
        for message in messages:
            if message.role not in self._roles or message.name is not None:
                return False
            for part in message.parts:
                if type(part) is not Text or part.cache is not None or part.state is not None:
                    return False
        return True


def _never(value: Any) -> bool:
    return False


def _parameters(can: Capabilities) -> dict[str, Takes]:
    """By parameter; one that is missing is never taken unseen."""
    found: dict[str, Takes] = {"messages": None, "extra": None}  # the messages are looked at apart
    found |= {name: None for name in _PLAIN_HINTS if not can.supports(name).refused}
    found |= {name: None for name in ("output_schema", "logit_bias", "logprobs") if _surely(can, name)}
    if not can.sampling_needs_no_reasoning:
        found |= _sampling(can)
    found["stream"] = _is_false if can.streaming.refused else None
    found["store"] = _is_false if can.store.refused else None
    if not can.system.refused:
        found["system"] = _is_text
    if not (can.service_tier.refused or can.service_tiers):
        found["service_tier"] = None
    if not (can.reasoning_effort.refused or can.reasoning.refused):
        found["reasoning_effort"] = _one_of(can.reasoning_efforts)
    if not can.max_tokens.refused:
        found["max_tokens"] = _at_most(can.max_output_tokens)
    if not can.stop.refused:
        found["stop"] = _no_more_than(can.stop_limit)
    return found


def _surely(can: Capabilities, name: str) -> bool:
    if name == "output_schema":
        return not can.structured_output.refused
    return can.supports(name) is Support.full


def _sampling(can: Capabilities) -> dict[str, Takes]:
    found: dict[str, Takes] = {name: None for name in _SAMPLING if not can.supports(name).refused}
    if "temperature" in found:
        found["temperature"] = _within(can.temperature_range)
    if can.temperature_xor_top_p:
        found.pop("top_p", None)
    elif "top_p" in found:
        found["top_p"] = _within((0.0, 1.0))
    return found


def _is_false(value: Any) -> bool:
    return not value


def _is_text(value: Any) -> bool:
    return type(value) is str


def _within(bounds: tuple[float, float] | None) -> Takes:
    if bounds is None:
        return None
    least, most = bounds
    return lambda value: least <= value <= most


def _one_of(words: tuple[str, ...] | None) -> Takes:
    return words.__contains__ if words else None


def _at_most(most: int | None) -> Takes:
    return None if most is None else lambda value: value <= most


def _no_more_than(limit: int | None) -> Takes:
    return None if limit is None else lambda value: len(value) <= limit
