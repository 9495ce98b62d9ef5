"""A transport that answers with bytes somebody gives it: for tests and recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from byollm.transports.base import Broken, Outgoing
from byollm.wire.exchange import Head


class ReplayTransport:
    """Answers each request with the same status, headers and pieces; `requests` keeps what it was asked."""

    def __init__(self, status: int, headers: Mapping[str, str], pieces: Sequence[bytes | Broken]) -> None:
        self.head = Head(status, {name.lower(): value for name, value in headers.items()})
        self.pieces = [piece for piece in pieces if piece]
        self.requests: list[Outgoing] = []

    def open(self, outgoing: Outgoing) -> ReplayResponse:
        """The answer, whatever was asked."""
        self.requests.append(outgoing)
        return ReplayResponse(self.head, self.pieces)

    def close(self) -> None:
        """Nothing is open."""


class ReplayResponse:
    """The pieces, one a read."""

    def __init__(self, head: Head, pieces: Sequence[bytes | Broken]) -> None:
        self.head = head
        self._pieces = iter(pieces)

    def read(self) -> bytes | Broken:
        """The next piece; b"" at the end."""
        return next(self._pieces, b"")

    def close(self, reuse: bool) -> None:
        """Nothing is open."""


class AsyncReplayTransport:
    """`ReplayTransport`, awaited."""

    def __init__(self, status: int, headers: Mapping[str, str], pieces: Sequence[bytes | Broken]) -> None:
        self.inner = ReplayTransport(status, headers, pieces)

    async def open(self, outgoing: Outgoing) -> AsyncReplayResponse:
        """The answer, whatever was asked."""
        return AsyncReplayResponse(self.inner.open(outgoing))

    async def aclose(self) -> None:
        """Nothing is open."""


class AsyncReplayResponse:
    """`ReplayResponse`, awaited."""

    def __init__(self, inner: ReplayResponse) -> None:
        self.head = inner.head
        self._inner = inner

    async def read(self) -> bytes | Broken:
        """The next piece; b"" at the end."""
        return self._inner.read()

    async def close(self, reuse: bool) -> None:
        """Nothing is open."""
