"""The default transport for blocking code."""

from __future__ import annotations

from functools import partial

from byollm.transports.base import Broken, Outgoing, Response
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
from byollm.transports.sync_line import SyncLine, SyncStream
from byollm.wire.exchange import Head


class _Connection(SyncStream):
    """A line and its parser."""

    __slots__ = ("http",)

    def __init__(self, http: Parser, line: SyncLine) -> None:
        super().__init__(line)
        self.http = http

    def discard(self) -> None:
        self.line.shut()


class HttpTransport:
    """HTTP/1.1, one exchange a connection, kept alive for the next.

    `parser` is "h11" (what httpx brings) or "httptools" (what `byollm[fast]` brings). Safe in threads and after a fork.
    Redirects are not followed. HTTP/2 is not spoken: with one exchange a connection it has nothing to give.
    """

    def __init__(self, parser: ParserName = "h11") -> None:
        self._parser: ParserName = parser
        self._pool: Pool[_Connection] = Pool()

    def __repr__(self) -> str:
        return f"HttpTransport({self._parser!r})"

    def open(self, outgoing: Outgoing) -> Response | Broken:
        """See `Transport.open`."""
        turn = turn_of(outgoing)
        if isinstance(turn, Broken):
            return turn
        idle = self._pool.take(turn.way.key)
        if idle is not None:
            idle.line.use(turn.progress)
            outcome = self._exchange(idle, turn)
            if not was_stale(outcome, turn.progress):
                return outcome
            outgoing.cancellation.resent += 1
            turn.progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
        made = self._connect(turn, outgoing)
        return made if isinstance(made, Broken) else self._exchange(made, turn)

    def close(self) -> None:
        """See `Transport.close`."""
        self._pool.clear()

    def _connect(self, turn: Turn, outgoing: Outgoing) -> _Connection | Broken:
        line = SyncLine(turn.progress)
        if not turn.cancellation.bind(partial(line.stop, turn.progress)):
            return Broken("cancelled", "no")
        try:
            turn.progress.begin_connecting()
            made = _Connection(parser(self._parser), line)
            _reach(self._parser, made, turn.way, outgoing)
            turn.progress.end_connecting()
            return made
        except Exception as error:
            broken = seen(error, turn.progress)
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
            answer = _asked(connection.http, connection, turn)
            head = answer_of(answer, progress, turn.way)
            if isinstance(head, Broken):
                outcome = head
            else:
                body = body_of(head, progress.limits)
                outcome = body if isinstance(body, Broken) else HttpResponse(self._pool, connection, turn, head, body)
        except Exception as error:
            outcome = seen(error, progress)
        except BaseException:
            _let_go(line, turn)
            raise
        if isinstance(outcome, Broken):
            _let_go(line, turn)
        return outcome


def _let_go(line: SyncLine, turn: Turn) -> None:
    turn.cancellation.bind(None)
    line.shut()


def _asked(http: Parser, stream: SyncStream, request: Asked) -> tuple[int, Headers]:
    """Send a request; status and headers of its answer. Raises Stop."""
    stream.send(request)
    http.begin(request.method)
    while True:
        http.feed(stream.read())
        answer = http.head()
        if answer is not None:
            return answer


def _reach(name: ParserName, stream: SyncStream, way: Way, outgoing: Outgoing) -> None:
    """Connect, through the proxy if there is one, up to the point where the request may be written. Raises."""
    files = outgoing.place.tls
    first = way.site if way.proxy is None else way.proxy.site
    stream.line.connect(first.name, first.port)
    if way.proxy is not None:
        if way.proxy.site.scheme == "https":
            from byollm.transports.tls import context_for, without_identity

            stream.start_tls(context_for(without_identity(files)), way.proxy.site.name)
        if way.forwarding is None:
            _tunnel(name, stream, way.proxy, way.site)
    if way.site.scheme == "https":
        from byollm.transports.tls import context_for

        stream.start_tls(context_for(files), way.site.name)


def _tunnel(name: ParserName, stream: SyncStream, proxy: Proxy, site: Site) -> None:
    status, _ = _asked(parser(name), stream, tunnel_request(proxy, site))
    if not 200 <= status < 300:
        raise Stop("proxy", refused_by_proxy(status))


class HttpResponse:
    """An open answer of `HttpTransport`."""

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

    def read(self) -> bytes | Broken:
        """See `Response.read`."""
        connection, turn = self._connection, self._turn
        if self._outcome is not None or connection is None or turn is None:
            return self._outcome or b""
        try:
            while (data := connection.http.piece()) != b"":
                if data is None:
                    connection.http.feed(connection.read())
                    continue
                if self._body is None:
                    self._size += len(data)
                    return data if self._size <= turn.progress.limits.body else self._fail(oversized())
                made = self._body.piece(data)
                if isinstance(made, Broken):
                    return self._fail(made)
                if made:
                    return made
            self._outcome = b""
            cut = self._body.end() if self._body is not None else None
            return b"" if cut is None else self._fail(cut)
        except Exception as error:
            broken = seen(error, turn.progress)
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
