"""Answers: a whole message and a stream of events, read by the same rules into the same events.

A block's index is its part's index. Citations become parts of their own behind all blocks, once their number is known,
and stay in the state of the text they belong to, which goes back to Claude as it came. Nothing is finished before
`message_stop` (a whole message: before its `stop_reason`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Event, Finished, FinishReason, Frame, ProtocolError, Started, UsageReported, checked
from byollm_anthropic.failure import raised
from byollm_anthropic.host import Host
from byollm_anthropic.received import Block, TextBlock, ToolUseBlock, new_block
from byollm_anthropic.usage import neutral_usage

REASONS: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
"""Everything else is `other`: `pause_turn` (send the turn back as it is), `compaction`, and what is yet to come."""
_BESIDE: Final = ("stop_sequence", "stop_details", "container", "context_management")


class MessageReader:
    """Reads one answer, frame by frame. Made anew for each response."""

    __slots__ = ("_beside", "_blocks", "_closed", "_host", "_names", "_open", "_started", "_stop", "_usage")

    def __init__(self, host: Host, names: Mapping[str, str]) -> None:
        self._host = host
        self._names = names
        self._started = False
        self._closed = False
        self._open: dict[int, Block] = {}
        self._blocks: dict[int, Block] = {}
        self._usage: dict[str, Any] = {}
        self._beside: dict[str, Any] = {}
        self._stop: str | None = None

    def __call__(self, frame: Frame) -> list[Event]:
        """The events of one frame. Raises the provider's error when it is one, ProtocolError when it is broken."""
        data = frame.data
        if type(data) is not dict:
            raise ProtocolError("the answer holds a frame that is not an object")
        kind = data.get("type") or frame.event
        if kind == "content_block_delta":
            return self._delta(data)
        if not isinstance(kind, str):
            raise ProtocolError("the answer holds a frame whose type is not a text")
        if frame.event == "error" and kind != "error" and data.get("error") is None:
            data = {"error": data}  # llama.cpp sends the error's own members in place of the event's
            kind = "error"
        if kind == "error" or (data.get("error") is not None and kind not in _HANDLERS):
            raise raised(data)
        handler = _HANDLERS.get(kind)
        if handler is None:
            if not kind:
                raise ProtocolError("the answer is no message of this dialect")
            return []  # ping, and what is yet to come: new kinds of events are to be ignored
        if self._closed and kind != "message_delta":
            raise ProtocolError(f"{kind} came after the end of the answer")
        events: list[Event] = handler(self, data)
        return events

    def _message(self, data: Mapping[str, Any]) -> list[Event]:
        """A whole message: the same as its blocks started and stopped one after the other."""
        events = self._start(data)
        content = data.get("content")
        if not isinstance(content, list):
            raise ProtocolError("the message has no list of content")
        for index, block in enumerate(content):
            events += self._begin(index, checked.mapping(block, "a content block"))
            events += self._end(index)
        events += self._ending(data, None)
        return events + self._finish() if self._stop is not None else events

    def _message_start(self, data: Mapping[str, Any]) -> list[Event]:
        message = checked.mapping(data.get("message"), "message_start.message")
        events = self._start(message)
        self._merge(message.get("usage"))
        return [*events, UsageReported(neutral_usage(self._usage, {}))] if self._usage else events

    def _start(self, message: Mapping[str, Any]) -> list[Event]:
        if self._started:
            raise ProtocolError("a second message began inside the answer")
        self._started = True
        return [
            Started(
                checked.optional_text(message.get("id"), "id"), checked.optional_text(message.get("model"), "model")
            )
        ]

    def _block_start(self, data: Mapping[str, Any]) -> list[Event]:
        return self._begin(
            checked.position(data.get("index"), "index"), checked.mapping(data.get("content_block"), "content_block")
        )

    def _begin(self, index: int, wire: Mapping[str, Any]) -> list[Event]:
        # llama.cpp leaves message_start out when its first token is half a character (its server, tried 2026-11-21).
        events = [] if self._started else self._start({})
        if index in self._blocks:
            raise ProtocolError(f"content block {index} began twice")
        block = self._blocks[index] = self._open[index] = new_block(index, wire, self._host, self._names)
        return [*events, *block.start()]

    def _delta(self, data: Mapping[str, Any]) -> list[Event]:
        index = data.get("index")
        block = self._open.get(index) if type(index) is int else None
        if block is None:
            raise ProtocolError("a content_block_delta belongs to no open block")
        return block.delta(checked.mapping(data.get("delta"), "delta"))

    def _block_stop(self, data: Mapping[str, Any]) -> list[Event]:
        return self._end(checked.position(data.get("index"), "index"))

    def _end(self, index: int) -> list[Event]:
        block = self._open.pop(index, None)
        if block is None:
            raise ProtocolError(f"content block {index} ended without a beginning")
        return block.stop()

    def _message_delta(self, data: Mapping[str, Any]) -> list[Event]:
        return self._ending(checked.mapping(data.get("delta") or {}, "delta"), data)

    def _ending(self, ending: Mapping[str, Any], event: Mapping[str, Any] | None) -> list[Event]:
        if not self._started:
            raise ProtocolError("message_delta came before message_start")
        self._stop = checked.optional_text(ending.get("stop_reason"), "stop_reason") or self._stop
        for name in _BESIDE:
            value = ending.get(name) if event is None else ending.get(name, event.get(name))
            if value is not None:
                self._beside[name] = value
        self._merge(ending.get("usage") if event is None else event.get("usage"))
        if not self._usage and not self._beside:
            return []
        return [UsageReported(neutral_usage(self._usage, self._beside))]

    def _message_stop(self, data: Mapping[str, Any]) -> list[Event]:
        if self._stop is None:
            raise ProtocolError("the answer stopped without a stop_reason")
        events: list[Event] = []
        for index in sorted(self._open):
            events += self._end(index)
        return events + self._finish()

    def _finish(self) -> list[Event]:
        self._closed = True
        events: list[Event] = []
        behind = max(self._blocks, default=-1) + 1
        offset = 0
        for index in sorted(self._blocks):
            block = self._blocks[index]
            if isinstance(block, TextBlock):
                events += block.cited(behind + len(events), offset)
                offset += block.length
        raw = self._stop or ""
        called = any(isinstance(block, ToolUseBlock) for block in self._blocks.values())
        reason: FinishReason = "tool_calls" if called and raw == "end_turn" else REASONS.get(raw, "other")
        return [*events, Finished(reason, raw)]

    def _merge(self, wire: Any) -> None:
        """Usage is cumulative, and a field may be left out of a later report: the last known value of each wins."""
        if wire is not None:
            told = checked.mapping(wire, "usage")
            self._usage.update({name: value for name, value in told.items() if value is not None})


_HANDLERS: Final[dict[str, Any]] = {
    "message": MessageReader._message,
    "message_start": MessageReader._message_start,
    "content_block_start": MessageReader._block_start,
    "content_block_stop": MessageReader._block_stop,
    "message_delta": MessageReader._message_delta,
    "message_stop": MessageReader._message_stop,
}
