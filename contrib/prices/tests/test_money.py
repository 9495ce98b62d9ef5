"""Money, and the arithmetic of a charge."""

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import Usage
from byollm_prices import EXACT, Billed, CurrencyError, Money, Rates, UsageError, billed, served

AMOUNTS = st.decimals(0, 1000, places=6)
COUNTS = st.integers(0, 10**9)
RATES = st.builds(
    Rates,
    AMOUNTS,
    AMOUNTS,
    **{name: st.none() | AMOUNTS for name in ("cached", "cache_write", "cache_write_1h", "reasoning", "web_search")},
)


@st.composite
def usages(draw: st.DrawFn) -> Billed:
    """Counts that hang together."""
    cached, written, fresh = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    out = draw(COUNTS)
    longer, thought = draw(st.integers(0, written)), draw(st.integers(0, out))
    return Billed(
        cached + written + fresh, out, cached, written, longer, reasoning=thought, web_search=draw(st.integers(0, 99))
    )


def charge(counts: Billed, rates: Rates) -> Decimal:
    with localcontext(EXACT):
        return counts.charge(rates)


def plus(one: Billed, other: Billed) -> Billed:
    return Billed(**{name: getattr(one, name) + getattr(other, name) for name in Billed.__slots__})


@given(usages(), usages(), RATES)
def test_two_requests_cost_what_they_cost_one_by_one(one: Billed, other: Billed, rates: Rates):
    """Charges add up, to the last digit."""
    assert charge(one, rates) + charge(other, rates) == charge(plus(one, other), rates)


@given(usages(), RATES, COUNTS, COUNTS)
def test_more_tokens_never_cost_less(counts: Billed, rates: Rates, into: int, out: int):
    """Fresh input, output: none of them makes anything cheaper."""
    more = plus(counts, Billed(into, out))

    assert charge(counts, rates) <= charge(more, rates)


@given(usages())
def test_where_everything_costs_the_same_the_parts_make_no_difference(counts: Billed):
    """No token is billed twice, none is forgotten."""
    one = Rates(Decimal(1), Decimal(1), Decimal(1), Decimal(1), Decimal(1), reasoning=Decimal(1))

    assert Decimal(counts.input + counts.output).scaleb(-6) == charge(counts, one)


@given(usages(), AMOUNTS, AMOUNTS)
def test_a_part_without_a_price_costs_what_its_whole_costs(counts: Billed, into: Decimal, out: Decimal):
    """With two rates only, nothing is known but input and output."""
    assert (counts.input * into + counts.output * out).scaleb(-6) == charge(counts, Rates(into, out))


def test_sound_has_its_own_price_and_so_has_cached_sound():
    """Each token in one bucket: 10 fresh text, 20 cached text, 30 fresh sound, 40 cached sound."""
    counts = Billed(100, 0, 60, input_audio=70, cached_audio=40)
    rates = Rates(Decimal(1), Decimal(1), Decimal("0.1"), input_audio=Decimal(10), cached_audio=Decimal(2))

    assert Decimal(10 + 2 + 300 + 80).scaleb(-6) == charge(counts, rates)


@pytest.mark.parametrize(
    "counts",
    [
        {"input": -1, "output": 0},
        {"input": 0, "output": -1},
        {"input": 1, "output": 0, "cached": 2},
        {"input": 3, "output": 0, "cached": 2, "cache_write": 2},
        {"input": 3, "output": 0, "cache_write_1h": 1},
        {"input": 1, "output": 1, "reasoning": 2},
        {"input": 1, "output": 1, "input_audio": 2},
        {"input": 1, "output": 1, "web_search": -1},
        {"input": True, "output": 1},
        {"input": 1.0, "output": 1},
    ],
)
def test_impossible_counts_are_refused(counts: dict[str, Any]):
    """Negative, or a part larger than its whole, or no whole number."""
    with pytest.raises(UsageError):
        Billed(**counts)


def test_currencies_never_meet_by_accident():
    """No sum of dollars and yuan, and no conversion without somebody's rate."""
    dollars, yuan = Money(Decimal(1)), Money(Decimal(7), "CNY")

    with pytest.raises(CurrencyError, match="have no sum"):
        dollars + yuan
    with pytest.raises(CurrencyError, match="needs a rate"):
        yuan.converted("USD")
    assert Money(Decimal("1.98")) == dollars + yuan.converted("USD", Decimal("0.14"))


@pytest.mark.parametrize(
    "amount, currency", [(Decimal("NaN"), "USD"), (1.5, "USD"), (Decimal(1), "usd"), (Decimal(1), "EURO")]
)
def test_what_is_no_money_is_refused(amount: Any, currency: str):
    """Amounts are finite Decimals, currencies three capital letters."""
    with pytest.raises(CurrencyError):
        Money(amount, currency)


OPENAI = {
    "prompt_tokens_details": {"audio_tokens": 5},
    "completion_tokens_details": {"audio_tokens": 3},
    "service_tier": "flex",
}
ANTHROPIC = {
    "cache_creation": {"ephemeral_1h_input_tokens": 2},
    "server_tool_use": {"web_search_requests": 4},
    "speed": "fast",
}
GOOGLE = {
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}, {"modality": "AUDIO", "tokenCount": 6}],
    "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}],
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 2}],
    "trafficType": "ON_DEMAND_PRIORITY",
}


@pytest.mark.parametrize(
    "details, counts, tier",
    [
        (None, {}, ("standard", False)),
        (OPENAI, {"input_audio": 5, "output_audio": 3}, ("flex", False)),
        (ANTHROPIC, {"cache_write_1h": 2, "web_search": 4}, ("fast", False)),
        (GOOGLE, {"input_audio": 6, "cached_audio": 1, "output_image": 2}, ("priority", False)),
        ({"service_tier": "batch"}, {}, ("standard", True)),
        ({"service_tier": "on_demand"}, {}, ("standard", False)),
        ({"service_tier": "scale"}, {}, None),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, {}, None),
        ({"trafficType": "ON_DEMAND_OFFPEAK"}, {}, None),
    ],
)
def test_every_vendors_own_words_are_understood(details: Any, counts: dict[str, int], tier: Any):
    """What was counted apart, and which tier was served; a tier that nobody priced is no tier."""
    usage = Usage(10, 10, 2, 3, details=details)

    assert Billed(10, 10, 2, 3, **counts) == billed(usage)
    assert tier == served(usage)


def test_without_both_counts_nothing_is_billed():
    """Half a usage is none."""
    assert billed(Usage(10, None)) is None
    assert billed(Usage(None, 10)) is None
