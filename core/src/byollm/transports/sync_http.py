"""The default transport for blocking code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from byollm.transports.base import Broken, Outgoing, Response
from byollm.transports.egress import Proxy, Site
from byollm.transports.failures import seen
from byollm.transports.inflate import Body
from byollm.transports.library import Library, LibraryName, load
from byollm.transports.message import (
    Turn,
    Way,
    answer_of,
    is_clean,
    origin_of,
    refused_by_proxy,
    request_of,
    tunnel_request,
    was_stale,
    way_of,
)
from byollm.transports.pool import Pool
from byollm.transports.progress import Progress, Stop
from byollm.transports.sync_line import SyncLine, SyncStream
from byollm.wire.exchange import Head


class _Connection:
    """httpcore's HTTP/1.1 connection on a line of ours."""

    __slots__ = ("http", "line", "stream")

    def __init__(self, http: Any, stream: SyncStream) -> None:
        self.http = http
        self.stream = stream
        self.line = stream.line

    def is_stale(self) -> bool:
        return self.stream.is_stale()

    def discard(self) -> None:
        self.line.shut()


class HttpTransport:
    """HTTP/1.1 by httpcore, one exchange a connection, kept alive for the next.

    `library` is "httpcore" (what httpx brings) or "httpcore2" (what httpx2 brings). Safe in threads and after a fork.
    Redirects are not followed. HTTP/2 is not spoken: with one exchange a connection it has nothing to give.
    """

    def __init__(self, library: LibraryName = "httpcore") -> None:
        self._library: LibraryName = library
        self._pool: Pool[_Connection] = Pool()

    def __repr__(self) -> str:
        return f"HttpTransport({self._library!r})"

    def open(self, outgoing: Outgoing) -> Response | Broken:
        """See `Transport.open`."""
        way = way_of(outgoing)
        if isinstance(way, Broken):
            return way
        library = load(self._library)
        request = request_of(library, outgoing, way)
        if isinstance(request, Broken):
            return request
        progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        turn = Turn(way, request, progress, outgoing.cancellation)
        idle = self._pool.take(way.key)
        if idle is not None:
            idle.line.use(progress)
            outcome = self._exchange(idle, turn)
            if not was_stale(outcome, progress):
                return outcome
            turn.progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        made = self._connect(library, turn, outgoing)
        return made if isinstance(made, Broken) else self._exchange(made, turn)

    def close(self) -> None:
        """See `Transport.close`."""
        self._pool.clear()

    def _connect(self, library: Library, turn: Turn, outgoing: Outgoing) -> _Connection | Broken:
        line = SyncLine(turn.progress)
        if not turn.cancellation.bind(partial(line.stop, turn.progress)):
            return Broken("cancelled", "no")
        stream = SyncStream(line)
        try:
            turn.progress.begin_connecting()
            _reach(library, stream, turn.way, outgoing)
            turn.progress.end_connecting()
            return _Connection(library.HTTP11Connection(origin_of(library, turn.way.site), stream), stream)
        except Exception as error:
            broken = seen(error, turn.progress, line.ended)
        except BaseException:
            _let_go(line, turn)
            raise
        _let_go(line, turn)
        return broken

    def _exchange(self, connection: _Connection, turn: Turn) -> Response | Broken:
        line, progress = connection.line, turn.progress
        outcome: Response | Broken
        try:
            if not turn.cancellation.bind(partial(line.stop, progress)):
                raise Stop("cancelled")
            answer = connection.http.handle_request(turn.request)
            head = answer_of(answer, progress, turn.way)
            if isinstance(head, Broken):
                outcome = head
            else:
                body = Body(head.headers.get("content-encoding", ""), progress.limits)
                outcome = body.unknown or HttpResponse(self._pool, connection, turn, answer, head, body)
        except Exception as error:
            outcome = seen(error, progress, line.ended)
        except BaseException:
            _let_go(line, turn)
            raise
        if isinstance(outcome, Broken):
            _let_go(line, turn)
        return outcome


def _let_go(line: SyncLine, turn: Turn) -> None:
    turn.cancellation.bind(None)
    line.shut()


def _reach(library: Library, stream: SyncStream, way: Way, outgoing: Outgoing) -> None:
    """Connect, through the proxy if there is one, up to the point where the request may be written. Raises."""
    files = outgoing.place.tls
    first = way.site if way.proxy is None else way.proxy.site
    stream.line.connect(first.name, first.port)
    if way.proxy is not None:
        if way.proxy.site.scheme == "https":
            from byollm.transports.tls import context_for, without_identity

            stream.start_tls(context_for(without_identity(files)), way.proxy.site.name)
        if way.forwarding is None:
            _tunnel(library, stream, way.proxy, way.site)
    if way.site.scheme == "https":
        from byollm.transports.tls import context_for

        stream.start_tls(context_for(files), way.site.name)


def _tunnel(library: Library, stream: SyncStream, proxy: Proxy, site: Site) -> None:
    http = library.HTTP11Connection(origin_of(library, proxy.site), stream)
    answer = http.handle_request(tunnel_request(library, proxy, site))
    if not 200 <= answer.status < 300:
        raise Stop("proxy", refused_by_proxy(answer.status))


class HttpResponse:
    """An open answer of `HttpTransport`."""

    __slots__ = ("_answer", "_body", "_connection", "_outcome", "_pieces", "_pool", "_turn", "head")

    def __init__(
        self, pool: Pool[_Connection], connection: _Connection, turn: Turn, answer: Any, head: Head, body: Body
    ) -> None:
        self.head = head
        self._pool = pool
        self._connection: _Connection | None = connection
        self._turn: Turn | None = turn
        self._answer = answer
        self._pieces: Iterator[bytes] | None = iter(answer.stream)
        self._body = body
        self._outcome: bytes | Broken | None = None

    def read(self) -> bytes | Broken:
        """See `Response.read`."""
        connection, turn, pieces = self._connection, self._turn, self._pieces
        if self._outcome is not None or connection is None or turn is None or pieces is None:
            return self._outcome or b""
        try:
            for data in pieces:
                made = self._body.piece(data)
                if isinstance(made, Broken):
                    return self._fail(made)
                if made:
                    return made
            self._outcome = b""
            cut = self._body.end()
            return b"" if cut is None else self._fail(cut)
        except Exception as error:
            broken = seen(error, turn.progress, connection.line.ended)
        except BaseException:
            self.close(False)
            raise
        return self._fail(broken)

    def _fail(self, broken: Broken) -> Broken:
        self.close(False)
        self._outcome = broken
        return broken

    def close(self, reuse: bool) -> None:
        """See `Response.close`."""
        connection, turn, pieces = self._connection, self._turn, self._pieces
        self._connection = self._turn = self._pieces = None
        if connection is None or turn is None:
            return
        turn.cancellation.bind(None)
        if reuse and self._outcome == b"" and self._is_idle(connection):
            self._pool.give(turn.way.key, connection)
        else:
            connection.line.shut()
            if self._outcome is None:
                self._outcome = turn.progress.broken("closed", "the answer was dropped half read")
            with suppress(Exception):  # a generator that another thread still runs ends there, as its socket is shut
                pieces.close()  # type: ignore[union-attr]
        self._answer = None

    def _is_idle(self, connection: _Connection) -> bool:
        try:
            self._answer.close()
            return is_clean(connection.http) and connection.line.release()
        except Exception:
            return False
