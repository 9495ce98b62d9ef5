"""What is booked of a call: one row an attempt, and no content."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ledger_clients import PRICE, Model, cells_of, client_of, reported

import byollm
import byollm_ledger
from byollm.errors import ConfigError, OverloadedError, PluginError, ServerError
from byollm.testing import ManualClock
from byollm.types.usage import Usage
from byollm_ledger import Ledger, Row, read
from byollm_sandbox import Answer, Twins


def rows(path: str) -> list[Row]:
    return list(read(path))


def test_a_call_is_a_row_with_its_tokens_and_its_cost(config: dict[str, Any], twin: Twins, path: str) -> None:
    """Who asked what of whom, what it used, what it cost, and by whose price."""
    twin.script(Answer(parts="42", usage=Usage(1000, 500, 200, 0, 100)))
    with byollm.Client(config) as client:
        reply = client.complete("six times seven", labels={"team": "maths"}, max_tokens=600)

    [row] = rows(path)
    assert ("sums", "first", "custom", "model-first") == (row.task, row.deployment, row.provider, row.model)
    assert (1000, 500, 200, 100) == (row.input_tokens, row.output_tokens, row.cached_tokens, row.reasoning_tokens)
    assert (reply.cost, "EUR", "configuration") == (row.cost, row.currency, row.source)
    assert ("yes", "yes", 200, None, True) == (row.sent, row.billed, row.status, row.error, row.certain)
    assert ({"team": "maths"}, reply.request_id, None) == (row.labels, row.request_id, row.possible)


def test_attempts_of_one_call_share_its_name(config: dict[str, Any], twin: Twins, path: str) -> None:
    """A failover is two rows of one operation, the first of them not billed."""
    twin.script(*[ServerError("down")] * 3, name="first")
    with byollm.Client(config) as client:
        client.complete("hi")

    found = rows(path)
    assert 1 == len({row.call for row in found})
    assert ["first", "first", "first", "second"] == [row.deployment for row in found]
    assert [0, 1, 2, 3] == [row.ordinal for row in found]
    assert [("no", "ServerError")] * 3 + [("yes", None)] == [(row.billed, row.error) for row in found]
    total = reported(path)["total"]
    assert (1, 4, 2, 1) == (total["calls"], total["attempts"], total["retries"], total["failovers"])


def test_what_may_have_been_billed_is_booked_at_the_most_it_can_cost(
    config: dict[str, Any], twin: Twins, path: str
) -> None:
    """A stream that was cut cost something; nobody knows what, but not more than prompt and limit at the price."""
    twin.fault("cut", after=2, name="first")
    cut = byollm.errors.StreamInterruptedError
    with byollm.Client(config) as client, pytest.raises(cut), client.stream("hi", max_tokens=50) as stream:
        list(stream)

    [row] = rows(path)
    assert ("unknown", None, "EUR", False) == (row.billed, row.cost, row.currency, row.certain)
    assert row.possible is not None
    assert Decimal("0.0001") < row.possible < Decimal("0.001")


def test_an_answer_that_tells_no_usage_is_booked_at_the_most_too(
    config: dict[str, Any], twin: Twins, path: str
) -> None:
    """It was billed, at an amount nobody knows."""
    twin.script(Answer(parts="42", usage=Usage()))
    with byollm.Client(config) as client:
        client.complete("hi", max_tokens=50)

    [row] = rows(path)
    assert ("yes", None, True) == (row.billed, row.cost, (row.possible or 0) > 0)
    assert 1 == reported(path)["total"]["unpriced"]


def test_nothing_of_what_was_said_is_booked(config: dict[str, Any], twin: Twins, path: str, tmp_path: Path) -> None:
    """Neither prompt nor answer, nor a key, in any file of the ledger, journals included."""
    twin.script(Answer(parts="the answer is platypus"))
    with byollm.Client(config) as client:
        client.complete("tell me of the wombat", system="you are an okapi")
        kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    kept += b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())

    assert b"model-first" in kept
    assert not any(word in kept for word in (b"platypus", b"wombat", b"okapi", b"k-1234567890"))


def test_a_tenants_call_is_paid_with_its_own_key(config: dict[str, Any], path: str) -> None:
    """And the report says how many were not: none."""
    config["llm_config"]["tenants"] = {"acme": {"credentials": {"custom": "acme-key-123"}}}
    with byollm.Client(config) as client:
        client.complete("hi", tenant="acme")
        client.complete("hi")

    assert [("acme", "tenant"), (None, "own")] == [(row.tenant, row.key_owner) for row in rows(path)]
    assert 0 == reported(path)["platform_key_calls"]


def test_async_calls_and_streams_are_booked_alike(config: dict[str, Any], path: str) -> None:
    """The engine tells both ways the same."""

    async def ask() -> None:
        async with byollm.AsyncClient(config) as client:
            await asyncio.gather(*[client.complete("hi") for _ in range(5)])
            async with client.stream("hi") as stream:
                [event async for event in stream]

    asyncio.run(ask())
    found = rows(path)
    assert (6, 1) == (len(found), sum(row.stream for row in found))
    assert all(row.cost for row in found)
    assert [row.first_milliseconds is not None for row in found] == [row.stream for row in found]


class Nonsense:
    """A middleware that reckons wrongly: a plugin's counts are looked at before, its own are not."""

    position = "attempt"

    def around(self, call: Any, request: Any, next: Any) -> Any:
        completion = yield from next(request)
        completion.usage = Usage(-5, 30)
        return completion


def test_negative_counts_are_not_booked_and_said(path: str) -> None:
    """The row says so, and nothing was computed from it."""
    with client_of(Model(), middleware=[Nonsense()], observers=[Ledger(path)]) as client:
        client.complete("hi", max_tokens=10)

    [row] = rows(path)
    assert (None, None, None) == (row.input_tokens, row.output_tokens, row.cost)
    assert "a token count that is none" == row.problem
    kept, told = cells_of(path)
    assert kept == told


def test_a_clock_that_goes_back_loses_and_doubles_nothing(path: str) -> None:
    """Rows keep the time they were told; the order of reading is that of time."""
    clock = ManualClock(1_795_000_000.0)
    with client_of(Model(), clock=clock, observers=[Ledger(path)]) as client:
        for step in (0, 7200, -90_000, 50):
            clock.now += step
            client.complete("hi")

    times = [row.at for row in rows(path)]
    assert (4, sorted(times)) == (len(times), times)
    kept, told = cells_of(path)
    assert (kept, 3) == (told, len(kept))


def test_two_currencies_stand_side_by_side(config: dict[str, Any], twin: Twins, path: str) -> None:
    """They are never added."""
    config["llm_config"]["deployments"]["second"]["pricing"] = {**PRICE, "currency": "USD"}
    with byollm.Client(config) as client:
        client.complete("hi", deployment="first")
        client.complete("hi", deployment="second")

    cost = reported(path)["total"]["cost"]
    assert ["EUR", "USD"] == list(cost)
    assert [row.cost for row in rows(path)] == list(cost.values())


class Refusing:
    """A required observer that says no."""

    required = True

    def started(self, call: Any, deployment: str) -> None:
        raise PluginError("not today")


def test_what_another_observer_stopped_leaves_nothing_on_its_way(path: str) -> None:
    """The intent is withdrawn: nothing was sent, and nothing is unknown later."""
    with client_of(Model(), observers=[Ledger(path), Refusing()]) as client, pytest.raises(PluginError):
        client.complete("hi")

    assert [] == rows(path)
    assert 0 == reported(path)["state"]["in_flight"]


def test_a_stream_that_is_left_early_is_unknown(path: str) -> None:
    """It may have cost money all the same."""
    with client_of(Model(), observers=[Ledger(path)]) as client, client.stream("hi", max_tokens=10) as stream:
        next(iter(stream))

    [row] = rows(path)
    assert ("unknown", "CancelledError") == (row.billed, row.error)


def test_a_failure_that_is_not_billed_costs_nothing(path: str) -> None:
    """Certainly."""
    model = Model()
    model.failing = OverloadedError("busy", sent="yes", retryable=False)
    with client_of(model, observers=[Ledger(path)]) as client, pytest.raises(OverloadedError):
        client.complete("hi")

    assert {("no", None, True)} == {(row.billed, row.cost, row.certain) for row in rows(path)}


@pytest.mark.parametrize("wrong", [
    {"durability": "maximal"}, {"on_failure": "panic"}, {"backlog_megabytes": 0}, {"interval": -1},
    {"path": ":memory:"},
    {"path": "env:NO_SUCH_VARIABLE"}, {"assumed_output": True},
], ids=str)  # fmt: skip
def test_an_option_that_makes_no_sense_is_a_config_error(wrong: dict[str, Any], path: str) -> None:
    """It names the option."""
    with pytest.raises(ConfigError, match=r"ledger: .*(durability|on_failure|backlog|interval|path|VARIABLE|assumed)"):
        Ledger(**{"path": path, **wrong})


def test_full_durability_is_written_through(config: dict[str, Any], path: str) -> None:
    """The same rows."""
    config["llm_config"]["observers"] = [{"name": "ledger", "path": path, "durability": "full"}]
    with byollm.Client(config) as client:
        client.complete("hi")

    assert 1 == len(rows(path))


def test_rows_are_read_from_and_to(path: str) -> None:
    """`since` counts, `until` does not."""
    clock = ManualClock(1_795_000_000.0)
    with client_of(Model(), clock=clock, observers=[Ledger(path)]) as client:
        for _ in range(4):
            client.complete("hi")
            clock.now += 100

    assert [100, 200] == [row.at - 1_795_000_000 for row in read(path, 1_795_000_100, 1_795_000_300)]


def test_a_client_may_be_used_again_after_it_was_closed(path: str) -> None:
    """Its ledger too, and what it leaves is one file and an empty folder."""
    ledger = Ledger(path)
    for _ in range(3):
        with client_of(Model(), observers=[ledger]) as client:
            client.complete("hi")

    assert 3 == len(rows(path))
    assert {"name"} == {file.name for file in Path(f"{path}.journals").iterdir()}


def test_the_door_shows_what_others_build_on() -> None:
    """Reading, settling, and what is read."""
    assert {"Ledger", "Budgets", "Row", "read", "settle", "unsettled"} <= set(byollm_ledger.__all__)
