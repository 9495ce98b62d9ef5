"""One try at one deployment: translate, send, read, assemble.

A generator of steps. Events are emitted once an answer has content: until then another deployment may take over and
the caller sees one answer only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from byollm.engine import wirelog
from byollm.engine.cut import StopCutter
from byollm.engine.failures import bare, decorate, from_answer, from_broken
from byollm.engine.guard import guard, learn
from byollm.engine.steps import CLOSE, DROP, READ, Emit, Open, OpenLocal, Renew, Steps
from byollm.errors import ByollmError, PluginError, ProtocolError, ProviderError, StreamInterruptedError
from byollm.transports.base import Broken
from byollm.types.completion import Completion
from byollm.types.events import NOT_CONTENT, Event, Finished, Started
from byollm.wire.assemble import Assembler
from byollm.wire.classify import request_id
from byollm.wire.exchange import Exchange, Head, LocalCall
from byollm.wire.framing import Decoder, decoder_for
from byollm.wire.ratelimits import limits_in

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.providers.fit import Fitted
    from byollm.types.request import Request

ERROR_BODY_LIMIT = 256 * 1024


def _nothing() -> None:
    """Nobody wants to know."""


def attempt(call: Call, line: Line, request: Request, sending: Callable[[], None] = _nothing) -> Steps[Completion]:
    """Ask one deployment once. Raises ProviderError, UnsupportedFeatureError, PluginError or CancelledError.

    `sending` is called when all is checked and translated, right before anything leaves.
    """
    if line.deployment.is_unsure:
        yield from learn(call, line, request)
    fitted = line.deployment.fit(line.with_extra(request))
    if line.deployment.capabilities.context_window is not None:
        yield from guard(call, line, fitted.request)
    asked = line.deployment.exchange(fitted.request)
    fitted = line.deployment.noted(fitted, asked)
    reading = _Reading(call, line, fitted)
    deadline = _deadline(call, line)
    call.adjustments = fitted.adjustments
    call.url = None if isinstance(asked, LocalCall) else asked.request.url
    sending()
    if isinstance(asked, LocalCall):
        yield OpenLocal(asked, fitted.request, deadline)
        yield from reading.local()
        return reading.completion()
    exchange: Exchange[Event] | None = asked
    while exchange is not None:
        head = yield from _open(call, line, exchange, deadline)
        exchange = yield from reading.answer(exchange, head)
    return reading.completion()


def exchange_once(call: Call, line: Line, exchange: Exchange[Any]) -> Steps[list[Any]]:
    """Send an exchange that does not answer with events: a token count, capabilities. Its values."""
    head = yield from _open(call, line, exchange, _deadline(call, line))
    values: list[Any] = []
    decoder, read = None, _reader(exchange, head, line, call)
    while True:
        piece = yield READ
        if isinstance(piece, Broken):
            raise _raised(from_broken(piece, answered=True), line, head, call)
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
        raise _raised(problem, line, head, call)


def _deadline(call: Call, line: Line) -> float | None:
    if call.deadline is not None or line.timeouts.total is None:
        return call.deadline
    return call.clock.monotonic() + line.timeouts.total


def _open(call: Call, line: Line, exchange: Exchange[Any], deadline: float | None) -> Steps[Head]:
    renewed = False
    auth = line.auth_for(exchange)
    shown = wirelog.wanted()
    while True:
        if shown:
            wirelog.request(call, line, exchange.request)
        head = yield Open(exchange.request, line, auth, deadline)
        if isinstance(head, ByollmError):
            raise _raised(head, line, None, call)
        if isinstance(head, Broken):
            raise _raised(from_broken(head), line, None, call)
        call.status = head.status
        if line.limits is not None:
            line.limits.told(limits_in(head.headers, call.clock.time()), call.clock.monotonic())
        if shown:
            wirelog.answer(call, line, exchange.request, head)
        if 200 <= head.status < 300:
            opened: Head = head
            return opened
        body = yield from _error_body()
        if head.status == 401 and not renewed:
            renewed = True
            changed = yield Renew(line, auth)
            if isinstance(changed, ByollmError):
                raise _raised(changed, line, head, call)
            if changed:
                continue
        raise decorate(from_answer(exchange, head, body), line, head, call)


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


def _reader(exchange: Exchange[Any], head: Head, line: Line, call: Call) -> Any:
    try:
        return exchange.reader(head)
    except ByollmError as error:
        problem = error
    except Exception as error:  # headers that no rule foresaw
        problem = ProtocolError(f"the answer's headers cannot be read ({type(error).__name__})")
    raise _raised(problem, line, head, call)


def _raised(error: ByollmError, line: Line, head: Head | None, call: Call) -> ByollmError:
    return decorate(error, line, head, call) if isinstance(error, ProviderError) else bare(error)


def _begun_anew(events: list[Event]) -> list[Event]:
    """The first events of an answer that takes the place of one that was cut."""
    first = next((event for event in events if type(event) is Started), Started())
    return [Started(first.id, first.model, restarted=True), *(event for event in events if type(event) is not Started)]


class _Reading:
    """An answer being read: frames into events, events into a completion, content to the caller."""

    def __init__(self, call: Call, line: Line, fitted: Fitted) -> None:
        self.call = call
        self.line = line
        self.fitted = fitted
        self.assembler = Assembler()
        self.cutter = StopCutter(fitted.cut_at) if fitted.cut_at else None
        self.pending: list[Event] | None = []
        self.head: Head | None = None
        self.document: Any = None
        self.ended = False
        self.finish: Finished | None = None
        self.shown = wirelog.wanted()

    def answer(self, exchange: Exchange[Event], head: Head) -> Steps[Exchange[Event] | None]:
        """Read to the end of the answer, and what is to be asked next, if anything. Raises what went wrong."""
        self.head = head
        read = _reader(exchange, head, self.line, self.call)
        held: list[Event] | None = [] if exchange.then is not None else None
        decoder: Decoder | None = None
        whole = False
        while not (self.ended or whole):
            piece = yield READ
            if type(piece) is not bytes:
                if self.finish is not None:  # the terminal marker was seen: a rude goodbye changes nothing
                    break
                raise self.failed(from_broken(piece, self.partial(), answered=True), head)
            whole = not piece
            events: list[Event] = []
            problem: ByollmError | None = None
            try:
                if decoder is None:
                    decoder = decoder_for(exchange.framing, head.headers, piece)
                self.read(decoder, piece, read, events)
            except ByollmError as error:
                problem = error
            except Exception as error:  # bytes that no rule foresaw
                problem = ProtocolError(f"the answer cannot be read ({type(error).__name__})")
            if held is not None:
                held += events
            elif events and (ready := self.take(events)):
                yield Emit(ready)
            if problem is not None and self.finish is None:
                raise self.failed(problem, head)
        follow = self.follow(exchange, held) if held is not None else None
        if follow is None:
            if ready := self.rest(held):
                yield Emit(ready)
            self.check_finished("the answer ended without its terminal marker", head)
            self.document = getattr(decoder, "document", None)
        yield CLOSE if whole else DROP
        return follow

    def follow(self, exchange: Exchange[Event], events: list[Event]) -> Exchange[Event] | None:
        """The second request that some providers need; what the first one gave is then no answer yet."""
        assert exchange.then is not None
        try:
            return exchange.then(events)
        except ByollmError as error:
            problem = error
        except Exception as error:
            problem = PluginError(f"{self.line.provider}: the next request cannot be made: {type(error).__name__}")
        raise self.failed(problem, self.head)

    def read(self, decoder: Decoder, piece: bytes, read: Any, events: list[Event]) -> None:
        """The events of one piece; those before a failing frame are kept."""
        for frame in decoder.feed(piece) if piece else decoder.end():
            if self.shown:
                wirelog.frame(self.call, self.line, frame)
            events += read(frame)

    def check_finished(self, words: str, head: Head | None) -> None:
        """Raises StreamInterruptedError unless the terminal marker was seen."""
        if not self.assembler.finished:
            raise self.failed(StreamInterruptedError(words, partial=self.partial()), head)

    def local(self) -> Steps[None]:
        """Read an in-process model to its end."""
        while True:
            events = yield READ
            if isinstance(events, Broken):
                raise self.failed(from_broken(events, self.partial(), answered=True), None)
            if isinstance(events, ByollmError):
                raise self.failed(events, None)
            if not events:
                break
            if ready := self.take(events):
                yield Emit(ready)
            if self.ended:
                break
        if ready := self.rest():
            yield Emit(ready)
        self.check_finished("the in-process model ended without Finished", None)
        yield DROP

    def take(self, events: list[Event]) -> list[Event] | None:
        """Assemble, and answer what may be shown."""
        if self.cutter is not None:
            events = self.cutter.feed(events)
            self.ended = self.cutter.cut
        if Finished in map(type, events):
            # Some servers go on after a finish: a second tool call, the finish once more. The last one counts.
            self.finish = next(event for event in reversed(events) if type(event) is Finished)
            events = [event for event in events if type(event) is not Finished]
        return self.show(events) if events else None

    def rest(self, held: list[Event] | None = None) -> list[Event]:
        """The answer is over: what was kept for a second request that is not made, and the terminal marker."""
        ready = self.take(held) if held else None
        last = self.show([self.finish]) if self.finish is not None else None
        return [*(ready or ()), *(last or ())]

    def show(self, events: list[Event]) -> list[Event] | None:
        """Hold back what is no content yet, so that another deployment may still take over unseen."""
        self.assembler.feed(events)
        pending = self.pending
        if pending is not None:
            pending += events
            if NOT_CONTENT.issuperset(map(type, events)):
                return None
            self.pending, events = None, pending
            if self.call.restarts:
                events = _begun_anew(events)
            self.call.committed = True
            if not self.call.quiet:
                self.call.first_at = self.call.clock.monotonic()
        return None if self.call.quiet else events

    def partial(self) -> Completion | None:
        """What has arrived, if there was content."""
        return self._completed() if self.pending is None else None

    def failed(self, error: ByollmError, head: Head | None) -> ByollmError:
        """The error as the caller sees it: with the partial answer, where content had come."""
        partial = self.partial()
        if partial is not None and isinstance(error, ProviderError):
            error.failover_ok = False
            error.retryable = error.retryable and not isinstance(error, StreamInterruptedError)
            if error.billed == "no":
                error.billed = "unknown"
            error.__dict__["partial"] = partial
        return _raised(error, self.line, head, self.call)

    def completion(self) -> Completion:
        """The whole answer."""
        return self._completed()

    def _completed(self) -> Completion:
        completion = self.assembler.completion()
        line, head = self.line, self.head
        completion.provider = line.provider
        completion.model = completion.model or line.model
        completion.deployment = line.name
        completion.adjustments = self.fitted.adjustments
        completion.raw = self.document
        completion.output_schema = self.fitted.request.output_schema
        if head is not None:
            found = request_id(head.headers)
            completion.request_id = line.credentials.redactor.text(found) if found else None
        return completion
