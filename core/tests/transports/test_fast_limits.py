"""`transport: pyreqwest`: what bounds a call, and what cancels it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from byollm.transports.async_fast import AsyncFastTransport
from byollm.transports.base import Broken, Cancellation, Timeouts
from byollm.transports.fast import FastTransport

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"content-length: 2\r\n\r\nok"


@pytest.fixture
def call(caller_of):
    """The fast transports."""
    return caller_of(FastTransport(), AsyncFastTransport())


def hang(peer):
    """Read a request and never answer."""
    peer.request()
    peer.gone()


def test_dripped_headers(call, serve):
    """A server that drips its headers ends within 1.1 of the deadline."""

    def habit(peer):
        peer.request()
        peer.drip(HEAD + b"x: " + b"y" * 400)

    begun = time.monotonic()
    broken = call(serve(habit).url, seconds=1.0).head

    assert "deadline" == broken.kind
    assert time.monotonic() - begun < 1.1


def test_dripped_body(call, serve):
    """So does one that drips its body."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(200):
            peer.chunk(b": ping\n\n")
            time.sleep(0.05)

    begun = time.monotonic()
    broken = call(serve(habit).url, seconds=1.0).body

    assert "deadline" == broken.kind
    assert time.monotonic() - begun < 1.1


def test_no_first_byte(call, serve):
    """An answer that does not begin in time is given up."""
    broken = call(serve(hang).url, timeouts=Timeouts(first_byte=0.3, idle=0.3)).head

    assert ("timeout_first_byte", "yes") == (broken.kind, broken.sent)


def test_pause_in_the_body(call, serve):
    """So is one that does not go on."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nshort")
        peer.gone()

    assert "timeout_idle" == call(serve(habit).url, timeouts=Timeouts(first_byte=0.3, idle=0.3)).body.kind


def test_deadline_that_is_over(call, answering, ask):
    """A call that begins after its deadline sends nothing."""
    server = answering()
    call(server.url)

    assert Broken("deadline", "no") == call(ask(server.url, seconds=-1)).head
    assert 1 == len(server.requests)


def test_cancel_before_the_head(call, serve):
    """A provider that does not answer: cancelled from another thread within 50 ms."""
    cancellation, at = Cancellation(), []

    def cancel():
        time.sleep(0.2)
        at.append(time.monotonic())
        cancellation.cancel()

    threading.Thread(target=cancel).start()
    broken = call(serve(hang).url, cancellation=cancellation).head
    ended = time.monotonic()

    assert "cancelled" == broken.kind
    assert ended - at[0] < 0.05


def test_cancel_ends_one_call_only(serve, ask):
    """Another call of the same transport, in flight at the same time, goes on."""
    go_on = threading.Event()

    def habit(peer):
        peer.request()
        go_on.wait(10)
        peer.send(OK)
        peer.gone()

    server, transport, cancellation = serve(habit), FastTransport(), Cancellation()
    found: dict[str, Any] = {}

    def work(name, **changes):
        found[name] = transport.open(ask(server.url, **changes))

    threads = [threading.Thread(target=work, args=("a",), kwargs={"cancellation": cancellation})]
    threads += [threading.Thread(target=work, args=("b",))]
    for thread in threads:
        thread.start()
    while server.accepted < 4:  # a probe and a connection each
        time.sleep(0.01)
    cancellation.cancel()
    threads[0].join()
    go_on.set()
    threads[1].join()

    assert ("cancelled", 200) == (found["a"].kind, found["b"].head.status)
    found["b"].close(reuse=False)


def test_cancel_in_the_body(call, serve):
    """A stream that runs ends with the next piece."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(100):
            peer.chunk(b": ping\n\n")
            time.sleep(0.05)

    cancellation = Cancellation()
    threading.Timer(0.3, cancellation.cancel).start()
    begun = time.monotonic()

    assert "cancelled" == call(serve(habit).url, cancellation=cancellation).body.kind
    assert time.monotonic() - begun < 1


def test_cancelled_before(call, answering):
    """A call that is cancelled before it begins sends nothing."""
    server, cancellation = answering(), Cancellation()
    cancellation.cancel()

    assert Broken("cancelled", "no") == call(server.url, cancellation=cancellation).head
    assert [] == server.requests


def test_task_cancelled(serve, ask):
    """A cancelled task gets its CancelledError."""

    async def main():
        task = asyncio.create_task(AsyncFastTransport().open(ask(serve(hang).url)))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
