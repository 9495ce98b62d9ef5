"""Many tenants on one client: whose key was used for whose call."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import byollm
from tests.soak.echo import digest

TENANTS = 50


def key_of(number: int) -> str:
    """A tenant's own key."""
    return f"sk-tenant-{number:02d}-0123456789abcdef"


def config(base: str) -> dict[str, Any]:
    """One deployment with a platform key that no call here may use, and a key for every tenant."""
    tenants = {f"t{number}": {"credentials": {"custom": {"api_key": key_of(number)}}} for number in range(TENANTS)}
    target = {"provider": "custom", "model": "m", "endpoint": base, "api_key": "sk-platform-0123456789abcdef"}
    return {"llm_config": {"deployments": {"only": target}, "default": "only", "tenants": tenants}}


def interleaved(calls: int, seed: int) -> list[str]:
    """Calls of random tenants, half from 64 tasks, half from 8 threads; the answers that were meant for another."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "echo.py")], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    wrong: list[str] = []
    try:
        asyncio.run(_tasks(base, calls // 2, seed, wrong))
        _threads(base, calls - calls // 2, seed + 1, wrong)
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()
    return wrong


def _judge(reply: byollm.Completion, number: int, prompt: str, wrong: list[str]) -> None:
    if reply.text != f"{digest(key_of(number))} {prompt}":
        wrong.append(f"t{number}: {reply.text[:60]}")


async def _tasks(base: str, calls: int, seed: int, wrong: list[str]) -> None:
    async with byollm.AsyncClient(config(base)) as client:

        async def work(share: int, lot: int) -> None:
            chance = random.Random(seed * 1000 + lot)
            for place in range(share):
                number, prompt = chance.randrange(TENANTS), f"{lot}-{place}"
                _judge(await client.complete(prompt, tenant=f"t{number}"), number, prompt, wrong)

        await asyncio.gather(*[work(calls // 64 + (lot < calls % 64), lot) for lot in range(64)])


def _threads(base: str, calls: int, seed: int, wrong: list[str]) -> None:
    with byollm.Client(config(base)) as client:

        def work(share: int, lot: int) -> None:
            chance = random.Random(seed * 1000 + lot)
            for place in range(share):
                number, prompt = chance.randrange(TENANTS), f"{lot}-{place}"
                _judge(client.complete(prompt, tenant=f"t{number}"), number, prompt, wrong)

        threads = [threading.Thread(target=work, args=(calls // 8 + (lot < calls % 8), lot)) for lot in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
