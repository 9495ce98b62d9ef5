"""`transport: pyreqwest` keeps the same promises, but for those its page says it cannot."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import sys
import threading

import pytest

from byollm.transports.async_fast import AsyncFastTransport
from byollm.transports.base import Broken, Limits, Place, Timeouts, TlsFiles
from byollm.transports.fast import FastTransport

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"content-length: 2\r\n\r\nok"


@pytest.fixture
def call(caller_of):
    """The fast transports."""
    return caller_of(FastTransport(), AsyncFastTransport())


def test_request_and_answer(call, answering):
    """What was asked goes out, what was answered comes back."""
    server = answering(b"HTTP/1.1 201 Made\r\nX-A: 1\r\nX-a: 2\r\ncontent-length: 5\r\n\r\nhello")

    result = call(server.url + "/v1/chat?a=1")

    assert (201, "1, 2", b"hello") == (result.head.status, result.head.headers["x-a"], result.body)
    assert server.requests[0].startswith(b"POST /v1/chat?a=1 HTTP/1.1\r\n")
    assert b"Bearer sk-CANARY-0123456789" in server.requests[0]
    assert server.requests[0].endswith(b'{"hello": 1}')


def test_reuse(call, answering):
    """After a probe that finds the address, one connection serves call after call."""
    server = answering()

    assert [b"ok"] * 5 == [call(server.url).body for _ in range(5)]
    assert 2 == server.accepted


def test_first_token_is_not_held_back(call, serve, ask):
    """The first token of a stream is read before the second is sent."""
    heard = threading.Event()

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        peer.chunk(b"first")
        heard.wait(10)
        peer.chunk(b"second")
        peer.send(b"0\r\n\r\n")
        peer.gone()

    assert [b"first", b"second"] == call.pieces(ask(serve(habit).url, seconds=3), heard.set)


def test_redirect_is_not_followed(call, answering):
    """A redirect is an answer."""
    server = answering(b"HTTP/1.1 307 Go\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")

    assert 307 == call(server.url).head.status
    assert 1 == len(server.requests)


def test_compressed(call, answering, ask):
    """Compressed bodies are undone, and bombs stopped."""
    packed = gzip.compress(bytes(10_000_000))
    server = answering(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed)

    assert "too_large" == call(server.url).body.kind
    assert bytes(10_000_000) == call(ask(server.url, limits=Limits(ratio=2000))).body


@pytest.mark.parametrize("url", ["http://evil.test/", "http://user@127.0.0.1/", "http://127.0.0.1\\@evil.test/"])
def test_undeclared(call, url):
    """Only declared hosts are talked to."""
    assert "refused" == call(url).head.kind


def test_name_that_resolves_to_metadata(call, monkeypatch):
    """A name that resolves to a metadata service is refused before a byte leaves."""
    resolved = [(socket.AF_INET, 1, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)

    broken = call("http://model.test/", place=Place(frozenset({"model.test"}))).head

    assert ("refused", "no") == (broken.kind, broken.sent)


def test_connects_to_the_checked_address(call, answering, monkeypatch):
    """The library does not resolve again: it connects where the check looked."""
    server = answering()
    resolved = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)

    result = call(f"http://no-such-name.test:{server.port}/", place=Place(frozenset({"no-such-name.test"})))

    assert b"ok" == result.body


@pytest.mark.parametrize(
    "answer, kind",
    [
        (b"", "closed"),
        (b"HTTP/1.1 20", "closed"),
        (HEAD + b"content-length: 100\r\n\r\nshort", "closed"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n64\r\nshort", "closed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\nshort", "protocol"),
        (HEAD + b"content-encoding: br\r\ncontent-length: 2\r\n\r\nok", "protocol"),
        (HEAD + b"x: " + b"y" * 1_000_000 + b"\r\n\r\n", "too_large"),
        (HEAD + b"x: " + b"y" * 70_000 + b"\r\n\r\n", "too_large"),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "protocol"),
    ],
)
def test_broken_answers(call, serve, answer, kind):
    """What goes wrong has the same names as on the default transport."""

    def habit(peer):
        peer.request()
        peer.send(answer)

    result = call(serve(habit).url)
    broken = result.head if isinstance(result.head, Broken) else result.body

    assert (kind, "yes") == (broken.kind, broken.sent)


def test_nobody_listens(call):
    """A refused connection: nothing was sent."""
    assert ("connect", "no") == (call("http://127.0.0.1:1/").head.kind, "no")


def test_header_that_cannot_be_sent(call, answering, ask):
    """A header that would break the request is refused and not quoted."""
    server = answering()

    broken = call(ask(server.url, headers=[("x-bad", "CANARY\r\nbreak")])).head

    assert ("protocol", "no", False) == (broken.kind, broken.sent, "CANARY" in repr(broken))


def test_half_an_answer(call, serve, ask):
    """An answer that is dropped half read ends its connection, and the next call is served."""

    def habit(peer):
        while peer.request():
            peer.send(HEAD + b"content-length: 100\r\n\r\n" + b"x" * 50)

    server = serve(habit)

    async def half():
        response = await call.transport.open(ask(server.url))
        await response.close(reuse=False)
        return await response.read()

    if hasattr(call, "runner"):
        found = call.runner.run(half())
    else:
        response = call.transport.open(ask(server.url))
        response.close(reuse=False)
        found = response.read()

    assert "closed" == found.kind
    assert 200 == call(server.url, timeouts=Timeouts(first_byte=0.2, idle=0.2)).head.status


def test_idle_connection_closed_by_the_server(call, serve):
    """A server that dropped the idle connection is connected to anew, without a word."""

    def habit(peer):
        peer.request()
        peer.send(OK)

    server = serve(habit)

    assert [b"ok"] * 3 == [call(server.url).body for _ in range(3)]


def test_two_event_loops(answering, ask):
    """Two `asyncio.run` in a row share a transport."""
    server, transport = answering(), AsyncFastTransport()

    async def one():
        response = await transport.open(ask(server.url))
        assert not isinstance(response, Broken)
        return await response.read()

    assert [b"ok", b"ok"] == [asyncio.run(one()), asyncio.run(one())]


def test_sixteen_threads(answering, ask):
    """Sixteen threads share one transport."""
    server, answers = answering(), []
    transport = FastTransport()

    def work():
        for _ in range(10):
            response = transport.open(ask(server.url))
            assert not isinstance(response, Broken)
            answers.append(response.read())
            response.read()
            response.close(reuse=True)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [b"ok"] * 160 == answers


def test_trust(call, answering, server_tls, ca_file):
    """A CA bundle is trusted; without it the server gets nothing."""
    server = answering(tls=server_tls)
    trusting = Place(frozenset({"localhost"}), tls=TlsFiles(ca=ca_file))
    url = server.url.replace("127.0.0.1", "localhost")

    broken = call(url, place=Place(frozenset({"localhost"}))).head
    assert ("tls", "no") == (broken.kind, broken.sent)
    assert [] == server.requests
    assert b"ok" == call(url, place=trusting).body


def test_client_certificate(call, answering, authority, ca_file, tmp_path):
    """A server that wants to know us is shown our certificate, and one that refuses us never saw the request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    issued = authority.issue_cert("client.test")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    server = answering(tls=context)
    url = server.url.replace("127.0.0.1", "localhost")
    known = TlsFiles(ca_file, str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))

    refused = call(url, place=Place(frozenset({"localhost"}), tls=TlsFiles(ca_file))).head
    assert refused.kind in ("tls", "reset", "closed")
    assert [] == server.requests
    assert b"ok" == call(url, place=Place(frozenset({"localhost"}), tls=known)).body


@pytest.mark.parametrize("files, word", [(TlsFiles(ca="/nowhere"), "tls.ca"), (TlsFiles(cert="/nowhere"), "tls.cert")])
def test_files_that_cannot_be_used(call, answering, files, word):
    """A file that is missing is named by its key in the configuration."""
    url = answering().url.replace("http:", "https:")

    broken = call(url, place=Place(frozenset({"127.0.0.1"}), tls=files)).head

    assert ("tls", "no", True) == (broken.kind, broken.sent, word in broken.detail)


def test_proxy(call, serve, answering):
    """Plain http is handed to the proxy, with user and password; a refused tunnel is a failure of the proxy."""
    origin, seen = answering(), []

    def habit(peer):
        seen.append(peer.request())
        peer.send(b"HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n" if seen[-1].startswith(b"CONNECT") else OK)

    proxy = serve(habit).url.replace("//", "//user:pass@")
    place = Place(frozenset({"127.0.0.1"}), proxy=proxy)

    assert b"ok" == call(origin.url, place=place).body
    assert "proxy" == call(origin.url.replace("http:", "https:"), place=place).head.kind
    assert [b"POST", b"CONNECT"] == [it.split(b" ")[0] for it in seen if it]
    assert all(b"asic dXNlcjpwYXNz" in it for it in seen if it)
    assert 0 == origin.accepted


def test_a_proxy_that_forwards_nothing_without_a_password(call, serve, answering):
    """Its 407 is its own, and no answer of the provider's: nothing was sent to that."""
    proxy = serve(lambda peer: peer.request() and peer.send(b"HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n"))
    place = Place(frozenset({"127.0.0.1"}), proxy=proxy.url)

    broken = call(answering().url, place=place).head

    assert Broken("proxy", "no", "the proxy wants a user name and password (407)") == broken


FORK = """
import os, sys, time
from byollm.transports.base import *
from byollm.transports.fast import FastTransport

transport, url = FastTransport(), sys.argv[1]

def call():
    place = Place(frozenset({"127.0.0.1"}))
    request = Outgoing("POST", url, [], b"{}", place, Timeouts(), time.monotonic() + 5, Cancellation())
    response = transport.open(request)
    body = response.read()
    assert b"" == response.read()
    response.close(True)
    return body

assert call() == b"ok"
child = os.fork()
if child == 0:
    os._exit(0 if call() == b"ok" and call() == b"ok" else 1)
assert os.waitpid(child, 0)[1] == 0
assert call() == b"ok"
"""


def test_fork(answering):
    """A child of a fork is served by the default transport: Rust's threads did not come along."""
    done = subprocess.run([sys.executable, "-c", FORK, answering().url], capture_output=True, timeout=30, check=False)

    assert (0, b"") == (done.returncode, done.stderr)
