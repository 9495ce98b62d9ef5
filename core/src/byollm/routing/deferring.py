"""When a call that can wait is best begun: the cheapest instant, deployment and tier until its latest start.

Pure in the clock and in the prices it is handed. Instants are Unix seconds. Prices are looked at every quarter of an
hour, which is where the bands of vendors' clocks begin in every timezone, and after a day and a half every hour; hours
that a file names are looked at where they begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from byollm.routing.policies import Hours

QUARTER: Final = 900.0
NEAR: Final = 36 * 3600.0
LONGEST: Final = 7 * 24 * 3600.0
"""The longest that a call may be put off."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One deployment in one tier at one instant. `cost` is None when nobody knows it; `wished` is 0 inside the hours
    that a policy names, 1 outside."""

    owner: Any
    cost: float | None
    currency: str = ""
    tier: str | None = None
    wished: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """When a call begins, with whom, in which tier; beside what it would cost `now`, alone, and in a batch
    that nobody allowed."""

    asked_at: float
    start: float
    offer: Offer
    now: Offer
    batch: float | None = None

    def __str__(self) -> str:
        wait = self.start - self.asked_at
        when = datetime.fromtimestamp(self.start, UTC)
        told = "begins now" if wait <= 0 else f"begins {when:%Y-%m-%d %H:%M} UTC, in {_span(wait)}"
        offer, now = self.offer, self.now
        told += ", in a batch" if offer.tier == "batch" else f", tier {offer.tier}" if offer.tier is not None else ""
        if offer.cost is None:
            return f"{told}; its price is not known"
        told += f": about {offer.cost:.6f} {offer.currency}"
        if now.cost is not None and now.currency == offer.currency and now.cost > offer.cost:
            told += f" instead of {now.cost:.6f} now"
        if self.batch is not None and self.batch < offer.cost:
            told += f" (in a batch {self.batch:.6f}, which `batch: true` allows)"
        return told


def plan(
    now: float, latest: float, offers: Callable[[float], Sequence[Offer]], edges: Iterable[float] = ()
) -> Plan | None:
    """The best of all offers from `now` to `latest`, the earliest of equals. None where nobody offers anything now."""
    found_now = offers(now)
    first = _best(found_now, None)
    if first is None:
        return None
    alone = _best([offer for offer in found_now if offer.tier != "batch"], first.currency or None) or first
    currency = first.currency if first.cost is not None else None
    chosen, start = first, now
    for instant in instants(now, latest, edges):
        found = _best(offers(instant), currency)
        if found is not None and _key(found, currency) < _key(chosen, currency):
            chosen, start = found, instant
    return Plan(now, start, chosen, alone)


def instants(now: float, latest: float, edges: Iterable[float] = ()) -> list[float]:
    """After `now` and not after `latest`: where a price may begin."""
    latest = min(latest, now + LONGEST)
    found = {edge for edge in edges if now < edge <= latest}
    at = (now // QUARTER + 1) * QUARTER
    while at <= latest:
        found.add(at)
        at += QUARTER if at - now < NEAR else 3600.0
    return sorted(found)


def begins(hours: Hours, now: float, latest: float) -> list[float]:
    """The instants at which a band of time begins."""
    found = []
    day = datetime.fromtimestamp(now, hours.timezone).date() - timedelta(days=1)
    while (at := datetime.combine(day, hours.start, hours.timezone).timestamp()) <= latest:
        if at > now and hours.holds(at):
            found.append(at)
        day += timedelta(days=1)
    return found


def _best(offers: Sequence[Offer], currency: str | None) -> Offer | None:
    if currency is None:
        currency = next((offer.currency for offer in offers if offer.cost is not None), None)
    return min(offers, key=lambda offer: _key(offer, currency), default=None)


def _key(offer: Offer, currency: str | None) -> tuple[int, bool, float]:
    known = offer.cost is not None and (currency is None or offer.currency == currency)
    return offer.wished, not known, round(offer.cost, 12) if known and offer.cost is not None else 0.0


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
