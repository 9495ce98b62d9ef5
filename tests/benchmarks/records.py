"""What a ledger and an audit add to a call: CPU of the whole process, threads included, in interleaved rounds.

`python -m tests.benchmarks.records` prints it. The transport answers at once; the target is at most 60 µs for both.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.server import DOCUMENT, TEXT

RECORDS_GOAL: Final = 60.0
"""Microseconds of CPU that both may add to a call."""


def _client(observers: list[Any]) -> Any:
    import byollm
    from byollm.transports.replay import ReplayTransport

    price = {"input": 1, "output": 2}
    target = {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-q7Zr4Vt9Xw2Ls5Ny"}
    client = byollm.Client({**target, "pricing": price}, observers=observers)
    client._transport = ReplayTransport(200, {"content-type": "application/json"}, [DOCUMENT])
    if client.complete("hi").text != TEXT:
        raise SystemExit("the core read the answer wrongly")
    return client


def _ledger(folder: Path) -> Any:
    from byollm_ledger import Ledger

    return Ledger(path=str(folder / "usage.db"))


def _audit(folder: Path) -> Any:
    from byollm_audit import Audit
    from byollm_audit.keys import new_key

    if not (folder / "audit.key").exists():
        new_key(folder / "audit.key")
    return Audit(path=folder / f"audit-{time.monotonic_ns()}", key=f"file:{folder / 'audit.key'}", required=True)


KINDS: Final[dict[str, list[Callable[[Path], Any]]]] = {
    "neither": [],
    "audit": [_audit],
    "ledger": [_ledger],
    "ledger and audit": [_ledger, _audit],
}


def added(rounds: int = 40, calls: int = 100) -> dict[str, float]:
    """Microseconds of CPU that each adds to a call, and the calls a second (wall) with both."""
    with tempfile.TemporaryDirectory() as name:
        clients = {}
        for number, (kind, makers) in enumerate(KINDS.items()):
            folder = Path(name) / str(number)
            folder.mkdir()
            clients[kind] = _client([make(folder) for make in makers])
        spent: dict[str, list[float]] = {kind: [] for kind in clients}
        wall: list[float] = []
        for _ in range(rounds):
            for kind, client in clients.items():
                start, started = time.process_time(), time.perf_counter()
                for _ in range(calls):
                    client.complete("hi", max_tokens=500, temperature=0.5, labels={"team": "search"})
                spent[kind].append((time.process_time() - start) / calls * 1e6)
                if kind == "ledger and audit":
                    wall.append(calls / (time.perf_counter() - started))
        for client in clients.values():
            client.close()
    best = {kind: min(values) for kind, values in spent.items()}  # other work on the machine can only add
    bare = best.pop("neither")
    return {**{kind: value - bare for kind, value in best.items()}, "calls a second": max(wall)}


if __name__ == "__main__":
    for kind, value in added().items():
        print(f"{kind:<18}{value:8.1f}{'' if kind == 'calls a second' else ' us of CPU a call'}")
