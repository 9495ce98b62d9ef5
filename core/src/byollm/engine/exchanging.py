"""One exchange with a provider, whatever it is for: opened, a refused key renewed, the answer or the error read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byollm.engine import wirelog
from byollm.engine.failures import decorate, from_answer, from_broken
from byollm.engine.reading import follow, raised, reader_of
from byollm.engine.steps import CLOSE, DROP, READ, Open, Renew, Steps
from byollm.errors import AuthenticationError, ByollmError, ProtocolError, ProviderError
from byollm.transports.base import Broken
from byollm.wire.exchange import Exchange, Head
from byollm.wire.framing import decoder_for
from byollm.wire.ratelimits import limits_in

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line

ERROR_BODY_LIMIT = 256 * 1024


def exchange_once(call: Call, line: Line, exchange: Exchange[Any], values: list[Any] | None = None) -> Steps[list[Any]]:
    """Send an exchange that does not answer with events: a token count, capabilities, a batch. Its values, and those of
    the exchanges that follow it. In a list of the caller's, those stay that came before something went wrong."""
    values = [] if values is None else values
    asked: Exchange[Any] | None = exchange
    while asked is not None:
        values += yield from _values(call, line, asked)
        asked = _following(call, line, asked, values) if asked.then is not None else None
    return values


def _following(call: Call, line: Line, asked: Exchange[Any], values: list[Any]) -> Exchange[Any] | None:
    try:
        return follow(asked, values, line)
    except ByollmError as error:
        problem = error
    raise raised(problem, line, None, call)


def _values(call: Call, line: Line, exchange: Exchange[Any]) -> Steps[list[Any]]:
    head = yield from opened(call, line, exchange, deadline_of(call, line), wirelog.wanted())
    values: list[Any] = []
    decoder, read = None, reader_of(exchange, head, line, call)
    while True:
        piece = yield READ
        if isinstance(piece, Broken):
            raise raised(from_broken(piece, answered=True), line, head, call)
        try:
            decoder = decoder or decoder_for(exchange.framing, head.headers, piece)
            for frame in decoder.feed(piece) if piece else decoder.end():
                values += read(frame)
        except ProviderError as error:
            problem: ByollmError = error.with_traceback(None)
        except Exception as error:
            problem = ProtocolError(f"the answer cannot be read ({type(error).__name__})")
        else:
            if piece:
                continue
            yield CLOSE
            return values
        raise raised(problem, line, head, call)


def deadline_of(call: Call, line: Line) -> float | None:
    """The call's own instant, else the one by which this line's `timeouts.total` is over; None without either."""
    if call.deadline is not None or line.timeouts.total is None:
        return call.deadline
    return call.clock.monotonic() + line.timeouts.total


def opened(call: Call, line: Line, exchange: Exchange[Any], deadline: float | None, shown: bool) -> Steps[Head]:
    """Send, and answer the head of a good answer; a key that is refused is renewed once. Raises what else came."""
    renewed = False
    auth = line.auth_for(exchange)
    while True:
        if shown:
            wirelog.request(call, line, exchange.request)
        head = yield Open(exchange.request, line, auth, deadline)
        if type(head) is not Head and isinstance(head, ByollmError | Broken):
            raise raised(from_broken(head) if isinstance(head, Broken) else head, line, None, call)
        call.status = head.status
        if line.limits is not None and call.batch_until is None:  # a batch has limits of its own
            line.limits.told(limits_in(head.headers, call.clock.time()), call.clock.monotonic())
        if shown:
            wirelog.answer(call, line, exchange.request, head)
        if 200 <= head.status < 300:
            answered: Head = head
            return answered
        body = yield from _error_body()
        error = from_answer(exchange, head, body)
        if not renewed and (head.status == 401 or isinstance(error, AuthenticationError)):  # AWS says 403, Google 400
            renewed = True
            changed = yield Renew(line, auth)
            if isinstance(changed, ByollmError):
                raise raised(changed, line, head, call)
            if changed:
                continue
        raise decorate(error, line, head, call)


def _error_body() -> Steps[bytes]:
    pieces: list[bytes] = []
    size = 0
    while size < ERROR_BODY_LIMIT:
        piece = yield READ
        if isinstance(piece, Broken) or not piece:
            yield DROP if isinstance(piece, Broken) else CLOSE
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    yield DROP
    return b"".join(pieces)[:ERROR_BODY_LIMIT]
