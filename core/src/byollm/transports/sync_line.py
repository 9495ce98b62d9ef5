"""A connection for blocking code: the socket, TLS over it, and what a parser reads from and writes to."""

from __future__ import annotations

import errno
import selectors
import socket
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from byollm.transports.line import STAGGER, Line, pieces, unconnected, unreachable
from byollm.transports.names import Address, checked, literal, resolve
from byollm.transports.progress import Progress, Stop, unless_interrupted

if TYPE_CHECKING:
    import ssl

    from byollm.transports.message import Asked
    from byollm.transports.tls import TlsSession

_SLICE = 0.02
"""Seconds between two looks at `stopped` while connecting: a socket that is not connected yet cannot be shut down
everywhere (macOS says ENOTCONN and waits on)."""

_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, 10035})
"""What `connect_ex` says of a connection that is being made; 10035 is Windows' WSAEWOULDBLOCK."""

_SIZE = 64 * 1024

_LONGEST = 2_000_000.0
"""Seconds, three weeks: the most that the system's call for waiting takes. What is longer waits for ever."""


class Pipe(Protocol):
    """A byte stream: the socket, or TLS over one. Both raise Stop."""

    @property
    def pending(self) -> bool:
        """True when bytes wait in a buffer of ours."""
        ...

    def recv(self, size: int) -> bytes:
        """The next bytes; b"" at the end."""
        ...

    def send(self, data: bytes | memoryview) -> None:
        """Send all of it."""
        ...


class SyncLine(Line):
    """A plain socket for blocking code."""

    __slots__ = ("_resolved",)

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._resolved: SimpleQueue[list[Address] | None] = SimpleQueue()

    def connect(self, name: str, port: int) -> None:
        """Resolve, check every address, connect to one that was checked: no name is looked up twice. Raises Stop."""
        addresses = literal(name, port)
        if not addresses:
            resolve(name, port, self._resolved.put)
            addresses = self._await_addresses()
        self.adopt(self._race(checked(name, addresses)))

    def _await_addresses(self) -> list[Address]:
        seconds, kind = self.patience()
        try:
            addresses = self._resolved.get(timeout=seconds)
        except Exception as error:
            if not isinstance(unless_interrupted(error), Empty):
                raise
            addresses = None
        if addresses is None:
            raise self.failure(kind)
        return addresses

    def _wake(self) -> None:
        self._resolved.put(None)

    def _race(self, addresses: list[Address]) -> socket.socket:
        with selectors.DefaultSelector() as selector:
            try:
                return self._first(deque(addresses), selector)
            finally:
                for key in list(selector.get_map().values()):
                    _drop(selector, key)

    def _first(self, waiting: deque[Address], selector: selectors.BaseSelector) -> socket.socket:
        next_start, problem = 0.0, 0
        while True:
            seconds, _ = self.patience()
            if waiting and (monotonic() >= next_start or not selector.get_map()):
                started = _begin(waiting.popleft())
                if isinstance(started, int):
                    problem = started
                    continue
                selector.register(started, selectors.EVENT_WRITE, started)
                next_start = monotonic() + STAGGER
            if not selector.get_map():
                raise unreachable(problem)
            for key, _ in _selected(selector, _SLICE if seconds is None else min(_SLICE, seconds)):
                opened: socket.socket = key.data
                problem = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if problem == 0:
                    selector.unregister(opened)
                    return opened
                _drop(selector, key)

    def recv(self, size: int) -> bytes:
        """See `Pipe`."""
        opened, progress, readable = self._socket, self.progress, self._readable
        if opened is None or progress is None or readable is None or self.stopped is not None:
            raise self.failure("closed")
        data = None
        while True:
            seconds, kind = progress.patience()
            try:
                if readable(None if seconds is None or seconds > _LONGEST else 1000 * seconds):
                    data = opened.recv(size)
            except BlockingIOError:  # what was readable was not, after all (a wrong checksum)
                continue
            except Exception as error:
                if not isinstance(unless_interrupted(error), OSError | ValueError):  # ValueError: closed meanwhile
                    raise
                kind = "reset"
            break
        if data is None or (not data and self.stopped is not None):
            raise self.failure(kind)
        return data

    def send(self, data: bytes | memoryview) -> None:
        """See `Pipe`. The kind is "reset" when the peer takes no more."""
        rest = memoryview(data)
        while rest:
            opened, progress = self._socket, self.progress
            if opened is None or progress is None or self.stopped is not None:
                raise self.failure("closed")
            try:
                rest = rest[opened.send(rest) :]
                continue
            except BlockingIOError:
                seconds, kind = progress.patience()
                if _writable(opened, seconds):
                    continue
            except Exception as error:
                if not isinstance(unless_interrupted(error), OSError):
                    raise
                kind = "reset"
            raise self.failure(kind)


def _writable(opened: socket.socket, seconds: float | None) -> bool:
    """Wait until the peer takes more. True also when another thread closed the socket: sending will tell."""
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(opened, selectors.EVENT_WRITE)
        except ValueError:
            return True
        return bool(_selected(selector, None if seconds is None or seconds > _LONGEST else seconds))


def _selected(selector: selectors.BaseSelector, seconds: float | None) -> list[tuple[selectors.SelectorKey, int]]:
    try:
        return selector.select(seconds)
    except Exception as error:
        unless_interrupted(error)
        raise


def _begin(address: Address) -> socket.socket | int:
    opened = unconnected(address)
    if isinstance(opened, int):
        return opened
    problem = opened.connect_ex(address.where)
    if problem in _UNDER_WAY:
        return opened
    opened.close()
    return problem


def _drop(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    selector.unregister(key.fileobj)
    key.data.close()


class SyncTls:
    """TLS over another pipe."""

    __slots__ = ("_below", "_session")

    def __init__(self, below: Pipe, session: TlsSession) -> None:
        self._below = below
        self._session = session

    def shake(self) -> None:
        """The handshake. Raises Stop."""
        try:
            while not self._session.shake():
                self._trade()
        except Stop:
            # The alert in the buffer tells the peer why. Whether it arrives changes nothing here.
            with suppress(Stop):
                self._below.send(self._session.take())
            raise
        self._below.send(self._session.take())

    def _trade(self) -> None:
        self._below.send(self._session.take())
        self._session.feed(self._below.recv(_SIZE))

    @property
    def pending(self) -> bool:
        """See `Pipe`."""
        return self._session.pending or self._below.pending

    def recv(self, size: int) -> bytes:
        """See `Pipe`."""
        while (data := self._session.read(size)) is None:
            self._trade()
        return data

    def send(self, data: bytes | memoryview) -> None:
        """See `Pipe`."""
        self._below.send(self._session.write(data))


class SyncStream:
    """What a request and its answer go through. Raises Stop."""

    __slots__ = ("_pipe", "line")

    def __init__(self, line: SyncLine) -> None:
        self.line = line
        self._pipe: Pipe = line

    def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> None:
        """Put TLS on top of what is there, within what is left for connecting."""
        from byollm.transports.tls import TlsSession

        layer = SyncTls(self._pipe, TlsSession(context, server_hostname))
        layer.shake()
        self._pipe = layer

    def is_stale(self) -> bool:
        """True when an idle connection has something to read: the end, or bytes that nobody asked for."""
        return self._pipe.pending or self.line.is_stale()

    def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        line = self.line
        data = self._pipe.recv(_SIZE)
        if not data:
            line.ended = True
        elif line.progress is not None:
            line.progress.receive(len(data))
        return data

    def send(self, request: Asked) -> None:
        """Send a request."""
        progress = self.line.progress
        if progress is None:
            raise self.line.failure("closed")
        if not progress.connecting:
            progress.begin_sending()
        complete = True
        try:
            for view in pieces(request):
                self._pipe.send(view)
        except Stop as stop:
            # A server may refuse a large body with an answer, and stop reading: the answer beats the reset.
            if stop.kind != "reset":
                raise
            complete = False
        if not progress.connecting:
            progress.begin_waiting(complete)
