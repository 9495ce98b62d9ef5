"""The async driver: `sync_driver`, awaited.

It decides nothing. A test compares the two drivers' traces.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic

from byollm.engine.outgoing import AUTH_BODY_LIMIT, auth_outgoing, outgoing
from byollm.engine.steps import Acquire, Close, Emit, Open, OpenLocal, R, Read, Renew, Run, Sleep, Steps
from byollm.errors import ByollmError
from byollm.transports.base import AsyncResponse, AsyncTransport, Broken
from byollm.transports.local import AsyncLocalResponse
from byollm.types.events import Event
from byollm.wire.exchange import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from byollm.engine.call import Call


class AsyncDriver(Generic[R]):
    """`pull()` runs until events come or the decision ends. `close()` drops what is open, and may be called twice."""

    __slots__ = ("_call", "_response", "_steps", "_transport", "result")

    def __init__(self, steps: Steps[R], call: Call, transport: AsyncTransport) -> None:
        self._steps = steps
        self._call = call
        self._transport = transport
        self._response: AsyncResponse | AsyncLocalResponse | None = None
        self.result: R | None = None

    async def pull(self) -> list[Event] | None:
        """The next events, or None at the end, when `result` is there. Raises what the decision raises."""
        answer: Any = None
        send, response = self._steps.send, self._response
        try:
            while True:
                step = send(answer)
                kind = type(step)
                if kind is Read:
                    answer = await response.read()  # type: ignore[union-attr]  # a decision reads only what it opened
                elif kind is Emit:
                    return step.events  # type: ignore[union-attr]  # narrowed by `kind`
                else:
                    answer = await self._act(step)
                    response = self._response
        except StopIteration as end:
            self.result = end.value
            await self.close()
            return None
        except BaseException:
            await self.close()
            raise

    async def run(self) -> R:
        """To the end, without events."""
        while await self.pull() is not None:
            pass
        assert self.result is not None
        return self.result

    async def close(self) -> None:
        """Drop the open answer, and end the decision."""
        response, self._response = self._response, None
        if response is not None:
            await _dropped(response)
        self._steps.close()

    async def _act(self, step: Any) -> Any:
        kind = type(step)
        if kind is Open:
            return await self._open(step)
        if kind is Close:
            response, self._response = self._response, None
            return await response.close(step.reuse) if response is not None else None
        if kind is Sleep:
            return await self._sleep(step.seconds)
        if kind is Run:
            return await asyncio.to_thread(step.function)
        if kind is Acquire:
            return await asyncio.to_thread(step.reserve)
        if kind is Renew:
            return await _renew(step)
        if kind is OpenLocal:
            self._response = AsyncLocalResponse(step.call, step.request, self._call.local_context(step.deadline))
            return self._response.head
        raise AssertionError(f"no such step: {kind.__name__}")

    async def _sleep(self, seconds: float) -> bool:
        if self._call.cancellation.cancelled:
            return True
        await self._call.clock.async_sleep(seconds)
        return self._call.cancellation.cancelled

    async def _open(self, step: Open) -> Any:
        await self.drop()
        line, call = step.line, self._call
        try:
            place = line.place
        except ByollmError as error:  # a proxy that cannot be read
            return error.with_traceback(None)
        headers = await line.credentials.async_headers(
            step.auth, step.request, call.clock.time, lambda request: self._send(request, step)
        )
        if not isinstance(headers, list):
            return headers
        opened = await self._transport_of(line).open(outgoing(step, place, call, headers))
        if isinstance(opened, Broken):
            return opened
        self._response = opened
        return opened.head

    async def drop(self) -> None:
        """Drop the open answer only."""
        response, self._response = self._response, None
        if response is not None:
            await _dropped(response)

    def _transport_of(self, line: Any) -> AsyncTransport:
        chosen: AsyncTransport = line.transport if line.transport is not None else self._transport
        return chosen

    async def _send(self, request: HttpRequest, step: Open) -> HttpResponse | Broken:
        opened = await self._transport_of(step.line).open(auth_outgoing(request, step.line, self._call, step.deadline))
        if isinstance(opened, Broken):
            return opened
        pieces: list[bytes] = []
        while True:
            piece = await opened.read()
            if isinstance(piece, Broken):
                await opened.close(False)
                return piece
            if not piece:
                break
            pieces.append(piece)
            if sum(map(len, pieces)) > AUTH_BODY_LIMIT:
                await opened.close(False)
                return Broken("too_large", "yes", "the token endpoint's answer is too large")
        await opened.close(True)
        return HttpResponse(opened.head.status, opened.head.headers, b"".join(pieces))


async def _dropped(response: AsyncResponse | AsyncLocalResponse) -> None:
    """Close whatever happens: a task being cancelled still gives its connection back to nobody."""
    await asyncio.shield(response.close(False))


async def _renew(step: Renew) -> bool | ByollmError:
    try:
        return await asyncio.to_thread(step.line.credentials.renew, step.auth)
    except ByollmError as error:
        return error.with_traceback(None)
