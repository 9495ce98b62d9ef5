"""Content blocks of Converse as they arrive: each kind turns its pieces into events."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import (
    Citation,
    Event,
    Image,
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
from byollm_bedrock.state import Home

_KINDS: Final = ("text", "toolUse", "reasoningContent", "citation", "citationsContent", "image", "toolResult")


class Block:
    """A block that has no neutral form: collected, and added whole. `wire` is the block, or its beginning."""

    __slots__ = ("data", "home", "index")

    def __init__(self, index: int, wire: Mapping[str, Any], home: Home) -> None:
        self.index = index
        self.home = home
        self.data = dict(wire)

    def start(self) -> list[Event]:
        """What the beginning tells."""
        return []

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """One more piece: lists and texts grow, what is new is added."""
        for kind, piece in delta.items():
            listed = kind == "toolResult" and isinstance(piece, list)
            self.data[kind] = _grown(self.data.get(kind), {"content": piece} if listed else piece)
        return []

    def stop(self) -> list[Event]:
        """What the end tells. A call of the server's own comes as JSON text in pieces, and goes back as a document."""
        call = self.data.get("toolUse")
        if isinstance(call, Mapping) and isinstance(call.get("input", ""), str):
            self.data["toolUse"] = {**call, "input": _document(call.get("input", ""))}
        return [PartAdded(self.index, self.home.state(self.data))] if self.data else []


class TextBlock(Block):
    """Text, perhaps with citations; cited text comes as `citationsContent` in a whole answer."""

    __slots__ = ("citations", "length")

    def __init__(self, index: int, wire: Mapping[str, Any], home: Home) -> None:
        super().__init__(index, wire, home)
        self.length = 0
        self.citations: list[Any] = []

    def start(self) -> list[Event]:
        """A whole answer says it all at once."""
        said = self.data.get("text")
        cited = self.data.get("citationsContent")
        if cited is not None:
            wire = checked.mapping(cited, "citationsContent")
            self.citations = _list(wire.get("citations"), "citations")
            pieces = _list(wire.get("content"), "citationsContent.content")
            said = "".join(checked.text(checked.mapping(piece, "a cited text").get("text"), "text") for piece in pieces)
        return self._more(checked.text(said, "text"))

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """Text, or one citation."""
        if "citation" in delta:
            self.citations.append(checked.mapping(delta["citation"], "citation"))
            return []
        if "text" not in delta:
            return _unknown(delta)
        return self._more(checked.text(delta["text"], "text"))

    def stop(self) -> list[Event]:
        """The citations are its state, with which it goes back."""
        held = self.citations and self.length
        return [StateAttached(self.index, self.home.state({"citations": self.citations}))] if held else []

    def cited(self, index: int, offset: int) -> list[Event]:
        """The citations as parts from `index` on; this block's text begins at `offset` of the whole text."""
        span = (offset, offset + self.length)
        return [
            PartAdded(index + at, _citation(checked.mapping(wire, "citation"), span, self.home))
            for at, wire in enumerate(self.citations)
        ]

    def _more(self, piece: str) -> list[Event]:
        self.length += len(piece)
        return [TextDelta(self.index, piece)] if piece else []


class ThoughtBlock(Block):
    """Reasoning with its signature, or what was redacted of it."""

    __slots__ = ("kept", "redacted", "shown")

    def __init__(self, index: int, wire: Mapping[str, Any], home: Home) -> None:
        super().__init__(index, wire, home)
        self.kept: dict[str, str] = {}
        self.redacted: list[str] = []
        self.shown = False

    def start(self) -> list[Event]:
        """A whole answer says it all at once."""
        wire = self.data.get("reasoningContent")
        if wire is None:
            return []
        content = dict(checked.mapping(wire, "reasoningContent"))
        inner = content.pop("reasoningText", None)
        return self._take({**content, **(checked.mapping(inner, "reasoningText") if inner is not None else {})})

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """Thought, signature, or a piece of what was redacted."""
        if "reasoningContent" not in delta:
            return _unknown(delta)
        return self._take(checked.mapping(delta["reasoningContent"], "reasoningContent"))

    def stop(self) -> list[Event]:
        """Without a signature the thought cannot go back."""
        self.kept["redactedContent"] = joined(self.redacted)
        kept = {name: value for name, value in self.kept.items() if value}
        if not kept:
            return []
        begun: list[Event] = [] if self.shown else [ReasoningDelta(self.index, "")]
        return [*begun, StateAttached(self.index, self.home.state(kept))]

    def _take(self, wire: Mapping[str, Any]) -> list[Event]:
        if wire.get("signature") is not None:
            self.kept["signature"] = self.kept.get("signature", "") + checked.text(wire["signature"], "signature")
        if wire.get("redactedContent") is not None:
            piece = checked.text(wire["redactedContent"], "redactedContent")
            self.redacted.append(piece)
        piece = checked.text(wire.get("text"), "reasoningContent.text")
        self.shown = self.shown or bool(piece)
        return [ReasoningDelta(self.index, piece)] if piece else []


class CallBlock(Block):
    """A call of one of the caller's tools. In a stream its input is JSON text in pieces."""

    __slots__ = ("names", "said", "wire")

    def __init__(self, index: int, wire: Mapping[str, Any], home: Home, names: Mapping[str, str]) -> None:
        super().__init__(index, wire, home)
        self.wire = checked.mapping(wire.get("toolUse"), "toolUse")
        self.names = names
        self.said = False

    def start(self) -> list[Event]:
        """Id and name, the name as the caller wrote it; a whole answer says the input, too."""
        name, identity = (
            checked.text(self.wire.get("name"), "toolUse.name"),
            checked.text(self.wire.get("toolUseId"), "toolUseId"),
        )
        if not name or not identity:
            raise ProtocolError("a tool call has no name or no id")
        events: list[Event] = [ToolCallStarted(self.index, identity, self.names.get(name, name))]
        return events + self._more(self.wire.get("input"))

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """A piece of the input, passed on as it came."""
        if "toolUse" not in delta:
            return _unknown(delta)
        return self._more(checked.mapping(delta["toolUse"], "toolUse").get("input"))

    def stop(self) -> list[Event]:
        """No input at all is `{}`."""
        return [] if self.said else [ToolCallDelta(self.index, "{}")]

    def _more(self, piece: Any) -> list[Event]:
        if piece is None or piece == "":
            return []
        self.said = True
        return [ToolCallDelta(self.index, piece if isinstance(piece, str) else dump_json(piece).decode())]


class ImageBlock(Block):
    """An image that the model made; its bytes come in one piece or in several."""

    __slots__ = ("pieces",)

    def __init__(self, index: int, wire: Mapping[str, Any], home: Home) -> None:
        super().__init__(index, wire, home)
        self.pieces: list[str] = []

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """One more piece, the bytes of each in base64 for itself."""
        image = delta.get("image")
        source = image.get("source") if isinstance(image, Mapping) else None
        if isinstance(image, Mapping) and isinstance(source, Mapping) and isinstance(source.get("bytes"), str):
            self.pieces.append(source["bytes"])
            delta = {**delta, "image": {**image, "source": {**source, "bytes": ""}}}
        return super().delta(delta)

    def stop(self) -> list[Event]:
        """A picture, or what stood in its place (an error, an address)."""
        wire = checked.mapping(self.data.get("image"), "image")
        source = wire.get("source")
        data = source.get("bytes") if isinstance(source, Mapping) else None
        kind = f"image/{checked.text(wire.get('format'), 'image.format') or 'png'}"
        if not isinstance(data, str):
            return [PartAdded(self.index, self.home.state(self.data))]
        data = joined([data, *self.pieces]) if self.pieces else data
        return [PartAdded(self.index, Image(f"data:{kind};base64,{data}", kind))]


def block_of(index: int, wire: Mapping[str, Any], home: Home, names: Mapping[str, str]) -> Block:
    """The block that this is, or begins. One without a beginning is told by its first piece, else it is a text."""
    if "toolUse" in wire:
        call = wire["toolUse"]
        theirs = isinstance(call, Mapping) and call.get("type") == "server_tool_use"
        return Block(index, wire, home) if theirs else CallBlock(index, wire, home, names)
    if "reasoningContent" in wire:
        return ThoughtBlock(index, wire, home)
    if "image" in wire:
        return ImageBlock(index, wire, home)
    if not wire or wire.keys() & {"text", "citation", "citationsContent"}:
        return TextBlock(index, wire, home)
    return Block(index, wire, home)


def _citation(wire: Mapping[str, Any], span: tuple[int, int], home: Home) -> Citation:
    told = wire.get("sourceContent")
    pieces = [piece.get("text") for piece in told if isinstance(piece, Mapping)] if isinstance(told, list) else []
    quoted = "".join(piece for piece in pieces if isinstance(piece, str))
    place = wire.get("location")
    web = place.get("web") if isinstance(place, Mapping) else None
    url = web.get("url") if isinstance(web, Mapping) else None
    title = wire.get("title") or wire.get("source")
    return Citation(
        quoted or None,
        url if isinstance(url, str) else None,
        title if isinstance(title, str) else None,
        *span,
        home.state(dict(wire)),
    )


def joined(pieces: list[str]) -> str:
    """Pieces of base64 as one: each may end with its own padding. Raises ProtocolError for what is none."""
    if not any(piece.endswith("=") for piece in pieces[:-1]):
        return "".join(pieces)
    try:
        return b64encode(b"".join([b64decode(piece, validate=True) for piece in pieces])).decode()
    except ValueError:
        problem = "bytes in the answer are not base64"
    raise ProtocolError(problem)


def _document(pieces: str) -> Any:
    """The input of a server's own call. Cut off it is no JSON: the text is kept then, as nothing may be lost."""
    if not pieces.strip():
        return {}
    try:
        return parse_json(pieces)
    except ValueError:
        return pieces


def _list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ProtocolError(f"{what} is not a list")
    return list(value)


def _grown(before: Any, piece: Any) -> Any:
    if isinstance(before, Mapping) and isinstance(piece, Mapping):
        more = {name: _grown(before.get(name), value) for name, value in piece.items()}
        return {**before, **more}
    if (isinstance(before, str) and isinstance(piece, str)) or (isinstance(before, list) and isinstance(piece, list)):
        return before + piece  # type: ignore[operator]  # two of one kind
    return piece


def _unknown(delta: Mapping[str, Any]) -> list[Event]:
    known = [kind for kind in delta if kind in _KINDS]
    if known:
        raise ProtocolError(f"a piece of {known[0]} came for another kind of block")
    return []  # a kind of piece that is yet to come
