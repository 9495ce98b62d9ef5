"""A transport written for httpx or httpx2 serves as one of ours."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time

import httpx
import httpx2
import pytest

from byollm.transports.adapter import AsyncHttpxTransport, HttpxTransport
from byollm.transports.base import Broken, Cancellation, Limits, Place, Timeouts

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def call(request, caller_of):
    """The library's own HTTP transports behind the adapter."""
    theirs, theirs_async = request.param.HTTPTransport(), request.param.AsyncHTTPTransport()
    caller = caller_of(HttpxTransport(theirs), AsyncHttpxTransport(theirs_async))
    yield caller
    theirs.close()
    if hasattr(caller, "runner"):
        caller.runner.run(theirs_async.aclose())


@pytest.fixture
def mocked(caller_of):
    """A handler as a user would mock it."""

    def build(handler):
        transport = httpx.MockTransport(handler)
        return caller_of(HttpxTransport(transport), AsyncHttpxTransport(transport))

    return build


def test_real_transport(call, answering):
    """The library's HTTP transport carries request and answer, on a connection that it keeps."""
    server = answering()

    assert [(200, b"ok")] * 3 == [(it.head.status, it.body) for it in (call(server.url + "/v1?a=1") for _ in range(3))]
    assert server.requests[0].startswith(b"POST /v1?a=1 HTTP/1.1\r\n")
    assert b"Bearer sk-CANARY" in server.requests[0]
    assert server.requests[0].endswith(b'{"hello": 1}')
    assert 1 == server.accepted


def test_mock(mocked):
    """A mock transport sees the request and answers."""
    call = mocked(
        lambda request: httpx.Response(201, json={"path": request.url.path, "body": request.content.decode()})
    )

    result = call("https://127.0.0.1/v1/x")

    assert (201, b'{"path":"/v1/x","body":"{\\"hello\\": 1}"}') == (result.head.status, result.body)


def test_undeclared_host(mocked):
    """Only declared hosts are handed on, and metadata addresses never."""
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(200)

    call = mocked(handler)

    assert "refused" == call("https://evil.test/").head.kind
    assert "refused" == call("http://169.254.169.254/", place=Place(frozenset({"169.254.169.254"}))).head.kind
    assert [] == seen


def test_redirect_is_not_followed(mocked):
    """A redirect is an answer."""
    call = mocked(lambda request: httpx.Response(302, headers={"location": "https://evil.test/"}))

    assert 302 == call("https://127.0.0.1/").head.status


def test_compressed(mocked):
    """Compressed bodies are undone, within the limits."""
    packed = gzip.compress(bytes(2_000_000))
    call = mocked(
        lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(packed))
    )

    assert "too_large" == call("https://127.0.0.1/").body.kind
    assert bytes(2_000_000) == call("https://127.0.0.1/", limits=Limits(ratio=2000)).body


@pytest.mark.parametrize(
    "raised, kind, sent",
    [
        (httpx.ConnectError("no"), "connect", "no"),
        (httpx.ConnectTimeout("no"), "timeout_connect", "no"),
        (httpx.ReadTimeout("no"), "timeout_first_byte", "yes"),
        (httpx.WriteError("no"), "reset", "partial"),
        (httpx2.ProxyError("no"), "proxy", "no"),
        (ConnectionRefusedError(), "connect", "no"),
        (RuntimeError("Bearer sk-CANARY"), "protocol", "partial"),
    ],
)
def test_exceptions(mocked, raised, kind, sent):
    """Whatever a transport raises comes back as a value."""

    def handler(request):
        raise raised

    broken = mocked(handler)("https://127.0.0.1/").head

    assert (kind, sent) == (broken.kind, broken.sent)
    assert "CANARY" not in repr(broken)


def test_cut_body(call, serve):
    """A body that stops short is a failure."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nshort")

    assert isinstance(call(serve(habit).url).body, Broken)


def test_pause_in_the_body(call, serve):
    """`idle` is handed on for each read of the body."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nshort")
        peer.gone()

    assert "timeout_idle" == call(serve(habit).url, timeouts=Timeouts(idle=0.2)).body.kind


def test_no_answer(call, serve):
    """`first_byte` and the deadline are handed on for the head."""
    server = serve(lambda peer: peer.request() and peer.gone())

    assert "timeout_first_byte" == call(server.url, timeouts=Timeouts(first_byte=0.2)).head.kind
    assert "deadline" == call(server.url, seconds=0.2).head.kind


def test_over_before_it_begins(mocked, ask):
    """Nothing is handed on after the deadline or a cancel, and no header that HTTP cannot carry."""
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(200)

    call = mocked(handler)
    cancellation = Cancellation()
    cancellation.cancel()

    assert "deadline" == call(ask("https://127.0.0.1/", seconds=-1)).head.kind
    assert "cancelled" == call(ask("https://127.0.0.1/", cancellation=cancellation)).head.kind
    assert "protocol" == call(ask("https://127.0.0.1/", headers=[("x", "\u2028")])).head.kind
    assert [] == seen


def test_cancel_in_the_body(call, serve):
    """A cancel from another thread ends a stream that stands still within 50 ms."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nhalf")
        peer.gone()

    cancellation, at = Cancellation(), []

    def cancel():
        time.sleep(0.2)
        at.append(time.monotonic())
        cancellation.cancel()

    threading.Thread(target=cancel).start()
    result = call(serve(habit).url, cancellation=cancellation)

    assert "cancelled" == result.body.kind
    assert time.monotonic() - at[0] < 0.05


def test_async_is_exact(serve, ask):
    """The async adapter bounds any transport, also one that knows no timeouts, and cancels it anywhere."""

    class Deaf(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            await asyncio.sleep(5)
            return httpx.Response(200)

    async def main():
        transport = AsyncHttpxTransport(Deaf())
        late = await transport.open(ask("https://127.0.0.1/", seconds=0.2))
        cancellation = Cancellation()
        threading.Timer(0.2, cancellation.cancel).start()
        cancelled = await transport.open(ask("https://127.0.0.1/", cancellation=cancellation))
        return late, cancelled

    assert (Broken("deadline", "yes"), Broken("cancelled", "yes")) == asyncio.run(main())


def test_the_users_transport_stays_open(ask):
    """Closing ours leaves theirs to them: they made it."""
    closed = []

    class Theirs(httpx.BaseTransport):
        def handle_request(self, request):
            return httpx.Response(200)

        def close(self):
            closed.append(True)

    HttpxTransport(Theirs()).close()

    assert [] == closed
