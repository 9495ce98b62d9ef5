"""The chain: lines that each vouch for all before them, to whoever has the key.

A line is a JSON object with `mac` last: `{"n":7,…,"mac":"…"}`. Its mac is HMAC-SHA-256 over the mac of the line before
(32 bytes) and the object without `mac`, byte for byte. So a line can be neither changed, left out, doubled nor moved
without the key. What no chain can show by itself is that its end is missing: that takes an anchor kept elsewhere.
"""

from __future__ import annotations

import hmac
import json
import re
from binascii import hexlify
from dataclasses import dataclass
from typing import Any, Final

from byollm_audit.errors import TamperedError
from byollm_audit.keys import Mac

START: Final = bytes(32)
"""What stands for the mac before the first line."""
_LINE: Final = re.compile(rb'(\{"n":([0-9]{1,18}),.*),"mac":"([0-9a-f]{64})"\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """A line in its pieces: `body` is what the mac is over."""

    n: int
    body: bytes
    mac: bytes

    def record(self) -> dict[str, Any]:
        """The record, `n` and `mac` included. Raises ValueError for what is no JSON object."""
        found: dict[str, Any] = json.loads(self.body)
        return {**found, "mac": self.mac.hex()}


def split(line: bytes) -> Line | None:
    """The pieces of a line without its line break; None for anything that no chain wrote."""
    found = _LINE.fullmatch(line)
    return None if found is None else Line(int(found[2]), found[1] + b"}", bytes.fromhex(found[3].decode()))


class Chain:
    """The end of a chain: the number and the mac of its last line (0 and START before the first)."""

    __slots__ = ("_mac", "mac", "n")

    def __init__(self, sign: Mac, n: int = 0, mac: bytes = START) -> None:
        self._mac = sign
        self.n = n
        self.mac = mac

    def __repr__(self) -> str:
        return f"Chain(n={self.n})"

    def sealed(self, fields: bytes) -> tuple[bytes, bytes]:
        """The next line of a JSON object that is not empty, and its mac. The chain moves on with `took`."""
        body = b'{"n":%d,%b' % (self.n + 1, fields[1:])
        mac = self._mac(self.mac + body)
        return b'%b,"mac":"%b"}\n' % (body[:-1], hexlify(mac)), mac

    def took(self, mac: bytes) -> None:
        """The line with this mac is written."""
        self.n += 1
        self.mac = mac

    def vouches(self, line: Line) -> bool:
        """Is this the next line?"""
        mac = self._mac(self.mac + line.body)
        return line.n == self.n + 1 and hmac.compare_digest(mac, line.mac)

    def follow(self, raw: bytes) -> Line:
        """Move over a line that somebody else wrote. Raises TamperedError when it is not the next of this chain."""
        line = split(raw)
        if line is None or not self.vouches(line):
            raise TamperedError(
                f"record {self.n + 1} of the audit does not follow from the one before",
                hint="`byollm audit verify` looks at all of it",
            )
        self.took(line.mac)
        return line


def header(log: str, segment: int, at: float, previous: bytes) -> dict[str, Any]:
    """The first record of a segment. `previous` is the mac before it: so a proof may begin here, too."""
    return {"kind": "segment", "at": at, "log": log, "segment": segment, "format": 1, "previous": previous.hex()}
