"""The database of a ledger: SQLite by default, PostgreSQL where several machines write into one.

A store speaks the SQL of `schema.py`, with `?` for values. Everything that belongs together happens in one
transaction, and every failure has one of our names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from byollm_ledger.errors import (
    LedgerDamagedError,
)
from byollm_ledger.schema import VERSION

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
