"""Writing requests and reading answers, without a socket: laws that hold for both parsers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.transports.http1 import Headers, Parser, ParserName, parser, written
from byollm.transports.progress import Stop

NAMES: tuple[ParserName, ...] = ("h11", "httptools")
both = pytest.mark.parametrize("name", NAMES)

words = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12).map(str.encode)
values = st.lists(st.binary(min_size=1, max_size=8), max_size=3).map(b" ".join)
fields = st.lists(st.tuples(words.map(bytes.lower), values), max_size=5)
bodies = st.binary(max_size=60)


def chunked(body: bytes, sizes: list[int]) -> bytes:
    pieces = []
    for size in sizes:
        if piece := body[:size]:
            pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        body = body[size:]
    if body:
        pieces.append(b"%x;note=1\r\n%b\r\n" % (len(body), body))
    return b"".join([*pieces, b"0\r\nx-late: 1\r\n\r\n"])


@st.composite
def answers(draw: Any) -> tuple[bytes, int, bytes, bool]:
    """Bytes of a good answer, its status, its body, and whether the connection may serve again."""
    status, body = draw(st.sampled_from([200, 201, 400, 429, 503])), draw(bodies)
    form = draw(st.sampled_from(["length", "chunked", "close", "until closed"]))
    head = b"HTTP/1.1 %d Reason\r\nX-Name: a, b\r\n" % status
    early = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n"]))
    if form == "chunked":
        tail = b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, draw(st.lists(st.integers(1, 20), max_size=4)))
    elif form == "until closed":
        tail = b"\r\n" + body
    else:
        closing = b"connection: close\r\n" if form == "close" else b""
        tail = closing + b"content-length: %d\r\n\r\n" % len(body) + body
    return early + head + tail, status, body, form in ("length", "chunked")


def read(reading: Parser, pieces: list[bytes]) -> tuple[int, Headers, bytes, bool]:
    """What a parser makes of the pieces, fed as they are asked for."""
    waiting = [*pieces, b""]
    while (head := reading.head()) is None:
        reading.feed(waiting.pop(0))
    body = b""
    while (piece := reading.piece()) != b"":
        if piece is None:
            reading.feed(waiting.pop(0))
        else:
            body += piece
    return (*head, body, reading.renew())


def outcome(reading: Parser, pieces: list[bytes]) -> object:
    try:
        return read(reading, pieces)[0]
    except Stop as stop:
        return stop.kind


def begun(name: ParserName) -> Parser:
    reading = parser(name)
    reading.begin(b"POST")
    return reading


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges) if start < end]


@both
@given(answers(), st.lists(st.integers(0, 10_000), max_size=8))
def test_any_cut_reads_alike(name: ParserName, answer: tuple[bytes, int, bytes, bool], places: list[int]) -> None:
    """Status, headers, body and reuse are the same however the bytes arrive, and as they were written."""
    data, status, body, reusable = answer

    got_status, headers, got_body, again = read(begun(name), cut(data, places))

    assert (status, body, reusable) == (got_status, got_body, again)
    assert b"a, b" == {key.lower(): value for key, value in headers}[b"x-name"]


@both
@given(answers(), st.data())
def test_a_missing_end_is_no_end(name: ParserName, answer: tuple[bytes, int, bytes, bool], data: Any) -> None:
    """Cut short anywhere, an answer with a length or chunks breaks with `closed`."""
    whole, _, body, reusable = answer
    end = data.draw(st.integers(0, len(whole) - 1))
    if not reusable:  # what runs until the connection closes cannot be told from a whole answer
        end = min(end, whole.rindex(b"\r\n\r\n") + 3)
        if b"content-length" in whole and not body:
            end = min(end, len(whole) - 1)

    with pytest.raises(Stop) as stop:
        read(begun(name), [whole[:end]] if end else [])

    assert "closed" == stop.value.kind


@both
@given(st.binary(max_size=200), st.lists(st.integers(0, 10_000), max_size=4), answers(), st.integers(0, 10_000))
def test_any_bytes_read_or_stop(
    name: ParserName, junk: bytes, places: list[int], answer: tuple[bytes, int, bytes, bool], at: int
) -> None:
    """Junk, and junk inside a good answer: a reading, or Stop, and nothing else."""
    whole = answer[0]
    at %= len(whole)
    for data in (junk, whole[:at] + junk + whole[at:]):
        assert outcome(begun(name), cut(data, places)) in {"closed", "protocol", "too_large", *range(200, 1000)}


@both
@given(answers().filter(lambda answer: answer[3]), st.binary(min_size=1, max_size=30))
def test_bytes_beyond_the_end_end_the_connection(
    name: ParserName, answer: tuple[bytes, int, bytes, bool], more: bytes
) -> None:
    """The answer stays whole; the connection does not serve again, unless they are empty lines that llhttp skips."""
    whole, status, body, _ = answer
    if name == "httptools":
        more += b"H"

    got_status, _, got_body, again = read(begun(name), [whole + more])

    assert (status, body, False) == (got_status, got_body, again)


@both
@given(st.lists(answers().filter(lambda answer: answer[3]), min_size=2, max_size=4))
def test_one_answer_after_the_other(name: ParserName, several: list[tuple[bytes, int, bytes, bool]]) -> None:
    """A parser that may serve again reads the next answer as a new one would."""
    reading = parser(name)

    for whole, status, body, _ in several:
        reading.begin(b"POST")
        got_status, _, got_body, again = read(reading, [whole])
        assert (status, body, True) == (got_status, got_body, again)


@both
@pytest.mark.parametrize(
    "data, kind",
    [
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", "protocol"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "protocol"),
        (b"HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n", "too_large"),
    ],
)
def test_what_is_no_answer(name: ParserName, data: bytes, kind: str) -> None:
    """Another protocol, lengths that differ, a size that is none, a head without end."""
    with pytest.raises(Stop) as stop:
        read(begun(name), [data])

    assert kind == stop.value.kind


@given(fields, bodies)
def test_a_server_reads_what_was_written(headers: Headers, body: bytes) -> None:
    """What is written is read as it was meant, by a parser of another's; what cannot be is refused."""
    own = [(b"x-" + name, value) for name, value in headers]
    given_headers = [(b"host", b"model.test"), (b"content-length", b"%d" % len(body)), *own]
    try:
        head = written(b"POST", b"/v1/chat?a=1", given_headers)
    except Stop:
        assert any(byte < 32 or byte == 127 for _, value in own for byte in value) or any(
            value != value.strip(b" \t") for _, value in own
        )
        return

    server = h11.Connection(h11.SERVER)
    server.receive_data(head + b"\r\n" + body)
    request = server.next_event()

    assert isinstance(request, h11.Request)
    assert (b"POST", b"/v1/chat?a=1") == (request.method, request.target)
    assert given_headers == list(request.headers)
    pieces = []
    while isinstance(event := server.next_event(), h11.Data):
        pieces.append(bytes(event.data))
    assert body == b"".join(pieces)


@pytest.mark.parametrize(
    "method, target, headers",
    [
        (b"PO ST", b"/", []),
        (b"POST", b"/a b", []),
        (b"POST", b"/\r\nx: y", []),
        (b"POST", b"/", [(b"na me", b"v")]),
        (b"POST", b"/", [(b"name", b"v\r\nx: y")]),
        (b"POST", b"/", [(b"name", b"v\0")]),
        (b"POST", b"/", [(b"name:", b"v")]),
        (b"POST", b"/", [(b"", b"v")]),
    ],
)
def test_nothing_is_smuggled(method: bytes, target: bytes, headers: Headers) -> None:
    """A line break, a space or a control character where none may be is refused."""
    with pytest.raises(Stop) as stop:
        written(method, target, headers)

    assert "protocol" == stop.value.kind
