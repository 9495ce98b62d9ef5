"""Connections serve again, and never in a way that shows."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.base import Kept, Outgoing, Place, TlsFiles

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_reuse(call, answering):
    """One connection serves call after call."""
    server = answering()

    assert [b"ok"] * 5 == [call(server.url).body for _ in range(5)]
    assert 1 == server.accepted


def test_not_after_connection_close(call, answering):
    """A server that says `connection: close` is believed."""
    server = answering(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")

    assert [b"ok"] * 2 == [call(server.url).body for _ in range(2)]
    assert 2 == server.accepted


def test_not_after_half_an_answer(call, serve, ask):
    """A connection whose answer was not read to its end serves no one else."""

    def habit(peer):
        while peer.request():
            peer.send(OK)

    server = serve(habit)

    async def half():
        response = await call.transport.open(ask(server.url))
        await response.close(reuse=True)

    if hasattr(call, "runner"):
        call.runner.run(half())
    else:
        call.transport.open(ask(server.url)).close(reuse=True)

    assert 0 == call.idle()


def test_idle_connection_closed_by_the_server(call, serve):
    """A server that dropped the idle connection is connected to anew, without a word."""

    def habit(peer):
        peer.request()
        peer.send(OK)

    server = serve(habit)

    assert [b"ok"] * 3 == [call(server.url).body for _ in range(3)]
    assert 3 == server.accepted


@pytest.mark.parametrize("end", ["close", "reset"])
def test_reused_connection_that_breaks_at_once(call, serve, end):
    """A reused connection that closes before any byte of the answer is opened again, once, without a word."""

    def habit(peer):
        peer.request()
        peer.send(OK)
        peer.request()
        if end == "reset":
            peer.reset()

    server = serve(habit)

    assert [b"ok"] * 3 == [call(server.url).body for _ in range(3)]
    assert 3 == server.accepted


def test_only_once(call, serve):
    """When the new connection breaks as well, that is told."""

    def habit(peer):
        peer.request()
        if server.accepted == 1:
            peer.send(OK)
            peer.request()

    server = serve(habit)
    call(server.url)

    assert "closed" == call(server.url).head.kind
    assert 2 == server.accepted


def test_not_when_an_answer_had_begun(call, serve):
    """A reused connection that breaks inside the answer is not opened again."""

    def habit(peer):
        peer.request()
        peer.send(OK)
        peer.request()
        peer.send(b"HTTP/1.1 2")

    server = serve(habit)
    call(server.url)

    assert ("closed", "yes") == (call(server.url).head.kind, "yes")
    assert 1 == server.accepted


def test_not_when_it_worked_for_a_while(call, serve):
    """A reused connection that breaks after a second broke at work: the request may be billed, and is not repeated."""

    def habit(peer):
        peer.request()
        peer.send(OK)
        peer.request()
        time.sleep(1.2)

    server = serve(habit)
    call(server.url)

    broken = call(server.url).head
    assert ("closed", "yes") == (broken.kind, broken.sent)
    assert 1 == server.accepted


def test_unasked_bytes(call, serve):
    """A connection on which the server spoke unasked is not used again."""

    def habit(peer):
        peer.request()
        peer.send(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        peer.gone()

    server = serve(habit)

    assert [b"ok"] * 2 == [call(server.url).body for _ in range(2)]
    assert 2 == server.accepted


def test_unasked_bytes_in_tls(call, serve, server_tls, ca_file):
    """Nor where they came in a TLS record of their own, on the heels of the answer."""

    def habit(peer):
        peer.request()
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        if hasattr(socket, "TCP_CORK"):
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        peer.send(OK)
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_CORK"):
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        peer.gone()

    server = serve(habit, server_tls)
    place = Place(frozenset({"127.0.0.1"}), tls=TlsFiles(ca=ca_file))

    assert [b"ok"] * 2 == [call(server.url, place=place).body for _ in range(2)]
    assert 2 == server.accepted


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(Place(frozenset({"127.0.0.1"}), key="tenant b"), id="key"),
        pytest.param(Place(frozenset({"127.0.0.1"}), tls=TlsFiles(ca="other.pem")), id="tls"),
    ],
)
def test_kept_apart(call, answering, place):
    """Connections of different keys or TLS identities are never shared."""
    server = answering()
    call(server.url)
    call(server.url, place=place)
    call(server.url)

    assert 2 == server.accepted


async def opened(transport: Any, request: Outgoing) -> Any:
    """The open answer."""
    return await transport.open(request)


def test_many_at_once_leave_a_bounded_rest(serve, ask):
    """After a burst, no more than 64 connections wait."""

    def habit(peer):
        while peer.request():
            peer.send(OK)

    server = serve(habit)

    async def main():
        transport = AsyncHttpTransport()

        async def one():
            response = await opened(transport, ask(server.url))
            await response.read()
            await asyncio.sleep(0.3)
            assert b"" == await response.read()
            await response.close(reuse=True)

        await asyncio.gather(*[one() for _ in range(80)])
        left = len(transport._pool())
        await transport.aclose()
        return left

    assert 64 == asyncio.run(main())


def test_a_head_that_is_kept_fits_every_body(call, answering, ask):
    """Requests that differ in nothing but their body share what was written of their head, not its length."""
    server, kept = answering(), Kept()

    for body in (b"{}", b'{"longer": true}', b"{}"):
        assert b"ok" == call(ask(server.url, body=body, kept=kept)).body

    assert [b"{}", b'{"longer": true}', b"{}"] == [request.partition(b"\r\n\r\n")[2] for request in server.requests]
    assert [b"2", b"16", b"2"] == [_length(request) for request in server.requests]


def _length(request: bytes) -> bytes:
    return request.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
