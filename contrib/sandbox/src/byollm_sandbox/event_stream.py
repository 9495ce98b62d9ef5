"""AWS's binary event stream, written: prelude, headers, payload, two checksums.

`application/vnd.amazon.eventstream`, after the encoding that botocore 1.44.5 reads (read 2026-11-21).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final
from zlib import crc32

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_TEXT: Final = b"\x07"


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message; the values of its headers are texts."""
    block = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", len(block) + len(payload) + 16, len(block))
    body = prelude + struct.pack("!I", crc32(prelude)) + block + payload
    return body + struct.pack("!I", crc32(body))


def event(name: str | None, payload: bytes) -> bytes:
    """An event, or an exception when its name ends with the word: `chunk`, `throttlingException`."""
    kind = "exception" if (name or "").endswith("Exception") else "event"
    return message({f":{kind}-type": name or "", ":content-type": "application/json", ":message-type": kind}, payload)


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + _TEXT + struct.pack("!H", len(value)) + value
