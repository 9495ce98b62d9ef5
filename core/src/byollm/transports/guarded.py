"""A plugin's transport at the border: whatever it raises or answers amiss is a failure as a value.

A library's exception may hold the request, and with it the key, so that nothing but its name is told.
"""

from __future__ import annotations

from typing import Any

from byollm.transports.base import AsyncResponse, Broken, Outgoing, Response
from byollm.wire.exchange import Head


class Guarded:
    """A `Transport` of a plugin, by the name in the file."""

    def __init__(self, inner: Any, name: str) -> None:
        self.inner = inner
        self.name = name

    def open(self, outgoing: Outgoing) -> Response | Broken:
        """See `Transport.open`."""
        try:
            opened = self.inner.open(outgoing)
        except Exception as error:
            return _failed(self.name, type(error).__name__)
        return _response(opened, self.name) or _GuardedResponse(opened, self.name)

    def close(self) -> None:
        """See `Transport.close`."""
        self.inner.close()


class AsyncGuarded:
    """`Guarded`, awaited."""

    def __init__(self, inner: Any, name: str) -> None:
        self.inner = inner
        self.name = name

    async def open(self, outgoing: Outgoing) -> AsyncResponse | Broken:
        """See `AsyncTransport.open`."""
        try:
            opened = await self.inner.open(outgoing)
        except Exception as error:
            return _failed(self.name, type(error).__name__)
        return _response(opened, self.name) or _AsyncGuardedResponse(opened, self.name)

    async def aclose(self) -> None:
        """See `AsyncTransport.aclose`."""
        await self.inner.aclose()


class _GuardedResponse:
    def __init__(self, inner: Any, name: str) -> None:
        self.inner = inner
        self.name = name
        self.head: Head = inner.head

    def read(self) -> bytes | Broken:
        try:
            piece = self.inner.read()
        except Exception as error:
            return _failed(self.name, type(error).__name__)
        return _piece(piece, self.name)

    def close(self, reuse: bool) -> None:
        self.inner.close(reuse)


class _AsyncGuardedResponse:
    def __init__(self, inner: Any, name: str) -> None:
        self.inner = inner
        self.name = name
        self.head: Head = inner.head

    async def read(self) -> bytes | Broken:
        try:
            piece = await self.inner.read()
        except Exception as error:
            return _failed(self.name, type(error).__name__)
        return _piece(piece, self.name)

    async def close(self, reuse: bool) -> None:
        await self.inner.close(reuse)


def _response(opened: Any, name: str) -> Broken | None:
    """What ends the matter; None for a response that can be read."""
    if isinstance(opened, Broken):
        return opened
    if isinstance(getattr(opened, "head", None), Head) and callable(getattr(opened, "read", None)):
        return None
    return _failed(name, f"`open` answered {type(opened).__name__}")


def _piece(piece: Any, name: str) -> bytes | Broken:
    return piece if isinstance(piece, bytes | Broken) else _failed(name, f"`read` answered {type(piece).__name__}")


def _failed(name: str, problem: str) -> Broken:
    return Broken("protocol", "partial", f"the plugin of transport {name!r} failed ({problem})")
