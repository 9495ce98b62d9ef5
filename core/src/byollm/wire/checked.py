"""Reading a provider's JSON with care: what is not as the dialect says is a ProtocolError, never a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm.errors import ProtocolError


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """An object. Raises ProtocolError."""
    if not isinstance(value, Mapping):
        raise ProtocolError(f"{what} is not an object")
    return value


def text(value: Any, what: str) -> str:
    """A string; null counts as the empty one. Raises ProtocolError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(f"{what} is not a text")
    return value


def optional_text(value: Any, what: str) -> str | None:
    """A string or null. Raises ProtocolError."""
    return None if value is None else text(value, what)


def identifier(value: Any, what: str) -> str:
    """A name that may stand in a path: a string, neither empty nor dots alone. Raises ProtocolError."""
    found = text(value, what)
    if not found.strip("."):
        raise ProtocolError(f"{what} is no name")
    return found


def position(value: Any, what: str) -> int:
    """A number from 0. Raises ProtocolError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ProtocolError(f"{what} is not a position")
    return value


def count(value: Any, what: str) -> int:
    """A number of things, 0 where it was not told. Raises ProtocolError."""
    return 0 if value is None else position(value, what)


def tokens(value: Any, what: str) -> int | None:
    """A count of tokens, or None when it was not told. Raises ProtocolError."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**15:
        raise ProtocolError(f"{what} is not a count of tokens")
    return value
