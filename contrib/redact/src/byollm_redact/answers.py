"""The values back in answers: event by event, also where a placeholder is split over several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from byollm.plugin import (
    Citation,
    Event,
    Finished,
    Part,
    PartAdded,
    Reasoning,
    ReasoningDelta,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from byollm_redact.session import Session


class Restorer:
    """A function of events. `structured`: the answer is JSON, so values go into its strings escaped."""

    def __init__(self, session: Session, *, structured: bool = False) -> None:
        self._session = session
        self._structured = structured
        self._rest: dict[tuple[type, int], str] = {}

    def __call__(self, event: Event) -> Sequence[Event]:
        """One event as the caller sees it: none while it may be the beginning of a placeholder, or several."""
        kind = type(event)
        if kind is TextDelta or kind is ReasoningDelta or kind is ToolCallDelta:
            return self._delta(event)
        if isinstance(event, Started):
            self._rest.clear()
        elif isinstance(event, Finished):
            return [*self._flushed(), event]
        elif isinstance(event, PartAdded):
            return [replace(event, part=self.part(event.part))]
        return (event,)

    def part(self, part: Part) -> Part:
        """A whole part with the values back in it."""
        if isinstance(part, Text):
            return replace(part, text=self._session.restore(part.text, in_json=self._structured))
        if isinstance(part, Reasoning):
            return replace(part, text=self._session.restore(part.text))
        if isinstance(part, ToolCall):
            return replace(part, arguments=self._session.restore(part.arguments, in_json=True))
        if isinstance(part, Citation):
            return replace(part, cited_text=part.cited_text and self._session.restore(part.cited_text))
        return part

    def _delta(self, event: Any) -> Sequence[Event]:
        kind = type(event)
        place = (kind, event.index)
        new = event.arguments if kind is ToolCallDelta else event.text
        text = self._rest.pop(place, "") + new
        held = self._session.held(text)
        if held:
            self._rest[place] = text[len(text) - held :]
            text = text[: len(text) - held]
        return [kind(event.index, self._restored(kind, text))] if text or not new else ()

    def _flushed(self) -> list[Event]:
        rest, self._rest = self._rest, {}
        return [kind(index, self._restored(kind, text)) for (kind, index), text in rest.items()]

    def _restored(self, kind: type, text: str) -> str:
        in_json = kind is ToolCallDelta or (kind is TextDelta and self._structured)
        return self._session.restore(text, in_json=in_json)
