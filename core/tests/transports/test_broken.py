"""Whatever goes wrong comes back as a value that says what and how far the request had come."""

from __future__ import annotations

import gzip

import pytest

from byollm.transports.base import Broken, Limits, Place

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(HEAD + b"content-length: 100\r\n\r\nshort", id="length"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n", id="no last chunk"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n64\r\nshort", id="inside a chunk"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n6", id="inside a chunk's length"),
        pytest.param(HEAD + b"content-length: 1\r\n\r\n", id="nothing of it"),
    ],
)
def test_cut_body(call, serve, answer):
    """A body that stops short is never taken for a whole one."""

    def habit(peer):
        peer.request()
        peer.send(answer)

    result = call(serve(habit).url)

    assert 200 == result.head.status
    assert ("closed", "yes") == (result.body.kind, result.body.sent)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", HEAD, HEAD + b"content-le"])
def test_cut_head(call, serve, answer):
    """A head that stops short is no answer."""

    def habit(peer):
        peer.request()
        peer.send(answer)

    assert ("closed", "yes") == (call(serve(habit).url).head.kind, call(serve(habit).url).head.sent)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", id="not HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", id="TLS"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="status"),
        pytest.param(HEAD + b"bad header line\r\n\r\n", id="header"),
        pytest.param(HEAD + b"a: \x00\r\n\r\n", id="NUL in a header"),
        pytest.param(HEAD + b"content-length: -1\r\n\r\n", id="negative length"),
        pytest.param(HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n", id="two lengths"),
        pytest.param(HEAD + b"transfer-encoding: magic\r\n\r\n", id="transfer-encoding"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="101"),
    ],
)
def test_garbage_head(call, serve, answer):
    """What is not HTTP is a protocol error, not a crash and not an empty answer."""

    def habit(peer):
        peer.request()
        peer.send(answer)
        peer.gone()

    assert ("protocol", "yes") == (call(serve(habit).url).head.kind, call(serve(habit).url).head.sent)


def test_garbage_in_a_chunked_body(call, serve):
    """A chunk without a length is a protocol error."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\nshort\r\n")
        peer.gone()

    assert "protocol" == call(serve(habit).url).body.kind


def test_reset_before_the_answer(call, serve):
    """A reset on a new connection is told: it is not repeated behind the caller's back."""

    def habit(peer):
        peer.request()
        peer.reset()

    server = serve(habit)

    assert ("reset", "yes") == (call(server.url).head.kind, "yes")
    assert 1 == server.accepted


def test_reset_in_the_body(call, serve):
    """A reset in the middle of an answer is one."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nshort")
        peer.reset()

    assert call(serve(habit).url).body.kind in ("reset", "closed")


def test_nobody_listens(call, serve):
    """A refused connection: nothing was sent."""
    assert Broken("connect", "no", "connection refused") == call("http://127.0.0.1:1/").head


def test_unknown_name(call):
    """A name that does not exist (RFC 6761 keeps `.invalid` for that): nothing was sent."""
    result = call("http://nowhere.invalid/", place=Place(frozenset({"nowhere.invalid"})))

    assert Broken("dns", "no", "nowhere.invalid has no address") == result.head


def test_too_large_headers(call, serve, ask):
    """Headers beyond the limit end the call, however they are cut."""

    def habit(peer):
        peer.request()
        peer.send(HEAD)
        for number in range(3000):
            peer.send(b"x-%d: %s\r\n" % (number, b"y" * 60))
        peer.gone()

    assert "too_large" == call(ask(serve(habit).url, limits=Limits(headers=8000))).head.kind


def test_too_large_headers_in_one_piece(call, answering, ask):
    """Headers that fit one read but not the limit are refused too."""
    server = answering(HEAD + b"x: " + b"y" * 9000 + b"\r\ncontent-length: 0\r\n\r\n")

    assert "too_large" == call(ask(server.url, limits=Limits(headers=8000))).head.kind
    assert "y" * 9000 == call(ask(server.url, limits=Limits(headers=10000))).head.headers["x"]


def test_one_endless_header(call, serve):
    """A header without an end is cut off, also where the limit is larger than the parser's own buffer."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"x: ")
        for _ in range(100):
            peer.send(b"y" * 5000)

    assert "too_large" == call(serve(habit).url, limits=Limits(headers=10**9)).head.kind


def test_endless_informational_answers(call, serve):
    """A server that never comes to the point is cut off."""

    def habit(peer):
        peer.request()
        for _ in range(100_000):
            peer.send(b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" * 10)

    assert "too_large" == call(serve(habit).url).head.kind


def test_too_large_body(call, answering, ask):
    """A body beyond the limit ends the call, and one at the limit does not."""
    server = answering(HEAD + b"content-length: 1000\r\n\r\n" + b"y" * 1000)

    assert "too_large" == call(ask(server.url, limits=Limits(body=999))).body.kind
    assert b"y" * 1000 == call(ask(server.url, limits=Limits(body=1000))).body


def test_compressed_bomb(call, answering, ask):
    """20 KB that would grow to 20 MB are stopped by their ratio."""
    bomb = gzip.compress(bytes(20_000_000), compresslevel=9)
    server = answering(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb)

    assert ("too_large", 200) == (call(server.url).body.kind, call(server.url).head.status)


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip", b"magic"])
def test_unknown_encoding(call, answering, encoding):
    """An encoding that was not asked for is a protocol error: its bytes mean nothing to us."""
    server = answering(HEAD + b"content-encoding: %s\r\ncontent-length: 2\r\n\r\nok" % encoding)

    assert "protocol" == call(server.url).head.kind


def test_not_really_compressed(call, answering):
    """Plain text that claims to be gzip is a protocol error."""
    server = answering(HEAD + b"content-encoding: gzip\r\ncontent-length: 11\r\n\r\nnot at all.")

    assert "protocol" == call(server.url).body.kind


def test_compressed_body_cut_by_the_server(call, answering):
    """A whole HTTP body whose compressed data stops short is not a whole answer."""
    body = gzip.compress(b"hello " * 100)[:-9]
    server = answering(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    assert "protocol" == call(server.url).body.kind


@pytest.mark.parametrize(
    "header", [("x-bad", "line\r\nbreak"), ("x-bad", "sk-CANARY\u2028"), ("bad name", "x"), ("x-bad\n", "x")]
)
def test_header_that_cannot_be_sent(call, answering, ask, header):
    """A header that would break the request is refused before a byte leaves, and not quoted."""
    server = answering()

    broken = call(ask(server.url, headers=[header])).head

    assert ("protocol", "no") == (broken.kind, broken.sent)
    assert "CANARY" not in repr(broken)
    assert [] == server.requests


def test_reading_on_after_a_failure(call, serve, ask):
    """The same failure is told again, and closing is harmless."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nshort")

    if hasattr(call, "runner"):

        async def twice():
            response = await call.transport.open(ask(serve(habit).url))
            found = [await response.read() for _ in range(3)]
            await response.close(reuse=True)
            return found

        found = call.runner.run(twice())
    else:
        response = call.transport.open(ask(serve(habit).url))
        found = [response.read() for _ in range(3)]
        response.close(reuse=True)

    assert b"short" == found[0]
    assert "closed" == found[1].kind == found[2].kind
    assert 0 == call.idle()
