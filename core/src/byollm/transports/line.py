"""What a connection is to us, sync and async alike: a plain socket that any thread may shut down."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING

from byollm.transports.base import BrokenKind
from byollm.transports.names import Address
from byollm.transports.progress import Progress, Stop

if TYPE_CHECKING:
    from byollm.transports.message import Asked

CHUNK = 256 * 1024
"""The most that is handed to the socket (or encrypted) in one go."""

STAGGER = 0.25
"""Seconds until the next address is tried beside one that does not answer (RFC 8305, section 5)."""


class Line:
    """A socket to one host, lent to one exchange at a time. Subclasses add `connect`, `recv` and `send`.

    `progress` is that exchange, None while idle: no wait is longer than it allows. `stopped` is why the socket was
    shut down, None while it works. `ended` is True once the peer closed.
    """

    __slots__ = ("__weakref__", "_lock", "_readable", "_socket", "ended", "progress", "stopped")

    pending = False
    """A plain socket buffers nothing on our side."""

    def __init__(self, progress: Progress) -> None:
        # Reentrant, because a signal handler may cancel the very call it interrupts.
        self._lock = RLock()
        self._socket: socket.socket | None = None
        self._readable: Callable[[float | None], object] | None = None
        self.progress: Progress | None = progress
        self.stopped: BrokenKind | None = None
        self.ended = False

    def __del__(self) -> None:
        # A client that was never closed goes away without a ResourceWarning.
        if self._socket is not None:
            self._socket.close()

    def use(self, progress: Progress) -> None:
        """Lend an idle line to an exchange."""
        self.progress = progress

    def release(self) -> bool:
        """The exchange is over; a `stop` that comes late does nothing. True when the line may serve again."""
        with self._lock:
            self.progress = None
            return self.stopped is None and not self.ended

    def stop(self, progress: Progress, kind: BrokenKind = "cancelled") -> None:
        """End what `progress` waits for, from any thread: its present or next wait fails with `kind`."""
        with self._lock:
            if self.progress is not progress or self.stopped is not None:
                return
            self.stopped = kind
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
        self._wake()

    def _wake(self) -> None:
        """Wake what waits before there is a connected socket."""

    def shut(self) -> None:
        """Close the socket. Safe to call again, and whatever became of the event loop it served."""
        with self._lock:
            opened, self._socket = self._socket, None
            self._readable = None
            busy, self.progress = self.progress is not None, None
        if opened is not None:
            if busy:  # another thread may wait in recv, and closing alone would not wake it
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def is_stale(self) -> bool:
        """True when the socket of an idle line is closed, or has something to read."""
        readable = self._readable
        try:
            return readable is None or bool(readable(0))
        except (OSError, ValueError):
            return True

    def adopt(self, connected: socket.socket) -> None:
        """Take over a connected socket. Raises Stop when the exchange was stopped meanwhile."""
        _tune(connected)
        with self._lock:
            stopped = self.stopped
            if stopped is None:
                self._socket, self._readable = connected, _readiness(connected)
        if stopped is not None:
            connected.close()
            raise Stop(stopped)

    @property
    def peer(self) -> str:
        """The IP address at the other end."""
        with self._lock:
            return "" if self._socket is None else str(self._socket.getpeername()[0])

    def patience(self) -> tuple[float | None, BrokenKind]:
        """See `Progress.patience`. Raises Stop, also when stopped."""
        if self.stopped is not None or self.progress is None:
            raise self.failure("closed")
        return self.progress.patience()

    def failure(self, kind: BrokenKind) -> Stop:
        """What to raise: `kind`, unless it happened because of a `stop`."""
        return Stop(self.stopped or kind)


def pieces(request: Asked) -> list[memoryview]:
    """Cut for the socket: head and a small body are one piece, so that they leave in one packet.

    Views, because a list of bytes would show the key in a traceback with locals.
    """
    if len(request.head) + len(request.body) <= CHUNK:
        return [memoryview(request.head + request.body)]
    views = [memoryview(request.head), memoryview(request.body)]
    return [view[start : start + CHUNK] for view in views for start in range(0, len(view), CHUNK)]


def unconnected(address: Address) -> socket.socket | int:
    """A non-blocking socket for an address, or the number of the error when this machine has no such family."""
    try:
        opened = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:
        return error.errno or errno.EAFNOSUPPORT
    opened.setblocking(False)
    return opened


def unreachable(problem: int) -> Stop:
    """No connection, in the system's words: "connection refused"."""
    import os

    return Stop("connect", os.strerror(problem).lower() if problem else "")


def _readiness(opened: socket.socket) -> Callable[[float | None], object]:
    """A function that waits so many milliseconds (None: for ever), and answers whether there is something to read."""
    if not hasattr(select, "poll"):
        return lambda wait: select.select([opened], [], [], None if wait is None else wait / 1000)[0]
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    return poll.poll


def _tune(opened: socket.socket) -> None:
    # Small pieces leave at once, and a silent connection is kept alive: a model may think for minutes, a NAT forgets.
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    with suppress(OSError):
        for option in options:
            opened.setsockopt(*option)
