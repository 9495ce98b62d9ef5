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
    """What both streams know: the events so far, and what they make."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.seen: list[list[Event]] = []
        self.finished: Completion | None = None
        self.entered = self.left = False
        self._assembler = Assembler()

    @property
    def partial(self) -> Completion:
        """What has arrived so far; `finish_reason` is None until the answer is complete."""
        if self.finished is not None:
            return self.finished
        seen, self.seen = self.seen, []
        for events in seen:
            self._assembler.feed(events)
        completion = self._assembler.completion()
        completion.attempts = tuple(self.call.attempts)
        return completion

    @property
    def completion(self) -> Completion:
        """The whole answer once it is read to the end; before that, the partial one."""
        return self.partial

    def cancel(self) -> None:
        """Give up, from any thread: the reader gets CancelledError within milliseconds."""
        self.call.cancellation.cancel()

    def at_the_end(self, ready: list[Event] | None) -> bool:
        """The caller saw the last event and broke off there: the answer is whole, and its record worth having."""
        return ready is not None and any(type(event) is Finished for event in ready[-1:])

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


class Stream(StreamState):
    """`with client.stream(…) as stream: for event in stream: …`.

    `.text_stream` is its visible text, `.partial` what has come so far, `.completion` the answer, `.cancel()` gives up.
    """

    def __init__(self, driver: SyncDriver[Any], call: Call) -> None:
        super().__init__(call)
        self._driver = driver
        self._ready: list[Event] | None = None
        self._events: Iterator[Event] = chain.from_iterable(self._read())

    def __enter__(self) -> Self:
        self.check_new()
        self._ready = self._pull()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.at_the_end(self._ready):
            self._pull()
        self.left = True
        self._driver.close()

    def _pull(self) -> list[Event] | None:
        events = self._driver.pull()
        if events is None:
            self.finished = self._driver.result
        else:
            self.seen.append(events)
        return events

    def _read(self) -> Iterator[list[Event]]:
        while self._ready is not None:
            yield self._ready
            self.check_entered("with")
            self._ready = self._pull()

    def __iter__(self) -> Iterator[Event]:
        """The events that were not read yet: breaking off and going on loses none and repeats none."""
        self.check_entered("with")
        return self._events

    @property
    def text_stream(self) -> Iterator[str]:
        """The visible text, piece by piece."""
        for event in self:
            if type(event) is TextDelta:
                yield event.text
