"""Rate limits in headers, in every form that was recorded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.wire.ratelimits import limits_in

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    "headers, expected",
    [
        (
            {"x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4999",
             "x-ratelimit-reset-requests": "12ms", "x-ratelimit-remaining-tokens": "0",
             "x-ratelimit-reset-tokens": "6m0s"},
            {"requests": (5000.0, 4999.0, 0.012), "tokens": (None, 0.0, 360.0)},
        ),
        (
            {"anthropic-ratelimit-input-tokens-limit": "2000000", "anthropic-ratelimit-input-tokens-remaining": "0",
             "anthropic-ratelimit-input-tokens-reset": "2026-11-18T11:20:50Z"},
            {"input_tokens": (2_000_000.0, 0.0, 850.0)},
        ),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{(NOW + 9) * 1000:.0f}"},
            {"requests": (None, 0.0, 9.0)},
        ),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 30:.0f}"},
            {"requests": (None, 0.0, 30.0)},
        ),
        ({"x-ratelimit-remaining": "59", "x-ratelimit-reset": "2"}, {"requests": (None, 59.0, 2.0)}),
        (
            {"x-ratelimit-remaining-tokens-minute": "995531", "x-ratelimit-reset-tokens-minute": "16.137348175048828"},
            {"tokens": (None, 995531.0, 16.137348175048828)},
        ),
        ({"x-ratelimit-remaining-req-minute": "98"}, {"requests": (None, 98.0, None)}),
        ({"x-ratelimit-remaining-requests-day": "14", "x-ratelimit-reset-requests-day": "3556.1"}, {}),
        (
            {"x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "3556.1"},
            {"requests": (None, 0.0, 3556.1)},
        ),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-limit-tokens": "nan"}, {}),
        ({"x-ratelimit-remaining-requests": "REDACTED", "x-request-id": "r"}, {}),
    ],
)  # fmt: skip
def test_each_form(headers: dict[str, str], expected: Any) -> None:
    """Kinds, windows and resets; nonsense tells nothing."""
    assert expected == limits_in(headers, NOW)


names = st.sampled_from(
    ["x-ratelimit-limit-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens-minute",
     "anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-requests-remaining", "x-ratelimit-reset"]
)  # fmt: skip


@given(st.dictionaries(names, st.one_of(st.text(max_size=12), st.floats().map(str), st.integers().map(str))))
def test_whatever_comes_nothing_breaks(headers: dict[str, str]) -> None:
    """Figures are numbers of at least zero, or not told."""
    for figures in limits_in(headers, NOW).values():
        assert all(value is None or value >= 0 for value in figures)
