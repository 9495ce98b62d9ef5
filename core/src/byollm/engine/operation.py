"""One call: its middleware around the trip over its candidates, and the record of each attempt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from byollm.engine.attempt import Sending, attempt
from byollm.engine.health import tell
from byollm.engine.middleware import Middleware, Observers, checked, relay, wrap
from byollm.engine.steps import Emit, Steps
from byollm.engine.trip import ILL, Trip, healthy_first
from byollm.errors import ByollmError, CancelledError, NoRouteError, UnsupportedFeatureError
from byollm.types.completion import Attempt, Completion
from byollm.wire.assemble import events_of

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request

E = TypeVar("E", bound=ByollmError)
log = logging.getLogger("byollm")
_NONE: Final[frozenset[str]] = frozenset()


class _Reached(BaseException):
    """Ends a rehearsal where a call would be sent. No Exception: a middleware's own `except` is not meant."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


class Operation:
    """What one configuration brings to every call: middleware and observers."""

    __slots__ = ("_attempt_layers", "_observers", "_operation_layers", "_sending", "log_content")

    def __init__(
        self, middleware: Sequence[Middleware] = (), observers: Observers | None = None, log_content: bool = False
    ) -> None:
        middleware = checked(middleware)
        self._operation_layers = [layer for layer in middleware if getattr(layer, "position", "operation") != "attempt"]
        self._attempt_layers = [layer for layer in middleware if getattr(layer, "position", "operation") == "attempt"]
        self._observers = observers or Observers()
        self._sending = self._observers.started if self._observers else None
        self.log_content = log_content

    def run(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        """The whole call. An answer that a middleware made itself is emitted as events too."""
        call.log_content = self.log_content
        call.candidates = lines
        steps = self._layered(call, request, lines) if self._operation_layers else self._route(call, request, lines)
        return steps if self._sending is None else self._watched(call, steps)

    def _watched(self, call: Call, steps: Steps[Completion]) -> Steps[Completion]:
        try:
            return (yield from steps)
        except (NoRouteError, UnsupportedFeatureError) as error:
            if not call.attempts:
                self._observers.refused(call, error)
            raise

    def _layered(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        call.quiet = False

        def core(request: Request) -> Steps[Completion]:
            kept = call.candidates
            out = frozenset(line.name for line in lines if line not in kept) if kept is not lines else _NONE
            return self._route(call, request, kept, out)

        emitted = False

        def seen(step: Emit) -> Emit:
            nonlocal emitted
            emitted = True
            return step

        completion = yield from relay(wrap(self._operation_layers, call, core)(request), seen)
        if not emitted:
            yield Emit(events_of(completion))
        return completion

    @property
    def extensions(self) -> list[Any]:
        """All middleware and observers, each once."""
        return list(dict.fromkeys([*self._operation_layers, *self._attempt_layers, *self._observers.each]))

    def close(self) -> None:
        """The client is closed: middleware and observers are told."""
        self._observers.close([*self._operation_layers, *self._attempt_layers])

    def rewritten(self, call: Call, request: Request) -> Steps[Request | None]:
        """The request as middleware would let it out, for a count; None when a middleware would answer itself."""

        def core(request: Request) -> Steps[Completion]:
            raise _Reached(request)
            yield  # a generator, as `wrap` wants it

        try:
            yield from wrap([*self._operation_layers, *self._attempt_layers], call, core)(request)
        except _Reached as reached:
            return reached.request
        return None

    def _route(
        self, call: Call, request: Request, lines: Sequence[Line], left_out: frozenset[str] = _NONE
    ) -> Steps[Completion]:
        """`left_out` are deployments that a middleware does not want to be asked, then or later."""
        if call.deferral is not None:
            from byollm.engine.deferring import deferred

            def go(call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
                return self._go(call, request, [line for line in lines if line.name not in left_out])

            return deferred(call, request, call.deferral, go if left_out else self._go)
        return self._go(call, request, lines)

    def _go(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        return Trip(self.once, call, request).over(healthy_first(call, lines))

    def once(self, call: Call, request: Request, line: Line, number: int) -> Steps[Completion]:
        """One attempt with its middleware, told to the observers and recorded once it is on its way."""
        clock = call.clock
        started, at = clock.monotonic(), clock.time()
        call.status = call.first_at = None
        call.under_way = False
        call.lot = None
        steps = (self._in_layers if self._attempt_layers else attempt)(call, line, request, self._sending)
        if line.limits is not None and call.batch_until is None:  # a batch has limits of its own
            from byollm.engine.limiting import limited

            steps = limited(call, line, line.limits, request, steps)
        try:
            completion = yield from steps
        except ByollmError as error:
            if call.under_way:
                self._fell(call, line, number, started, at, unsent(call, error))
            raise
        except GeneratorExit:  # a stream left early, a task cancelled: it may have cost money all the same
            if call.under_way:
                left = unsent(call, CancelledError("left before the answer was complete"))
                self._record(call, line, number, started, at, error=left)
            raise
        if call.under_way:
            line.breaker.succeeded(clock.monotonic())
        cost = line.price_of(completion.usage, at, completion.model)
        if cost is not None:
            completion.cost, completion.cost_currency, completion.cost_source = cost.amount, cost.currency, cost.source
        if line.option is not None:
            _measure(line, call, completion, started)
        record = self._record(call, line, number, started, at, completion=completion, tried=call.under_way)
        completion.attempts = (*call.attempts[:-1], record) if len(call.attempts) > 1 else (record,)
        return completion

    def _in_layers(self, call: Call, line: Line, request: Request, sending: Sending | None) -> Steps[Completion]:
        call.quiet = False
        return wrap(self._attempt_layers, call, lambda changed: attempt(call, line, changed, sending))(request)

    def _fell(self, call: Call, line: Line, number: int, started: float, at: float, error: ByollmError) -> None:
        now = call.clock.monotonic()
        if call.batch_until is None:  # trouble with batches is none of single requests: a server may have none at all
            tell(line, error, now)
            if line.option is not None and isinstance(error, ILL):
                line.option.pace.failed(now - started, now)
        self._record(call, line, number, started, at, error=error)

    def _record(
        self,
        call: Call,
        line: Line,
        number: int,
        started: float,
        at: float,
        *,
        completion: Completion | None = None,
        error: ByollmError | None = None,
        tried: bool = True,
    ) -> Attempt:
        spent = (call.clock.monotonic() - started) * 1000
        place = (line.name, line.provider, line.model, number)
        first = None if call.first_at is None else (call.first_at - started) * 1000
        if completion is not None:
            sent = "yes" if tried else "no"
            usage, cost = completion.usage, completion.cost
            currency, status, name = completion.cost_currency, call.status, completion.request_id
            record = Attempt(*place, status, spent, name, None, sent, sent, usage, cost, currency, at, first)
        else:
            partial = getattr(error, "partial", None)
            known = None if partial is None else line.price_of(partial.usage, call.clock.time(), partial.model)
            record = Attempt(
                *place,
                getattr(error, "status", None) or call.status,
                spent,
                getattr(error, "request_id", None),
                error,
                getattr(error, "sent", "yes") if tried else "no",
                getattr(error, "billed", "unknown") if tried else "no",
                None if partial is None else partial.usage,
                None if known is None else known.amount,
                None if known is None else known.currency,
                at,
                first,
            )
        call.attempts.append(record)
        if line.option is not None and record.billed == "yes" and record.cost is not None:
            line.option.pace.paid(record.cost, record.currency or "")
        if self._sending is not None and tried:
            call.answer = completion if completion is not None else getattr(error, "partial", None)
            self._observers.finished(call, record)
        if log.isEnabledFor(logging.INFO):
            _log(record, completion)
        return record


def unsent(call: Call, error: E) -> E:
    """An error of a call that left a batch: until the batch is sent it costs nothing, whatever was asked last."""
    if call.lot is not None and isinstance(error, CancelledError):
        error.sent, error.billed = ("yes", "unknown") if call.lot.sending else ("no", "no")
    return error


def _measure(line: Line, call: Call, completion: Completion, started: float) -> None:
    """What the policies of routes choose by."""
    if line.option is None:
        return
    pace, now = line.option.pace, call.clock.monotonic()
    if call.batch_until is not None:  # how long a batch lay there says nothing of how quick the model is
        return
    first = None if call.first_at is None else call.first_at - started
    pace.answered(now - started, now, first, completion.usage.output_tokens)


def _log(record: Attempt, completion: Completion | None) -> None:
    usage = completion.usage if completion is not None else None
    log.info(
        "attempt %d deployment=%s status=%s ms=%.0f input_tokens=%s output_tokens=%s request_id=%s outcome=%s",
        record.number,
        record.deployment,
        record.status,
        record.milliseconds,
        usage.input_tokens if usage else None,
        usage.output_tokens if usage else None,
        record.request_id,
        "answered" if record.error is None else type(record.error).__name__,
    )
