"""Faults at work: on the answer, instead of it, on its events, on its bytes."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from byollm.errors import AuthenticationError, ProviderError, ServerError
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Call, Dialect
from byollm_sandbox.faults import Fault
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import End, Frame, Reply, Step, Style, dump

DRIP = 0.05
"""Seconds between dripped bytes when the fault does not say."""
SETTLE = 0.03
"""Seconds before an RST, so that what was written before it arrives first."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault happens."""

    request: Recorded
    dialect: Dialect
    call: Call
    fault: Fault

    def option(self, name: str, default: Any) -> Any:
        """An option of the fault."""
        return self.fault.options.get(name, default)


# On the answer: the same in every dialect.


def alter_answer(fault: Fault, answer: Answer) -> Answer:
    """The answer as the fault wants it."""
    for kind in fault.kinds:
        if kind == "empty-filtered":
            answer = replace(answer, parts=(), pieces=None, refusal=None, finish_reason="content_filter")
        elif kind == "unknown-finish":
            word = fault.options.get("value", "galaxy_brain")
            answer = replace(answer, finish_reason="other", raw_finish_reason=word)
        elif kind == "stop-with-tools":
            answer = replace(answer, finish_reason="stop")
        elif kind == "no-usage":
            answer = replace(answer, usage=Usage())
        elif kind == "pause":
            answer = replace(answer, pause=float(fault.options.get("seconds", DRIP)))
    return answer


# Instead of an answer.


def instead(scene: Scene) -> Reply:
    """What the fault answers by itself."""
    for kind in scene.fault.kinds:
        maker = _INSTEAD.get(kind)
        if maker is not None:
            return maker(scene)
    return Reply(chunks=(), end=End.hang)


def _status(scene: Scene) -> Reply:
    status = int(scene.option("status", 503))
    error = scene.option("error", None) or ServerError(f"The twin was told to answer {status}.", status=status)
    return scene.dialect.reject(replace(scene.dialect.error(error, scene.call), status=status), scene.call)


def _html(scene: Scene) -> Reply:
    status = int(scene.option("status", 502))
    page = (
        f"<html>\r\n<head><title>{status} Bad Gateway</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} Bad Gateway</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status, [("content-type", "text/html"), ("server", "proxy")], page.encode())


def _redirect(scene: Scene) -> Reply:
    location = str(scene.option("location", "http://127.0.0.1:9/elsewhere"))
    return Reply(int(scene.option("status", 307)), [("location", location)])


def _echo_key(scene: Scene) -> Reply:
    key = scene.request.key or ""
    form = scene.option("form", "raw")
    encoded = base64.b64encode(key.encode()).decode()
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key)
    shown = {"base64": encoded, "url": quote(key, safe="").replace("-", "%2D"), "json": key}.get(form, key)
    reply = scene.dialect.reject(
        scene.dialect.error(AuthenticationError(f"Incorrect API key provided: {shown}."), scene.call), scene.call
    )
    if form == "json":
        reply.body = reply.body.replace(key.encode(), escaped.encode()) if key else reply.body
    elif form == "header":
        reply.headers.append(("x-rejected-key", key))
    return reply


def _garbage(scene: Scene) -> Reply:
    data = random.Random(scene.option("seed", 0)).randbytes(int(scene.option("size", 512)))
    return Reply(int(scene.option("status", 200)), [("content-type", "application/json")], data)


def _deep_json(scene: Scene) -> Reply:
    depth = int(scene.option("depth", 100_000))
    return Reply(200, [("content-type", "application/json")], b"[" * depth + b"]" * depth)


def _bomb(scene: Scene) -> Reply:
    size = int(scene.option("size", 100 * 1024 * 1024))
    packed = gzip.compress(b'{"padding":"' + b"0" * size + b'"}', compresslevel=9, mtime=0)
    return Reply(200, [("content-type", "application/json"), ("content-encoding", "gzip")], packed)


_INSTEAD: Final[dict[str, Callable[[Scene], Reply]]] = {
    "reset": lambda scene: Reply(end=End.reset),
    "disconnect": lambda scene: Reply(end=End.truncate),
    "status": _status,
    "html": _html,
    "empty": lambda scene: Reply(int(scene.option("status", 200)), [("content-type", "application/json")]),
    "redirect": _redirect,
    "echo-key": _echo_key,
    "garbage": _garbage,
    "deep-json": _deep_json,
    "bomb": _bomb,
}


# On the events.


def alter_reply(scene: Scene, reply: Reply) -> Reply:
    """The rendered reply as the fault wants it."""
    for kind in scene.fault.kinds:
        if reply.frames is not None and kind in _FRAMES:
            reply.frames = _FRAMES[kind](scene, reply.frames)
        elif kind in _STYLES:
            for name, value in _STYLES[kind].items():
                setattr(reply.style, name, value)
        if kind in _BYTES:
            _BYTES[kind](scene, reply)
    return reply


def position(frames: list[Frame], after: int, unit: str) -> int:
    """The index of the first frame that is no longer let through. Raises ValueError for an unknown unit."""
    if unit == "events":
        return min(after, len(frames))
    if unit != "tokens":
        raise ValueError(f"unit {unit!r} is not one of events, tokens, bytes")
    seen = 0
    for index, frame in enumerate(frames):
        if seen + frame.tokens > after:
            return index
        seen += frame.tokens
    return next((index for index, frame in enumerate(frames) if frame.role), len(frames))


def _error_frames(scene: Scene, frames: list[Frame]) -> list[Frame]:
    error = scene.option("error", None) or ServerError("")
    if isinstance(error, type) and issubclass(error, ProviderError):
        error = error("")
    kept = frames[: position(frames, int(scene.option("after", 1)), str(scene.option("unit", "events")))]
    return [*kept, *scene.dialect.error_frames(error, scene.call)]


def _no_finish(scene: Scene, frames: list[Frame]) -> list[Frame]:
    gone = {"finish", "usage"} if scene.option("done", False) else {"finish", "usage", "done"}
    return [frame for frame in frames if frame.role not in gone]


def _pings(scene: Scene, frames: list[Frame]) -> list[Frame]:
    ping = scene.dialect.ping()
    if ping is None:
        return frames
    return [item for frame in frames for item in (replace(ping), frame)]


def _unknown_events(scene: Scene, frames: list[Frame]) -> list[Frame]:
    if any("twin" in (frame.event or "") for frame in frames):
        return frames
    unknown = Frame(dump({"object": "twin.event", "note": "from the future", "choices": []}))
    return [item for frame in frames for item in (frame, unknown)][:-1]


def _malformed_frame(scene: Scene, frames: list[Frame]) -> list[Frame]:
    place = min(int(scene.option("after", 1)), len(frames) - 1)
    broken = replace(frames[place], data=frames[place].data[: max(1, len(frames[place].data) // 2)])
    return [*frames[:place], broken, *frames[place + 1 :]]


_FRAMES: Final[dict[str, Callable[[Scene, list[Frame]], list[Frame]]]] = {
    "error": _error_frames,
    "no-finish": _no_finish,
    "no-done": lambda scene, frames: [frame for frame in frames if frame.role != "done"],
    "after-done": lambda scene, frames: [*frames, Frame('{"object":"twin.after","note":"too late"}')],
    "pings": _pings,
    "unknown-events": _unknown_events,
    "malformed": _malformed_frame,
}

_STYLES: Final[dict[str, dict[str, Any]]] = {
    "crlf": {"newline": b"\r\n"},
    "cr": {"newline": b"\r"},
    "no-space": {"space": b""},
    "comments": {"comments": True},
    "bom": {"bom": True},
    "odd-sse": {"newline": b"\r\n", "space": b"", "comments": True},
    "pings": {"comments": True},
}


# On the bytes.


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
        kept = list(_first(pieces, after))
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


def _json_for_stream(scene: Scene, reply: Reply) -> None:
    """Done by the service, which renders a document in the first place."""


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
    _rechunk(reply, [data[start:stop] for start, stop in zip(edges, edges[1:], strict=False)])


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


# On the steps.


def alter_steps(fault: Fault, steps: list[Step]) -> list[Step]:
    """What happens in time: waits, drips, silence."""
    if "hang" in fault.kinds:
        after = fault.options.get("after")
        steps = [End.hang] if after is None else [*_head_and_frames(steps, int(after)), End.hang]
    if "drip-head" in fault.kinds and steps and isinstance(steps[0], bytes):
        seconds = float(fault.options.get("seconds", DRIP))
        dripped: list[Step] = []
        for byte in steps[0]:
            dripped += [bytes([byte]), seconds]
        steps = [*dripped, *steps[1:]]
    if "delay" in fault.kinds:
        steps = [float(fault.options.get("seconds", 1.0)), *steps]
    if steps and steps[-1] is End.reset and len(steps) > 1:
        steps = [*steps[:-1], SETTLE, End.reset]
    return steps


def bare(fault: Fault, reply: Reply) -> bool:
    """The connection ends before any byte of an answer."""
    return not {"reset", "disconnect"}.isdisjoint(fault.kinds) and not reply.body


def _head_and_frames(steps: list[Step], after: int) -> list[Step]:
    kept, seen = steps[:1], 0
    for step in steps[1:]:
        if isinstance(step, bytes):
            seen += 1
            if seen > after:
                break
        if not isinstance(step, End):
            kept.append(step)
    return kept


__all__ = ["Scene", "Style", "alter_answer", "alter_reply", "alter_steps", "bare", "instead", "position"]
