"""One call of a user: who asked, for what, until when."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from byollm.transports.base import Cancellation, Timeouts
from byollm.types.completion import Adjustment, Attempt, Completion
from byollm.wire.exchange import LocalContext

if TYPE_CHECKING:
    from byollm.engine.deferring import Deferral
    from byollm.engine.line import Line
    from byollm.engine.lot import Lot
    from byollm.routing.sieve import Sieve
    from byollm.types.request import Request


class Clock(Protocol):
    """Time, as the engine sees it. `byollm.testing.ManualClock` is one that only moves when told."""

    def monotonic(self) -> float:
        """Seconds that never go back: deadlines are instants of it."""
        ...

    def time(self) -> float:
        """Unix seconds."""
        ...

    def sleep(self, seconds: float, cancellation: Cancellation) -> bool:
        """Wait; True when cancelled meanwhile."""
        ...

    async def async_sleep(self, seconds: float) -> None:
        """Wait, awaited."""
        ...


class SystemClock:
    """The machine's own."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    def sleep(self, seconds: float, cancellation: Cancellation) -> bool:
        """Wait; True when cancelled meanwhile."""
        return cancellation.wait(seconds)

    async def async_sleep(self, seconds: float) -> None:
        """Wait, awaited."""
        import asyncio

        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


@dataclass(slots=True, eq=False)
class Call:
    """What middleware and observers are told of a call.

    `id` names the operation; `deadline` is an instant of the clock or None; `labels` are the caller's own words.
    `attempts` grows as they end; `skipped` says of candidates why they were not asked. `notes` is for middleware to
    keep things in, under its own name.
    """

    task: str | None = None
    tenant: str | None = None
    data_class: str | None = None
    region: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    deadline: float | None = None
    timeouts: Timeouts | None = None
    clock: Clock = SYSTEM_CLOCK
    cancellation: Cancellation = field(default_factory=Cancellation)
    quiet: bool = False
    """Nobody looks at the events, only at the completion: none need be shown."""
    attempts: list[Attempt] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    sieve: Sieve | None = None
    """The rules it is under; None where the file has none."""
    notes: dict[str, Any] = field(default_factory=dict)
    committed: bool = False
    restarts: int = 0
    """How often an answer was begun anew after content of another was shown."""
    under_way: bool = False
    """The present attempt was checked and translated, and is sent: it counts."""
    status: int | None = None
    """Of the last answer that came."""
    first_at: float | None = None
    """When the present attempt's first content came; None for whole answers."""
    log_content: bool = False
    candidates: Sequence[Line] = ()
    """Who may be asked, in the order chosen."""
    policy: str | None = None
    """The policy that chose the order, as the file names it; None where the file's own order holds."""
    url: str | None = None
    """Of the present attempt's request, without what the file adds to it. No key is ever in it."""
    adjustments: tuple[Adjustment, ...] = ()
    """What `fit()` changed for the present attempt."""
    request: Request | None = None
    """What the present attempt asks, as every middleware left it and before `fit()`; None before the first."""
    answer: Completion | None = None
    """What the present attempt was answered, whole or in part, as `finished` is told; None where nothing came."""
    deferral: Deferral | None = None
    """Until when the call can wait; None for one that begins at once."""
    batch_until: float | None = None
    """The instant of the clock's `monotonic` by which the present attempt's batch is done; None: it goes alone."""
    lot: Lot | None = None
    """The batch that the present attempt lies in."""
    random: Callable[[], float] = random.random
    _id: str = ""

    @property
    def id(self) -> str:
        """Made when it is first asked for: few calls are looked at so closely."""
        if not self._id:
            self._id = os.urandom(8).hex()
        return self._id

    def local_context(self, deadline: float | None) -> LocalContext:
        """What an in-process model sees of this call."""
        now = self.clock.monotonic
        return LocalContext(lambda: self.cancellation.cancelled, lambda: None if deadline is None else deadline - now())

    def seconds_left(self) -> float | None:
        """Until the deadline; None without one."""
        return None if self.deadline is None else self.deadline - self.clock.monotonic()
