"""A call that goes in a batch: together with others of its deployment, looked for until it is done, read as if alone.

Calls of one client that reach a deployment within the same seconds share a batch. One of them leads: it sends, looks
and reads for all; when it is cancelled, another leads on. What is not done in time is cancelled at the provider, and
what was done by then still counts.
"""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from byollm.engine.attempt import exchange_once
from byollm.engine.failures import bare, decorate, from_answer
from byollm.engine.steps import Acquire, Emit, Read, Sleep, Steps
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    CancelledError,
    InvalidRequestError,
    ModelNotFoundError,
    PermissionDeniedError,
    PluginError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ServerError,
    UnsupportedFeatureError,
)
from byollm.wire.batches import BatchAnswer, Batches, BatchItem, BatchJob
from byollm.wire.exchange import Exchange, Head, HttpRequest
from byollm.wire.json import dump_json

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.engine.reading import Reading
    from byollm.types.events import Event

T = TypeVar("T")
log = logging.getLogger("byollm")
GATHERING: Final = 10.0
"""Seconds that a batch waits for more requests before it is sent."""
FIRST_LOOK, LAST_LOOK = 15.0, 300.0
"""Seconds between two looks: the first pause, and the longest."""
CANCELLING: Final = 600.0
"""Seconds that OpenAI may take to cancel a batch (its reference, read 2026-11-22); nobody names more."""
PAUSES: Final = (15.0, 60.0, 240.0)
"""Seconds between two tries to read the answers of a batch that ended."""
REFUSALS: Final = (AuthenticationError, PermissionDeniedError, ModelNotFoundError, InvalidRequestError)
"""What is not asked again; whatever else befalls a look may be over at the next one."""
MOST, MOST_BYTES = 10_000, 64 * 1024 * 1024
"""Requests of one batch, and bytes of their bodies: all of it is held in memory, and so are the answers."""
_joining = threading.Lock()


def carried(call: Call, line: Line, exchange: Exchange[Event], reading: Reading, until: float) -> Steps[None]:
    """Send a translated request in a batch, and read its answer. `until` is an instant of the clock's `monotonic`.

    Raises UnsupportedFeatureError for what no batch of this deployment takes, ProviderTimeoutError when it was not
    done by then, and whatever the request would have been answered alone.
    """
    batches = line.deployment.batches()
    if batches is None or exchange.then is not None or len(exchange.request.body) > batches.most_bytes:
        raise UnsupportedFeatureError(f"{line.name}: this request cannot be sent in a batch", field="batch")
    lot, key = _joined(call, line, batches, exchange.request, until)
    try:
        while not lot.over:
            if lot.leads(key):
                yield from _lead(call, line, lot)
            elif not (yield Acquire(lot.places[key], None)):
                raise CancelledError
        answer = lot.outcome(key)
    finally:
        lot.leave(key)
    if answer.status is None:
        words = "the batch's answers were cut off" if lot.is_cut else "the batch ended before this request was done"
        raise decorate(_not_done(words, "unknown" if lot.is_cut else "no"), line, None, call)
    headers = answer.headers or {"x-request-id": _job(lot).id}
    head, body = Head(answer.status, headers), dump_json(answer.document)
    call.status = answer.status
    if not 200 <= answer.status < 300:
        raise decorate(from_answer(exchange, head, body), line, head, call)
    yield from _read(reading, exchange, head, body)


class Lot:
    """One batch: the requests in it, who waits for them, and what became of them. Safe in threads."""

    def __init__(self, name: str, batches: Batches, shape: HttpRequest, until: float, now: float) -> None:
        self.name = name
        self.batches = batches
        self.until = until
        self.patience = max(60.0, 0.1 * (until - now))
        self.items: dict[str, BatchItem] = {}
        self.places: dict[str, Future[None]] = {}
        self.job: BatchJob | None = None
        self.sending = False
        self.is_cancelled = False
        self.is_cut = False
        self._shape = shape
        self._size = 0
        self._leader: str | None = None
        self._answers: dict[str, BatchAnswer] | None = None
        self._error: ByollmError | None = None
        self._lock = threading.Lock()

    def takes(self, request: HttpRequest, until: float) -> bool:
        """Whether a request may still come along."""
        return (
            not (self.sending or self.over)
            and abs(until - self.until) <= self.patience
            and (request.method, request.url, request.headers)
            == (self._shape.method, self._shape.url, self._shape.headers)
            and len(self.items) < min(MOST, self.batches.most)
            and self._size + len(request.body) <= min(MOST_BYTES, self.batches.most_bytes)
        )

    def add(self, name: str, request: HttpRequest, until: float) -> str:
        """Take a request along; its key. The first to run out of time decides for all."""
        key = f"{name}-{len(self.items)}"
        self.items[key] = BatchItem(key, request)
        self.places[key] = Future()
        self.until = min(self.until, until)
        self._size += len(request.body)
        return key

    @property
    def over(self) -> bool:
        """Everybody can be told."""
        return self._answers is not None or self._error is not None

    def leads(self, key: str) -> bool:
        """True for the one that leads: whoever asks first, and whoever asks first after a leader has left."""
        with self._lock:
            self._leader = self._leader or key
            return self._leader == key

    def send(self) -> list[BatchItem]:
        """Nobody comes along any more. Those who left meanwhile are not sent."""
        with _joining:
            self.sending = True
            return list(self.items.values())

    def ended(self, answers: Sequence[BatchAnswer]) -> None:
        """All that was done."""
        self._answers = {answer.key: answer for answer in answers}
        self._wake()

    def failed(self, error: ByollmError) -> None:
        """Nobody gets an answer."""
        self._error = bare(error)
        self._wake()

    def outcome(self, key: str) -> BatchAnswer:
        """What became of one request. Raises, for each of them anew, what befell the whole batch."""
        if self._error is not None:
            raise copy.copy(self._error)
        assert self._answers is not None
        return self._answers.get(key) or BatchAnswer(key, None)

    def leave(self, key: str) -> None:
        """Whoever has an answer, or will have none. A leader that leaves early is followed by another."""
        with _joining:
            self.places.pop(key, None)
            if not self.sending:
                del self.items[key]
        with self._lock:
            if self._leader != key or self.over:
                return
            self._leader = next((heir for heir, place in list(self.places.items()) if _given(place)), None)
            is_alone = self._leader is None and not self.places
        if is_alone and self.job is not None:
            log.warning("batch left behind deployment=%s id=%s requests=%d", self.name, self.job.id, len(self.items))

    def _wake(self) -> None:
        with self._lock:
            for place in list(self.places.values()):
                _given(place)


def _given(place: Future[None]) -> bool:
    """Wake whoever waits; False for one that does not wait any more."""
    if place.done() or not place.set_running_or_notify_cancel():
        return False
    place.set_result(None)
    return True


def _joined(call: Call, line: Line, batches: Batches, request: HttpRequest, until: float) -> tuple[Lot, str]:
    with _joining:
        lot = line.lot
        if lot is None or not lot.takes(request, until):
            lot = line.lot = Lot(line.name, batches, request, until, call.clock.monotonic())
        return lot, lot.add(call.id, request, until)


def _lead(call: Call, line: Line, lot: Lot) -> Steps[None]:
    """To the end of the batch. Raises CancelledError when the leading call is cancelled; the rest is the lot's."""
    try:
        yield from _sent(call, line, lot)
        yield from _ended(call, line, lot)
        lot.ended((yield from _answers(call, line, lot)))
    except CancelledError:
        raise
    except ByollmError as error:
        lot.failed(error)
    if lot.job is not None and lot.job.ended:
        yield from _forgotten(call, line, lot)


def _sent(call: Call, line: Line, lot: Lot) -> Steps[None]:
    if lot.job is not None:
        return
    if lot.sending:  # whoever led before was cancelled while it sent
        error = ProviderConnectionError("whether the batch was taken is not known", sent="yes", billed="unknown")
        raise decorate(error, line, None, call)
    yield from _slept(call, GATHERING)
    items = lot.send()
    lot.job = yield from _asked(call, line, lambda: lot.batches.submit(items))
    log.info("batch sent deployment=%s id=%s requests=%d", line.name, lot.job.id, len(items))


def _ended(call: Call, line: Line, lot: Lot) -> Steps[None]:
    """Look until it is over; near the end of the time ask for its end."""
    clock, wait = call.clock, FIRST_LOOK
    grace = min(CANCELLING, 0.2 * (lot.until - clock.monotonic()))
    while not _job(lot).ended:
        left = lot.until - clock.monotonic()
        if left <= 0:
            log.warning("batch not done in time deployment=%s id=%s", line.name, _job(lot).id)
            raise decorate(_not_done("the batch was not done in time", "unknown"), line, None, call)
        if left <= grace and not lot.is_cancelled:
            lot.is_cancelled, wait = True, FIRST_LOOK
            yield from _cancelled(call, line, lot)
        yield from _slept(call, min(wait, left if lot.is_cancelled else left - grace))
        wait = min(1.5 * wait, LAST_LOOK)
        try:
            lot.job = yield from _asked(call, line, lambda: lot.batches.look(_job(lot)))
        except ProviderError as error:
            if isinstance(error, REFUSALS):
                raise
    if _job(lot).failed:
        problem = f"the batch failed: {_job(lot).failed}"
        raise decorate(ServerError(problem, retryable=False, billed="no"), line, None, call)


def _answers(call: Call, line: Line, lot: Lot) -> Steps[list[BatchAnswer]]:
    """Asked for again, a few times: the work is done and paid for."""
    for wait in (*PAUSES, None):
        try:
            values = yield from exchange_once(call, line, _made(line, lambda: lot.batches.answers(_job(lot))))
            answers = [value for value in values if isinstance(value, BatchAnswer)]
            lot.is_cut = len(answers) < (_job(lot).told or 0)
            if not lot.is_cut or wait is None:
                return answers
        except ProviderError as error:
            if wait is None or isinstance(error, REFUSALS) or lot.until - call.clock.monotonic() <= wait:
                error.billed = "yes"
                raise
        yield from _slept(call, wait)
    raise AssertionError("the last of them raises")


def _cancelled(call: Call, line: Line, lot: Lot) -> Steps[None]:
    try:
        lot.job = yield from _asked(call, line, lambda: lot.batches.cancel(_job(lot)))
    except ProviderError as error:
        log.info("batch cannot be cancelled deployment=%s id=%s: %s", line.name, _job(lot).id, error.message)


def _forgotten(call: Call, line: Line, lot: Lot) -> Steps[None]:
    """Nothing of it stays with the provider, where it can be asked for. The answers do not depend on it."""
    try:
        asked = _made(line, lambda: lot.batches.forget(_job(lot)))
        if asked is not None:
            yield from exchange_once(call, line, asked)
    except (ProviderError, PluginError) as error:
        log.info("batch cannot be deleted deployment=%s id=%s: %s", line.name, _job(lot).id, error.message)


def _made(line: Line, make: Callable[[], T]) -> T:
    try:
        return make()
    except ByollmError:
        raise
    except Exception as error:
        problem = PluginError(f"{line.provider}: batch failed: {type(error).__name__}: {error}")
    raise problem


def _asked(call: Call, line: Line, make: Callable[[], Exchange[BatchJob]]) -> Steps[BatchJob]:
    values = yield from exchange_once(call, line, _made(line, make))
    if not values or not isinstance(values[-1], BatchJob):
        raise PluginError(f"{line.provider}: the answer about a batch was read into no BatchJob")
    return values[-1]


def _slept(call: Call, seconds: float) -> Steps[None]:
    if (yield Sleep(max(0.0, seconds))):
        raise CancelledError


def _read(reading: Reading, exchange: Exchange[Event], head: Head, body: bytes) -> Steps[None]:
    """The document of an answer, as if it had come alone."""
    steps, pieces = reading.answer(exchange, head), iter((body, b""))
    answer: Any = None
    try:
        while True:
            step = steps.send(answer)
            answer = next(pieces, b"") if type(step) is Read else None
            if type(step) is Emit:
                yield step
    except StopIteration:
        return


def _job(lot: Lot) -> BatchJob:
    assert lot.job is not None
    return lot.job


def _not_done(words: str, billed: Any) -> ProviderTimeoutError:
    return ProviderTimeoutError(words, phase="total", sent="yes", billed=billed, retryable=False)
