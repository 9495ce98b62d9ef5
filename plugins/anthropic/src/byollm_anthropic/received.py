"""Content blocks as they arrive: each kind turns its pieces into events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import (
    Citation,
    Event,
    PartAdded,
    ProtocolError,
    ReasoningDelta,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    checked,
    dump_json,
    parse_json,
)
from byollm_anthropic.host import Host

_DIRECT: Final = {"type": "direct"}
"""`caller` of an ordinary tool call: the default, said aloud."""


class Block:
    """A block that has no neutral form: collected, and added whole."""

    __slots__ = ("data", "host", "index", "pieces")

    def __init__(self, index: int, wire: Mapping[str, Any], host: Host) -> None:
        self.index = index
        self.host = host
        self.data = dict(wire)
        self.pieces: list[str] = []

    def start(self) -> list[Event]:
        """What the beginning tells."""
        return []

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """One more piece: texts grow, other fields are replaced; a compaction comes whole."""
        kind = delta.get("type")
        if kind == "input_json_delta":
            self.pieces.append(checked.text(delta.get("partial_json"), "partial_json"))
            return []
        for name, value in delta.items():
            if name != "type":
                before = self.data.get(name) if kind != "compaction_delta" else None
                self.data[name] = before + value if isinstance(before, str) and isinstance(value, str) else value
        return []

    def stop(self) -> list[Event]:
        """What the end tells."""
        if self.pieces:
            self.data["input"] = _input("".join(self.pieces))
        return [PartAdded(self.index, self.host.state(self.data))]

    def rest(self, *known: str) -> dict[str, Any]:
        """The fields beyond the known ones, which go back as they came."""
        return {name: value for name, value in self.data.items() if name not in known and value is not None}


class TextBlock(Block):
    """Text, perhaps with citations."""

    __slots__ = ("citations", "length")

    def __init__(self, index: int, wire: Mapping[str, Any], host: Host) -> None:
        super().__init__(index, wire, host)
        self.length = 0
        found = wire.get("citations")
        self.citations = list(found) if isinstance(found, list) else []

    def start(self) -> list[Event]:
        """A whole message, and some servers, say the text at the beginning."""
        return self._more(checked.text(self.data.get("text"), "text"))

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """Text, or one citation."""
        kind = delta.get("type")
        if kind == "text_delta":
            return self._more(checked.text(delta.get("text"), "text"))
        if kind == "citations_delta":
            self.citations.append(checked.mapping(delta.get("citation"), "citation"))
            return []
        return _unknown(kind)

    def stop(self) -> list[Event]:
        """The citations, and whatever else the block holds, are its state."""
        state = self.rest("type", "text", "citations")
        if self.citations:
            state["citations"] = self.citations
        return [StateAttached(self.index, self.host.state(state))] if state and self.length else []

    def cited(self, index: int, offset: int) -> list[Event]:
        """The citations as parts from `index` on; this block's text begins at `offset` of the whole text."""
        span = (offset, offset + self.length)
        return [
            PartAdded(index + at, _citation(checked.mapping(wire, "citation"), span, self.host))
            for at, wire in enumerate(self.citations)
        ]

    def _more(self, piece: str) -> list[Event]:
        self.length += len(piece)
        return [TextDelta(self.index, piece)] if piece else []


class ThinkingBlock(Block):
    """Thinking with its signature. Newer models send the signature alone: the text is empty, the block is kept."""

    __slots__ = ("shown",)

    def start(self) -> list[Event]:
        """The beginning of the thought, where it is sent at once."""
        self.shown = False
        return self._more(checked.text(self.data.get("thinking"), "thinking"))

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """Thought, or the signature, which comes whole."""
        kind = delta.get("type")
        if kind == "thinking_delta":
            return self._more(checked.text(delta.get("thinking"), "thinking"))
        if kind == "signature_delta":
            self.data["signature"] = checked.text(delta.get("signature"), "signature")
            return []
        return _unknown(kind)

    def stop(self) -> list[Event]:
        """A signature is the state; without one the thought cannot go back."""
        if not checked.text(self.data.get("signature"), "signature"):
            return []
        begun: list[Event] = [] if self.shown else [ReasoningDelta(self.index, "")]
        return [*begun, StateAttached(self.index, self.host.state(self.rest("type", "thinking")))]

    def _more(self, piece: str) -> list[Event]:
        self.shown = self.shown or bool(piece)
        return [ReasoningDelta(self.index, piece)] if piece else []


class ToolUseBlock(Block):
    """A call of one of the caller's tools."""

    __slots__ = ("names",)

    def __init__(self, index: int, wire: Mapping[str, Any], host: Host, names: Mapping[str, str]) -> None:
        super().__init__(index, wire, host)
        self.names = names

    def start(self) -> list[Event]:
        """Id and name; the name as the caller wrote it."""
        name = checked.text(self.data.get("name"), "tool_use.name")
        identity = checked.text(self.data.get("id"), "tool_use.id")
        if not name or not identity:
            raise ProtocolError("a tool call has no name or no id")
        return [ToolCallStarted(self.index, identity, self.names.get(name, name))]

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """A piece of the arguments, passed on as it came."""
        if delta.get("type") != "input_json_delta":
            return _unknown(delta.get("type"))
        piece = checked.text(delta.get("partial_json"), "partial_json")
        if not piece:
            return []
        self.pieces.append(piece)
        return [ToolCallDelta(self.index, piece)]

    def stop(self) -> list[Event]:
        """Arguments that came whole are written compactly; none at all are `{}`."""
        events: list[Event] = []
        if not self.pieces:
            arguments = checked.mapping(self.data.get("input") or {}, "tool_use.input")
            events.append(ToolCallDelta(self.index, dump_json(arguments).decode()))
        state = self.rest("type", "id", "name", "input")
        if state.get("caller") == _DIRECT:
            del state["caller"]
        return [*events, StateAttached(self.index, self.host.state(state))] if state else events


def new_block(index: int, wire: Mapping[str, Any], host: Host, names: Mapping[str, str]) -> Block:
    """The block for a `content_block`. Raises ProtocolError when it has no type."""
    kind = wire.get("type")
    if not isinstance(kind, str) or not kind:
        raise ProtocolError("a content block has no type")
    if kind == "tool_use":
        return ToolUseBlock(index, wire, host, names)
    return {"text": TextBlock, "thinking": ThinkingBlock}.get(kind, Block)(index, wire, host)


_DELTAS: Final = ("text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta")


def _unknown(kind: Any) -> list[Event]:
    if kind in _DELTAS:
        raise ProtocolError(f"a {kind} came for another kind of block")
    return []  # a kind of delta that is yet to come


def _input(pieces: str) -> Any:
    """A server tool's input. Cut off by max_tokens it is no JSON: the text is kept then, as nothing may be lost."""
    if not pieces.strip():
        return {}
    try:
        return parse_json(pieces)
    except ValueError:
        return pieces


def _citation(wire: Mapping[str, Any], span: tuple[int, int], host: Host) -> Citation:
    def word(name: str) -> str | None:
        value = wire.get(name)
        return value if isinstance(value, str) else None

    title = word("title") or word("document_title") or word("source")
    return Citation(word("cited_text"), word("url"), title, *span, host.state(dict(wire)))
