"""Bytes into frames: a whole JSON document, server-sent events, one document a line, or AWS's binary event stream.

A decoder is fed pieces as they arrive, cut anywhere, and answers the frames that became complete, one by one: what
stands before a broken frame is read, whatever the cut. Hostile bytes raise `ProtocolError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from pydantic_core import from_json

from byollm.errors import ProtocolError
from byollm.wire.event_stream import EventStreamDecoder
from byollm.wire.exchange import Frame, FramingName
from byollm.wire.json import parse_json

LINE_LIMIT: Final = 32 * 1024 * 1024
"""The most bytes one event or line may have; a made image in a stream stays well below."""
_DONE: Final = b"[DONE]"
_NEXT: Final = b"\n\ndata: "
"""Where the usual event begins."""
_new_frame: Final = tuple.__new__
"""What `Frame(…)` does, in a third of its time."""
_MARK: Final = b"\xef\xbb\xbf"


class Decoder(Protocol):
    """Pieces in, frames out."""

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames completed by this piece; exhaust it. Raises ProtocolError at the frame that is broken."""
        ...

    def end(self) -> Iterator[Frame]:
        """The frames that the end of the body completes. Raises ProtocolError."""
        ...


class JsonDecoder:
    """The whole body is one document. Some servers send blank lines first to keep the connection alive."""

    __slots__ = ("_pieces", "document")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.document: Any = None

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Keep it: a document is read when it is whole."""
        self._pieces.append(piece)
        return iter(())

    def end(self) -> Iterator[Frame]:
        """The document. Raises ProtocolError when there is none."""
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if not body or body.isspace():
            raise ProtocolError("the answer's body is empty")
        try:
            self.document = from_json(body, allow_inf_nan=False)
        except ValueError:
            self.document = _document(body)
        return iter((_new_frame(Frame, ("", self.document, None)),))


class SseDecoder:
    """Server-sent events: CR, LF or CRLF, comments, multi-line data, a byte order mark, no blank line at the end."""

    __slots__ = ("_first", "_held", "_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # the event that is not complete yet, joined once it is: a large one stays cheap
        self._size = 0
        self._first = True
        self._held = False

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Events end at a blank line; the usual case, LF and one `data:` line, is a split."""
        if self._first:
            piece = self._without_mark(piece)
        if b"\r" in piece or self._held:
            piece = self._plain(piece)
        parts = self._parts
        if parts:
            if b"\n\n" not in piece and not (piece[:1] == b"\n" and parts[-1][-1:] == b"\n"):
                self._keep(piece)
                return iter(())
            parts.append(piece)
            piece = b"".join(parts)
            parts.clear()
        whole, blank, rest = piece.rpartition(b"\n\n")
        self._size = 0
        self._keep(rest)
        before, *blocks = (blank + whole).split(_NEXT)  # every event but the first has a blank line before it
        if blocks and not before and whole.count(b"\n") == 2 * len(blocks) - 2:
            if blocks[-1] == _DONE:
                blocks.pop()
            try:  # without a function between here and the parser: this runs once a token
                return iter([
                    _new_frame(Frame, ("", from_json(block, allow_inf_nan=False, cache_strings="keys"), None))
                    for block in blocks
                ])  # fmt: skip
            except ValueError:
                pass
        return _events(whole)

    def end(self) -> Iterator[Frame]:
        """A stream may end without the last blank line: what is left is an event if it is a whole one."""
        rest = b"".join(self._parts) + (b"\n" if self._held else b"")
        self._parts.clear()
        try:
            frame = _event(rest)
        except ProtocolError:
            frame = None  # an event cut in the middle: the missing terminal marker tells, not this
        if frame is not None:
            yield frame

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._parts.append(piece)
            self._size += len(piece)
            if self._size > LINE_LIMIT:
                raise ProtocolError("one event of the stream is larger than any answer needs")

    def _without_mark(self, piece: bytes) -> bytes:
        piece = b"".join([*self._parts, piece])
        self._parts.clear()
        self._first = len(piece) < len(_MARK) and _MARK.startswith(piece)
        return piece.removeprefix(_MARK) if not self._first else piece

    def _plain(self, piece: bytes) -> bytes:
        if self._held:
            piece, self._held = b"\r" + piece, False
        if piece.endswith(b"\r"):
            piece, self._held = piece[:-1], True
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class LineDecoder:
    """One JSON document a line, the last perhaps without its newline."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The documents of the lines that are whole."""
        first, newline, rest = piece.partition(b"\n")
        self._parts.append(first)
        self._size += len(first)
        if newline:
            whole = b"".join(self._parts)
            *lines, last = rest.split(b"\n")
            self._parts, self._size = [last], len(last)
            for line in (whole, *lines):
                if line.strip():
                    yield Frame("", _document(line))
        if self._size > LINE_LIMIT:
            raise ProtocolError("one line of the stream is larger than any answer needs")

    def end(self) -> Iterator[Frame]:
        """The last line, if it is a whole document."""
        rest = b"".join(self._parts)
        self._parts = []
        try:
            frame = Frame("", _document(rest)) if rest.strip() else None
        except ProtocolError:
            frame = None  # a line cut in the middle: the missing terminal marker tells
        if frame is not None:
            yield frame


class _Undecided:
    """The first bytes do not tell yet what they are: a mislabelled answer must read the same however it is cut."""

    __slots__ = ("_decoder", "_name", "_parts")

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[bytes] = []
        self._decoder: Decoder | None = None

    @property
    def document(self) -> Any:
        """The document of a JSON answer, None for any other."""
        return getattr(self._decoder, "document", None)

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames, as soon as it is clear how to read them."""
        if self._decoder is None:
            self._parts.append(piece)
            first = b"".join(self._parts) if piece.strip() else b""
            if not _told(first):
                return
            piece, self._decoder = first, _make(_really(self._name, first))
        yield from self._decoder.feed(piece)

    def end(self) -> Iterator[Frame]:
        """What is left."""
        if self._decoder is None:
            first = b"".join(self._parts)
            self._decoder = _make(_really(self._name, first))
            yield from self._decoder.feed(first)
        yield from self._decoder.end()


DECODERS: dict[str, Callable[[], Decoder]] = {
    "json": JsonDecoder,
    "sse": SseDecoder,
    "ndjson": LineDecoder,
    "aws-eventstream": EventStreamDecoder,
}
"""By framing name."""

_LINE_TYPES: Final = frozenset(
    {"application/x-ndjson", "application/jsonl", "application/ndjson", "application/stream+json"}
)


def decoder_for(framing: FramingName, headers: Mapping[str, str], first: bytes) -> Decoder:
    """The decoder for an answer. The content type overrules the exchange's framing, and the first bytes a mislabel."""
    if framing == "json" and first[:1] == b"{" and headers.get("content-type") == "application/json":
        return JsonDecoder()
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    name: str = framing
    if kind == "text/event-stream":
        name = "sse"
    elif kind in _LINE_TYPES:
        name = "ndjson"
    elif kind == "application/vnd.amazon.eventstream":
        name = "aws-eventstream"
    elif kind == "application/json" and framing != "ndjson":
        name = "json"
    return _make(_really(name, first)) if _told(first) or name == "ndjson" else _Undecided(name)


def _really(name: str, first: bytes) -> str:
    """A document where events were promised, or events where a document was. A binary message begins with a NUL: the
    first byte of its length, which is far below 16 MiB."""
    if first[:1] == b"\0":
        return "aws-eventstream"
    start = first.removeprefix(_MARK).lstrip()[:6]
    if name in ("sse", "aws-eventstream") and start[:1] in (b"{", b"["):
        return "json"
    if name == "json" and start.startswith((b"data:", b"event:", b"retry:", b"id:", b":")):
        return "sse"
    return name


def _told(first: bytes) -> bool:
    return len(first.removeprefix(_MARK).lstrip()) >= 6


def _make(name: str) -> Decoder:
    make = DECODERS.get(name)
    if make is None:
        raise ProtocolError(f"no decoder for {name} answers is installed")
    return make()


def _document(data: bytes) -> Any:
    try:
        return parse_json(data)
    except ValueError:
        problem = _problem(data)
    if data[:3] == _MARK:
        return _document(data[3:])
    raise ProtocolError(problem)


def _problem(data: bytes) -> str:
    start = data.lstrip()[:1]
    if start == b"<":
        return "the answer is markup, not JSON: is something between you and the provider?"
    return "the answer is not JSON" if start not in (b"{", b"[") else "the answer is broken JSON"


def _events(blocks: bytes) -> Iterator[Frame]:
    for block in blocks.split(b"\n\n"):
        frame = _event(block)
        if frame is not None:
            yield frame


def _event(block: bytes) -> Frame | None:
    name = b""
    data: list[bytes] = []
    lines = block.split(b"\n")
    for number, line in enumerate(lines):
        field, colon, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
        elif field == b"error" and value.lstrip()[:1] == b"{" and not data:
            return Frame("error", _document(value))  # a failure as a field: llama.cpp, until lately
        elif line[:1] == b"{" and not data:
            # Some servers write a failure between the events as a bare document.
            return Frame("", _document(b"\n".join(lines[number:])))
        elif field and not colon and not data and line[:1] == b"<":
            raise ProtocolError("the stream is not made of events")
    text = b"\n".join(data).strip()
    if not text or text.startswith(_DONE):
        return None
    return Frame(name.decode("utf-8", "replace").strip(), _document(text))
