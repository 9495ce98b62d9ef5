"""Answers of `/api/chat` as events: one document, or a line of JSON for each piece, the one with `done` last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Event,
    Failure,
    Finished,
    FinishReason,
    Frame,
    Head,
    ProtocolError,
    ProviderError,
    Reader,
    ReasoningDelta,
    ServerError,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageReported,
    dump_json,
)

REASONING, TEXT, FIRST_CALL = 0, 1, 2
REASONS: Final[Mapping[str | None, FinishReason]] = {"stop": "stop", "length": "length"}
"""`done_reason`; servers before 2024-05 leave it out, and then nobody knows why they stopped: `other`."""
_NO_MODEL: Final = re.compile(r"\bmodel '[^']*' not found")
Fail = Callable[[Failure], ProviderError | None]


def native_reader(fail: Fail, taken: Iterable[str] = ()) -> Callable[[Head], Reader[Event]]:
    """What an Exchange wants: a fresh reader for each response. `taken`: ids of the tool calls in the history."""
    ids = frozenset(taken)
    return lambda head: NativeReader(fail, head, ids).read


class NativeReader:
    """Reads the lines of one response."""

    __slots__ = ("_calls", "_done", "_fail", "_head", "_started", "_taken")

    def __init__(self, fail: Fail, head: Head, taken: frozenset[str]) -> None:
        self._fail = fail
        self._head = head
        self._taken = set(taken)
        self._started = False
        self._done = False
        self._calls = 0

    def read(self, frame: Frame) -> list[Event]:
        """The events of one line. Raises the server's error when it is one, ProtocolError when it is broken."""
        data = frame.data
        if not isinstance(data, dict):
            raise ProtocolError("the answer holds a line that is not an object")
        if data.get("error"):
            raise self._error(data)
        if self._done:
            return []
        message = data.get("message")
        if not isinstance(message, dict) or "done" not in data:
            raise ProtocolError("the answer is no chat answer of Ollama")
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(None, data.get("model") if isinstance(data.get("model"), str) else None))
        self._message(message, events)
        if data["done"] is True:
            self._end(data, events)
        return events

    def _error(self, data: Mapping[str, Any]) -> ProviderError:
        told = data.get("status_code")
        status = told if type(told) is int else 404 if _NO_MODEL.search(str(data["error"])) else 500
        error = self._fail(Failure(status, {}, b"", data)) or ServerError(str(data["error"]))
        error.status = self._head.status
        return error

    def _message(self, message: Mapping[str, Any], events: list[Event]) -> None:
        for name, place, kind in (("thinking", REASONING, ReasoningDelta), ("content", TEXT, TextDelta)):
            text = message.get(name)
            if text is not None and not isinstance(text, str):
                raise ProtocolError(f"the message's {name} is not text")
            if text:
                events.append(kind(place, text))
        calls = message.get("tool_calls") or ()
        if not isinstance(calls, list | tuple):
            raise ProtocolError("the message's tool_calls are no list")
        for call in calls:
            events += self._call(call)

    def _call(self, call: Any) -> list[Event]:
        """A call comes whole. Old servers give no id, and none is ever used twice in a conversation."""
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            raise ProtocolError("the answer holds a tool call without a name")
        arguments = function.get("arguments")
        text = (
            arguments if isinstance(arguments, str) else dump_json(arguments if arguments is not None else {}).decode()
        )
        place, number = FIRST_CALL + self._calls, self._calls
        id = call.get("id") if isinstance(call.get("id"), str) else ""
        while not id or id in self._taken:
            id, number = f"call_{number}", number + 1
        self._taken.add(id)
        self._calls += 1
        return [ToolCallStarted(place, id, function["name"]), ToolCallDelta(place, text)]

    def _end(self, data: Mapping[str, Any], events: list[Event]) -> None:
        self._done = True
        read, written = _count(data, "prompt_eval_count"), _count(data, "eval_count")
        if read is not None or written is not None:
            events.append(UsageReported(Usage(input_tokens=read, output_tokens=written)))
        raw = data.get("done_reason")
        word = raw if isinstance(raw, str) else None
        reason = REASONS.get(word, "other")
        events.append(Finished("tool_calls" if self._calls and reason == "stop" else reason, word))


def _count(data: Mapping[str, Any], name: str) -> int | None:
    """A count; the server leaves `prompt_eval_count` out when its cache held the whole prompt."""
    value = data.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 10**15:
        raise ProtocolError(f"{name} is no count")
    return value
