"""Policies of routes, from the file to the request that leaves: whoever `explain` names first is asked."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

import byollm
from byollm.testing import ManualClock
from byollm.transports.base import Outgoing
from byollm.transports.replay import AsyncReplayTransport, ReplayTransport

ANSWER = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
}  # fmt: skip
JSON = {"content-type": "application/json"}
NAMES = ("a", "b", "c", "d")


class Hosts:
    """A transport that notes which host was asked, takes its time by the clock, and fails where it is told to."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked: list[str] = []
        self.down: set[str] = set()
        self.seconds: dict[str, float] = {}

    def _answers(self, outgoing: Outgoing) -> tuple[int, bytes]:
        name = outgoing.url.split("//")[1].split(".")[0]
        self.asked.append(name)
        self.clock.now += self.seconds.get(name, 0.1)
        return (503, b"{}") if name in self.down else (200, json.dumps(ANSWER).encode())

    def open(self, outgoing: Outgoing) -> Any:
        status, body = self._answers(outgoing)
        return ReplayTransport(status, JSON, [body]).open(outgoing)

    def close(self) -> None:
        """Nothing is open."""


class AsyncHosts(Hosts):
    """The same, awaited."""

    async def open(self, outgoing: Outgoing) -> Any:
        status, body = self._answers(outgoing)
        return await AsyncReplayTransport(status, JSON, [body]).open(outgoing)

    async def aclose(self) -> None:
        """Nothing is open."""


def deployment(name: str, **more: Any) -> dict[str, Any]:
    return {
        "provider": "custom", "model": f"m-{name}", "endpoint": f"https://{name}.example.com",
        "api_key": f"key-of-{name}", **more,
    }  # fmt: skip


PRICES: dict[str, Any] = {
    "a": {"input": 9, "output": 9}, "b": {"input": 1, "output": 1}, "c": {"input": 5, "output": 50}, "d": None,
}  # fmt: skip
ROUTES: dict[str, Any] = {
    "in_order": {"policy": "failover", "over": ["b", "a"]},
    "cheapest": {"policy": "cheapest", "over": ["a", "b", "c"]},
    "fastest": {"policy": "fastest", "over": list(NAMES)},
    "regional": {"policy": "by_region", "over": ["a", "b", "c"], "regions": {"europe": ["c"], "asia": ["b", "a"]}},
    "spread": {"policy": "spread", "over": list(NAMES)},
    "nightly": {"policy": "off_peak", "over": ["a", "b"], "hours": "22:00-06:00", "timezone": "UTC", "use": ["b"]},
    "agreed": {"policy": "prefer", "over": ["a", "b"], "first": "b", "amount": "0.0001"},
}


def config(**more: Any) -> dict[str, Any]:
    deployments = {
        name: deployment(name, retries={"attempts": 1}, **({"pricing": PRICES[name]} if PRICES[name] else {}))
        for name in NAMES
    }
    tasks = {name: {"route": route, "failover": ["d"]} for name, route in ROUTES.items()}
    return {"llm_config": {"deployments": deployments, "tasks": tasks, **more}}


def at(year: int, month: int, day: int, hour: int) -> float:
    return datetime(year, month, day, hour, tzinfo=UTC).timestamp()


def client_at(now: float = 0.0) -> tuple[byollm.Client, Hosts]:
    clock = ManualClock(now)
    hosts = Hosts(clock)
    return byollm.Client(config(), transport=hosts, clock=clock), hosts


@pytest.mark.parametrize(
    "task, words, now, expected",
    [
        ("in_order", {}, 0.0, "b"),
        ("cheapest", {}, 0.0, "b"),
        ("regional", {"region": "europe"}, 0.0, "c"),
        ("regional", {"region": "asia"}, 0.0, "b"),
        ("nightly", {}, at(2026, 11, 20, 23), "b"),
        ("nightly", {}, at(2026, 11, 20, 12), "a"),
        ("agreed", {}, 0.0, "b"),
    ],
)
def test_a_policy_chooses_who_is_asked(task: str, words: dict[str, str], now: float, expected: str) -> None:
    """From the file to the host of the request, sync and async."""
    client, hosts = client_at(now)
    client.complete("hi", task=task, **words)

    async def ask() -> list[str]:
        clock = ManualClock(now)
        transport = AsyncHosts(clock)
        async with byollm.AsyncClient(config(), transport=transport, clock=clock) as asynchronous:
            await asynchronous.complete("hi", task=task, **words)
        return transport.asked

    assert [expected] == hosts.asked
    assert [expected] == asyncio.run(ask())


def test_the_next_one_answers_when_the_first_is_down() -> None:
    """By the policy's order, and then by `failover:`."""
    client, hosts = client_at()
    hosts.down = {"a", "b", "c"}

    reply = client.complete("hi", task="cheapest")

    assert ["b", "a", "c", "d"] == hosts.asked
    assert "d" == reply.deployment


def test_an_agreement_ends_when_its_amount_is_spent() -> None:
    """Counted from the cost of the answers."""
    client, hosts = client_at()

    for _ in range(12):
        client.complete("hi", task="agreed")

    assert "b" * 9 + "a" * 3 == "".join(hosts.asked)  # 12 tokens at 1 USD a million: the ninth answer reaches 0.0001


def test_an_answer_that_was_kept_spends_nothing_of_an_agreement() -> None:
    """A middleware that answers itself sends nothing, and nothing is billed."""

    class Kept:
        position = "attempt"
        answer: Any = None

        def around(self, call: Any, request: Any, next: Any) -> Any:
            if self.answer is None:
                self.answer = yield from next(request)
            return self.answer

    hosts = Hosts(ManualClock())
    with byollm.Client(config(), transport=hosts, middleware=[Kept()]) as client:
        costs = [client.complete("hi", task="agreed").cost for _ in range(3)]
        option = client.line("b").option

    assert option is not None
    assert (["b"], {"USD": costs[0]}) == (hosts.asked, option.pace.spent)


def test_the_slow_one_is_asked_less() -> None:
    """`fastest` learns from its own calls."""
    client, hosts = client_at()
    hosts.seconds = {"a": 4.0, "b": 0.2, "c": 0.5, "d": 1.0}

    for _ in range(200):
        client.complete("hi", task="fastest")

    counts = {name: hosts.asked.count(name) for name in NAMES}
    assert counts["b"] > counts["c"] > counts["d"] > counts["a"]
    assert counts["a"] == 1


def test_explain_says_why() -> None:
    """Each candidate once, kept or dropped, with a reason of the policy, the filter, the model or the key."""
    settings = config()
    settings["llm_config"]["deployments"]["a"]["capabilities"] = {"context_window": 60}
    settings["llm_config"]["deployments"]["c"]["api_key"] = "${NO_SUCH_VARIABLE_OF_BYOLLM}"
    client = byollm.Client(settings, transport=Hosts(ManualClock()))

    found = {candidate.deployment: candidate for candidate in client.explain("word " * 400, task="cheapest")}

    assert ["b", "d", "a", "c"] == list(found)
    assert [True, True, False, False] == [candidate.kept for candidate in found.values()]
    assert "USD" in found["b"].reason
    assert "failover" in found["d"].reason
    assert "the window holds 60" in found["a"].reason
    assert "NO_SUCH_VARIABLE_OF_BYOLLM is not set" in found["c"].reason


def test_explain_tells_what_a_region_leaves() -> None:
    """Where no table of the policy names the region, it is a filter."""
    client, _ = client_at()
    dropped = client.explain("hi", task="cheapest", region="eu")

    assert {"its region is not set, not eu"} == {candidate.reason for candidate in dropped}
    with pytest.raises(byollm.errors.NoRouteError):
        client.complete("hi", task="cheapest", region="eu")


def test_whoever_is_explained_first_is_asked_first() -> None:
    """Ten thousand random calls with outages that come and go: the first kept candidate is the one contacted."""
    chance = random.Random(20261122)
    clock = ManualClock(at(2026, 11, 20, 12))
    hosts = Hosts(clock)
    client = byollm.Client(config(), transport=hosts, clock=clock)
    missed = []
    for number in range(10_000):
        if number % 7 == 0:
            hosts.down = set(chance.sample(NAMES, chance.choice([0, 0, 1, 2, 4])))
            hosts.seconds = {name: chance.choice([0.05, 0.2, 1.0, 3.0]) for name in NAMES}
            clock.now += chance.choice([0.0, 1.0, 30.0, 3600.0])
        words: dict[str, Any] = {"task": chance.choice([*ROUTES])}
        if chance.random() < 0.3:
            words["max_tokens"] = chance.choice([1, 100, 5000])
        if words["task"] == "regional":
            words["region"] = chance.choice(["europe", "asia"])
        prompt = "word " * chance.choice([1, 50, 2000])
        (first, *_) = [candidate for candidate in client.explain(prompt, **words) if candidate.kept]
        before = len(hosts.asked)
        try:
            client.complete(prompt, **words)
        except byollm.errors.ByollmError:
            assert hosts.down
        if hosts.asked[before] != first.deployment:
            missed.append((number, words, first, hosts.asked[before]))

    assert [] == missed
    assert set(NAMES) == set(hosts.asked)
