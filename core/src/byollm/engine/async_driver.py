"""The async driver: `sync_driver`, awaited.

It decides nothing. A test compares the two drivers' traces.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from byollm.engine.credentials import outcome
from byollm.engine.failures import bare
from byollm.engine.hidden import Hidden, HiddenHeaders
from byollm.engine.outgoing import AUTH_BODY_LIMIT, as_sent, auth_outgoing, outgoing
from byollm.engine.steps import Acquire, Close, Emit, Open, OpenLocal, R, Read, Renew, Run, Sleep, Steps
from byollm.engine.waiting import Waiting
from byollm.errors import ByollmError, PluginError
from byollm.transports.base import AsyncResponse, AsyncTransport, Broken
from byollm.transports.local import AsyncLocalResponse
from byollm.types.events import Event
from byollm.wire.exchange import HttpResponse

if TYPE_CHECKING:
    from byollm.engine.call import Call


class AsyncDriver(Generic[R]):
    """`pull()` runs until events come or the decision ends. `close()` drops what is open, and may be called twice."""

    __slots__ = ("_call", "_response", "_stamp", "_steps", "_transport", "result")

    def __init__(self, steps: Steps[R], call: Call, transport: AsyncTransport) -> None:
        self._steps = steps
        self._call = call
        self._transport = transport
        self._response: AsyncResponse | AsyncLocalResponse | None = None
        self._stamp = 0
        self.result: R | None = None

    async def pull(self) -> list[Event] | None:
        """The next events, or None at the end, when `result` is there. Raises what the decision raises."""
        answer: Any = None
        send, response = self._steps.send, self._response
        move: Any = send
        try:
            while True:
                step = move(answer)
                move = send
                kind = type(step)
                if kind is Read:
                    answer = await response.read()  # type: ignore[union-attr]  # a decision reads only what it opened
                elif kind is Emit:
                    events: list[Event] = step.events
                    return events
                elif kind is Open:
                    answer = await self._open(step)
                    response = self._response
                elif kind is Run:
                    move, answer = await self._work(step)
                else:
                    answer = await self._act(step)
                    response = self._response
        except StopIteration as end:
            self.result = end.value
            if self._response is not None:
                await self.drop()
            return None
        except GeneratorExit:  # nobody will resume this: nothing may be awaited
            answer = step = None
            self._abandon()
            raise
        except BaseException:
            answer = step = None  # the last bytes may echo a key, and a traceback shows its frames' locals
            await self.close()
            raise

    async def run(self) -> R:
        """To the end, without events."""
        while await self.pull() is not None:
            pass
        assert self.result is not None
        return self.result

    async def settle(self) -> R | None:
        """To the end, without events, where None is a result too."""
        while await self.pull() is not None:
            pass
        return self.result

    async def close(self) -> None:
        """Drop the open answer, and end the decision."""
        try:
            await self.drop()
        finally:
            self._steps.close()

    def _abandon(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            _abandoned(response)
        self._steps.close()

    async def _work(self, step: Any) -> tuple[Any, Any]:
        """What the decision gets next: the result, or what was raised, where it was asked for."""
        try:
            return self._steps.send, await asyncio.to_thread(step.function)
        except Exception as error:
            return self._steps.throw, error

    async def _act(self, step: Any) -> Any:
        kind = type(step)
        if kind is Close:
            response, self._response = self._response, None
            return await response.close(step.reuse) if response is not None else None
        if kind is Acquire:
            return await self._acquire(step)
        if kind is Sleep:
            return await self._sleep(step.seconds)
        if kind is Renew:
            renew = partial(step.line.credentials.renew, step.auth, self._stamp)
            return await Waiting(self._call, self._call.deadline).until(lambda: asyncio.to_thread(outcome, renew))
        if kind is OpenLocal:
            self._response = AsyncLocalResponse(step.call, step.request, self._call.local_context(step.deadline))
            return self._response.head
        raise PluginError(f"a middleware yielded a {kind.__name__}, which is no step")

    async def _acquire(self, step: Acquire) -> bool:
        place, cancellation = step.place, self._call.cancellation
        if not cancellation.bind(place.cancel):
            return False
        try:
            await asyncio.wait([asyncio.wrap_future(place)], timeout=step.seconds)
        finally:
            cancellation.bind(None)
        return place.done() and not place.cancelled()

    async def _sleep(self, seconds: float) -> bool:
        cancellation, loop = self._call.cancellation, asyncio.get_running_loop()
        if cancellation.cancelled:
            return True
        asleep = loop.create_task(self._call.clock.async_sleep(seconds))

        def wake() -> None:
            loop.call_soon_threadsafe(asleep.cancel)

        if not cancellation.bind(wake):
            asleep.cancel()
        try:
            await asyncio.wait([asleep])
        finally:
            cancellation.bind(None)
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                asleep.cancel()
        return cancellation.cancelled

    async def _open(self, step: Open) -> Any:
        if self._response is not None:
            await self.drop()
        line, call = step.line, self._call
        try:
            place = line.place
        except ByollmError as error:  # a proxy that cannot be read
            return bare(error)
        headers: Any = line.credentials.ready(step.auth)
        if headers is None:
            headers = await line.credentials.async_headers(
                step.auth,
                as_sent(line, step.request),
                Waiting(call, step.deadline),
                lambda asked: self._send(asked, step),
            )
        if not isinstance(headers, HiddenHeaders):
            return headers
        self._stamp = headers.stamp
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

    async def _send(self, asked: Hidden, step: Open) -> Hidden | Broken:
        """Carry an auth scheme's own request. No frame here may show what comes and goes."""
        line = step.line
        opened = await self._transport_of(line).open(auth_outgoing(asked, line, self._call, step.deadline))
        if isinstance(opened, Broken):
            return Broken(opened.kind, "no", opened.detail)  # what the model is asked has not left
        body = Hidden(b"")
        while True:
            read = Hidden(await opened.read())
            if isinstance(read.value, Broken):
                await opened.close(False)
                return Broken(read.value.kind, "no", read.value.detail)
            if not read.value:
                break
            body.value += read.value
            if len(body.value) > AUTH_BODY_LIMIT:
                await opened.close(False)
                return Broken("too_large", "no", "the token endpoint's answer is too large")
        await opened.close(True)
        return Hidden(HttpResponse(opened.head.status, opened.head.headers, body.value))


async def _dropped(response: AsyncResponse | AsyncLocalResponse) -> None:
    """Close whatever happens: a task being cancelled still gives its connection back to nobody."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # it was closed over a task that had not ended
        _abandoned(response)
        return
    await asyncio.shield(response.close(False))


def _abandoned(response: AsyncResponse | AsyncLocalResponse) -> None:
    closing = response.close(False)
    with suppress(Exception):  # what closes at once is closed by the first step; the rest needs a loop
        closing.send(None)
    closing.close()
