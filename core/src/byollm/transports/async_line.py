"""A connection for asyncio: the socket, TLS over it, and what a parser reads from and writes to.

On `loop.sock_recv` and its kin: they run on every asyncio loop, and leave the socket registered nowhere while the
connection is idle, so that it may be closed when its loop is long gone.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from weakref import ref

from byollm.transports.base import BrokenKind
from byollm.transports.line import STAGGER, Line, pieces, unconnected, unreachable
from byollm.transports.names import Address, checked, literal, resolve
from byollm.transports.progress import Progress, Stop

if TYPE_CHECKING:
    import ssl

    from byollm.transports.message import Asked
    from byollm.transports.tls import TlsSession

_SIZE = 64 * 1024


class AsyncPipe(Protocol):
    """A byte stream: the socket, or TLS over one. Both raise Stop."""

    @property
    def pending(self) -> bool:
        """True when bytes wait in a buffer of ours."""
        ...

    async def recv(self, size: int) -> bytes:
        """The next bytes; b"" at the end."""
        ...

    async def send(self, data: bytes | memoryview) -> None:
        """Send all of it."""
        ...


class AsyncLine(Line):
    """A plain socket for asyncio."""

    __slots__ = ("_alarm", "_halt", "_kind", "_loop", "_rings_at", "_until")

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._halt: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._until: float | None = None
        self._kind: BrokenKind = "deadline"

    async def connect(self, name: str, port: int) -> None:
        """Resolve, check every address, connect to one that was checked: no name is looked up twice. Raises Stop."""
        self._loop = asyncio.get_running_loop()
        self._halt = self._loop.create_future()
        try:
            addresses = literal(name, port) or await self._look_up(self._loop, name, port)
            self.adopt(await self._race(checked(name, addresses)))
        finally:
            self._loop = self._halt = None

    def _wake(self) -> None:
        loop, halt = self._loop, self._halt
        if loop is not None and halt is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(_settle, halt, None)

    async def _first_of(self, futures: set[asyncio.Future[Any]], longest: float | None = None) -> None:
        # Until one of them is done, `longest` is over, or the exchange is; Stop if it is.
        seconds, _ = self.patience()
        if longest is not None and (seconds is None or longest < seconds):
            seconds = longest
        halt = {self._halt} if self._halt is not None else set()
        await asyncio.wait(futures | halt, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        self.patience()

    async def _look_up(self, loop: asyncio.AbstractEventLoop, name: str, port: int) -> list[Address]:
        found: asyncio.Future[list[Address]] = loop.create_future()

        def deliver(addresses: list[Address]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(_settle, found, addresses)

        resolve(name, port, deliver)
        while not found.done():
            await self._first_of({found})
        return found.result()

    async def _race(self, addresses: list[Address]) -> socket.socket:
        attempts: set[asyncio.Task[socket.socket | int]] = set()
        try:
            return await self._winner(deque(addresses), attempts)
        finally:
            for attempt in attempts:
                if not attempt.cancel() and not attempt.cancelled():
                    connected = attempt.result()
                    if isinstance(connected, socket.socket):
                        connected.close()

    async def _winner(self, waiting: deque[Address], attempts: set[asyncio.Task[socket.socket | int]]) -> socket.socket:
        next_start, problem = 0.0, 0
        while True:
            if waiting and (monotonic() >= next_start or not attempts):
                attempts.add(asyncio.create_task(_attempt(waiting.popleft())))
                next_start = monotonic() + STAGGER
            if not attempts:
                raise unreachable(problem)
            await self._first_of(set(attempts), STAGGER if waiting else None)
            for attempt in [attempt for attempt in attempts if attempt.done()]:
                attempts.remove(attempt)
                outcome = attempt.result()
                if isinstance(outcome, socket.socket):
                    return outcome
                problem = outcome

    async def recv(self, size: int) -> bytes:
        """See `AsyncPipe`."""
        opened, loop, kind = self._begin_wait()
        data = None
        try:
            data = await loop.sock_recv(opened, size)
        except OSError:
            kind = "reset"
        finally:
            self._until = None
        if data is None or (not data and self.stopped is not None):
            raise self.failure(kind)
        return data

    async def send(self, data: bytes | memoryview) -> None:
        """See `AsyncPipe`. The kind is "reset" when the peer takes no more."""
        rest = memoryview(data)
        while rest:
            opened = self._socket
            if opened is None or self.progress is None or self.stopped is not None:
                raise self.failure("closed")
            try:
                rest = rest[opened.send(rest) :]
                continue
            except BlockingIOError:
                full = True
            except OSError:
                full = False
            if not full:
                raise self.failure("reset")
            await self._send(rest)
            return

    async def _send(self, rest: memoryview) -> None:
        """What the peer does not take at once."""
        opened, loop, _ = self._begin_wait()
        try:
            await loop.sock_sendall(opened, rest)
            return
        except OSError:
            pass
        finally:
            self._until = None
        raise self.failure("reset")

    def _begin_wait(self) -> tuple[socket.socket, asyncio.AbstractEventLoop, BrokenKind]:
        opened, progress, loop = self._socket, self.progress, asyncio.get_running_loop()
        if opened is None or progress is None or self.stopped is not None:
            raise self.failure("closed")
        seconds, kind = progress.patience()
        if seconds is not None:
            self._until, self._kind = monotonic() + seconds, kind
            if self._alarm is None or self._until < self._rings_at:
                self._set_alarm(loop, seconds)
        return opened, loop, kind

    # One timer serves many waits, those of the next exchange too: it is set anew only when a wait must end before it
    # rings, or when it rang too early. It holds the line weakly, so that nobody need take it back when a line is idle.

    def _set_alarm(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._cancel_alarm()
        self._rings_at = monotonic() + seconds
        self._alarm = loop.call_later(seconds, _ring, ref(self), loop)

    def _cancel_alarm(self) -> None:
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.cancel()

    def ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """Time may be up for what waits now, if anything does."""
        self._alarm = None
        progress = self.progress
        if self._until is None or progress is None:
            return
        left = self._until - monotonic()
        if left > 0:
            self._set_alarm(loop, left)
        else:
            self.stop(progress, self._kind)

    def shut(self) -> None:
        """See `Line.shut`."""
        self._cancel_alarm()
        super().shut()


def _ring(line: ref[AsyncLine], loop: asyncio.AbstractEventLoop) -> None:
    waiting = line()
    if waiting is not None:
        waiting.ring(loop)


def _settle(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


async def _attempt(address: Address) -> socket.socket | int:
    opened = unconnected(address)
    if isinstance(opened, int):
        return opened
    try:
        await asyncio.get_running_loop().sock_connect(opened, address.where)
    except OSError as error:
        problem = error.errno or 0
    except BaseException:
        opened.close()
        raise
    else:
        return opened
    opened.close()
    return problem


class AsyncTls:
    """TLS over another pipe."""

    __slots__ = ("_below", "_session")

    def __init__(self, below: AsyncPipe, session: TlsSession) -> None:
        self._below = below
        self._session = session

    async def shake(self) -> None:
        """The handshake. Raises Stop."""
        try:
            while not self._session.shake():
                await self._trade()
        except Stop:
            # The alert in the buffer tells the peer why. Whether it arrives changes nothing here.
            with suppress(Stop):
                await self._below.send(self._session.take())
            raise
        await self._below.send(self._session.take())

    async def _trade(self) -> None:
        await self._below.send(self._session.take())
        self._session.feed(await self._below.recv(_SIZE))

    @property
    def pending(self) -> bool:
        """See `AsyncPipe`."""
        return self._session.pending or self._below.pending

    async def recv(self, size: int) -> bytes:
        """See `AsyncPipe`."""
        while (data := self._session.read(size)) is None:
            await self._trade()
        return data

    async def send(self, data: bytes | memoryview) -> None:
        """See `AsyncPipe`."""
        await self._below.send(self._session.write(data))


class AsyncStream:
    """What a request and its answer go through. Raises Stop."""

    __slots__ = ("_pipe", "line")

    def __init__(self, line: AsyncLine) -> None:
        self.line = line
        self._pipe: AsyncPipe = line

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> None:
        """Put TLS on top of what is there, within what is left for connecting."""
        from byollm.transports.tls import TlsSession

        layer = AsyncTls(self._pipe, TlsSession(context, server_hostname))
        await layer.shake()
        self._pipe = layer

    def is_stale(self) -> bool:
        """True when an idle connection has something to read: the end, or bytes that nobody asked for."""
        return self._pipe.pending or self.line.is_stale()

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        line = self.line
        data = await self._pipe.recv(_SIZE)
        if not data:
            line.ended = True
        elif line.progress is not None:
            line.progress.receive(len(data))
        return data

    async def send(self, request: Asked) -> None:
        """Send a request."""
        progress = self.line.progress
        if progress is None:
            raise self.line.failure("closed")
        if not progress.connecting:
            progress.begin_sending()
        complete = True
        try:
            for view in pieces(request):
                await self._pipe.send(view)
        except Stop as stop:
            # A server may refuse a large body with an answer, and stop reading: the answer beats the reset.
            if stop.kind != "reset":
                raise
            complete = False
        if not progress.connecting:
            progress.begin_waiting(complete)
