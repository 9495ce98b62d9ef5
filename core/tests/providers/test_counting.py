"""Counting without a tokenizer: an estimate between bounds that hold, and a price that adds up."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm import Image, ProviderTool, Request, TokenCount, Tool, ToolResult, Usage, assistant, tool_results, user
from byollm.errors import ConfigError
from byollm.providers.counting import bytes_of, estimate
from byollm.providers.pieces import estimate_text
from byollm.providers.pricing import Price
from byollm.types.parts import ToolCall

prose = (
    st.text(max_size=200)
    | st.text("ab c.=\n  é中", max_size=80)
    | st.sampled_from(["=" * 500, " " * 900, "word " * 300])
)


@given(prose)
def test_the_estimate_lies_between_its_bounds(text: str):
    """At least, likely, at most; and no text has more tokens than bytes."""
    low, likely, high = estimate_text(text)

    assert 0 <= low <= likely <= high
    assert low <= len(text.encode("utf-8", "surrogatepass"))


@given(prose, prose)
def test_more_text_is_never_fewer_tokens(text: str, more: str):
    """The lower bound grows with every letter, the others with every line: a word's beginning may have more tokens than
    the word."""
    assert estimate_text(text)[0] <= estimate_text(text + more)[0]
    lines = [estimate_text(said) for said in (text.strip(), f"{text.strip()}\n{more.strip()}")]
    assert all(before <= after for before, after in zip(*lines, strict=True))


@given(st.lists(prose, max_size=4), prose)
def test_another_message_is_never_fewer_tokens(texts: list[str], more: str):
    """So does a conversation."""
    before, after = (estimate(Request([user(text) for text in said])) for said in (texts, [*texts, more]))

    assert (before.lower or 0) <= (after.lower or 0)
    assert before.tokens < after.tokens
    assert (before.upper or 0) < (after.upper or 0)
    assert (after.lower or 0) <= after.tokens <= (after.upper or 0)


@given(st.lists(prose, max_size=4))
def test_the_quick_bound_is_above_the_slow_one(texts: list[str]):
    """The guard looks no further when even this fits."""
    request = Request([user(text) for text in texts], tools=[Tool("f", "a tool")])

    assert (estimate(request).upper or 0) + estimate(request).template <= bytes_of(request)


@pytest.mark.parametrize("text, tokens", [("", 0), ("word", 1), ("Hello, world!", 4), ("1234567", 3)])
def test_short_texts_are_counted_about_right(text: str, tokens: int):
    """Within one token."""
    assert abs(tokens - estimate_text(text)[1]) <= 1


def test_media_and_tools_of_the_provider_have_no_upper_bound():
    """What they become is the provider's affair, inside a tool's result too."""
    shown = tool_results(ToolResult("1", (Image(b"\x89PNG\r\n\x1a\n"),)))

    for request in (
        Request([user("a"), assistant(ToolCall("1", "f")), shown]),
        Request("hi", tools=[ProviderTool("acme", {"type": "search"})]),
    ):
        assert estimate(request).upper is None
    assert bytes_of(Request([user("a"), assistant(ToolCall("1", "f")), shown])) > 100_000


def test_everything_the_model_reads_is_counted():
    """Instructions, tools, schemas, calls and results."""
    small = estimate(Request("hi")).tokens
    long = "word " * 200

    for more in (
        Request("hi", system=long),
        Request("hi", tools=[Tool("f", long)]),
        Request("hi", output_schema={"description": long}),
        Request([user("hi"), assistant(ToolCall("1", "f", json.dumps(long))), tool_results(ToolResult("1", "x"))]),
        Request([user("hi"), assistant(ToolCall("1", "f")), tool_results(ToolResult("1", long))]),
    ):
        assert estimate(more).tokens > small + 150


def test_an_exact_count_is_its_own_bounds():
    """Nothing is left to guess."""
    assert (5, 5) == (TokenCount(5, "exact").lower, TokenCount(5, "exact").upper)
    assert (None, None) == (TokenCount(5).lower, TokenCount(5).upper)


PRICE = Price.from_config({"input": 2, "output": 10, "cached": 0.5, "cache_write": 2.5})


@pytest.mark.parametrize(
    "usage, cost",
    [
        (Usage(1_000_000, 0), "2"),
        (Usage(0, 1_000_000), "10"),
        (Usage(1_000_000, 0, cached_tokens=1_000_000), "0.5"),
        (Usage(1_000_000, 0, cached_tokens=400_000, cache_write_tokens=100_000), "1.45"),
        (Usage(100, 50, reasoning_tokens=40), "0.0007"),
        (Usage(10, 0, cached_tokens=20), "0.00001"),
        (Usage(None, 5), None),
        (Usage(5, None), None),
    ],
)
def test_a_usage_has_its_price(usage: Usage, cost: str | None):
    """Cached tokens are part of the input and cost their own; reasoning is part of the output."""
    assert (None if cost is None else Decimal(cost)) == PRICE.cost(usage)


def test_without_a_price_of_their_own_cached_tokens_cost_what_input_costs():
    """Nothing is free by accident."""
    assert Decimal(2) == Price(Decimal(2), Decimal(10)).cost(Usage(1_000_000, 0, 500_000, 500_000))


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_longer_answer_never_costs_less(input_tokens: int, output_tokens: int, more: int):
    """Cost is monotone, exact and not negative."""
    less, most = PRICE.cost(Usage(input_tokens, output_tokens)), PRICE.cost(Usage(input_tokens, output_tokens + more))

    assert 0 <= (less or 0) <= (most or 0)


@pytest.mark.parametrize(
    "value",
    [{}, {"input": 1}, {"input": 1, "output": -1}, {"input": "x", "output": 1}, {"input": True, "output": 1}, 5, "x",
     {"input": 1, "output": 1, "inptu": 1}, {"input": float("nan"), "output": 1}, {"input": 1, "output": None}, {5: 1},
     None, [1]],
)  # fmt: skip
def test_what_is_no_price_is_a_config_error(value: Any):
    """Money is checked when the file is read."""
    with pytest.raises(ConfigError, match="pricing"):
        Price.from_config(value)


def test_a_price_may_be_in_any_currency():
    """And is written as people write numbers."""
    price = Price.from_config({"input": "0.10", "output": 0.4, "currency": "EUR"})

    assert (Decimal("0.10"), Decimal("0.4"), "EUR") == (price.input, price.output, price.currency)
