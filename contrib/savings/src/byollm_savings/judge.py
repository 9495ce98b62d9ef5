"""Claims against what is computed: met, not met, or met only while an assumption holds, and how far it may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final

from byollm.errors import ByollmError
from byollm_prices import CurrencyError
from byollm_savings.cost import Costing
from byollm_savings.workload import Claim, Workload

MET: Final = "met"
NOT_MET: Final = "not met"
DEPENDS: Final = "depends"
UNKNOWN: Final = "unknown"

_STEPS: Final = 48
_MOST_AT_ONCE: Final = 8
"""Assumptions whose every combination is tried; of more, one after the other is moved."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """An assumption that decides, all others as they are: the claim holds from `holds_from` to `holds_to`.

    None for both: it cannot mend the claim by itself. `exactly`: where the figure itself is reached (of a range: its
    lower end, then its upper), as far as that lies within the assumption's own range.
    """

    assumption: str
    value: Fraction
    low: Fraction
    high: Fraction
    why: str
    holds_from: Fraction | None
    holds_to: Fraction | None
    exactly: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim's verdict. `value`: computed from the file as it stands, None when it cannot be; `holds`: it is as said.

    `lowest` and `highest`: over all combinations of the assumptions' ends.
    """

    claim: Claim
    verdict: str
    said: tuple[Fraction, Fraction]
    value: Fraction | None = None
    holds: bool = False
    lowest: Fraction | None = None
    highest: Fraction | None = None
    depends_on: tuple[Dependence, ...] = ()
    problem: str = ""


def judge(workload: Workload, costing: Costing) -> list[Judgement]:
    """Every claim of a workload, in its order. Raises PriceFileError for a price file that is none."""
    return [judge_claim(workload, claim, costing) for claim in workload.claims.values()]


def judge_claim(workload: Workload, claim: Claim, costing: Costing) -> Judgement:
    """One claim of a workload. Raises PriceFileError for a price file that is none."""
    said = (workload.number(claim.low), workload.number(claim.high))
    try:
        return _Question(workload, claim, costing).judgement()
    except (ByollmError, CurrencyError, ZeroDivisionError) as error:
        problem = "something is divided by nothing" if isinstance(error, ZeroDivisionError) else str(error)
        from byollm_prices import PriceFileError

        if isinstance(error, PriceFileError):
            raise
        return Judgement(claim, UNKNOWN, said, problem=problem.splitlines()[0])


class _Question:
    """One claim, as a function of the workload's assumptions."""

    def __init__(self, workload: Workload, claim: Claim, costing: Costing) -> None:
        self.workload, self.claim, self.costing = workload, claim, costing
        self.low, self.high = workload.number(claim.low), workload.number(claim.high)
        half = workload.number(claim.to) / 2
        self.bounds = (self.low - half, self.high + half)

    def value(self, changes: Mapping[str, Fraction] | None = None) -> Fraction:
        workload = self.workload.changed(changes) if changes else self.workload
        return self.costing.measure(workload, self.claim)

    def holds(self, value: Fraction) -> bool:
        return self.bounds[0] <= value <= self.bounds[1]

    def judgement(self) -> Judgement:
        value = self.value()
        moving = [name for name in self.workload.assumptions if self._moves(name, value)]
        lowest, highest = self._extremes(moving)
        if self.holds(lowest) and self.holds(highest):
            verdict = MET
        elif highest < self.bounds[0] or lowest > self.bounds[1]:
            verdict = NOT_MET
        else:
            verdict = DEPENDS
        found = [self._dependence(name, value) for name in moving] if verdict == DEPENDS else []
        return Judgement(
            self.claim, verdict, (self.low, self.high), value, self.holds(value), lowest, highest,
            tuple(self._deciding(found)),
        )  # fmt: skip

    def _moves(self, name: str, value: Fraction) -> bool:
        it = self.workload.assumptions[name]
        return any(self.value({name: end}) != value for end in (it.low, it.high))

    def _extremes(self, names: list[str]) -> tuple[Fraction, Fraction]:
        """The lowest and the highest value: a cost is linear in each number and a share of two costs bends one way
        only, so they lie at ends of the ranges. Of many assumptions not all combinations are tried."""
        ends = {name: (self.workload.assumptions[name].low, self.workload.assumptions[name].high) for name in names}
        if len(names) > _MOST_AT_ONCE:
            return self._climbed(ends, -1), self._climbed(ends, 1)
        corners = [dict(zip(names, corner, strict=True)) for corner in product(*ends.values())]
        reached = [self.value(corner) for corner in corners]
        return min(reached), max(reached)

    def _climbed(self, ends: dict[str, tuple[Fraction, Fraction]], way: int) -> Fraction:
        """As far as one goes by moving one assumption after the other to its better end, from either side."""
        found = []
        for start in (0, 1):
            here = {name: both[start] for name, both in ends.items()}
            best, moved = self.value(here), True
            while moved:
                moved = False
                for name, (low, high) in ends.items():
                    there = {**here, name: high if here[name] == low else low}
                    reached = self.value(there)
                    if way * reached > way * best:
                        here, best, moved = there, reached, True
            found.append(best)
        return max(found) if way > 0 else min(found)

    @staticmethod
    def _deciding(found: list[Dependence]) -> list[Dependence]:
        """Those that can decide by themselves, the most sensitive first; when none can, all of them together."""
        alone = [it for it in found if it.holds_from is not None and (it.holds_from, it.holds_to) != (it.low, it.high)]
        return sorted(alone, key=_room) or found

    def _dependence(self, name: str, value: Fraction) -> Dependence:
        it = self.workload.assumptions[name]
        edges = sorted({it.low, it.high, it.value, *self._crossings(name, self.bounds)})
        good = [edge for edge in edges if self._nearly_holds(self.value({name: edge}))]
        targets = (self.low, self.high) if self.low != self.high else (self.low,)
        return Dependence(
            name, it.value, it.low, it.high, it.why, min(good, default=None), max(good, default=None),
            tuple(self._crossings(name, targets)),
        )  # fmt: skip

    def _nearly_holds(self, value: Fraction) -> bool:
        """Holds, or lies on the border as near as a search finds it."""
        room = (abs(self.bounds[1]) + abs(self.bounds[0])) / 10**9
        return self.bounds[0] - room <= value <= self.bounds[1] + room

    def _crossings(self, name: str, targets: tuple[Fraction, ...]) -> list[Fraction]:
        """Where the value, as a function of one assumption, passes each target within the assumption's range."""
        it = self.workload.assumptions[name]
        found = []
        for target in targets:
            start, end = self.value({name: it.low}) - target, self.value({name: it.high}) - target
            if start * end <= 0 and start != end:
                found.append(self._crossing(name, target, (it.low, start), (it.high, end)))
        return found

    def _crossing(
        self, name: str, target: Fraction, left: tuple[Fraction, Fraction], right: tuple[Fraction, Fraction]
    ) -> Fraction:
        """The straight line between both ends says where, for all costs; shares of two costs need a few more steps."""
        for _ in range(_STEPS):
            (a, at_a), (b, at_b) = left, right
            guess = a - at_a * (b - a) / (at_b - at_a)
            off = self.value({name: guess}) - target
            if off == 0 or abs(off) * 10**12 < abs(target) + abs(off):
                return guess
            middle = ((a + b) / 2).limit_denominator(10**12)
            off = self.value({name: middle}) - target
            left, right = ((middle, off), right) if (off < 0) == (at_a < 0) else (left, (middle, off))
        return (left[0] + right[0]) / 2


def _room(it: Dependence) -> Fraction:
    """How much of an assumption's range leaves the claim as it is: little room, high sensitivity."""
    assert it.holds_from is not None
    assert it.holds_to is not None
    return (it.holds_to - it.holds_from) / (it.high - it.low)
