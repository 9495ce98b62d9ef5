"""Callers that are killed: `python ledger_kills.py LEDGER CYCLES SEED` prints what must hold, as JSON.

Each cycle forks a caller (two threads, two clients' worth of calls), lets it work for a time that is drawn anew, and
kills it with SIGKILL. A call is acknowledged when its id went through a pipe that survives the caller.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ledger_clients import Model, cells_of, client_of

import byollm_ledger
from byollm_ledger.observer import journal_folder

LONGEST = 0.09


class Watch:
    """Knows the id of the call that was answered last, thread by thread."""

    def __init__(self) -> None:
        self.here = threading.local()

    def finished(self, call: Any, attempt: Any) -> None:
        self.here.id = call.id


def caller(path: str, pipe: int, seed: int) -> None:
    """Calls until it is killed."""
    chance = random.Random(seed)
    watch = Watch()
    ledger = byollm_ledger.Ledger(path, interval=chance.choice((0.0, 0.004, 0.02)))
    client = client_of(Model(seconds=chance.choice((0.0, 0.0, 0.002))), observers=[ledger, watch])

    def work() -> None:
        while True:
            client.complete("hi", max_tokens=10)
            os.write(pipe, watch.here.id.encode() + b"\n")

    threading.Thread(target=work).start()
    work()


def cycle(path: str, chance: random.Random) -> list[str]:
    """One life of a caller; what it acknowledged."""
    reading, writing = os.pipe()
    seed = chance.randrange(1 << 30)
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            caller(path, writing, seed)
        finally:
            os._exit(1)
    os.close(writing)
    killer = threading.Timer(chance.uniform(0, LONGEST), os.kill, (child, signal.SIGKILL))
    killer.start()
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    killer.join()
    os.waitpid(child, 0)
    return told.split()


def main(path: str, cycles: int, seed: int) -> dict[str, Any]:
    """All cycles, and what the ledger says afterwards."""
    chance = random.Random(seed)
    acknowledged: list[str] = []
    started = time.monotonic()
    with client_of(Model(), observers=[byollm_ledger.Ledger(path)]) as client:
        client.complete("what is imported once, is imported for all")
    for number in range(cycles):
        acknowledged += cycle(path, chance)
        if number % 7 == 3:
            list(byollm_ledger.read(path, since=0, until=1))  # somebody looks, and takes over
    rows = list(byollm_ledger.read(path))
    seen = Counter((row.call, row.ordinal) for row in rows)
    answered = {row.call for row in rows if row.billed == "yes"}
    kept, told = cells_of(path)
    return {
        "cycles": cycles,
        "acknowledged": len(acknowledged),
        "rows": len(rows),
        "unknown": sum(row.error == byollm_ledger.PROCESS_ENDED for row in rows),
        "lost": sum(call not in answered for call in acknowledged),
        "doubled": sum(count > 1 for count in seen.values()),
        "rollups_hold": kept == told,
        "journals_left": len([name for name in os.listdir(journal_folder(path)) if name != "name"]),
        "seconds": round(time.monotonic() - started, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
