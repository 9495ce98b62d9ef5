"""One call over its candidates: retry, fail over, give up. The only place that decides about either.

The same exception, whatever the file: when something was sent, the last attempt's own error is raised with `.attempts`;
`NoRouteError` only when no candidate could be tried.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from byollm.engine.attempt import attempt
from byollm.engine.middleware import Middleware, Observers, wrap
from byollm.engine.steps import Acquire, Emit, Sleep, Steps
from byollm.errors import (
    ByollmError,
    CancelledError,
    NoRouteError,
    OverloadedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
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
ILL = (ServerError, OverloadedError, ProviderTimeoutError, ProviderConnectionError)
"""Errors that speak of the deployment's health, not of the request."""


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

        def core(request: Request) -> Steps[Completion]:
            return self._route(call, request, lines)

        steps = wrap(self._operation_layers, call, core)(request) if self._operation_layers else core(request)
        if not self._operation_layers:
            return (yield from steps)
        emitted = False
        answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                completion: Completion = end.value
                break
            emitted = emitted or type(step) is Emit
            answer = yield step
        if not emitted:
            yield Emit(events_of(completion))
        return completion

    def _route(self, call: Call, request: Request, lines: Sequence[Line]) -> Steps[Completion]:
        if not lines:
            raise NoRouteError("no deployment is configured for this call", skipped=call.skipped)
        spent = 0
        last: ByollmError | None = None
        refused: UnsupportedFeatureError | None = None
        for line in self._healthy_first(call, lines):
            if last is not None and isinstance(last, ProviderError) and not _may_fail_over(last, line):
                break
            if spent and not line.budget.spend(call.clock.monotonic()):
                call.skipped[line.name] = "the retry budget is used up"
                continue
            if spent == 0:
                line.budget.count_call(call.clock.monotonic())
            number = 0
            while True:
                number, spent = number + 1, spent + 1
                try:
                    return (yield from self._once(call, request, line, number))
                except UnsupportedFeatureError as error:
                    refused = refused or error.with_traceback(None)
                    call.skipped[line.name] = error.message
                    spent -= 1
                    break
                except (ProviderError, CancelledError) as error:
                    last = error.with_traceback(None)
                if isinstance(last, CancelledError) or call.committed:
                    raise _told(last, call)
                wait = self._pause(call, line, last, number, spent)
                if wait is None:
                    break
                cancelled = yield Sleep(wait)
                if cancelled:
                    raise _told(CancelledError(), call)
                if not line.budget.spend(call.clock.monotonic()):
                    call.skipped[line.name] = "the retry budget is used up"
                    break
            if spent >= line.retries.total:
                break
        if last is not None:
            raise _told(last, call)
        if refused is not None:
            raise refused
        raise NoRouteError("no candidate could be tried", skipped=call.skipped)

    def _healthy_first(self, call: Call, lines: Sequence[Line]) -> Sequence[Line]:
        if len(lines) == 1:
            return lines
        now = call.clock.monotonic()
        open_ = {line.name for line in lines if not line.breaker.allows(now)}
        return sorted(lines, key=lambda line: line.name in open_) if open_ else lines

    def _once(self, call: Call, request: Request, line: Line, number: int) -> Steps[Completion]:
        started = call.clock.monotonic()
        if self._observers:
            self._observers.started(call, line.name)
        if line.limiter is not None:
            yield Acquire(line.limiter)
        if self._attempt_layers:
            steps = wrap(self._attempt_layers, call, lambda changed: attempt(call, line, changed))(request)
        else:
            steps = attempt(call, line, request)
        try:
            completion = yield from steps
        except ProviderError as error:
            if isinstance(error, ILL):
                line.breaker.failed(call.clock.monotonic())
            self._record(call, line, number, started, error=error)
            raise
        line.breaker.succeeded()
        completion.cost = line.cost(completion)
        record = self._record(call, line, number, started, completion=completion)
        completion.attempts = (*call.attempts[:-1], record) if len(call.attempts) > 1 else (record,)
        return completion

    def _record(
        self,
        call: Call,
        line: Line,
        number: int,
        started: float,
        *,
        completion: Completion | None = None,
        error: ProviderError | None = None,
    ) -> Attempt:
        record = Attempt(
            line.name,
            line.provider,
            line.model,
            number,
            200 if error is None else error.status,
            (call.clock.monotonic() - started) * 1000,
            completion.request_id if completion is not None else error.request_id if error is not None else None,
            error,
            "yes" if error is None else error.sent,
            "yes" if error is None else error.billed,
        )
        call.attempts.append(record)
        if self._observers:
            self._observers.finished(call, record)
        if log.isEnabledFor(logging.INFO):
            _log(record, completion)
        return record

    def _pause(self, call: Call, line: Line, error: ByollmError | None, number: int, spent: int) -> float | None:
        """Seconds until the same deployment is asked again; None when it is not."""
        if not isinstance(error, ProviderError) or not error.retryable or error.billed == "unknown":
            return None
        retries = line.retries
        if number >= retries.attempts or spent >= retries.total:
            return None
        left = call.seconds_left()
        if error.retry_after is not None:
            wait = error.retry_after
            return wait if wait <= retries.longest_wait and (left is None or wait < left) else None
        wait = min(retries.cap, retries.base * 2 ** (number - 1)) * call.random()
        return wait if left is None or wait < left else None


def _may_fail_over(error: ProviderError, line: Line) -> bool:
    if not error.failover_ok:
        return False
    return not (error.billed == "unknown" and line.retries.on_unknown == "fail")


def _told(error: ByollmError, call: Call) -> ByollmError:
    error.attempts = tuple(call.attempts)
    return error


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
