"""What observers and middleware are told of a call through a client, and that they are told when it is closed."""

import asyncio
import time
from typing import Any

import pytest

from byollm import AsyncClient, Client
from byollm.errors import NoRouteError, ServerError, UnsupportedFeatureError
from byollm_sandbox import serve


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.started_with: list[Any] = []
        self.attempts: list[Any] = []
        self.refusals: list[Any] = []
        self.closed = 0

    def started(self, call: Any, deployment: str) -> None:
        names = [line.name for line in call.candidates]
        self.started_with.append((deployment, names, call.policy, call.task, call.url, call.adjustments))

    def finished(self, call: Any, attempt: Any) -> None:
        self.attempts.append(attempt)

    def refused(self, call: Any, error: Any) -> None:
        self.refusals.append((call.region, dict(call.skipped), error))

    def close(self) -> None:
        self.closed += 1


class Around:
    """Does nothing but hear that it is over."""

    position = "operation"

    def __init__(self) -> None:
        self.closed = 0

    def around(self, call: Any, request: Any, next: Any) -> Any:
        return (yield from next(request))

    def close(self) -> None:
        self.closed += 1
        raise RuntimeError("nobody is harmed")


def two(url: str, **more: Any) -> dict[str, Any]:
    price = {"input": 1, "output": 2, "currency": "EUR"}
    target = {"provider": "custom", "model": "sandbox-1", "endpoint": url, "api_key": "k-1234567890", "pricing": price}
    target["capabilities"] = {"temperature_range": [0, 1]}
    route = {"policy": "cheapest", "over": ["a", "b"]}
    deployments = {"a": {**target, "region": "eu"}, "b": {**target, "region": "eu"}}
    return {"llm_config": {"deployments": deployments, "tasks": {"sums": {"route": route}}, **more}}


def test_an_observer_hears_who_may_answer_why_and_where():
    """The candidates in their order, the policy, the task by its name, the address, and what was adjusted."""
    watcher = Watcher()
    with serve() as sandbox, Client(two(sandbox.url("openai-chat")), observers=[watcher]) as client:
        client.complete("hi", temperature=1.5)

    [(deployment, names, policy, task, url, adjustments)] = watcher.started_with
    assert ("a", ["a", "b"], "cheapest", "sums") == (deployment, names, policy, task)
    assert url.endswith("/chat/completions")
    assert ["temperature"] == [change.field for change in adjustments]


def test_the_record_of_an_attempt_has_its_time_and_the_currency_of_its_cost():
    """`at` is Unix time, and `first_milliseconds` is known of a stream alone."""
    watcher = Watcher()
    with serve() as sandbox, Client(two(sandbox.url("openai-chat")), observers=[watcher]) as client:
        before = time.time()
        client.complete("hi")
        with client.stream("hi") as stream:
            list(stream)

    whole, streamed = watcher.attempts
    assert before <= whole.at <= streamed.at <= time.time()
    assert ("EUR", None) == (whole.currency, whole.first_milliseconds)
    assert 0 < streamed.first_milliseconds <= streamed.milliseconds


def test_a_call_that_nobody_may_answer_is_told_with_every_reason():
    """A record of what was refused is half of a record."""
    watcher = Watcher()
    with serve() as sandbox, Client(two(sandbox.url("openai-chat")), observers=[watcher]) as client:
        with pytest.raises(NoRouteError) as caught:
            client.complete("hi", region="us")
        asked = len(sandbox.requests)

    [(region, skipped, error)] = watcher.refusals
    assert ("us", {"a", "b"}, 0) == (region, set(skipped), asked)
    assert error is caught.value
    assert [] == watcher.started_with


def test_closing_a_client_closes_what_watches_it_and_one_that_fails_harms_nobody():
    """Sync and async, once each; a client may be used again afterwards."""
    watcher, around = Watcher(), Around()
    with serve() as sandbox:
        client = Client(two(sandbox.url("openai-chat")), observers=[watcher], middleware=[around])
        client.complete("hi")
        client.close()
        client.complete("hi again")
        client.close()

        async def once() -> None:
            async with AsyncClient(two(sandbox.url("openai-chat")), observers=[watcher], middleware=[around]) as other:
                await other.complete("hi")

        asyncio.run(once())
    assert (3, 3, 3) == (watcher.closed, around.closed, len(watcher.attempts))


def test_an_attempt_that_failed_is_recorded_with_its_time():
    """The error is there, and so is the moment."""
    watcher = Watcher()
    with serve() as sandbox, Client(two(sandbox.url("openai-chat")), observers=[watcher]) as client:
        sandbox.script(*[ServerError("down")] * 9)
        with pytest.raises(ServerError):
            client.complete("hi", timeout=2)
    assert all(attempt.at > 0 and attempt.error is not None for attempt in watcher.attempts)
    assert watcher.attempts


def test_an_observer_hears_what_an_attempt_asks_and_what_it_is_answered():
    """The request as middleware left it, and the answer as it came: whole, in part, or none."""
    seen: list[Any] = []

    class Changing:
        position = "operation"

        def around(self, call: Any, request: Any, next: Any) -> Any:
            completion = yield from next(request.with_(messages="changed"))
            completion.parts = ()
            return completion

    class Reader:
        def started(self, call: Any, deployment: str) -> None:
            seen.append((call.request.messages[0].text, call.answer))

        def finished(self, call: Any, attempt: Any) -> None:
            seen.append(call.answer and call.answer.text)

    with serve() as sandbox:
        sandbox.script("here you are", ServerError("down"), "here you are again")
        with Client(two(sandbox.url("openai-chat")), observers=[Reader()], middleware=[Changing()]) as client:
            assert "" == client.complete("hi").text
            client.complete("hi")

    assert [("changed", None), "here you are"] == seen[:2]
    assert [None, "here you are again"] == [each for each in seen[2:] if not isinstance(each, tuple)]


class Miser:
    """Lets nobody be asked."""

    position = "operation"

    def around(self, call: Any, request: Any, next: Any) -> Any:
        raise NoRouteError("the month's money is spent", skipped={"a": "too dear", "b": "too dear"})
        yield


def test_what_a_middleware_refuses_is_told_too():
    """A budget that is used up is a refusal like any other."""
    watcher = Watcher()
    with serve() as sandbox:
        client = Client(two(sandbox.url("openai-chat")), observers=[watcher], middleware=[Miser()])
        with client, pytest.raises(NoRouteError) as caught:
            client.complete("hi")
        asked = len(sandbox.requests)

    [(_, _, error)] = watcher.refusals
    assert (error, 0, []) == (caught.value, asked, watcher.started_with)


def test_a_contract_that_nobody_can_keep_is_told_as_a_refusal():
    """Nothing was sent, and the record says why."""
    watcher = Watcher()
    file = two("http://127.0.0.1:9")
    for target in file["llm_config"]["deployments"].values():
        target["capabilities"] = {"tools": "unsupported"}
    with Client(file, observers=[watcher]) as client, pytest.raises(UnsupportedFeatureError) as caught:
        client.complete("hi", tools=[{"name": "f", "description": "", "parameters": {"type": "object"}}])

    [(_, skipped, error)] = watcher.refusals
    assert (caught.value, {"a", "b"}) == (error, set(skipped))
