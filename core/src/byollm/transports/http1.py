"""HTTP/1.1 of one connection as values: bytes in, bytes out, no I/O. What the sync and the async transport share.

Requests are written here, held to RFC 9110 and 9112. Answers are read by one of two libraries behind one protocol: h11,
which comes with httpx and is what httpx's own engine runs on, or llhttp (`httptools`), which `byollm[fast]` brings.
Whatever happens, nothing but Stop is raised.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Literal, Protocol

from byollm.transports.progress import Stop

Headers = list[tuple[bytes, bytes]]
ParserName = Literal["h11", "httptools"]

CUT: Final = "the connection closed before the answer was complete"
NOT_HTTP: Final = "the answer is not valid HTTP/1.1"
UPGRADE: Final = "the answer switches to another protocol"
UNSENDABLE: Final = "the request cannot be written as HTTP/1.1: look for odd characters in headers"
TOO_LARGE: Final = "the response's headers are larger than allowed"


class Parser(Protocol):
    """One connection's exchanges, one after the other."""

    def begin(self, method: bytes) -> None:
        """A request of this method was written; its answer is fed next."""
        ...

    def feed(self, data: bytes) -> None:
        """What has come; b"" when the peer closed. Raises Stop."""
        ...

    def head(self) -> tuple[int, Headers] | None:
        """Status and headers of the answer; None when more has to be fed. 1xx answers are passed over. Raises Stop."""
        ...

    def piece(self) -> bytes | None:
        """What has come of the body; b"" at its end; None when more has to be fed. Raises Stop."""
        ...

    def renew(self) -> bool:
        """After the end: True when the connection may serve again, and the parser is ready for it."""
        ...


_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?")
_TARGET: Final = re.compile(rb"[!-~]+")


def written(method: bytes, target: bytes, headers: Headers) -> bytes:
    """The head of a request (RFC 9112, section 3) up to its blank line, so that a length may still be added.

    `headers` hold the host. Raises Stop for what would be read as something else: a line break in a value, a space in
    a name.
    """
    good = _NAME.fullmatch(method) and _TARGET.fullmatch(target)
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    for name, value in headers:
        good = good and _NAME.fullmatch(name) and _VALUE.fullmatch(value)
        lines.append(b"%b: %b" % (name, value))
    if not good:
        raise Stop("protocol", UNSENDABLE)
    lines.append(b"")
    return b"\r\n".join(lines)


def parser(name: ParserName) -> Parser:
    """A parser for a new connection. The library is imported at the first one."""
    if name == "h11":
        return H11Parser()
    from byollm.transports.llhttp import LlhttpParser

    return LlhttpParser()


@lru_cache(maxsize=1)
def _h11() -> Any:
    return import_module("h11")


@lru_cache(maxsize=8)
def _stand_in(method: bytes) -> tuple[Any, Any]:
    """What h11 is told was sent: from a request it needs the method, and that it is over."""
    library = _h11()
    asked = library.Request(method=method, target=b"*", headers=[(b"host", b"host"), (b"content-length", b"0")])
    return asked, library.EndOfMessage()


_BUFFER: Final = 100 * 1024
"""Bytes of a head, or of a line between chunks, that h11 keeps while it waits for the rest. httpcore allows as much."""


class H11Parser:
    """h11's connection, with its events turned into plain values."""

    __slots__ = ("_connection", "_ended", "_over")

    def __init__(self) -> None:
        library = _h11()
        self._connection = library.Connection(library.CLIENT, max_incomplete_event_size=_BUFFER)
        self._ended = self._over = False

    def begin(self, method: bytes) -> None:
        """See `Parser.begin`."""
        for event in _stand_in(method):
            self._connection.send(event)

    def feed(self, data: bytes) -> None:
        """See `Parser.feed`."""
        self._ended = not data
        self._connection.receive_data(data)

    def _next(self) -> Any:
        library, hint = _h11(), 0
        try:
            event = self._connection.next_event()
        except library.RemoteProtocolError as error:
            event, hint = None, error.error_status_hint
        if event is not None:
            return event
        # 431 (Request Header Fields Too Large) is h11's word for a head or a chunk line that outgrows its buffer.
        if hint == 431:
            raise Stop("too_large", TOO_LARGE)
        raise Stop("closed", CUT) if self._ended else Stop("protocol", NOT_HTTP)

    def head(self) -> tuple[int, Headers] | None:
        """See `Parser.head`."""
        library = _h11()
        while (event := self._next()) is not library.NEED_DATA:
            kind = type(event)
            if kind is library.Response:
                return event.status_code, event.headers.raw_items()
            if kind is not library.InformationalResponse:
                raise Stop("closed", CUT)
            if event.status_code == 101:
                raise Stop("protocol", UPGRADE)
        return None

    def piece(self) -> bytes | None:
        """See `Parser.piece`."""
        if self._over:
            return b""
        library = _h11()
        pieces: list[bytes] = []
        try:
            while (event := self._next()) is not library.NEED_DATA:
                if type(event) is not library.Data:
                    self._over = True
                    return b"".join(pieces)
                pieces.append(bytes(event.data))
        except Stop:
            if not pieces:  # else it is raised again next time
                raise
        return b"".join(pieces) or None

    def renew(self) -> bool:
        """See `Parser.renew`. Bytes beyond the end would be taken for the answer to the next request."""
        library, connection = _h11(), self._connection
        if connection.our_state is not library.DONE or connection.their_state is not library.DONE:
            return False
        if any(connection.trailing_data):  # bytes, and whether the peer closed
            return False
        connection.start_next_cycle()
        self._over = False
        return True
