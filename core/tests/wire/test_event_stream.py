"""AWS's binary event stream: read as botocore reads it, however cut, and never believed when a checksum is wrong."""

import json
import struct
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from core_strategies import cuts, json_values
from hypothesis import given
from hypothesis import strategies as st

from byollm.errors import ProtocolError, StreamInterruptedError
from byollm.plugin import Frame
from byollm.wire.event_stream import EventStreamDecoder, read_headers

JSON = {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}


def header(name: str, kind: int, value: bytes) -> bytes:
    """One header as bytes."""
    return bytes([len(name.encode())]) + name.encode() + bytes([kind]) + value


def texts(headers: dict[str, str]) -> bytes:
    """Headers whose values are texts."""
    found = ((name, value.encode()) for name, value in headers.items())
    return b"".join(header(name, 7, struct.pack("!H", len(value)) + value) for name, value in found)


def message(block: bytes, payload: bytes) -> bytes:
    """One message with both of its checksums."""
    prelude = struct.pack("!II", len(block) + len(payload) + 16, len(block))
    whole = prelude + struct.pack("!I", crc32(prelude)) + block + payload
    return whole + struct.pack("!I", crc32(whole))


def event(name: str, document: Any) -> bytes:
    """A whole event."""
    return message(texts({**JSON, ":event-type": name}), json.dumps(document).encode())


def read(pieces: Iterable[bytes]) -> list[Frame]:
    """Every frame of a whole stream."""
    decoder = EventStreamDecoder()
    found = [frame for piece in pieces for frame in decoder.feed(piece)]
    return [*found, *decoder.end()]


names = st.text("abcdef-:", min_size=1, max_size=9)
headers = st.dictionaries(names, st.text(max_size=12), max_size=4)


@given(st.lists(st.tuples(headers, json_values), max_size=5), st.data())
def test_messages_are_those_that_botocore_reads(messages: list[tuple[dict[str, str], Any]], data: st.DataObject):
    """Headers and payloads of any messages, cut anywhere."""
    body = b"".join(message(texts(head), json.dumps(value).encode()) for head, value in messages)
    oracle = EventStreamBuffer()
    oracle.add_data(body)

    found = read(data.draw(cuts(body)))

    told = [(item.headers, json.loads(item.payload)) for item in oracle]
    assert told == [(frame.headers, frame.data) for frame in found]


@given(st.lists(json_values, min_size=1, max_size=4), st.data())
def test_any_flipped_bit_is_found(values: list[Any], data: st.DataObject):
    """Both checksums are checked: no bit of a stream can change unseen."""
    body = bytearray(b"".join(event("chunk", value) for value in values))
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    body[bit // 8] ^= 1 << bit % 8

    with pytest.raises(ProtocolError):
        read([bytes(body)])


@given(st.lists(json_values, min_size=1, max_size=3), st.data())
def test_a_stream_that_ends_inside_a_message_was_interrupted(values: list[Any], data: st.DataObject):
    """At every byte but the ends of messages; the messages before it are read."""
    messages = [event("chunk", value) for value in values]
    body = b"".join(messages)
    length = data.draw(st.integers(1, len(body) - 1))
    ends = [sum(map(len, messages[: count + 1])) for count in range(len(messages))]
    decoder = EventStreamDecoder()

    found = list(decoder.feed(body[:length]))

    assert sum(end <= length for end in ends) == len(found)
    if length not in ends:
        with pytest.raises(StreamInterruptedError, match="inside a message"):
            list(decoder.end())


def test_the_kind_of_a_message_names_its_frame():
    """Events, exceptions and errors each have a header of their own for it."""
    kinds = [
        {":message-type": "event", ":event-type": "metadata"},
        {":message-type": "exception", ":exception-type": "throttlingException"},
        {":message-type": "error", ":error-code": "InternalError", ":error-message": "no"},
        {},
    ]

    frames = read([message(texts(kind), b"{}") for kind in kinds])

    assert ["metadata", "throttlingException", "InternalError", ""] == [frame.event for frame in frames]
    assert kinds == [frame.headers for frame in frames]


def test_headers_of_every_kind_are_read_as_texts():
    """The kinds of the specification, as botocore reads them but for their types."""
    block = b"".join(
        [
            header("yes", 0, b""), header("no", 1, b""), header("byte", 2, b"\xff"), header("short", 3, b"\x01\x00"),
            header("int", 4, b"\0\0\0\x07"), header("long", 5, b"\xff" * 8), header("bytes", 6, b"\0\x02\x01\x02"),
            header("text", 7, b"\0\x02\xc3\xa9"), header("time", 8, b"\0" * 7 + b"\x05"),
            header("uuid", 9, b"\x0a" * 16),
        ]
    )  # fmt: skip

    assert {
        "yes": "true", "no": "false", "byte": "-1", "short": "256", "int": "7", "long": "-1", "bytes": "0102",
        "text": "é", "time": "5", "uuid": "0a" * 16,
    } == read_headers(block)  # fmt: skip


@pytest.mark.parametrize(
    "block",
    [header("a", 10, b""), header("a", 7, b"\0\x05ab"), header("a", 7, b"\0\x01\xff"), b"\x09ab", b"\x01a",
     header("a", 0, b"") * 2, header("a", 5, b"\0"), header("a", 9, b"\0")],
)  # fmt: skip
def test_headers_that_cannot_be_read_are_a_protocol_error(block: bytes):
    """An unknown kind, one cut short, one that is no text, one that comes twice."""
    with pytest.raises(ProtocolError):
        read([message(block, b"{}")])


@pytest.mark.parametrize("total, size", [(15, 0), (1 << 31, 0), (400_000, 200_000), (20, 10), (25 * 1024 * 1024, 0)])
def test_impossible_lengths_are_refused_before_anything_is_kept(total: int, size: int):
    """Twelve bytes are enough to know."""
    prelude = struct.pack("!II", total, size)

    with pytest.raises(ProtocolError, match="impossible length"):
        read([prelude + struct.pack("!I", crc32(prelude))])


@pytest.mark.parametrize(
    "kind, payload, data",
    [
        ("application/json", b"", {}),
        ("application/json", b'"\\ud800"', "\N{REPLACEMENT CHARACTER}"),
        ("text/plain", b"plain", "plain"),
    ],
)
def test_odd_payloads(kind: str, payload: bytes, data: Any):
    """Nothing is an empty object, half a surrogate pair is replaced, a text stays one."""
    (frame,) = read([message(texts({**JSON, ":content-type": kind}), payload)])

    assert data == frame.data


def test_a_payload_that_is_no_json_is_a_protocol_error():
    """Where the message says that it is."""
    with pytest.raises(ProtocolError, match="not JSON"):
        read([message(texts(JSON), b"{")])


def test_a_large_message_in_small_pieces_is_joined_once():
    """Copied bytes grow with the message, not with its square."""
    body = event("chunk", "x" * 3_000_000)
    decoder = EventStreamDecoder()
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]

    assert [] == [frame for piece in pieces[:-1] for frame in decoder.feed(piece)]
    assert all(len(part) <= 1012 for part in decoder._parts)
    assert ["x" * 3_000_000] == [frame.data for frame in decoder.feed(pieces[-1])]
