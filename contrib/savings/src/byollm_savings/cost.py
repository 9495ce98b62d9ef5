"""What a workload costs by one of its approaches: exact fractions, from tokens and prices to money a month."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Final

from byollm.errors import ConfigError
from byollm_prices import CurrencyError
from byollm_savings.quotes import Kind, Quotes
from byollm_savings.workload import Approach, Claim, Line, Lines, Period, Task, Workload

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices per million tokens, where they come from, and since when they hold (None: the data does not say)."""

    input: Fraction
    output: Fraction
    cached: Fraction
    source: str = ""
    since: datetime | None = None


@dataclass(slots=True)
class Costing:
    """The arithmetic of one workload. Prices that were looked up are kept: they do not change with its numbers."""

    quotes: Quotes
    _rates: dict[tuple[object, ...], Rates] = field(default_factory=dict)

    def document(self, workload: Workload, approach: Approach, period: Period | None = None) -> Fraction:
        """Money for one document. Raises UnknownPriceError, CurrencyError, PriceFileError."""
        if approach.per_month is not None:
            volume = self._volume(workload, period)
            return Fraction(0) if volume == 0 else self.month(workload, approach, period) / volume
        if approach.per_document is not None:
            sum_of_all = workload.number(approach.per_document)
        else:
            lines = (approach.periods or {}).get(period.name if period else "", approach.lines or {})
            sum_of_all = self._tasks(workload, approach, lines)
        return sum_of_all * (1 + workload.number(approach.premium)) * (1 - workload.number(approach.discount))

    def month(self, workload: Workload, approach: Approach, period: Period | None = None) -> Fraction:
        """Money for a month: of a period, else the mean over the year."""
        if period is None:
            return self.year(workload, approach) / 12
        if approach.per_month is not None:
            scale = (1 + workload.number(approach.premium)) * (1 - workload.number(approach.discount))
            return workload.number(approach.per_month) * scale
        billed = workload.periods[approach.billed_as] if approach.billed_as else period
        return self._volume(workload, billed) * self.document(workload, approach, period)

    def year(self, workload: Workload, approach: Approach) -> Fraction:
        """Money for a year."""
        if workload.periods:
            return sum(
                (workload.number(it.months) * self.month(workload, approach, it) for it in workload.periods.values()),
                Fraction(0),
            )
        if approach.per_month is not None:
            scale = (1 + workload.number(approach.premium)) * (1 - workload.number(approach.discount))
            return 12 * workload.number(approach.per_month) * scale
        return workload.number(workload.documents) * self.document(workload, approach)

    def _volume(self, workload: Workload, period: Period | None) -> Fraction:
        """Documents a month."""
        return workload.number(workload.documents) / 12 if period is None else workload.number(period.documents)

    def _tasks(self, workload: Workload, approach: Approach, lines: Lines) -> Fraction:
        at = approach.at or workload.at
        total = Fraction(0)
        for name, several in lines.items():
            task = workload.tasks[name]
            rest = 1 - sum((workload.number(line.share) for line in several if line.share is not None), Fraction(0))
            if rest < 0:
                hint = "one model says no share and has the rest"
                raise ConfigError(f"{approach.name}: the shares of {name} are more than the whole", hint=hint)
            for line in several:
                share = rest if line.share is None else workload.number(line.share)
                total += workload.number(task.share, 1) * share * self._line(workload, task, line, at)
        return total

    def _line(self, workload: Workload, task: Task, line: Line, at: datetime) -> Fraction:
        """Money for one document's task, done by this model."""
        read = workload.number(task.reads, 1) * workload.number(workload.tokens)
        tokens, output = workload.number(task.instructions) + read, workload.number(task.output)
        batch, cached = workload.number(line.batch), workload.number(line.cached)
        plain = self.rates(workload, line, at, tokens, False) if batch != 1 else None
        later = self.rates(workload, line, at, tokens, True) if batch != 0 else None
        sum_of_both = Fraction(0)
        for rates, share in ((plain, 1 - batch), (later, batch)):
            if rates is not None:
                asked = (1 - cached) * rates.input + cached * rates.cached
                sum_of_both += share * (tokens * asked + output * rates.output)
        return sum_of_both / MILLION

    def rates(self, workload: Workload, line: Line, at: datetime, tokens: Fraction, batch: bool) -> Rates:
        """A line's prices for a prompt of that size: the file's own, else those of the tables at that instant."""
        if line.pricing:
            own = {key: workload.number(name) for key, name in line.pricing}
            return Rates(own["input"], own["output"], own.get("cached", own["input"]), "the workload file")
        size = max(0, -(-tokens.numerator // tokens.denominator))
        key = (line.model, at, size, batch, line.tier, line.region, workload.currency)
        if key not in self._rates:
            self._rates[key] = self._looked_up(workload, line, at, size, batch)
        return self._rates[key]

    def sizes(self, line: Line, at: datetime, batch: bool) -> list[tuple[int | None, int | None]]:
        """Prompt sizes (more than, at most) of a line's model that have a price of their own."""
        return self.quotes.sizes(line.model, at, Kind(line.tier, batch, line.region))

    def _looked_up(self, workload: Workload, line: Line, at: datetime, size: int, batch: bool) -> Rates:
        row = self.quotes.known(line.model, at, size, Kind(line.tier, batch, line.region))
        if row.currency != workload.currency:
            raise CurrencyError(f"{line.model} is priced in {row.currency}, the workload in {workload.currency}")
        assert row.rates is not None  # a row that is known has rates
        cached = row.rates.input if row.rates.cached is None else row.rates.cached
        return Rates(Fraction(row.rates.input), Fraction(row.rates.output), Fraction(cached), row.source, row.since)

    def used(self) -> dict[str, Rates]:
        """Every price that was looked up, by the model's name and what it was bought with."""
        found: dict[str, Rates] = {}
        for (model, at, _, batch, tier, *_), rates in self._rates.items():
            words = [str(model), f"{at:%Y-%m-%d}", "batch" if batch else "", str(tier) if tier != "standard" else ""]
            found[" ".join(filter(None, words))] = rates
        return found

    def measure(self, workload: Workload, claim: Claim) -> Fraction:
        """What a claim is about, computed. Raises like `document`, and ZeroDivisionError for a share of nothing."""
        if claim.of == "own_figures":
            return self._own_figures(workload, claim)
        approach = workload.approaches[str(claim.approach)]
        period = workload.periods[claim.period] if claim.period else None
        if claim.of == "document":
            return self.document(workload, approach, period)
        if claim.of in ("margin", "cost_of_goods"):
            cost = workload.number(workload.other_cost)
            if claim.keys == "platform":
                cost += self.document(workload, approach, period) / workload.number(workload.revenue)
            return 1 - cost if claim.of == "margin" else cost
        if claim.of == "month" or period is not None:
            paid = self.month(workload, approach, period)
        else:
            paid = self.year(workload, approach)
        if claim.of in ("month", "year"):
            return paid
        against = workload.approaches[str(claim.against)]
        before = self.month(workload, against, period) if period is not None else self.year(workload, against)
        return before - paid if claim.of == "saved" else (before - paid) / before

    @staticmethod
    def _own_figures(workload: Workload, claim: Claim) -> Fraction:
        """What follows from other figures as they were said: (first − second) × times ÷ over."""
        first, *rest = [workload.number(workload.claims[name].low) for name in claim.minus]
        found = (first - sum(rest, Fraction(0))) * workload.number(claim.times, 1)
        return found / workload.number(workload.claims[claim.over].low) if claim.over is not None else found
