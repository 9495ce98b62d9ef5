"""What a vendor bills for: a `Usage` taken apart into counts that do not overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from byollm.plugin import Usage
from byollm_prices.errors import UsageError
from byollm_prices.rows import Rates

_TIERS: Final = {
    "standard": "standard", "default": "standard", "auto": "standard", "on_demand": "standard", "flex": "flex",
    "priority": "priority", "fast": "fast",
    "on_demand_flex": "flex", "on_demand_priority": "priority",
}  # fmt: skip
"""The words of `service_tier` (OpenAI, Groq), `speed` (Anthropic) and `trafficType` (Google) for what was served."""


@dataclass(frozen=True, slots=True)
class Billed:
    """Counts. Parts lie in their whole: `cached`, `cache_write`, sound, pictures and films in `input`.

    `cache_write_1h` lies in `cache_write`, `cached_audio` in both its names, and so on; `reasoning` in `output`.
    Raises UsageError for a negative count, and for parts that are more than their whole.
    """

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    cached_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    cached_image: int = 0
    output_image: int = 0
    input_video: int = 0
    output_video: int = 0
    reasoning: int = 0
    web_search: int = 0

    def __post_init__(self) -> None:
        if self._is_plain():
            return
        for name in _COUNTS:
            count = getattr(self, name)
            if type(count) is not int or count < 0:
                raise UsageError(f"{name}: {count!r} is no number of tokens")
        for parts, whole in _WHOLES:
            total = sum([getattr(self, part) for part in parts])
            if total > getattr(self, whole):
                raise UsageError(f"{' and '.join(parts)} are {total}, more than {whole}: {getattr(self, whole)}")

    def _is_plain(self) -> bool:
        """Whether there is nothing to look at but text, and what a cache gave and took: the usual case, made quick."""
        into, out, cached, written, thought = self.input, self.output, self.cached, self.cache_write, self.reasoning
        return (
            type(into) is type(out) is type(cached) is type(written) is type(thought) is int
            and cached >= 0 <= written
            and 0 <= thought <= out
            and cached + written <= into
            and not any(_rare(self))
        )

    def charge(self, rates: Rates) -> Decimal:
        """The exact amount: counts in their own buckets, each at its rate. Call it in the context `money.EXACT`."""
        searches = Decimal(self.web_search) * (rates.web_search or 0)
        return sum((count * rate for count, rate in self._buckets(rates) if count), _NOTHING).scaleb(
            -6
        ) + searches.scaleb(-3)

    def _buckets(self, rates: Rates) -> Iterator[tuple[int, Decimal]]:
        rest = self.input - self.cached - self.cache_write
        cached_rate = rates.input if rates.cached is None else rates.cached
        write_rate = rates.input if rates.cache_write is None else rates.cache_write
        cached = self.cached
        for name, read in _CACHED_PARTS if self.input_audio or self.input_image else ():
            count, part = getattr(self, name), getattr(self, read)
            rate = getattr(rates, name)
            if not count or rate is None:
                continue
            read_rate = getattr(rates, read)
            cached -= part
            rest -= count - part
            yield count - part, rate
            yield part, read_rate if read_rate is not None else (rate if rates.cached is None else rates.cached)
        if self.input_video and rates.input_video is not None:
            rest -= self.input_video
            yield self.input_video, rates.input_video
        written = self.cache_write
        if rates.cache_write_1h is not None:
            written -= self.cache_write_1h
            yield self.cache_write_1h, rates.cache_write_1h
        yield written, write_rate
        yield cached, cached_rate
        yield rest, rates.input
        yield from self._answered(rates)

    def _answered(self, rates: Rates) -> Iterator[tuple[int, Decimal]]:
        rest = self.output
        for name, counted in _OUTPUT_PARTS:
            count, rate = getattr(self, counted), getattr(rates, name)
            if count and rate is not None:
                rest -= count
                yield count, rate
        yield rest, rates.output


_KINDS: Final = ("audio", "image", "video")
_OPENAI: Final = {
    "prompt_tokens_details": "input", "input_tokens_details": "input",
    "completion_tokens_details": "output", "output_tokens_details": "output",
}  # fmt: skip
_GOOGLE: Final = {"promptTokensDetails": "input", "candidatesTokensDetails": "output", "cacheTokensDetails": "cached"}
_COUNTS: Final = tuple(item.name for item in fields(Billed))
_rare: Final = attrgetter(*(name for name in _COUNTS[4:] if name != "reasoning"))
_NOTHING: Final = Decimal(0)
_CACHED_PARTS: Final = (("input_audio", "cached_audio"), ("input_image", "cached_image"))
_OUTPUT_PARTS: Final = (
    ("output_audio", "output_audio"), ("output_image", "output_image"), ("output_video", "output_video"),
    ("reasoning", "reasoning"),
)  # fmt: skip
_WHOLES: Final = (
    (("cached", "cache_write"), "input"),
    (("cache_write_1h",), "cache_write"),
    (("cached_audio",), "input_audio"),
    (("cached_image",), "input_image"),
    (("cached_audio", "cached_image"), "cached"),
    (("input_audio", "input_image", "input_video"), "input"),
    (("output_audio", "output_image", "output_video", "reasoning"), "output"),
)


def billed(usage: Usage) -> Billed | None:
    """The counts of a usage; None when input or output is not known. Raises UsageError for impossible ones."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    told = usage.details
    parts = _parts(told) if told else {}
    return Billed(
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens or 0,
        usage.cache_write_tokens or 0,
        reasoning=min(usage.reasoning_tokens or 0, usage.output_tokens),
        **parts,
    )


def _parts(told: Mapping[str, Any]) -> dict[str, int]:
    """Sound, pictures, films, long-lived writes and searches, by the names of the vendors' own usage objects."""
    found: dict[str, int] = {}
    for key, way in _OPENAI.items():
        for kind in _KINDS if key in told else ():
            _put(found, f"{way}_{kind}", _mapping(told[key]).get(f"{kind}_tokens"))
    for key, way in _GOOGLE.items():
        for item in told[key] if isinstance(told.get(key), list) else ():
            kind = str(_mapping(item).get("modality", "")).lower()
            if f"{way}_{kind}" in _COUNTS:
                _put(found, f"{way}_{kind}", _mapping(item).get("tokenCount"))
    _put(found, "cache_write_1h", _mapping(told.get("cache_creation")).get("ephemeral_1h_input_tokens"))
    _put(found, "web_search", _mapping(told.get("server_tool_use")).get("web_search_requests"))
    return found


def _put(found: dict[str, int], name: str, value: Any) -> None:
    if value:
        found[name] = value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def served(usage: Usage) -> tuple[str, bool] | None:
    """The tier that the vendor says it served, and whether as a batch; None for a tier whose price is not by token.

    Sources (read 2026-11-21): `service_tier` of OpenAI, Groq and Anthropic answers, `trafficType` of google-genai
    3.4.0. Anthropic's `priority` and Google's PROVISIONED_THROUGHPUT are capacity paid for beforehand: no row has them.
    """
    told = usage.details
    if not told:
        return "standard", False
    words = {str(told.get(name) or "standard").lower() for name in ("service_tier", "speed", "trafficType")}
    tiers = {_TIERS.get(word) for word in words - {"batch", "traffic_type_unspecified"}} - {"standard"}
    if len(tiers) > 1 or None in tiers:
        return None
    return str(next(iter(tiers), "standard")), "batch" in words
