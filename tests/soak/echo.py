"""A provider that answers with a digest of the key it was sent. Run as a process; prints its port."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any


def digest(key: str) -> str:
    """What stands for a key in an answer."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def answer(key: str, prompt: Any) -> bytes:
    """A whole answer: the key's digest, and the prompt that came with it."""
    said = f"{digest(key)} {prompt}"
    body = json.dumps(
        {
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    ).encode()  # fmt: skip
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Echo(asyncio.Protocol):
    """Reads requests by their length."""

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
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            size = int(fields.get(b"content-length", b"0"))
            if len(rest) < size:
                return
            body, self.buffer = json.loads(rest[:size]), rest[size:]
            key = fields[b"authorization"].decode().removeprefix("Bearer ")
            self.transport.write(answer(key, body["messages"][0]["content"]))


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
