"""Where a ledger is: a file, or the address of a database."""

from __future__ import annotations

import os

from byollm.errors import ConfigError
from byollm_ledger.sqlite import SqliteStore
from byollm_ledger.store import Store


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
