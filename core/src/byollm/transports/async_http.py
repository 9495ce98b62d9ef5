"""The default transport for asyncio."""

from __future__ import annotations

import asyncio
from functools import partial
from weakref import WeakKeyDictionary

from byollm.transports.async_line import AsyncLine, AsyncStream
from byollm.transports.base import AsyncResponse, Broken, Outgoing
from byollm.transports.egress import Proxy, Site
from byollm.transports.failures import seen
from byollm.transports.http1 import Headers, Parser, ParserName, parser
from byollm.transports.inflate import Body, oversized
from byollm.transports.message import (
    Asked,
    Turn,
    Way,
    answer_of,
    body_of,
    refused_by_proxy,
    tunnel_request,
    turn_of,
    was_stale,
)
from byollm.transports.pool import Pool
from byollm.transports.progress import Progress, Stop
from byollm.wire.exchange import Head


class _Connection(AsyncStream):
    """A line and its parser."""

    __slots__ = ("http",)

    def __init__(self, http: Parser, line: AsyncLine) -> None:
        super().__init__(line)
        self.http = http

    def discard(self) -> None:
        self.line.shut()


class AsyncHttpTransport:
    """`HttpTransport` for asyncio. Idle connections belong to the event loop that made them.

    A loop that is over takes its connections with it, so one transport may serve one `asyncio.run` after another, and
    loops in several threads. Trio is not supported.
    """

    def __init__(self, parser: ParserName = "h11") -> None:
        self._parser: ParserName = parser
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool[_Connection]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"AsyncHttpTransport({self._parser!r})"

    def _pool(self) -> Pool[_Connection]:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            self._forget_closed_loops()
            pool = self._pools[loop] = Pool()
        return pool

    def _forget_closed_loops(self) -> None:
        for loop, pool in list(self._pools.items()):
            if loop.is_closed():
                pool.clear()
                self._pools.pop(loop, None)

    async def open(self, outgoing: Outgoing) -> AsyncResponse | Broken:
        """See `AsyncTransport.open`."""
        turn = turn_of(outgoing)
        if isinstance(turn, Broken):
            return turn
        pool = self._pool()
        idle = pool.take(turn.way.key)
        if idle is not None:
            idle.line.use(turn.progress)
            outcome = await self._exchange(pool, idle, turn)
            if not was_stale(outcome, turn.progress):
                return outcome
            outgoing.cancellation.resent += 1
            turn.progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        made = await self._connect(turn, outgoing)
        return made if isinstance(made, Broken) else await self._exchange(pool, made, turn)

    async def aclose(self) -> None:
        """See `AsyncTransport.aclose`. The idle connections of every loop go: none of them is registered with one."""
        for pool in list(self._pools.values()):
            pool.clear()

    async def _connect(self, turn: Turn, outgoing: Outgoing) -> _Connection | Broken:
        line = AsyncLine(turn.progress)
        if not turn.cancellation.bind(partial(line.stop, turn.progress)):
            return Broken("cancelled", "no")
        try:
            turn.progress.begin_connecting()
            made = _Connection(parser(self._parser), line)
            await _reach(self._parser, made, turn.way, outgoing)
            turn.progress.end_connecting()
            return made
        except Exception as error:
            broken = seen(error, turn.progress)
        except BaseException:
            _let_go(line, turn)
            raise
        _let_go(line, turn)
        return broken

    async def _exchange(self, pool: Pool[_Connection], connection: _Connection, turn: Turn) -> AsyncResponse | Broken:
        line, progress = connection.line, turn.progress
        outcome: AsyncResponse | Broken
        try:
            if not turn.cancellation.bind(partial(line.stop, progress)):
                raise Stop("cancelled")
            answer = await _asked(connection.http, connection, turn)
            head = answer_of(answer, progress, turn.way)
            if isinstance(head, Broken):
                outcome = head
            else:
                body = body_of(head, progress.limits)
                outcome = body if isinstance(body, Broken) else AsyncHttpResponse(pool, connection, turn, head, body)
        except Exception as error:
            outcome = seen(error, progress)
        except BaseException:
            _let_go(line, turn)
            raise
        if isinstance(outcome, Broken):
            _let_go(line, turn)
        return outcome


def _let_go(line: AsyncLine, turn: Turn) -> None:
    turn.cancellation.bind(None)
    line.shut()


async def _asked(http: Parser, stream: AsyncStream, request: Asked) -> tuple[int, Headers]:
    """Send a request; status and headers of its answer. Raises Stop."""
    await stream.send(request)
    http.begin(request.method)
    while True:
        http.feed(await stream.read())
        answer = http.head()
        if answer is not None:
            return answer


async def _reach(name: ParserName, stream: AsyncStream, way: Way, outgoing: Outgoing) -> None:
    """Connect, through the proxy if there is one, up to the point where the request may be written. Raises."""
    files = outgoing.place.tls
    first = way.site if way.proxy is None else way.proxy.site
    await stream.line.connect(first.name, first.port)
    if way.proxy is not None:
        if way.proxy.site.scheme == "https":
            from byollm.transports.tls import context_for, without_identity

            await stream.start_tls(context_for(without_identity(files)), way.proxy.site.name)
        if way.forwarding is None:
            await _tunnel(name, stream, way.proxy, way.site)
    if way.site.scheme == "https":
        from byollm.transports.tls import context_for

        await stream.start_tls(context_for(files), way.site.name)


async def _tunnel(name: ParserName, stream: AsyncStream, proxy: Proxy, site: Site) -> None:
    status, _ = await _asked(parser(name), stream, tunnel_request(proxy, site))
    if not 200 <= status < 300:
        raise Stop("proxy", refused_by_proxy(status))


class AsyncHttpResponse:
    """An open answer of `AsyncHttpTransport`."""

    __slots__ = ("_body", "_connection", "_outcome", "_pool", "_size", "_turn", "head")

    def __init__(
        self, pool: Pool[_Connection], connection: _Connection, turn: Turn, head: Head, body: Body | None
    ) -> None:
        self.head = head
        self._size = 0
        self._pool = pool
        self._connection: _Connection | None = connection
        self._turn: Turn | None = turn
        self._body = body
        self._outcome: bytes | Broken | None = None

    async def read(self) -> bytes | Broken:
        """See `Response.read`. When the task is cancelled here, the connection is dropped."""
        connection, turn = self._connection, self._turn
        if self._outcome is not None or connection is None or turn is None:
            return self._outcome or b""
        try:
            while (data := connection.http.piece()) != b"":
                if data is None:
                    connection.http.feed(await connection.read())
                    continue
                if self._body is None:
                    self._size += len(data)
                    return data if self._size <= turn.progress.limits.body else await self._fail(oversized())
                made = self._body.piece(data)
                if isinstance(made, Broken):
                    return await self._fail(made)
                if made:
                    return made
            self._outcome = b""
            cut = self._body.end() if self._body is not None else None
            return b"" if cut is None else await self._fail(cut)
        except Exception as error:
            broken = seen(error, turn.progress)
        except BaseException:
            await self.close(False)
            raise
        return await self._fail(broken)

    async def _fail(self, broken: Broken) -> Broken:
        await self.close(False)
        self._outcome = broken
        return broken

    async def close(self, reuse: bool) -> None:
        """See `Response.close`."""
        connection, turn = self._connection, self._turn
        self._connection = self._turn = None
        if connection is None or turn is None:
            return
        if reuse and self._outcome == b"" and connection.http.renew() and connection.line.release():
            # What cancelling would do stays bound: a line that is lent to nobody, or anew, is not stopped by it.
            self._pool.give(turn.way.key, connection)
            return
        turn.cancellation.bind(None)
        connection.line.shut()
        if self._outcome is None:
            self._outcome = turn.progress.broken("closed", "the answer was dropped half read")
