"""Any transport written for httpx or httpx2, a user's own included, as a transport of byollm."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

from byollm.transports.base import AsyncResponse, Broken, Outgoing, Response
from byollm.transports.failures import known
from byollm.transports.inflate import Body
from byollm.transports.message import Way, head_of, url_of, way_of
from byollm.transports.progress import Progress, Stop
from byollm.wire.exchange import Head

if TYPE_CHECKING:
    from byollm.transports.watch import Watch


def _family(transport: object) -> Any:
    """httpx or httpx2: the one whose base class the transport has, else httpx."""
    for base in type(transport).__mro__:
        root = base.__module__.partition(".")[0]
        if root in ("httpx", "httpx2"):
            return import_module(root)
    import httpx

    return httpx


class _Call:
    """One request in httpx's terms, and the clock that httpx is handed: a dict, read anew for every wait."""

    def __init__(self, transport: object, outgoing: Outgoing, way: Way) -> None:
        self.progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        self.progress.begin_foreign()
        self.cancellation = outgoing.cancellation
        self.limits = outgoing.limits
        self._idle = outgoing.timeouts.idle
        self._deadline = outgoing.deadline
        self.in_body = False
        self.clock = {
            "connect": self._left(outgoing.timeouts.connect),
            "pool": self._left(outgoing.timeouts.connect),
            "write": self._left(outgoing.timeouts.idle),
            "read": self._left(outgoing.timeouts.first_byte),
        }
        headers = [pair for pair in outgoing.headers if pair[0].lower() not in ("content-length", "transfer-encoding")]
        if not any(name.lower() == "accept-encoding" for name, _ in headers):
            headers.append(("accept-encoding", "gzip"))
        self.request = _family(transport).Request(
            outgoing.method,
            url_of(outgoing, way),
            headers=headers,
            content=outgoing.body,
            extensions={"timeout": self.clock},
        )

    def _left(self, seconds: float | None) -> float | None:
        if self._deadline is None:
            return seconds
        left = max(self._deadline - monotonic(), 0.001)
        return left if seconds is None else min(seconds, left)

    def begin_body(self) -> None:
        """The head is there."""
        self.in_body = True
        self.progress.in_head = False
        self.progress.receive(1)

    def begin_read(self) -> None:
        """Before each piece of the body. Raises Stop when time is up."""
        self.progress.patience()
        self.clock["read"] = self._left(self._idle)

    def broken(self, error: Exception) -> Broken:
        """An exception of the transport as a value."""
        if self.cancellation.cancelled:
            return Broken("cancelled", "yes")
        if isinstance(error, Stop):
            return Broken(error.kind, "yes", error.detail)
        found = known(error)
        if found.kind.startswith("timeout") and self._deadline is not None and monotonic() >= self._deadline - 0.005:
            return Broken("deadline", found.sent)
        if found.kind == "timeout_idle" and found.sent == "yes" and not self.in_body:
            return Broken("timeout_first_byte", "yes")
        return found


def _begin(transport: object, outgoing: Outgoing) -> _Call | Broken:
    way = way_of(outgoing)
    if isinstance(way, Broken):
        return way
    if outgoing.cancellation.cancelled:
        return Broken("cancelled", "no")
    if outgoing.deadline is not None and monotonic() >= outgoing.deadline:
        return Broken("deadline", "no")
    try:
        return _Call(transport, outgoing, way)
    except (UnicodeError, ValueError, TypeError):
        return Broken("protocol", "no", "the request cannot be written as HTTP")


def _head(response: Any, call: _Call) -> tuple[Head, Body] | Broken:
    head = head_of(response.status_code, response.headers.raw, call.limits.headers)
    if isinstance(head, Broken):
        return head
    call.begin_body()
    body = Body(head.headers.get("content-encoding", ""), call.limits)
    return body.unknown or (head, body)


class HttpxTransport:
    """A user's `httpx.BaseTransport`, `httpx2.BaseTransport`, or anything with their `handle_request`.

    The request's host must be declared and its timeouts are handed on, but the socket is the transport's own: proxy and
    TLS settings of the deployment are not applied, resolved addresses are not checked, a deadline is as exact as the
    transport's timeouts are (a server that drips headers outlives it), and a call can be cancelled only once its
    headers are there.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def open(self, outgoing: Outgoing) -> Response | Broken:
        """See `Transport.open`."""
        call = _begin(self._transport, outgoing)
        if isinstance(call, Broken):
            return call
        response = None
        try:
            response = self._transport.handle_request(call.request)
            found = _head(response, call)
            if not isinstance(found, Broken):
                return HttpxResponse(response, call, *found)
        except Exception as error:
            found = call.broken(error)
        if response is not None:
            with suppress(Exception):
                response.close()
        return found

    def close(self) -> None:
        """Nothing: the transport belongs to whoever made it."""


def _shutting(response: Any) -> Any:
    stream = response.extensions.get("network_stream")
    opened = None if stream is None else stream.get_extra_info("socket")
    if not isinstance(opened, socket.socket):
        return None

    def shut() -> None:
        with suppress(OSError):
            # Not `opened.shutdown`: an SSLSocket would forget its session under the thread that reads from it.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)

    return shut


class HttpxResponse:
    """An open answer of a user's transport."""

    def __init__(self, response: Any, call: _Call, head: Head, body: Body) -> None:
        self.head = head
        self._response = response
        self._call = call
        self._body = body
        self._pieces: Iterator[bytes] = iter(response.stream)
        self._outcome: bytes | Broken | None = None
        call.cancellation.bind(_shutting(response))

    def read(self) -> bytes | Broken:
        """See `Response.read`."""
        while self._outcome is None:
            made = self._next()
            if made:
                return made
        return self._outcome

    def _next(self) -> bytes:
        try:
            self._call.begin_read()
            data = next(self._pieces, None)
            if self._call.cancellation.cancelled:
                raise Stop("cancelled")
            made = (self._body.end() or b"") if data is None else self._body.piece(data)
            if data is None or isinstance(made, Broken):
                self._outcome = made
                return b""
            return made
        except Exception as error:
            self._outcome = self._call.broken(error)
            return b""

    def close(self, reuse: bool) -> None:
        """See `Response.close`."""
        self._call.cancellation.bind(None)
        if self._outcome is None:
            self._outcome = Broken("closed", "yes", "the answer was dropped half read")
        with suppress(Exception):
            self._response.close()


class AsyncHttpxTransport:
    """`HttpxTransport` for `httpx.AsyncBaseTransport`: here deadline and cancellation hold everywhere, as tasks can."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    async def open(self, outgoing: Outgoing) -> AsyncResponse | Broken:
        """See `AsyncTransport.open`."""
        from byollm.transports.watch import Watch

        call = _begin(self._transport, outgoing)
        if isinstance(call, Broken):
            return call
        watch, response = Watch(call.progress, call.cancellation), None
        try:
            response = await watch.wait(lambda: self._transport.handle_async_request(call.request))
            found = _head(response, call)
            if not isinstance(found, Broken):
                return AsyncHttpxResponse(response, call, watch, *found)
        except Exception as error:
            found = call.broken(error)
        except BaseException:
            watch.close()
            raise
        watch.close()
        if response is not None:
            with suppress(Exception):
                await response.aclose()
        return found

    async def aclose(self) -> None:
        """Nothing: the transport belongs to whoever made it."""


class AsyncHttpxResponse:
    """An open answer of a user's async transport."""

    def __init__(self, response: Any, call: _Call, watch: Watch, head: Head, body: Body) -> None:
        self.head = head
        self._response = response
        self._call = call
        self._watch = watch
        self._body = body
        self._pieces: AsyncIterator[bytes] = aiter(response.stream)
        self._outcome: bytes | Broken | None = None

    async def read(self) -> bytes | Broken:
        """See `Response.read`."""
        while self._outcome is None:
            made = await self._next()
            if made:
                return made
        return self._outcome

    async def _next(self) -> bytes:
        call = self._call
        try:
            call.begin_read()
            data = await self._watch.wait(lambda: anext(self._pieces, None))
            made = (self._body.end() or b"") if data is None else self._body.piece(data)
            if data is None or isinstance(made, Broken):
                self._outcome = made
                return b""
            return made
        except Exception as error:
            self._outcome = call.broken(error)
            return b""

    async def close(self, reuse: bool) -> None:
        """See `Response.close`."""
        self._watch.close()
        if self._outcome is None:
            self._outcome = Broken("closed", "yes", "the answer was dropped half read")
        with suppress(Exception):
            await self._response.aclose()
