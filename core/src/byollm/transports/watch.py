"""A limit around any awaitable, for transports whose sockets are out of our reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from byollm.transports.base import BrokenKind, Cancellation
from byollm.transports.progress import Progress, Stop

T = TypeVar("T")


class Watch:
    """Bounds the waits of one exchange by its `progress`, and ends them when somebody cancels it.

    What `asyncio.timeout` does, with one timer for many waits: in a stream there are thousands, and few are long.
    """

    __slots__ = ("_alarm", "_cancellation", "_cut_by", "_kind", "_loop", "_rings_at", "_task", "_until", "progress")

    def __init__(self, progress: Progress, cancellation: Cancellation) -> None:
        self.progress = progress
        self._cancellation = cancellation
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._cut_by: BrokenKind | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._until = 0.0
        self._kind: BrokenKind = "deadline"
        cancellation.bind(self._cancel)

    def close(self) -> None:
        """The exchange is over."""
        self._cancellation.bind(None)
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.cancel()

    async def wait(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work()` gives. Raises Stop when it takes too long or is cancelled, and whatever `work` raises."""
        seconds, kind = self.progress.patience()
        task = asyncio.current_task()
        if self._cancellation.cancelled or task is None:
            raise Stop("cancelled")
        if seconds is not None:
            self._until, self._kind = monotonic() + seconds, kind
            if self._alarm is None or self._until < self._rings_at:
                self._set_alarm(seconds)
        else:
            self._until = float("inf")
        before = task.cancelling()
        self._task = task
        try:
            result = await work()
        except BaseException:
            # A cancel of ours is taken back; one that somebody else asked for as well goes on.
            if self._cut_by is None or task.uncancel() > before:
                raise
        else:
            if self._cut_by is None:
                return result
            task.uncancel()
        finally:
            self._task = None
        raise Stop(self._cut_by)

    def _set_alarm(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._rings_at = monotonic() + seconds
        self._alarm = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._task is None:
            return
        left = self._until - monotonic()
        if left > 0:
            self._set_alarm(left)
        else:
            self._cut(self._kind)

    def _cut(self, kind: BrokenKind) -> None:
        if self._task is not None and self._cut_by is None:
            self._cut_by = kind
            self._task.cancel()

    def _cancel(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._cut, "cancelled")
