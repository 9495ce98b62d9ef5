"""`transport: httptools` (`byollm[fast]`): llhttp, Node's parser, in place of h11. Same connections, same limits."""

from __future__ import annotations

from typing import Any, Final

import httptools

from byollm.transports.http1 import CUT, NOT_HTTP, TOO_LARGE, UPGRADE, Headers
from byollm.transports.progress import Stop

_MOST: Final = 100 * 1024
"""Bytes that may come without bringing the body further."""
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
"""What tells where a body ends."""
_LENGTH: Final = len(b"transfer-encoding")


class LlhttpParser:
    """Gathers what llhttp calls out."""

    __slots__ = (
        "_fields",
        "_head",
        "_headless",
        "_parser",
        "_pieces",
        "_problem",
        "_size",
        "_state",
        "_surplus",
    )

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._surplus = False
        self.begin(b"")

    def begin(self, method: bytes) -> None:
        """See `Parser.begin`."""
        self._headless = method in (b"HEAD", b"CONNECT")
        self._fields: Headers = []
        self._size = 0
        self._head: tuple[int, Headers] | None = None
        self._pieces: list[bytes] = []
        self._problem: Stop | None = None
        self._state = "head"

    def feed(self, data: bytes) -> None:
        """See `Parser.feed`."""
        if not data:
            self._closed()
            return
        problem: Stop | None = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            problem = Stop("protocol", UPGRADE)
        except httptools.HttpParserError:
            problem = Stop("protocol", NOT_HTTP)
        if problem is not None:
            self._fail(problem)
        # What brings the body no further: a head, a trailer, the words behind a chunk's size.
        self._size = 0 if self._pieces else self._size + len(data)
        if self._size > _MOST:
            self._fail(Stop("too_large", TOO_LARGE))

    def _closed(self) -> None:
        head = self._head
        if self._state == "body" and head is not None and _FRAMING.isdisjoint(name.lower() for name, _ in head[1]):
            self._state, self._surplus = "end", True
        else:
            self._fail(Stop("closed", CUT))

    def _fail(self, problem: Stop) -> None:
        # A whole answer stays whole, whatever comes behind it.
        if self._state == "end":
            self._surplus = True
        elif self._problem is None:
            self._problem = problem

    def head(self) -> tuple[int, Headers] | None:
        """See `Parser.head`."""
        if self._head is None and self._problem is not None:
            raise self._problem
        return self._head

    def piece(self) -> bytes | None:
        """See `Parser.piece`."""
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            return data
        if self._problem is not None:
            raise self._problem
        return b"" if self._state == "end" else None

    def renew(self) -> bool:
        """See `Parser.renew`."""
        return self._state == "end" and not self._surplus

    # What llhttp calls while it is fed.

    def on_message_begin(self) -> None:
        """Another answer, that nobody asked for, when this one is over."""
        if self._state == "end":
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._state != "head":
            return
        status, fields = self._parser.get_status_code(), self._fields
        self._fields = []  # of a 1xx answer nobody wants them; what comes behind the head are trailers
        if status < 200:
            if status == 101 or status < 100:
                self._fail(Stop("protocol", UPGRADE if status == 101 else NOT_HTTP))
            return
        for name, value in fields:
            if len(name) == _LENGTH and name.lower() == b"transfer-encoding" and value.strip().lower() != b"chunked":
                self._fail(Stop("protocol", NOT_HTTP))  # asked for by nobody; llhttp would read on until the end
        if self._problem is not None:
            return
        self._head = (status, fields)
        self._state = "body"
        if self._headless:
            self._state, self._surplus = "end", True

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._state == "body":
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """The body is whole; after the head of a 1xx answer it is not the one that was asked for."""
        if self._state == "body":
            self._state = "end"
            self._surplus = not self._parser.should_keep_alive()  # asked later, it knows no more
