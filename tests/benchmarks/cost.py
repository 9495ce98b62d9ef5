"""What needs no server: the core alone, and importing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from tests.benchmarks.server import DOCUMENT, TEXT

HTTPX = "import httpx; httpx.Client()"
READY = (
    "import byollm; c = byollm.Client("
    '{"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-bench-0123456789"}'
    '); c.line("default")'
)
TIMED = "import time; s = time.process_time(); {}; print(time.process_time() - s)"


def core_alone(rounds: int = 15, calls: int = 300) -> float:
    """Microseconds of CPU a call: fit, translate, read, assemble, JSON both ways; a transport that answers at once."""
    import byollm
    from byollm.transports.replay import ReplayTransport

    client = byollm.Client(
        {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-bench-0123456789"}
    )
    client._transport = ReplayTransport(200, {"content-type": "application/json"}, [DOCUMENT])
    if client.complete("hi").text != TEXT:
        raise SystemExit("the core read the answer wrongly")
    best = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            client.complete("hi", max_tokens=500, temperature=0.5)
        best.append((time.process_time() - start) / calls * 1e6)
    return statistics.median(best)


def _cpu(code: str) -> float:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(code)], capture_output=True, text=True, check=True, env=environment
    )
    return float(done.stdout)


def import_ratios(rounds: int) -> dict[str, float]:
    """CPU of importing, each against importing httpx and making a client, in fresh processes, interleaved."""
    codes = {"import byollm": "import byollm", "import and a client ready": READY}
    for code in (HTTPX, *codes.values()):
        _cpu(code)  # compile once
    ratios: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(rounds):
        yardstick = _cpu(HTTPX)
        for name, code in codes.items():
            ratios[name].append(_cpu(code) / yardstick)
    return {name: statistics.median(values) for name, values in ratios.items()}
