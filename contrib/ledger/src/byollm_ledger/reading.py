"""Reading a ledger: its rows, one by one, and what was given up to be settled later."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from byollm.errors import ConfigError
from byollm_ledger.address import open_store, resolved
from byollm_ledger.errors import LedgerError, SettledError
from byollm_ledger.fold import adopt, replace
from byollm_ledger.journal import Folder
from byollm_ledger.observer import journal_folder
from byollm_ledger.row import PROCESS_ENDED, Row, from_pico, to_pico
from byollm_ledger.schema import COLUMNS, FACTS, KIND
from byollm_ledger.store import Store

log = logging.getLogger("byollm")
Instant = float | datetime | None
_AMOUNTS: Final = {"cost", "possible"}
_SELECT: Final = (
    f"SELECT attempt.call, attempt.ordinal, {', '.join(f'kind.{name}' for name in KIND)},"
    f" {', '.join(f'attempt.{name}' for name in FACTS)}, attempt.settled"
    " FROM attempt JOIN kind ON kind.id = attempt.kind"
)


def read(
    path: str | os.PathLike[str], since: Instant = None, until: Instant = None, *, journals: str | None = None
) -> Iterator[Row]:
    """Every attempt that began at `since` or later and before `until`, in the order of time.

    `path` is what the ledger was given: a file, a `postgresql://` address, or `env:NAME`; `since` and `until` are Unix
    seconds or datetimes with a time zone. What dead processes left in their journals is taken over first; what a
    living one told within the last moments may not be there yet. Raises LedgerError, ConfigError.
    """
    with opened(path, journals) as store:
        yield from rows_of(store, since, until)


def rows_of(store: Store, since: Instant = None, until: Instant = None) -> Iterator[Row]:
    """The same, of a store that is open."""
    where, values = between(since, until)
    for found in store.each(f"{_SELECT} {where} ORDER BY attempt.at, attempt.id", values):
        yield row_of(found)


def between(since: Instant, until: Instant, column: str = "attempt.at") -> tuple[str, list[float]]:
    """The condition, and its values. Raises ConfigError for a datetime without a time zone."""
    bounds = [(">=", instant(since)), ("<", instant(until))]
    parts = [(f"{column} {sign} ?", value) for sign, value in bounds if value is not None]
    return ("WHERE " + " AND ".join(text for text, _ in parts) if parts else ""), [value for _, value in parts]


def instant(value: Instant) -> float | None:
    """Unix seconds."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ConfigError(f"{value} has no time zone", hint="datetime(…, tzinfo=UTC)")
        return value.timestamp()
    return value


def row_of(found: Sequence[Any]) -> Row:
    """A row as the database tells it."""
    kind: dict[str, Any] = dict(zip(KIND, found[2:], strict=False))
    facts = dict(zip((*FACTS, "settled"), found[2 + len(KIND) :], strict=True))
    micros, first = facts.pop("micros"), facts.pop("first_micros")
    labels = facts.pop("labels")
    known: dict[str, Any] = {name: from_pico(value) if name in _AMOUNTS else value for name, value in facts.items()}
    known["number"] = known["number"] or 1
    known["sent"] = known["sent"] or "yes"
    return Row(
        call=found[0],
        ordinal=found[1],
        **{**kind, "stream": bool(kind["stream"])},
        **known,
        milliseconds=None if micros is None else micros / 1000,
        first_milliseconds=None if first is None else first / 1000,
        labels=json.loads(labels) if labels else {},
    )


@contextmanager
def opened(path: str | os.PathLike[str], journals: str | None = None) -> Iterator[Store]:
    """A ledger that is there, with what dead processes left taken over. Raises LedgerError."""
    place = resolved(path)
    folder = Folder(Path(journal_folder(place, journals)))
    store = open_store(place, create=bool(folder.name))
    try:
        try:
            adopt(store, folder)
        except (LedgerError, OSError) as error:
            log.warning("ledger: what dead processes left cannot be taken over (%s)", type(error).__name__)
        yield store
    finally:
        store.close()


def unsettled(store: Store, since: Instant = None, until: Instant = None) -> Iterator[Row]:
    """The rows that nobody knows the cost of."""
    where, values = between(since, until)
    unsure = "(attempt.billed = 'unknown' OR (attempt.billed = 'yes' AND attempt.cost IS NULL))"
    where = f"{where} AND {unsure}" if where else f"WHERE {unsure}"
    for found in store.each(f"{_SELECT} {where} ORDER BY attempt.at, attempt.id", values):
        yield row_of(found)


def settle(
    store: Store,
    call: str,
    ordinal: int,
    *,
    billed: str,
    cost: Decimal | None = None,
    currency: str | None = None,
    why: str = "settled by hand",
) -> None:
    """Say what became of an attempt that was not certain; its rollup follows.

    Raises SettledError when there is no such attempt, or it is certain already.
    """  # fmt: skip
    amount = None if cost is None else to_pico(cost)
    if (
        billed not in ("yes", "no")
        or (billed == "yes") != (amount is not None)
        or (amount is not None and not currency)
    ):
        raise SettledError("an attempt is settled as not billed, or as billed with an amount and its currency")
    with store.transaction():
        sql = f"SELECT id, {', '.join(COLUMNS)} FROM attempt WHERE call = ? AND ordinal = ?"
        found = store.rows(sql, (call, ordinal))
        if not found:
            raise SettledError(f"there is no attempt {call}:{ordinal}")
        before = found[0][1:]
        known = dict(zip(COLUMNS, before, strict=True))
        if known["billed"] == "no" or (known["billed"] == "yes" and known["cost"] is not None):
            raise SettledError(f"the attempt {call}:{ordinal} is certain already")
        after = known | {
            "billed": billed,
            "cost": amount,
            "possible": None,
            "source": why if amount is not None else None,
        }
        after["currency"] = currency if amount is not None else known["currency"]
        replace(store, found[0][0], before, tuple(after[name] for name in COLUMNS), settled=why)


__all__ = ["PROCESS_ENDED", "opened", "read", "rows_of", "settle", "unsettled"]
