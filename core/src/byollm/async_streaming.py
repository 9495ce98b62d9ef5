"""An answer being read, async: `byollm.streaming`, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from byollm.streaming import StreamState
from byollm.types.events import Event, TextDelta

if TYPE_CHECKING:
    from byollm.engine.async_driver import AsyncDriver
    from byollm.engine.call import Call


class AsyncStream(StreamState):
    """`async with client.stream(…) as stream: async for event in stream: …`; the same words as `Stream`."""

    def __init__(self, driver: AsyncDriver[Any], call: Call) -> None:
        super().__init__(call)
        self._driver = driver
        self._ready: list[Event] | None = None
        self._events = self._read()

    async def __aenter__(self) -> Self:
        self.check_new()
        self._ready = await self._pull()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.at_the_end(self._ready):
            await self._pull()
        self.left = True
        await self._driver.close()

    async def _pull(self) -> list[Event] | None:
        events = await self._driver.pull()
        if events is None:
            self.finished = self._driver.result
        else:
            self.seen.append(events)
        return events

    async def _read(self) -> AsyncIterator[Event]:
        while self._ready is not None:
            for event in self._ready:
                yield event
            self.check_entered("async with")
            self._ready = await self._pull()

    def __aiter__(self) -> AsyncIterator[Event]:
        """See `Stream.__iter__`."""
        self.check_entered("async with")
        return self._events

    @property
    async def text_stream(self) -> AsyncIterator[str]:
        """The visible text, piece by piece."""
        async for event in self:
            if type(event) is TextDelta:
                yield event.text
