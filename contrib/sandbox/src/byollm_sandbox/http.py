"""HTTP/1.1 as small as a provider needs it: keep-alive, chunked bodies both ways, and every way of failing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import cast

from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import End, Reply, Step, compile_reply, json_reply

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 64 * 1024 * 1024
_WRITE_BUFFER = 256 * 1024

Handler = Callable[[Recorded], "list[Step] | Awaitable[list[Step]]"]


class Malformed(Exception):
    """The bytes are not an HTTP/1.1 request; `status` is what to answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Connection(asyncio.Protocol):
    """One accepted connection: reads a request, answers it, reads the next."""

    def __init__(self, handler: Handler, number: int, open_connections: set[Connection]) -> None:
        self._handler = handler
        self._number = number
        self._open = open_connections
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._current: Recorded | None = None
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; small writes leave at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._open.add(self)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller hung up, or we did: whatever is still being answered stops."""
        self._open.discard(self)
        self._transport = None
        self._writable.set()
        if self._current is not None:
            self._current.disconnected = True
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The caller reads slower than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The caller caught up."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """More bytes of a request."""
        self._buffer += data
        self._advance()

    def abort(self) -> None:
        """Drop the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _advance(self) -> None:
        while self._current is None and self._transport is not None:
            try:
                parsed = parse(self._buffer)
            except Malformed as error:
                self._refuse(error)
                return
            if parsed is None:
                self._send_continue()
                return
            request, used = parsed
            del self._buffer[:used]
            self._continued = False
            request.connection = self._number
            self._answer(request)

    def _send_continue(self) -> None:
        if self._continued or self._transport is None or b"\r\n\r\n" not in self._buffer:
            return
        if b"100-continue" in self._buffer[:HEAD_LIMIT].lower():
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, error: Malformed) -> None:
        reply = json_reply({"error": {"message": str(error), "type": "invalid_request_error"}}, status=error.status)
        reply.end = End.close
        self._buffer.clear()
        self._write_all(compile_reply(reply))

    def _answer(self, request: Recorded) -> None:
        self._current = request
        steps = self._handler(request)
        if isinstance(steps, list) and not any(isinstance(step, float | int) for step in steps) and len(steps) < 4096:
            self._write_all(steps)
        else:
            self._task = asyncio.get_running_loop().create_task(self._perform(steps))

    async def _perform(self, steps: list[Step] | Awaitable[list[Step]]) -> None:
        if not isinstance(steps, list):
            steps = await steps
        waiting: list[Step] = []
        for step in steps:
            if isinstance(step, bytes) and len(waiting) < 64:
                waiting.append(step)
                continue
            self._write_all(waiting)
            waiting = []
            await self._writable.wait()
            if isinstance(step, bytes):
                waiting.append(step)
            elif isinstance(step, End):
                self._task = None
                self._finish(step)
                return
            else:
                await asyncio.sleep(step)
        self._write_all(waiting)

    def _write_all(self, steps: list[Step]) -> None:
        transport = self._transport
        if transport is None:
            return
        data = b"".join([step for step in steps if isinstance(step, bytes)])
        if data:
            transport.write(data)
        if steps and isinstance(steps[-1], End):
            self._finish(steps[-1])

    def _finish(self, end: End) -> None:
        transport, request = self._transport, self._current
        if transport is None or end is End.hang:
            return
        self._current = None
        if end is End.reset:
            _linger_off(transport)
            transport.abort()
        elif end is not End.finish or (request is not None and _wants_close(request)):
            transport.close()
        else:
            asyncio.get_running_loop().call_soon(self._advance)


def _linger_off(transport: asyncio.Transport) -> None:
    # Closing with a linger of zero seconds makes the kernel send RST instead of FIN.
    with contextlib.suppress(OSError):
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _wants_close(request: Recorded) -> bool:
    return request.headers.get("connection", "").lower() == "close"


def parse(buffer: bytearray) -> tuple[Recorded, int] | None:
    """The first whole request in `buffer` and how many bytes it took; None when more is needed. Raises Malformed."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > HEAD_LIMIT:
            raise Malformed(431, "the request's headers are larger than 64 KiB")
        return None
    if end > HEAD_LIMIT:
        raise Malformed(431, "the request's headers are larger than 64 KiB")
    lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed(400, "the request line is not HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(400, "a header line is not `name: value`")
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    body = _body(buffer, end + 4, headers)
    if body is None:
        return None
    path, _, query = words[1].partition("?")
    return Recorded(words[0], path, headers, body[0], query), body[1]


def _body(buffer: bytearray, start: int, headers: dict[str, str]) -> tuple[bytes, int] | None:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _chunked(buffer, start)
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise Malformed(400, "content-length is not a number") from None
    if length < 0:
        raise Malformed(400, "content-length is not a number")
    if length > BODY_LIMIT:
        raise Malformed(413, "the request's body is larger than 64 MiB")
    if len(buffer) < start + length:
        return None
    return bytes(buffer[start : start + length]), start + length


def _chunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    pieces: list[bytes] = []
    position = start
    while True:
        line_end = buffer.find(b"\r\n", position)
        if line_end < 0:
            return None
        try:
            size = int(bytes(buffer[position:line_end]).split(b";")[0], 16)
        except ValueError:
            raise Malformed(400, "a chunk has no size") from None
        if size < 0 or line_end + size - start > BODY_LIMIT:
            raise Malformed(413, "the request's body is larger than 64 MiB")
        if len(buffer) < line_end + 2 + size + 2:
            return None
        if size == 0:
            final = buffer.find(b"\r\n", line_end + 2)
            return (b"".join(pieces), final + 2) if final == line_end + 2 else _trailers(buffer, pieces, line_end)
        pieces.append(bytes(buffer[line_end + 2 : line_end + 2 + size]))
        position = line_end + 2 + size + 2


def _trailers(buffer: bytearray, pieces: list[bytes], line_end: int) -> tuple[bytes, int] | None:
    final = buffer.find(b"\r\n\r\n", line_end)
    return None if final < 0 else (b"".join(pieces), final + 4)


__all__ = ["BODY_LIMIT", "HEAD_LIMIT", "Connection", "Handler", "Malformed", "Reply", "parse"]
