"""An answer being read: frames into events, events into a completion, content to the caller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from byollm.engine import wirelog
from byollm.engine.cut import StopCutter
from byollm.engine.failures import bare, decorate, from_broken
from byollm.engine.steps import CLOSE, DROP, READ, Emit, Steps
from byollm.errors import ByollmError, PluginError, ProtocolError, ProviderError, StreamInterruptedError
from byollm.transports.base import Broken
from byollm.types.completion import Completion
from byollm.types.events import NOT_CONTENT, Event, Finished, Started, UsageReported
from byollm.types.usage import Usage
from byollm.wire.assemble import Assembler
from byollm.wire.classify import request_id
from byollm.wire.exchange import Exchange, Head, unsendable
from byollm.wire.framing import Decoder, decoder_for
from byollm.wire.redact import Redactor

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.providers.fit import Fitted

T = TypeVar("T")
_ABOUT = frozenset((Started, UsageReported, Finished))
"""Events about the answer as a whole: what they tell is the provider's word."""


def reader_of(exchange: Exchange[Any], head: Head, line: Line, call: Call) -> Any:
    """The plugin's reader of one response. Raises what it raises, told as everything that went wrong there."""
    try:
        return exchange.reader(head)
    except ByollmError as error:
        problem = error
    except Exception as error:  # headers that no rule foresaw
        problem = ProtocolError(f"the answer's headers cannot be read ({type(error).__name__})")
    raise raised(problem, line, head, call)


def follow(exchange: Exchange[T], values: list[T], line: Line) -> Exchange[T] | None:
    """The second request that some providers need; what the first one gave is then no answer yet. Raises what the
    plugin raises, PluginError for what it should not."""
    assert exchange.then is not None
    try:
        following = exchange.then(values)
        problem = "" if following is None else unsendable(following)
    except ByollmError:
        raise
    except Exception as error:
        problem = type(error).__name__
    if problem:
        raise PluginError(f"{line.deployment.who}: the next request cannot be made: {problem}")
    return following


def raised(error: ByollmError, line: Line, head: Head | None, call: Call) -> ByollmError:
    """An error as it may leave the engine."""
    if isinstance(error, ProviderError):
        return decorate(error, line, head, call)
    who = line.deployment.who
    if type(error) is PluginError and who not in error.message:
        return PluginError(f"{who}: {error.message}", hint=error.hint)
    return bare(error)


def _begun_anew(events: list[Event]) -> list[Event]:
    """The first events of an answer that takes the place of one that was cut."""
    first = next((event for event in events if type(event) is Started), Started())
    return [Started(first.id, first.model, restarted=True), *(event for event in events if type(event) is not Started)]


def _masked(event: Event, redactor: Redactor, model: str) -> Event:
    """A provider may answer with the key as its name for the answer or the model; programs print both."""
    if type(event) is Started:
        id = redactor.long(event.id) if type(event.id) is str else event.id
        name = event.model if event.model == model else redactor.long_data(event.model)
        return event if id is event.id and name is event.model else replace(event, id=id, model=name)
    elif type(event) is Finished:
        raw = redactor.long_data(event.raw)
        return event if raw is event.raw else replace(event, raw=raw)
    elif type(event) is UsageReported and type(event.usage) is Usage and event.usage.details:
        details = redactor.long_data(event.usage.details)
        if details is not event.usage.details and details != event.usage.details:
            return UsageReported(replace(event.usage, details=details))
    return event


def _mask(completion: Completion, redactor: Redactor, model: str) -> None:
    """The same, of all of it."""
    if completion.id is not None:
        completion.id = redactor.long(completion.id)
    if completion.model != model:
        completion.model = redactor.long_data(completion.model)
    if completion.raw_finish_reason is not None:
        completion.raw_finish_reason = redactor.long_data(completion.raw_finish_reason)
    details = completion.usage.details
    if details and (masked := redactor.long_data(details)) is not details and masked != details:
        completion.usage = replace(completion.usage, details=masked)


class Reading:
    """One answer, from its first byte to its completion. `shown`: somebody listens at DEBUG."""

    __slots__ = (
        "assembler", "call", "cutter", "decoder", "document", "ended", "finish", "fitted", "head", "line", "pending",
        "shown",
    )  # fmt: skip

    def __init__(self, call: Call, line: Line, fitted: Fitted, shown: bool) -> None:
        self.call = call
        self.line = line
        self.fitted = fitted
        self.shown = shown
        self.assembler = Assembler()
        self.cutter = StopCutter(fitted.cut_at) if fitted.cut_at else None
        self.pending: list[Event] | None = []
        self.head: Head | None = None
        self.decoder: Decoder | None = None
        self.document: Any = None
        self.ended = False
        self.finish: Finished | None = None

    def answer(self, exchange: Exchange[Event], head: Head) -> Steps[Exchange[Event] | None]:
        """Read to the end of the answer, and what is to be asked next, if anything. Raises what went wrong."""
        self.head = head
        read = reader_of(exchange, head, self.line, self.call)
        held: list[Event] | None = [] if exchange.then is not None else None
        self.decoder = None
        whole = False
        while not (self.ended or whole):
            piece = yield READ
            if type(piece) is not bytes:
                if self.finish is not None:  # the terminal marker was seen: a rude goodbye changes nothing
                    break
                raise self.failed(from_broken(piece, self.partial(), answered=True), head)
            whole = not piece
            events: list[Event] = []
            problem = self.read(piece, exchange, read, events)
            if held is not None:
                held += events
            elif events and (ready := self.take(events, whole and problem is None)):
                yield Emit(ready)
            if problem is not None and self.finish is None:
                raise self.failed(problem, head)
        following = self._follow(exchange, held) if held is not None else None
        if following is None:
            if ready := self.rest(held):
                yield Emit(ready)
            if not self.assembler.finished:
                raise self.cut("the answer ended without its terminal marker")
            self.document = getattr(self.decoder, "document", None)
        yield CLOSE if whole else DROP
        return following

    def read(self, piece: bytes, exchange: Exchange[Event], read: Any, events: list[Event]) -> ByollmError | None:
        """Add the events of one piece, b"" being the end, and answer what went wrong. Those before it are kept."""
        try:
            decoder = self.decoder
            if decoder is None:
                assert self.head is not None
                decoder = self.decoder = decoder_for(exchange.framing, self.head.headers, piece)
            shown = self.shown
            for frame in decoder.feed(piece) if piece else decoder.end():
                if shown:
                    wirelog.frame(self.call, self.line, frame)
                events += read(frame)
        except ByollmError as error:
            return error
        except Exception as error:  # bytes that no rule foresaw
            return ProtocolError(f"the answer cannot be read ({type(error).__name__})")
        return None

    def _follow(self, exchange: Exchange[Event], events: list[Event]) -> Exchange[Event] | None:
        try:
            return follow(exchange, events, self.line)
        except ByollmError as error:
            problem = error
        raise self.failed(problem, self.head)

    def cut(self, words: str) -> ByollmError:
        """The error for an answer whose terminal marker was not seen."""
        return self.failed(StreamInterruptedError(words, partial=self.partial()), self.head)

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
        if not self.assembler.finished:
            raise self.cut("the in-process model ended without Finished")
        yield DROP

    def take(self, events: list[Event], over: bool = False) -> list[Event] | None:
        """Assemble, and answer what may be shown. `over`: nothing comes behind them, so that a finish is the last."""
        if self.cutter is not None:
            events = self.cutter.feed(events)
            self.ended = self.cutter.cut
        about = not _ABOUT.isdisjoint(map(type, events))
        if about and Finished in map(type, events) and not (over and self._ends_well(events)):
            events = self._without_finish(events)
        return self.show(events, about) if events else None

    def _ends_well(self, events: list[Event]) -> bool:
        """The one finish there is stands last."""
        return self.finish is None and [*map(type, events)].index(Finished) == len(events) - 1

    def _without_finish(self, events: list[Event]) -> list[Event]:
        # Some servers go on after a finish: a second tool call, the finish once more. The last one counts.
        others: list[Event] = []
        for event in events:
            if type(event) is Finished:
                self.finish = event
            else:
                others.append(event)
        return others

    def rest(self, held: list[Event] | None = None) -> list[Event] | None:
        """The answer is over: what was kept for a second request that is not made, and the terminal marker."""
        ready = self.take(held) if held else None
        if self.finish is None:
            return ready
        last = self.show([self.finish], about=True)
        return [*ready, *last] if ready and last else last or ready

    def show(self, events: list[Event], about: bool) -> list[Event] | None:
        """Hold back what is no content yet, so that another deployment may still take over unseen. `about`: there may
        be events about the answer as a whole, whose words are the provider's."""
        pending = self.pending
        problem = ""
        try:
            self.assembler.feed(events)
        except PluginError as error:
            problem = error.message
        except Exception as error:  # a value of a type that no event has
            problem = f"the plugin made events that are none: {type(error).__name__}"
        if problem:  # it may show what the provider said
            broken = PluginError(self.line.credentials.redactor.text(problem))
            raise raised(broken, self.line, self.head, self.call)
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
        if self.call.quiet:
            return None
        if not about and pending is None:
            return events
        redactor, model = self.line.credentials.redactor, self.line.model
        return [_masked(event, redactor, model) if type(event) in _ABOUT else event for event in events]

    def partial(self) -> Completion | None:
        """What has arrived, if there was content."""
        return self.completion() if self.pending is None else None

    def failed(self, error: ByollmError, head: Head | None) -> ByollmError:
        """The error as the caller sees it: with the partial answer, where content had come."""
        partial = self.partial()
        if partial is not None and isinstance(error, ProviderError):
            error.failover_ok = False
            error.retryable = error.retryable and not isinstance(error, StreamInterruptedError)
            if error.billed == "no":
                error.billed = "unknown"
            error.__dict__["partial"] = partial
        return raised(error, self.line, head, self.call)

    def completion(self) -> Completion:
        """The whole answer, or what has come of it."""
        completion = self.assembler.completion()
        line, head = self.line, self.head
        completion.provider = line.provider
        if completion.model is None:
            completion.model = line.model
        completion.deployment = line.name
        completion.adjustments = self.fitted.adjustments
        completion.raw = self.document
        completion.output_schema = self.fitted.request.output_schema
        redactor = line.credentials.redactor
        if head is not None:
            found = request_id(head.headers)
            completion.request_id = redactor.text(found) if found else None
        _mask(completion, redactor, line.model)
        return completion
