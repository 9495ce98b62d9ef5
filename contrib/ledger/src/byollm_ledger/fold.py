"""From journals into the database: attempts, rollups and what is still on its way, exactly once.

How far a journal was folded stands in the database, written in the transaction that writes its rows: a fold that was
killed is done again from where the last one ended, and nothing is lost or doubled.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from byollm_ledger.accounts import abandoned
from byollm_ledger.journal import Folder, facts_in
from byollm_ledger.measures import Cell, add
from byollm_ledger.row import PROCESS_ENDED
from byollm_ledger.schema import COLUMNS, KIND, MEASURES
from byollm_ledger.store import Store
from byollm_ledger.tally import Tally, Whose

_INSERT: Final = f"INSERT INTO attempt ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_NAMES: Final = ", ".join(MEASURES)
_MARKS: Final = ", ".join("?" * (len(MEASURES) + 3))


def _upsert(table: str, time: str) -> str:
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
    return (
        f"INSERT INTO {table} ({time}, kind, currency, {_NAMES}) VALUES ({_MARKS})"
        f" ON CONFLICT ({time}, kind, currency) DO UPDATE SET {sums}"
    )


_ROLL: Final = _upsert("rollup", "hour")
_ROLL_DAY: Final = _upsert("rollup_day", "day")
_INTENT: Final = (
    "INSERT INTO intent (call, ordinal, process, kind, at, possible, currency, labels)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call, ordinal) DO NOTHING"
)
_OFFSET: Final = (
    "INSERT INTO journal (name, folded) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET folded = excluded.folded"
)
_NOTICE: Final = (
    "INSERT INTO notice (name, count, last) VALUES (?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET count = notice.count + excluded.count, last = excluded.last"
)
_KIND, _BILLED, _COST, _CURRENCY = map(COLUMNS.index, ("kind", "billed", "cost", "currency"))
_DEPLOYMENT, _TENANT = KIND.index("deployment"), KIND.index("tenant")
_NEAR: Final = 120.0
"""Seconds around an intent in which its attempt is looked for."""

Name = tuple[str, int]


class Fold:
    """Folds the journals of one process. `path` is that of a journal; one at a time, oldest first."""

    def __init__(self, store: Store, process: str, tally: Tally | None = None) -> None:
        """`tally`: of the process itself, None for whoever takes over a dead one's."""
        self.store = store
        self.tally = tally
        self.process = process
        self.open: set[Name] = set()
        """Attempts on their way whose intent stands in the database."""
        self._kinds: dict[str, int] = {}
        self.whose: dict[int, tuple[str, str | None]] = {}
        """Deployment and tenant of each kind."""
        self._path: Path | None = None
        self._offset = 0
        self._named: dict[int, int] = {}

    def take(self, path: Path, *, whole: bool) -> int:
        """Fold what is new in a journal, and answer how far it is folded. Raises LedgerError and OSError.

        `whole`: nobody writes it any more.
        """
        if path != self._path:
            self._begin(path)
        for facts, end in facts_in(path, self._offset, whole=whole):
            batch = _Batch(self, facts, dict(self._named))
            try:
                with self.store.transaction():
                    batch.write(path.name, end)
            except BaseException:
                self._kinds.clear()  # what was numbered in a transaction that did not happen
                raise
            self._offset, self._named = end, batch.named
            self.open = batch.open
            if self.tally is not None:
                self.tally.fold(batch.costs)
        return self._offset

    def _begin(self, path: Path) -> None:
        found = self.store.rows("SELECT folded FROM journal WHERE name = ?", (path.name,))
        offset = int(found[0][0]) if found else 0
        named: dict[int, int] = {}
        if offset:
            with self.store.transaction():
                for facts, end in facts_in(path, 0, whole=False):
                    for fact in facts:
                        if fact is not None and fact[0] == "k":
                            named[fact[1]] = self.kind(fact[2])
                    if end >= offset:
                        break
        intents = self.store.rows("SELECT call, ordinal FROM intent WHERE process = ?", (self.process,))
        self.open = {(call, ordinal) for call, ordinal in intents}
        self._path, self._offset, self._named = path, offset, named

    def kind(self, values: Sequence[Any]) -> int:
        """The number of a kind in the database. Inside a transaction."""
        key = json.dumps([int(it) if isinstance(it, bool) else it for it in values], separators=(",", ":"))
        found = self._kinds.get(key)
        if found is None:
            names = ", ".join(("key", *KIND))
            places = ", ".join("?" * (len(KIND) + 1))
            self.store.do(
                f"INSERT INTO kind ({names}) VALUES ({places}) ON CONFLICT (key) DO NOTHING", (key, *json.loads(key))
            )
            found = self._kinds[key] = int(self.store.rows("SELECT id FROM kind WHERE key = ?", (key,))[0][0])
            self.whose[found] = (values[_DEPLOYMENT], values[_TENANT])
        return found

    def over(self) -> int:
        """The process is dead and all its journals are folded: nobody will tell any more what became of its attempts.

        They become rows that are billed unknown. How many they were. Raises LedgerError.
        """
        store = self.store
        with store.transaction():
            names = "call, ordinal, kind, at, possible, currency, labels"
            left = store.rows(f"SELECT {names} FROM intent WHERE process = ?", (self.process,))
            rows = [_ended(*intent) for intent in left if not _is_told(store, intent)]
            write(store, rows)
            store.do("DELETE FROM intent WHERE process = ?", (self.process,))
            abandoned(store, self.process)
            store.do("DELETE FROM journal WHERE name LIKE ?", (f"{self.process}.%",))
        self.open = set()
        return len(rows)

    def forget(self, name: str) -> None:
        """A journal that was folded to its end and is deleted needs no mark any more."""
        self.store.do("DELETE FROM journal WHERE name = ?", (name,))
        self._path = None


class _Batch:
    """The facts of one chunk on their way into the database."""

    def __init__(self, fold: Fold, facts: Iterable[Any], named: dict[int, int]) -> None:
        self.fold = fold
        self.facts = facts
        self.named = named
        self.open = set(fold.open)
        self.torn = 0
        self.costs: dict[Whose, int] = {}

    def write(self, name: str, end: int) -> None:
        rows: list[list[Any]] = []
        intents: dict[Name, list[Any]] = {}
        closed: list[Name] = []
        named, known = self.named, self.open
        for fact in self.facts:
            what = fact[0] if fact is not None else None
            if what in ("r", "i") and (number := named.get(fact[3])) is not None:
                fact[3] = number
                key = (fact[1], fact[2])
                if what == "i":
                    intents[key] = fact[3:]
                elif intents.pop(key, None) is not None:
                    rows.append(fact[1:])
                elif key in known:
                    closed.append(key)
                    known.discard(key)
                    rows.append(fact[1:])
                elif not self._late(fact[1:]):
                    rows.append(fact[1:])
            elif what == "w":
                intents.pop((fact[1], fact[2]), None)
                closed.append((fact[1], fact[2]))
            elif what == "k":
                named[fact[1]] = self.fold.kind(fact[2])
            else:  # torn, or of a kind whose line was torn
                self.torn += 1
        self._store(rows, intents, closed)
        for row in rows if self.fold.tally is not None else ():
            if row[_BILLED] == "yes" and row[_COST] is not None:
                whose = (*self.fold.whose[row[_KIND]], row[_CURRENCY])
                self.costs[whose] = self.costs.get(whose, 0) + row[_COST]
        if self.torn:
            notice(self.fold.store, "torn lines", self.torn, f"in {name}")
        self.fold.store.do(_OFFSET, (name, end))

    def _store(self, rows: list[list[Any]], intents: dict[Name, list[Any]], closed: list[Name]) -> None:
        store = self.fold.store
        write(store, rows)
        if closed:
            store.many("DELETE FROM intent WHERE call = ? AND ordinal = ?", closed)
            self.open.difference_update(closed)
        if intents:
            store.many(_INTENT, [(*key, self.fold.process, *value) for key, value in intents.items()])
            self.open.update(intents)

    def _late(self, row: list[Any]) -> bool:
        """The result of an attempt that was given up already: it takes the place of what was thought."""
        store = self.fold.store
        sql = f"SELECT id, {', '.join(COLUMNS)} FROM attempt WHERE call = ? AND ordinal = ? AND billed = 'unknown'"
        found = store.rows(f"{sql} AND error = ?", (row[0], row[1], PROCESS_ENDED))
        if not found:
            return False
        replace(store, found[0][0], found[0][1:], row)
        return True


def write(store: Store, rows: Sequence[Sequence[Any]]) -> None:
    """New attempts and their rollups. Inside a transaction."""
    if not rows:
        return
    totals: dict[Cell, list[int]] = {}
    for row in rows:
        add(totals, row)
    store.many(_INSERT, rows)
    roll(store, totals)


def replace(store: Store, number: int, before: Sequence[Any], after: Sequence[Any], settled: str | None = None) -> None:
    """Another truth about an attempt, and its rollups with it. Inside a transaction."""
    totals: dict[Cell, list[int]] = {}
    add(totals, before, -1)
    add(totals, after)
    names = ", ".join(f"{name} = ?" for name in COLUMNS)
    store.do(f"UPDATE attempt SET {names}, settled = ? WHERE id = ?", (*after, settled, number))
    roll(store, totals)


def roll(store: Store, totals: dict[Cell, list[int]]) -> None:
    """Add to the rollups, by the hour and by the day (of UTC). In one order everywhere, so that two writers never wait
    for each other."""
    store.many(_ROLL, [(*cell, *totals[cell]) for cell in sorted(totals)])
    days: dict[Cell, list[int]] = {}
    for (hour, kind, currency), measures in totals.items():
        cell = (hour // 24, kind, currency)
        days[cell] = list(map(operator.add, days[cell], measures)) if cell in days else measures
    store.many(_ROLL_DAY, [(*cell, *days[cell]) for cell in sorted(days)])


def notice(store: Store, name: str, count: int, last: str) -> None:
    """Something that whoever reads the reports should know."""
    store.do(_NOTICE, (name, count, last))


def _ended(
    call: str, ordinal: int, kind: int, at: float, possible: int | None, currency: str | None, labels: Any
) -> Any:
    known = {"call": call, "ordinal": ordinal, "kind": kind, "at": at, "possible": possible, "currency": currency}
    known |= {"labels": labels, "number": None, "sent": "unknown", "billed": "unknown", "error": PROCESS_ENDED}
    return tuple(known.get(name) for name in COLUMNS)


def _is_told(store: Store, intent: Sequence[Any]) -> bool:
    """The result came by another way than the journal with the intent."""
    call, ordinal, _, at = intent[:4]
    sql = "SELECT 1 FROM attempt WHERE at BETWEEN ? AND ? AND call = ? AND ordinal = ?"
    return bool(store.rows(sql, (at - _NEAR, at + _NEAR, call, ordinal)))


def adopt(store: Store, folder: Folder) -> int:
    """Take over what dead processes left: fold their journals, settle their intents as unknown, and delete.

    How many attempts became unknown. Raises LedgerError and OSError.
    """
    name = folder.name
    if name is None:
        return 0
    named = store.rows("SELECT process FROM intent UNION SELECT process FROM reservation")
    known = {process for (process,) in named if process.startswith(name)}
    ended = 0
    for process in sorted(known | set(folder.processes())):
        lock = folder.take_over(process)
        if lock is None:
            continue
        done = False
        try:
            fold = Fold(store, process)
            for path in folder.journals(process):
                fold.take(path, whole=True)
                path.unlink()
                fold.forget(path.name)
            ended += fold.over()
            done = True
        finally:
            lock.release(remove=done)
    return ended
