"""Answers of Converse: a whole document and a stream of events, read by the same rules into the same events.

A block's index is its part's index. Texts have no beginning of their own in a stream. Citations become parts behind all
blocks and stay in the state of the text they belong to. `messageStop` ends an answer; the usage comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Event, Finished, Frame, Head, ProtocolError, Started, TextDelta, UsageReported, checked
from byollm_bedrock.failure import hidden, raised
from byollm_bedrock.finish import neutral
from byollm_bedrock.received import Block, CallBlock, TextBlock, block_of
from byollm_bedrock.state import HOME, Home
from byollm_bedrock.usage import neutral_usage

BESIDE: Final = ("additionalModelResponseFields", "trace", "performanceConfig", "serviceTier")
"""What stands beside the usage and has no neutral name."""


class ConverseReader:
    """Reads one answer, frame by frame. Made anew for each response. Converse gives an answer no id."""

    __slots__ = ("_beside", "_blocks", "_closed", "_head", "_home", "_names", "_open", "_started", "_texts", "_usage")

    def __init__(self, head: Head, names: Mapping[str, str], home: Home = HOME) -> None:
        self._home = home
        self._head = head
        self._names = names
        self._started = False
        self._closed = False
        self._blocks: dict[int, Block] = {}
        self._open: dict[int, Block] = {}
        self._texts: dict[int, TextBlock] = {}
        self._usage: dict[str, Any] = {}
        self._beside: dict[str, Any] = {}

    def __call__(self, frame: Frame) -> list[Event]:
        """The events of one frame. Raises the provider's error when it is one, ProtocolError when it is broken."""
        name, data, headers = frame
        if type(data) is not dict:
            raise ProtocolError("the answer holds a frame that is not an object")
        if name == "contentBlockDelta":
            # The one event that comes once a token: a text that is open is served at once.
            index, piece = data.get("contentBlockIndex"), data.get("delta")
            block = self._texts.get(index) if type(index) is int else None
            if block is not None and type(piece) is dict and len(piece) == 1 and type(piece.get("text")) is str:
                said = piece["text"]
                block.length += len(said)
                return [TextDelta(block.index, said)] if said else []
        if headers is not None and headers.get(":message-type") in ("exception", "error"):
            raise raised(name, {"message": headers.get(":error-message"), **data})
        if not name and len(data) == 1:
            name, data = _named(data)
        handler = _HANDLERS.get(name)
        if handler is None:
            return []  # what is yet to come
        events: list[Event] = handler(self, data)
        return events

    def _document(self, data: Mapping[str, Any]) -> list[Event]:
        output = data.get("output")
        if output is None or data.get("stopReason") is None:
            raise hidden(self._head.headers, data) or ProtocolError("the answer is no message of Converse")
        message = checked.mapping(checked.mapping(output, "output").get("message"), "output.message")
        content = message.get("content")
        if not isinstance(content, list):
            raise ProtocolError("the message has no list of content")
        events: list[Event] = [*self._start({})]
        for index, wire in enumerate(content):
            block = self._begin(index, checked.mapping(wire, "a content block"))
            events += block.start()
            events += self._end(index)
        return [*events, *self._metadata(data, report=False), *self._stop(data), *self._report()]

    def _start(self, data: Mapping[str, Any]) -> list[Event]:
        if self._started:
            raise ProtocolError("a second message began inside the answer")
        self._started = True
        return [Started()]

    def _implied(self) -> list[Event]:
        """Some recorded streams come without their messageStart."""
        return [] if self._started else self._start({})

    def _begin(self, index: int, wire: Mapping[str, Any]) -> Block:
        if self._closed:
            raise ProtocolError("a content block came after the end of the message")
        if index in self._blocks:
            raise ProtocolError(f"content block {index} began twice")
        block = self._blocks[index] = self._open[index] = block_of(index, wire, self._home, self._names)
        if isinstance(block, TextBlock):
            self._texts[index] = block
        return block

    def _block_start(self, data: Mapping[str, Any]) -> list[Event]:
        index = checked.position(data.get("contentBlockIndex"), "contentBlockIndex")
        return self._implied() + self._begin(index, checked.mapping(data.get("start") or {}, "start")).start()

    def _delta(self, data: Mapping[str, Any]) -> list[Event]:
        index = checked.position(data.get("contentBlockIndex"), "contentBlockIndex")
        delta = checked.mapping(data.get("delta"), "delta")
        block = self._open.get(index)
        events = self._implied()
        if block is None:
            if index in self._blocks:
                raise ProtocolError(f"more of content block {index} came after its end")
            block = self._begin(index, dict.fromkeys(delta))
            events += block.start()
        return [*events, *block.delta(delta)]

    def _block_stop(self, data: Mapping[str, Any]) -> list[Event]:
        index = checked.position(data.get("contentBlockIndex"), "contentBlockIndex")
        if index not in self._blocks:  # an empty text: nothing was said of it before
            return self._implied() + self._begin(index, {}).start() + self._end(index)
        return self._end(index)

    def _end(self, index: int) -> list[Event]:
        block = self._open.pop(index, None)
        if block is None:
            raise ProtocolError(f"content block {index} ended twice")
        self._texts.pop(index, None)
        return block.stop()

    def _stop(self, data: Mapping[str, Any]) -> list[Event]:
        raw = checked.text(data.get("stopReason"), "stopReason")
        if not self._started or self._closed or not raw:
            raise ProtocolError("messageStop came outside of the message, or without a reason")
        self._closed = True
        events: list[Event] = []
        for index in sorted(self._open):
            events += self._end(index)
        behind, offset, cited = max(self._blocks, default=-1) + 1, 0, 0
        for index in sorted(self._blocks):
            block = self._blocks[index]
            if isinstance(block, TextBlock):
                parts = block.cited(behind + cited, offset)
                cited, offset = cited + len(parts), offset + block.length
                events += parts
        told = data.get("additionalModelResponseFields")
        if told:
            self._beside["additionalModelResponseFields"] = told
        called = any(isinstance(block, CallBlock) for block in self._blocks.values())
        return [*events, Finished(neutral(raw, called), raw)]

    def _metadata(self, data: Mapping[str, Any], *, report: bool = True) -> list[Event]:
        """Counts and what stands beside them. They come after the end of the message."""
        if data.get("usage") is not None:
            self._usage.update(checked.mapping(data["usage"], "usage"))
        self._beside.update({name: data[name] for name in BESIDE if data.get(name)})
        return self._report() if report else []

    def _report(self) -> list[Event]:
        if not self._started:
            raise ProtocolError("the answer's metadata came before its message")
        return [UsageReported(neutral_usage(self._usage, self._beside))] if self._usage or self._beside else []


def _named(data: dict[str, Any]) -> tuple[str, Any]:
    """Recorders and InvokeModel write an event as `{name: payload}`. Raises the error that a name tells of."""
    name, inner = next(iter(data.items()))
    if not isinstance(inner, dict) or name == "output":
        return "", data
    if name.endswith("Exception"):
        raise raised(name, inner)
    return name, inner


_HANDLERS: Final[dict[str, Any]] = {
    "": ConverseReader._document,
    "messageStart": ConverseReader._start,
    "contentBlockStart": ConverseReader._block_start,
    "contentBlockDelta": ConverseReader._delta,
    "contentBlockStop": ConverseReader._block_stop,
    "messageStop": ConverseReader._stop,
    "metadata": ConverseReader._metadata,
}
