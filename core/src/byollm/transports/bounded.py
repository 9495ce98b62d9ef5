"""A limit around any awaitable, for transports whose sockets are out of our reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from byollm.transports.base import Cancellation
from byollm.transports.progress import Progress, Stop

T = TypeVar("T")


async def bounded(work: Callable[[], Awaitable[T]], progress: Progress, cancellation: Cancellation) -> T:
    """What `work()` gives, for as long as `progress` allows and nobody cancels. Raises Stop, and what `work` raises."""
    seconds, kind = progress.patience()
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(seconds)

    def expire() -> None:
        with suppress(RuntimeError):  # it was over by itself
            limit.reschedule(loop.time())

    def cancel() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(expire)

    if not cancellation.bind(cancel):
        raise Stop("cancelled")
    try:
        async with limit:
            return await work()
    except TimeoutError:
        if not limit.expired():  # somebody else's
            raise
    finally:
        cancellation.bind(None)
    raise Stop("cancelled" if cancellation.cancelled else kind)
