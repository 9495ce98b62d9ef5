"""The same plugin in another process, place and hour: what it makes of a day's work, as one digest for each step.

`python -m byollm_conformance.elsewhere NAME …` prints it as JSON. `digests()` runs that under several environments.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm.errors import ByollmError
from byollm.types.completion import Completion
from byollm_conformance.subject import Subject, Translation

PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "here": {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONOPTIMIZE": ""},
    "elsewhere": {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "PYTHONOPTIMIZE": "2"},
}
"""Two environments that differ in everything that must not matter."""
PATIENCE: Final = 50
"""Seconds for a process, and three more for each plugin in it."""
Digests = Mapping[str, Sequence[str]]
KNOWN: Final[dict[str, dict[str, Sequence[str]]]] = {}
"""Entry → place → digests, where somebody had them made before: the zoo makes all of its specimens' at once."""


def digests(entries: Sequence[str], places: Mapping[str, Mapping[str, str]] = PLACES) -> dict[str, Digests | str]:
    """Place → entry → one digest a step; a text says why a process had none. The processes run side by side."""
    command = [sys.executable, "-m", "byollm_conformance.elsewhere", *entries]
    started = {
        place: subprocess.Popen(
            command,
            env={**os.environ, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        for place, changes in places.items()
    }
    patience = PATIENCE + 3 * len(entries)
    return {place: _answer(process, patience) for place, process in started.items()}


def _answer(process: subprocess.Popen[bytes], patience: float) -> Digests | str:
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"no answer in {patience:g} s"
    try:
        found: Digests = json.loads(out.splitlines()[-1] if out.strip() else b"")
    except ValueError:
        return err.decode("utf-8", "replace").strip()[-500:] or f"exit code {process.returncode}"
    return found


def made_by(subject: Subject) -> list[str]:
    """A day's work of one API, a digest for each step."""
    from byollm_conformance.exercise import day

    return [_digest(step) for step in day(subject)]


def _digest(step: Any) -> str:
    if isinstance(step, Translation):
        shown: Any = (step.method, step.url, step.headers, step.body, [str(item) for item in step.adjustments])
    elif isinstance(step, Completion):
        shown = (step.parts, step.finish_reason, step.raw_finish_reason, step.usage, step.id, step.model)
    elif isinstance(step, ByollmError):
        shown = (type(step).__name__, step.message, getattr(step, "retry_after", None), getattr(step, "status", None))
    else:
        shown = type(step).__name__
    return hashlib.sha256(repr(shown).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def main(entries: Sequence[str]) -> int:
    """Print the digests of these plugins."""
    from byollm_conformance.targets import Settings, find, packaged, settings_of, subjects_of

    found: dict[str, list[str]] = {}
    for entry in entries:
        reference = find(entry)
        path = packaged(reference)
        settings = settings_of(path) if path else Settings()
        try:
            subjects = subjects_of(reference, reference.load(), settings)
            found[entry] = [digest for subject in subjects for digest in made_by(subject)]
        except Exception as error:  # the plugin's own code: a failure is an answer, the same everywhere
            found[entry] = [f"{type(error).__name__}: {error}"]
    print(f"\n{json.dumps(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
