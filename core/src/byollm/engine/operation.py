"""One call over its candidates: retry, fail over, give up. The only place that decides about either.

The same exception, whatever the file: when something was sent, the last attempt's own error is raised with `.attempts`;
`NoRouteError` only when no candidate could be tried.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from byollm.engine.attempt import attempt
from byollm.engine.failures import bare
from byollm.engine.middleware import Middleware, Observers, relay, wrap
from byollm.engine.steps import Emit, Sleep, Steps
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    CancelledError,
    ContextLengthError,
    NoRouteError,
    OverloadedError,
    ProtocolError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
    UnsupportedFeatureError,
)
from byollm.types.completion import Attempt, Completion
from byollm.wire.assemble import events_of

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request

log = logging.getLogger("byollm")
ILL = (ServerError, OverloadedError, ProviderTimeoutError, ProviderConnectionError, ProtocolError)
"""Errors that speak of the deployment's health, not of the request."""


class _Reached(BaseException):
    """Ends a rehearsal where a call would be sent. No Exception: a middleware's own `except` is not meant."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


class Operation:
    """What one configuration brings to every call: middleware and observers."""

    __slots__ = ("_attempt_layers", "_observers", "_operation_layers", "log_content")

    def __init__(
        self, middleware: Sequence[Middleware] = (), observers: Observers | None = None, log_content: bool = False
    ) -> None:
        self._operation_layers = [layer for layer in middleware if getattr(layer, "position", "operation") != "attempt"]
        self._attempt_layers = [layer for layer in middleware if getattr(layer, "position", "operation") == "attempt"]
        self._observers = observers or Observers()
        self.log_content = log_content

    def run(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        """The whole call. An answer that a middleware made itself is emitted as events too."""
        call.log_content = self.log_content
        if not self._operation_layers:
            return self._route(call, request, lines)
        return self._layered(call, request, lines)

    def _layered(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        call.quiet = False

        def core(request: Request) -> Steps[Completion]:
            return self._route(call, request, lines)

        emitted = False

        def seen(step: Emit) -> Emit:
            nonlocal emitted
            emitted = True
            return step

        completion = yield from relay(wrap(self._operation_layers, call, core)(request), seen)
        if not emitted:
            yield Emit(events_of(completion))
        return completion

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

    def _route(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        return _Trip(self, call, request).over(_healthy_first(call, lines))

    def once(self, call: Call, request: Request, line: Line, number: int) -> Steps[Completion]:
        """One attempt with its middleware, told to the observers and recorded once it is on its way."""
        started = call.clock.monotonic()
        at = call.clock.time()
        call.status = call.first_at = None
        tried = False

        def sending() -> None:
            nonlocal tried
            if self._observers:
                self._observers.started(call, line.name)
            tried = True

        if self._attempt_layers:
            call.quiet = False
            steps = wrap(self._attempt_layers, call, lambda changed: attempt(call, line, changed, sending))(request)
        else:
            steps = attempt(call, line, request, sending)
        if line.limits is not None:
            from byollm.engine.limiting import limited

            steps = limited(call, line, line.limits, request, steps)
        try:
            completion = yield from steps
        except ByollmError as error:
            if tried:
                self._fell(call, line, number, started, error)
            raise
        except GeneratorExit:  # a stream left early, a task cancelled: it may have cost money all the same
            if tried:
                self._record(call, line, number, started, error=CancelledError("left before the answer was complete"))
            raise
        if tried:
            line.breaker.succeeded(call.clock.monotonic())
        cost = line.cost(completion, at)
        if cost is not None:
            completion.cost, completion.cost_currency, completion.cost_source = cost.amount, cost.currency, cost.source
        _measure(line, call, completion, started)
        record = self._record(call, line, number, started, completion=completion, tried=tried)
        completion.attempts = (*call.attempts[:-1], record) if len(call.attempts) > 1 else (record,)
        return completion

    def _fell(self, call: Call, line: Line, number: int, started: float, error: ByollmError) -> None:
        now = call.clock.monotonic()
        _tell_breaker(line, error, now)
        if line.option is not None and isinstance(error, ILL):
            line.option.pace.failed(now - started, now)
        self._record(call, line, number, started, error=error)

    def _record(
        self,
        call: Call,
        line: Line,
        number: int,
        started: float,
        *,
        completion: Completion | None = None,
        error: ByollmError | None = None,
        tried: bool = True,
    ) -> Attempt:
        spent = (call.clock.monotonic() - started) * 1000
        place = (line.name, line.provider, line.model, number)
        if completion is not None:
            sent = "yes" if tried else "no"
            record = Attempt(*place, call.status, spent, completion.request_id, None, sent, sent)
        else:
            record = Attempt(
                *place,
                getattr(error, "status", None) or call.status,
                spent,
                getattr(error, "request_id", None),
                error,
                getattr(error, "sent", "yes") if tried else "no",
                getattr(error, "billed", "unknown") if tried else "no",
            )
        call.attempts.append(record)
        if self._observers and tried:
            self._observers.finished(call, record)
        if log.isEnabledFor(logging.INFO):
            _log(record, completion)
        return record


class _Trip:
    """One call on its way over the candidates. `sent` counts requests, `last` is the last attempt's error."""

    def __init__(self, operation: Operation, call: Call, request: Request) -> None:
        self.operation = operation
        self.call = call
        self.request = request
        self.sent = 0
        self.last: ProviderError | CancelledError | None = None
        self.refused: ByollmError | None = None

    def over(self, lines: Iterable[Line]) -> Steps[Completion]:
        """Until one answers. Raises the last attempt's error, or why there was none."""
        for line in lines:
            if not self.may_go_to(line):
                continue
            completion = yield from self.at(line)
            if completion is not None:
                return completion
            if self.ended(line):
                break
        if self.last is not None:
            raise self.told(self.last)
        if self.refused is not None:
            raise self.told(self.refused)
        raise NoRouteError("no candidate could be tried", skipped=self.call.skipped)

    def may_go_to(self, line: Line) -> bool:
        """The retry budget counts every request after a call's first, failovers included."""
        now = self.call.clock.monotonic()
        if self.sent == 0:
            line.budget.count_call(now)
            return True
        if line.budget.spend(now):
            return True
        self.call.skipped[line.name] = "the retry budget is used up"
        return False

    def at(self, line: Line) -> Steps[Completion | None]:
        """Ask one deployment, again where that may help. None: it did not answer."""
        call = self.call
        attempts = 1 if line.breaker.is_open(call.clock.monotonic()) else line.retries.attempts
        for number in range(1, attempts + 1):
            try:
                completion = yield from self.operation.once(call, self.request, line, number)
            except ByollmError as raised:
                error = bare(raised)
            else:
                return completion
            if _is_local(error):
                self.refused = self.refused or error
                call.skipped[line.name] = error.message
                return None
            if not isinstance(error, ProviderError | CancelledError):
                raise self.told(error)
            self.last = error
            self.sent += 1
            wait = self.pause(line, error, number) if number < attempts else None
            if wait is None:
                return None
            if not line.budget.spend(call.clock.monotonic()):
                call.skipped[line.name] = "the retry budget is used up"
                return None
            if (yield Sleep(wait)):
                self.last = CancelledError()
                return None
        return None

    def ended(self, line: Line) -> bool:
        """No other deployment may be asked."""
        error = self.last
        if error is None:
            return False
        if isinstance(error, CancelledError) or self.call.committed or not error.failover_ok:
            return True
        left = self.call.seconds_left()
        if (left is not None and left <= 0) or self.sent >= line.retries.total:
            return True
        return error.billed == "unknown" and line.retries.on_unknown == "fail"

    def pause(self, line: Line, error: ByollmError | None, number: int) -> float | None:
        """Seconds until the same deployment is asked again; None when it is not."""
        if self.call.committed or not isinstance(error, ProviderError):
            return None
        if not error.retryable or error.billed == "unknown":
            return None
        retries = line.retries
        if number >= retries.attempts or self.sent >= retries.total:
            return None
        left = self.call.seconds_left()
        if error.retry_after is not None:
            wait = error.retry_after
            return wait if wait <= retries.longest_wait and (left is None or wait < left) else None
        wait = min(retries.cap, retries.base * 2 ** (number - 1)) * self.call.random()
        return wait if left is None or wait < left else None

    def told(self, error: ByollmError) -> ByollmError:
        """The error with the record of all attempts."""
        error.attempts = tuple(self.call.attempts)
        return error


def _healthy_first(call: Call, lines: Sequence[Line]) -> Iterator[Line]:
    """The lines in their order; of those that failed lately one, at the end: the one that failed longest ago.

    A breaker is asked when its turn has come. One and no more, so that an outage of everybody costs one request a call.
    """
    ill: list[Line] = []
    for line in lines:
        if line.breaker.allows(call.clock.monotonic()):
            yield line
        else:
            ill.append(line)
    if ill:
        last = min(ill, key=lambda line: line.breaker.opened)
        for line in ill:
            if line is not last:
                call.skipped[line.name] = "it failed lately, and others did too"
        yield last


def _is_local(error: ByollmError) -> bool:
    """Refused here, before anything was sent: this candidate is skipped and not counted as tried."""
    if isinstance(error, ContextLengthError | AuthenticationError | RateLimitError):
        return error.sent == "no"
    return isinstance(error, UnsupportedFeatureError)


def _tell_breaker(line: Line, error: ByollmError, now: float) -> None:
    if isinstance(error, ILL):
        line.breaker.failed(now)
    elif isinstance(error, QuotaExhaustedError):
        line.breaker.exhausted(now)
    elif isinstance(error, ProviderError) and error.sent != "no":
        line.breaker.succeeded(now)


def _measure(line: Line, call: Call, completion: Completion, started: float) -> None:
    """What the policies of routes choose by."""
    if line.option is None:
        return
    pace, now = line.option.pace, call.clock.monotonic()
    first = None if call.first_at is None else call.first_at - started
    pace.answered(now - started, now, first, completion.usage.output_tokens)
    if completion.cost is not None:
        pace.paid(completion.cost, completion.cost_currency or "")


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
