"""One library in one process: `python -m tests.peers.child ADAPTER DISTRIBUTION`.

Reads a JSON line {"how", "debug", "base", "key", "tools", "parameters"} and writes one with the facts, until the input
ends. It imports nothing but the standard library and the adapter, because it runs in the library's own environment.
"""

from __future__ import annotations

import importlib
import io
import json
import logging
import os
import platform
import sys
import time
import warnings
from importlib.metadata import distributions, version
from typing import Any

from tests.peers import guard, witness
from tests.peers.adapters.common import Adapter, Ask, Seen


class Printed(io.StringIO):
    """Takes what a library prints or logs, so that it neither garbles the answers nor goes unread."""

    def take(self) -> str:
        """What came since the last time."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def main() -> int:
    """Say hello with the versions, then answer until the input ends."""
    name, distribution = sys.argv[1:3]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    printed, logged = Printed(), Printed()
    sys.stdout = sys.stderr = printed
    logging.basicConfig(stream=logged)
    guard.install()
    started = time.monotonic()
    adapter: Any = importlib.import_module(name)
    hello = {
        "version": version(distribution),
        "python": platform.python_version(),
        "installed": {each.name: each.version for each in distributions()},
        "usage_asked": getattr(adapter, "USAGE_ASKED", None),
        "import_seconds": round(time.monotonic() - started, 2),
        "refused_hosts": guard.refused[:],
        "printed": printed.take()[: witness.LONGEST],
    }
    logged.take()
    tell(answers, hello)
    for line in sys.stdin:
        tell(answers, one_call(adapter, json.loads(line), printed, logged))
    return 0


def one_call(adapter: Adapter, asked: dict[str, Any], printed: Printed, logged: Printed) -> dict[str, Any]:
    """One call, and everything that can be known about it from inside."""
    how, key = asked.pop("how"), asked["key"]
    logging.getLogger().setLevel(logging.DEBUG if asked.pop("debug") else logging.WARNING)
    seen, error = Seen(), None
    guard.refused.clear()
    started = time.monotonic()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)  # sockets that the collector finds; not what is measured
        try:
            getattr(adapter, how)(Ask(**asked), seen)
        except Exception as raised:
            error = witness.describe(raised, key, seen.text)
    seconds = time.monotonic() - started
    output = printed.take()
    said = {"printed": output, "log": logged.take(), "warnings": " ".join(str(each.message) for each in warned)}
    return {
        **seen.facts(),
        "error": error,
        "seconds": round(seconds, 2),
        "warnings": [f"{each.category.__name__}: {each.message}"[:300] for each in warned],
        "printed": output[-witness.LONGEST :],
        "leaks": [*(error["leaks"] if error else ()), *witness.leaks(said, key)],
        "refused_hosts": guard.refused[:],
    }


def tell(answers: Any, facts: dict[str, Any]) -> None:
    """One line of JSON."""
    answers.write(json.dumps(facts, default=repr) + "\n")
    answers.flush()


if __name__ == "__main__":
    raise SystemExit(main())
