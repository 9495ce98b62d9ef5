"""What needs no server: the core alone, and importing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import entry_points
from typing import Any

from tests.benchmarks.server import DOCUMENT, TEXT, USAGE

HTTPX = "import httpx; httpx.Client()"
READY = (
    "import byollm; c = byollm.Client("
    '{"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-q7Zr4Vt9Xw2Ls5Ny"}'
    '); c.line("default")'
)
CORE = """
import sys
import byollm, byollm.plugin, stevedore.driver, stevedore.extension
from byollm.providers.discovery import listed
byollm.Client({"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-q7Zr4Vt9Xw2Ls5Ny"})
listed()
"""
"""Core as it is when it comes to its first plugin: a configuration is read, the installed plugins are listed."""
TIMED = "import time; s = time.process_time(); {}; print(time.process_time() - s)"


class Answering:
    """A transport that answers at once, and keeps nothing: what is measured is not its own."""

    def __init__(self) -> None:
        from byollm.wire.exchange import Head

        self.head = Head(200, {"content-type": "application/json"})

    def open(self, outgoing: Any) -> Answer:
        """The same answer, whatever was asked."""
        return Answer(self.head)


class Answer:
    """One whole document."""

    __slots__ = ("head", "rest")

    def __init__(self, head: Any) -> None:
        self.head = head
        self.rest = DOCUMENT

    def read(self) -> bytes:
        """The document, then the end."""
        data, self.rest = self.rest, b""
        return data

    def close(self, reuse: bool) -> None:
        """Nothing is open."""


def core_alone(rounds: int = 15, calls: int = 300) -> float:
    """Microseconds of CPU a call: fit, translate, read, assemble, JSON both ways; a transport that answers at once."""
    import byollm

    client = byollm.Client(
        {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-q7Zr4Vt9Xw2Ls5Ny"}
    )
    client._transport = Answering()  # type: ignore[assignment]  # as much of a transport as a call needs
    best = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            reply = client.complete("hi", max_tokens=500, temperature=0.5)
        best.append((time.process_time() - start) / calls * 1e6)
        if (reply.text, reply.usage.output_tokens) != (TEXT, USAGE["completion_tokens"]):
            raise SystemExit("the core read the answer wrongly")
    return statistics.median(best)


def _cpu(code: str, before: str = "", cache: str = "") -> float:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    if cache:
        environment["PYTHONPYCACHEPREFIX"] = cache
    script = before + TIMED.format(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
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


def modules_of_plugins() -> dict[str, str]:
    """The module that each installed provider's entry point names."""
    return {
        point.name: point.module for point in sorted(entry_points(group="byollm.providers"), key=lambda it: it.name)
    }


def plugin_imports(rounds: int) -> dict[str, float]:
    """Milliseconds of CPU that importing each plugin adds over core, what it builds on included: medians.

    Each in a fresh process, with bytecode cached as for an installed distribution.
    """
    modules = modules_of_plugins()
    found: dict[str, list[float]] = {name: [] for name in modules}
    with tempfile.TemporaryDirectory() as cache:
        for turn in range(rounds + 1):  # the first one compiles
            for name, module in modules.items():
                spent = _cpu(f"import {module}", before=CORE, cache=cache)
                found[name] += [spent * 1e3] if turn else []
    return {name: statistics.median(values) for name, values in found.items()}
