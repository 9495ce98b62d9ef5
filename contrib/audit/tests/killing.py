"""Kill a process that asks and records, at times drawn over the whole call: `killing.py TIMES SEED NAME`.

One process imports everything once and forks a child for each cycle. The child asks a twin, and writes the id of each
reply to a pipe that outlives it: that is what acknowledged means. At the end: every acknowledged reply is in the record
exactly once, with its intent, and the chain is whole. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from byollm import Client
from byollm_audit import Audit
from byollm_audit.keys import Key, new_key
from byollm_audit.verify import records, verify
from byollm_sandbox import serve

CALLS = 10
"""Calls that a child lives for at most: its time is drawn from what so many take here and now."""


def ask(target: dict[str, Any], options: dict[str, Any], pipe: int, cycle: int, times: int = 1_000_000) -> None:
    """Ask until killed."""
    with Client(target, observers=[Audit(**options)]) as client:
        for number in range(times):
            reply = client.complete(f"question {number} of cycle {cycle}")
            os.write(pipe, f"{reply.id}\n".encode())


def measured(target: dict[str, Any], options: dict[str, Any], pipe: int) -> float:
    """The seconds that a child which nobody kills takes for its calls."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        ask(target, options, pipe, -1, CALLS)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    return time.monotonic() - started


def cycle(target: dict[str, Any], options: dict[str, Any], pipe: int, number: int, seconds: float) -> None:
    """One child, killed after some seconds."""
    child = os.fork()
    if child == 0:
        try:
            ask(target, options, pipe, number)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"


def served(pipe: int) -> None:
    """The twin, in a process of its own that ends with its parent."""
    with serve() as twin:
        os.write(pipe, twin.url("openai-chat").encode() + b"\n")
        while os.getppid() != 1:
            time.sleep(0.2)


def run(times: int, seed: int, folder: Path, name: str) -> dict[str, Any]:
    """All cycles, and what is left of them."""
    reading, writing = os.pipe()
    twin = os.fork()
    if twin == 0:
        served(writing)
        os._exit(0)
    url = os.read(reading, 4096).decode().strip()
    new_key(folder / "key")
    target = {"provider": "custom", "model": "m", "endpoint": url, "api_key": "k-1234567890"}
    options = {"path": folder / name, "key": f"file:{folder / 'key'}", "required": True, "segment_megabytes": 0.02}
    with Client(target, observers=[Audit(**{**options, "path": folder / f"warm-{name}"})]) as client:
        client.complete("so that everything is imported before the first fork")
    chance = random.Random(seed)
    longest = max(measured(target, options, writing) for _ in range(2))
    acknowledged: list[str] = []
    os.set_blocking(reading, False)
    try:
        for number in range(times):
            cycle(target, options, writing, number, chance.uniform(0, longest))
            acknowledged += _told(reading)
    finally:
        os.kill(twin, signal.SIGKILL)
        os.waitpid(twin, 0)
    audit = Audit(**options)
    audit.store.append(b'{"kind":"note"}')
    found = list(records(audit.store.lines()))
    intents = {(it["operation"], it["attempt"]) for it in found if it["kind"] == "intent"}
    outcomes = [it for it in found if it["kind"] == "outcome"]
    replies = Counter(it["reply"] for it in outcomes)
    report = verify(folder / name, Key(options["key"]).derive("chain"), [audit.store.head()])
    return {
        "cycles": times,
        "longest_ms": round(longest * 1000),
        "acknowledged": len(acknowledged),
        "lost": sum(replies[each] == 0 for each in acknowledged),
        "doubled": sum(count > 1 for count in replies.values()),
        "without_intent": sum((it["operation"], it["attempt"]) not in intents for it in outcomes),
        "problems": report.problems,
        "records": report.records,
        "segments": report.segments,
        "open": report.open,
        "repaired": report.repaired,
    }


def _told(reading: int) -> list[str]:
    data = b""
    try:
        while piece := os.read(reading, 65536):
            data += piece
    except BlockingIOError:
        pass
    return data.decode().split()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), Path(name), sys.argv[3])))
