"""Faults at work on the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from byollm.errors import ProviderError, ServerError
from byollm_sandbox.effects.scene import Scene
from byollm_sandbox.wire import Frame, Reply, dump


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


def alter_events(kind: str, scene: Scene, reply: Reply) -> None:
    """What a kind of fault does to the events of a reply, and to how they are written down."""
    for name, value in _STYLES.get(kind, {}).items():
        setattr(reply.style, name, value)
    if reply.frames is not None and kind in _FRAMES:
        reply.frames = _FRAMES[kind](scene, reply.frames)
    if kind == "pings" and scene.dialect.ping() is None:
        reply.style.comments = True
    if kind == "error" and reply.frames is None:
        # A whole document with an error inside and status 200, as gateways answer.
        document = json.loads(scene.dialect.error_frames(_error(scene), scene.call)[-1].data)
        reply.body = dump(document.get("response", document)).encode()


def _error(scene: Scene) -> ProviderError:
    asked = scene.option("error", None) or ServerError("")
    error: ProviderError = asked("") if isinstance(asked, type) else asked
    return error


def _error_frames(scene: Scene, frames: list[Frame]) -> list[Frame]:
    kept = frames[: position(frames, int(scene.option("after", 1)), str(scene.option("unit", "events")))]
    return [*kept, *scene.dialect.error_frames(_error(scene), scene.call, sent=len(kept))]


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
}
