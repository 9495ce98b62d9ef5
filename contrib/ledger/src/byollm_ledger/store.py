"""The database of a ledger: SQLite by default, PostgreSQL where several machines write into one.

A store speaks the SQL of `schema.py`, with `?` for values. Everything that belongs together happens in one
transaction, and every failure has one of our names.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from byollm.errors import ConfigError
from byollm_ledger.errors import (
    LedgerDamagedError,
    LedgerError,
    LedgerFullError,
    LedgerGoneError,
    LedgerLockedError,
)
from byollm_ledger.schema import VERSION, tables

PATIENCE: Final = 10.0
"""Seconds that a transaction waits for somebody else's."""


class Store(Protocol):
    """What the ledger asks of a database."""

    hour: str
    """The hour of an attempt's `at`, as SQL."""
    hold: str
    """Behind a SELECT inside a transaction: nobody else changes these rows meanwhile."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else writes meanwhile. Raises LedgerError."""
        ...

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows. Raises LedgerError."""
        ...

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Rows as they are read: there may be millions. Raises LedgerError."""
        ...

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it touched. Raises LedgerError."""
        ...

    def many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each. Raises LedgerError."""
        ...

    def still_there(self) -> bool:
        """False when the file was moved or deleted under us."""
        ...

    def close(self) -> None:
        """Never raises."""
        ...


def is_postgres(path: str) -> bool:
    """A database by its address instead of a file."""
    return path.startswith(("postgresql://", "postgres://"))


def resolved(path: str | os.PathLike[str]) -> str:
    """`env:NAME` is what the variable holds; a file's name becomes absolute. Raises ConfigError."""
    text = os.fspath(path)
    if text.startswith("env:"):
        if not text[4:]:
            raise ConfigError("ledger: `env:` names a variable", hint="path: env:BYOLLM_LEDGER")
        found = os.environ.get(text[4:])
        if not found:
            raise ConfigError(f"ledger: the variable {text[4:]} is not set", hint=f"export {text[4:]}=usage.db")
        text = found
    if not text or text == ":memory:":
        raise ConfigError("ledger: `path` names a file or a postgresql:// address", hint="path: usage.db")
    return text if is_postgres(text) else os.path.abspath(os.path.expanduser(text))


def open_store(path: str, *, full: bool = False, create: bool = True) -> Store:
    """The store at an address that `resolved` gave. `full`: every commit is on the disk before it counts.

    Raises LedgerGoneError when it is not there and may not be made, LedgerError for everything else.
    """
    if is_postgres(path):
        from byollm_ledger.postgres import PostgresStore

        return PostgresStore(path, create=create)
    return SqliteStore(path, full=full, create=create)


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


def check_version(store: Store) -> None:
    """Raises LedgerDamagedError for a database that another version of byollm-ledger made."""
    found = store.rows("SELECT value FROM about WHERE name = 'version'")
    if not found:
        store.do("INSERT INTO about (name, value) VALUES ('version', ?)", (VERSION,))
    elif found[0][0] != VERSION:
        raise LedgerDamagedError(
            f"the ledger has version {found[0][0]}, this byollm-ledger reads {VERSION}",
            hint="install the byollm-ledger that wrote it, or begin another file",
        )


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
