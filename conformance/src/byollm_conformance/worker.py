"""The child process: loads one plugin, runs checks on it one by one, tells the parent over a pipe.

Its standard output and error go to a file that the parent made: what is printed there was printed by the plugin.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from byollm.errors import ConfigError
from byollm_conformance import checks, guard, model
from byollm_conformance.effort import Effort
from byollm_conformance.guard import GUARD
from byollm_conformance.run import run, unaskable
from byollm_conformance.subject import Subject
from byollm_conformance.targets import Settings, describe, find, subjects_of

HEAVY: Final = (
    "openai", "anthropic", "boto3", "botocore", "google.generativeai", "torch", "tensorflow", "transformers", "numpy",
    "pandas", "requests", "aiohttp", "litellm", "langchain", "cohere", "mistralai",
)  # fmt: skip
"""What no plugin needs to translate."""
MEMORY: Final = 1024 * 1024 * 1024
"""Bytes that a plugin may take beyond what the suite itself holds."""


class Worker:
    """One plugin, loaded."""

    def __init__(self, job: Mapping[str, Any], tell: IO[str]) -> None:
        self.job = job
        self.tell = tell
        self.registry = checks.load()
        self.effort = Effort(job["max_examples"], job["seed"], job["shrink"])
        self.subjects: dict[str, Subject] = {}
        self.before: dict[str, int] = {}

    def say(self, **message: Any) -> None:
        """One line to the parent."""
        self.tell.write(json.dumps(message) + "\n")
        self.tell.flush()

    def load(self) -> None:
        """Import the plugin and say what it is; raises nothing of the plugin's but what ends the process."""
        _warm()
        sys.dont_write_bytecode = True  # what the import leaves behind is then the plugin's doing
        reference = find(self.job["name"])
        GUARD.install()
        self.before, was, held = guard.fingerprint(), guard.state(), frozenset(sys.modules)
        start = time.perf_counter()
        GUARD.importing = True
        try:
            plugin = reference.load()
        except BaseException as error:
            GUARD.importing = False
            place = "".join(traceback.format_tb(error.__traceback__)[-1:]).strip()
            self.say(broken=f"the import raised {type(error).__name__}: {error}", evidence={"where": place})
            return
        GUARD.importing = False
        taken = round((time.perf_counter() - start) * 1e3, 1)
        now, after = guard.state(), guard.fingerprint()
        brought = {name for name in sys.modules if name not in held}
        facts = {
            "milliseconds": taken,
            "touched": GUARD.touched,
            "environment": GUARD.names,
            "changed": [name for name, value in was.items() if now[name] != value],
            "patched": guard.patched(self.before, after),
            "heavy": sorted(name for name in HEAVY if name in brought),
            "printed": printed(0),
        }
        self.before = after
        settings = Settings(self.job["apis"])
        try:
            made = subjects_of(
                reference,
                plugin,
                settings,
                model=self.job["model"],
                api=self.job["api"],
                facts=facts,
                exchanges=self.job["exchanges"],
                wire=self.job["wire"],
            )
        except ConfigError as error:
            self.say(wrong=error.message, hint=error.hint)
            return
        except Exception as error:
            self.say(broken=f"it cannot be asked: {type(error).__name__}: {error}", evidence={})
            return
        self._introduce(made, facts)

    def _introduce(self, made: Sequence[Subject], facts: Mapping[str, Any]) -> None:
        try:
            told = [describe(subject) for subject in made]
        except ConfigError as error:
            self.say(broken=unaskable(error), evidence={"hint": error.hint} if error.hint else {})
        except Exception as error:
            self.say(broken=f"it cannot be asked: {type(error).__name__}: {error}", evidence={})
        else:
            self.subjects = {subject.api: subject for subject in made}
            self.say(ready=told, facts=facts)

    def serve(self) -> None:
        """One check for each line: `{"check": id, "api": name}`."""
        for line in sys.stdin:
            asked = json.loads(line)
            check, subject = self.registry[asked["check"]], self.subjects[asked["api"]]
            self.say(begun=check.id)
            start = _size()
            GUARD.refused.clear()
            result = run(check, subject, self.effort)
            result.printed = printed(start)
            spoilt = self._verdict(result)
            self.say(result=asdict(result), spoilt=spoilt)
            if spoilt:
                return

    def _verdict(self, result: model.Result) -> bool:
        """What was seen beside the check itself. True when this process is spoilt."""
        replaced = guard.patched(self.before, guard.fingerprint())
        if replaced:
            result.outcome, result.message = "fail", f"the plugin replaced {', '.join(replaced[:5])}"
        elif GUARD.refused and result.outcome != "fail":
            result.outcome, result.message = "fail", f"the plugin reached for the network: {GUARD.refused[0]}"
        return bool(replaced)


def _warm() -> None:
    """Import what core and suite import lazily, so that it is not taken for the plugin's doing."""
    import asyncio
    import logging.handlers
    import ssl

    import h11
    import hypothesis.strategies
    import pydantic
    import stevedore.driver

    import byollm.async_client
    import byollm.client
    import byollm.config.check
    import byollm.types.openai_style
    import byollm.wire.classify

    _ = (asyncio, logging, ssl, h11, hypothesis, pydantic, stevedore, byollm)


def _size() -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fstat(1).st_size


def printed(start: int) -> str:
    """What was written to standard output or error since then (at most 500 characters)."""
    end = _size()
    if end <= start:
        return ""
    return os.pread(1, 500, start).decode("utf-8", "replace")


def _limit() -> None:
    memory = Path("/proc/self/statm")
    if memory.is_file():  # elsewhere the time limit has to do
        held = int(memory.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = held + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """`python -m byollm_conformance.worker FD`: the job is the first line of standard input."""
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as tell:
        job = json.loads(sys.stdin.readline())
        logging.lastResort = logging.NullHandler()  # the usual one writes a plugin's log to stderr
        worker = Worker(job, tell)
        _limit()
        worker.load()
        if worker.subjects:
            worker.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
