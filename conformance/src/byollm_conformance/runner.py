"""The parent: children that run the checks, stopped when they hang, replaced when they die.

Whatever a plugin does, every check gets a result by name, and this process goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from byollm.errors import ConfigError
from byollm_conformance import checks
from byollm_conformance.effort import Effort
from byollm_conformance.model import REGISTRY, Check, Result
from byollm_conformance.targets import Reference, Settings

DEATHS: Final = 6
"""So many children may die before the rest of the checks is given up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: `ids` of checks in order, on which APIs and model, against which wire, how hard, how long.

    `patience`: seconds for one check, and for the import. `processes`: children at a time.
    """

    reference: Reference
    settings: Settings = field(default_factory=Settings)
    ids: Sequence[str] = ()
    effort: Effort = field(default_factory=Effort)
    model: str | None = None
    api: str | None = None
    exchanges: str | None = None
    wire: str | None = None
    patience: float = 60.0
    processes: int = 2


@dataclass(slots=True)
class Report:
    """What came out. `subjects` describes each API, `facts` the import; `broken` says why nothing could be asked."""

    reference: Reference
    results: list[Result] = field(default_factory=list)
    subjects: list[Mapping[str, Any]] = field(default_factory=list)
    facts: Mapping[str, Any] = field(default_factory=dict)
    broken: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Child:
    """One child process, spoken to in lines."""

    def __init__(self, plan: Plan) -> None:
        self.patience = plan.patience
        self.output = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the child)
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "byollm_conformance.worker", str(writing)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=self.output,
            pass_fds=[writing],
            start_new_session=True,
        )
        os.close(writing)
        self._reading = reading
        self._rest = b""
        self.send(
            name=plan.reference.name,
            apis={name: dict(given) for name, given in plan.settings.apis.items()},
            model=plan.model,
            api=plan.api,
            exchanges=plan.exchanges,
            wire=plan.wire,
            max_examples=plan.effort.max_examples,
            seed=plan.effort.seed,
            shrink=plan.effort.shrink,
        )

    def send(self, **message: Any) -> None:
        """One line. A child that is gone shows at the next `receive`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self, kind: Sequence[str]) -> Mapping[str, Any] | str:
        """The next message of a kind, or, as a text, why there is none: the child is then gone."""
        until = time.monotonic() + self.patience
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                message: Mapping[str, Any] = json.loads(line)
                if any(name in message for name in kind):
                    return message
                continue
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._reading], [], [], left)[0]:
                self.end()
                return f"it was still at it after {self.patience:g} s, and was stopped"
            data = os.read(self._reading, 65536)
            if not data:
                return self._death()
            self._rest += data

    def _death(self) -> str:
        code = self.process.wait()
        self.end()
        if code < 0:
            return f"the process died of {signal.Signals(-code).name}"
        return f"the process was ended (exit code {code})"

    def words(self) -> str:
        """What it wrote last."""
        self.output.seek(0)
        return self.output.read()[-500:].decode("utf-8", "replace").strip()

    def end(self) -> None:
        """Stop it and whatever it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        if self._reading >= 0:
            os.close(self._reading)
            self._reading = -1


class Runner:
    """Runs a plan. `told` is called with each result as it comes."""

    def __init__(self, plan: Plan, told: Callable[[Result], None] | None = None) -> None:
        self.plan = plan
        self.registry = checks.load()
        self.report = Report(plan.reference)
        self.told = told or (lambda result: None)
        self._jobs: deque[tuple[Check, str]] | None = None
        self._lock = threading.Lock()
        self._deaths = 0
        self._wrong: ConfigError | None = None

    def run(self) -> Report:
        """All of it. Raises ConfigError for a plan that cannot be: an API the plugin lacks, broken recordings."""
        start = time.monotonic()
        self.report.broken = self.plan.reference.refused
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(max(1, self.plan.processes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._wrong is not None:
            raise self._wrong
        self._unrun()
        self._printed()
        order = {id: number for number, id in enumerate(self.registry)}
        self.report.results.sort(key=lambda result: (order[result.id], result.api))
        self.report.seconds = time.monotonic() - start
        return self.report

    def _work(self) -> None:
        while True:
            with self._lock:
                if self.report.broken or self._deaths >= DEATHS or (self._jobs is not None and not self._jobs):
                    return
            child = Child(self.plan)
            try:
                if not self._begin(child):
                    return
                self._serve(child)
            finally:
                child.end()
                child.output.close()

    def _begin(self, child: Child) -> bool:
        message = child.receive(("ready", "broken", "wrong"))
        with self._lock:
            if not isinstance(message, str) and "wrong" in message:
                self._wrong = ConfigError(message["wrong"], hint=message["hint"])
                return False
            if isinstance(message, str) or "broken" in message:
                if not self.report.subjects:
                    words = child.words()
                    told = {"printed": words} if words else {}
                    self.report.broken = message if isinstance(message, str) else message["broken"]
                    self.report.evidence = told if isinstance(message, str) else {**message["evidence"], **told}
                return False
            if self._jobs is None:
                self.report.subjects, self.report.facts = message["ready"], message["facts"]
                self._jobs = self._planned([item["api"] for item in message["ready"]])
        return True

    def _planned(self, apis: Sequence[str]) -> deque[tuple[Check, str]]:
        jobs: deque[tuple[Check, str]] = deque()
        for id in self.plan.ids or self.registry:
            check = self.registry[id]
            jobs.extend((check, api) for api in (apis[:1] if check.plugin else apis))
        return jobs

    def _serve(self, child: Child) -> None:
        while True:
            with self._lock:
                if not self._jobs or self._deaths >= DEATHS:
                    return
                check, api = self._jobs.popleft()
            start = time.monotonic()
            child.send(check=check.id, api=api)
            message = child.receive(("result",))
            if isinstance(message, str):
                words = child.words()
                evidence = {"printed": words} if words else {}
                taken = round((time.monotonic() - start) * 1e3, 1)
                self._tell(Result(check.id, "fail", "" if check.plugin else api, message, "", evidence, 0, taken))
                with self._lock:
                    self._deaths += 1
                return
            self._tell(Result(**message["result"]))
            if message["spoilt"]:
                with self._lock:
                    self._deaths += 1
                return

    def _tell(self, result: Result) -> None:
        with self._lock:
            self.report.results.append(result)
        self.told(result)

    def _unrun(self) -> None:
        """What nobody could ask: the plugin does not load, or died too often."""
        broken = self.report.broken
        if broken:
            for id in self.plan.ids or self.registry:
                first = id == "MET-01"
                words = broken if first else f"the plugin does not load: {broken}"
                evidence = self.report.evidence if first else {}
                self._tell(Result(id, "fail" if first else "untestable", "", words, "", evidence))
        for check, api in self._jobs or ():
            words = f"given up: the plugin ended {self._deaths} processes before"
            self._tell(Result(check.id, "untestable", "" if check.plugin else api, words))

    def _printed(self) -> None:
        """What the plugin printed during any other check is told where it belongs."""
        for result in self.report.results:
            noisy = [other for other in self.report.results if other.printed and other.api == result.api]
            if result.id == "MET-15" and result.outcome == "pass" and noisy:
                result.outcome = "fail"
                result.message = f"the plugin printed while {noisy[0].id} was run"
                result.evidence = {"printed": noisy[0].printed}


def selected(only: Sequence[str] = (), layer: str | None = None) -> list[str]:
    """Ids by exact id, by family (`REQ-07` is REQ-07a and its kin) or area (`STR`), and by layer. Raises KeyError."""
    registry = checks.load()
    found = [id for id, check in registry.items() if layer is None or check.layer == layer]
    if not only:
        return found
    for word in only:
        if not any(_named(id, word) for id in REGISTRY):
            raise KeyError(word)
    return [id for id in found if any(_named(id, word) for word in only)]


def _named(id: str, word: str) -> bool:
    return id == word or id[:3] == word or (id.rstrip("abcdefghijklmnopqrstuvwxyz") == word)
