"""The body as its reader should see it: decompressed at once, and never larger than allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byollm.transports.base import Broken, Limits

if TYPE_CHECKING:
    import zlib

_HARMLESS = 1024 * 1024
"""Bytes: a body that grows to no more than this is no bomb, whatever its ratio."""


def oversized() -> Broken:
    """The failure for a body that outgrew its limit."""
    return Broken("too_large", "yes", "the answer is larger than allowed")


class Body:
    """Counts and decompresses one body. `encoding` is the content-encoding header, "" for none.

    Deflate data is decompressed as it comes, with all it yields so far, so that no token waits for the next read.
    """

    __slots__ = ("_came", "_encoding", "_head", "_inflater", "_limits", "_made")

    def __init__(self, encoding: str, limits: Limits) -> None:
        name = encoding.strip().lower()
        self._encoding = "" if name == "identity" else name
        self._limits = limits
        self._inflater: zlib._Decompress | None = None
        self._head = b""
        self._came = self._made = 0

    @property
    def unknown(self) -> Broken | None:
        """A failure when the body is encoded in a way that cannot be undone here."""
        if self._encoding in ("", "gzip", "x-gzip", "deflate"):
            return None
        return Broken("protocol", "yes", "the answer has a content-encoding that was not asked for")

    def piece(self, data: bytes) -> bytes | Broken:
        """What `data` stands for. May be b"" when the decompressor needs more."""
        self._came += len(data)
        if self._encoding:
            import zlib

            try:
                inflated = self._inflate(data)
            except zlib.error:
                return Broken("protocol", "yes", "the answer is not compressed the way it says")
            if isinstance(inflated, Broken):
                return inflated
            data = inflated
        self._made += len(data)
        if self._made > self._limits.body:
            return oversized()
        return data

    def end(self) -> Broken | None:
        """Call after the last piece: a failure when the compressed data stops short."""
        if self._head or (self._inflater is not None and not self._inflater.eof):
            return Broken("protocol", "yes", "the compressed answer is cut short")
        return None

    def _inflate(self, data: bytes) -> bytes | Broken:
        if self._inflater is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return b""
            self._inflater, self._head = _inflater(self._encoding, data), b""
        room = min(max(_HARMLESS, self._came * self._limits.ratio), self._limits.body) - self._made
        pieces = []
        while data:
            if self._inflater.eof:
                # A gzip file may hold several members, and zeros to fill a block.
                if not data.strip(b"\0"):
                    break
                self._inflater = _inflater(self._encoding, data)
            made = self._inflater.decompress(data, room + 1)
            room -= len(made)
            if room < 0:
                return Broken("too_large", "yes", "the compressed answer grows more than allowed")
            pieces.append(made)
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
        return b"".join(pieces)


def _inflater(encoding: str, data: bytes) -> zlib._Decompress:
    import zlib

    if encoding != "deflate":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    # RFC 9110 8.4.1.2: deflate means zlib's format; some servers send raw deflate data all the same.
    is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
