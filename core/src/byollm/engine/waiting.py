"""Waits that are no answer's: a token that another call fetches, a secret that is being read. The call's own time and
cancellation bound them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from byollm.transports.base import Broken, Limits, Timeouts
from byollm.transports.progress import Progress, Stop

if TYPE_CHECKING:
    from threading import Lock

    from byollm.engine.call import Call

T = TypeVar("T")
_SLICE: Final = 0.02
"""Seconds between two looks at the call: nobody can wake what waits for a lock."""
_UNBOUNDED: Final = Timeouts(connect=None, first_byte=None, idle=None, total=None)


class Waiting:
    """What one call may wait for, until its `deadline` (an instant of its clock) or its end."""

    __slots__ = ("_call", "_deadline", "now")

    def __init__(self, call: Call, deadline: float | None) -> None:
        self._call = call
        self.now = call.clock.time
        """Unix seconds."""
        self._deadline = deadline

    def enter(self, lock: Lock) -> Broken | None:
        """Take a lock; or why not."""
        while not lock.acquire(timeout=_SLICE):
            if self._call.cancellation.cancelled:
                return Broken("cancelled", "no")
            if self._deadline is not None and self._call.clock.monotonic() >= self._deadline:
                return Broken("deadline", "no")
        return None

    async def until(self, work: Callable[[], Awaitable[T]]) -> T | Broken:
        """What `work()` gives; or why it was not waited for."""
        from byollm.transports.watch import Watch

        left = None if self._deadline is None else self._deadline - self._call.clock.monotonic()
        progress = Progress(_UNBOUNDED, Limits(), None if left is None else monotonic() + left)
        watch = Watch(progress, self._call.cancellation)
        try:
            return await watch.wait(work)
        except Stop as stop:
            kind = stop.kind
        finally:
            watch.close()
        return Broken(kind, "no")
