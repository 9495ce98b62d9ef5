"""Frames of AWS's binary event stream (`application/vnd.amazon.eventstream`), both checksums checked.

A message is a prelude (total length, length of the headers, CRC-32 of those eight bytes), headers, a payload, and the
CRC-32 of all before it; every number big-endian. `:message-type` says event, exception or error; the payload of all
three is JSON. Source: AWS's event stream encoding as botocore 1.44.5 reads it, read 2026-11-21.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final
from zlib import crc32

from pydantic_core import from_json

from byollm.errors import ProtocolError, StreamInterruptedError
from byollm.wire.exchange import Frame
from byollm.wire.json import parse_json

HEADERS_LIMIT: Final = 128 * 1024
PAYLOAD_LIMIT: Final = 24 * 1024 * 1024
"""The most bytes that the headers and the payload of one message may have, as the encoding's specification says."""
_PRELUDE: Final = struct.Struct("!III")
_CRC: Final = struct.Struct("!I")
_LENGTH: Final = struct.Struct("!H")
_AROUND: Final = 16
"""Bytes of a message besides its headers and payload: the prelude and the last checksum."""
_NUMBERS: Final = {2: struct.Struct("!b"), 3: struct.Struct("!h"), 4: struct.Struct("!i"), 5: struct.Struct("!q")}
_MOMENT: Final = struct.Struct("!q")
_KNOWN_LIMIT: Final = 32
_new_frame: Final = tuple.__new__
"""What `Frame(…)` does, in a third of its time."""

Headers = dict[str, str]


class EventStreamDecoder:
    """Messages of an AWS event stream. A frame's `event` is the event's, exception's or error's own type.

    `headers` are those of the message, values as text. A payload is read as JSON; an empty one is `{}`, and one of
    another content type the text itself.
    """

    __slots__ = ("_known", "_need", "_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # joined once the message is whole: a large one stays cheap
        self._size = 0
        self._need = _PRELUDE.size
        self._known: dict[bytes, tuple[str, Headers]] = {}

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The messages completed by this piece. Raises ProtocolError at the one that is broken."""
        self._parts.append(piece)
        self._size += len(piece)
        if self._size < self._need:
            return
        data = b"".join(self._parts) if len(self._parts) > 1 else piece
        size, start = len(data), 0
        self._need = _PRELUDE.size
        while size - start >= _PRELUDE.size:
            total, headers = _lengths(data, start)
            if size - start < total:
                self._need = total
                break
            end = start + total - _CRC.size
            if crc32(data[start:end]) != _CRC.unpack_from(data, end)[0]:
                raise ProtocolError("the checksum of a message in the event stream is wrong")
            middle = start + _PRELUDE.size + headers
            event, named = self._headers(data[start + _PRELUDE.size : middle])
            payload = data[middle:end]
            start += total
            try:  # without a function between here and the parser: this runs once a token
                document = from_json(payload, allow_inf_nan=False)
            except ValueError:
                document = _document(payload, named)
            yield _new_frame(Frame, (event, document, named))
        self._parts, self._size = [data[start:]], size - start

    def end(self) -> Iterator[Frame]:
        """Nothing is left of a whole stream. Raises StreamInterruptedError for a part of a message."""
        if self._size:
            raise StreamInterruptedError(f"the event stream ends inside a message ({self._size} bytes of it came)")
        return iter(())

    def _headers(self, block: bytes) -> tuple[str, Headers]:
        """Read once: the messages of one stream repeat a handful of header blocks, byte for byte."""
        known = self._known.get(block)
        if known is None:
            headers = read_headers(block)
            known = _type_of(headers), headers
            if len(self._known) < _KNOWN_LIMIT:
                self._known[block] = known
        return known


def read_headers(block: bytes) -> Headers:
    """The headers of one message, every value as text. Raises ProtocolError."""
    found: Headers = {}
    position = 0
    try:
        while position < len(block):
            begin = position + 1
            name = _text(block, begin, block[position])
            position = begin + len(name.encode())
            value, position = _value(block, position + 1, block[position])
            if name in found:
                raise ProtocolError("a message of the event stream has a header twice")
            found[name] = value
    except (IndexError, struct.error, UnicodeDecodeError):
        position = -1
    if position != len(block):
        raise ProtocolError("the headers of a message in the event stream cannot be read")
    return found


def _value(block: bytes, position: int, kind: int) -> tuple[str, int]:
    """One header's value and where the next header begins. Raises what `read_headers` expects."""
    if kind in (0, 1):
        return ("true", "false")[kind], position
    if kind in (6, 7):
        begin = position + _LENGTH.size
        end = begin + _LENGTH.unpack_from(block, position)[0]
        return (_text(block, begin, end - begin) if kind == 7 else _octets(block, begin, end).hex()), end
    if kind == 9:
        return _octets(block, position, position + 16).hex(), position + 16
    number = _MOMENT if kind == 8 else _NUMBERS.get(kind)
    if number is None:
        raise ProtocolError(f"a header of the event stream is of the unknown kind {kind}")
    return str(number.unpack_from(block, position)[0]), position + number.size


def _octets(block: bytes, begin: int, end: int) -> bytes:
    if end > len(block):
        raise IndexError
    return block[begin:end]


def _text(block: bytes, begin: int, length: int) -> str:
    return _octets(block, begin, begin + length).decode("utf-8", "strict")


def _type_of(headers: Headers) -> str:
    kind = headers.get(":message-type", "event")
    word = {"exception": ":exception-type", "error": ":error-code"}.get(kind, ":event-type")
    return headers.get(word, "")


def _lengths(data: bytes, start: int) -> tuple[int, int]:
    """The length of the whole message and of its headers, as its prelude tells. Raises ProtocolError."""
    total, headers, checksum = _PRELUDE.unpack_from(data, start)
    if crc32(data[start : start + 8]) != checksum:
        raise ProtocolError("the checksum of a message's prelude in the event stream is wrong")
    if headers > HEADERS_LIMIT or not _AROUND <= total - headers <= _AROUND + PAYLOAD_LIMIT:
        raise ProtocolError("a message of the event stream has an impossible length")
    return total, headers


def _document(payload: bytes, headers: Headers) -> Any:
    """What the plain parser did not take: nothing at all, half a surrogate pair, a text."""
    if not payload:
        return {}
    try:
        return parse_json(payload)
    except ValueError:
        pass
    if headers.get(":content-type", "application/json") == "application/json":
        raise ProtocolError("a message of the event stream is not JSON")
    return payload.decode("utf-8", "replace")
