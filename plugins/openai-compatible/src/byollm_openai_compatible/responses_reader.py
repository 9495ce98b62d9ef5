"""Responses answers as events: one reader for a response object and for the events that build it.

A part's index is its place in the wire's own order: item, then content part. Texts, arguments and thoughts are given
out as they come; ids, phases, signatures and sources when their item is finished, so that a stream and a document
agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Event,
    Finished,
    Frame,
    Head,
    ProtocolError,
    Reader,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from byollm_openai_compatible.errors import coded_error, in_band_error
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.responses_items import ITEM_WIDTH, Items
from byollm_openai_compatible.usage import responses_usage

TERMINAL: Final = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_HOSTILE: Final = (AttributeError, TypeError, KeyError, ValueError, IndexError, RecursionError, OverflowError)
_INCOMPLETE: Final[Mapping[str, Any]] = {"max_output_tokens": "length", "content_filter": "content_filter"}


def responses_reader(quirks: Quirks, provider: str, taken: Iterable[str] = ()) -> Callable[[Head], Reader[Event]]:
    """What an Exchange wants: a fresh reader for each response. `taken`: ids of the tool calls in the history."""
    ids = tuple(taken)
    return lambda head: ResponsesReader(quirks, provider, head, ids).read


class ResponsesReader:
    """Reads the frames of one response."""

    __slots__ = ("_done", "_head", "_items", "_quirks", "_started", "_unplaced")

    def __init__(self, quirks: Quirks, provider: str, head: Head, taken: Iterable[str] = ()) -> None:
        self._quirks = quirks
        self._head = head
        self._items = Items(provider, taken)
        self._started = False
        self._done = False
        self._unplaced: dict[str, int] = {}

    def read(self, frame: Frame) -> Iterable[Event]:
        """One event or object. Raises a ProviderError for an error in it, ProtocolError for what is neither."""
        try:
            return self._any(frame.event, frame.data)
        except _HOSTILE as error:
            problem = type(error).__name__
        raise ProtocolError(f"the answer is not shaped like a Responses answer ({problem})")

    def _any(self, event: str, data: Any) -> Iterable[Event]:
        if not isinstance(data, dict):
            raise ProtocolError("the answer is JSON, but not a Responses answer")
        if self._done:
            return ()
        kind = data.get("type") or event
        if data.get("object") == "response" or (not kind and "output" in data):
            events = self._start(data)
            self._finish(data, events)
            return events
        error = in_band_error(event, data, self._quirks, self._head)
        if error is not None:
            raise error
        if not str(kind).startswith("response."):
            return ()
        if kind == "response.output_text.delta" and self._started:
            return self._text(data)
        events = self._start(data.get("response") or {})
        if kind in TERMINAL:
            self._finish(data["response"], events)
        else:
            events += self._event(kind, data)
        return events

    def _start(self, response: Mapping[str, Any]) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Started(_word(response.get("id")), _word(response.get("model")))]

    def _event(self, kind: str, data: Mapping[str, Any]) -> Iterable[Event]:
        if kind == "response.output_text.delta":
            return self._text(data)
        if kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            return self._thought(kind, data)
        if kind in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
            return self._arguments(data)
        if kind == "response.output_item.added":
            return self._items.added(self._place(data), data["item"])
        if kind == "response.output_item.done":
            return self._items.finished(self._place(data), data["item"])
        return ()

    def _place(self, data: Mapping[str, Any]) -> int:
        """Where an item stands. llama.cpp sends no `output_index`: its items are told apart by their ids."""
        place = data.get("output_index")
        if type(place) is int and place >= 0:
            return place
        id = data.get("item_id") or (data.get("item") or {}).get("id")
        return self._unplaced.setdefault(id, len(self._unplaced)) if isinstance(id, str) else 0

    def _text(self, data: Mapping[str, Any]) -> Iterable[Event]:
        text = data["delta"]
        if not text:
            return ()
        if type(text) is not str:
            raise ProtocolError("a text delta is not text")
        index = self._place(data) * ITEM_WIDTH + (data.get("content_index") or 0)
        self._items.said(index, text)
        return (TextDelta(index, text),)

    def _thought(self, kind: str, data: Mapping[str, Any]) -> Iterable[Event]:
        index = self._place(data) * ITEM_WIDTH
        number = data.get("summary_index") if "summary" in kind else data.get("content_index")
        text = self._items.thought(index, kind, number or 0, str(data.get("delta") or ""))
        return (ReasoningDelta(index, text),) if text else ()

    def _arguments(self, data: Mapping[str, Any]) -> Iterable[Event]:
        index, piece = self._place(data) * ITEM_WIDTH, str(data.get("delta") or "")
        return (ToolCallDelta(index, piece),) if self._items.argued(index, piece) else ()

    def _finish(self, response: Mapping[str, Any], events: list[Event]) -> None:
        status = response.get("status")
        if response.get("error") or status == "failed":
            raise coded_error(response.get("error"), self._quirks, self._head)
        if status in ("queued", "in_progress"):
            raise ProtocolError(f"the response is {status}: byollm does not wait for background answers")
        # A whole object; a stream that sends no item events; an item that its stream began and never ended.
        events += self._items.rest(response.get("output") or ())
        usage = response.get("usage")
        if isinstance(usage, dict) and usage:
            events.append(UsageReported(responses_usage(usage, response)))
        events.append(self._ended(status, response))
        self._done = True

    def _ended(self, status: Any, response: Mapping[str, Any]) -> Finished:
        if status == "incomplete":
            reason = (response.get("incomplete_details") or {}).get("reason")
            return Finished(_INCOMPLETE.get(reason or "", "other"), reason or status)
        if status not in ("completed", None):
            return Finished("other", str(status))
        if self._items.calls:
            return Finished("tool_calls", status)
        return Finished("refusal" if self._items.refused else "stop", status)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
