"""Connections serve again, and never in a way that shows."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import pytest

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.base import Outgoing, Place, TlsFiles
from byollm.transports.pool import Pool
from byollm.transports.sync_http import HttpTransport

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


class Thing:
    """Something to keep in a pool."""

    def __init__(self, name: str, stale: bool = False) -> None:
        self.name = name
        self.stale = stale
        self.discarded = False

    def is_stale(self) -> bool:
        return self.stale

    def discard(self) -> None:
        self.discarded = True


def test_last_in_first_out():
    """The connection used last is used next, so that the others may grow old."""
    pool: Pool[Thing] = Pool()
    for name in "abc":
        pool.give("key", Thing(name))

    taken = [pool.take("key") for _ in range(4)]

    assert ["c", "b", "a", None] == [thing and thing.name for thing in taken]


def test_the_oldest_goes():
    """One too many: the oldest is discarded."""
    pool: Pool[Thing] = Pool(most=2)
    things = [Thing(name) for name in "abc"]
    for thing in things:
        pool.give("key", thing)

    assert [True, False, False] == [thing.discarded for thing in things]


def test_expiry():
    """What waited too long is discarded, at the latest when its neighbour comes in."""
    pool: Pool[Thing] = Pool(keep=0.05)
    old, new = Thing("old"), Thing("new")
    pool.give("key", old)
    time.sleep(0.06)
    pool.give("key", new)

    assert [True, False] == [old.discarded, new.discarded]
    time.sleep(0.06)
    assert pool.take("key") is None
    assert new.discarded


def test_stale_things_are_passed_over():
    """A connection that the server closed is discarded on the way to a good one."""
    pool: Pool[Thing] = Pool()
    pool.give("key", Thing("good"))
    pool.give("key", Thing("bad", stale=True))

    taken = pool.take("key")
    assert taken is not None
    assert "good" == taken.name


def test_sixteen_threads(answering, ask):
    """Sixteen threads share one transport: every call gets its own answer, on a handful of connections."""
    server, answers = answering(), []
    transport: Any = HttpTransport()

    def work():
        for _ in range(25):
            response = transport.open(ask(server.url))
            answers.append(response.read())
            response.read()
            response.close(reuse=True)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transport.close()

    assert [b"ok"] * 400 == answers
    assert server.accepted <= 16


async def one_call(transport, request):
    """The body of one call."""
    response = await transport.open(request)
    body = await response.read()
    assert b"" == await response.read()
    await response.close(reuse=True)
    return body


def test_two_event_loops(answering, ask):
    """Two `asyncio.run` in a row share a transport; the second never touches what the first left."""
    server, transport = answering(), AsyncHttpTransport()

    assert b"ok" == asyncio.run(one_call(transport, ask(server.url)))
    assert b"ok" == asyncio.run(one_call(transport, ask(server.url)))
    assert 2 == server.accepted


def test_two_event_loops_at_once(answering, ask):
    """Loops in two threads share a transport."""
    server, transport, bodies = answering(), AsyncHttpTransport(), []

    async def several():
        for _ in range(20):
            bodies.append(await one_call(transport, ask(server.url)))

    threads = [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(transport.aclose())

    assert [b"ok"] * 40 == bodies
    assert 2 == server.accepted


def test_dead_loops_leave_nothing(serve, ask):
    """The connections of a loop that is over are closed when the next one begins."""
    gone = threading.Semaphore(0)

    def habit(peer):
        while peer.request():
            peer.send(OK)
        gone.release()

    server, transport = serve(habit), AsyncHttpTransport()
    loops = [asyncio.Runner() for _ in range(2)]
    for runner in loops:
        with runner:
            runner.run(one_call(transport, ask(server.url)))

    assert gone.acquire(timeout=5)


def test_nobody_closes(answering, ask):
    """A transport that is never closed goes away without a warning, and so does an answer that nobody read."""
    server = answering()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sync: Any = HttpTransport()
        asynchronous = AsyncHttpTransport()
        sync.open(ask(server.url)).read()
        response = sync.open(ask(server.url))
        response.read(), response.read(), response.close(reuse=True)
        asyncio.run(one_call(asynchronous, ask(server.url)))
        asyncio.run(asynchronous.open(ask(server.url)))
        del sync, asynchronous, response
        gc.collect()

    assert [] == [str(warning.message) for warning in caught]


FORK = """
import os, sys, time
from byollm.transports.base import *
from byollm.transports.sync_http import HttpTransport

transport, url = HttpTransport(), sys.argv[1]

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
    """A child of a fork opens its own connection, and the parent goes on with its own."""
    server = answering()

    done = subprocess.run([sys.executable, "-c", FORK, server.url], capture_output=True, timeout=30, check=False)

    assert (0, b"") == (done.returncode, done.stderr)
    assert 2 == server.accepted
    assert 4 == len(server.requests)


def test_first_use_imports_nothing():
    """Making a transport imports no HTTP library, no ssl and no asyncio: that waits for the first call."""
    program = (
        "import sys; from byollm.transports.choose import make_transport; make_transport('httpx');"
        "print(sorted({'httpx', 'httpcore', 'h11', 'ssl', 'asyncio', 'anyio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True)

    assert b"[]\n" == done.stdout
