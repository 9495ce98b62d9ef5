"""Where a chain is kept: what files and databases have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Store(Protocol):
    """Where a chain is kept."""

    def append(self, fields: bytes) -> bytes:
        """Write a record; its line. Raises AuditError."""
        ...

    def append_with(self, record: dict[str, Any], content: bytes) -> bytes:
        """Write a record with encrypted content. Raises AuditError."""
        ...

    def head(self) -> dict[str, Any]:
        """The anchor."""
        ...

    def destroy(self, where: dict[str, Any]) -> None:
        """Overwrite the key of a content."""
        ...

    def content(self, where: dict[str, Any]) -> bytes:
        """The bytes of a content."""
        ...

    def lines(self) -> Iterator[bytes]:
        """Every line."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


def path_is_database(path: Path) -> bool:
    """Files of these names hold a database, everything else is a folder."""
    return path.suffix in (".db", ".sqlite", ".sqlite3")
