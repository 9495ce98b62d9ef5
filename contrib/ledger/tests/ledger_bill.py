"""A provider that bills: what it would charge, against what the ledger booked, over many faulted calls."""

from __future__ import annotations

import random
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger_clients import cells_of, target

import byollm
from byollm.errors import ByollmError, OverloadedError, RateLimitError, ServerError
from byollm.plugin import Usage
from byollm_ledger import read
from byollm_sandbox import Answer, Fault, Twins, serve

MILLION = 1_000_000
OUTPUT = 60
LATE = 0.4


class Biller:
    """Answers by chance, and keeps its own books: what was made is charged, whether it arrived or not."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.charged = Decimal(0)
        self.ways: dict[str, int] = {}

    def charge(self, usage: Usage) -> None:
        self.charged += (usage.input_tokens or 0) + 2 * (usage.output_tokens or 0)  # PRICE, a million times

    def __call__(self, request: Any) -> Any:
        with self.lock:
            return self.answer(request)

    def answer(self, request: Any) -> Any:
        """The next way to answer: refused and free, made and charged, made and charged and lost."""
        usage = Usage(self.chance.randint(1, 40), self.chance.randint(1, OUTPUT))
        way = self.chance.choices(
            ["answered", "busy", "silent", "reset", "gone", "cut", "truncated", "malformed", "garbage", "hang", "json"],
            [60, 8, 4, 5, 5, 5, 4, 4, 3, 0.6, 3],
        )[0]  # fmt: skip
        self.ways[way] = self.ways.get(way, 0) + 1
        if way == "busy":
            return self.chance.choice([OverloadedError("busy"), RateLimitError("slow down"), ServerError("down")])
        self.charge(usage)
        if way == "silent":
            return Answer(parts="done", usage=Usage())
        faults = {
            "reset": Fault("reset"), "gone": Fault("disconnect"), "hang": Fault("delay", seconds=LATE),
            "cut": Fault("cut", after=self.chance.randint(0, 3)), "truncated": Fault("cut", after=1, how="truncate"),
            "malformed": Fault("malformed"), "garbage": Fault("garbage"), "json": Fault("json-for-stream"),
        }  # fmt: skip
        return Answer(parts="done and dusted, as it were", usage=usage, fault=faults.get(way))


def billed(folder: Path, calls: int, seed: int) -> dict[str, Any]:
    """Make the calls, half of them streams; then both books."""
    path = str(folder / "usage.db")
    biller = Biller(seed)
    with serve() as twin:
        twin.script(*[biller] * (calls * 5))
        with byollm.Client(configuration(twin, path)) as client:
            failed = ask(client, calls)
    rows = list(read(path))
    kept, told = cells_of(path)
    certain = sum(((row.cost or Decimal(0)) for row in rows if row.certain), Decimal(0))
    unknown = sum(((row.possible or Decimal(0)) for row in rows if not row.certain), Decimal(0))
    return {
        "calls": calls, "failed": failed, "rows": len(rows), "certain": certain, "billed": biller.charged / MILLION,
        "unknown": unknown, "unsure": sum(not row.certain for row in rows), "ways": biller.ways,
        "rollups_hold": kept == told, "unbounded": sum(not row.certain and row.possible is None for row in rows),
    }  # fmt: skip


def configuration(twin: Twins, path: str) -> dict[str, Any]:
    """Two deployments, little patience."""
    more = {"timeout": {"first_byte": LATE / 2, "idle": LATE / 2}, "retries": {"attempts": 2, "total": 3}}
    deployments = {name: target(twin, name, **more) for name in ("first", "second")}
    return {
        "llm_config": {
            "deployments": deployments,
            "tasks": {"sums": {"route": ["first", "second"]}},
            "observers": [{"name": "ledger", "path": path}],
        }
    }


def ask(client: byollm.Client, calls: int) -> int:
    """How many were not answered."""
    failed = 0
    numbers = iter(range(calls))
    lock = threading.Lock()

    def work() -> None:
        nonlocal failed
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                if number % 2:
                    client.complete(f"number {number}", max_tokens=OUTPUT)
                else:
                    with client.stream(f"number {number}", max_tokens=OUTPUT) as stream:
                        list(stream)
            except ByollmError:
                with lock:
                    failed += 1

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return failed
