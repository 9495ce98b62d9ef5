"""Fifty tenants, a million calls: each is made with its own tenant's key."""

from __future__ import annotations

from collections.abc import Callable

from tests.soak.conftest import SEED, scaled
from tests.soak.tenants import interleaved


def test_no_answer_crosses_over(told: Callable[..., None]) -> None:
    """The provider answers with a digest of the key and the prompt; both are the caller's own, every time."""
    calls = scaled(1_000_000, 10_000)
    wrong = interleaved(calls, SEED)

    told(calls=calls, crossed=len(wrong))
    assert [] == wrong[:5]
