"""Each library in a child process, the twin in this one: the facts of every scenario."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from byollm_sandbox import Twins, serve
from tests.peers.environments import ROOT, Environment, Library
from tests.peers.scenarios import KEY, PLAIN, SCENARIOS, Scenario

START = 90.0
"""Seconds a library may take to be imported."""
LIMIT = 40.0
"""Seconds a scenario may take; then the library hangs, which is a verdict. (openai waits at most 60 s for a 429.)"""

QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import fetches a price list
    "LANGSMITH_TRACING": "false",
    "PYTHONUTF8": "1",
    "PYTHONNOUSERSITE": "1",
}


class Child:
    """A library's process. `limit`: seconds after which a call is said to hang."""

    def __init__(self, library: Library, environment: Environment, home: Path) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "LANG") if name in os.environ}
        private = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "LLM_USER_PATH": str(home / "llm")}
        self.process = subprocess.Popen(
            [str(environment.python), "-m", "tests.peers.child", library.module, library.distribution],
            cwd=ROOT,
            env={**kept, **private, **QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self.limit = LIMIT
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.hello = self.answer(START)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The facts of one call; {"hung": True} or {"died": …} when there are none."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self.answer(self.limit)

    def answer(self, seconds: float) -> dict[str, Any]:
        """The next line it writes."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return {"hung": True, "seconds": seconds}
        if not line:
            return {"died": self.process.wait(10)}
        facts: dict[str, Any] = json.loads(line)
        return facts

    @property
    def usable(self) -> bool:
        """It runs and was imported."""
        return "version" in self.hello and self.process.poll() is None

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self._reader.join(5)
        self.process.stdout.close()


def measure(library: Library, environment: Environment) -> dict[str, Any]:
    """Versions, and the facts of each scenario by its number. Raises RuntimeError for what cannot be imported."""
    with tempfile.TemporaryDirectory() as folder, serve(stand_in=False) as twin:
        home = Path(folder)
        child = Child(library, environment, home)
        hello, facts = child.hello, {}
        try:
            for scenario in (*PLAIN, *SCENARIOS):
                if not child.usable:
                    child.close()
                    child = Child(library, environment, home)
                if not child.usable:
                    raise RuntimeError(f"{library.name} cannot be imported: {child.hello}")
                facts[str(scenario.number)] = play(scenario, child, twin)
                if "hung" in facts[str(scenario.number)]:
                    child.process.kill()
                    child.process.wait(5)
        finally:
            child.close()
    return {**hello, "own": library.own, "unmet": environment.unmet, "scenarios": facts}


def play(scenario: Scenario, child: Child, twin: Twins) -> dict[str, Any]:
    """One scenario: what the child tells, and what the twin saw."""
    twin.clear()
    scenario.prepare(twin)
    arrivals: list[float] = []
    done = threading.Event()
    watcher = threading.Thread(target=_clock, args=(twin, arrivals, done), daemon=True)
    watcher.start()
    question = {
        "how": scenario.how,
        "debug": scenario.debug,
        "base": twin.url("openai-chat"),
        "key": KEY,
        "tools": scenario.tools,
        "parameters": scenario.parameters,
    }
    facts = child.ask(question)
    options = child.hello["usage_asked"]
    if scenario.usage and facts.get("usage") is None and options:
        scenario.prepare(twin)
        facts["asked"] = child.ask({**question, "parameters": options})
    done.set()
    watcher.join()
    requests = twin.requests
    facts["requests"] = [{"status": each.status, "body": each.json} for each in requests]
    facts["gaps"] = [round(later - earlier, 2) for earlier, later in itertools.pairwise(arrivals)]
    facts["twin_failures"] = [repr(each) for each in twin.failures]
    return facts


def _clock(twin: Twins, arrivals: list[float], done: threading.Event) -> None:
    # The twin keeps no times; 10 ms are fine enough for waits of a second.
    while True:
        ended = done.is_set()
        arrivals += [time.monotonic()] * (len(twin.requests) - len(arrivals))
        if ended:
            return
        done.wait(0.01)
