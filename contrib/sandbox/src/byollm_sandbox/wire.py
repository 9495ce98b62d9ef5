"""A reply as values: frames, then the bytes and waits they become. Nothing here touches a socket."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from byollm_sandbox.event_stream import CONTENT_TYPE, event


class End(Enum):
    """How a response ends: `finish` completes it and keeps the connection, `close` completes it and closes,
    `truncate` closes without completing it (no final chunk, or fewer bytes than promised), `reset` sends a TCP RST,
    `hang` keeps the socket open and silent.
    """

    finish = "finish"
    close = "close"
    truncate = "truncate"
    reset = "reset"
    hang = "hang"


Step = bytes | float | End
"""What a connection does next: write bytes, wait seconds, or end."""


@dataclass(slots=True)
class Frame:
    """One event of a stream.

    `tokens` is how many pieces of visible content it brings; `pause` is waited before it. `role` marks what a fault may
    take away: finish (the finish reason or terminal event), usage, done (the end line).
    """

    data: str
    event: str | None = None
    tokens: int = 0
    pause: float = 0.0
    role: str = ""


@dataclass(slots=True)
class Style:
    """How server-sent events are written down. All of these are legal; few clients get them all right."""

    newline: bytes = b"\n"
    space: bytes = b" "
    bom: bool = False
    comments: bool = False
    lines: bool = False
    """No events at all: a line for each document (`application/x-ndjson`)."""
    binary: bool = False
    """Messages of AWS's event stream, with checksums. None of the other habits applies."""


@dataclass(slots=True)
class Reply:
    """A response before it is bytes: either `frames` (server-sent events) or one `body`.

    `chunks` overrides both: pieces and waits, as they are. `end` says how the connection goes on.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    frames: list[Frame] | None = None
    chunks: Sequence[bytes | float] | None = None
    style: Style = field(default_factory=Style)
    end: End = End.finish

    def set_header(self, name: str, value: str) -> None:
        """Put one header, replacing what has the same name."""
        lowered = name.lower()
        self.headers = [(key, old) for key, old in self.headers if key.lower() != lowered]
        self.headers.append((name, value))

    def pieces(self) -> list[bytes | float]:
        """The body as pieces and waits, before transfer encoding."""
        if self.chunks is not None:
            return list(self.chunks)
        if self.frames is None:
            return [self.body]
        return list(_events(self.frames, self.style))

    @property
    def streamed(self) -> bool:
        """The body is sent in chunks of unknown total length."""
        return self.frames is not None or self.chunks is not None


def dump(document: Any) -> str:
    """Compact JSON, as vendors send it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def json_reply(document: Any, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A whole JSON document."""
    return Reply(status, [("content-type", "application/json"), *headers], dump(document).encode())


def sse_reply(frames: list[Frame], headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A stream of server-sent events."""
    kind = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
    return Reply(200, [*kind, *headers], frames=frames)


def lines_reply(frames: list[Frame], headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A stream of JSON documents, one a line."""
    return Reply(200, [("content-type", "application/x-ndjson"), *headers], frames=frames, style=Style(lines=True))


def binary_reply(frames: list[Frame], headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A stream in AWS's binary event stream: a frame's `event` is the message's type."""
    return Reply(200, [("content-type", CONTENT_TYPE), *headers], frames=frames, style=Style(binary=True))


def _events(frames: Iterable[Frame], style: Style) -> Iterable[bytes | float]:
    if style.binary:
        for frame in frames:
            if frame.pause:
                yield frame.pause
            yield event(frame.event, frame.data.encode())
        return
    newline, space = style.newline, style.space
    prefix = b"data:" + space
    if style.bom:
        yield b"\xef\xbb\xbf"
    for frame in frames:
        if frame.pause:
            yield frame.pause
        if style.lines:
            yield frame.data.encode() + newline
            continue
        written = b": keep-alive" + newline + newline if style.comments else b""
        if frame.event is not None:
            written += b"event:" + space + frame.event.encode() + newline
        lines = frame.data.encode().split(b"\n")
        yield written + b"".join([prefix + line + newline for line in lines]) + newline


def reason(status: int) -> str:
    """The phrase of a status line; vendors' own statuses have none in the standard."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"


def head_bytes(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Status line and headers. Values are Latin-1, as HTTP/1.1 has them."""
    lines = [f"HTTP/1.1 {status} {reason(status)}", *[f"{name}: {value}" for name, value in headers], "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def compile_reply(reply: Reply, *, head_only: bool = False) -> list[Step]:
    """The steps that put a reply on the wire. Steps without a wait between them are joined by the connection."""
    pieces = reply.pieces()
    headers = list(reply.headers)
    names = {name.lower() for name, _ in headers}
    chunked = reply.streamed and "content-length" not in names
    if chunked:
        headers.append(("transfer-encoding", "chunked"))
    elif "content-length" not in names:
        headers.append(("content-length", str(sum(len(piece) for piece in pieces if isinstance(piece, bytes)))))
    if reply.end is End.close and "connection" not in names:
        headers.append(("connection", "close"))
    steps: list[Step] = [head_bytes(reply.status, headers)]
    if not head_only:
        for piece in pieces:
            if not isinstance(piece, bytes):
                steps.append(piece)
            elif piece:
                steps.append(chunk(piece) if chunked else piece)
        if chunked and reply.end in (End.finish, End.close):
            steps.append(b"0\r\n\r\n")
    steps.append(reply.end)
    return steps
