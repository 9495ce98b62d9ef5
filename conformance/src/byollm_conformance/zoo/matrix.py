"""Which check finds which fault: measured, each broken plugin in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from byollm_conformance import checks, elsewhere
from byollm_conformance.effort import Effort
from byollm_conformance.model import Check
from byollm_conformance.run import run
from byollm_conformance.subject import Subject
from byollm_conformance.zoo.batching import batch_reference
from byollm_conformance.zoo.fault import FAULTS, Fault
from byollm_conformance.zoo.local import LocalReference
from byollm_conformance.zoo.reference import reference, subject_of

CLEAN: Final = ("reference", "local_reference", "batch_reference")
"""The plugins without a fault."""
CROWD: Final = 12
"""A fault that more checks find counts for its named one only."""


@dataclass(frozen=True, slots=True)
class Row:
    """One plugin under all checks. `killers`: id → what it said, of the checks that found something; `errors`: of the
    suite's own; `not_applicable`: ids.
    """

    name: str
    killers: Mapping[str, str]
    errors: Mapping[str, str]
    not_applicable: Sequence[str]
    seconds: float


@dataclass(slots=True)
class Matrix:
    """All rows, and what is wrong with them."""

    rows: list[Row] = field(default_factory=list)
    must: Sequence[str] = ()
    seconds: float = 0.0

    def row(self, name: str) -> Row:
        """A plugin's row."""
        return next(row for row in self.rows if row.name == name)

    @property
    def survivors(self) -> list[str]:
        """Faults that their named check does not find."""
        return [fault.name for fault in self.measured if fault.killer not in self.row(fault.name).killers]

    @property
    def shared(self) -> dict[str, list[str]]:
        """Faults that are said to have one killer and have others: with it switched off they do not survive."""
        found = {fault.name: self.others(fault) for fault in self.measured if fault.alone}
        return {name: others for name, others in found.items() if others}

    @property
    def measured(self) -> list[Fault]:
        """The faults of this matrix."""
        return [FAULTS[row.name] for row in self.rows if row.name in FAULTS]

    def others(self, fault: Fault) -> list[str]:
        """Who finds the fault when its named check is switched off."""
        return [id for id in self.row(fault.name).killers if id != fault.killer]

    @property
    def kills(self) -> dict[str, list[str]]:
        """Check → the faults it finds; a fault that a crowd finds counts for its named check only."""
        found: dict[str, list[str]] = {}
        for fault in self.measured:
            killers = list(self.row(fault.name).killers)
            counted = killers if len(killers) <= CROWD else [id for id in killers if id == fault.killer]
            for id in counted:
                found.setdefault(id, []).append(fault.name)
        return found

    @property
    def idle(self) -> list[str]:
        """MUST checks that find no fault."""
        return [id for id in self.must if id not in self.kills]

    @property
    def unclean(self) -> dict[str, list[str]]:
        """What the suite says against the plugins without a fault, and its own errors anywhere."""
        found = {name: [*row.killers, *row.errors] for row in self.rows if (name := row.name) in CLEAN}
        found.update({row.name: list(row.errors) for row in self.rows if row.errors})
        return {name: ids for name, ids in found.items() if ids}

    @property
    def problems(self) -> list[str]:
        """Why the zoo fails; nothing when it does not."""
        return [
            *[f"{name} survives: {FAULTS[name].killer} does not find it" for name in self.survivors],
            *[
                f"{name} is said to be found by one check, and {', '.join(ids)} find it too"
                for name, ids in self.shared.items()
            ],
            *[f"{name}: {', '.join(ids)}" for name, ids in self.unclean.items()],
            *[f"{id} finds no fault" for id in self.idle],
        ]

    def document(self) -> dict[str, Any]:
        """The matrix as JSON."""
        return {
            "seconds": round(self.seconds, 1),
            "faults": {
                fault.name: {
                    "sentence": fault.sentence,
                    "named": fault.killer,
                    "alone": self.others(fault) == [],
                    "killers": dict(self.row(fault.name).killers),
                }
                for fault in self.measured
            },
            "kills": self.kills,
            "idle": self.idle,
            "survivors": self.survivors,
            "problems": self.problems,
        }


def plugin_of(name: str) -> Any:
    """A plugin by its fault, or one without."""
    from byollm_conformance.zoo import specimens

    if name in CLEAN:
        return {"reference": reference, "batch_reference": batch_reference}.get(name) or LocalReference()
    return getattr(specimens, name)


def entry_of(name: str) -> str:
    """How another process loads it."""
    if name == "reference":
        return "byollm_conformance.zoo.reference:reference"
    if name == "local_reference":
        return "byollm_conformance.zoo.local:local_reference"
    if name == "batch_reference":
        return "byollm_conformance.zoo.batching:batch_reference"
    return f"byollm_conformance.zoo.specimens:{name}"


def subject_for(name: str) -> Subject:
    """The subject of one plugin."""
    plugin = plugin_of(name)
    if isinstance(plugin, LocalReference):
        return Subject(plugin, api="local", model="a-model", entry=entry_of(name))
    return subject_of(plugin, entry_of(name))


def rowed(job: tuple[str, int, int, Sequence[str]]) -> Row:
    """One plugin under all checks of L1; in a process of its own, because some faults reach into the core."""
    name, examples, seed, without = job
    start = time.perf_counter()
    subject, effort = subject_for(name), Effort(examples, seed, shrink=False)
    results = [run(check, subject, effort) for check in measured_checks() if check.id not in without]
    return Row(
        name,
        {result.id: result.message for result in results if result.outcome in ("fail", "warn", "untestable")},
        {result.id: result.message for result in results if result.outcome == "error"},
        [result.id for result in results if result.outcome == "n/a"],
        round(time.perf_counter() - start, 2),
    )


def measured_checks() -> list[Check]:
    """All of L1."""
    return [check for check in checks.load().values() if check.layer == "L1"]


def measure(names: Sequence[str], *, examples: int, seed: int, processes: int, without: Sequence[str] = ()) -> Matrix:
    """The matrix of these plugins, all of them when none is named; `without`: checks that are switched off."""
    from byollm_conformance.zoo import specimens

    assert specimens.MODULES
    start = time.perf_counter()
    chosen = [*CLEAN, *(names or FAULTS)]
    _elsewhere([entry_of(name) for name in chosen])
    must = [check.id for check in measured_checks() if check.keyword == "MUST" and check.id not in without]
    matrix = Matrix(must=must)
    context = multiprocessing.get_context("fork")
    matrix.rows = [
        rowed((name, examples, seed, without)) for name in CLEAN
    ]  # here, so that what is made once is there already
    with context.Pool(processes, maxtasksperchild=1) as pool:
        jobs = [(name, examples, seed, without) for name in chosen if name not in CLEAN]
        matrix.rows += pool.imap(rowed, jobs, chunksize=1)
    matrix.seconds = time.perf_counter() - start
    return matrix


def _elsewhere(entries: Sequence[str]) -> None:
    """What LAW-07 would start two processes for, for each of them: two for all."""
    for place, found in elsewhere.digests(entries).items():
        if isinstance(found, str):
            raise RuntimeError(f"the zoo's plugins do not load in another process: {found}")
        for entry, digests in found.items():
            elsewhere.KNOWN.setdefault(entry, {})[place] = digests
