"""A call that can wait: until its plan's instant, then like any other, first in the cheaper tier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from byollm.engine.failures import bare
from byollm.engine.steps import Run, Sleep, Steps
from byollm.errors import CancelledError, ProviderError
from byollm.types.completion import Completion

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.routing.deferring import Plan
    from byollm.types.request import Request

SPELL: Final = 300.0
"""Seconds slept at a time: a wall clock that was set meanwhile is looked at again."""


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


Go = Callable[["Call", "Request", Sequence["Line"]], Steps[Completion]]


def deferred(call: Call, request: Request, deferral: Deferral, go: Go) -> Steps[Completion]:
    """Wait, ask who may answer now, and go. Raises what `go` raises, CancelledError and NoRouteError."""
    plan: Plan | None = yield Run(lambda: deferral.plan(call, request))
    yield from _waited(call, plan.start if plan is not None else call.clock.time())
    lines = call.candidates = deferral.lines(call, request, plan)
    left = max(0.0, deferral.finish_by - call.clock.time())
    call.deadline = call.clock.monotonic() + (left if deferral.total is None else min(left, deferral.total))
    tier = plan.offer.tier if plan is not None else None
    if tier is not None:
        try:
            return (yield from go(call, request.with_(service_tier=tier), lines))
        except ProviderError as error:
            failed = bare(error)
        if call.committed or not failed.failover_ok or (call.seconds_left() or 0.0) <= 0.0:
            raise failed
    return (yield from go(call, request, lines))


def _waited(call: Call, until: float) -> Steps[None]:
    """Until that instant of the wall clock, and never longer than it was away when the waiting began."""
    clock = call.clock
    over = clock.monotonic() + (until - clock.time())
    while (wait := min(until - clock.time(), over - clock.monotonic())) > 0:
        if (yield Sleep(min(wait, SPELL))):
            raise CancelledError
