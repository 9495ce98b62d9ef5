"""Every price of byollm-prices beside litellm's and genai-prices' own: equal, or listed with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from byollm_prices import Conditions, Row, Table, index, shipped
from tests.comparisons.wheels import PROVIDERS, Disagreement, listed, models, told_apart

AT = datetime(2026, 11, 22, 22, tzinfo=UTC)
"""The day on which both wheels were taken; a Sunday, so off-peak everywhere."""
RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token",
}
KINDS = (
    ("standard", False, ""),
    ("flex", False, "_flex"),
    ("priority", False, "_priority"),
    ("standard", True, "_batches"),
)
SELLERS = [name for name in PROVIDERS if name in {*index()["sellers"], "vertex"}]


def tables(seller: str) -> list[Table]:
    """The seller's own prices, then those it takes over."""
    own = shipped("google" if seller == "vertex" else seller)
    assert own is not None
    return [own, *filter(None, map(shipped, own.same_as))]


def region(seller: str, name: str) -> str | None:
    if seller == "bedrock":
        return "global" if name.startswith("global.") else "regional"
    return "global" if seller == "vertex" else None


def ours(seller: str, name: str, tier: str, batch: bool, above: int | None) -> Row | None:
    """Our row for a prompt just above a size."""
    table = next((table for table in tables(seller) if table.model(name) is not None), None)
    tokens = 0 if above is None else above * 1000 + 1
    place = region(seller, name)
    asked = Conditions(at=AT, input_tokens=tokens, tier=tier, batch=batch, region=place)
    return table.row(name, asked) if table is not None else None


@cache
def pairs(seller: str) -> list[tuple[str, str, Decimal, Decimal]]:
    """Model, condition and rate, our price and litellm's, wherever both have one; dollars per million tokens."""
    return list(_pairs(seller))


def _pairs(seller: str) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    for name, told in models(seller):
        sizes = sorted({int(found[1]) for key in told if (found := re.search(r"_above_(\d+)k_tokens", key))})
        for tier, batch, ending in KINDS:
            for above in (None, *sizes):
                row = ours(seller, name, tier, batch, above)
                rates = None if row is None else row.rates
                for rate, key in RATES.items() if rates is not None else ():
                    long = f"_above_{above}k_tokens" if above is not None else ""
                    mine, theirs = getattr(rates, rate), told.get(f"{key}{long}{ending}")
                    if mine is not None and theirs is not None:
                        kind = f"{'batch' if batch else tier}{f'>{above}k' if above else ''}"
                        yield name, f"{kind} {rate}", mine, Decimal(str(theirs)) * 1_000_000


def same(one: Decimal, other: Decimal) -> bool:
    """Equal but for the noise of floats: litellm writes 0.9499999999999999."""
    return abs(one - other) <= Decimal("1e-9") * max(abs(one), abs(other))


@cache
def disagreements() -> list[Disagreement]:
    return [
        Disagreement(seller, name, what, f"{mine:f}", f"{theirs.normalize():f}", "litellm")
        for seller in SELLERS
        for name, what, mine, theirs in pairs(seller)
        if not same(mine, theirs)
    ]


def test_every_price_is_litellms_too_or_says_why_not():
    """No disagreement is unlisted, and none that is listed has gone."""
    unlisted, stale = told_apart(disagreements(), "prices")

    assert [] == unlisted
    assert [] == stale


def test_enough_is_compared_to_mean_something():
    """Thousands of numbers, of most sellers, and nearly all agree."""
    compared = {seller: len(pairs(seller)) for seller in SELLERS}

    assert sum(compared.values()) > 4000
    assert sum(count > 5 for count in compared.values()) >= 14
    assert len(disagreements()) < 0.1 * sum(compared.values())


def test_a_new_disagreement_would_be_found():
    """The list is no net with wide holes: of five invented differences none is covered."""
    invented = [
        Disagreement("openai", "gpt-5.4", "standard input", "1", "2", "litellm"),
        Disagreement("anthropic", "claude-opus-5-5", "standard output", "1", "2", "litellm"),
        Disagreement("bedrock", "anthropic.claude-opus-5", "standard input", "1", "2", "litellm"),
        Disagreement("azure", "gpt-5.4", "standard input", "1", "2", "litellm"),
        Disagreement("deepseek", "deepseek-v4-pro", "standard input", "1", "3", "litellm"),
    ]

    assert invented == sorted(told_apart(invented, "prices")[0], key=invented.index)


@pytest.mark.parametrize("entry", listed("prices"), ids=lambda entry: f"{entry['provider']}-{entry['models'][0]}")
def test_every_entry_says_which_value_is_taken_and_why(entry: dict[str, Any]):
    """In whole words."""
    assert entry["taken"] in ("ours", "theirs", "neither")
    assert len(entry["why"]) > 30
