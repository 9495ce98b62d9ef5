"""What holds a credential and does not show itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from byollm.errors import AuthenticationError


class HiddenHeaders(list[tuple[str, str]]):
    """Header pairs that do not show themselves, not even as a local in a traceback.

    `stamp` tells which generation of credentials they are.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), stamp: int = 0) -> None:
        super().__init__(pairs)
        self.stamp = stamp

    def __repr__(self) -> str:
        return f"HiddenHeaders({len(self)})"


class Hidden:
    """A request or an answer of an auth scheme, which may be a secret from end to end."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Hidden(…)"


def sendable(headers: HiddenHeaders) -> HiddenHeaders:
    """The same headers. Raises AuthenticationError for a character that no header can carry."""
    for name, value in headers:
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise AuthenticationError(
                f"the credential for {name} holds a character that no header can carry",
                sent="no",
                hint="was it pasted with a line break, a blank or typographic quotes?",
            )
    return headers
