"""Batches when something goes wrong beside them: forks, clocks, hostile answers, and what the books are told."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import weakref
from dataclasses import replace
from typing import Any

import pytest

import byollm
import byollm_anthropic.batches as wire
from byollm.engine.batching import GATHERING
from byollm.engine.lot import Lot
from byollm.engine.middleware import map_events
from byollm.errors import InvalidRequestError, NoRouteError, ServerError
from byollm.plugin import BatchAnswer, BatchJob
from byollm.testing import ManualClock
from byollm_sandbox import Twins
from tests.scenarios.conftest import KEY, Asker
from tests.scenarios.test_batches import DAY, HOUR, LATER, NOON, Half, Hurried, clock, kinds, prices, target, twin

__all__ = ["prices", "twin"]


class Told:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.resent = 0

    def started(self, call: Any, deployment: str) -> None:
        self.told.append("started")

    def finished(self, call: Any, attempt: Any) -> None:
        self.told.append("finished")
        self.resent += call.cancellation.resent


def test_a_request_that_no_batch_takes_was_not_sent(twin: Twins, monkeypatch: pytest.MonkeyPatch):
    """The books are told of the call alone, which went directly."""
    monkeypatch.setattr(wire.MessageBatches, "most_bytes", 10)
    observer = Told()
    with byollm.Client(target(twin), clock=clock(), observers=[observer]) as client:
        answer = client.complete("hi", **LATER)

    assert [attempt.sent for attempt in answer.attempts] == ["yes"]
    assert observer.told == ["started", "finished"]


def test_answers_that_cannot_be_read_are_not_paid_for_again_in_another_batch(ask: Asker, twin: Twins):
    """The work was done: it is asked directly, once."""
    twin.fault("status", times=None, operation="batch-results", status=500)

    answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert [attempt.billed for attempt in answer.attempts] == ["yes", "yes"]
    assert len(twin.batches) == 1


def test_where_nothing_may_be_paid_twice_unread_answers_are_an_error(ask: Asker, twin: Twins):
    """What was certainly paid for least of all."""
    twin.fault("status", times=None, operation="batch-results", status=500)

    with pytest.raises(ServerError):
        ask.complete(target(twin, retries={"on_unknown": "fail"}), clock=clock(), **LATER)
    assert kinds(twin).count("complete") == 0


def test_answers_that_are_cut_are_not_waited_for_beyond_the_time(
    ask: Asker, twin: Twins, monkeypatch: pytest.MonkeyPatch
):
    """What was named as the end holds."""
    twin.batch(never=True, cancel_polls=8)
    monkeypatch.setattr(wire, "_answer", lambda frame: [])
    time = clock()

    answer = ask.complete(target(twin), clock=time, timeout=60, defer=2 * HOUR, batch=True)

    assert [attempt.billed for attempt in answer.attempts] == ["unknown", "yes"]
    assert time.time() <= NOON + 2 * HOUR


def test_a_machine_that_slept_wakes_to_the_time_that_was_named(ask: Asker, twin: Twins):
    """Its monotonic clock stood still meanwhile."""

    class Asleep(ManualClock):
        lost = 0.0

        def time(self) -> float:
            self.lost = 22 * HOUR if twin.batches else 0.0
            return self.now + self.lost

    twin.batch(never=True)
    time = Asleep(NOON)

    ask.complete(target(twin), clock=time, **LATER)

    assert time.time() <= NOON + DAY


def test_a_batch_without_time_is_not_sent(ask: Asker, twin: Twins):
    """It would be paid for and never read."""

    class Late(ManualClock):
        def sleep(self, seconds: float, cancellation: Any) -> bool:
            return super().sleep(DAY - 620 if seconds == GATHERING else seconds, cancellation)

        async def async_sleep(self, seconds: float) -> None:
            await super().async_sleep(DAY - 620 if seconds == GATHERING else seconds)

    answer = ask.complete(target(twin), clock=Late(NOON), **LATER)

    assert [attempt.sent for attempt in answer.attempts] == ["no", "yes"]
    assert twin.batches == []


def test_an_end_that_could_not_be_asked_for_is_asked_for_again(ask: Asker, twin: Twins):
    """Else the batch would be done and paid for all the same."""
    twin.batch(never=True)
    twin.fault("status", operation="batch-cancel")

    answer = ask.complete(target(twin), clock=clock(), defer=2 * HOUR, batch=True)

    assert [attempt.billed for attempt in answer.attempts] == ["no", "yes"]


def test_the_state_of_another_batch_is_not_believed(ask: Asker, twin: Twins, monkeypatch: pytest.MonkeyPatch):
    """Nor are its answers read, or deleted."""
    foreign, read = [BatchJob("msgbatch_foreign", ended=True)], wire._read_job
    monkeypatch.setattr(
        wire, "_read_job", lambda frame: [foreign.pop()] if foreign and twin.batches[0].polls else read(frame)
    )

    answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert len(answer.attempts) == 1
    assert not any("foreign" in request.path for request in twin.requests)


def test_answers_for_others_are_no_answers(ask: Asker, twin: Twins, monkeypatch: pytest.MonkeyPatch):
    """Whether ours was done is not known then."""
    monkeypatch.setattr(wire, "_answer", lambda frame: [BatchAnswer("another", 200, {})])

    answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert [attempt.billed for attempt in answer.attempts] == ["unknown", "yes"]


def test_a_server_that_takes_no_batches_is_not_ill(ask: Asker, twin: Twins):
    """It is the first to be asked directly, too."""
    twin.fault("status", times=None, operation="batch-create", status=402)
    config = {
        "llm_config": {"default": "a", "deployments": {"a": target(twin, failover=["b"]), "b": target(twin, "groq")}}
    }

    answer = ask.complete(config, clock=clock(), **LATER)

    assert [attempt.deployment for attempt in answer.attempts] == ["a", "a"]


def test_limits_that_batches_tell_are_none_of_single_requests(ask: Asker, twin: Twins, monkeypatch: pytest.MonkeyPatch):
    """Vendors count them apart."""
    monkeypatch.setattr("byollm.engine.exchanging.limits_in", lambda headers, now: {"requests": (10, 0.0, HOUR)})
    config = target(twin, limits={"requests_per_minute": 600})
    with byollm.Client(config, clock=clock()) as client:
        client.complete("hi", **LATER)
        assert client.complete("hi", timeout=5).text


def test_looks_that_are_sent_anew_are_not_booked(twin: Twins):
    """They cost nothing, and between two of them connections are closed all the time."""
    twin.fault("disconnect", operation="batch-get")
    observer = Told()
    with byollm.Client(target(twin), clock=clock(), observers=[observer]) as client:
        client.complete("hi", **LATER)

    assert observer.resent == 0


class Upper:
    """A middleware that makes the answer anew of rewritten events."""

    position = "attempt"

    def around(self, call: Any, request: Any, following: Any) -> Any:
        return (yield from map_events(following(request), lambda event: [event]))


def test_what_middleware_makes_anew_still_has_the_price_of_a_batch(twin: Twins, prices: Half):
    """The tier is told with the usage."""
    with byollm.Client(target(twin, "gemini"), clock=clock(), middleware=[Upper()]) as client:
        answer = client.complete("hi", **LATER)

    assert answer.usage.total_tokens is not None
    assert answer.cost == prices.batch * answer.usage.total_tokens


def test_a_batch_that_is_over_is_not_kept(twin: Twins, monkeypatch: pytest.MonkeyPatch):
    """Its requests and answers may be large."""
    made: list[Any] = []
    begin = Lot.__init__

    def kept(lot: Lot, *words: Any) -> None:
        made.append(weakref.ref(lot))
        begin(lot, *words)

    monkeypatch.setattr(Lot, "__init__", kept)
    with byollm.Client(target(twin), clock=clock()) as client:
        client.complete("hi", **LATER)
        assert [lot() for lot in made] == [None]


def test_the_vendors_words_break_no_line_of_the_log(
    ask: Asker, twin: Twins, monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    """Nor do they show a key that they echo."""
    forged = f"b\nWARNING forged {KEY}"
    look = wire._read_job
    monkeypatch.setattr(wire, "_read_job", lambda frame: [replace(job, id=forged) for job in look(frame)])
    monkeypatch.setattr(wire.MessageBatches, "_place", lambda batches, job: f"{batches._url}/{twin.batches[0].id}")
    read = wire._answer

    def named(frame: Any) -> list[BatchAnswer]:
        (answer,) = read(frame)
        return [BatchAnswer(answer.key, answer.status, answer.document, {"x-request-id": forged})]

    monkeypatch.setattr(wire, "_answer", named)
    twin.batch()
    with caplog.at_level(logging.INFO, "byollm"):
        answer = ask.complete(target(twin), clock=clock(), **LATER)

    told = [record.getMessage() for record in caplog.records]
    assert any("batch sent" in line for line in told)
    assert not any("\n" in line or KEY in line for line in [*told, answer.request_id or ""])


def test_a_leader_that_goes_while_it_deletes_says_what_stays(twin: Twins, caplog: Any):
    """Nobody else comes back to it."""
    twin.fault("hang", operation="batch-delete")

    async def run() -> None:
        async with byollm.AsyncClient(target(twin), clock=Hurried(NOON)) as client:
            call = asyncio.create_task(client.complete("hi", **LATER))
            while "batch-delete" not in kinds(twin):  # noqa: ASYNC110 - the twin is another thread
                await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    with caplog.at_level(logging.WARNING, "byollm"):
        asyncio.run(run())
    assert f"batch left behind deployment=default id={twin.batches[0].id}" in caplog.text


def test_a_child_after_a_fork_has_a_batch_of_its_own(twin: Twins):
    """Whoever leads that of its parent is not there."""
    parent, gathering, forked = os.getpid(), threading.Event(), threading.Event()

    class Gated(ManualClock):
        def sleep(self, seconds: float, cancellation: Any) -> bool:
            if os.getpid() == parent:
                gathering.set()
                forked.wait(30)
            return super().sleep(seconds, cancellation)

    with byollm.Client(target(twin), clock=Gated(NOON)) as client:
        leading = threading.Thread(target=client.complete, args=("hi",), kwargs=LATER)
        leading.start()
        gathering.wait(30)
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            os._exit(0 if client.complete("hi", **LATER).text else 1)
        _, status = os.waitpid(child, 0)
        forked.set()
        leading.join()

    assert status == 0
    assert [len(batch.items) for batch in twin.batches] == [1, 1]


@pytest.mark.parametrize("operation", ["batch-create", "batch-get", "batch-results"])
def test_a_batch_that_is_refused_refuses_none_of_its_requests(ask: Asker, twin: Twins, operation: str):
    """One wrong request, or an account without batches, is no fault of the others."""
    twin.fault("status", operation=operation, status=400)

    answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert [type(attempt.error) for attempt in answer.attempts] == [InvalidRequestError, type(None)]


def test_rules_are_asked_again_before_another_batch(ask: Asker, twin: Twins):
    """An attestation may have expired while the first one lay there."""
    policies = {
        "data_classes": {"phi": {"requires": ["hipaa-baa"]}},
        "tags": [{"tag": "hipaa-baa", "for": "anthropic", "evidence": "e", "owner": "o", "expires": "2026-11-24"}],
    }
    config = {"llm_config": {"deployments": {"one": target(twin)}, "nightly": "one", "policies": policies}}
    twin.batch(polls=500, fail=1.0, error=ServerError("busy"))

    with pytest.raises(NoRouteError):
        ask.complete(config, clock=clock(), data_class="phi", defer=5 * DAY, batch=True)
    assert len(twin.batches) == 1


def test_what_was_uploaded_for_a_batch_that_is_refused_is_deleted(ask: Asker, twin: Twins):
    """Nothing would ever come back to it."""
    twin.fault("status", times=None, operation="batch-create", status=429)

    ask.complete(target(twin, "groq"), clock=clock(), **LATER)

    assert kinds(twin).count("file-create") > 0
    assert twin.files == []
