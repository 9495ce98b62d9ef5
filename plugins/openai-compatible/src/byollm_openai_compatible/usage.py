"""Both dialects' token counts in neutral terms, whichever way a vendor counts.

Neutral input includes what was read from and written to a cache; neutral output includes the reasoning. Where a
vendor's own numbers show that it counts otherwise, they are brought into line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Usage

_NEUTRAL: Final = frozenset(
    {
        "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "reasoning_tokens",
        "prompt_cache_hit_tokens", "prompt_cache_miss_tokens", "cached_tokens", "num_cached_tokens",
        "cache_read_input_tokens", "cache_creation_input_tokens",
    }
)  # fmt: skip
_BARE: Final = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
"""What small servers tell, and streams of many: nothing else need be looked for."""
_MOST: Final = 10**15
"""No answer has so many tokens: a larger figure is none."""
_DETAILS: Final = (
    "prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details",
)  # fmt: skip
_CACHED: Final = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")
_WRITTEN: Final = ("cache_write_tokens", "cache_creation_input_tokens")
"""OpenAI's word and Alibaba's, both inside the details of the prompt."""
_NEUTRAL_DETAILS: Final = frozenset({"cached_tokens", *_WRITTEN, "reasoning_tokens"})


def chat_usage(told: Mapping[str, Any], document: Mapping[str, Any], *, reasoning_outside: bool = False) -> Usage:
    """The `usage` object of a Chat answer; `document` is the answer or chunk around it, which names the tier.

    `reasoning_outside`: the server leaves reasoning out of its output count, and no total shows it.
    """
    prompt, answer = count(told.get("prompt_tokens")), count(told.get("completion_tokens"))
    total = count(told.get("total_tokens"))
    if _BARE.issuperset(told):
        prompt, answer = _whole(prompt, answer, None, total, None)
        tier = document.get("service_tier")
        return Usage(prompt, answer, None, None, None, {"service_tier": tier} if tier else None)
    into, out = _mapping(told, "prompt_tokens_details"), _mapping(told, "completion_tokens_details")
    cached = _first(into, ("cached_tokens",), told, _CACHED)
    written = _first(into, _WRITTEN, told, ("cache_creation_input_tokens",))
    reasoning = _first(out, ("reasoning_tokens",), told, ("reasoning_tokens",))
    if (reasoning_outside or "market_cost" in told) and answer is not None:  # Vercel's gateway, known by that field
        answer += reasoning or 0
    prompt, answer = _whole(prompt, answer, reasoning, total, count(into.get("audio_tokens")))
    if prompt is not None and cached is not None and cached > prompt:
        cached = prompt  # a server's own hidden prompt (Grok on Azure)
    return Usage(
        input_tokens=prompt,
        output_tokens=answer,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        details=_details(told, document),
    )


def responses_usage(told: Mapping[str, Any], document: Mapping[str, Any]) -> Usage:
    """The `usage` object of a Responses answer."""
    into, out = _mapping(told, "input_tokens_details"), _mapping(told, "output_tokens_details")
    return Usage(
        input_tokens=count(told.get("input_tokens")),
        output_tokens=count(told.get("output_tokens")),
        cached_tokens=count(into.get("cached_tokens")),
        cache_write_tokens=count(into.get("cache_write_tokens")),
        reasoning_tokens=count(out.get("reasoning_tokens")),
        details=_details(told, document),
    )


def count(value: Any) -> int | None:
    """A token count, or None for anything that is none."""
    if type(value) is not int:
        if type(value) is not float or not value.is_integer():
            return None
        value = int(value)
    return value if 0 <= value < _MOST else None


def _first(
    details: Mapping[str, Any], inner: tuple[str, ...], told: Mapping[str, Any], outer: tuple[str, ...]
) -> int | None:
    """The first of several fields that holds a count."""
    for holder, names in ((details, inner), (told, outer)):
        for name in names:
            if name in holder and (number := count(holder[name])) is not None:
                return number
    return None


def _whole(
    prompt: int | None, answer: int | None, reasoning: int | None, total: int | None, audio: int | None
) -> tuple[int | None, int | None]:
    """Input and output with all that belongs to them, where the total shows that something was left out.

    xAI and Gemini's Chat endpoint leave reasoning out of completion_tokens, Mistral sound out of prompt_tokens.
    """
    if prompt is None or answer is None:
        return prompt, answer
    gap = (total or 0) - prompt - answer
    if gap > 0 and gap == audio and gap != reasoning:
        return prompt + gap, answer
    if gap > 0:
        answer += gap
    if reasoning is not None and reasoning > 1.1 * answer:
        return prompt, answer + reasoning  # more than a miscount: it was left out, and the total too (Vercel's gateway)
    return prompt, max(answer, reasoning or 0)


def _details(told: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any] | None:
    details: dict[str, Any] = {}
    for name, value in told.items():
        if name in _DETAILS:
            if isinstance(value, Mapping):
                rest = {key: number for key, number in value.items() if number and key not in _NEUTRAL_DETAILS}
                if rest:
                    details[name] = rest
        elif value is not None and name not in _NEUTRAL:
            details[name] = value
    tier = document.get("service_tier")
    if tier:
        details["service_tier"] = tier
    return details or None


def _mapping(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}
