"""Stop strings where a provider has none: the answer ends before the first of them, in a stream as in a document.

First is the one that is complete first: a server that looks after each token does the same, and however the text is cut
into pieces the answer is one. Of two that end at one place it is the longer.
"""

from __future__ import annotations

from collections.abc import Iterable

from byollm.types.events import Event, Finished, TextDelta


class StopCutter:
    """Feed it events. Text that could be the beginning of a stop string is held back until it is told apart."""

    __slots__ = ("_held", "_index", "_longest", "_stops", "cut")

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._longest = max(map(len, stops))
        self._held = ""
        self._index = 0
        self.cut = False

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """The events fit to be shown. After `cut` there are no more: the last is `Finished("stop", the string)`."""
        out: list[Event] = []
        for event in events:
            if self.cut:
                break
            if isinstance(event, TextDelta):
                out += self._text(event)
            else:
                if self._held and (isinstance(event, Finished) or getattr(event, "index", self._index) != self._index):
                    out.append(self._release())
                out.append(event)
        return out

    def _text(self, event: TextDelta) -> list[Event]:
        out: list[Event] = []
        if self._held and event.index != self._index:
            out.append(self._release())
        self._index = event.index
        text = self._held + event.text
        found = [(at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            at, stop = min(found, key=lambda item: (item[0] + len(item[1]), item[0]))
            self.cut, self._held = True, ""
            return [*out, *([TextDelta(event.index, text[:at])] if at else []), Finished("stop", stop)]
        keep = self._could_begin(text)
        self._held = text[len(text) - keep :] if keep else ""
        if len(text) > keep:
            out.append(TextDelta(event.index, text[: len(text) - keep]))
        return out

    def _could_begin(self, text: str) -> int:
        for size in range(min(len(text), self._longest - 1), 0, -1):
            tail = text[-size:]
            if any(stop.startswith(tail) for stop in self._stops):
                return size
        return 0

    def _release(self) -> Event:
        text, self._held = self._held, ""
        return TextDelta(self._index, text)
