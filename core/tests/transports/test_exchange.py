"""A request goes out and an answer comes back."""

from __future__ import annotations

import gzip
import threading
import zlib


def test_answer(call, answering):
    """Status, headers in lower case, and body arrive."""
    server = answering(b"HTTP/1.1 201 Made\r\nX-Request-ID: r1\r\nContent-Length: 5\r\n\r\nhello")

    result = call(server.url + "/v1/x")

    assert (201, "r1", b"hello") == (result.head.status, result.head.headers["x-request-id"], result.body)


def test_request_on_the_wire(call, answering, ask):
    """Method, path, query, key and body go out as given; host, length and accept-encoding are added."""
    server = answering()

    call(ask(server.url + "/v1/chat?a=1&b=%20#part"))

    lines = server.requests[0].split(b"\r\n")
    assert b"POST /v1/chat?a=1&b=%20 HTTP/1.1" == lines[0]
    assert {
        b"host: 127.0.0.1:%d" % server.port,
        b"authorization: Bearer sk-CANARY-0123456789",
        b"accept-encoding: gzip",
        b"content-length: 12",
    } == set(lines[1:-2])
    assert b'{"hello": 1}' == lines[-1]


def test_given_headers_win(call, answering, ask):
    """A host or accept-encoding that is given stays; a length that is given does not."""
    server = answering()

    call(ask(server.url, headers=[("Host", "model.test"), ("Accept-Encoding", "identity"), ("Content-Length", "99")]))

    head = server.requests[0].partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert [b"accept-encoding: identity", b"content-length: 12", b"host: model.test"] == sorted(head[1:])


def test_get_has_no_body(call, answering, ask):
    """A GET without a body sends no length."""
    server = answering()

    call(ask(server.url, method="GET", body=b""))

    assert b"content-length" not in server.requests[0]


def test_path_outside_ascii(call, answering):
    """Letters outside ASCII are percent-encoded, and nothing that already is."""
    server = answering()

    call(server.url + "/mod%C3%A8le/é?q=ü b")

    assert server.requests[0].startswith(b"POST /mod%C3%A8le/%C3%A9?q=%C3%BC%20b HTTP/1.1\r\n")


def test_repeated_headers_are_joined(call, answering):
    """A header that comes twice is one, joined with a comma."""
    server = answering(b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\ncontent-length: 0\r\n\r\n")

    assert "1, 2" == call(server.url).head.headers["a"]


def test_informational_answers(call, answering):
    """100 and 103 are read over; the final answer counts."""
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    server = answering(hints + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    assert (200, b"ok") == (call(server.url).head.status, call(server.url).body)


def test_redirect_is_not_followed(call, answering):
    """A redirect is an answer like any other: a key goes nowhere that was not configured."""
    server = answering(b"HTTP/1.1 307 Go\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")

    assert 307 == call(server.url).head.status
    assert 1 == len(server.requests)


def test_no_body_answers(call, answering):
    """204 has no body, whatever its headers say."""
    server = answering(b"HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n")

    assert b"" == call(server.url).body


def test_body_until_close(call, serve):
    """Without a length, the body ends where the connection does, and that connection is not kept."""

    def habit(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    assert b"all of it" == call(serve(habit).url).body
    assert 0 == call.idle()


def test_large_bodies(call, serve):
    """Megabytes go up and come down whole."""
    received = []

    def habit(peer):
        received.append(peer.request())
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"y" * 3_000_000)
        peer.gone()

    result = call(serve(habit).url, body=b"x" * 3_000_000)

    assert 3_000_000 == len(result.body)
    assert received[0].endswith(b"x" * 3_000_000)


def test_early_refusal_of_a_large_body(call, serve):
    """A server that answers and stops reading is heard, though the request could not be sent whole."""

    def habit(peer):
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig")
        peer.socket.shutdown(1)
        while peer.socket.recv(1 << 20):
            pass

    result = call(serve(habit).url, body=b"x" * 3_000_000)

    assert (413, b"big") == (result.head.status, result.body)


def test_pieces_come_as_they_come(call, serve, ask):
    """A read gives what has arrived and does not wait for more."""

    def habit(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            peer.chunk(word)
            heard.acquire(timeout=5)
        peer.send(b"0\r\n\r\n")
        peer.gone()

    heard = threading.Semaphore(0)

    assert [b"one", b"two", b"three"] == call.pieces(ask(serve(habit).url), heard.release)


def test_gzip_is_undone(call, answering):
    """A compressed answer reads like a plain one."""
    body = gzip.compress(b"hello " * 100)
    server = answering(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    assert b"hello " * 100 == call(server.url).body


def test_gzip_stream_delays_no_token(call, serve, ask):
    """A token that the server flushed is read before the next one is sent."""
    heard = threading.Event()

    def habit(peer):
        peer.request()
        packer = zlib.compressobj(wbits=31)
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n")
        peer.chunk(packer.compress(b"first") + packer.flush(zlib.Z_SYNC_FLUSH))
        heard.wait(10)
        peer.chunk(packer.compress(b"second") + packer.flush())
        peer.send(b"0\r\n\r\n")
        peer.gone()

    assert [b"first", b"second"] == call.pieces(ask(serve(habit).url, seconds=3), heard.set)
