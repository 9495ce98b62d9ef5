"""Rate limits kept before the provider answers 429: requests, tokens in and out, and calls at a time.

Each amount is paced: whoever reserves is told when to go, one after the other, so that nobody waits for the same
instant and a reset releases no crowd. What an answer's headers say corrects our own count; what a call really used
settles what it reserved. Pure in the clock that is handed in; safe in threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Literal

from byollm.routing.refill import Refill
from byollm.types.forks import forkable

Kind = Literal["requests", "tokens", "input_tokens", "output_tokens"]
KINDS: Final[tuple[Kind, ...]] = ("requests", "tokens", "input_tokens", "output_tokens")
BURST: Final = 1.0
"""Seconds' worth that may go at once: a limit a minute is meant a minute long, and many vendors look closer."""
LONGEST: Final = 3600.0
"""Seconds until a reset that are believed."""
LATE: Final = 0.02
"""Seconds behind a reset at which the first goes: who comes a moment too early is sent away for a second."""
MOMENT: Final = 0.05
"""Seconds by which a reset may move without being another one: answers tell it one after the other."""


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """`limits:` of a target: amounts a minute, and calls at a time. None: no limit of ours."""

    requests: int | None = None
    tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    concurrency: int | None = None


class Bucket:
    """An amount a minute, given out evenly. Times are instants of one clock; `due` is when all of it is paid back.

    `era` counts how often it was closed: what was reserved before is void then, and in nobody's way.
    """

    __slots__ = ("_due", "_own", "_refill", "_step", "_until", "era")

    def __init__(self, a_minute: float) -> None:
        self._own = self._step = 60.0 / a_minute
        self._due = float("-inf")
        self._until = float("-inf")
        self._refill = Refill()
        self.era = 0

    @property
    def a_minute(self) -> float:
        """The pace, as of now."""
        return 60.0 / self._step

    def reserve(self, amount: float, now: float) -> float:
        """Take it, and answer at which instant it may be used."""
        begins, due = now, self._due
        if due - BURST > begins:
            begins = due - BURST
        if self._until > begins:
            begins = self._until
        self._due = (due if due > begins else begins) + amount * self._step
        return begins

    def give_back(self, amount: float) -> None:
        """What was reserved and not used; a negative amount is used beyond it."""
        self._due -= amount * self._step

    def free(self, now: float) -> float:
        """The share that is free, of a burst's worth and of what is lent beyond it."""
        if now < self._until:
            return 0.0
        return max(0.0, min(1.0, 1.0 - (self._due - now) / 60.0))

    def told(self, limit: float | None, remaining: float | None, reset: float | None, now: float) -> None:
        """What the provider's headers say: its limit, what is left, and seconds until more comes.

        What comes back bit by bit is used at that pace. Where all comes at once, what is left is spread over the time
        until then, which suits any window; without both figures the limit is one a minute.
        """
        self._step = self._own
        if remaining is None or reset is None:
            if limit is not None and limit > 0:
                self._step = max(self._step, 60.0 / limit)
            if remaining is not None:
                self._due = max(self._due, now + BURST - remaining * self._step)
            return
        reset = min(reset, LONGEST)
        pace = self._refill.pace(limit, remaining, reset)
        if remaining < 1 and self._refill.whole is None:
            self.close(now + reset + LATE)
            return
        self._step = max(self._step, pace)
        if remaining < 1:
            remaining -= 1  # the next one has to come first
        # No more than what is left may go at once; the rest comes evenly.
        self._due = max(self._due, now + BURST - remaining * self._step)

    def close(self, until: float) -> None:
        """Nobody goes before; then one after the other, as if nothing had been reserved: all who wait reserve anew."""
        if until <= self._until + MOMENT:
            return
        self.era += 1
        self._until = until
        self._due = until + BURST


class Ticket:
    """A place in the queue: `at` is when it may go. `settle` it with what was used, or `cancel` it."""

    __slots__ = ("_limits", "amounts", "at", "eras")

    def __init__(self, limits: Limits, amounts: Mapping[Kind, float], at: float, eras: tuple[int, ...]) -> None:
        self._limits = limits
        self.amounts = amounts
        self.at = at
        self.eras = eras

    @property
    def is_void(self) -> bool:
        """The provider closed a limit since: the place is none, and has to be reserved anew."""
        return self.eras != self._limits.eras

    def settle(self, used: Mapping[Kind, float]) -> None:
        """Book what the answer told. Amounts that it did not tell stay as they were reserved."""
        self._limits.settle(self.amounts, used, self.eras)

    def cancel(self) -> None:
        """It never went."""
        self._limits.settle(self.amounts, _NOTHING, self.eras)


class Limits:
    """The limits of one deployment and one key."""

    __slots__ = ("__weakref__", "_buckets", "_busy", "_concurrency", "_lock", "_waiting", "eras")

    def __init__(self, config: LimitsConfig) -> None:
        amounts = {kind: getattr(config, kind) for kind in KINDS}
        self._buckets: dict[Kind, Bucket] = {kind: Bucket(amount) for kind, amount in amounts.items() if amount}
        self.eras = (0,) * len(self._buckets)
        """How often each limit was closed."""
        self._concurrency = config.concurrency
        self._busy = 0
        self._waiting: deque[Future[None]] = deque()
        # Reentrant: an abandoned stream may be collected, and leave, while this thread holds the lock.
        self._lock = forkable(threading.RLock())
        forkable(self)

    def _at_fork_reinit(self) -> None:
        self._busy, self._waiting = 0, deque()  # the calls under way are the parent's

    @property
    def parts(self) -> tuple[Limits, ...]:
        """It alone: `Joint` has several."""
        return (self,)

    def __repr__(self) -> str:
        return f"Limits({', '.join(f'{kind}={bucket.a_minute:g}' for kind, bucket in self._buckets.items())})"

    def reserve(self, input_tokens: int, output_tokens: int, now: float) -> Ticket:
        """A place for one request of about these sizes. It is taken at once: cancel it when it is not used."""
        amounts: dict[Kind, float] = {}
        at = now
        with self._lock:
            for kind, bucket in self._buckets.items():
                amount = amounts[kind] = _amount(kind, input_tokens, output_tokens)
                at = max(at, bucket.reserve(amount, now))
            return Ticket(self, amounts, at, self.eras)

    def settle(self, amounts: Mapping[Kind, float], used: Mapping[Kind, float], eras: tuple[int, ...]) -> None:
        """Give back what was reserved and not used. What was reserved in an era that is over counts no more."""
        with self._lock:
            for (kind, bucket), era in zip(self._buckets.items(), eras, strict=True):
                spent = used.get(kind) if used is not _NOTHING else 0.0
                if spent is not None and bucket.era == era:
                    bucket.give_back(amounts[kind] - spent)

    def _closed(self) -> None:
        self.eras = tuple([bucket.era for bucket in self._buckets.values()])

    def room(self, now: float) -> float:
        """The share of the tightest limit that is free."""
        with self._lock:
            free = min((bucket.free(now) for bucket in self._buckets.values()), default=1.0)
            if self._concurrency is not None:
                free = min(free, max(0.0, 1.0 - (self._busy + len(self._waiting)) / self._concurrency))
            return free

    def told(self, found: Mapping[str, tuple[float | None, float | None, float | None]], now: float) -> None:
        """Limit, remaining and seconds to the reset, as an answer's headers tell them."""
        if not found:
            return
        with self._lock:
            for kind, bucket in self._buckets.items():
                if kind in found:
                    bucket.told(*found[kind], now)
            self._closed()

    def refused(self, seconds: float, now: float) -> None:
        """A 429 with a wait: nobody goes before it is over."""
        with self._lock:
            for bucket in self._buckets.values():
                bucket.close(now + min(seconds, LONGEST) + LATE)
            self._closed()

    def enter_at_once(self) -> bool:
        """Begin a call if there is a place now; False, and nothing is done, if there is none."""
        if self._concurrency is None:
            return True
        with self._lock:
            if self._busy >= self._concurrency or self._waiting:
                return False
            self._busy += 1
            return True

    def enter(self) -> Future[None] | None:
        """Begin a call: None at once, or a future that is done when there is a place, in the order of asking."""
        if self._concurrency is None:
            return None
        waiting: Future[None] = Future()  # made out here: in there nothing may be collected between look and deed
        with self._lock:
            if self._busy < self._concurrency and not self._waiting:
                self._busy += 1
                return None
            self._waiting.append(waiting)
            return waiting

    def leave(self, waiting: Future[None] | None = None) -> None:
        """End a call; with `waiting`, give up a place in the queue, or the place that it became meanwhile."""
        if self._concurrency is None:
            return
        with self._lock:
            if waiting is not None and waiting in self._waiting:
                self._waiting.remove(waiting)
                waiting.cancel()
                return
            while self._waiting:
                following = self._waiting.popleft()
                if following.set_running_or_notify_cancel():
                    following.set_result(None)
                    return
            self._busy -= 1


_NOTHING: Final[Mapping[Kind, float]] = {}


def _amount(kind: Kind, input_tokens: int, output_tokens: int) -> float:
    match kind:
        case "requests":
            return 1
        case "tokens":
            return input_tokens + output_tokens
    return input_tokens if kind == "input_tokens" else output_tokens
