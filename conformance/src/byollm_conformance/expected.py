"""Expected failures: what a plugin knows to be broken, why, and until when. They live in its own repository.

An entry never turns a failure into a pass. It keeps a run from failing, until its day has come; an entry whose check
passes fails the run, so that the list can only shrink by being mended.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from byollm.errors import ConfigError
from byollm_conformance.model import REGISTRY, Result

KEYS: Final = ("id", "reason", "expires", "api")


@dataclass(frozen=True, slots=True)
class Expected:
    """One entry. `api` None: on every API. It holds up to and including the day `expires`."""

    id: str
    reason: str
    expires: datetime.date
    api: str | None = None

    def covers(self, result: Result) -> bool:
        """The entry speaks of this result."""
        return result.id == self.id and self.api in (None, result.api)


@dataclass(slots=True)
class Judged:
    """`kept`: results that are bad as expected; `problems`: sentences about entries that fail the run."""

    kept: list[Result] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_expected(entries: Sequence[Mapping[str, Any]], file: str) -> list[Expected]:
    """The entries of a file. Raises ConfigError, naming the entry and its key, for one that cannot be used."""
    return [_entry(entry, f"{file}: expected_failures[{number}]") for number, entry in enumerate(entries)]


def _entry(entry: Mapping[str, Any], where: str) -> Expected:
    for name in entry:
        if name not in KEYS:
            raise ConfigError(f"{where}: unknown key {name!r}", hint=f"known: {', '.join(KEYS)}")
    id, reason = entry.get("id"), entry.get("reason")
    if id not in REGISTRY:
        raise ConfigError(f"{where}: id {id!r} is no check", hint="byollm conform --list shows them all")
    if not isinstance(reason, str) or not reason.strip():
        raise ConfigError(f"{where}: {id} has no reason", hint='reason: "why it fails, and where that is tracked"')
    problem = ""
    try:
        expires = datetime.date.fromisoformat(str(entry.get("expires")))
    except ValueError:
        problem = f"{where}: {id} has no day on which it expires"
    if problem:
        raise ConfigError(problem, hint='expires: "2027-06-01"')
    return Expected(str(id), reason.strip(), expires, entry.get("api"))


def judge(results: Sequence[Result], expected: Sequence[Expected], today: datetime.date) -> Judged:
    """Hold the entries against the results of a run. An entry about a check that was not run says nothing."""
    judged = Judged()
    for entry in expected:
        mine = [result for result in results if entry.covers(result)]
        bad = [result for result in mine if result.outcome not in ("pass", "n/a")]
        if mine and not bad:
            judged.problems.append(f"{entry.id} is expected to fail and does not: take the entry out ({entry.reason})")
        elif bad and entry.expires < today:
            judged.problems.append(f"{entry.id} was expected to fail until {entry.expires} only ({entry.reason})")
        else:
            judged.kept += [result for result in bad if result.outcome != "error"]
    return judged
