"""Tenants share a client and nothing else."""

from __future__ import annotations

from tests.soak.conftest import SEED
from tests.soak.tenants import interleaved


def test_twenty_thousand_interleaved_calls() -> None:
    """Fifty tenants in tasks and threads: each call goes out with its own tenant's key, and comes back to it."""
    assert [] == interleaved(20_000, SEED)[:5]
