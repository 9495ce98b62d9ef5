"""AWS's binary event stream, taken apart and put together again, with checksums that are right for what was changed.

InvokeModel packs its documents once more, in base64 under `bytes`.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final
from zlib import crc32

from byollm_sandbox.event_stream import CONTENT_TYPE

_PRELUDE: Final = struct.Struct("!III")


def is_binary(headers: Mapping[str, str]) -> bool:
    """Is an answer with these headers such a stream?"""
    return headers.get("content-type", "").startswith(CONTENT_TYPE)


def with_payload(message: bytes, payload: bytes) -> bytes:
    """The message with another payload, and the lengths and checksums it has then."""
    _, headers, _ = _PRELUDE.unpack_from(message)
    block = message[_PRELUDE.size : _PRELUDE.size + headers]
    prelude = struct.pack("!II", len(block) + len(payload) + 16, len(block))
    body = prelude + struct.pack("!I", crc32(prelude)) + block + payload
    return body + struct.pack("!I", crc32(body))


def edited(message: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The message with the bytes of its document changed."""
    payload = _payload(message)
    packed = _packed(payload)
    if packed is None:
        return with_payload(message, change(payload))
    inner = base64.b64encode(change(base64.b64decode(packed["bytes"]))).decode()
    return with_payload(message, json.dumps({**packed, "bytes": inner}).encode())


def rewritten(message: bytes, change: Callable[[Any], Any]) -> bytes:
    """The message with its document changed."""
    return edited(message, lambda data: json.dumps(change(json.loads(data)), ensure_ascii=False).encode())


def _payload(message: bytes) -> bytes:
    _, headers, _ = _PRELUDE.unpack_from(message)
    return message[_PRELUDE.size + headers : -4]


def _packed(payload: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(payload)
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("bytes"), str) else None
