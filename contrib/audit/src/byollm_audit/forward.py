"""Copies of every line for other places, sent by a thread of their own: what is slow or gone there holds up no call."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import Any, Final, Protocol

log = logging.getLogger("byollm")
ROOM: Final = 10_000
"""Lines that wait at most. What comes when it is full is dropped, counted and logged; the chain has it."""
PATIENCE: Final = 5.0
"""Seconds that `close` waits for what is on its way."""
AGAIN: Final = 1.0
"""Seconds before a line that could not be sent is tried once more."""


class Sink(Protocol):
    """Another place."""

    def send(self, line: bytes, kind: str, operation: str | None, at: float) -> None:
        """Send one line, without its line break. Raises OSError when it cannot be sent now."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Forward:
    """A queue, and the thread that empties it. `dropped` counts what never got there."""

    def __init__(self, name: str, sink: Sink) -> None:
        self.name = name
        self.dropped = 0
        self._sink = sink
        self._waiting: queue.Queue[tuple[bytes, str, str | None, float] | None] = queue.Queue(ROOM)
        self._thread: threading.Thread | None = None
        self._process = 0
        self._lock = threading.Lock()

    def send(self, line: bytes, record: dict[str, Any]) -> None:
        """Put a line in the queue; never waits."""
        if self._thread is None or self._process != os.getpid():
            self._start()
        try:
            self._waiting.put_nowait((line[:-1], record["kind"], record.get("operation"), record["at"]))
        except queue.Full:
            self._drop("its queue is full")

    def close(self) -> None:
        """Wait for the queue, at most PATIENCE seconds. It may be used again."""
        thread, self._thread = self._thread, None
        if thread is None or self._process != os.getpid():
            return
        try:
            self._waiting.put(None, timeout=PATIENCE)
        except queue.Full:
            return
        thread.join(PATIENCE)

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():  # a fork leaves the thread behind, and with it what waits there
                self._waiting = queue.Queue(ROOM)
                self._process, self._thread = os.getpid(), None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"byollm-audit-{self.name}", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        waiting = self._waiting
        while (item := waiting.get()) is not None:
            if not self._sent(item):
                time.sleep(AGAIN)
                if not self._sent(item):
                    self._drop("it cannot be reached")
        self._sink.close()

    def _sent(self, item: tuple[bytes, str, str | None, float]) -> bool:
        try:
            self._sink.send(*item)
        except OSError:
            self._sink.close()
            return False
        return True

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        if self.dropped == 1:
            log.warning("audit: a line was not forwarded to %s: %s; further ones are only counted", self.name, reason)
