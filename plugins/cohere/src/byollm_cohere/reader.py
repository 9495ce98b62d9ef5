"""Answers of `/v2/chat` as events: one document, or its own events, `message-end` the last that counts.

The order of parts is fixed, so that a stream and a document come to the same completion: the plan for the tools, the
blocks of the content, the calls, the citations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Citation,
    Event,
    Finished,
    FinishReason,
    Frame,
    Head,
    Opaque,
    PartAdded,
    ProtocolError,
    Reader,
    ReasoningDelta,
    Started,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageReported,
)
from byollm_cohere.failure import carried_error
from byollm_cohere.messages import TRANSPORT

PLAN, FIRST_BLOCK, FIRST_CALL, FIRST_CITATION = 0, 1, 1_000, 1_000_000
REASONS: Final[Mapping[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "length",
}
"""cohere 7.3.1's words, and two that version 1 had; everything else is `other`."""
_MOST: Final = 10**15
_HOSTILE: Final = (AttributeError, TypeError, KeyError, ValueError, IndexError, RecursionError, OverflowError)


def chat_reader(provider: str, taken: Iterable[str] = ()) -> Callable[[Head], Reader[Event]]:
    """What an Exchange wants: a fresh reader for each response. `taken`: ids of the tool calls in the history."""
    ids = frozenset(taken)
    return lambda head: ChatReader(provider, head, ids).read


class ChatReader:
    """Reads the frames of one response."""

    __slots__ = ("_calls", "_cited", "_ended", "_head", "_kinds", "_provider", "_said", "_started", "_taken", "_whole")

    def __init__(self, provider: str, head: Head, taken: frozenset[str]) -> None:
        self._provider = provider
        self._head = head
        self._taken = set(taken)
        self._kinds: dict[int, str] = {}
        self._said: set[int] = set()
        self._whole: set[int] = set()
        self._calls: set[int] = set()
        self._cited = 0
        self._started = False
        self._ended = False

    def read(self, frame: Frame) -> Iterable[Event]:
        """One event or document. Raises a ProviderError for an error in it, ProtocolError for what is neither."""
        try:
            return self._any(frame)
        except _HOSTILE as error:
            problem = type(error).__name__
        raise ProtocolError(f"the answer is not shaped like an answer of Cohere's chat ({problem})")

    def _any(self, frame: Frame) -> list[Event]:
        data = frame.data
        if not isinstance(data, dict):
            raise ProtocolError("the answer is JSON, but not an answer of Cohere's chat")
        kind = data.get("type")
        if not isinstance(kind, str):
            return self._document(data)
        if self._ended:
            return []
        return self._event(kind, data)

    # a whole document

    def _document(self, data: Mapping[str, Any]) -> list[Event]:
        message = data.get("message")
        if not isinstance(message, dict):
            raise carried_error(data, self._head)
        events = self._start(data)
        self._plan(message.get("tool_plan"), events)
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or ()
        for index, block in enumerate(blocks):
            self._block(index, block, events)
        for index, call in enumerate(message.get("tool_calls") or ()):
            self._call(index, call, events)
        for citation in message.get("citations") or ():
            self._citation(citation, events)
        self._end(data, events)
        return events

    # events

    def _event(self, kind: str, data: Mapping[str, Any]) -> list[Event]:
        events = self._start(data)
        delta = data.get("delta") or {}
        message = delta.get("message") or {}
        if kind == "tool-plan-delta":
            self._plan(message["tool_plan"], events)
        elif kind in ("content-start", "content-delta"):
            self._block(data["index"], message["content"], events)
        elif kind in ("tool-call-start", "tool-call-delta"):
            self._call(data["index"], _one(message["tool_calls"]), events)
        elif kind == "citation-start":
            self._citation(_one(message["citations"]), events)
        elif kind == "message-end":
            self._end(delta, events)
        return events

    def _start(self, data: Mapping[str, Any]) -> list[Event]:
        if self._started:
            return []
        self._started = True
        id = data.get("id")
        return [Started(id if isinstance(id, str) and id else None, None)]

    def _plan(self, text: Any, events: list[Event]) -> None:
        if text:
            events.append(ReasoningDelta(PLAN, _text(text)))
            self._kinds[PLAN] = "tool_plan"
            self._said.add(PLAN)

    def _block(self, index: int, block: Any, events: list[Event]) -> None:
        place = FIRST_BLOCK + _position(index)
        if not isinstance(block, dict):
            raise TypeError("no block")
        kind = next((name for name in ("thinking", "text") if name in block), "other")
        if self._kinds.setdefault(place, kind) != kind or (kind == "other" and place in self._whole):
            raise ValueError("a block that is two")
        if kind == "other":
            self._whole.add(place)
            events.append(PartAdded(place, Opaque(self._provider, TRANSPORT, dict(block))))
        elif block[kind]:
            text = _text(block[kind])
            events.append(TextDelta(place, text) if kind == "text" else ReasoningDelta(place, text))
            self._said.add(place)

    def _call(self, index: int, call: Mapping[str, Any], events: list[Event]) -> None:
        place = FIRST_CALL + _position(index)
        function = call.get("function") or {}
        if place not in self._calls:
            name = function.get("name")
            if not isinstance(name, str) or not name:
                raise ProtocolError("the answer holds a tool call without a name")
            self._calls.add(place)
            events.append(ToolCallStarted(place, self._id(call.get("id"), place), name))
        arguments = function.get("arguments")
        if arguments:
            events.append(ToolCallDelta(place, _text(arguments)))

    def _id(self, told: Any, place: int) -> str:
        """The provider's id; another one where it told none, or one that the conversation has already."""
        id = told if isinstance(told, str) and told and told not in self._taken else f"call_{place - FIRST_CALL}"
        while id in self._taken:
            id += "x"
        self._taken.add(id)
        return id

    def _citation(self, told: Mapping[str, Any], events: list[Event]) -> None:
        sources = [source for source in told.get("sources") or () if isinstance(source, dict)]
        documents = (source.get("document") for source in sources)
        found: Mapping[str, Any] = next((document for document in documents if isinstance(document, dict)), {})
        in_text = told.get("type") in (None, "TEXT_CONTENT")
        part = Citation(
            cited_text=_word(found, "text") or _word(found, "snippet"),
            url=_word(found, "url"),
            title=_word(found, "title"),
            start=_offset(told.get("start")) if in_text else None,
            end=_offset(told.get("end")) if in_text else None,
            state=Opaque(self._provider, TRANSPORT, dict(told)),
        )
        events.append(PartAdded(FIRST_CITATION + self._cited, part))
        self._cited += 1

    def _end(self, data: Mapping[str, Any], events: list[Event]) -> None:
        usage = data.get("usage")
        if isinstance(usage, dict) and usage:
            events.append(UsageReported(usage_of(usage)))
        if data.get("error"):
            raise carried_error(data, self._head)
        raw = data.get("finish_reason")
        if raw is None:
            return
        for place, field in self._kinds.items():
            if field not in ("tool_plan", "thinking") or place not in self._said:
                continue
            events.append(StateAttached(place, Opaque(self._provider, TRANSPORT, {"field": field})))
        word = _text(raw)
        reason = REASONS.get(word, "other")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        self._ended = True
        events.append(Finished(reason, word))


def usage_of(told: Mapping[str, Any]) -> Usage:
    """`tokens` are what the model read and wrote, its own prompt around ours included; `billed_units` are a detail."""
    tokens, billed = told.get("tokens"), told.get("billed_units")
    counts: Mapping[str, Any] = tokens if isinstance(tokens, dict) else {}
    prompt, answer = _count(counts.get("input_tokens")), _count(counts.get("output_tokens"))
    reasoning, cached = _count(counts.get("reasoning_tokens")), _count(told.get("cached_tokens"))
    if answer is not None and reasoning is not None:
        answer = max(answer, reasoning)
    if prompt is not None and cached is not None:
        cached = min(prompt, cached)
    rest = {name: value for name, value in counts.items() if name not in _COUNTED and value}
    details = {**rest, **({"billed_units": billed} if isinstance(billed, dict) and billed else {})}
    return Usage(prompt, answer, cached, None, reasoning, details or None)


_COUNTED: Final = ("input_tokens", "output_tokens", "reasoning_tokens")


def _count(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _MOST else None


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _position(value: Any) -> int:
    if type(value) is not int or not 0 <= value < FIRST_CALL:
        raise ValueError("no position")
    return value


def _offset(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _word(holder: Mapping[str, Any], name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) and value else None
