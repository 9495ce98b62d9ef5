"""One try at one deployment: translate, send, read, assemble.

A generator of steps. Events are emitted once an answer has content: until then another deployment may take over and
the caller sees one answer only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from byollm.engine import wirelog
from byollm.engine.failures import decorate, from_answer, from_broken
from byollm.engine.guard import guard, learn
from byollm.engine.reading import Reading, follow, raised, reader_of
from byollm.engine.steps import CLOSE, DROP, READ, Open, OpenLocal, Renew, Steps
from byollm.errors import AuthenticationError, ByollmError, ProtocolError, ProviderError
from byollm.transports.base import Broken
from byollm.types.completion import Completion
from byollm.types.events import Event
from byollm.types.usage import Usage
from byollm.wire.exchange import Exchange, Head, LocalCall
from byollm.wire.framing import decoder_for
from byollm.wire.ratelimits import limits_in

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request

Sending = Callable[["Call", str], None]
ERROR_BODY_LIMIT = 256 * 1024
BATCH = "batch"
"""The tier of what went in a batch, as prices know it."""


def attempt(call: Call, line: Line, request: Request, sending: Sending | None = None) -> Steps[Completion]:
    """Ask one deployment once. Raises ProviderError, UnsupportedFeatureError, PluginError or CancelledError.

    `sending` is told when all is checked and translated, right before anything leaves; then the call is under way.
    """
    deployment = line.deployment
    if deployment.is_unsure:
        yield from learn(call, line, request)
    fitted = deployment.fit(line.with_extra(request) if line.extra else request)
    if deployment.capabilities.context_window is not None:
        yield from guard(call, line, fitted.request)
    asked = deployment.exchange(fitted.request)
    fitted = deployment.noted(fitted, asked)
    shown = wirelog.wanted()
    reading = Reading(call, line, fitted, shown)
    batches = None
    if call.batch_until is not None and not isinstance(asked, LocalCall):
        from byollm.engine.batching import carried, taker

        batches = taker(call, line, request, asked)
    deadline = call.deadline if call.deadline is not None else _deadline(call, line)
    call.request = request
    call.adjustments = fitted.adjustments
    call.url = None if isinstance(asked, LocalCall) else asked.request.url
    if sending is not None:
        sending(call, line.name)
    call.under_way = True
    if isinstance(asked, LocalCall):
        yield OpenLocal(asked, fitted.request, deadline)
        yield from reading.local()
        return reading.completion()
    exchange: Exchange[Event] | None = asked
    if batches is not None and call.batch_until is not None:
        yield from carried(call, line, batches, asked, reading, call.batch_until)
        return in_tier(reading.completion(), BATCH)
    while exchange is not None:
        head = yield from _open(call, line, exchange, deadline, shown)
        exchange = yield from reading.answer(exchange, head)
    return reading.completion()


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
    head = yield from _open(call, line, exchange, _deadline(call, line), wirelog.wanted())
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


def in_tier(completion: Completion, tier: str) -> Completion:
    """An answer whose usage tells the tier that served it: the answer itself may not know it."""
    completion.usage = tiered(completion.usage, tier)
    return completion


def tiered(usage: Usage, tier: str) -> Usage:
    """A usage that tells the tier."""
    return replace(usage, details={**(usage.details or {}), "service_tier": tier})


def _deadline(call: Call, line: Line) -> float | None:
    if call.deadline is not None or line.timeouts.total is None:
        return call.deadline
    return call.clock.monotonic() + line.timeouts.total


def _open(call: Call, line: Line, exchange: Exchange[Any], deadline: float | None, shown: bool) -> Steps[Head]:
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
            opened: Head = head
            return opened
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
