"""The only border to the network: what a transport is asked, and how it answers.

A transport answers with values, failures too (`Broken`): no library exception ever reaches the engine, so none can
hang in a `__context__` with a request, and a key, in it. Two protocols of one shape, one sync and one async.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from byollm.errors import Sent
from byollm.wire.exchange import Head

BrokenKind = Literal[
    "dns",  # the host name has no address
    "refused",  # the address is one byollm never talks to, or the host was not declared
    "connect",  # no connection
    "tls",  # no trust
    "proxy",  # the proxy said no
    "timeout_connect",
    "timeout_first_byte",
    "timeout_idle",
    "deadline",  # the whole call's time is over
    "closed",  # the peer closed before the answer was complete
    "reset",
    "protocol",  # not HTTP, or HTTP beyond our limits
    "too_large",
    "cancelled",
]


@dataclass(frozen=True, slots=True)
class Broken:
    """A failure as a value. `sent`: had the request left? `detail` is a short sentence without any secret."""

    kind: BrokenKind
    sent: Sent
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `connect`: until connected, TLS included. `first_byte`: from sent until the response's first byte.
    `idle`: between two reads of the body. `total`: the whole call, retries included. None: only `total` bounds it."""

    connect: float | None = 10.0
    first_byte: float | None = None
    idle: float | None = 120.0
    total: float | None = 600.0


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths: `ca` bundle, client `cert` and its `key`. The password is a callable, so that it is read when needed."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: Callable[[], str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """How to get to a deployment. `proxy` is an http(s) proxy URL; `hosts` the only host names a request may go to."""

    hosts: frozenset[str]
    proxy: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    key: str = ""
    """Keeps connections of different deployments, tenants and keys apart."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, and how often. What is larger is a `Broken("too_large")`."""

    headers: int = 64 * 1024
    body: int = 256 * 1024 * 1024
    ratio: int = 200
    """The most that a compressed body may grow."""


_RLock = type(threading.RLock())
"""Without the function around it: every call makes one."""


class Cancellation:
    """Cancels one call from any thread: `cancel()` runs what the transport bound, at once and once.

    `resent` counts requests that went out anew because a connection that was kept turned out to be closed: whoever
    keeps books cannot be sure that nobody read the first of them.
    """

    __slots__ = ("_action", "_event", "_lock", "resent")

    def __init__(self) -> None:
        self._lock = _RLock()
        self._action: Callable[[], object] | None = None
        self._event: threading.Event | None = None
        self.resent = 0

    @property
    def cancelled(self) -> bool:
        """True once somebody cancelled."""
        return self._event is not None and self._event.is_set()

    def _made(self) -> threading.Event:
        if self._event is None:
            self._event = threading.Event()
        return self._event

    def cancel(self) -> None:
        """Cancel. Safe from any thread, and more than once."""
        with self._lock:
            self._made().set()
            action, self._action = self._action, None
        if action is not None:
            action()

    def bind(self, action: Callable[[], object] | None) -> bool:
        """What to do on cancel (shut the socket down); None unbinds. False when it is already cancelled."""
        with self._lock:
            if self._event is not None and self._event.is_set():
                return False
            self._action = action
            return True

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake up on cancel. True when cancelled."""
        with self._lock:
            event = self._made()
        return event.wait(seconds)


class Kept:
    """What a transport made of the constant half of a request, for the next one like it. It holds a key, unshown."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = None

    def __repr__(self) -> str:
        return "Kept(…)"


@dataclass(slots=True, repr=False, eq=False)
class Outgoing:
    """A final request, credentials and all: it lives in the transport's frames only, and does not show itself.

    `deadline` is an instant of `time.monotonic()`, or None. `kept` is one and the same for requests that differ in
    nothing but body and time: a transport need not write their head twice.
    """

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    place: Place
    timeouts: Timeouts
    deadline: float | None
    cancellation: Cancellation
    limits: Limits = Limits()
    kept: Kept | None = None

    def __repr__(self) -> str:
        return f"Outgoing({self.method} …)"


class Response(Protocol):
    """An open answer. `read` gives the next bytes as they come, b"" at the end; content-encoding is undone."""

    head: Head

    def read(self) -> bytes | Broken:
        """The next piece of the body: whatever has arrived, at once. b"" at the end of a complete body."""
        ...

    def close(self, reuse: bool) -> None:
        """Done. With `reuse` (only after b"") the connection may serve again; otherwise it is dropped. Never raises."""
        ...


class AsyncResponse(Protocol):
    """`Response`, awaited."""

    head: Head

    async def read(self) -> bytes | Broken:
        """See `Response.read`."""
        ...

    async def close(self, reuse: bool) -> None:
        """See `Response.close`."""
        ...


class Transport(Protocol):
    """Sends requests. Safe in threads and after a fork. Nothing heavy is imported before the first `open`."""

    def open(self, outgoing: Outgoing) -> Response | Broken:
        """Send, and wait for status and headers."""
        ...

    def close(self) -> None:
        """Drop idle connections."""
        ...


class AsyncTransport(Protocol):
    """`Transport`, awaited. Idle connections belong to the event loop that made them."""

    async def open(self, outgoing: Outgoing) -> AsyncResponse | Broken:
        """See `Transport.open`."""
        ...

    async def aclose(self) -> None:
        """See `Transport.close`."""
        ...
