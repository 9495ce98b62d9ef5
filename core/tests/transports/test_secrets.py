"""A key goes to the provider, and stays nowhere else."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
import time
import traceback
import types
from typing import Any

import pytest

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.base import Broken, Outgoing, Place
from byollm.transports.sync_http import HttpTransport

CANARY = "CANARY"


def everything_in(root: object) -> list[object]:
    """All objects that can be reached from one, modules and classes aside."""
    seen, waiting = {id(root): root}, [root]
    while waiting:
        for child in gc.get_referents(waiting.pop()):
            if isinstance(child, types.ModuleType | type | types.FunctionType) or id(child) in seen:
                continue
            seen[id(child)] = child
            waiting.append(child)
    return list(seen.values())


def holds_key(root: object) -> bool:
    """True when a string or bytes with the key can be reached."""
    found = everything_in(root)
    texts = [it for it in found if isinstance(it, str)]
    raw = [bytes(it) for it in found if isinstance(it, bytes | bytearray)]
    return any(CANARY in it for it in texts) or any(CANARY.encode() in it for it in raw)


def test_the_search_works(ask):
    """The search finds a key where there is one."""
    assert holds_key(ask("http://127.0.0.1/"))


def test_nothing_is_held_after_a_call(call, answering):
    """Neither the transport nor its idle connections hold anything of the request."""
    call(answering().url)

    assert 1 == call.idle()
    assert not holds_key(call.transport)


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut"])
def test_nothing_is_held_after_a_failure(call, serve, answer):
    """Nor after one that failed, and the failure itself holds nothing."""

    def habit(peer):
        peer.request()
        peer.send(answer)

    result = call(serve(habit).url)

    assert not holds_key([call.transport, *result])


def test_no_exception_is_left_behind(call, serve):
    """No exception of a library outlives the call: its frames would hold the request."""

    def habit(peer):
        peer.request()
        peer.send(b"garbage\r\n\r\n")

    call(serve(habit).url)
    gc.collect()

    left = [
        it for it in gc.get_objects() if isinstance(it, Exception) and type(it).__module__.startswith(("h11", "httpc"))
    ]
    assert [] == left


def test_nothing_in_the_log(call, answering, caplog):
    """With everything at DEBUG nothing of a call is written, not even when a provider echoes the key."""
    caplog.set_level(logging.DEBUG)
    server = answering(b"HTTP/1.1 200 OK\r\nx-echo: Bearer sk-CANARY\r\ncontent-length: 2\r\n\r\nok")

    assert "Bearer sk-CANARY" == call(server.url).head.headers["x-echo"]
    assert CANARY not in caplog.text
    assert [] == [record.name for record in caplog.records if record.name.startswith(("http", "h11"))]


def test_representations(ask):
    """A request, and a place behind a proxy with a password, do not show what is secret."""
    request: Outgoing = ask("http://127.0.0.1/", place=Place(frozenset(), proxy="http://u:CANARY@h/"))

    assert CANARY not in repr(request)
    assert CANARY not in repr(request.place)


def shown(error: BaseException) -> str:
    """Everything that a traceback with locals would print."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize("waiting_for", ["connection", "sending", "head", "body"])
def test_traceback_of_a_cancelled_task(serve, ask, black_hole, waiting_for):
    """A task that is cancelled anywhere shows no key, not even in a traceback with locals."""

    def habit(peer):
        if waiting_for != "sending":
            peer.request()
        if waiting_for == "body":
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        time.sleep(0.6)

    url = black_hole if waiting_for == "connection" else serve(habit).url
    body = b"x" * 20_000_000 if waiting_for == "sending" else b"{}"

    async def main():
        transport: Any = AsyncHttpTransport()

        async def ask_it():
            return await (await transport.open(ask(url, body=body))).read()

        task = asyncio.create_task(ask_it())
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait({task})
        try:
            task.result()
        except asyncio.CancelledError as error:
            return shown(error)

    text = asyncio.run(main())
    assert text is not None
    assert "async_http.py" in text
    assert CANARY not in text


@pytest.mark.parametrize("waiting_for", ["connection", "sending", "head", "body"])
def test_traceback_of_an_interrupt(serve, ask, black_hole, waiting_for):
    """Ctrl-C in a blocking call drops the connection, and its traceback shows no key either."""
    gone = threading.Event()

    def habit(peer):
        if waiting_for != "sending":
            peer.request()
        if waiting_for == "body":
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        time.sleep(0.6)
        try:
            while peer.socket.recv(1 << 20):
                pass
        except ConnectionError:
            pass
        gone.set()

    def interrupt(*_):
        raise KeyboardInterrupt

    url = black_hole if waiting_for == "connection" else serve(habit).url
    body = b"x" * 20_000_000 if waiting_for == "sending" else b"{}"
    transport: Any = HttpTransport()
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt) as raised:
            transport.open(ask(url, body=body)).read()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert CANARY not in shown(raised.value)
    assert waiting_for == "connection" or gone.wait(5)


def test_failures_are_plain(call: Any):
    """A failure is three short words."""
    broken = call("http://127.0.0.1:1/").head

    assert isinstance(broken, Broken)
    assert CANARY not in repr(broken)
