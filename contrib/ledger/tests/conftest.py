"""Ledgers in a folder of the test, and clients that write into them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byollm_sandbox import Twins, serve

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the ledger will be."""
    return str(tmp_path / "usage.db")


@pytest.fixture(scope="session")
def one_twin() -> Iterator[Twins]:
    """One for all tests."""
    with serve() as twin:
        yield twin


@pytest.fixture
def twin(one_twin: Twins) -> Iterator[Twins]:
    """Without anything of the test before."""
    one_twin.clear()
    yield one_twin
    one_twin.clear()


@pytest.fixture
def config(twin: Twins, path: str) -> dict[str, Any]:
    """Two deployments of one task, with prices, and a ledger."""
    from ledger_clients import target

    deployments = {"first": target(twin, "first"), "second": target(twin, "second")}
    return {
        "llm_config": {
            "deployments": deployments,
            "tasks": {"sums": {"route": ["first", "second"]}},
            "observers": [{"name": "ledger", "path": path}],
        }
    }
