"""A call that goes in a batch: together with others of its deployment, looked for until it is done, read as if alone.

Calls of one client that reach a deployment within the same seconds share a batch. One of them leads: it sends, looks
and reads for all; when it is cancelled, another leads on. What is not done in time is cancelled at the provider, and
what was done by then still counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from byollm.engine.deferring import latest
from byollm.engine.exchanging import exchange_once
from byollm.engine.failures import decorate, from_answer
from byollm.engine.lot import Lot, closed, joined
from byollm.engine.steps import Acquire, Emit, Read, Sleep, Steps
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    CancelledError,
    InvalidRequestError,
    ModelNotFoundError,
    NoRouteError,
    PermissionDeniedError,
    PluginError,
    ProtocolError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ServerError,
    UnsupportedFeatureError,
)
from byollm.types.events import UsageReported
from byollm.types.usage import BATCH
from byollm.wire.batches import BatchAnswer, Batches, BatchJob
from byollm.wire.classify import one_screen
from byollm.wire.exchange import Exchange, Head
from byollm.wire.json import dump_json

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.engine.reading import Reading
    from byollm.types.events import Event
    from byollm.types.request import Request

T = TypeVar("T")
log = logging.getLogger("byollm")
GATHERING: Final = 10.0
"""Seconds that a batch waits for more requests before it is sent."""
FIRST_LOOK, LAST_LOOK = 15.0, 300.0
"""Seconds between two looks: the first pause, and the longest."""
LEAST: Final = 60.0
"""Seconds that must be left when a batch is sent."""
PAUSES: Final = (15.0, 60.0, 240.0)
"""Seconds between two tries to read the answers of a batch that ended."""
REFUSALS: Final = (AuthenticationError, PermissionDeniedError, ModelNotFoundError, InvalidRequestError)
"""What is not asked again; whatever else befalls a look may be over at the next one."""


def taker(call: Call, line: Line, request: Request, exchange: Exchange[Event]) -> Batches:
    """The batches that a translated request can go in. Nothing was sent yet.

    Raises UnsupportedFeatureError for what no batch of this deployment takes, NoRouteError when a rule forbids the
    deployment meanwhile: hours may have passed since an earlier batch.
    """
    batches = line.deployment.batches()
    if batches is None or exchange.then is not None or len(exchange.request.body) > batches.most_bytes:
        raise UnsupportedFeatureError(f"{line.name}: this request cannot be sent in a batch", field="batch")
    if call.attempts and call.deferral is not None and line not in call.deferral.lines(call, request, None):
        raise NoRouteError(f"{line.name} may not be asked any more", skipped=call.skipped)
    return batches


def carried(
    call: Call, line: Line, batches: Batches, exchange: Exchange[Event], reading: Reading, until: float
) -> Steps[None]:
    """Send a translated request in a batch, and read its answer. `until` is an instant of the clock's `monotonic`.

    Raises ProviderTimeoutError when it was not done by then, and whatever the request would have been answered alone.
    """
    deferral, clock = call.deferral, call.clock
    end = latest(deferral) if deferral is not None else clock.time() + until - clock.monotonic()
    lot, key = joined(call, line, batches, exchange.request, until, end)
    call.lot = lot
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
    headers = {name: one_screen(value) for name, value in answer.headers.items()} or {"x-request-id": lot.shown}
    head, body = Head(answer.status, headers), dump_json(answer.document)
    call.status = answer.status
    if not 200 <= answer.status < 300:
        raise decorate(from_answer(exchange, head, body), line, head, call)
    yield from _read(reading, replace(exchange, reader=_in_batch(exchange.reader)), head, body)


def _in_batch(reader: Callable[[Head], Any]) -> Callable[[Head], Any]:
    """A reader whose usage tells the tier: the answer itself may not know it, and prices depend on it."""

    def begun(head: Head) -> Any:
        read = reader(head)

        def told(frame: Any) -> list[Event]:
            events: list[Event] = list(read(frame))
            return [
                UsageReported(event.usage.in_tier(BATCH)) if type(event) is UsageReported else event for event in events
            ]

        return told

    return begun


def _lead(call: Call, line: Line, lot: Lot) -> Steps[None]:
    """To the end of the batch. Raises CancelledError when the leading call is cancelled; the rest is the lot's."""
    resent = None
    try:
        yield from _sent(call, line, lot)
        resent = call.cancellation.resent  # a look that was sent anew costs nothing: it is not to be booked
        yield from _ended(call, line, lot)
        lot.ended((yield from _answers(call, line, lot)))
        yield from _forgotten(call, line, lot, _job(lot))
    except CancelledError:
        raise
    except ByollmError as error:
        if isinstance(error, ProviderError):
            error.failover_ok = True  # what is wrong with a batch, or with one of its requests, is so with no other
        lot.failed(error)
        if lot.job is not None and lot.job.ended:
            yield from _forgotten(call, line, lot, lot.job)
    finally:
        if resent is not None:
            call.cancellation.resent = resent


def _sent(call: Call, line: Line, lot: Lot) -> Steps[None]:
    if lot.job is not None:
        return
    if lot.sending:  # whoever led before was cancelled while it sent
        error = ProviderConnectionError("whether the batch was taken is not known", sent="yes", billed="unknown")
        raise decorate(error, line, None, call)
    yield from _slept(call, GATHERING)
    items = lot.send(call.clock)
    closed(line, lot)
    if lot.left(call.clock) < LEAST:
        words = "too little time is left for a batch"
        late = ProviderTimeoutError(words, phase="total", sent="no", billed="no", retryable=False)
        raise decorate(late, line, None, call)
    lot.job = yield from _submitted(call, line, lot, lambda: lot.batches.submit(items))
    lot.shown = one_screen(line.credentials.redactor.text(lot.job.id))
    log.info("batch sent deployment=%s id=%s requests=%d", line.name, lot.shown, lot.count)


def _submitted(call: Call, line: Line, lot: Lot, make: Callable[[], Exchange[BatchJob]]) -> Steps[BatchJob]:
    values: list[Any] = []
    try:
        return (yield from _asked(call, line, lot, make, values))
    except ProviderError as error:
        problem = error
    if values and isinstance(values[-1], BatchJob) and problem.billed == "no":  # uploaded, and then refused
        yield from _forgotten(call, line, lot, values[-1])
    raise problem


def _ended(call: Call, line: Line, lot: Lot) -> Steps[None]:
    """Look until it is over; near the end of the time ask for its end."""
    wait = FIRST_LOOK
    while not _job(lot).ended:
        left = lot.left(call.clock)
        is_late = left <= lot.grace
        if is_late and not lot.is_cancelled:
            yield from _cancelled(call, line, lot)
            wait = FIRST_LOOK
            if _job(lot).ended:
                break
        if left <= 0:
            log.warning("batch not done in time deployment=%s id=%s", line.name, lot.shown)
            lot.is_settled = True
            raise decorate(_not_done("the batch was not done in time", "unknown"), line, None, call)
        yield from _slept(call, min(wait, left if is_late else left - lot.grace))
        wait = min(1.5 * wait, LAST_LOOK)
        try:
            lot.job = yield from _asked(call, line, lot, lambda: lot.batches.look(_job(lot)))
        except ProviderError as error:
            if isinstance(error, REFUSALS):
                raise
    if _job(lot).failed:
        problem = f"the batch failed: {_job(lot).failed}"
        raise decorate(ServerError(problem, retryable=False, billed="no"), line, None, call)


def _answers(call: Call, line: Line, lot: Lot) -> Steps[list[BatchAnswer]]:
    """Asked for again, a few times and while there is time: the work is done and paid for, and not to be sent again."""
    for wait in (*PAUSES, None):
        try:
            values = yield from exchange_once(call, line, _made(line, lambda: lot.batches.answers(_job(lot))))
            answers = lot.own(values)
            lot.is_cut = len(answers) < (_job(lot).told or 0)
            if not lot.is_cut or wait is None or lot.left(call.clock) <= wait:
                return answers
        except ProviderError as error:
            if wait is None or isinstance(error, REFUSALS) or lot.left(call.clock) <= wait:
                error.billed, error.retryable = "yes", False
                raise
        yield from _slept(call, wait)
    raise AssertionError("the last of them raises")


def _cancelled(call: Call, line: Line, lot: Lot) -> Steps[None]:
    """Whoever could not be reached is asked again, with the next look."""
    try:
        lot.job = yield from _asked(call, line, lot, lambda: lot.batches.cancel(_job(lot)))
        lot.is_cancelled = True
    except ProviderError as error:
        lot.is_cancelled = isinstance(error, REFUSALS)
        log.info("batch cannot be cancelled deployment=%s id=%s: %s", line.name, lot.shown, error.message)


def _forgotten(call: Call, line: Line, lot: Lot, job: BatchJob) -> Steps[None]:
    """Nothing of it stays with the provider, where it can be asked for. The answers do not depend on it."""
    try:
        asked = _made(line, lambda: lot.batches.forget(job))
        if asked is not None:
            yield from exchange_once(call, line, asked)
    except CancelledError:
        raise
    except ByollmError as error:
        log.info("batch cannot be deleted deployment=%s id=%s: %s", line.name, lot.shown, error.message)
    lot.is_settled = True


def _made(line: Line, make: Callable[[], T]) -> T:
    try:
        return make()
    except ByollmError:
        raise
    except Exception as error:
        problem = PluginError(f"{line.provider}: batch failed: {type(error).__name__}: {error}")
    raise problem


def _asked(
    call: Call, line: Line, lot: Lot, make: Callable[[], Exchange[BatchJob]], found: list[Any] | None = None
) -> Steps[BatchJob]:
    values = yield from exchange_once(call, line, _made(line, make), found)
    if values and not isinstance(values[-1], BatchJob):
        raise PluginError(f"{line.provider}: the answer about a batch was read into no BatchJob")
    if not values or (lot.job is not None and values[-1].id != lot.job.id):
        problem = "the answer is about another batch" if values else "the answer about a batch is empty"
        raise decorate(ProtocolError(problem), line, None, call)
    job: BatchJob = values[-1]
    return job


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
