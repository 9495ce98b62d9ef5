"""Faults at work on the bytes of a body."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

from byollm_sandbox.effects.events import position
from byollm_sandbox.effects.scene import DRIP, Scene
from byollm_sandbox.wire import End, Reply, dump


def alter_bytes(kind: str, scene: Scene, reply: Reply) -> None:
    """What a kind of fault does to the bytes of a reply."""
    if kind in _BYTES:
        _BYTES[kind](scene, reply)


def _cut(scene: Scene, reply: Reply) -> None:
    after, unit, how = (
        int(scene.option("after", 3)),
        str(scene.option("unit", "events")),
        str(scene.option("how", "eof")),
    )
    if unit != "bytes" and reply.frames is not None:
        reply.frames = reply.frames[: position(reply.frames, after, unit)]
        whole = len(reply.body)
    else:
        pieces = reply.pieces()
        whole = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        # A document has no events: it is cut in its middle.
        kept = list(_first(pieces, after if unit == "bytes" else whole // 2))
        reply.chunks = kept if reply.streamed else None
        reply.body = b"".join(piece for piece in kept if isinstance(piece, bytes))
        reply.frames = None
    ends = {"eof": End.finish, "truncate": End.truncate, "reset": End.reset}
    if how not in ends:
        raise ValueError(f"how={how!r} is not one of {', '.join(ends)}")
    reply.end = ends[how]
    if not reply.streamed and how != "eof":
        reply.set_header("content-length", str(whole))


def _first(pieces: Iterable[bytes | float], count: int) -> Iterable[bytes | float]:
    for piece in pieces:
        if not isinstance(piece, bytes):
            yield piece
        elif count > 0:
            yield piece[:count]
            count -= len(piece)


def _whole(reply: Reply) -> bytes:
    return b"".join(piece for piece in reply.pieces() if isinstance(piece, bytes))


def _rechunk(reply: Reply, pieces: Iterable[bytes | float]) -> None:
    reply.chunks, reply.frames = list(pieces), None


def _no_final_blank(scene: Scene, reply: Reply) -> None:
    pieces = reply.pieces()
    if isinstance(pieces[-1], bytes):
        pieces[-1] = pieces[-1].rstrip(b"\r\n") + reply.style.newline
    _rechunk(reply, pieces)


def _split_bytes(scene: Scene, reply: Reply) -> None:
    size = max(1, int(scene.option("size", 1)))
    data = _whole(reply)
    _rechunk(reply, [data[start : start + size] for start in range(0, len(data), size)])


def _split_utf8(scene: Scene, reply: Reply) -> None:
    data = _whole(reply)
    cuts = [index for index, byte in enumerate(data) if byte & 0xC0 == 0x80]
    edges = [0, *cuts, len(data)]
    _rechunk(reply, [data[start:stop] for start, stop in pairwise(edges)])


def _malformed(scene: Scene, reply: Reply) -> None:
    if reply.frames is None and reply.chunks is None:
        reply.body = reply.body[: max(1, len(reply.body) - 7)]


def _gzip(scene: Scene, reply: Reply) -> None:
    packed = gzip.compress(_whole(reply), mtime=0)
    reply.set_header("content-encoding", "gzip")
    if reply.streamed:
        _rechunk(reply, [packed[start : start + 512] for start in range(0, len(packed), 512)])
    else:
        reply.body = packed


def _oversized(scene: Scene, reply: Reply) -> None:
    size = int(scene.option("size", 20 * 1024 * 1024))
    block = b"0" * 65536
    padding = [*[block] * (size // len(block)), block[: size % len(block)]]
    if reply.streamed:
        _rechunk(reply, [b"data: ", *padding, b"\n\n", *reply.pieces()])
    else:
        document = json.loads(reply.body)
        reply.body = dump({"padding": "0" * size, **document}).encode()


def _drip_body(scene: Scene, reply: Reply) -> None:
    size, seconds = max(1, int(scene.option("size", 1))), float(scene.option("seconds", DRIP))
    data = _whole(reply)
    pieces: list[bytes | float] = []
    for start in range(0, len(data), size):
        pieces += [data[start : start + size], seconds]
    reply.chunks, reply.frames = pieces, None
    reply.set_header("content-length", str(len(data)))


_BYTES: Final[dict[str, Callable[[Scene, Reply], None]]] = {
    "cut": _cut,
    "no-final-blank": _no_final_blank,
    "split-bytes": _split_bytes,
    "split-utf8": _split_utf8,
    "odd-sse": _split_utf8,
    "malformed": _malformed,
    "gzip": _gzip,
    "oversized": _oversized,
    "drip-body": _drip_body,
    "content-type": lambda scene, reply: reply.set_header("content-type", str(scene.option("value", "text/plain"))),
}
