"""A call that can wait: until its plan's instant, then like any other, first in the cheaper tier or in a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from byollm.engine.failures import bare
from byollm.engine.steps import Run, Sleep, Steps
from byollm.errors import CancelledError, NoRouteError, ProviderError, UnsupportedFeatureError
from byollm.types.completion import Completion
from byollm.types.usage import BATCH

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.routing.deferring import Plan
    from byollm.types.request import Request

SPELL: Final = 300.0
"""Seconds slept at a time: a wall clock that was set meanwhile is looked at again."""
USUAL_TOTAL: Final = 600.0
"""Seconds kept for the call itself where no timeout bounds it."""


class Deferral(Protocol):
    """What a call knows of its putting off."""

    finish_by: float
    """Unix seconds at which the answer must be there."""
    total: float | None
    """Seconds that the call itself may take, once it has begun."""

    def plan(self, call: Call, request: Request) -> Plan | None:
        """The best instant. May take a while: it looks at many prices."""
        ...

    def lines(self, call: Call, request: Request, plan: Plan | None) -> Sequence[Line]:
        """Who may answer now, in order. Raises NoRouteError when nobody may any more."""
        ...

    def reasons(self, call: Call, request: Request) -> list[tuple[Line, str]]:
        """The same for people."""
        ...


def latest(deferral: Deferral) -> float:
    """Unix seconds at which a call that waits must begin, to have the time that it may take itself."""
    return deferral.finish_by - (USUAL_TOTAL if deferral.total is None else deferral.total)


Go = Callable[["Call", "Request", Sequence["Line"]], Steps[Completion]]


def deferred(call: Call, request: Request, deferral: Deferral, go: Go) -> Steps[Completion]:
    """Wait, ask who may answer now, and go. Raises what `go` raises, CancelledError and NoRouteError."""
    plan: Plan | None = yield Run(lambda: deferral.plan(call, request))
    yield from _waited(call, plan.start if plan is not None else call.clock.time())
    lines = call.candidates = deferral.lines(call, request, plan)
    tier = plan.offer.tier if plan is not None else None
    if plan is not None and tier == BATCH:
        own = [line for line in lines if line is plan.offer.owner]
        answered = yield from _in_batch(call, request, deferral, own, go)
        if answered is not None:
            return answered
        lines = call.candidates = deferral.lines(call, request, plan)  # hours have passed
    left = max(0.0, deferral.finish_by - call.clock.time())
    call.deadline = call.clock.monotonic() + (left if deferral.total is None else min(left, deferral.total))
    if tier is not None and tier != BATCH:
        try:
            return (yield from go(call, request.with_(service_tier=tier), lines))
        except ProviderError as error:
            failed = bare(error)
        if call.committed or not failed.failover_ok or (call.seconds_left() or 0.0) <= 0.0:
            raise failed
    return (yield from go(call, request, lines))


def _in_batch(
    call: Call, request: Request, deferral: Deferral, lines: Sequence[Line], go: Go
) -> Steps[Completion | None]:
    """The answer of a batch; None when it gave none and the same call may still be made alone. Raises what that would
    not mend."""
    now = call.clock.time()
    until = latest(deferral)
    if not lines or until <= now:
        return None
    call.batch_until = call.clock.monotonic() + (until - now)
    try:
        return (yield from go(call, request, lines))
    except (ProviderError, UnsupportedFeatureError, NoRouteError) as error:
        failed = bare(error)
    finally:
        call.batch_until = None
    unsure = isinstance(failed, ProviderError) and failed.billed != "no" and lines[0].retries.on_unknown == "fail"
    if unsure or (isinstance(failed, ProviderError) and not failed.failover_ok):
        raise failed
    return None


def _waited(call: Call, until: float) -> Steps[None]:
    """Until that instant of the wall clock, and never longer than it was away when the waiting began."""
    clock = call.clock
    over = clock.monotonic() + (until - clock.time())
    while (wait := min(until - clock.time(), over - clock.monotonic())) > 0:
        if (yield Sleep(min(wait, SPELL))):
            raise CancelledError(sent="no", billed="no")
