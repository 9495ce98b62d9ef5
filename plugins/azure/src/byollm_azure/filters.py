"""What Azure's content filters report beside an answer, kept in `usage.details`.

A stream begins with a chunk that holds nothing but the report on the prompt; with the asynchronous filter, reports on
the answer come in chunks of their own, some after the finish reason (facts read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from byollm.plugin import Event, Frame, Head, Reader, Started, Usage, UsageReported

PROMPT: Final = "prompt_filter_results"
ANSWER: Final = "content_filter_results"
_OLD_PROMPT: Final = "prompt_annotations"


def with_reports(reader: Callable[[Head], Reader[Event]]) -> Callable[[Head], Reader[Event]]:
    """The same reader, with the filters' reports among its events."""
    return lambda head: _Reports(reader(head)).read


class _Reports:
    __slots__ = ("_new", "_read", "_started", "_told")

    def __init__(self, read: Reader[Event]) -> None:
        self._read = read
        self._new: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        self._started = False

    def read(self, frame: Frame) -> Iterable[Event]:
        """The inner reader's events; once the answer has started, also what the filters reported anew."""
        if isinstance(frame.data, Mapping):
            self._note(frame.data)
        events = self._read(frame)
        if not self._started:
            events = list(events)
            self._started = any(isinstance(event, Started) for event in events)
        if not (self._new and self._started):
            return events
        report = UsageReported(Usage(details=self._new))
        self._told, self._new = {**self._told, **self._new}, {}
        return [*events, report]

    def _note(self, data: Mapping[str, Any]) -> None:
        self._keep(PROMPT, data.get(PROMPT) or data.get(_OLD_PROMPT))
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, Mapping):
            self._keep(ANSWER, choice.get(ANSWER))

    def _keep(self, name: str, report: Any) -> None:
        if isinstance(report, Mapping | list) and report and report != self._told.get(name):
            self._new[name] = report
