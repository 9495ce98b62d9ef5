"""A call can be cancelled from any thread, wherever it hangs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.base import Broken, Cancellation, Place

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
