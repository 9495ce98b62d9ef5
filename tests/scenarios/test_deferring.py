"""A call that can wait: the cheapest hour and tier that still meet its deadline, and what happens there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import byollm
from byollm.errors import CancelledError, ConfigError, NoRouteError, RateLimitError
from byollm.plugin import Cost, Sale
from byollm.routing.deferring import Offer, instants, plan
from byollm.testing import ManualClock
from byollm_sandbox import Twins, serve
from tests.scenarios.conftest import KEY, Asker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
"""A Monday."""
HOUR = 3600.0


class Night:
    """A price source: from 18 to 6 UTC half of what it costs by day; `flex` half of that; a batch a tenth."""

    def __init__(self, **day: float) -> None:
        self.day = day

    def is_cheap(self, at: float) -> bool:
        return not 6 <= datetime.fromtimestamp(at, UTC).hour < 18

    def cost(self, sale: Sale) -> Cost | None:
        rate = self.day.get(sale.target.deployment)
        if rate is None:
            return None
        tier = (sale.usage.details or {}).get("service_tier")
        rate *= (0.5 if self.is_cheap(sale.at) else 1.0) * {"flex": 0.5, "batch": 0.1}.get(str(tier), 1.0)
        tokens = (sale.usage.input_tokens or 0) + (sale.usage.output_tokens or 0)
        return Cost(Decimal(str(rate)) * tokens, "USD", "night")


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve(key=KEY) as server:
        yield server


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> Night:
    """Every line asks this source."""
    night = Night(one=1.0, two=0.8)
    monkeypatch.setattr("byollm.engine.build.prices_for", lambda *arguments: night)
    return night


def config(twin: Twins, route: Any = None, **task: Any) -> dict[str, Any]:
    fixed: dict[str, Any] = {
        "provider": "openai",
        "model": "gpt-5.4",
        "endpoint": twin.url("openai-responses"),
        "api_key": KEY,
    }
    fixed["capabilities"] = {"service_tiers": ["auto"]}
    return {
        "deployments": {"one": fixed, "two": fixed},
        "tasks": {"nightly": {"route": route or ["one", "two"], **task}},
    }


def clock(at: float = NOON) -> ManualClock:
    return ManualClock(at)


def test_it_waits_for_the_cheaper_hours(ask: Asker, twin: Twins):
    """Six hours until the night price; the call itself begins then, with its whole timeout."""
    wall = clock()
    reply = ask.complete(config(twin), clock=wall, defer=8 * HOUR)

    assert NOON + 6 * HOUR == wall.now
    assert reply.cost is not None
    assert reply.cost == Decimal("0.5") * ((reply.usage.input_tokens or 0) + (reply.usage.output_tokens or 0))


def test_it_does_not_wait_for_hours_that_come_too_late(ask: Asker, twin: Twins):
    """The night begins after the deadline, or too near to it for the call's own timeout."""
    for defer in (5 * HOUR, 6 * HOUR + 599):
        wall = clock()
        ask.complete(config(twin), clock=wall, defer=defer)

        assert NOON == wall.now


def test_a_shorter_timeout_leaves_more_to_wait_for(ask: Asker, twin: Twins):
    """What is kept for the call is what it may take."""
    wall = clock()
    ask.complete(config(twin), clock=wall, defer=6 * HOUR + 60, timeout=60)

    assert NOON + 6 * HOUR == wall.now


def test_it_does_not_wait_when_it_is_cheap_already(ask: Asker, twin: Twins):
    """The earliest of equals."""
    wall = clock(NOON + 7 * HOUR)
    ask.complete(config(twin), clock=wall, defer=8 * HOUR)

    assert [] == wall.slept


def test_a_stream_waits_alike(ask: Asker, twin: Twins):
    """On entering it."""
    wall = clock()
    ask.stream(config(twin), clock=wall, defer=8 * HOUR)

    assert NOON + 6 * HOUR == wall.now


@pytest.mark.parametrize(
    "defer",
    [timedelta(hours=8), datetime.fromtimestamp(NOON + 8 * HOUR, UTC), 28800],
    ids=["span", "instant", "seconds"],
)
def test_it_is_said_in_three_ways(ask: Asker, twin: Twins, defer: Any):
    """Seconds, a span, an instant."""
    wall = clock()
    ask.complete(config(twin), clock=wall, defer=defer)

    assert NOON + 6 * HOUR == wall.now


@pytest.mark.parametrize("defer", [-1, float("nan"), 10**9, True, "6h", datetime(2026, 11, 24)])
def test_what_is_no_span_is_refused(ask: Asker, twin: Twins, defer: Any):
    """Before anything waits. `6h` is a word of the file."""
    with pytest.raises(ConfigError, match="`defer` is"):
        ask.complete(config(twin), clock=clock(), defer=defer)
    assert [] == twin.requests


def test_a_task_may_say_it_for_all_its_calls(ask: Asker, twin: Twins):
    """And a call may be in a hurry all the same."""
    waiting, hurried = clock(), clock()
    ask.complete(config(twin, defer="8h"), clock=waiting)
    ask.complete(config(twin, defer="8h"), clock=hurried, defer=0)

    assert (NOON + 6 * HOUR, NOON) == (waiting.now, hurried.now)


def test_the_cheapest_of_all_is_waited_for(ask: Asker, twin: Twins):
    """`cheapest` compares every candidate at every hour; a plain list waits for its first."""
    listed = ask.complete(config(twin), clock=clock(), defer=8 * HOUR)
    cheapest = ask.complete(config(twin, {"policy": "cheapest", "over": ["one", "two"]}), clock=clock(), defer=8 * HOUR)

    assert ("one", "two") == (listed.deployment, cheapest.deployment)


def test_off_peak_waits_for_the_hours_of_the_file(ask: Asker, twin: Twins, prices: Night):
    """Prices or none, in the file's timezone: 21:10 in Tokyo is 12:10 UTC."""
    prices.day.clear()
    hours = {
        "policy": "off_peak",
        "over": ["one", "two"],
        "hours": "21:10-23:00",
        "timezone": "Asia/Tokyo",
        "use": "two",
    }
    wall = clock()
    reply = ask.complete(config(twin, hours), clock=wall, defer=2 * HOUR)

    assert (NOON + 600, "two") == (wall.now, reply.deployment)


def test_who_has_no_known_price_does_not_wait(ask: Asker, twin: Twins, prices: Night):
    """There is nothing to wait for."""
    prices.day.clear()
    wall = clock()
    ask.complete(config(twin), clock=wall, defer=8 * HOUR)

    assert [] == wall.slept


def flexible(twin: Twins, **task: Any) -> dict[str, Any]:
    made = config(twin, **task)
    for target in made["deployments"].values():
        target["capabilities"] = {"service_tiers": ["auto", "flex"]}
    return made


def test_a_cheaper_tier_is_taken_where_the_vendor_sells_one(ask: Asker, twin: Twins):
    """The request says so; a tier that the caller named stays."""
    ask.complete(flexible(twin), clock=clock(), defer=HOUR)
    ask.complete(flexible(twin), clock=clock(), defer=HOUR, service_tier="auto")
    ask.complete(flexible(twin), clock=clock())

    assert ["flex", "auto", None] == [request.json.get("service_tier") for request in twin.requests]


def test_when_the_cheaper_tier_is_full_the_usual_one_answers(ask: Asker, twin: Twins):
    """OpenAI answers 429 and bills nothing when flex has no room; every attempt is told."""
    full = RateLimitError("no room in flex", retry_after=600)
    twin.script(full, full, "done")
    reply = ask.complete(flexible(twin), clock=clock(), defer=HOUR)

    assert ("done", 3) == (reply.text, len(reply.attempts))
    assert ["flex", "flex", None] == [request.json.get("service_tier") for request in twin.requests]


def test_explain_tells_the_plan(twin: Twins):
    """When, in which tier, for how much instead of how much; and what a batch would cost, which is not taken."""
    with byollm.Client(flexible(twin), clock=clock()) as client:
        first, second = client.explain("hi", task="nightly", defer=8 * HOUR, max_tokens=99)
        now, _ = client.explain("hi", task="nightly", max_tokens=99)

    assert "begins 2026-11-23 18:00 UTC, in 6 h 00 min, tier flex: about" in first.reason
    assert "(in a batch 5.200000, which `batch: true` allows)" in first.reason
    assert first.reason.endswith("; first in the file")
    assert ("failover", "first in the file") == (second.reason, now.reason)
    assert [] == twin.requests


def test_the_first_that_explain_keeps_is_the_one_that_is_asked(twin: Twins):
    """At its hour."""
    route = {"policy": "cheapest", "over": ["one", "two"]}
    with byollm.Client(config(twin, route), clock=clock()) as client:
        told = client.explain("hi", defer=8 * HOUR)
        reply = client.complete("hi", defer=8 * HOUR)

    assert told[0].deployment == reply.deployment == "two"


def test_an_attestation_that_expires_while_it_waits_counts_no_more(ask: Asker, twin: Twins):
    """Rules are asked when the call begins, not when it was made."""
    policies = {
        "data_classes": {"phi": {"requires": ["hipaa-baa"]}},
        "tags": [{"tag": "hipaa-baa", "for": "openai", "evidence": "e", "owner": "o", "expires": "2026-11-23"}],
    }
    hours = {"policy": "off_peak", "over": ["one"], "hours": "01:00-02:00", "timezone": "UTC", "use": "one"}
    ruled = {**config(twin, hours), "policies": policies}
    assert ask.complete(ruled, clock=clock(), data_class="phi").text

    with pytest.raises(NoRouteError):
        ask.complete(ruled, clock=clock(), data_class="phi", defer=20 * HOUR)
    assert 1 == len(twin.requests)


def in_an_hour(prices: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the machine's own clock it will be cheaper."""
    now = time.time()
    monkeypatch.setattr(prices, "is_cheap", lambda at: at > now + HOUR)


def test_a_call_that_waits_can_be_cancelled(twin: Twins, prices: Night, monkeypatch: pytest.MonkeyPatch):
    """A stream from another thread; nothing was sent."""
    in_an_hour(prices, monkeypatch)
    with byollm.Client(config(twin)) as client:
        stream = client.stream("hi", task="nightly", defer=8 * HOUR)
        threading.Timer(0.1, stream.cancel).start()
        with pytest.raises(CancelledError), stream:
            pass
    assert [] == twin.requests


def test_a_task_that_waits_can_be_cancelled(twin: Twins, prices: Night, monkeypatch: pytest.MonkeyPatch):
    """As any other of asyncio."""
    in_an_hour(prices, monkeypatch)

    async def run() -> None:
        async with byollm.AsyncClient(config(twin)) as client:
            waiting = asyncio.create_task(client.complete("hi", task="nightly", defer=8 * HOUR))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(run())
    assert [] == twin.requests


@pytest.mark.parametrize("jump, begun", [(4 * HOUR, 2 * HOUR), (-4 * HOUR, 6 * HOUR)])
def test_a_wall_clock_that_is_set_while_it_waits(ask: Asker, twin: Twins, jump: float, begun: float):
    """Set forward, it begins when the wall says so; set back, it never waits longer than it was away."""

    class Set(ManualClock):
        """Its wall shows another time after the first spell."""

        def time(self) -> float:
            return self.now + (jump if self.slept else 0.0)

    wall = Set(NOON)
    ask.complete(config(twin), clock=wall, defer=8 * HOUR)

    assert NOON + begun == wall.now


bands = st.lists(st.integers(1, 9), min_size=1, max_size=96)


@given(bands, st.floats(0, 20 * HOUR), st.floats(0, 24 * HOUR))
def test_no_quarter_of_an_hour_would_have_been_cheaper(prices_a_quarter: list[int], now: float, span: float):
    """The law of the plan: the least of all prices until the latest start, and the earliest instant that has it."""

    def price(at: float) -> float:
        return float(prices_a_quarter[int(at // 900) % len(prices_a_quarter)])

    found = plan(now, now + span, lambda at: [Offer("x", price(at), "USD")])
    looked_at = [now, *instants(now, now + span)]

    assert found is not None
    assert found.offer.cost == min(map(price, looked_at))
    assert found.start == next(at for at in looked_at if price(at) == found.offer.cost)
    assert now <= found.start <= now + span


def test_another_currency_is_not_compared():
    """Fewer yuan are not less than dollars."""
    found = plan(0.0, 1000.0, lambda at: [Offer("x", 5.0, "USD") if at < 900 else Offer("y", 1.0, "CNY")])

    assert found is not None
    assert (0.0, "x") == (found.start, found.offer.owner)


def test_a_week_is_planned_in_a_moment():
    """No more than a few hundred instants are looked at."""
    assert len(instants(0.0, 7 * 24 * HOUR)) < 300
