"""One transport in many threads, event loops and processes; what nobody closes goes away quietly."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import warnings
from typing import Any

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.sync_http import HttpTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


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
