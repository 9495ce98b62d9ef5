"""Two brakes: a breaker per deployment, and a budget for retries. Both are pure in the clock they are given."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from byollm.types.forks import forkable

FAILURES_TO_OPEN: Final = 5
OPEN_SECONDS: Final = 20.0
WARM_UP_SECONDS: Final = 10.0
WARM_UP_SHARE: Final = 0.1
WINDOW_SECONDS: Final = 10.0
RETRY_SHARE: Final = 0.2
RETRY_FLOOR: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of errors: how many in a row open, for how long, and up to how long when probes keep failing.

    `whose`: what is ill. Failures of a `deployment`'s kinds count together; a `key` is shared with other deployments.
    """

    name: str
    failures: int = FAILURES_TO_OPEN
    seconds: float = OPEN_SECONDS
    longest: float = OPEN_SECONDS
    whose: str = "deployment"


CONNECTION: Final = Kind("connection")
TIMEOUT: Final = Kind("timeout")
SERVER: Final = Kind("server")
PROTOCOL: Final = Kind("protocol")
MODEL: Final = Kind("model", 3, 60.0, 300.0, "model")
KEY: Final = Kind("key", 3, OPEN_SECONDS, 300.0, "key")
QUOTA: Final = Kind("quota", 1, OPEN_SECONDS, 300.0, "key")

_lock = forkable(threading.Lock())
"""For whatever is ill: a case may be shared by the breakers of several deployments. The healthy never take it."""


class Case:
    """One kind of illness: its failures in a row, when it opened, and its way back."""

    __slots__ = ("closed", "count", "failures", "kind", "opened", "probed", "seconds", "shared")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.failures = 0
        self.opened: float | None = None
        self.closed: float | None = None
        self.count = 0
        self.probed = False
        self.shared = False
        self.seconds = kind.seconds

    def __repr__(self) -> str:
        return f"Case({self.kind.name})"

    def open(self, now: float) -> None:
        """Open, and longer than before when a probe has failed."""
        if self.opened is not None and self.probed:
            self.seconds = min(self.kind.longest, 2 * self.seconds)
        self.opened, self.probed = now, False

    def close(self, now: float) -> None:
        """It works again: whoever waited comes back slowly."""
        if self.opened is not None:
            self.closed, self.count = now, 0
        self.failures, self.opened, self.probed, self.seconds = 0, None, False, self.kind.seconds
        self.shared = False

    def is_due(self, now: float) -> bool:
        """Time for a probe."""
        return self.opened is None or now - self.opened >= self.seconds

    def is_next(self, now: float) -> bool:
        """The next call since it closed is of the share that has grown so far."""
        if self.closed is None or now - self.closed >= WARM_UP_SECONDS:
            return True
        share = max(WARM_UP_SHARE, (now - self.closed) / WARM_UP_SECONDS)
        return int((self.count + 1) * share) > int(self.count * share)

    def is_over(self, now: float) -> bool:
        """Nothing is left to remember."""
        warm = self.closed is None or now - self.closed >= WARM_UP_SECONDS
        return self.opened is None and not self.failures and warm


class Breaker:
    """Opens after five failures in a row, or at once for a quota that is used up; after 20 s one probe is let through.

    When the probe succeeds the calls come back slowly: a tenth at first, all of them after 10 s. An open breaker does
    not forbid a deployment, it puts it last: when nothing else is left, the caller gets the provider's own answer.
    Each class of errors is a case of its own; a healthy breaker has none, and costs one look.
    """

    __slots__ = ("_cases",)

    def __init__(self) -> None:
        self._cases: dict[str, Case] | None = None

    def __repr__(self) -> str:
        return f"Breaker({'closed' if self.opened == float('-inf') else 'open'})"

    @property
    def is_well(self) -> bool:
        """It did not fail since it last answered."""
        return self._cases is None or not any(case.failures for case in self.cases)

    @property
    def cases(self) -> list[Case]:
        """All that is remembered of failures."""
        cases = self._cases
        return [] if cases is None else list(cases.values())

    @property
    def opened(self) -> float:
        """When it opened last, or let a probe through; minus infinity while it is closed."""
        return max((case.opened for case in self.cases if case.opened is not None), default=float("-inf"))

    def allows(self, now: float) -> bool:
        """True when closed, or when this call is the single probe: ask right before it is sent.

        A probe that never tells how it ended makes way for the next after another 20 s.
        """
        if self._cases is None:
            return True
        with _lock:
            cases = self.cases
            if not all(case.is_due(now) for case in cases):
                return False
            back = [self._comes_back(case, now) for case in cases if case.opened is None]  # each counts the call
            allowed = all(back)
            if allowed:
                for case in cases:
                    if case.opened is not None:
                        case.opened, case.probed = now, True
            self._forget(now)
            return allowed

    def _comes_back(self, case: Case, now: float) -> bool:
        allowed = case.is_next(now)
        case.count += 1
        return allowed

    def _forget(self, now: float) -> None:
        self._cases = {case.kind.name: case for case in self.cases if not case.is_over(now)} or None

    def would_allow(self, now: float) -> bool:
        """`allows`, only looked at: nobody becomes the probe."""
        return all(case.is_due(now) if case.opened is not None else case.is_next(now) for case in self.cases)

    def is_open(self, now: float) -> bool:
        """True while not even a probe is due."""
        return self._cases is not None and not all(case.is_due(now) for case in self.cases)

    def why(self) -> str:
        """The classes of errors that it remembers, for people."""
        return " and ".join(case.kind.name for case in self.cases)

    def succeeded(self, now: float, but: Kind | None = None) -> None:
        """The deployment answered, if only with a refusal of its own making. `but`: of this kind, which stays ill."""
        if self._cases is None:
            return
        with _lock:
            for case in self.cases:
                if but is None or (case.kind is not but and case.kind.whose == "deployment"):
                    case.close(now)
            self._forget(now)

    def failed(self, now: float, kind: Kind = SERVER) -> Case:
        """The deployment could not be reached, or failed by itself; the case that this is."""
        with _lock:
            cases = self._cases or {}
            case = cases.setdefault(kind.name, Case(kind))
            self._cases = cases
            case.failures += 1
            together = [case] if kind.whose != "deployment" else cases.values()
            if sum(it.failures for it in together if it.kind.whose == kind.whose) >= kind.failures:
                case.open(now)
            return case

    def exhausted(self, now: float) -> Case:
        """The quota of this line's key is used up."""
        return self.failed(now, QUOTA)

    def share(self, cases: Iterable[Case]) -> None:
        """Another deployment with the same key fell ill of it: one probe is enough for both."""
        with _lock:
            self._cases = {**(self._cases or {}), **{case.kind.name: case for case in cases}} or None


class RetryBudget:
    """Requests after a call's first: at most a share (a fifth) of the last 10 s' calls, and at least one a second."""

    __slots__ = ("_calls", "_lock", "_retries", "_share")

    def __init__(self, share: float = RETRY_SHARE) -> None:
        self._share = share
        self._lock = forkable(threading.Lock())
        self._calls: deque[float] = deque()
        self._retries: deque[float] = deque()

    def __repr__(self) -> str:
        return "RetryBudget(…)"

    def count_call(self, now: float) -> None:
        """A call's first request."""
        with self._lock:
            calls = self._calls
            calls.append(now)
            if now - calls[0] > WINDOW_SECONDS:
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
