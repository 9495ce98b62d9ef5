"""A call can be cancelled from any thread, wherever it hangs."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from typing import Any

import pytest

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.base import Broken, Cancellation, Place
from byollm.transports.progress import Interrupted
from byollm.transports.sync_http import HttpTransport

HEAD = b"HTTP/1.1 200 OK\r\n"


def hang(peer):
    """Read a request and never answer."""
    peer.request()
    peer.gone()


def hang_in_body(peer):
    """Answer half, and never the other half."""
    peer.request()
    peer.send(HEAD + b"content-length: 100\r\n\r\nhalf")
    peer.gone()


def slow_resolver(*_, **__):
    """A resolver that hangs."""
    time.sleep(2)
    return []


def cancelled_after(call, seconds, url, **changes):
    """Cancel a call from another thread: how it broke, and how long after the cancel it ended."""
    cancellation = Cancellation()
    at = []

    def cancel():
        time.sleep(seconds)
        at.append(time.monotonic())
        cancellation.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    result = call(url, cancellation=cancellation, seconds=5, **changes)
    ended = time.monotonic()
    thread.join()
    return result, ended - at[0]


def test_before_the_head(call, serve):
    """A provider that does not answer: ended within 50 ms."""
    result, seconds = cancelled_after(call, 0.2, serve(hang).url)

    assert ("cancelled", "yes") == (result.head.kind, result.head.sent)
    assert seconds < 0.05


def test_in_the_body(call, serve):
    """A stream that stands still: ended within 50 ms, and the connection is not kept."""
    result, seconds = cancelled_after(call, 0.2, serve(hang_in_body).url)

    assert "cancelled" == result.body.kind
    assert seconds < 0.05
    assert 0 == call.idle()


def test_while_connecting(call, black_hole):
    """A host that takes no connection: ended within 50 ms, nothing sent."""
    result, seconds = cancelled_after(call, 0.2, black_hole)

    assert ("cancelled", "no") == (result.head.kind, result.head.sent)
    assert seconds < 0.05


def test_while_resolving(call, monkeypatch):
    """A resolver that hangs: ended at once."""
    monkeypatch.setattr(socket, "getaddrinfo", slow_resolver)

    result, seconds = cancelled_after(call, 0.2, "http://slow.test/", place=Place(frozenset({"slow.test"})))

    assert ("cancelled", "no") == (result.head.kind, result.head.sent)
    assert seconds < 0.5


def test_while_shaking_hands(call, serve):
    """A server that never finishes TLS: ended at once, nothing sent."""
    url = serve(lambda peer: peer.socket.recv(1000) and peer.gone()).url.replace("http:", "https:")

    result, seconds = cancelled_after(call, 0.2, url)

    assert ("cancelled", "no") == (result.head.kind, result.head.sent)
    assert seconds < 0.5


def test_while_sending(call, serve):
    """A server that takes no body: ended at once, partly sent."""
    result, seconds = cancelled_after(call, 0.4, serve(lambda _: time.sleep(2)).url, body=b"x" * 20_000_000)

    assert ("cancelled", "partial") == (result.head.kind, result.head.sent)
    assert seconds < 0.5


def test_before_the_call(call, answering):
    """A call that is cancelled before it begins sends nothing."""
    server, cancellation = answering(), Cancellation()
    cancellation.cancel()

    assert Broken("cancelled", "no") == call(server.url, cancellation=cancellation).head
    assert 0 == server.accepted


def test_before_the_call_with_an_idle_connection(call, answering):
    """Nor does it when a connection is open already."""
    server, cancellation = answering(), Cancellation()
    call(server.url)
    cancellation.cancel()

    broken = call(server.url, cancellation=cancellation).head

    assert ("cancelled", "no") == (broken.kind, broken.sent)
    assert 1 == len(server.requests)


def test_after_the_call(call, answering):
    """A cancel that comes late harms nobody who uses the connection next."""
    server, cancellation = answering(), Cancellation()
    call(server.url, cancellation=cancellation)
    cancellation.cancel()

    assert b"ok" == call(server.url).body
    assert 1 == server.accepted


@pytest.mark.parametrize("habit", [hang, hang_in_body])
def test_task_cancelled(serve, ask, habit):
    """A cancelled task gets its CancelledError, and its connection is closed at once."""
    gone = threading.Event()

    def watched(peer):
        habit(peer)
        gone.set()

    async def main():
        transport = AsyncHttpTransport()

        async def read():
            response = await transport.open(ask(serve(watched).url))
            assert not isinstance(response, Broken)
            while await response.read():
                pass

        task = asyncio.create_task(read())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.to_thread(gone.wait, 2)

    assert asyncio.run(main())


def test_task_cancelled_while_connecting(black_hole, ask):
    """Also while there is no connection yet."""

    async def main():
        task = asyncio.create_task(AsyncHttpTransport().open(ask(black_hole)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [
            other for other in asyncio.all_tasks() if other is not asyncio.current_task() and not other.cancelling()
        ]

    assert [] == asyncio.run(main())


def test_asyncio_timeout(serve, ask):
    """`asyncio.timeout` around a call is a TimeoutError, as everywhere in asyncio."""

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await AsyncHttpTransport().open(ask(serve(hang).url))

    asyncio.run(main())


class Overtime(Exception):
    """What a program's own alarm raises, as task queues do."""


@pytest.fixture
def alarm():
    """A signal handler that raises what it is given, soon."""
    before = signal.getsignal(signal.SIGALRM)

    def set_off(error):
        def ring(*_):
            raise error

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.1)

    yield set_off
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def take_nothing(peer):
    """Read no body."""
    peer.socket.recv(1)
    time.sleep(3)


@pytest.mark.parametrize("kind", [Overtime, TimeoutError])
@pytest.mark.parametrize("habit, body", [(hang, b"{}"), (hang_in_body, b"{}"), (take_nothing, b"x" * 20_000_000)])
def test_what_a_signal_handler_raises_is_the_callers(serve, ask, alarm, kind, habit, body):
    """It is not taken for a failure of the way, and the connection is dropped."""
    transport, error = HttpTransport(), kind()
    alarm(error)

    with pytest.raises(Interrupted) as raised:
        opened: Any = transport.open(ask(serve(habit).url, body=body))
        while opened.read():
            pass

    assert error is raised.value.error
    assert 0 == len(transport._pool)


@pytest.mark.parametrize("kind", [Overtime, TimeoutError])
def test_so_it_is_while_there_is_no_connection(ask, alarm, kind, black_hole, monkeypatch):
    """Neither an address nor a name that does not answer changes that."""
    monkeypatch.setattr(socket, "getaddrinfo", slow_resolver)
    for url in (black_hole, "http://slow.test"):
        alarm(kind())
        with pytest.raises(Interrupted):
            HttpTransport().open(ask(url, place=Place(frozenset({"127.0.0.1", "slow.test"}))))
