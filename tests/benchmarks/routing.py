"""What choosing and limits cost."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.server import MARKER

HERE = Path(__file__).parent
COUNT = 20
POLICIES: dict[str, dict[str, Any]] = {
    "failover": {},
    "cheapest": {},
    "fastest": {},
    "by_region": {"regions": {"europe": ["d3"]}},
    "spread": {},
    "off_peak": {"hours": "22:00-06:00", "timezone": "Europe/Berlin", "use": ["d3"]},
    "prefer": {"first": "d4", "amount": 5},
}


def _config(**more: Any) -> dict[str, Any]:
    names = [f"d{number}" for number in range(COUNT)]
    deployments = {
        name: {
            "provider": "custom",
            "model": name,
            "endpoint": "http://127.0.0.1:9",
            "authentication": "none",
            "pricing": {"input": number + 1, "output": number + 2},
            **more,
        }
        for number, name in enumerate(names)
    }
    tasks = {name: {"route": {"policy": name, "over": names, **more}} for name, more in POLICIES.items()}
    return {"llm_config": {"deployments": deployments, "tasks": {"plain": {"route": names}, **tasks}}}


def choosing(rounds: int = 30, calls: int = 100) -> dict[str, float]:
    """Microseconds of CPU that a policy over 20 deployments adds to a call, each against the order of the file."""
    import byollm

    client = byollm.Client(_config())

    def prepare(task: str) -> float:
        start = time.process_time()
        for _ in range(calls):
            client.prepare("Which of them, and why?", {"task": task}, stream=False)
        return (time.process_time() - start) / calls * 1e6

    added: dict[str, list[float]] = {name: [] for name in POLICIES}
    for task in ("plain", *POLICIES):
        prepare(task)
    for _ in range(rounds):
        plain = prepare("plain")
        for name in POLICIES:
            added[name].append(prepare(name) - plain)
    return {name: statistics.median(values) for name, values in added.items()}


def sharing(rounds: int = 9, tasks: int = 64, calls: int = 10) -> float:
    """Calls a CPU second of 64 tasks that share limits which never bind, against the same without limits: a ratio."""
    server = subprocess.Popen([sys.executable, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        return asyncio.run(_shared(f"http://127.0.0.1:{server.stdout.readline().strip()}", rounds, tasks, calls))
    finally:
        server.terminate()
        server.wait(10)


async def _shared(base: str, rounds: int, tasks: int, calls: int) -> float:
    import byollm

    limits = {"requests_per_minute": 10**9, "tokens_per_minute": 10**12, "concurrency": 100_000}
    target = {"provider": "custom", "model": "bench-whole", "endpoint": base, "authentication": "none"}
    free, bound = byollm.AsyncClient(target), byollm.AsyncClient({**target, "limits": limits})

    async def seconds(client: Any) -> float:
        async def one() -> None:
            for _ in range(calls):
                await client.complete(MARKER.decode())

        start = time.process_time()
        await asyncio.gather(*[one() for _ in range(tasks)])
        return time.process_time() - start

    for client in (free, bound):
        await seconds(client)
    ratios = [await seconds(free) / await seconds(bound) for _ in range(rounds)]
    await free.aclose()
    await bound.aclose()
    return statistics.median(ratios)
