"""What the rollups say of a stretch of time: day by day, kind by kind, currency by currency."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import add
from typing import Any, Final
from zoneinfo import ZoneInfo

from byollm.errors import ConfigError
from byollm_ledger.reading import between
from byollm_ledger.row import PICO, Kind, from_pico
from byollm_ledger.schema import KIND, MEASURES, STEPS, UNITS, scan
from byollm_ledger.store import Store

HOUR: Final = 3600
Span = tuple[date, int, int]
"""A day, its first hour, and the hour behind its last."""
_PLACE: Final = {name: place for place, name in enumerate(MEASURES)}
_CLASS: Final = _PLACE["class_0"]
_NOTHING: Final = [0] * len(MEASURES)


@dataclass(frozen=True, slots=True)
class Cell:
    """The measures of one kind on one day in one currency. `currency` is empty where nothing was to be paid."""

    day: date
    kind: Kind
    currency: str
    measures: Sequence[int]


@dataclass(slots=True)
class Total:
    """A sum of cells. Amounts of several currencies stand beside each other and are never added."""

    measures: list[int] = field(default_factory=lambda: [0] * len(MEASURES))
    picos: dict[str, list[int]] = field(default_factory=dict)

    def add(self, currency: str, measures: Sequence[int]) -> None:
        """One more cell."""
        self.measures = list(map(add, self.measures, measures))
        cost = measures[14] * PICO + measures[15]
        possible = measures[16] * PICO + measures[17]
        if cost or possible:
            known = self.picos.setdefault(currency, [0, 0])
            known[0] += cost
            known[1] += possible

    def amounts(self, place: int) -> dict[str, Decimal]:
        """0: what it certainly cost, 1: what the uncertain may have cost on top; by currency."""
        return {currency: from_pico(both[place]) or Decimal(0) for currency, both in sorted(self.picos.items())}

    def __getitem__(self, name: str) -> int:
        return self.measures[_PLACE[name]]

    def milliseconds(self, share: float | None = None) -> float | None:
        """The mean, or about so many of all took no longer: between the ends of a class of latency."""
        timed = self["timed"]
        if not timed:
            return None
        if share is None:
            return round(self["micros"] / timed / 1000, 1)
        left = share * timed
        for number, count in enumerate(self.measures[_CLASS:]):
            if count and left <= count:
                low = STEPS[number - 1] if number else 0
                high = STEPS[number] if number < len(STEPS) else 2 * STEPS[-1]
                return round(low + (high - low) * left / count, 1)
            left -= count
        return None

    def first_milliseconds(self) -> float | None:
        """The mean time to a stream's first content."""
        return round(self["first_micros"] / self["first_timed"] / 1000, 1) if self["first_timed"] else None

    def facts(self) -> dict[str, Any]:
        """As the reports show it."""
        return {
            **{name: self[name] for name in UNITS},
            "cost": self.amounts(0),
            "possible": self.amounts(1),
            "mean_milliseconds": self.milliseconds(),
            "median_milliseconds": self.milliseconds(0.5),
            "p95_milliseconds": self.milliseconds(0.95),
            "first_milliseconds": self.first_milliseconds(),
        }


def cells(store: Store, since: float | None, until: float | None, zone: ZoneInfo, *, exact: bool = False) -> list[Cell]:
    """All cells of a stretch of time. From the rollups, to the whole hour; `exact` counts the attempts themselves."""
    kinds = {row[0]: _kind(row[1:]) for row in store.rows(f"SELECT id, {', '.join(KIND)} FROM kind")}
    if exact:
        where, values = between(since, until, "at")
        found = store.rows(scan(where, store.hour), values)
        day = _Days(zone).of_hour
        summed: dict[tuple[date, int, str], list[int]] = {}
        for hour, kind, currency, *measures in found:
            cell = (day(hour), kind, currency)
            summed[cell] = list(map(add, summed.get(cell) or _NOTHING, map(int, measures)))
        return [Cell(day, kinds[kind], currency, total) for (day, kind, currency), total in sorted(summed.items())]
    first, last = _span(store, since, until)
    if first is None or last is None:
        return []
    spans = list(_Days(zone).spans(first, last))
    whole = [low // 24 for _, low, high in spans if high - low == 24 and not low % 24]
    found = _whole_days(store, whole, kinds) if whole else []
    return found + _by_the_hour(store, [span for span in spans if span[1] // 24 not in set(whole)], kinds)


def _whole_days(store: Store, days: Sequence[int], kinds: Mapping[int, Kind]) -> list[Cell]:
    """Days of UTC as they are kept. `days` follow each other."""
    names = ", ".join(MEASURES)
    sql = f"SELECT day, kind, currency, {names} FROM rollup_day WHERE day >= ? AND day <= ? ORDER BY 1, 2, 3"
    first = date(1970, 1, 1)
    rows = store.rows(sql, (days[0], days[-1]))
    return [Cell(first + timedelta(days=row[0]), kinds[row[1]], row[2], row[3:]) for row in rows]


def _by_the_hour(store: Store, spans: Sequence[Span], kinds: Mapping[int, Kind]) -> list[Cell]:
    """Days of another zone, and parts of days."""
    if not spans:
        return []
    table = ", ".join(f"({number}, {low}, {high})" for number, (_, low, high) in enumerate(spans))
    sums = ", ".join(f"SUM({name})" for name in MEASURES)
    sql = (
        f"WITH day(n, low, high) AS (VALUES {table}) SELECT day.n, kind, currency, {sums} FROM day JOIN rollup"
        " ON rollup.hour >= day.low AND rollup.hour < day.high GROUP BY day.n, kind, currency ORDER BY 1, 2, 3"
    )
    return [Cell(spans[row[0]][0], kinds[row[1]], row[2], [int(value) for value in row[3:]]) for row in store.rows(sql)]


def _kind(values: Sequence[Any]) -> Kind:
    found = Kind(*values)
    return found._replace(stream=bool(found.stream))


def _span(store: Store, since: float | None, until: float | None) -> tuple[int | None, int | None]:
    """The hours that there are, within what is asked for."""
    first, last = store.rows("SELECT MIN(hour), MAX(hour) FROM rollup")[0]
    if first is None:
        return None, None
    low = first if since is None else max(first, int(since // HOUR))
    high = last + 1 if until is None else min(last + 1, int(-(-until // HOUR)))
    return (low, high) if low < high else (None, None)


class _Days:
    """Days of a time zone in hours since 1970."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def of_hour(self, hour: int) -> date:
        return datetime.fromtimestamp(hour * HOUR, self.zone).date()

    def spans(self, first: int, last: int) -> Iterable[Span]:
        """Day, its first hour, the hour behind its last; cut to what is asked for."""
        day, hour = self.of_hour(first), first
        while hour < last:
            begin = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(days=1)
            following = begin.date()
            seconds = datetime(following.year, following.month, following.day, tzinfo=self.zone).timestamp()
            end = min(last, int(seconds // HOUR))
            if end > hour:
                yield day, hour, end
            day, hour = following, max(hour, end)


def zone_of(name: str) -> ZoneInfo:
    """A time zone whose days begin with an hour of UTC. Raises ConfigError."""
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        zone = None
    if zone is None:
        raise ConfigError(f"there is no time zone {name!r}", hint="for example: Europe/Berlin")
    offsets = [datetime(2026, month, 1, tzinfo=zone).utcoffset() or timedelta() for month in (1, 7)]
    if any(offset % timedelta(hours=1) for offset in offsets):
        raise ConfigError(f"the days of {name} do not begin with an hour of UTC, and rollups are kept by the hour",
                          hint="take a neighbour, or UTC")  # fmt: skip
    return zone


def timeless(found: Iterable[Cell]) -> list[Cell]:
    """The same without days: far fewer, for whatever does not ask when."""
    totals: dict[tuple[Kind, str], tuple[date, list[int]]] = {}
    for cell in found:
        known = totals.get((cell.kind, cell.currency))
        measures = list(cell.measures) if known is None else list(map(add, known[1], cell.measures))
        totals[cell.kind, cell.currency] = (cell.day, measures)
    return [Cell(day, kind, currency, measures) for (kind, currency), (day, measures) in totals.items()]


def grouped(found: Iterable[Cell], key: Callable[[Cell], Any]) -> dict[Any, Total]:
    """Sums by whatever `key` says."""
    totals: dict[Any, Total] = {}
    for cell in found:
        name = key(cell)
        total = totals.get(name)
        if total is None:
            total = totals[name] = Total()
        total.add(cell.currency, cell.measures)
    return totals
