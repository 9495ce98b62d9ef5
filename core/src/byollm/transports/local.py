"""In-process models as answers: `LocalCall.run` in the caller's thread, or each step in a thread under asyncio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from byollm.errors import ByollmError
from byollm.transports.base import Broken
from byollm.types.events import Event
from byollm.types.request import Request
from byollm.wire.exchange import Head, LocalCall, LocalContext

_END: Any = object()


class LocalResponse:
    """Events of an in-process model, one a read; an empty list at the end."""

    __slots__ = ("_call", "_closed", "_context", "_events", "_request", "head")

    def __init__(self, call: LocalCall, request: Request, context: LocalContext) -> None:
        self.head = Head(200, {})
        self._call = call
        self._request = request
        self._closed = False
        self._context = LocalContext(lambda: self._closed or context.cancelled, lambda: context.deadline)
        self._events: Iterator[Event] | None = None

    def read(self) -> list[Event] | Broken | ByollmError:
        """The next event. A model that outlives the deadline or the caller's patience is not asked again."""
        left = self._context.deadline
        if left is not None and left <= 0:
            return Broken("deadline", "yes", "the in-process model took too long")
        if self._context.cancelled:
            return Broken("cancelled", "yes")
        try:
            if self._events is None:
                self._events = iter(self._call.run(self._request, self._context))
            event = next(self._events, _END)
        except ByollmError as error:
            return error.with_traceback(None)
        except (Exception, SystemExit) as error:
            return Broken("reset", "yes", f"the in-process model failed: {type(error).__name__}: {error}")
        return [] if event is _END else [event]

    def close(self, reuse: bool) -> None:
        """End the generator, if it is one; a model still at work in another thread sees `cancelled`."""
        self._closed = True
        close = getattr(self._events, "close", None)
        if close is not None:
            with suppress(Exception):  # its own farewell may fail, or it is still running: it is not waited for
                close()


class AsyncLocalResponse:
    """`LocalResponse` with each step in a thread, so that a model that computes does not hold the loop."""

    __slots__ = ("_inner", "head")

    def __init__(self, call: LocalCall, request: Request, context: LocalContext) -> None:
        self._inner = LocalResponse(call, request, context)
        self.head = self._inner.head

    async def read(self) -> list[Event] | Broken | ByollmError:
        """The next event."""
        import asyncio  # not loaded before it is needed, see `Credentials.async_headers`

        return await asyncio.to_thread(self._inner.read)

    async def close(self, reuse: bool) -> None:
        """End the generator, if it is one."""
        self._inner.close(reuse)
