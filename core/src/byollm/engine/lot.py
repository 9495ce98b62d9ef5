"""One batch in this process: the requests in it, who waits for them, who leads, and what became of them."""

from __future__ import annotations

import copy
import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from byollm.engine.failures import bare
from byollm.errors import ByollmError
from byollm.wire.batches import BatchAnswer, Batches, BatchItem, BatchJob
from byollm.wire.exchange import HttpRequest

if TYPE_CHECKING:
    from byollm.engine.call import Call, Clock
    from byollm.engine.line import Line

log = logging.getLogger("byollm")
MOST, MOST_BYTES = 10_000, 64 * 1024 * 1024
"""Requests of one batch, and bytes of their bodies: all of it is held in memory, and so are the answers."""
CANCELLING: Final = 600.0
"""Seconds that OpenAI may take to cancel a batch (its reference, read 2026-11-22); nobody names more."""
_joining = threading.Lock()


def _forked() -> None:
    global _joining
    _joining = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Lot:
    """Safe in threads. `until` and `latest` are the same instant: of the clock's `monotonic`, and of the wall clock,
    which goes on while a machine sleeps."""

    def __init__(
        self, name: str, batches: Batches, shape: HttpRequest, until: float, latest: float, now: float
    ) -> None:
        self.name = name
        self.batches = batches
        self.until = self._asked_until = until
        self.latest = latest
        self.patience = max(60.0, 0.1 * (until - now))
        self.grace = 0.0
        """Seconds before the end at which it is cancelled."""
        self.items: dict[str, BatchItem] = {}
        self.places: dict[str, Future[None]] = {}
        self.count = 0
        """Requests that were sent."""
        self.job: BatchJob | None = None
        self.shown = ""
        """The job's id, fit for the log."""
        self.sending = False
        self.is_cancelled = False
        self.is_cut = False
        self.is_settled = False
        """Nothing more is to be done or said about it."""
        self._keys: frozenset[str] = frozenset()
        self._shape = shape
        self._process = os.getpid()
        self._size = 0
        self._leader: str | None = None
        self._answers: dict[str, BatchAnswer] | None = None
        self._error: ByollmError | None = None
        self._lock = threading.Lock()

    def join(self, name: str, request: HttpRequest, until: float, latest: float) -> str | None:
        """Take a request along; its key, None when it is too late or does not fit. The first to run out of time decides
        for all."""
        if self._process != os.getpid():  # whoever leads it is in the process that was forked
            return None
        with self._lock:
            if not self._takes(request, until):
                return None
            key = f"{name}-{len(self.items)}"
            self.items[key] = BatchItem(key, request)
            self.places[key] = Future()
            self.until, self.latest = min(self.until, until), min(self.latest, latest)
            self._size += len(request.body)
            return key

    def _takes(self, request: HttpRequest, until: float) -> bool:
        return (
            not (self.sending or self.over)
            and abs(until - self._asked_until) <= self.patience
            and (request.method, request.url, request.headers)
            == (self._shape.method, self._shape.url, self._shape.headers)
            and len(self.items) < min(MOST, self.batches.most)
            and (not self.items or self._size + len(request.body) <= min(MOST_BYTES, self.batches.most_bytes))
        )

    @property
    def over(self) -> bool:
        """Everybody can be told."""
        return self._answers is not None or self._error is not None

    def left(self, clock: Clock) -> float:
        """Seconds until it has to be over."""
        return min(self.until - clock.monotonic(), self.latest - clock.time())

    def leads(self, key: str) -> bool:
        """True for the one that leads: whoever asks first, and whoever asks first after a leader has left."""
        with self._lock:
            self._leader = self._leader or key
            return self._leader == key

    def send(self, clock: Clock) -> list[BatchItem]:
        """Nobody comes along any more. Those who left meanwhile are not sent."""
        with self._lock:
            self.sending = True
            items, self.items = list(self.items.values()), {}
        self._keys, self.count = frozenset(item.key for item in items), len(items)
        self.grace = min(CANCELLING, 0.2 * self.left(clock))
        return items

    def own(self, values: Sequence[object]) -> list[BatchAnswer]:
        """The answers among them that are for its requests, one each."""
        found = [value for value in values if isinstance(value, BatchAnswer) and value.key in self._keys]
        return list({answer.key: answer for answer in found}.values())

    def ended(self, answers: Sequence[BatchAnswer]) -> None:
        """All that was done."""
        self._answers = {answer.key: answer for answer in answers}
        self._wake()

    def failed(self, error: ByollmError) -> None:
        """Nobody gets an answer."""
        self._error = bare(error)
        self._wake()

    def outcome(self, key: str) -> BatchAnswer:
        """What became of one request; told once. Raises, for each of them anew, what befell the whole batch."""
        if self._error is not None:
            raise copy.copy(self._error)
        assert self._answers is not None
        return self._answers.pop(key, None) or BatchAnswer(key, None)

    def leave(self, key: str) -> None:
        """Whoever has an answer, or will have none. A leader that leaves early is followed by another."""
        with self._lock:
            self.places.pop(key, None)
            item = self.items.pop(key, None)
            self._size -= len(item.request.body) if item is not None else 0
            if self._leader != key:
                return
            self._leader = None
            if not self.over:
                self._leader = next((heir for heir, place in self.places.items() if _given(place)), None)
            is_left = self.over or not self.places
        if is_left and self.job is not None and not self.is_settled:
            log.warning("batch left behind deployment=%s id=%s requests=%d", self.name, self.shown, self.count)

    def _wake(self) -> None:
        with self._lock:
            for place in self.places.values():
                _given(place)


def joined(
    call: Call, line: Line, batches: Batches, request: HttpRequest, until: float, latest: float
) -> tuple[Lot, str]:
    """The batch that still takes requests along, or a new one, and the key of the request in it."""
    with _joining:
        lot = line.lot
        key = lot.join(call.id, request, until, latest) if lot is not None else None
        if lot is None or key is None:
            lot = line.lot = Lot(line.name, batches, request, until, latest, call.clock.monotonic())
            key = lot.join(call.id, request, until, latest)
            assert key is not None
        return lot, key


def closed(line: Line, lot: Lot) -> None:
    """It takes nobody along any more: the line does not keep its requests and answers alive."""
    with _joining:
        if line.lot is lot:
            line.lot = None


def _given(place: Future[None]) -> bool:
    """Wake whoever waits; False for one that does not wait any more."""
    if place.done() or not place.set_running_or_notify_cancel():
        return False
    place.set_result(None)
    return True
