"""One call on its way over its candidates: retry, fail over, give up. The only place that decides about either.

The same exception, whatever the file: when something was sent, the last attempt's own error is raised with `.attempts`;
`NoRouteError` only when no candidate could be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from byollm.engine.failures import bare
from byollm.engine.steps import Sleep, Steps
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
    RateLimitError,
    ServerError,
    UnsupportedFeatureError,
)
from byollm.types.completion import Completion

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request

    Once = Callable[[Call, Request, Line, int], Steps[Completion]]

ILL = (ServerError, OverloadedError, ProviderTimeoutError, ProviderConnectionError, ProtocolError)
"""Errors that speak of the deployment's health, not of the request."""


class Trip:
    """One call on its way over the candidates. `sent` counts requests, `last` is the last attempt's error, `place` the
    number of the candidate whose turn it is: each behind it keeps one request of the call's total."""

    __slots__ = ("call", "last", "once", "place", "refused", "request", "sent")

    def __init__(self, once: Once, call: Call, request: Request) -> None:
        self.once = once
        self.call = call
        self.request = request
        self.sent = len(call.attempts)  # a batch, or a cheaper tier, may have been tried before
        self.place = 0
        self.last: ProviderError | CancelledError | None = None
        self.refused: ByollmError | None = None

    def over(self, lines: Iterable[Line]) -> Steps[Completion]:
        """Until one answers. Raises the last attempt's error, or why there was none."""
        call = self.call
        for line in lines:
            self.place += 1
            now = call.clock.monotonic()
            if not self.may_go_to(line, now):
                continue
            attempts = 1 if line.breaker.is_open(now) else line.retries.attempts
            for number in range(1, attempts + 1):
                try:
                    return (yield from self.once(call, self.request, line, number))
                except ByollmError as raised:
                    error = bare(raised)
                wait = self.again(line, error, number, attempts)
                if wait is None or self.last is None:
                    break
                if (yield Sleep(wait)):
                    self.last = CancelledError(sent=self.last.sent, billed=self.last.billed)
                    break
            if self.ended(line):
                break
        raise self.outcome()

    def outcome(self) -> ByollmError:
        """What a call gets that nobody answered."""
        found = self.last or self.refused
        if found is not None:
            return self.told(found)
        return NoRouteError("no candidate could be tried", skipped=self.call.skipped)

    def may_go_to(self, line: Line, now: float) -> bool:
        """The retry budget counts every request after a call's first, but not those that move on to a healthy one.

        It is there so that trouble is not multiplied: a deployment that answers is no trouble, and may take over for
        everybody at once before the breaker of the other has opened.
        """
        if self.sent == 0 or line.breaker.is_well:
            line.budget.count_call(now)
            return True
        if line.budget.spend(now):
            return True
        self.call.skipped[line.name] = "the retry budget is used up"
        return False

    def again(self, line: Line, error: ByollmError, number: int, attempts: int) -> float | None:
        """Seconds until a deployment that failed is asked again; None: it did not answer. Raises what nobody mends."""
        if _is_local(error):
            self.refused = self.refused or error
            self.call.skipped[line.name] = error.message
            return None
        if isinstance(error, NoRouteError) and line.name in self.call.skipped:  # a rule forbids it since midnight
            return None
        if not isinstance(error, ProviderError | CancelledError):
            raise self.told(error)
        self.last = error
        self.sent += 1
        wait = self.pause(line, error, number) if number < attempts else None
        if wait is not None and not line.budget.spend(self.call.clock.monotonic()):
            self.call.skipped[line.name] = "the retry budget is used up"
            return None
        return wait

    def ended(self, line: Line) -> bool:
        """No other deployment may be asked."""
        error = self.last
        if error is None:
            return False
        if isinstance(error, CancelledError):
            return True
        left = self.call.seconds_left()
        if (left is not None and left <= 0) or self.sent >= line.retries.total:
            return True
        if self.call.committed:
            return not self.restarts(line, error)
        return not error.failover_ok or (error.billed == "unknown" and line.retries.on_unknown == "fail")

    def restarts(self, line: Line, error: ProviderError) -> bool:
        """An answer that was shown in part is begun anew elsewhere, where the file allows it and the provider broke."""
        if line.retries.on_cut != "restart" or not isinstance(error, ILL):
            return False
        self.call.committed = False
        self.call.restarts += 1
        return True

    def pause(self, line: Line, error: ByollmError | None, number: int) -> float | None:
        """Seconds until the same deployment is asked again; None when it is not."""
        if self.call.committed or not isinstance(error, ProviderError):
            return None
        if not error.retryable or error.billed == "unknown":
            return None
        retries = line.retries
        ahead = max(0, len(self.call.candidates) - self.place)
        if number >= retries.attempts or self.sent + ahead >= retries.total:
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


def healthy_first(call: Call, lines: Sequence[Line]) -> Iterator[Line]:
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
