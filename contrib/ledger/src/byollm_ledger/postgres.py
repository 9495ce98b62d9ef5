"""PostgreSQL, for several machines that write into one ledger. Needs the extra `postgres` (psycopg)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from byollm.errors import ConfigError
from byollm_ledger.errors import LedgerError, LedgerFullError, LedgerGoneError, LedgerLockedError
from byollm_ledger.schema import tables
from byollm_ledger.store import PATIENCE, check_version

_ALONE: Final = 0x62796F6C6C6D
"""The advisory lock under which the tables are made: two that begin at once would make them twice."""
_AT_A_TIME: Final = 2_000


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        pass
    else:
        return psycopg
    raise ConfigError("a ledger in PostgreSQL needs psycopg", hint="pip install 'byollm-ledger[postgres]'")


class PostgresStore:
    """One connection. Everything as in `Store`; the address's password is never shown."""

    hour = "CAST(FLOOR(at / 3600) AS INTEGER)"
    hold = " FOR UPDATE"

    def __init__(self, address: str, *, create: bool = True) -> None:
        self._psycopg = _psycopg()
        self._lock = threading.RLock()
        with self._named():
            self._connection = self._psycopg.connect(
                address, autocommit=True, connect_timeout=int(PATIENCE), application_name="byollm-ledger",
                options=f"-c lock_timeout={int(PATIENCE * 1000)} -c timezone=UTC",
            )  # fmt: skip
        try:
            self._prepare(create)
        except LedgerError:
            self.close()
            raise

    def _prepare(self, create: bool) -> None:
        there = self.rows("SELECT to_regclass('attempt') IS NOT NULL")[0][0]
        if not there and not create:
            raise LedgerGoneError("there is no ledger in this database", hint="observers: [{name: ledger, path: …}]")
        with self.transaction():
            self.do("SELECT pg_advisory_xact_lock(?)", (_ALONE,))
            if not there:
                for statement in tables(serial="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"):
                    self.do(statement)
            check_version(self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store`."""
        with self._lock, self._named(), self._connection.transaction():
            yield

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `Store`."""
        with self._lock, self._named():
            found: list[Any] = self._connection.execute(_marked(sql), values).fetchall()
            return found

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """See `Store`. A cursor of the server: the rows are not fetched at once."""
        with self._lock, self._named(), self._connection.transaction(), self._connection.cursor("byollm") as cursor:
            cursor.itersize = _AT_A_TIME
            cursor.execute(_marked(sql), values)
            yield from cursor

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """See `Store`."""
        with self._lock, self._named():
            return int(self._connection.execute(_marked(sql), values).rowcount)

    def many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """See `Store`."""
        with self._lock, self._named(), self._connection.cursor() as cursor:
            cursor.executemany(_marked(sql), list(values))

    def still_there(self) -> bool:
        """See `Store`."""
        return not (self._connection.closed or self._connection.broken)

    def close(self) -> None:
        """See `Store`."""
        with suppress(Exception):
            self._connection.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """psycopg's errors under our names; their texts may hold the address, and stay out."""
        try:
            yield
            return
        except self._psycopg.Error as error:
            problem = _problem(error)
        raise problem


def _problem(error: Any) -> LedgerError:
    state = error.sqlstate or ""
    kind = type(error).__name__
    if state in ("55P03", "40P01", "40001"):
        return LedgerLockedError(f"the ledger's database is locked by somebody else ({kind})")
    if state.startswith("53"):
        return LedgerFullError(f"the ledger's database has no room ({kind})")
    if not state or state.startswith(("08", "28", "57P", "3D")):
        return LedgerGoneError(
            f"the ledger's database cannot be reached ({kind})", hint="is it up, and is the address right?"
        )
    return LedgerError(f"the ledger's database refused ({kind}, {state})")


def _marked(sql: str) -> str:
    """psycopg's marks for values. A percent sign of SQL is doubled."""
    return sql.replace("%", "%%").replace("?", "%s")
