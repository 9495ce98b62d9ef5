"""Two brakes: a breaker per deployment, and a budget for retries. Both are pure in the clock they are given."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

FAILURES_TO_OPEN: Final = 5
OPEN_SECONDS: Final = 20.0
WARM_UP_SECONDS: Final = 10.0
WARM_UP_SHARE: Final = 0.1
WINDOW_SECONDS: Final = 10.0
RETRY_SHARE: Final = 0.2
RETRY_FLOOR: Final = 1.0


class Breaker:
    """Opens after five failures in a row, or at once for a quota that is used up; after 20 s one probe is let through.

    When the probe succeeds the calls come back slowly: a tenth at first, all of them after 10 s. An open breaker does
    not forbid a deployment, it puts it last: when nothing else is left, the caller gets the provider's own answer.
    """

    __slots__ = ("_closed", "_count", "_failures", "_lock", "_opened")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        self._closed: float | None = None
        self._count = 0

    def __repr__(self) -> str:
        return "Breaker(open)" if self._opened is not None else "Breaker(closed)"

    @property
    def is_well(self) -> bool:
        """It did not fail since it last answered."""
        return self._failures == 0 and self._opened is None

    @property
    def opened(self) -> float:
        """When it opened, or let its last probe through; minus infinity while it is closed."""
        return self._opened if self._opened is not None else float("-inf")

    def allows(self, now: float) -> bool:
        """True when closed, or when this call is the single probe: ask right before it is sent.

        A probe that never tells how it ended makes way for the next after another 20 s.
        """
        if self._opened is None and self._closed is None:
            return True
        with self._lock:
            if self._opened is not None:
                if now - self._opened < OPEN_SECONDS:
                    return False
                self._opened = now
                return True
            allowed = self._is_due(now)
            self._count += 1
            return allowed

    def _is_due(self, now: float) -> bool:
        """Of the calls since it closed, the share that has grown so far."""
        if self._closed is None or now - self._closed >= WARM_UP_SECONDS:
            self._closed = None
            return True
        share = max(WARM_UP_SHARE, (now - self._closed) / WARM_UP_SECONDS)
        return int((self._count + 1) * share) > int(self._count * share)

    def would_allow(self, now: float) -> bool:
        """`allows`, only looked at: nobody becomes the probe."""
        if self._opened is not None:
            return now - self._opened >= OPEN_SECONDS
        return self._closed is None or self._is_due(now)

    def is_open(self, now: float) -> bool:
        """True while not even a probe is due."""
        return self._opened is not None and now - self._opened < OPEN_SECONDS

    def succeeded(self, now: float) -> None:
        """The deployment answered, if only with a refusal of its own making."""
        if self._failures or self._opened is not None:
            with self._lock:
                if self._opened is not None:
                    self._closed, self._count = now, 0
                self._failures, self._opened = 0, None

    def failed(self, now: float) -> None:
        """The deployment could not be reached, or failed by itself."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES_TO_OPEN:
                self._opened = now

    def exhausted(self, now: float) -> None:
        """The quota of this line's key is used up: other keys have breakers of their own."""
        with self._lock:
            self._failures, self._opened = FAILURES_TO_OPEN, now


class RetryBudget:
    """Requests after a call's first: at most a share (a fifth) of the last 10 s' calls, and at least one a second."""

    __slots__ = ("_calls", "_lock", "_retries", "_share")

    def __init__(self, share: float = RETRY_SHARE) -> None:
        self._share = share
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()
        self._retries: deque[float] = deque()

    def __repr__(self) -> str:
        return "RetryBudget(…)"

    def count_call(self, now: float) -> None:
        """A call's first request."""
        with self._lock:
            self._calls.append(now)
            self._forget(now)

    def spend(self, now: float) -> bool:
        """May one more request be sent? True counts it."""
        with self._lock:
            self._forget(now)
            most = max(RETRY_FLOOR * WINDOW_SECONDS, self._share * len(self._calls))
            if len(self._retries) >= most:
                return False
            self._retries.append(now)
            return True

    def _forget(self, now: float) -> None:
        for times in (self._calls, self._retries):
            while times and now - times[0] > WINDOW_SECONDS:
                times.popleft()
