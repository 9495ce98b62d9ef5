"""The record as one SQLite database: the same chain, a row a line. SQLite's own lock keeps processes apart."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic_core import to_json

from byollm_audit.chain import Chain, header, split
from byollm_audit.content import WRAPPED
from byollm_audit.errors import AuditStoreError, TamperedError
from byollm_audit.keys import Mac
from byollm_audit.segments import missing, of_content

T = TypeVar("T")
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS records (n INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS contents (id INTEGER PRIMARY KEY, key BLOB NOT NULL, data BLOB NOT NULL) STRICT;
"""


class DatabaseStore:
    """The chain of a database. `sync`: each record waits for the disk; without, it outlives the process."""

    def __init__(self, path: Path, key: bytes, *, sync: bool = False, wait: float = 5) -> None:
        self._path = path
        self._sign = Mac(key)
        self._sync = sync
        self._wait = wait
        self._chain = Chain(self._sign)
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._lock = threading.Lock()
        self.log = ""

    def close(self) -> None:
        """Let the database go; it is opened again when it is needed."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None and self._process == os.getpid():
                connection.close()

    def append(self, fields: bytes) -> bytes:
        """Write one record, a JSON object that is not empty, and answer with its line. Raises AuditError."""
        return self._within(lambda connection: self._write(connection, fields))

    def append_with(self, record: dict[str, Any], content: bytes) -> bytes:
        """The same for a record with encrypted content."""

        def write(connection: sqlite3.Connection) -> bytes:
            row = (content[:WRAPPED], content[WRAPPED:])
            at = connection.execute("INSERT INTO contents (key, data) VALUES (?, ?)", row).lastrowid
            where = {"segment": 1, "at": at, "size": len(content), **of_content(content)}
            return self._write(connection, to_json({**record, "content": where}))

        return self._within(write)

    def head(self) -> dict[str, Any]:
        """The anchor: what the chain's end is now. Raises AuditError."""

        def read(_: sqlite3.Connection) -> dict[str, Any]:
            return {"log": self.log, "segment": 1, "n": self._chain.n, "mac": self._chain.mac.hex()}

        return self._within(read)

    def destroy(self, where: dict[str, Any]) -> None:
        """Overwrite the key of a content, in the database and in its write-ahead log. Raises AuditStoreError."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE contents SET key = zeroblob(?) WHERE id = ?", (WRAPPED, where["at"]))

        self._within(write)
        with self._lock:
            assert self._connection is not None
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def content(self, where: dict[str, Any]) -> bytes:
        """The bytes of a content; b"" when it is gone. Raises AuditStoreError."""
        with self._reader() as connection:
            row = connection.execute("SELECT key, data FROM contents WHERE id = ?", (where["at"],)).fetchone()
        return bytes(row[0]) + bytes(row[1]) if row else b""

    def lines(self) -> Iterator[bytes]:
        """Every line, without its line break. Raises AuditStoreError."""
        with self._reader() as connection:
            yield from (bytes(line)[:-1] for (line,) in connection.execute("SELECT line FROM records ORDER BY n"))

    def _reader(self) -> _Reading:
        return _Reading(self._path, self._wait)

    def _within(self, work: Callable[[sqlite3.Connection], T]) -> T:
        problem: sqlite3.Error | OSError
        try:
            with self._lock:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                before = self._chain.n, self._chain.mac
                try:
                    self._catch_up(connection)
                    result = work(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    self._chain = Chain(self._sign, *before)
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                return result
        except (sqlite3.Error, OSError) as error:
            problem = error
        raise _failed(problem)

    def _opened(self) -> sqlite3.Connection:
        found = self._connection
        if found is not None and self._process == os.getpid():
            return found
        if self.log and not self._path.exists():
            raise TamperedError("the audit's database is gone", hint="it was there when this process last wrote")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        made = sqlite3.connect(self._path, timeout=self._wait, isolation_level=None, check_same_thread=False)
        made.execute("PRAGMA journal_mode=WAL")
        made.execute(f"PRAGMA synchronous={'FULL' if self._sync else 'NORMAL'}")
        made.execute("PRAGMA secure_delete=ON")
        made.executescript(_TABLES)
        self._connection, self._process = made, os.getpid()
        return made

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Prove what others wrote, and that what this process wrote is there. At first use: the last two lines."""
        if not self.log:
            self._begin(connection)
            return
        rows = connection.execute("SELECT line FROM records WHERE n >= ? ORDER BY n", (self._chain.n,)).fetchall()
        known = split(bytes(rows[0][0])[:-1]) if rows else None
        if known is None or (known.n, known.mac) != (self._chain.n, self._chain.mac):
            raise TamperedError("the audit's database was cut or replaced while it was in use")
        for (line,) in rows[1:]:
            self._chain.follow(bytes(line)[:-1])

    def _begin(self, connection: sqlite3.Connection) -> None:
        last = [
            bytes(line)[:-1]
            for (line,) in connection.execute("SELECT line FROM records ORDER BY n DESC LIMIT 2").fetchall()
        ][::-1]
        if not last:
            log = secrets.token_hex(8)
            self._write(connection, to_json(header(log, 1, time.time(), self._chain.mac)))
        else:
            first = split(bytes(connection.execute("SELECT line FROM records ORDER BY n LIMIT 1").fetchone()[0])[:-1])
            start = split(last[0])
            if first is None or start is None:
                raise TamperedError("the audit's database holds lines that no audit wrote")
            log = str(first.record().get("log"))
            alone = len(last) == 1
            self._chain = Chain(self._sign) if alone else Chain(self._sign, start.n, start.mac)
            for line in last if alone else last[1:]:
                self._chain.follow(line)
        self.log = log

    def _write(self, connection: sqlite3.Connection, fields: bytes) -> bytes:
        line, mac = self._chain.sealed(fields)
        connection.execute("INSERT INTO records (n, line) VALUES (?, ?)", (self._chain.n + 1, line))
        self._chain.took(mac)
        return line


class _Reading:
    """A connection that only reads."""

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> sqlite3.Connection:
        if not self._path.is_file():
            raise missing(self._path)
        problem: sqlite3.Error
        try:
            self._connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", self._wait, uri=True)
            self._connection.execute("SELECT n FROM records LIMIT 1")
        except sqlite3.Error as error:
            problem = error
        else:
            return self._connection
        raise _failed(problem)

    def __exit__(self, *problem: object) -> None:
        if self._connection is not None:
            self._connection.close()


def _failed(error: sqlite3.Error | OSError) -> AuditStoreError:
    words = str(error) if isinstance(error, sqlite3.Error) else error.strerror or type(error).__name__
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or "no such table" in words:
        return AuditStoreError(
            f"the audit's database is none, or it is damaged ({words})",
            hint="--path names the folder or database of an audit; a damaged one is restored from a copy",
        )
    return AuditStoreError(
        f"the audit's database cannot be written or read ({words})", hint="who holds it, is it full?"
    )
