"""What was used and what it would cost elsewhere, as rows and sentences: for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from byollm_savings.recorded import Alternative, Comparison, Sum

USED_HEAD: Final = ("model", "requests", "input tokens", "output tokens", "cost", "unpriced")
OTHERS_HEAD: Final = ("alternative", "cost", "instead of", "saved", "share", "saved a month", "unpriced")
MOST_PLACES: Final = 10
_MONTH: Final = Decimal("30.4375")
"""Days of the mean month."""


def span(found: Comparison) -> str:
    """From when to when, and in which currency."""
    if found.first is None or found.last is None:
        return "nothing was used"
    days = f"{found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}, {found.days} day{'' if found.days == 1 else 's'}"
    return f"{days}, {found.currency}" if found.currency else days


def used_rows(found: Comparison) -> list[tuple[str, ...]]:
    """What was used, model by model, and all of it."""
    rows = [*found.models.items(), ("total", found.total)]
    digits = places(it.cost for _, it in rows)
    return [_row(name, it, digits) for name, it in rows]


def other_rows(found: Comparison) -> list[tuple[str, ...]]:
    """Each alternative, what saves most first."""
    return [_other(it, found) for it in ranked(found.alternatives)]


def ranked(alternatives: Sequence[Alternative]) -> list[Alternative]:
    """What could be priced first, by what it saves; then what could not."""
    return sorted(alternatives, key=lambda it: (not it.requests, -it.saved))


def notes(found: Comparison) -> Iterator[str]:
    """What the figures leave open."""
    if found.total.unpriced:
        yield f"{found.total.unpriced:,} of {found.total.requests:,} requests could not be priced: they are in no sum."
    if any(it.unpriced > found.total.unpriced for it in found.alternatives):
        yield "An alternative is compared over the requests that could be priced both ways; `unpriced` counts the rest."
    yield "Other models count the same text in other tokens, and may use more words: `byollm compare` measures it."


def _row(name: str, it: Sum, digits: int) -> tuple[str, ...]:
    cost = "unknown" if it.unpriced == it.requests else money(it.cost, digits)
    return (
        name,
        f"{it.requests:,}",
        f"{it.input:,}",
        f"{it.output:,}",
        cost,
        f"{it.unpriced:,}" if it.unpriced else "",
    )


def _other(it: Alternative, found: Comparison) -> tuple[str, ...]:
    if not it.requests:
        return (it.model, "unknown", "", "", "", "", f"{it.unpriced:,}")
    share = "" if it.share is None else f"{it.share:.1%}"
    unpriced = f"{it.unpriced:,}" if it.unpriced else ""
    amounts = (it.cost, it.instead_of, it.saved)
    digits, month = places(amounts), a_month(it.saved, found)
    sums = [money(amount, digits) for amount in amounts]
    return (it.model, *sums, share, money(month, places([month])), unpriced)


def a_month(amount: Decimal, found: Comparison) -> Decimal:
    """At the rate of the days that were recorded."""
    return amount / found.days * _MONTH


def places(amounts: Iterable[Decimal]) -> int:
    """Decimals that amounts side by side need: two, and where the smallest is less than 1, two figures of it."""
    smallest = min((abs(amount) for amount in amounts if amount), default=Decimal(1))
    return min(MOST_PLACES, max(2, 1 - smallest.adjusted()))


def money(amount: Decimal, digits: int = 2) -> str:
    """An amount with so many decimals."""
    return f"{amount:,.{digits}f}"
