"""One worker of a service: `python ledger_agreements.py CONFIG CALLS READ_EVERY PAUSE` prints who answered how often.

Each call waits `PAUSE` seconds first, so that the speed of all workers together is bounded however fast the machine is.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter

import byollm
from byollm.routing import agreements


def main(config: str, calls: int, read_every: float, pause: float) -> None:
    """All calls of one worker, and what `explain` says at the end."""
    agreements.READ_EVERY = read_every  # type: ignore[misc]  # a test has no time for the usual two seconds
    answered: Counter[str] = Counter()
    with byollm.Client(json.loads(config)) as client:
        for _ in range(calls):
            time.sleep(pause)
            answered[client.complete("hi", max_tokens=10).deployment or ""] += 1
        told = {candidate.deployment: candidate.reason for candidate in client.explain("hi")}
    print(json.dumps({**answered, "explained": told["first"]}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
