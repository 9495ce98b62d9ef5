"""A secret as it was read last, for all references of one configuration that say the same.

It is read at first use, again when it is older than `max_age`, and again when a provider refuses it. One reads, the
others wait for what it finds. While the source cannot be read, a value that nobody refused stays in use.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from byollm.errors import ByollmError
from byollm.types.forks import forkable
from byollm.wire.redact import Secret

HOLD: Final = 1.0
"""Seconds in which nobody asks a source anew that just failed, or gave what was refused."""
RETRY: Final = 30.0
"""Seconds until an aged value is read again after its source failed."""

Read = Callable[[], Secret | ByollmError]


class Kept:
    """One secret's value. Safe in threads; shows nothing. `max_age` in seconds; None keeps it until it is refused."""

    __slots__ = ("_clock", "_due", "_failed", "_failure", "_held", "_holds", "_lock", "_refused", "_value", "max_age")

    def __init__(
        self, max_age: float | None = None, *, holds: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_age = max_age
        self._holds = holds
        self._clock = clock
        self._lock = forkable(threading.Lock())
        self._value: Secret | None = None
        self._due = float("inf")
        self._refused: Secret | None = None
        self._held = float("-inf")
        self._failure: ByollmError | None = None
        self._failed = float("-inf")

    def __repr__(self) -> str:
        return "Kept(…)"

    @property
    def due(self) -> float:
        """The instant from which on it is read again; infinity for never."""
        return self._due

    def get(self, read: Read) -> Secret | ByollmError:
        """The value, read now where that is needed; or what went wrong. May block."""
        value = self._value
        if value is not None and self._clock() < self._due:
            return value
        if not self._lock.acquire(blocking=value is None) and value is not None:
            return value  # another one reads it: what there is will do
        try:
            now = self._clock()
            if self._value is not None and now < self._due:
                return self._value
            if self._failure is not None and now - self._failed < HOLD:
                return copy.copy(self._failure)
            return self._read(read)
        finally:
            self._lock.release()

    def _read(self, read: Read) -> Secret | ByollmError:
        found = read()
        now = self._clock()
        if isinstance(found, ByollmError):
            if self._value is None:
                self._failure, self._failed = (found, now) if self._holds else (None, now)
                return found
            self._due = now + min(RETRY, self.max_age or RETRY)
            logging.getLogger("byollm.config").warning("the key in use is kept, it cannot be read anew: %s", found)
            return self._value
        if found == self._refused:
            self._held = now + HOLD
        self._value, self._failure = found, None
        self._due = float("inf") if self.max_age is None else now + self.max_age
        return found

    def refused(self, secret: Secret | None) -> None:
        """A provider refused it: the next `get` reads it again, unless it was read meanwhile."""
        with self._lock:
            if self._value != secret or (self._holds and self._clock() < self._held):
                return
            self._refused, self._value = secret, None

    def forget(self) -> None:
        """The next `get` reads it again."""
        with self._lock:
            self._value = self._failure = None
