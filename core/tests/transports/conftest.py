"""Real sockets on 127.0.0.1: small servers with one habit each, and both transports behind one word."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.base import Broken, Cancellation, Limits, Outgoing, Place, Timeouts
from byollm.transports.sync_http import HttpTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Peer:
    """One accepted connection, seen from the server."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened

    def request(self) -> bytes:
        """The next whole request, b"" when the client is gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.socket.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < sum(lengths):
            body += self.socket.recv(65536)
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def drip(self, data: bytes) -> None:
        """A byte every 50 ms."""
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(0.05)

    def gone(self) -> bool:
        """Wait until the client closes."""
        try:
            return self.socket.recv(1) == b""
        except OSError:
            return True

    def reset(self) -> None:
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class Server:
    """A listening server. `requests` are those read whole by `answering`, `accepted` counts connections."""

    port: int
    scheme: str = "http"
    accepted: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


Habit = Callable[[Peer], object]


class Result(NamedTuple):
    """What a call came to: the status and headers, or how it broke; the body, or how that broke."""

    head: Any
    body: Any


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server that treats every connection by one habit; over TLS when given a context."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(habit: Habit, tls: ssl.SSLContext | None = None) -> Server:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        listeners.append(listener)
        server = Server(listener.getsockname()[1], "https" if tls else "http")

        def treat(opened: socket.socket) -> None:
            peer = None
            try:
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                opened.settimeout(10)
                if tls is not None:
                    opened = tls.wrap_socket(opened, server_side=True)
                peer = Peer(opened)
                habit(peer)
            except OSError:
                pass
            finally:
                opened.close()

        def accept() -> None:
            while True:
                try:
                    opened, _ = listener.accept()
                except OSError:
                    return
                server.accepted += 1
                thread = threading.Thread(target=treat, args=(opened,), daemon=True)
                threads.append(thread)
                thread.start()

        thread = threading.Thread(target=accept, daemon=True)
        threads.append(thread)
        thread.start()
        return server

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def answering(serve: Callable[..., Server]) -> Callable[..., Server]:
    """A server that answers each request of a connection with the same bytes, and keeps what it was asked."""

    def start(answer: bytes = OK, tls: ssl.SSLContext | None = None) -> Server:
        def habit(peer: Peer) -> None:
            while request := peer.request():
                server.requests.append(request)
                peer.send(answer)

        server = serve(habit, tls)
        return server

    return start


def outgoing(url: str, **changes: Any) -> Outgoing:
    """A request to loopback with a key, 5 seconds and the usual timeouts."""
    cancellation = changes.pop("cancellation", None) or Cancellation()
    seconds = changes.pop("seconds", 5.0)
    place = changes.pop("place", Place(frozenset({"127.0.0.1"})))
    request = Outgoing(
        method="POST",
        url=url,
        headers=[("authorization", "Bearer sk-CANARY-0123456789")],
        body=b'{"hello": 1}',
        place=place,
        timeouts=Timeouts(),
        deadline=None if seconds is None else time.monotonic() + seconds,
        cancellation=cancellation,
        limits=Limits(),
    )
    return replace(request, **changes)


@pytest.fixture
def ask() -> Callable[..., Outgoing]:
    """See `outgoing`."""
    return outgoing


class SyncCaller:
    """Calls the sync transport."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def __call__(self, request: Outgoing | str, **changes: Any) -> Result:
        """Open, read to the end, close for reuse."""
        response = self.transport.open(outgoing(request, **changes) if isinstance(request, str) else request)
        if isinstance(response, Broken):
            return Result(response, None)
        pieces = []
        while piece := response.read():
            if isinstance(piece, Broken):
                response.close(reuse=False)
                return Result(response.head, piece)
            pieces.append(piece)
        response.close(reuse=True)
        return Result(response.head, b"".join(pieces))

    def pieces(self, request: Outgoing, heard: Callable[[], object] = int) -> list[bytes]:
        """What each single read gave; `heard` is called after each."""
        response = self.transport.open(request)
        found = []
        while piece := response.read():
            found.append(piece)
            heard()
        response.close(reuse=True)
        return found

    def idle(self) -> int:
        """How many connections wait."""
        return len(self.transport._pool)

    def close(self) -> None:
        self.transport.close()


class AsyncCaller:
    """Calls the async transport, on one event loop of its own."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.runner = asyncio.Runner()

    def __call__(self, request: Outgoing | str, **changes: Any) -> Result:
        return self.runner.run(self.call(outgoing(request, **changes) if isinstance(request, str) else request))

    async def call(self, request: Outgoing) -> Result:
        response = await self.transport.open(request)
        if isinstance(response, Broken):
            return Result(response, None)
        pieces = []
        while piece := await response.read():
            if isinstance(piece, Broken):
                await response.close(reuse=False)
                return Result(response.head, piece)
            pieces.append(piece)
        await response.close(reuse=True)
        return Result(response.head, b"".join(pieces))

    def pieces(self, request: Outgoing, heard: Callable[[], object] = int) -> list[bytes]:
        async def read_all() -> list[bytes]:
            response = await self.transport.open(request)
            found = []
            while piece := await response.read():
                found.append(piece)
                heard()
            await response.close(reuse=True)
            return found

        return self.runner.run(read_all())

    def idle(self) -> int:
        return sum(len(pool) for pool in self.transport._pools.values())

    def close(self) -> None:
        self.runner.run(self.transport.aclose())
        self.runner.close()


@pytest.fixture(params=["sync", "async", "sync httptools", "async httptools"])
def call(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Our own transport, sync and async, with either parser: `call(url)` gives a `Result`."""
    way, _, name = request.param.partition(" ")
    parser: Any = name or "h11"
    caller = SyncCaller(HttpTransport(parser)) if way == "sync" else AsyncCaller(AsyncHttpTransport(parser))
    yield caller
    caller.close()


@pytest.fixture(params=["sync", "async"])
def caller_of(request: pytest.FixtureRequest) -> Iterator[Callable[[Any, Any], Any]]:
    """Wrap transports of a test's own: `caller_of(sync_transport, async_transport)`."""
    made: list[Any] = []

    def wrap(sync: Any, asynchronous: Any) -> Any:
        made.append(SyncCaller(sync) if request.param == "sync" else AsyncCaller(asynchronous))
        return made[-1]

    yield wrap
    for caller in made:
        caller.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of today."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its certificate as a file."""
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's context for 127.0.0.1 and localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A URL whose port takes no connection and refuses none: its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        opened = socket.socket()
        opened.setblocking(False)
        opened.connect_ex(listener.getsockname())
        waiting.append(opened)
    time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    for opened in [*waiting, listener]:
        opened.close()
