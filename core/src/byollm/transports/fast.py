"""`transport: pyreqwest` (`byollm[fast]`) for blocking code: Rust's reqwest, at half the CPU time.

What it cannot do, and the default transport can:

- A read of the body cannot be interrupted. A call cancelled from another thread ends at once while it waits for the
  headers; in the body it ends with the next piece, or with the deadline. (The async transport is exact.)
- A signal handler, Ctrl-C's too, runs when the library comes back: with the headers, a piece, or the deadline.
- `first_byte` and `idle` are one limit, the larger of both, and none when one of them is None: then only the deadline
  bounds a wait. (The async transport is exact.)
- `Broken.sent` is "yes" for whatever fails after connecting: the library does not tell how far it had come.
- A client stays on one address of its host for five minutes, the one that answered first.
- The CA bundle of `tls.ca` is trusted beside the system's, not instead of it; an encrypted `tls.key` is refused.
- After a fork in a process that had used it, the child falls back on the default transport.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from byollm.transports.base import Broken, Outgoing, Response, Transport
from byollm.transports.inflate import Body
from byollm.transports.message import Way, way_of
from byollm.transports.pool import Pool
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
from byollm.transports.sync_line import SyncLine
from byollm.wire.exchange import Head


class _Client:
    """A pyreqwest client that serves one call at a time, so that closing it cancels that call and no other."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.born = monotonic()
        self.closed = False

    def is_stale(self) -> bool:
        return self.closed or monotonic() - self.born > AGE

    def discard(self) -> None:
        self.closed = True
        with suppress(Exception):
            self.client.close()


class FastTransport:
    """pyreqwest's `SyncClient`, one for each call in flight, kept for the next."""

    def __init__(self) -> None:
        self._pool: Pool[_Client] = Pool()
        self._default: Transport | None = None

    def open(self, outgoing: Outgoing) -> Response | Broken:
        """See `Transport.open`."""
        if not survives_here():
            return self._fallback().open(outgoing)
        way = way_of(outgoing)
        if isinstance(way, Broken):
            return way
        key = key_of(outgoing, way)
        kept = self._pool.take(key)
        client = kept or self._build(outgoing, way)
        if isinstance(client, Broken):
            return client
        started = monotonic()
        outcome = self._send(client, key, outgoing, way)
        if was_stale(outcome, kept is not None, started):
            outgoing.cancellation.resent += 1
            outcome = self._send(client, key, outgoing, way)
        if isinstance(outcome, Broken):
            client.discard()
        return outcome

    def close(self) -> None:
        """See `Transport.close`."""
        self._pool.clear()
        if self._default is not None:
            self._default.close()

    def _fallback(self) -> Transport:
        if self._default is None:
            from byollm.transports.sync_http import HttpTransport

            self._default = HttpTransport()
        return self._default

    def _build(self, outgoing: Outgoing, way: Way) -> _Client | Broken:
        progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        line = SyncLine(progress)
        if not outgoing.cancellation.bind(partial(line.stop, progress)):
            return Broken("cancelled", "no")
        try:
            from pyreqwest.client import SyncClientBuilder

            progress.begin_connecting()
            hop = first_hop(way)
            # A probe: pyreqwest takes one address a name, and it should be one that is checked and answers.
            line.connect(hop.name, hop.port)
            builder = SyncClientBuilder().pool_max_idle_per_host(1)
            return _Client(pinned(builder, outgoing, way, line.peer).build())
        except Stop as stop:
            return Broken(stop.kind, "no", stop.detail)
        except Exception as error:
            return failed(error, outgoing, in_body=False)
        finally:
            outgoing.cancellation.bind(None)
            line.shut()

    def _send(self, client: _Client, key: Hashable, outgoing: Outgoing, way: Way) -> Response | Broken:
        request = prepared(client.client, outgoing, way)
        if isinstance(request, Broken):
            return request
        if not outgoing.cancellation.bind(client.discard):
            return Broken("cancelled", "no")
        found: tuple[Head, Body] | Broken
        try:
            response = request.__enter__()
            found = answered(response, outgoing, way)
        except Exception as error:
            found = failed(error, outgoing, in_body=False)
        finally:
            outgoing.cancellation.bind(None)
        finish = partial(self._finish, client, key, request)
        if isinstance(found, Broken):
            _leave(request)
            return found
        return FastResponse(response.body_reader, finish, outgoing, *found)

    def _finish(self, client: _Client, key: Hashable, request: Any) -> None:
        # Leaving a half read answer drops its connection, not the client.
        _leave(request)
        if client.closed:
            client.discard()
        else:
            self._pool.give(key, client)


def _leave(request: Any) -> None:
    with suppress(Exception):
        request.__exit__(None, None, None)


class FastResponse:
    """An open answer of `FastTransport`."""

    __slots__ = ("_body", "_finish", "_outcome", "_outgoing", "_reader", "head")

    def __init__(self, reader: Any, finish: Callable[[], None], outgoing: Outgoing, head: Head, body: Body) -> None:
        self.head = head
        self._reader = reader
        self._finish: Callable[[], None] | None = finish
        self._outgoing: Outgoing | None = outgoing
        self._body = body
        self._outcome: bytes | Broken | None = None

    def read(self) -> bytes | Broken:
        """See `Response.read`."""
        while self._outcome is None and self._outgoing is not None:
            made = self._next(self._outgoing)
            if made:
                return made
        return self._outcome or b""

    def _next(self, outgoing: Outgoing) -> bytes:
        try:
            data = self._reader.read_chunk()
            if outgoing.cancellation.cancelled:
                raise Stop("cancelled")
            made = (self._body.end() or b"") if data is None else self._body.piece(bytes(data))
        except Exception as error:
            self._outcome = failed(error, outgoing, in_body=True)
            return b""
        if data is None or isinstance(made, Broken):
            self._outcome = made
            return b""
        return made

    def close(self, reuse: bool) -> None:
        """See `Response.close`. The client serves on in any case, on another connection if need be."""
        if self._outcome is None:
            self._outcome = Broken("closed", "yes", "the answer was dropped half read")
        finish, self._finish = self._finish, None
        self._outgoing = self._reader = None
        if finish is not None:
            finish()
