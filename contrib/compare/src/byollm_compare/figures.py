"""The few statistics that a comparison needs, each exact for small numbers: a sample is small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, comb, sqrt
from statistics import NormalDist, fmean, stdev
from typing import Final

SURE: Final = 0.95
"""How sure an interval is, and how unlikely (1 − this) chance must be before two are told apart."""
_Z: Final = NormalDist().inv_cdf(0.5 + SURE / 2)
FEWEST_FOR_P95: Final = 20
"""With fewer values the 95th percentile is their maximum, and says less than its name."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of `count` values: the middle one, and the one that 95 % do not exceed."""

    count: int
    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and where it lies in the long run, as sure as SURE."""

    count: int
    mean: float | None
    low: float | None
    high: float | None


def quantiles(values: Sequence[float]) -> Quantiles:
    """By nearest rank: each is a value that really occurred."""
    if not values:
        return Quantiles(0, None, None)
    ordered = sorted(values)
    rank = [max(1, ceil(share * len(ordered))) - 1 for share in (0.5, 0.95)]
    return Quantiles(len(ordered), ordered[rank[0]], ordered[rank[1]])


def share(hits: int, count: int) -> Interval:
    """A share with Wilson's interval, which stays within 0 and 1 for few values, too."""
    if count == 0:
        return Interval(0, None, None, None)
    mean = hits / count
    middle = (mean + _Z * _Z / (2 * count)) / (1 + _Z * _Z / count)
    half = _Z / (1 + _Z * _Z / count) * sqrt(mean * (1 - mean) / count + _Z * _Z / (4 * count * count))
    return Interval(count, mean, max(0.0, middle - half), min(1.0, middle + half))


def mean(values: Sequence[float]) -> Interval:
    """A mean of values from 0 to 1: shares by Wilson, others by the normal approximation; one value has no interval."""
    if not values:
        return Interval(0, None, None, None)
    if set(values) <= {0.0, 1.0}:
        return share(int(sum(values)), len(values))
    middle = fmean(values)
    if len(values) == 1:
        return Interval(1, middle, 0.0, 1.0)
    half = _Z * stdev(values) / sqrt(len(values))
    return Interval(len(values), middle, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Sign:
    """Pairs in which one was better, in which the other was, and how likely chance makes as great a difference."""

    better: int
    worse: int
    chance: float

    @property
    def told_apart(self) -> bool:
        """Whether chance is an unlikely explanation."""
        return self.chance < 1 - SURE


def sign(pairs: Sequence[tuple[float, float]]) -> Sign:
    """The exact sign test over questions that both answered; ties say nothing. No distribution is assumed."""
    better = sum(1 for one, other in pairs if one > other)
    worse = sum(1 for one, other in pairs if one < other)
    count, fewer = better + worse, min(better, worse)
    chance = sum(comb(count, k) for k in range(fewer + 1)) / 2 ** (count - 1) if count else 1.0
    return Sign(better, worse, min(1.0, chance))


def pairs_needed(better: int, worse: int) -> int | None:
    """About how many differing pairs would tell them apart if these shares stayed; None for a draw.

    The normal approximation of the sign test, with its correction for continuity.
    """
    if better == worse:
        return None
    lead = abs(better - worse) / (better + worse)
    return ceil(((_Z + sqrt(_Z * _Z + 4 * lead)) / (2 * lead)) ** 2)
