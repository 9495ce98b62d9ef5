"""Bytes into frames: a whole JSON document, server-sent events, or one document a line.

A decoder is fed pieces as they arrive, cut anywhere, and answers the frames that became complete. Hostile bytes raise
`ProtocolError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from byollm.errors import ProtocolError
from byollm.wire.exchange import Frame, FramingName
from byollm.wire.json import parse_json

LINE_LIMIT: Final = 32 * 1024 * 1024
"""The most bytes one event or line may have; a made image in a stream stays well below."""
_DONE: Final = b"[DONE]"


class Decoder(Protocol):
    """Pieces in, frames out."""

    def feed(self, piece: bytes) -> list[Frame]:
        """The frames completed by this piece. Raises ProtocolError."""
        ...

    def end(self) -> list[Frame]:
        """The frames that the end of the body completes. Raises ProtocolError."""
        ...


class JsonDecoder:
    """The whole body is one document. Some servers send blank lines first to keep the connection alive."""

    __slots__ = ("_pieces", "document")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.document: Any = None

    def feed(self, piece: bytes) -> list[Frame]:
        """Keep it: a document is read when it is whole."""
        self._pieces.append(piece)
        return []

    def end(self) -> list[Frame]:
        """The document. Raises ProtocolError when there is none."""
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if not body.strip():
            raise ProtocolError("the answer's body is empty")
        self.document = _document(body)
        return [Frame("", self.document)]


class SseDecoder:
    """Server-sent events: CR, LF or CRLF, comments, multi-line data, a byte order mark, no blank line at the end."""

    __slots__ = ("_buffer", "_first", "_held")

    def __init__(self) -> None:
        self._buffer = b""
        self._first = True
        self._held = False

    def feed(self, piece: bytes) -> list[Frame]:
        """Events end at a blank line; the usual case, LF and one `data:` line, is a split and a slice."""
        if self._first:
            piece = self._without_mark(piece)
            if self._first:
                return []
        if b"\r" in piece or self._held:
            piece = self._plain(piece)
        buffer = self._buffer + piece if self._buffer else piece
        blocks = buffer.split(b"\n\n")
        self._buffer = blocks.pop()
        if len(self._buffer) > LINE_LIMIT:
            raise ProtocolError("one event of the stream is larger than any answer needs")
        frames: list[Frame] = []
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block:
                data = block[6:]
                if data != _DONE:
                    frames.append(Frame("", _document(data)))
            elif block:
                frame = _event(block)
                if frame is not None:
                    frames.append(frame)
        return frames

    def end(self) -> list[Frame]:
        """A stream may end without the last blank line: what is left is an event if it is a whole one."""
        rest, self._buffer = (self._buffer + (b"\n" if self._held else b"")).strip(b"\n"), b""
        if not rest:
            return []
        try:
            frame = _event(rest)
        except ProtocolError:
            frame = None  # an event cut in the middle: the missing terminal marker tells, not this
        return [frame] if frame is not None else []

    def _without_mark(self, piece: bytes) -> bytes:
        piece = self._buffer + piece
        self._buffer = b""
        if piece[:3] == b"\xef\xbb\xbf":
            self._first = False
            return piece[3:]
        if len(piece) < 3 and b"\xef\xbb\xbf".startswith(piece):
            self._buffer = piece
            return b""
        self._first = False
        return piece

    def _plain(self, piece: bytes) -> bytes:
        if self._held:
            piece, self._held = b"\r" + piece, False
        if piece.endswith(b"\r"):
            piece, self._held = piece[:-1], True
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class LineDecoder:
    """One JSON document a line, the last perhaps without its newline."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, piece: bytes) -> list[Frame]:
        """The documents of the lines that are whole."""
        lines = (self._buffer + piece).split(b"\n")
        self._buffer = lines.pop()
        if len(self._buffer) > LINE_LIMIT:
            raise ProtocolError("one line of the stream is larger than any answer needs")
        return [Frame("", _document(line)) for line in lines if line.strip()]

    def end(self) -> list[Frame]:
        """The last line, if it is a whole document."""
        rest, self._buffer = self._buffer.strip(), b""
        if not rest:
            return []
        try:
            return [Frame("", _document(rest))]
        except ProtocolError:
            return []  # a line cut in the middle: the missing terminal marker tells


DECODERS: dict[str, Callable[[], Decoder]] = {"json": JsonDecoder, "sse": SseDecoder, "ndjson": LineDecoder}
"""By framing name; `aws-eventstream` is added by the plugin that brings it."""


def decoder_for(framing: FramingName, headers: Mapping[str, str], first: bytes) -> Decoder:
    """The decoder for an answer. The content type overrules the exchange's framing, and the first byte a mislabel."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    name: str = framing
    if kind == "text/event-stream":
        name = "sse"
    elif kind in ("application/x-ndjson", "application/jsonl", "application/ndjson", "application/stream+json"):
        name = "ndjson"
    elif kind == "application/json" and framing == "sse":
        name = "json"
    start = first.lstrip()[:5]
    if name == "sse" and start[:1] in (b"{", b"["):
        name = "json"
    elif name == "json" and (start in (b"data:", b"event") or start[:1] == b":"):
        name = "sse"
    make = DECODERS.get(name)
    if make is None:
        raise ProtocolError(f"no decoder for {name} answers is installed")
    return make()


def _document(data: bytes) -> Any:
    try:
        return parse_json(data)
    except ValueError:
        problem = _problem(data)
    raise ProtocolError(problem)


def _problem(data: bytes) -> str:
    start = data.lstrip()[:1]
    if start == b"<":
        return "the answer is markup, not JSON: is something between you and the provider?"
    return "the answer is not JSON" if start not in (b"{", b"[") else "the answer is broken JSON"


def _event(block: bytes) -> Frame | None:
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, colon, value = line.partition(b":")
        if not field:
            continue  # a comment, which servers send to keep the connection alive
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
        elif not colon and not data and line[:1] in (b"{", b"<"):
            raise ProtocolError("the stream is not made of events")
    text = b"\n".join(data).strip()
    if not text or text.startswith(_DONE):
        return None
    return Frame(name.decode("utf-8", "replace").strip(), _document(text))
