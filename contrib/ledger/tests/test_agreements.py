"""`route: {policy: prefer}` with a ledger: one amount for all processes, before and after a restart."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ledger_clients import Model, client_of

import byollm
from byollm.testing import ManualClock
from byollm_ledger import Ledger, read
from byollm_ledger.book import Book
from byollm_ledger.reading import opened, settle, unsettled
from byollm_sandbox import Twins

HERE = Path(__file__).parent
CALL = Decimal("0.00018")
"""What a call of `Model` costs."""


def agreed(config: dict[str, Any], amount: Decimal | str, **more: Any) -> dict[str, Any]:
    """The task uses up an agreement with the first deployment."""
    route = {"policy": "prefer", "over": ["second", "first"], "first": "first", "amount": str(amount)}
    config["llm_config"]["tasks"]["sums"]["route"] = {**route, "currency": "EUR", **more}
    return config


def cost_of_one(config: dict[str, Any]) -> Decimal:
    """What the twin's answer costs, asked without a record."""
    llm = {name: value for name, value in config["llm_config"].items() if name != "observers"}
    with byollm.Client({"llm_config": llm}) as client:
        cost = client.complete("hi", deployment="first", max_tokens=10).cost
    assert cost
    return cost


def explained(client: byollm.Client, **words: Any) -> str:
    return {candidate.deployment: candidate.reason for candidate in client.explain("hi", **words)}["first"]


def asked(client: byollm.Client, calls: int, **words: Any) -> str:
    """The first letter of whoever answered each."""
    return "".join((client.complete("hi", max_tokens=10, **words).deployment or "")[0] for _ in range(calls))


def test_a_restart_does_not_give_the_amount_back(config: dict[str, Any]) -> None:
    """Three calls are agreed upon: two before the restart, one after it, and none in a third life."""
    agreed(config, 3 * cost_of_one(config))
    found = []
    for _ in range(3):
        with byollm.Client(config) as client:
            found.append(asked(client, 2))

    assert ["ff", "fs", "ss"] == found


def test_an_event_loop_reads_it_too(config: dict[str, Any]) -> None:
    """The first call of a restarted service knows already."""
    agreed(config, cost_of_one(config))
    with byollm.Client(config) as client:
        client.complete("hi", max_tokens=10)

    async def ask() -> str:
        async with byollm.AsyncClient(config) as client:
            return (await client.complete("hi", max_tokens=10)).deployment or ""

    assert "second" == asyncio.run(ask())


def test_explain_says_who_counted(config: dict[str, Any]) -> None:
    """The ledger, or this process alone; a new client has spent nothing itself."""
    agreed(config, "50000")
    config["llm_config"]["deployments"]["first"]["pricing"] = {"input": 100_000, "output": 0, "currency": "EUR"}
    with byollm.Client(config) as client:
        spent = client.complete("hi", max_tokens=10).cost
    with byollm.Client(config) as client:
        booked = explained(client)
    del config["llm_config"]["observers"]
    with byollm.Client(config) as client:
        alone = explained(client)

    assert spent
    assert f"by agreement, {spent:.2f} of 50000 EUR spent, by the ledger" == booked
    assert "by agreement, 0.00 of 50000 EUR spent, as this process saw it" == alone


def test_explain_makes_no_ledger(config: dict[str, Any], path: str) -> None:
    """Where nothing was booked yet, nothing was spent."""
    with byollm.Client(agreed(config, "5")) as client:
        assert "by agreement, 0.00 of 5 EUR spent, by the ledger" == explained(client)

    assert not os.path.exists(path)


def test_workers_overshoot_by_no_more_than_a_reading_interval(
    config: dict[str, Any], path: str, record_property: Callable[[str, object], None]
) -> None:
    """Four real processes, each of which could spend the whole amount. 200 calls a second at most go out together: what
    goes beyond the amount was on its way (4), or began while nobody had told or read yet (0.15 s, and half a second for
    a machine that is busy). Whoever comes after them asks the first no more."""
    workers, amount, pause, read_every = 4, 150, 0.02, 0.1
    agreed(config, amount * cost_of_one(config))
    config["llm_config"]["observers"] = [{"name": "ledger", "path": path, "interval": 0.05}]
    program = [sys.executable, str(HERE / "ledger_agreements.py"), json.dumps(config)]

    def worker(calls: int) -> subprocess.Popen[str]:
        return subprocess.Popen([*program, str(calls), str(read_every), str(pause)], stdout=subprocess.PIPE, text=True)

    running = [worker(amount) for _ in range(workers)]
    told = [json.loads(each.communicate(timeout=120)[0]) for each in running]
    late = json.loads(worker(3).communicate(timeout=60)[0])

    first = sum(each.get("first", 0) for each in told)
    record_property("calls beyond the amount", first - amount)
    assert first == sum(row.deployment == "first" for row in read(path))
    assert amount <= first <= amount + workers + (read_every + 0.05 + 0.5) * workers / pause
    assert 3 == late["second"]
    assert all("the agreement is used up" in each["explained"] for each in [*told, late])


def test_a_tenant_spends_nothing_of_the_platforms(config: dict[str, Any], twin: Twins) -> None:
    """Its calls are paid with its own key, and its own amount is counted for it alone, across restarts."""
    agreed(config, 2 * cost_of_one(config))
    config["llm_config"]["tenants"] = {
        name: {"credentials": {"custom": f"{name}-key-123"}} for name in ("acme", "globex")
    }
    with byollm.Client(config) as client:
        assert "ffs" == asked(client, 3, tenant="acme")
    with byollm.Client(config) as client:
        assert ("ffs", "ss", "ffs") == (
            asked(client, 3),
            asked(client, 2, tenant="acme"),
            asked(client, 3, tenant="globex"),
        )


def test_what_was_spent_before_the_agreement_does_not_count(config: dict[str, Any], path: str) -> None:
    """`since` is a day of UTC; without it everything that was recorded counts."""
    cost = cost_of_one(config)
    clock = ManualClock(datetime(2026, 3, 31, 23, 59, tzinfo=UTC).timestamp())
    with byollm.Client(agreed(config, 2 * cost), clock=clock) as client:
        client.complete("hi", max_tokens=10)
        clock.now += 120.0
        client.complete("hi", max_tokens=10)
    account = Ledger(path).account("first", "EUR", date(2026, 4, 1), None)
    account.refresh()
    with byollm.Client(config, clock=clock) as client:
        everything = asked(client, 1)
    with byollm.Client(agreed(config, 2 * cost, since="2026-04-01"), clock=clock) as client:
        begun = asked(client, 2)
    with byollm.Client(agreed(config, 2 * cost, since="2026-04-02"), clock=clock) as client:
        before = explained(client)

    assert cost == account.spent()
    assert ("s", "fs", "the agreement begins on 2026-04-02") == (everything, begun, before)


def test_another_currency_does_not_count(config: dict[str, Any]) -> None:
    """Nothing is converted, and explain says that its answers do not count."""
    agreed(config, "0.00001", currency="USD")
    with byollm.Client(config) as client:
        assert "fff" == asked(client, 3)
        assert explained(client).endswith("by the ledger; its price is in EUR, so its answers do not count")


def test_what_is_not_certain_is_told_and_not_counted(path: str) -> None:
    """A call that was left may have cost its most: that leaves the agreement open, until somebody settles it."""
    ledger = Ledger(path)
    account = ledger.account("default", "EUR", None, None)
    with client_of(Model(), observers=[ledger]) as client:
        client.complete("hi", max_tokens=10)
        with client.stream("hi", max_tokens=10) as stream:
            next(iter(stream))
    account.refresh()
    before = account.spent(), account.unsure()
    with opened(path) as store:
        [row] = unsettled(store)
        settle(store, row.call, row.ordinal, billed="yes", cost=Decimal("0.01"), currency="EUR")
    account.refresh()

    assert (CALL, row.possible) == before
    assert (CALL + Decimal("0.01"), Decimal(0)) == (account.spent(), account.unsure())


@pytest.mark.parametrize("seed", range(5))
def test_no_call_is_counted_twice_or_not_at_all(path: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers, folded, read and closed at random: an account knows its own ledger's calls at once, and after a
    reading what the other had folded."""
    monkeypatch.setattr(Book, "_nudge", lambda book: None)  # nothing is folded but by the test
    chance = random.Random(seed)
    ledgers = [Ledger(path) for _ in range(2)]
    accounts = [ledger.account("default", "EUR", None, None) for ledger in ledgers]
    clients = [client_of(Model(), observers=[ledger]) for ledger in ledgers]
    made, folded, seen = [0, 0], [0, 0], [0, 0]
    for account in accounts:
        account.refresh()
    for _ in range(120):
        which = chance.randrange(2)
        match chance.randrange(5):
            case 0 | 1:
                clients[which].complete("hi", max_tokens=10)
                made[which] += 1
            case 2:
                ledgers[which].flush()
                folded[which] = made[which]
            case 3:
                accounts[which].refresh()
                seen[which] = folded[1 - which]
            case 4:
                clients[which].close()
                folded[which] = made[which]
        for each in range(2):
            assert (made[each] + seen[each]) * CALL == accounts[each].spent()
    for client in clients:
        client.close()


def test_a_child_counts_its_own(path: str) -> None:
    """After a fork: what the parent had told, and what the child tells."""
    ledger = Ledger(path, interval=60)
    account = ledger.account("default", "EUR", None, None)
    client = client_of(Model(), observers=[ledger])
    account.refresh()
    client.complete("hi", max_tokens=10)
    child = os.fork()
    if not child:
        try:
            client.complete("hi", max_tokens=10)
            os._exit(0 if account.spent() == 2 * CALL else 1)
        finally:
            os._exit(2)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    client.close()


def test_a_ledger_that_was_deleted_is_begun_anew(path: str) -> None:
    """What stands in no journal any more is forgotten; the account goes on from what the ledger knows."""
    ledger = Ledger(path, interval=60)
    account = ledger.account("default", "EUR", None, None)
    with client_of(Model(), observers=[ledger]) as client:
        client.complete("hi", max_tokens=10)
        ledger.flush()
        account.refresh()
        for name in (path, f"{path}-wal", f"{path}-shm"):
            os.unlink(name)
        client.complete("hi", max_tokens=10)
        ledger.flush()
        account.refresh()

    assert 2 * CALL == account.spent()


def test_a_ledger_that_cannot_be_read_stops_nothing(
    config: dict[str, Any], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The process counts its own, explain says so, and the log is told once by the routes."""
    agreed(config, 2 * cost_of_one(config))
    Path(path).write_bytes(b"no database" * 1000)
    with caplog.at_level(logging.WARNING, "byollm"), byollm.Client(config) as client:
        assert "ffs" == asked(client, 3)
        told = explained(client)
        client.explain("hi")

    assert told.endswith("as this process saw it: the ledger cannot be read (LedgerDamagedError)")
    assert 1 == sum("agreements of routes" in record.message for record in caplog.records)


def test_a_ledger_that_fails_later_is_believed_as_it_was_read(config: dict[str, Any], path: str) -> None:
    """What others had spent by then, and this process's own since."""
    agreed(config, 3 * cost_of_one(config))
    with byollm.Client(config) as client:
        client.complete("hi", max_tokens=10)
    with byollm.Client(config) as client:
        assert "f" == asked(client, 1)
        with sqlite3.connect(path) as database:
            database.execute("ALTER TABLE rollup_day RENAME TO gone")
        told = explained(client)
        assert "fs" == asked(client, 2)
        with sqlite3.connect(path) as database:
            database.execute("ALTER TABLE gone RENAME TO rollup_day")
        assert "by the ledger" == explained(client)[-len("by the ledger") :]

    assert "by the ledger until it could not be read" in told
