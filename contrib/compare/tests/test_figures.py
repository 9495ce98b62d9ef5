"""The statistics: exact where a sample is small, and honest about what it cannot tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm_compare.figures import mean, pairs_needed, quantiles, share, sign

values_of = st.lists(st.floats(0, 1000), min_size=1, max_size=60)


@given(values_of)
def test_a_quantile_is_a_value_that_occurred(values: list[float]):
    """At least half are at most the median, and 95 % at most the 95th percentile."""
    found = quantiles(values)
    assert found.median is not None
    assert found.p95 is not None

    assert {found.median, found.p95} <= set(values)
    assert 2 * sum(value <= found.median for value in values) >= len(values)
    assert 20 * sum(value <= found.p95 for value in values) >= 19 * len(values)


def test_of_few_values_the_percentile_is_their_maximum():
    """Below twenty nothing else can be said."""
    assert 18.0 == quantiles([float(at) for at in range(19)]).p95
    assert 19.0 == quantiles([float(at) for at in range(21)]).p95


@pytest.mark.parametrize(
    "hits, count, low, high",
    [(8, 10, 0.490, 0.943), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (50, 100, 0.404, 0.596)],
)
def test_a_share_has_wilsons_interval(hits: int, count: int, low: float, high: float):
    """Values of the published formula (E. B. Wilson, 1927), to three digits."""
    found = share(hits, count)
    assert found.low is not None
    assert found.high is not None

    assert (low, high) == (round(found.low, 3), round(found.high, 3))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_mean_lies_in_its_interval(values: list[float]):
    """Which lies within 0 and 1."""
    found = mean(values)
    assert found.mean is not None
    assert found.low is not None
    assert found.high is not None

    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1


@pytest.mark.parametrize(
    "better, worse, chance, apart",
    [(5, 0, 0.0625, False), (6, 0, 0.03125, True), (0, 0, 1.0, False), (3, 3, 1.0, False), (9, 1, 0.021484375, True)],
)
def test_the_sign_test_is_exact(better: int, worse: int, chance: float, apart: bool):
    """Five of five may be chance, six of six hardly."""
    found = sign([(1, 0)] * better + [(0, 1)] * worse + [(1, 1)] * 7)

    assert (better, worse, chance, apart) == (found.better, found.worse, found.chance, found.told_apart)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=40))
def test_the_sign_test_takes_no_side(pairs: list[tuple[int, int]]):
    """Chance is the same whoever leads, and is a probability."""
    found, turned = sign(pairs), sign([(other, one) for one, other in pairs])

    assert (found.better, found.worse, found.chance) == (turned.worse, turned.better, turned.chance)
    assert 0 < found.chance <= 1


@pytest.mark.parametrize("better, worse", [(6, 4), (3, 1), (14, 10)])
def test_what_it_would_take_would_about_do(better: int, worse: int):
    """So many differing pairs with these shares are told apart, half of them are not."""
    needed = pairs_needed(better, worse)
    assert needed is not None

    def shared(count: int) -> bool:
        fewer = round(count * worse / (better + worse))
        return sign([(1, 0)] * (count - fewer) + [(0, 1)] * fewer).told_apart

    assert shared(round(needed * 1.2))
    assert not shared(needed // 2)
    assert None is pairs_needed(5, 5)
