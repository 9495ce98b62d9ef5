"""How long a soak is, and servers that fail in one way each."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

SCALE = float(os.environ.get("BYOLLM_SCALE", "0.05"))
SEED = 20261122
BENCH = Path(__file__).parents[1] / "benchmarks" / "server.py"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST = (
    b'data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
)
TEXT = b'data: {"id":"a","choices":[{"index":0,"delta":{"content":"half an ans"}}]}\n\n'


@pytest.fixture
def chance() -> random.Random:
    """One seed for all: it stands in the result."""
    return random.Random(SEED)


def scaled(full: int, least: int = 1) -> int:
    """The share of the full size that this run does."""
    return max(least, round(full * SCALE))


class Ill:
    """A server that fails in one way; `asked` counts the requests that reached it."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.asked = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.over = threading.Event()
        if way == "refused":
            self.listener.close()
        else:
            threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                opened, _ = self.listener.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self._treat, args=(opened,), daemon=True).start()

    def _treat(self, opened: socket.socket) -> None:
        with suppress(OSError), opened:
            opened.settimeout(5)
            if self.way == "reset":
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            data = b""
            while b"\r\n\r\n" not in data:
                data += opened.recv(65536)
            getattr(self, "_" + self.way)(opened)

    def _overloaded(self, opened: socket.socket) -> None:
        opened.sendall(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    def _hanging(self, opened: socket.socket) -> None:
        self.over.wait(5)

    def _dripping(self, opened: socket.socket) -> None:
        for byte in HEAD:
            opened.sendall(bytes([byte]))
            if self.over.wait(1):
                return

    def _cut(self, opened: socket.socket) -> None:
        opened.sendall(HEAD + b"%x\r\n%b\r\n" % (len(FIRST), FIRST))

    def _cut_late(self, opened: socket.socket) -> None:
        opened.sendall(HEAD + b"%x\r\n%b\r\n" % (len(FIRST), FIRST) + b"%x\r\n%b\r\n" % (len(TEXT), TEXT))

    def close(self) -> None:
        """No more."""
        self.over.set()
        self.listener.close()


@pytest.fixture
def ill() -> Iterator[Callable[[str], Ill]]:
    """Start servers that fail."""
    started: list[Ill] = []

    def start(way: str) -> Ill:
        started.append(Ill(way))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def healthy() -> Iterator[str]:
    """The address of a server that answers at once, in a process of its own."""
    process = subprocess.Popen([sys.executable, str(BENCH)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Iterator[Callable[..., None]]:
    """Figures for the lane's JSON: N, seed, wall time and results."""
    started = time.monotonic()

    def tell(**figures: object) -> None:
        for name, value in figures.items():
            record_property(name, value)

    yield tell
    record_property("seed", SEED)
    record_property("scale", SCALE)
    record_property("seconds", round(time.monotonic() - started, 1))
