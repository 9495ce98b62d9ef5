"""`transport: pyreqwest` (`byollm[fast]`) for asyncio. See `byollm.transports.fast` for what it does differently.

Deadline, `idle` and cancellation are exact here; `first_byte` counts connecting in. A call that is cancelled before its
headers came keeps its connection, unread, until the server answers or the deadline passes; the caller does not wait.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from byollm.transports.async_line import AsyncLine
from byollm.transports.base import AsyncResponse, AsyncTransport, Broken, Outgoing
from byollm.transports.inflate import Body
from byollm.transports.message import Way, way_of
from byollm.transports.progress import Progress, Stop
from byollm.transports.reqwest import (
    AGE,
    answered,
    failed,
    first_hop,
    key_of,
    pinned,
    prepared,
    survives_here,
    was_stale,
)
from byollm.transports.watch import Watch
from byollm.wire.exchange import Head


class _Client:
    """A pyreqwest client, shared by all calls of one key. It is of no event loop: its threads are Rust's."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.born = monotonic()
        self.used = False


class AsyncFastTransport:
    """pyreqwest's `Client`, one for each key."""

    def __init__(self) -> None:
        self._clients: dict[Hashable, _Client] = {}
        self._default: AsyncTransport | None = None

    async def open(self, outgoing: Outgoing) -> AsyncResponse | Broken:
        """See `AsyncTransport.open`."""
        if not survives_here():
            return await self._fallback().open(outgoing)
        way = way_of(outgoing)
        if isinstance(way, Broken):
            return way
        client = await self._client(outgoing, way)
        if isinstance(client, Broken):
            return client
        started, reused, client.used = monotonic(), client.used, True
        outcome = await self._send(client, outgoing, way)
        if was_stale(outcome, reused, started):
            outgoing.cancellation.resent += 1
            outcome = await self._send(client, outgoing, way)
        return outcome

    async def aclose(self) -> None:
        """See `AsyncTransport.aclose`. Calls in flight keep their clients."""
        self._clients.clear()
        if self._default is not None:
            await self._default.aclose()

    def _fallback(self) -> AsyncTransport:
        if self._default is None:
            from byollm.transports.async_http import AsyncHttpTransport

            self._default = AsyncHttpTransport()
        return self._default

    async def _client(self, outgoing: Outgoing, way: Way) -> _Client | Broken:
        key = key_of(outgoing, way)
        client = self._clients.get(key)
        if client is not None and monotonic() - client.born < AGE:
            return client
        built = await self._build(outgoing, way)
        if isinstance(built, Broken):
            return built
        # Several tasks may have built one; those that come from now on share the last.
        self._clients[key] = built
        for other, old in list(self._clients.items()):
            if monotonic() - old.born > AGE:
                self._clients.pop(other, None)
        return built

    async def _build(self, outgoing: Outgoing, way: Way) -> _Client | Broken:
        progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        line = AsyncLine(progress)
        if not outgoing.cancellation.bind(partial(line.stop, progress)):
            return Broken("cancelled", "no")
        try:
            from pyreqwest.client import ClientBuilder

            progress.begin_connecting()
            hop = first_hop(way)
            # A probe: pyreqwest takes one address a name, and it should be one that is checked and answers.
            await line.connect(hop.name, hop.port)
            return _Client(pinned(ClientBuilder(), outgoing, way, line.peer).build())
        except Stop as stop:
            return Broken(stop.kind, "no", stop.detail)
        except Exception as error:
            return failed(error, outgoing, in_body=False)
        finally:
            outgoing.cancellation.bind(None)
            line.shut()

    async def _send(self, client: _Client, outgoing: Outgoing, way: Way) -> AsyncResponse | Broken:
        request = prepared(client.client, outgoing, way)
        if isinstance(request, Broken):
            return request
        progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        progress.begin_waiting(complete=True)
        watch = Watch(progress, outgoing.cancellation)
        found: tuple[Head, Body] | Broken
        try:
            response = await watch.wait(request.__aenter__)
            found = answered(response, outgoing, way)
        except Exception as error:
            found = failed(error, outgoing, in_body=False)
        except BaseException:
            watch.close()
            raise
        if isinstance(found, Broken):
            watch.close()
            await _leave(request)
            return found
        progress.in_head = False
        progress.receive(1)
        return AsyncFastResponse(request, response.body_reader, outgoing, watch, *found)


async def _leave(request: Any) -> None:
    with suppress(Exception):
        await request.__aexit__(None, None, None)


class AsyncFastResponse:
    """An open answer of `AsyncFastTransport`."""

    __slots__ = ("_body", "_outcome", "_outgoing", "_reader", "_request", "_watch", "head")

    def __init__(self, request: Any, reader: Any, outgoing: Outgoing, watch: Watch, head: Head, body: Body) -> None:
        self.head = head
        self._request = request
        self._reader = reader
        self._outgoing: Outgoing | None = outgoing
        self._watch = watch
        self._body = body
        self._outcome: bytes | Broken | None = None

    async def read(self) -> bytes | Broken:
        """See `Response.read`."""
        while self._outcome is None and self._outgoing is not None:
            made = await self._next(self._outgoing)
            if made:
                return made
        return self._outcome or b""

    async def _next(self, outgoing: Outgoing) -> bytes:
        try:
            data = await self._watch.wait(self._reader.read_chunk)
            made = (self._body.end() or b"") if data is None else self._body.piece(bytes(data))
        except Exception as error:
            self._outcome = failed(error, outgoing, in_body=True)
            return b""
        if data is None or isinstance(made, Broken):
            self._outcome = made
            return b""
        return made

    async def close(self, reuse: bool) -> None:
        """See `Response.close`."""
        self._watch.close()
        if self._outcome is None:
            self._outcome = Broken("closed", "yes", "the answer was dropped half read")
        request, self._request, self._reader, self._outgoing = self._request, None, None, None
        if request is not None:
            await _leave(request)
