"""Events into a completion, with the legal order as a table.

`Started` once and first; content events only between `Started` and `Finished`; after `Finished` only `UsageReported`.
Who breaks it is the plugin, not the provider: `PluginError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NoReturn, get_args

from byollm.errors import PluginError
from byollm.types.completion import Completion
from byollm.types.events import (
    Event,
    Finished,
    FinishReason,
    PartAdded,
    ReasoningDelta,
    Started,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from byollm.types.parts import Opaque, Part, Reasoning, Text, ToolCall
from byollm.types.usage import NOTHING, Usage

NEW, OPEN, DONE = 0, 1, 2
_ALLOWED: dict[type, tuple[int, ...]] = {
    Started: (NEW,),
    TextDelta: (OPEN,),
    ReasoningDelta: (OPEN,),
    ToolCallStarted: (OPEN,),
    ToolCallDelta: (OPEN,),
    PartAdded: (OPEN,),
    StateAttached: (OPEN,),
    UsageReported: (OPEN, DONE),
    Finished: (OPEN,),
}
"""In which state of an answer each event is legal."""

_WORD = (str, type(None))
_REASONS = frozenset(get_args(FinishReason))
_WORDS = {NEW: "before Started", OPEN: "after Started", DONE: "after Finished"}


class _Slot:
    __slots__ = ("kind", "part", "pieces", "state", "tool")

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.part: Part | None = None
        self.state: Opaque | None = None
        self.tool: tuple[str, str] = ("", "")


class Assembler:
    """Feed it events; `completion()` may be asked at any time and gives what has arrived."""

    __slots__ = ("_id", "_model", "_reason", "_slots", "_state", "_usage")

    def __init__(self) -> None:
        self._state = NEW
        self._slots: dict[int, _Slot] = {}
        self._usage = NOTHING
        self._reason: Finished | None = None
        self._id: str | None = None
        self._model: str | None = None

    def _forget(self) -> None:
        self._slots.clear()
        self._state, self._usage = NEW, NOTHING
        self._reason = self._id = self._model = None

    @property
    def finished(self) -> bool:
        """The terminal marker was seen."""
        return self._state == DONE

    @property
    def started(self) -> bool:
        """Any event was seen."""
        return self._state != NEW

    def feed(self, events: Iterable[Any]) -> None:
        """Take events in order. Raises PluginError for an order the table forbids."""
        slots = self._slots
        for event in events:
            kind = type(event)
            if kind is TextDelta:
                if self._state != OPEN or not isinstance(event.text, str):
                    self._check(kind)
                    raise _wrong(event, "text")
                slot = slots.get(event.index)
                if slot is None:
                    slot = slots[event.index] = _Slot(Text)
                elif slot.kind is not Text:
                    slot = self._slot(event, Text)
                slot.pieces.append(event.text)
            else:
                if kind is Started and event.restarted:
                    self._forget()
                if self._state not in _ALLOWED.get(kind, ()):
                    self._check(kind)
                if kind is UsageReported:
                    if type(event.usage) is not Usage or not event.usage.is_sound:
                        raise _wrong(event, "usage")
                    self._usage = self._usage.updated(event.usage)
                elif kind is Started:
                    self._begin(event)
                elif kind is Finished:
                    self._end(event)
                else:
                    self._take(event)

    def _check(self, kind: type) -> None:
        allowed = _ALLOWED.get(kind)
        if allowed is None:
            raise PluginError(f"the plugin made {kind.__name__}, which is not an event")
        if self._state not in allowed:
            raise PluginError(f"the plugin made {kind.__name__} {_WORDS[self._state]}")

    def _begin(self, event: Started) -> None:
        if not isinstance(event.id, _WORD) or not isinstance(event.model, _WORD):
            raise _wrong(event, "model" if isinstance(event.id, _WORD) else "id")
        self._state, self._id, self._model = OPEN, event.id, event.model

    def _end(self, event: Finished) -> None:
        if not isinstance(event.raw, _WORD) or event.reason not in _REASONS:
            raise _wrong(event, "reason" if isinstance(event.raw, _WORD) else "raw")
        self._state, self._reason = DONE, event

    def _take(self, event: Any) -> None:
        kind = type(event)
        if kind is ReasoningDelta:
            _texts(event, "text")
            self._slot(event, Reasoning).pieces.append(event.text)
        elif kind is ToolCallStarted:
            _texts(event, "id", "name")
            self._new(event, ToolCall).tool = (event.id, event.name)
        elif kind is ToolCallDelta:
            slot = self._slots.get(event.index)
            if slot is None or slot.kind is not ToolCall:
                self._clash(event)
            _texts(event, "arguments")
            slot.pieces.append(event.arguments)
        elif kind is PartAdded:
            self._new(event, PartAdded).part = event.part
        else:
            slot = self._slots.get(event.index)
            if slot is None:
                slot = self._slots[event.index] = _Slot(StateAttached)
            elif slot.part is not None and not hasattr(slot.part, "state"):
                self._clash(event)
            slot.state = event.state

    def _slot(self, event: Any, kind: type) -> _Slot:
        slot = self._slots.get(event.index)
        if slot is None:
            slot = self._slots[event.index] = _Slot(kind)
        elif slot.kind is StateAttached:
            slot.kind = kind  # made by a state that came before its part
        elif slot.kind is not kind:
            self._clash(event)
        return slot

    def _new(self, event: Any, kind: type) -> _Slot:
        slot = self._slots.get(event.index)
        if slot is not None and slot.kind is not StateAttached:
            self._clash(event)
        return self._slot(event, kind)

    def _clash(self, event: Any) -> NoReturn:
        raise PluginError(
            f"the plugin made {type(event).__name__} for part {event.index}, which is another part or another kind"
        )

    def completion(self) -> Completion:
        """What has arrived: the whole answer once `finished`, a partial one (finish_reason None) before."""
        reason = self._reason
        return Completion(
            parts=tuple([_part(self._slots[index]) for index in sorted(self._slots)]),
            finish_reason=reason.reason if reason else None,
            raw_finish_reason=reason.raw if reason else None,
            usage=self._usage,
            id=self._id,
            model=self._model,
        )


def _texts(event: Any, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(event, name), str):
            raise _wrong(event, name)


def _wrong(event: Any, name: str) -> PluginError:
    value = getattr(event, name)
    shown = repr(value) if isinstance(value, str | int | Usage) else f"a {type(value).__name__}"
    return PluginError(f"the plugin made {type(event).__name__} with {name}={shown[:200]}")


def _part(slot: _Slot) -> Part:
    if slot.part is not None:
        whole: Any = slot.part
        kept: Part = whole if slot.state is None else replace(whole, state=slot.state)
        return kept
    text = slot.pieces[0] if len(slot.pieces) == 1 else "".join(slot.pieces)
    if slot.kind is Text:
        return Text(text, None, slot.state)
    if slot.kind is not ToolCall:
        return Reasoning(text, slot.state)  # a state without any text is a thought that is not shown
    return ToolCall(*slot.tool, text or "{}", None, slot.state)


def events_of(completion: Completion) -> list[Event]:
    """A completion as the events it could have been made of: for answers that come from a cache or a middleware."""
    events: list[Event] = [Started(completion.id, completion.model)]
    for index, part in enumerate(completion.parts):
        if getattr(part, "cache", None) is not None:  # no delta carries the hint
            events.append(PartAdded(index, part))
            continue
        if type(part) is Text:
            events.append(TextDelta(index, part.text))
        elif type(part) is Reasoning:
            events.append(ReasoningDelta(index, part.text))
        elif type(part) is ToolCall and part.arguments:
            events += (ToolCallStarted(index, part.id, part.name), ToolCallDelta(index, part.arguments))
        else:
            events.append(PartAdded(index, part))
            continue
        if part.state is not None:
            events.append(StateAttached(index, part.state))
    events.append(UsageReported(completion.usage))
    if completion.finish_reason is not None:
        events.append(Finished(completion.finish_reason, completion.raw_finish_reason))
    return events
