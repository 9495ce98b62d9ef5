"""SQLite, the usual ledger: a file that one machine writes."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from byollm_ledger.errors import (
    LedgerDamagedError,
    LedgerError,
    LedgerFullError,
    LedgerGoneError,
    LedgerLockedError,
)
from byollm_ledger.schema import tables
from byollm_ledger.store import PATIENCE, check_version


class SqliteStore:
    """A file in WAL mode: many read while one writes."""

    hour = "CAST(at / 3600 AS INTEGER)"
    hold = ""

    def __init__(self, path: str, *, full: bool = False, create: bool = True) -> None:
        if not create and not os.path.isfile(path):
            raise LedgerGoneError(f"there is no ledger at {path}", hint="observers: [{name: ledger, path: usage.db}]")
        self.path = path
        self._lock = threading.RLock()
        with _named(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=64
            )
        try:
            self._prepare(full)
        except LedgerError:
            self._connection.close()
            raise
        found = os.stat(path)
        self._identity = (found.st_dev, found.st_ino)

    def _prepare(self, full: bool) -> None:
        with _named(self.path):
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._connection.execute("PRAGMA cache_size = -32768")
        with self.transaction():
            for statement in tables(serial="INTEGER PRIMARY KEY"):
                self.do(statement)
            check_version(self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store`."""
        with self._lock, _named(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    with suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `Store`."""
        with self._lock, _named(self.path):
            return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """See `Store`."""
        with _named(self.path):
            yield from self._connection.execute(sql, values)

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """See `Store`."""
        with self._lock, _named(self.path):
            return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """See `Store`."""
        with self._lock, _named(self.path):
            self._connection.executemany(sql, values)

    def still_there(self) -> bool:
        """See `Store`."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def close(self) -> None:
        """See `Store`."""
        with suppress(sqlite3.Error):
            self._connection.close()


@contextmanager
def _named(path: str) -> Iterator[None]:
    """SQLite's errors under our names; nothing of them stays in `__context__`."""
    try:
        yield
        return
    except sqlite3.Error as error:
        problem = _problem(path, error)
    except OSError as error:
        problem = LedgerGoneError(
            f"the ledger at {path} cannot be opened: {error.strerror}",
            hint="who may write in its folder?",
        )
    raise problem


def _problem(path: str, error: sqlite3.Error) -> LedgerError:
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerLockedError(f"the ledger at {path} is locked by somebody else", hint="who holds it open?")
    if name.startswith("SQLITE_FULL"):
        return LedgerFullError(f"the disk of {path} is full", hint="make room: the journals keep what comes")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "no such column" in text:
        return LedgerDamagedError(f"{path} is no ledger, or it is damaged ({text})", hint="restore it from a copy")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_PERM")):
        return LedgerGoneError(
            f"the ledger at {path} cannot be reached ({text})",
            hint="whoever reads it writes beside it (SQLite's WAL): look at who may write the file and its folder",
        )
    return LedgerError(f"the ledger at {path}: {text}", hint="is it a ledger of byollm?")
