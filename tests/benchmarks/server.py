"""A provider that costs next to nothing: canned bytes over keep-alive connections, so that the callers are measured.

Run as a process; prints its port. The request must hold the prompt's marker, so that nobody is quick by sending less.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

MARKER = b"bench-marker"
TEXT = "The quick brown fox jumps over the lazy dog. Größe 東京. " * 30
USAGE = {"prompt_tokens": 93, "completion_tokens": 321, "total_tokens": 414}
EVENTS = 500
PIECE = "lorem ipsum dolor sit amet, "


def _chunk(delta: dict[str, Any], finish: str | None = None, usage: Any = None) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    body = {
        "id": "chatcmpl-bench0123456789",
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "bench-model-2026-11-21",
        "service_tier": "default",
        "system_fingerprint": "fp_bench012345",
        "choices": choices,
        "usage": usage,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def stream_bytes(events: int) -> bytes:
    """A whole stream of `events` text deltas."""
    first = _chunk({"role": "assistant", "content": "", "refusal": None})
    deltas = b"".join(_chunk({"content": PIECE}) for _ in range(events))
    return first + deltas + _chunk({}, "stop") + _chunk({}, None, USAGE) + b"data: [DONE]\n\n"


DOCUMENT = json.dumps(
    {
        "id": "chatcmpl-bench0123456789",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "bench-model-2026-11-21",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_bench012345",
    }
).encode()


def _answer(content_type: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nx-request-id: req_bench\r\ncontent-length: %d\r\n\r\n"
    return head % (content_type, len(body)) + body


ANSWERS = {
    "whole": _answer(b"application/json", DOCUMENT),
    "burst": _answer(b"text/event-stream", stream_bytes(EVENTS)),
    "short": _answer(b"text/event-stream", stream_bytes(5)),
}


class Twin(asyncio.Protocol):
    """Reads a request by its content-length, answers by its model's name."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        """Keep it."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            size = int(sizes[0].split(b":")[1]) if sizes else 0
            if len(rest) < size:
                return
            body, self.buffer = rest[:size], rest[size:]
            self.answer(body)

    def answer(self, body: bytes) -> None:
        """The canned bytes, or a refusal when the prompt was not sent."""
        if MARKER not in body:
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            return
        if b"bench-paced" in body:
            asyncio.get_running_loop().create_task(self.paced())
            return
        name = next((name for name in ("burst", "short") if b"bench-" + name.encode() in body), "whole")
        self.transport.write(ANSWERS[name])

    async def paced(self) -> None:
        """An event every 5 ms, the first after 5 ms: what a fast model sends."""
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for block in stream_bytes(10).split(b"\n\n")[:-1]:
            await asyncio.sleep(0.005)
            event = block + b"\n\n"
            self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Twin, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
