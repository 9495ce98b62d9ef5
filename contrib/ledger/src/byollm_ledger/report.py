"""`byollm usage` as data: what the tables, the JSON and the page show, computed once."""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from byollm_ledger.cells import Cell, Total, cells, grouped, timeless
from byollm_ledger.negotiate import negotiation
from byollm_ledger.row import from_pico, rounded
from byollm_ledger.store import Store

DIMENSIONS: Final = (
    "day", "month", "task", "provider", "tenant", "model", "deployment", "host", "data_class", "key_owner", "stream",
)  # fmt: skip
"""What `--by` understands."""
SHOWN: Final = ("day", "task", "provider", "tenant", "model")
"""What is shown unless `--by` says otherwise."""
USUAL: Final[Sequence[Sequence[str]]] = tuple((name,) for name in SHOWN)
TIMELY: Final = {"day", "month"}
RECENT: Final = 7
"""Days whose mean the forecast goes on with."""
_DAY: Final = 86_400


def report(
    store: Store,
    *,
    since: float | None = None,
    until: float | None = None,
    zone: ZoneInfo,
    by: Sequence[Sequence[str]] = USUAL,
    exact: bool = False,
    now: float | None = None,
    config: Any = None,
    waiting: int = 0,
) -> dict[str, Any]:
    """The whole report. Amounts are exact Decimals by currency; no two currencies are ever added.

    `by`: the groups, each one or more of DIMENSIONS. `config`: a configuration, to find the cheapest deployment that
    each task's rules allow. `waiting`: bytes in journals that are not folded yet.
    """
    moment = time.time() if now is None else now
    daily = cells(store, since, until, zone, exact=exact)
    found = timeless(daily)
    everything = grouped(found, lambda cell: None).get(None) or Total()
    return {
        "since": _told(since, zone),
        "until": _told(until, zone),
        "timezone": zone.key,
        "exact": exact,
        "total": everything.facts(),
        "platform_key_calls": sum(cell.measures[1] for cell in found if cell.kind.key_owner == "platform"),
        "keys": {name: total["calls"] for name, total in sorted(grouped(found, _of("key_owner")).items())},
        "groups": {",".join(names): _group(daily if TIMELY & set(names) else found, names) for names in by},
        "mix": _mix(found),
        "forecast": _forecast(store, zone, moment),
        "budgets": _budgets(store),
        "negotiate": negotiation(found, config, moment),
        "state": state(store, waiting),
    }


def _told(moment: float | None, zone: ZoneInfo) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, zone).isoformat(timespec="minutes")


def _of(name: str) -> Any:
    if name == "day":
        return lambda cell: cell.day.isoformat()
    if name == "month":
        return lambda cell: f"{cell.day:%Y-%m}"
    return lambda cell: _word(getattr(cell.kind, name))


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else value if value is not None else "–"


def _group(found: Sequence[Cell], names: Sequence[str]) -> list[dict[str, Any]]:
    """One row a group: over time in order, everything else the dearest first."""
    parts = [_of(name) for name in names]
    totals = grouped(found, lambda cell: tuple(part(cell) for part in parts))
    timely = names[0] in TIMELY
    ordered = sorted(totals.items(), key=lambda item: item[0] if timely else (*_dearness(item[1]), item[0]))
    return [{**dict(zip(names, key, strict=True)), **total.facts()} for key, total in ordered]


def _dearness(total: Total) -> tuple[Any, ...]:
    """Largest amount in any one currency, then calls."""
    return -max((both[0] for both in total.picos.values()), default=0), -total["calls"]


def _mix(found: Sequence[Cell]) -> list[dict[str, Any]]:
    """Each provider's share of calls, and of the amount in each currency; in percent."""
    totals = grouped(found, _of("provider"))
    calls = sum(total["attempts"] for total in totals.values())
    sums: dict[str, int] = {}
    for total in totals.values():
        for currency, both in total.picos.items():
            sums[currency] = sums.get(currency, 0) + both[0]
    return [
        {
            "provider": name,
            "attempts_percent": _percent(total["attempts"], calls),
            "cost_percent": {
                currency: _percent(both[0], sums[currency]) for currency, both in sorted(total.picos.items())
            },
        }
        for name, total in sorted(totals.items(), key=lambda item: -item[1]["attempts"])
    ]


def _percent(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1"), ROUND_HALF_EVEN) if whole else Decimal(0)


def _forecast(store: Store, zone: ZoneInfo, now: float) -> dict[str, Any]:
    """This month: what was certainly spent, and that much more at the pace of the last seven days."""
    today = datetime.fromtimestamp(now, zone)
    first = datetime(today.year, today.month, 1, tzinfo=zone).timestamp()
    days = calendar.monthrange(today.year, today.month)[1]
    following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    end = datetime(following.year, following.month, 1, tzinfo=zone).timestamp()
    month = cells(store, first, now, zone)
    spent = _amounts(month)
    begin = now - RECENT * _DAY
    recent_cells = cells(store, begin, now, zone)
    recent = _amounts(recent_cells)
    oldest = min((cell.day for cell in recent_cells), default=None)
    seconds = RECENT * _DAY
    if oldest is not None:
        midnight = datetime(oldest.year, oldest.month, oldest.day, tzinfo=zone).timestamp()
        seconds = int(min(seconds, max(_DAY // 24, now - max(begin, midnight))))
    rest = Decimal(int(end - now)) / seconds
    return {
        "month": f"{today:%Y-%m}",
        "days": days,
        "spent": spent,
        "recent": recent,
        "recent_hours": round(seconds / 3600, 1),
        "unpriced": _unpriced(month),
        "recent_unpriced": _unpriced(recent_cells),
        "expected": {
            currency: _rounded(spent.get(currency, Decimal(0)) + recent.get(currency, Decimal(0)) * rest)
            for currency in sorted({*spent, *recent})
        },
    }


def _unpriced(found: Sequence[Cell]) -> int:
    """Attempts that were billed at an amount nobody knows."""
    total = grouped(found, lambda cell: None).get(None)
    return total["unpriced"] if total is not None else 0


def _budgets(store: Store) -> list[dict[str, Any]]:
    """The accounts of the newest month that has any: what is spent, and what calls on their way are promised."""
    reserved = (
        "SELECT COALESCE(SUM(amount), 0) FROM reservation AS r"
        " WHERE r.name = b.name AND r.scope = b.scope AND r.period = b.period AND r.currency = b.currency"
    )
    found = store.rows(
        f"SELECT b.name, b.scope, b.period, b.currency, b.spent, ({reserved}) FROM budget AS b"
        " WHERE b.period = (SELECT MAX(period) FROM budget) ORDER BY 1, 2, 4"
    )
    return [
        {
            "budget": name,
            "scope": json.loads(scope),
            "month": month,
            "currency": currency,
            "spent": from_pico(int(spent)),
            "reserved": from_pico(int(promised)),
        }
        for name, scope, month, currency, spent, promised in found
    ]


def _rounded(amount: Decimal) -> Decimal:
    """To six places: it is a guess."""
    return rounded(amount.quantize(Decimal("0.000001"), ROUND_HALF_EVEN))


def _amounts(found: Sequence[Cell]) -> dict[str, Decimal]:
    total = grouped(found, lambda cell: None).get(None)
    return total.amounts(0) if total is not None else {}


def state(store: Store, waiting: int = 0) -> dict[str, Any]:
    """How the books themselves are: what is on its way, and what somebody should look at."""
    return {
        "waiting_bytes": waiting,
        "in_flight": int(store.rows("SELECT COUNT(*) FROM intent")[0][0]),
        "notices": [
            {"name": name, "count": int(count), "last": last}
            for name, count, last in store.rows("SELECT name, count, last FROM notice ORDER BY name")
        ],
    }
