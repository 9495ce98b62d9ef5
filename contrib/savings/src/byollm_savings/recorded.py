"""What was used, whoever recorded it, priced as it was bought and at alternatives, each at its own instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from byollm_prices import EXACT, Billed, CurrencyError
from byollm_savings.quotes import PLAIN, Kind, Quotes

_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Used:
    """Requests of one model that were recorded together. `model` is `provider/model`, None when nobody says which.

    `counts`: tokens, None when not told. `kind`: how they were served, None for what is not sold by token. `paid`: what
    the record says they cost, None when it does not.
    """

    at: datetime
    model: str | None
    counts: Billed | None
    requests: int = 1
    kind: Kind | None = PLAIN
    paid: Decimal | None = None
    currency: str | None = None

    @property
    def size(self) -> int:
        """Input tokens of one request: the mean, where only a sum was recorded. It decides on prices by size."""
        return 0 if self.counts is None else self.counts.input // max(1, self.requests)


@dataclass(slots=True)
class Sum:
    """Requests and tokens of a model; `cost` of those that could be priced, `unpriced` how many requests could not."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cost: Decimal = _NOTHING
    unpriced: int = 0


@dataclass(slots=True)
class Alternative:
    """The same tokens of another model. `cost` against `instead_of`: both over the `requests` priced both ways.

    `sources`: where its prices come from.
    """

    model: str
    cost: Decimal = _NOTHING
    instead_of: Decimal = _NOTHING
    requests: int = 0
    unpriced: int = 0
    sources: set[str] = field(default_factory=set)

    @property
    def saved(self) -> Decimal:
        """Money; negative when the alternative is dearer."""
        return self.instead_of - self.cost

    @property
    def share(self) -> Decimal | None:
        """Saved, as a share of what was paid; None when nothing was paid."""
        return self.saved / self.instead_of if self.instead_of else None


@dataclass(slots=True)
class Comparison:
    """All that was used, by model, and each alternative. `first` and `last` are instants of records."""

    models: dict[str, Sum] = field(default_factory=dict)
    alternatives: list[Alternative] = field(default_factory=list)
    currency: str | None = None
    first: datetime | None = None
    last: datetime | None = None
    records: int = 0

    @property
    def days(self) -> int:
        """Days from the first record to the last, both counted."""
        if self.first is None or self.last is None:
            return 0
        return (self.last.date() - self.first.date()) // timedelta(days=1) + 1

    @property
    def total(self) -> Sum:
        """Over all models."""
        found = Sum()
        for each in self.models.values():
            for name in ("requests", "input", "output", "cost", "unpriced"):
                setattr(found, name, getattr(found, name) + getattr(each, name))
        return found


def compare(records: Iterable[Used], alternatives: Sequence[str], quotes: Quotes) -> Comparison:
    """One pass over the records.

    Raises CurrencyError for a second currency, ConfigError for an alternative without a provider, PriceFileError for a
    price file that is none.
    """
    found = Comparison(alternatives=[Alternative(name) for name in dict.fromkeys(alternatives)])
    with localcontext(EXACT):
        for used in records:
            _add(found, used, quotes)
    return found


def _add(found: Comparison, used: Used, quotes: Quotes) -> None:
    found.records += 1
    found.first = used.at if found.first is None else min(found.first, used.at)
    found.last = used.at if found.last is None else max(found.last, used.at)
    here = found.models.setdefault(used.model or "unknown", Sum())
    here.requests += used.requests
    if used.counts is not None:
        here.input += used.counts.input
        here.output += used.counts.output
    paid = _paid(found, used, quotes)
    if paid is None:
        here.unpriced += used.requests
    else:
        here.cost += paid
    for other in found.alternatives:
        cost = None if paid is None else _cost(found, used, other.model, quotes, other.sources)
        if cost is None or paid is None:
            other.unpriced += used.requests
        else:
            other.requests += used.requests
            other.cost += cost
            other.instead_of += paid


def _paid(found: Comparison, used: Used, quotes: Quotes) -> Decimal | None:
    if used.paid is not None:
        _same_currency(found, used.currency or "USD", "the record")
        return used.paid
    return None if used.model is None else _cost(found, used, used.model, quotes)


def _cost(found: Comparison, used: Used, model: str, quotes: Quotes, sources: set[str] | None = None) -> Decimal | None:
    """The price of these tokens at that instant; None when nobody knows it."""
    if used.counts is None or used.kind is None:
        return None
    kind = used.kind if model == used.model else Kind(used.kind.tier, used.kind.batch)
    row = quotes.row(model, used.at, used.size, kind)
    if row is None or row.rates is None:
        return None
    _same_currency(found, row.currency, model)
    if sources is not None:
        sources.add(row.source)
    return used.counts.charge(row.rates)


def _same_currency(found: Comparison, currency: str, whose: str) -> None:
    if found.currency is None:
        found.currency = currency
    elif found.currency != currency:
        raise CurrencyError(f"{whose} is priced in {currency}, everything before it in {found.currency}: one at a time")
