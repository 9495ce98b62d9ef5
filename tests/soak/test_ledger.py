"""The books under a thousand kills, ten thousand faulted calls, and ten million attempts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parents[2] / "contrib" / "ledger" / "tests"
sys.path.insert(0, str(HERE))

from ledger_bill import billed  # noqa: E402  # the path comes first

from byollm_ledger.address import open_store  # noqa: E402
from byollm_ledger.fold import write  # noqa: E402
from byollm_ledger.sample import sample_rows  # noqa: E402
from tests.soak.conftest import SEED, scaled  # noqa: E402


def test_a_thousand_kills_lose_and_double_nothing(tmp_path: Path, told: Callable[..., None]) -> None:
    """SIGKILL at any instant of a call; acknowledged is what went through a pipe that survives."""
    cycles = scaled(1_000, 50)
    program = [sys.executable, str(HERE / "ledger_kills.py"), str(tmp_path / "usage.db"), str(cycles), str(SEED)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=3_600, check=True)
    found = json.loads(done.stdout)

    told(**{name: value for name, value in found.items() if name != "seconds"})
    assert found["acknowledged"] > 5 * cycles
    assert (0, 0, True, 0) == (found["lost"], found["doubled"], found["rollups_hold"], found["journals_left"])


def test_the_bill_of_ten_thousand_faulted_calls_lies_within_the_books(
    tmp_path: Path, told: Callable[..., None]
) -> None:
    """Certain ≤ billed ≤ certain + unknown, and no rollup disagrees."""
    found = billed(tmp_path, scaled(10_000, 500), SEED)

    told(**{name: str(value) for name, value in found.items()})
    assert found["certain"] <= found["billed"] <= found["certain"] + found["unknown"]
    assert (True, 0) == (found["rollups_hold"], found["unbounded"])


def test_ten_million_attempts_are_reported_from_rollups(tmp_path: Path, told: Callable[..., None]) -> None:
    """The command counts them all; the figure says how long it took beside counting the rows themselves."""
    attempts = scaled(10_000_000, 100_000)
    path = str(tmp_path / "usage.db")
    store = open_store(path)
    for start in range(0, attempts, 100_000):
        with store.transaction():
            write(store, sample_rows(store, min(100_000, attempts - start), seed=start, days=365))
    store.close()
    spent: dict[str, float] = {}
    totals = []
    for name, words in {"rollups": [], "exact": ["--exact"]}.items():
        began = time.perf_counter()
        command = [sys.executable, "-m", "byollm", "usage", "--ledger", path, "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3_600, cwd=tmp_path)
        spent[name] = round(time.perf_counter() - began, 2)
        totals.append(json.loads(done.stdout)["total"])

    told(attempts=attempts, megabytes=os.path.getsize(path) >> 20, **spent)
    assert attempts == totals[0]["attempts"]
    assert totals[0] == totals[1]
