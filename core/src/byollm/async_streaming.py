"""An answer being read, async: `byollm.streaming`, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from byollm.streaming import StreamBase, StreamState
from byollm.types.events import Event, TextDelta

if TYPE_CHECKING:
    from byollm.engine.async_driver import AsyncDriver
    from byollm.engine.call import Call


class AsyncStream(StreamBase):
    """`async with client.stream(…) as stream: async for event in stream: …`; the same words as `Stream`."""

    def __init__(self, driver: AsyncDriver[Any], call: Call) -> None:
        super().__init__(driver, call)
        self._events = _read(self._state)

    async def __aenter__(self) -> Self:
        state = self._state
        state.check_new()
        state.pulled(await state.driver.pull())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = self._state
        if error is None and state.at_the_end():
            state.pulled(await state.driver.pull())
        state.left = True
        await state.driver.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        """See `Stream.__iter__`."""
        self._state.check_entered("async with")
        return self._events

    @property
    async def text_stream(self) -> AsyncIterator[str]:
        """The visible text, piece by piece."""
        async for event in self:
            if type(event) is TextDelta:
                yield event.text


async def _read(state: StreamState) -> AsyncIterator[Event]:
    while state.ready is not None:
        for event in state.ready:
            yield event
        state.check_entered("async with")
        state.pulled(await state.driver.pull())
