"""What is measured of one deployment while it serves: how quick it is, and what was spent on it."""

from __future__ import annotations

import math
import threading
from decimal import Decimal
from typing import Final

from byollm.types.forks import forkable

HALF_LIFE: Final = 30.0
"""Seconds after which a measured latency weighs half."""


class Ewma:
    """A mean of latencies that forgets: each new value weighs more the longer nothing was measured."""

    __slots__ = ("_at", "value")

    def __init__(self) -> None:
        self.value: float | None = None
        self._at = 0.0

    def add(self, value: float, now: float) -> None:
        """One measurement, in seconds; `now` is an instant of the same clock every time."""
        if self.value is None:
            self.value = value
        else:
            kept = 0.8 * math.exp2(-max(0.0, now - self._at) / HALF_LIFE)
            self.value = kept * self.value + (1 - kept) * value
        self._at = now


class Pace:
    """One deployment's latencies, output lengths and spending, in this process. Safe in threads."""

    __slots__ = ("_lock", "first", "output", "spent", "total")

    def __init__(self) -> None:
        self._lock = forkable(threading.Lock())
        self.first = Ewma()
        self.total = Ewma()
        self.output = Ewma()
        self.spent: dict[str, Decimal] = {}

    def answered(self, seconds: float, now: float, first: float | None, output: int | None) -> None:
        """An answer took `seconds`, its first content `first`, and it has `output` tokens."""
        with self._lock:
            self.total.add(seconds, now)
            if first is not None:
                self.first.add(first, now)
            if output is not None:
                self.output.add(float(output), now)

    def failed(self, seconds: float, now: float) -> None:
        """A failure counts as slow: at least a second, and twice what is usual."""
        with self._lock:
            for mean in (self.total, self.first):
                if mean.value is not None:
                    mean.add(max(seconds, 1.0, 2 * mean.value), now)
            if self.total.value is None:
                self.total.add(max(seconds, 1.0), now)

    def paid(self, amount: Decimal, currency: str) -> None:
        """What was certainly billed; what is no amount is none."""
        if not amount.is_finite() or amount < 0:
            return
        with self._lock:
            self.spent[currency] = self.spent.get(currency, Decimal(0)) + amount

    def seconds(self, stream: bool) -> float | None:
        """How quick it is: to the first content of a stream, else to the whole answer. None: never measured."""
        first = self.first.value if stream else None
        return first if first is not None else self.total.value
