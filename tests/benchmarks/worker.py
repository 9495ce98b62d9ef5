"""One contender in one process: runs what it is told and answers with CPU and wall seconds.

Reads a JSON line {"part", "times"} and writes one {"cpu", "wall"}. Every answer is checked: the text as it was sent,
non-ASCII included, and the usage.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, also by an interpreter of another environment

from tests.benchmarks.contenders import make
from tests.benchmarks.server import EVENTS, MARKER, PIECE, TEXT, USAGE

PROMPT = MARKER.decode() + " " + "Please answer at length. " * 40


def _check(answer: Any) -> None:
    if tuple(answer) != (TEXT, USAGE["completion_tokens"]):
        raise SystemExit(f"the answer was read wrongly: {str(answer)[:200]}")


def sync_call(contender: Any, times: int) -> None:
    """Whole answers, one after the other."""
    for _ in range(times):
        _check(contender.call("bench-whole", PROMPT))


async def _many(contender: Any, times: int, width: int) -> None:
    async def one() -> None:
        for _ in range(times // width):
            _check(await contender.acall("bench-whole", PROMPT))

    await asyncio.gather(*[one() for _ in range(width)])


def stream(contender: Any, times: int) -> None:
    """Bursts of 500 events."""
    for _ in range(times // EVENTS):
        texts = list(contender.stream("bench-burst", PROMPT))
        if "".join(texts) != PIECE * EVENTS:
            raise SystemExit("the stream was read wrongly")


def first_event(contender: Any, times: int) -> float:
    """Median seconds until the first text of a paced stream."""
    waits = []
    for _ in range(times):
        start = time.perf_counter()
        texts = contender.stream("bench-paced", PROMPT)
        next(texts)
        waits.append(time.perf_counter() - start)
        for _ in texts:
            pass
    return sorted(waits)[len(waits) // 2]


def main() -> None:
    """Until the input ends."""
    name, base = sys.argv[1:3]
    contender = make(name, base)
    loop = asyncio.new_event_loop()
    for line in sys.stdin:
        asked = json.loads(line)
        part, times = asked["part"], asked["times"]
        cpu, wall = time.process_time(), time.perf_counter()
        told = None
        if part == "sync":
            sync_call(contender, times)
        elif part == "async":
            loop.run_until_complete(_many(contender, times, 1))
        elif part == "async64":
            loop.run_until_complete(_many(contender, times, 64))
        elif part == "stream":
            stream(contender, times)
        else:
            told = first_event(contender, times)
        answer = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        if told is not None:
            answer["cpu"] = told
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
