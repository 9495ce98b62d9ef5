"""Calls that can wait and may go in a batch: gathered, looked for, cancelled in time, read as if they came alone."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import byollm
from byollm.engine.batching import GATHERING
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    ConfigError,
    InvalidRequestError,
    OverloadedError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from byollm.plugin import Cost, Sale
from byollm.testing import ManualClock
from byollm_sandbox import Twins, serve
from tests.scenarios.conftest import KEY, Asker

HOUR = 3600.0
DAY = 24 * HOUR
NOON = 1_795_435_200.0
VENDORS = {
    "anthropic": {"provider": "anthropic", "model": "claude-haiku-4-5"},
    "responses": {"provider": "openai", "model": "gpt-4.1"},
    "chat": {"provider": "openai", "model": "gpt-4.1", "api": "chat"},
    "groq": {"provider": "groq", "model": "llama-3.3-70b-versatile"},
    "gemini": {"provider": "google", "model": "gemini-2.5-flash"},
    "mistral": {"provider": "mistral", "model": "mistral-medium-latest"},
}
DIALECTS = {
    "anthropic": "anthropic-messages", "responses": "openai-responses", "gemini": "gemini", "mistral": "mistral-chat",
}  # fmt: skip


class Half:
    """A price source: every token costs one; in a batch, half."""

    batch = Decimal("0.5")

    def cost(self, sale: Sale) -> Cost | None:
        tokens = (sale.usage.input_tokens or 0) + (sale.usage.output_tokens or 0)
        in_batch = (sale.usage.details or {}).get("service_tier") == "batch"
        return Cost((self.batch if in_batch else Decimal(1)) * tokens, "USD", "half")


class Hurried(ManualClock):
    """A clock that jumps, after a moment in which others may come along."""

    gathering = 0.1

    def sleep(self, seconds: float, cancellation: Any) -> bool:
        time.sleep(self.gathering if seconds == GATHERING else 0.02)
        return super().sleep(seconds, cancellation)

    async def async_sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.gathering if seconds == GATHERING else 0.02)
        await super().async_sleep(seconds)


class Patient(Hurried):
    """One that many may come along with."""

    gathering = 1.0


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> Half:
    half = Half()
    monkeypatch.setattr("byollm.engine.build.prices_for", lambda *arguments: half)
    return half


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve(key=KEY) as server:
        yield server


def target(twin: Twins, vendor: str = "anthropic", **more: Any) -> dict[str, Any]:
    endpoint = twin.url(DIALECTS.get(vendor, "openai-chat"))
    return {**VENDORS[vendor], "api_key": KEY, "endpoint": endpoint, **more}


def clock() -> ManualClock:
    return ManualClock(NOON)


def kinds(twin: Twins) -> list[str | None]:
    return [request.operation for request in twin.requests]


LATER = {"defer": DAY, "batch": True, "max_tokens": 50}


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_comes_from_a_batch_is_what_would_have_come_alone(ask: Asker, twin: Twins, vendor: str):
    """But for its price, and nothing of it stays with the vendor."""
    twin.script("the answer", "the answer")
    config = target(twin, vendor)

    alone = ask.complete(config, clock=clock(), max_tokens=50)
    answer = ask.complete(config, clock=clock(), **LATER)

    assert (answer.text, answer.finish_reason) == (alone.text, alone.finish_reason) == ("the answer", "stop")
    assert answer.usage.input_tokens == alone.usage.input_tokens
    assert answer.cost is not None
    assert answer.cost * 2 == alone.cost
    assert answer.usage.details is not None
    assert answer.usage.details["service_tier"] == "batch"
    assert kinds(twin).count("complete") == 1
    assert [batch.deleted or not twin.files for batch in twin.batches] == [True]


def test_it_waits_as_long_as_the_batch_takes(ask: Asker, twin: Twins):
    """And looks less and less often."""
    twin.batch(polls=8)
    time = clock()

    answer = ask.complete(target(twin), clock=time, **LATER)

    assert answer.attempts[0].error is None
    assert time.slept[1:] == sorted(time.slept[1:])
    assert sum(time.slept) < HOUR


def together(twin: Twins, mode: str, count: int) -> list[byollm.Completion]:
    if mode == "sync":
        with byollm.Client(target(twin), clock=Hurried(NOON)) as client, ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda number: client.complete(f"call {number}", **LATER), range(count)))

    async def run() -> list[byollm.Completion]:
        async with byollm.AsyncClient(target(twin), clock=Patient(NOON)) as client:
            return await asyncio.gather(*[client.complete(f"call {number}", **LATER) for number in range(count)])

    return asyncio.run(run())


@pytest.mark.parametrize(("mode", "count"), [("sync", 8), ("async", 200)])
def test_calls_made_together_share_a_batch(twin: Twins, mode: str, count: int):
    """Each gets its own answer, whatever the order in which the vendor tells them."""
    twin.script(*[lambda request: f"answer to {said(request)}"] * count)

    answers = together(twin, mode, count)

    assert [answer.text for answer in answers] == [f"answer to call {number}" for number in range(count)]
    assert [len(batch.items) for batch in twin.batches] == [count]


def said(request: Any) -> str:
    content = request.json["messages"][0]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def test_a_map_shares_one_too(twin: Twins):
    """As many as are under way at once."""
    with byollm.Client(target(twin), clock=Hurried(NOON)) as client:
        answers = dict(client.map([f"call {number}" for number in range(16)], concurrency=8, **LATER))

    assert sorted(answers) == list(range(16))
    assert sum(len(batch.items) for batch in twin.batches) == 16
    assert len(twin.batches) <= 4


def test_requests_that_differ_in_more_than_their_body_do_not_share_one(twin: Twins):
    """Two deployments, two batches."""
    config = {"llm_config": {"default": "a", "deployments": {"a": target(twin), "b": target(twin)}}}
    with byollm.Client(config, clock=Hurried(NOON)) as client, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: client.complete("hi", deployment=name, **LATER), "ab"))

    assert [len(batch.items) for batch in twin.batches] == [1, 1]


@pytest.mark.parametrize("vendor", ["anthropic", "responses", "gemini", "mistral"])
def test_what_is_not_done_in_time_is_cancelled_and_asked_directly(ask: Asker, twin: Twins, vendor: str):
    """The answer is there by the time that was named."""
    twin.batch(never=True)
    time = clock()

    answer = ask.complete(target(twin, vendor), clock=time, defer=2 * HOUR, batch=True)

    assert [type(attempt.error) for attempt in answer.attempts] == [ProviderTimeoutError, type(None)]
    assert answer.attempts[0].billed == "no"
    assert kinds(twin).count("complete") == 1
    assert time.time() <= NOON + 2 * HOUR
    assert [batch.cancels for batch in twin.batches] == [1]


def test_what_was_done_before_it_was_cancelled_counts(twin: Twins):
    """And is not paid for twice."""
    twin.batch(never=True, answered=0.5)
    with byollm.Client(target(twin), clock=Hurried(NOON)) as client, ThreadPoolExecutor(4) as pool:
        words = {**LATER, "defer": 2 * HOUR}
        answers = list(pool.map(lambda number: client.complete(f"call {number}", **words), range(4)))

    assert sorted(len(answer.attempts) for answer in answers) == [1, 1, 2, 2]
    assert kinds(twin).count("complete") == 2


def test_a_batch_that_cannot_even_be_cancelled_is_left(ask: Asker, twin: Twins):
    """What it costs is not known, and the record says so."""
    twin.batch(never=True, cancel_polls=10_000)

    answer = ask.complete(target(twin), clock=clock(), defer=2 * HOUR, batch=True)

    assert [attempt.billed for attempt in answer.attempts] == ["unknown", "yes"]


def test_where_nothing_may_be_paid_twice_it_fails(ask: Asker, twin: Twins):
    """As the file says of all attempts whose bill is unknown."""
    twin.batch(never=True, cancel_polls=10_000)

    with pytest.raises(ProviderTimeoutError, match="not done in time"):
        ask.complete(target(twin, retries={"on_unknown": "fail"}), clock=clock(), defer=2 * HOUR, batch=True)
    assert kinds(twin).count("complete") == 0


@pytest.mark.parametrize("vendor", ["anthropic", "responses", "chat", "gemini", "mistral"])
def test_a_request_that_is_refused_raises_what_it_would_have_raised_alone(ask: Asker, twin: Twins, vendor: str):
    """With the vendor's words, and without asking again."""
    twin.batch(fail=1.0, error=InvalidRequestError("no such thing"))

    with pytest.raises(InvalidRequestError, match="no such thing") as caught:
        ask.complete(target(twin, vendor), clock=clock(), **LATER)
    assert caught.value.status == 400
    assert kinds(twin).count("complete") == 0


@pytest.mark.parametrize("vendor", ["anthropic", "responses", "chat", "gemini", "mistral"])
@pytest.mark.parametrize("plan", [
    {"fail": 1.0, "error": OverloadedError("busy")},
    {"expire": 1.0},
    {"collapse": ServerError("broken")},
    {"refuse": ServerError("not now")},
    {"archived": True},
])  # fmt: skip
def test_what_a_batch_did_not_do_is_asked_directly(ask: Asker, twin: Twins, vendor: str, plan: dict[str, Any]):
    """Whatever became of it."""
    if "archived" in plan and vendor != "anthropic":
        plan = {"never": True}
    twin.batch(times=None, **plan)

    answer = ask.complete(target(twin, vendor), clock=clock(), **LATER)

    assert answer.attempts[-1].error is None
    assert kinds(twin).count("complete") == 1


def test_batch_and_direct_tries_together_keep_a_calls_total(ask: Asker, twin: Twins):
    """Five requests, wherever they go."""
    twin.batch(times=None, refuse=ServerError("no"))
    twin.fault("status", status=500, times=None, operation="complete")

    with pytest.raises(ServerError) as caught:
        ask.complete(target(twin), clock=clock(), **LATER)
    assert len(caught.value.attempts) == 5


def test_a_full_queue_is_tried_again(ask: Asker, twin: Twins):
    """As for any request."""
    twin.batch(refuse=RateLimitError("too many batches"))
    twin.batch()

    answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert [type(attempt.error) for attempt in answer.attempts] == [RateLimitError, type(None)]
    assert (len(twin.batches), kinds(twin).count("complete")) == (1, 0)


@pytest.mark.parametrize("kind", ["reset", "cut", "garbage"])
def test_looks_and_answers_that_break_are_asked_for_again(ask: Asker, twin: Twins, kind: str):
    """The work is done and paid for."""
    for operation in ("batch-get", "batch-results"):
        twin.fault(FAULTS[kind], operation=operation)

    answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert len(answer.attempts) == 1
    assert kinds(twin).count("complete") == 0


FAULTS = {"reset": "reset", "cut": "cut", "garbage": "garbage"}


def test_a_batch_that_cannot_be_deleted_is_answered_all_the_same(ask: Asker, twin: Twins, caplog: Any):
    """Somebody may want to know."""
    twin.fault("reset", times=None, operation="batch-delete")
    with caplog.at_level(logging.INFO, "byollm"):
        answer = ask.complete(target(twin), clock=clock(), **LATER)

    assert len(answer.attempts) == 1
    assert "batch cannot be deleted" in caplog.text


def test_a_wrong_key_is_told_at_once(ask: Asker, twin: Twins):
    """And not asked with again."""
    with pytest.raises(AuthenticationError):
        ask.complete(target(twin) | {"api_key": "sk-wrong-0123456789abcdef"}, clock=clock(), **LATER)


@pytest.mark.parametrize("words", [
    {"defer": DAY},
    {"defer": HOUR / 2, "batch": True},
    {"defer": DAY, "batch": True, "service_tier": "standard_only"},
])  # fmt: skip
def test_nobody_is_sent_into_a_batch_who_did_not_allow_it_or_has_no_time(ask: Asker, twin: Twins, words: Any):
    """Or who named a tier."""
    ask.complete(target(twin), clock=clock(), **words)

    assert twin.batches == []


def test_a_stream_goes_alone(twin: Twins):
    """A batch has none."""
    with byollm.Client(target(twin), clock=clock()) as client, client.stream("hi", **LATER) as stream:
        assert len(list(stream)) > 2
    assert twin.batches == []


def test_a_batch_that_is_not_cheaper_is_not_taken(ask: Asker, twin: Twins, prices: Half):
    """Where the prices know it."""
    prices.batch = Decimal("1.5")

    ask.complete(target(twin), clock=clock(), **LATER)

    assert twin.batches == []


def test_a_task_may_allow_it_for_all_its_calls(ask: Asker, twin: Twins):
    """With the time its answers may take."""
    task = {"deployment": "one", "defer": "24h", "batch": True}
    config = {"llm_config": {"deployments": {"one": target(twin)}, "nightly": task}}

    ask.complete(config, clock=clock(), task="nightly")
    ask.complete(config, clock=clock(), task="nightly", batch=False)

    assert (len(twin.batches), kinds(twin).count("complete")) == (1, 1)


def test_explain_says_it(twin: Twins):
    """With what it would cost alone."""
    with byollm.Client(target(twin), clock=clock()) as client:
        (first,) = client.explain("hi", **LATER)

    assert "begins now, in a batch: about 27.500000 USD instead of 55.000000 now" in first.reason


@pytest.mark.parametrize(("words", "told"), [
    ({"batch": True}, "`batch` needs `defer`"),
    ({"batch": "yes", "defer": DAY}, "`batch` is true or false"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(ask: Asker, twin: Twins, words: dict[str, Any], told: str):
    """Before anything is sent."""
    with pytest.raises(ConfigError, match=told):
        ask.complete(target(twin), clock=clock(), **words)
    assert twin.requests == []


def test_a_file_that_makes_no_sense_is_refused(twin: Twins):
    """With the line that mends it."""
    config = {"llm_config": {"deployments": {"one": target(twin)}, "nightly": {"deployment": "one", "batch": "maybe"}}}

    with pytest.raises(ConfigError, match="`batch` is whether") as caught:
        byollm.Client(config)
    assert "batch: true" in str(caught.value)


def test_when_the_leader_is_cancelled_another_leads_on(twin: Twins):
    """Nobody else notices."""
    twin.batch(polls=4)

    async def run() -> list[Any]:
        async with byollm.AsyncClient(target(twin), clock=Hurried(NOON)) as client:
            calls = [asyncio.create_task(client.complete(f"call {number}", **LATER)) for number in range(5)]
            while not any(batch.polls for batch in twin.batches):  # noqa: ASYNC110 - the twin is another thread
                await asyncio.sleep(0.01)
            calls[0].cancel()
            return await asyncio.gather(*calls, return_exceptions=True)

    first, *others = asyncio.run(run())
    assert isinstance(first, asyncio.CancelledError)
    assert [len(answer.attempts) for answer in others] == [1] * 4
    assert len(twin.batches) == 1


def test_a_leader_that_is_cancelled_while_it_sends_leaves_a_doubt(twin: Twins):
    """Whether the vendor took the batch. It is not sent again: each is asked directly, and the record says why."""
    twin.fault("hang", operation="batch-create")

    async def run() -> list[Any]:
        async with byollm.AsyncClient(target(twin), clock=Hurried(NOON)) as client:
            calls = [asyncio.create_task(client.complete(f"call {number}", **LATER)) for number in range(3)]
            while "batch-create" not in kinds(twin):  # noqa: ASYNC110 - the twin is another thread
                await asyncio.sleep(0.01)
            calls[0].cancel()
            return await asyncio.gather(*calls, return_exceptions=True)

    _, *others = asyncio.run(run())
    assert [[attempt.billed for attempt in answer.attempts] for answer in others] == [["unknown", "yes"]] * 2


def test_who_leaves_before_it_is_sent_is_not_sent(twin: Twins):
    """Nor paid for, as the record says."""
    told: list[tuple[str, str]] = []

    class Watcher:
        def finished(self, call: Any, attempt: Any) -> None:
            told.append((attempt.sent, attempt.billed))

    async def run() -> list[Any]:
        async with byollm.AsyncClient(target(twin), clock=Hurried(NOON), observers=[Watcher()]) as client:
            calls = [asyncio.create_task(client.complete(f"call {number}", **LATER)) for number in range(3)]
            await asyncio.sleep(0.02)
            calls[0].cancel()
            return await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(run())
    assert [len(batch.items) for batch in twin.batches] == [2]
    assert sorted(told) == [("no", "no"), ("yes", "yes"), ("yes", "yes")]


def test_a_batch_nobody_waits_for_is_named(twin: Twins, caplog: Any):
    """It goes on at the vendor: somebody may look there."""
    twin.batch(never=True)

    async def run() -> None:
        async with byollm.AsyncClient(target(twin), clock=Hurried(NOON)) as client:
            call = asyncio.create_task(client.complete("hi", **LATER))
            while not any(batch.polls for batch in twin.batches):  # noqa: ASYNC110 - the twin is another thread
                await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    with caplog.at_level(logging.WARNING, "byollm"):
        asyncio.run(run())
    assert f"batch left behind deployment=default id={twin.batches[0].id}" in caplog.text


def test_observers_are_told_of_each_call_once(twin: Twins):
    """When it joins, and when its answer is there."""
    told: list[Any] = []

    class Watcher:
        def started(self, call: Any, deployment: str) -> None:
            told.append("started")

        def finished(self, call: Any, attempt: Any) -> None:
            told.append((attempt.cost, attempt.billed))

    with byollm.Client(target(twin), clock=clock(), observers=[Watcher()]) as client:
        answer = client.complete("hi", **LATER)
    assert told == ["started", (answer.cost, "yes")]


def test_no_key_is_in_what_a_batch_leaves_behind(ask: Asker, twin: Twins, caplog: Any):
    """Not even when a result echoes it."""
    twin.batch(fail=1.0, error=InvalidRequestError(f"the key {KEY} is not welcome"))
    with caplog.at_level(logging.DEBUG, "byollm"), pytest.raises(InvalidRequestError) as caught:
        ask.complete(target(twin), clock=clock(), **LATER)

    shown = f"{caught.value!r} {caught.value} {caught.value.__dict__} {caplog.text}"
    assert "not welcome" in shown
    assert not any(KEY[at : at + 12] in shown for at in range(len(KEY) - 11))


@pytest.fixture(scope="module")
def lasting() -> Iterator[Twins]:
    with serve(key=KEY) as server:
        yield server


FATES = st.lists(st.sampled_from(["answered", "refused", "busy", "expired"]), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=FATES, vendor=st.sampled_from(["anthropic", "responses", "chat", "gemini", "mistral"]))
def test_each_gets_what_became_of_its_own(lasting: Twins, fates: list[str], vendor: str):
    """Whatever became of the others."""
    assume(vendor != "gemini" or "expired" not in fates)  # Gemini's batches expire as a whole, without any results
    lasting.clear()

    def fated(fate: str) -> Any:
        return lambda key, body: f"fate {fate}" in json.dumps(body)

    refused = {"fail": fated("refused"), "error": InvalidRequestError("refused")}
    busy = {"fail": fated("busy"), "error": ServerError("busy")}
    lasting.batch(**(refused if "refused" in fates else busy), expire=fated("expired"))

    def call(number: int) -> Any:
        try:
            return client.complete(f"call {number} fate {fates[number]}", **LATER)
        except ByollmError as error:
            return error

    with byollm.Client(target(lasting, vendor), clock=Hurried(NOON)) as client, ThreadPoolExecutor(6) as pool:
        found = list(pool.map(call, range(len(fates))))

    for fate, answer in zip(fates, found, strict=True):
        assert isinstance(answer, InvalidRequestError) == (fate == "refused")
        if fate == "answered":
            assert len(answer.attempts) == 1
        if fate == "expired":
            assert [attempt.billed for attempt in answer.attempts] == ["no", "yes"]
        if fate == "busy" and "refused" not in fates:
            assert [attempt.billed for attempt in answer.attempts] == ["no", "yes"]
    assert len(lasting.batches) == 1 + ("busy" in fates and "refused" not in fates)


def test_a_thread_that_is_cancelled_leaves_its_place_to_another(twin: Twins):
    """`stream` is what can be cancelled from another thread; a whole call ends with its thread's interruption."""
    gone = threading.Event()

    class Leaving(Hurried):
        def sleep(self, seconds: float, cancellation: Any) -> bool:
            if not gone.is_set() and twin.batches:
                gone.set()
                raise KeyboardInterrupt
            return super().sleep(seconds, cancellation)

    def call(number: int) -> Any:
        try:
            return client.complete(f"call {number}", **LATER)
        except KeyboardInterrupt:
            return None

    twin.batch(polls=3)
    with byollm.Client(target(twin), clock=Leaving(NOON)) as client, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(call, range(4)))
    assert [type(answer) for answer in answers].count(byollm.Completion) == 3
    assert len(twin.batches) == 1
