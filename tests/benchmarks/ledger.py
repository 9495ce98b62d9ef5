"""How long a year of ten million attempts takes to be read; what booking one costs stands in `records.py`."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time

READING_GOAL = 3.0
"""Seconds for `byollm usage` over 10,000,000 attempts."""
ATTEMPTS = 10_000_000
KINDS = 50
HOURS = 365 * 24


def year(path: str, seed: int = 1) -> None:
    """The rollups of ten million attempts: fifty kinds, every hour of a year."""
    from byollm_ledger.address import open_store
    from byollm_ledger.fold import Fold, roll
    from byollm_ledger.row import Kind
    from byollm_ledger.schema import MEASURES

    chance = random.Random(seed)
    each = ATTEMPTS // (KINDS * HOURS) + 1
    store = open_store(path)
    with store.transaction():
        fold = Fold(store, "year")
        for number in range(KINDS):
            tenant, task, provider = f"tenant-{number % 5}", f"task-{number % 7}", f"provider-{number % 3}"
            model = f"model-{number % 11}"
            kind = fold.kind(Kind(tenant, task, f"d{number}", provider, model, "api.test", False, None, "tenant"))
            cells = {}
            for hour in range(HOURS):
                known = dict.fromkeys(MEASURES, 0)
                known |= {"attempts": each, "calls": each, "answered": each, "timed": each, "class_7": each}
                known |= {"input_tokens": each * 900, "output_tokens": each * 120, "micros": each * 900_000}
                known["cost_pico"] = each * chance.randint(10**8, 10**9)
                cells[490_000 + hour, kind, "USD"] = [known[name] for name in MEASURES]
            roll(store, cells)
    store.close()


def reading(runs: int = 3) -> float:
    """Seconds of wall time that `byollm usage --json` takes over a year of ten million attempts: the median."""
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/usage.db"
        year(path)
        for _ in range(runs):
            start = time.perf_counter()
            words = [sys.executable, "-m", "byollm", "usage", "--ledger", path, "--json"]
            done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=folder)
            spent.append(time.perf_counter() - start)
            if json.loads(done.stdout)["total"]["attempts"] < ATTEMPTS:
                raise SystemExit("the report does not count every attempt")
    return statistics.median(spent)


if __name__ == "__main__":
    print(f"{reading():.2f} s")
