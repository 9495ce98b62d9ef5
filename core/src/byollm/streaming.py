"""An answer being read, sync. Entering it sends; leaving it early closes the connection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from byollm.types.completion import Completion
from byollm.types.events import Event, Finished, TextDelta
from byollm.wire.assemble import Assembler

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.sync_driver import SyncDriver


class StreamState:
    """What a stream knows: the events so far, and what they make.

    Apart from the stream, because the iterator over the events holds it: a stream that nobody holds any more is gone
    at once, and its connection with it, and not whenever cycles are collected.
    """

    def __init__(self, driver: Any, call: Call) -> None:
        self.driver = driver
        self.call = call
        self.seen: list[list[Event]] = []
        self.ready: list[Event] | None = None
        self.finished: Completion | None = None
        self.entered = self.left = False
        self._assembler = Assembler()

    def partial(self) -> Completion:
        """The whole answer, or what has come of it."""
        if self.finished is not None:
            return self.finished
        seen, self.seen = self.seen, []
        for events in seen:
            self._assembler.feed(events)
        completion = self._assembler.completion()
        completion.attempts = tuple(self.call.attempts)
        return completion

    def pulled(self, events: list[Event] | None) -> None:
        """What the driver gave; None at the end."""
        self.ready = events
        if events is None:
            self.finished = self.driver.result
        else:
            self.seen.append(events)

    def at_the_end(self) -> bool:
        """The caller saw the last event and broke off there: the answer is whole, and its record worth having."""
        return self.ready is not None and any(type(event) is Finished for event in self.ready[-1:])

    def check_entered(self, word: str) -> None:
        """Raises TypeError when the stream was not entered."""
        if not self.entered:
            raise TypeError(f"enter the stream first: `{word} client.stream(…) as stream:`")
        if self.left and self.finished is None:
            raise TypeError("the stream was left before its end: what had come is in `.partial`")

    def check_new(self) -> None:
        """Raises TypeError when the stream was entered before: each is one call."""
        if self.entered:
            raise TypeError("a stream is entered once: ask again with client.stream(…)")
        self.entered = True


class StreamBase:
    """What both streams tell."""

    def __init__(self, driver: Any, call: Call) -> None:
        self._state = StreamState(driver, call)

    @property
    def partial(self) -> Completion:
        """What has arrived so far; `finish_reason` is None until the answer is complete."""
        return self._state.partial()

    @property
    def completion(self) -> Completion:
        """The whole answer once it is read to the end; before that, the partial one."""
        return self._state.partial()

    def cancel(self) -> None:
        """Give up, from any thread: the reader gets CancelledError within milliseconds."""
        self._state.call.cancellation.cancel()


class Stream(StreamBase):
    """`with client.stream(…) as stream: for event in stream: …`.

    `.text_stream` is its visible text, `.partial` what has come so far, `.completion` the answer, `.cancel()` gives up.
    """

    def __init__(self, driver: SyncDriver[Any], call: Call) -> None:
        super().__init__(driver, call)
        self._events: Iterator[Event] = chain.from_iterable(_read(self._state))

    def __enter__(self) -> Self:
        state = self._state
        state.check_new()
        state.pulled(state.driver.pull())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = self._state
        if error is None and state.at_the_end():
            state.pulled(state.driver.pull())
        state.left = True
        state.driver.close()

    def __iter__(self) -> Iterator[Event]:
        """The events that were not read yet: breaking off and going on loses none and repeats none."""
        self._state.check_entered("with")
        return self._events

    @property
    def text_stream(self) -> Iterator[str]:
        """The visible text, piece by piece."""
        for event in self:
            if type(event) is TextDelta:
                yield event.text


def _read(state: StreamState) -> Iterator[list[Event]]:
    pull = state.driver.pull
    while state.ready is not None:
        yield state.ready
        state.check_entered("with")
        state.pulled(pull())
