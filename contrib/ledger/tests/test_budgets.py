"""Budgets: no call is sent that a hard limit has no room for, and no two calls are promised the same money."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import tempfile
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from ledger_clients import PRICE, Model, client_of, reported

import byollm
from byollm.errors import ConfigError, NoRouteError
from byollm.plugin import Usage
from byollm.testing import ManualClock
from byollm_ledger import BudgetExceededError, Budgets, Ledger, LedgerError, Warned, read
from byollm_ledger.address import open_store
from byollm_ledger.row import PICO, to_pico
from byollm_sandbox import Twins

HI = Decimal("0.000306") + 10 * Decimal("0.000002")
"""The most that "hi" with max_tokens=10 can cost at PRICE: 306 tokens in, 10 out."""


def budgets(path: str, *limits: dict[str, Any], **options: Any) -> Budgets:
    return Budgets(path, limits=[{"currency": "EUR", **limit} for limit in limits], **options)


def spent(path: str) -> dict[str, int]:
    """Picos by account."""
    store = open_store(path)
    try:
        return {
            f"{name} {scope}": int(value) for name, scope, value in store.rows("SELECT name, scope, spent FROM budget")
        }
    finally:
        store.close()


def test_a_hard_limit_refuses_before_anything_is_sent(path: str) -> None:
    """The error says what is left, until when, and it is one that callers of a router catch already."""
    model = Model(Usage(120, 10))
    cost = Decimal("0.00014")
    with client_of(model, middleware=[budgets(path, {"amount": cost + HI})]) as client:
        client.complete("hi", max_tokens=10)
        client.complete("hi", max_tokens=10)
        with pytest.raises(BudgetExceededError, match="the budget all has no room") as caught:
            client.complete("hi", max_tokens=10)

    error = caught.value
    assert isinstance(error, NoRouteError)
    assert (2 * cost, 0, HI, "EUR") == (error.spent, error.reserved, error.needed, error.currency)
    assert "left in" in error.skipped["default"]
    assert () == error.attempts


def test_what_is_left_after_settling_may_be_spent(path: str) -> None:
    """The most is promised, what it did cost is booked, the rest is free again."""
    with client_of(Model(Usage(10, 0)), middleware=[budgets(path, {"amount": 2 * HI})]) as client:
        for _ in range(30):
            client.complete("hi", max_tokens=10)

    assert {"all {}": 30 * 10 * PICO // 1_000_000} == spent(path)


def test_limits_are_counted_for_each(config: dict[str, Any], path: str) -> None:
    """Tenants, tasks and providers have accounts of their own; a name means one of them."""
    llm = config["llm_config"]
    llm["tenants"] = {name: {"credentials": {"custom": f"{name}-key-123"}} for name in ("acme", "globex")}
    llm["middleware"] = [{
        "name": "budgets", "path": path,
        "limits": [
            {"tenant": "*", "amount": 5, "currency": "EUR"}, {"task": "sums", "amount": 9, "currency": "EUR"},
            {"tenant": "acme", "provider": "custom", "amount": 1, "currency": "EUR", "name": "acme here"},
        ],
    }]  # fmt: skip
    with byollm.Client(config) as client:
        client.complete("hi", tenant="acme", max_tokens=50)
        client.complete("hi", tenant="globex", max_tokens=50)
        client.complete("hi", max_tokens=50)

    accounts = spent(path)
    each = [to_pico(row.cost or Decimal(0)) for row in read(path)]
    assert each[:2] == [accounts['tenant=* {"tenant":"acme"}'], accounts['tenant=* {"tenant":"globex"}']]
    assert sum(value or 0 for value in each) == accounts['task=sums {"task":"sums"}']
    assert each[0] == accounts['acme here {"provider":"custom","tenant":"acme"}']


def test_a_provider_without_money_is_passed_over(config: dict[str, Any], twin: Twins, path: str) -> None:
    """The next candidate answers; `skipped` says why the first was not asked."""
    llm = config["llm_config"]
    llm["deployments"]["first"] = {
        **llm["deployments"]["first"],
        "provider": "openai",
        "model": "gpt-5.4",
        "api": "chat",
    }
    llm["middleware"] = [{"name": "budgets", "path": path,
                          "limits": [{"provider": "openai", "amount": 0, "currency": "EUR"}]}]  # fmt: skip
    with byollm.Client(config) as client:
        reply = client.complete("hi", max_tokens=50)

    assert ("second", {"second"}) == (reply.deployment, {request.name for request in twin.requests})


def test_explain_knows_what_a_budget_leaves_out(config: dict[str, Any], twin: Twins, path: str) -> None:
    """The first that is kept is the one that is asked, and asking costs the budget nothing."""
    llm = config["llm_config"]
    del llm["deployments"]["first"]["pricing"]
    llm["middleware"] = [{"name": "budgets", "path": path, "limits": [{"amount": 5, "currency": "EUR"}]}]
    with byollm.Client(config) as client:
        told = client.explain("hi", max_tokens=50)
        before = spent(path)
        reply = client.complete("hi", max_tokens=50)

    assert [("second", True), ("first", False)] == [(each.deployment, each.kept) for each in told]
    assert "nobody knows its price" in told[1].reason
    assert ("second", {"all {}": 0}) == (reply.deployment, before)


def test_a_soft_limit_warns_and_refuses_nothing(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Before the wall once, at the wall once; by log and by callback."""
    told: list[Warned] = []
    layer = budgets(path, {"amount": 10 * HI, "soft": True}, warn_at=0.5, on_warning=told.append)
    with caplog.at_level(logging.WARNING, "byollm"), client_of(Model(Usage(300, 10)), middleware=[layer]) as client:
        for _ in range(15):
            client.complete("hi", max_tokens=10)

    assert [False, True] == [warning.reached for warning in told]
    assert Decimal("0.5") <= told[0].taken / told[0].limit < Decimal("0.8")
    assert 2 == sum("its limit" in record.message for record in caplog.records)


def test_a_callback_that_fails_harms_nobody(path: str) -> None:
    """The call goes on."""

    def broken(warning: Warned) -> None:
        raise RuntimeError("no")

    with client_of(Model(), middleware=[budgets(path, {"amount": 1}, warn_at=0.0001, on_warning=broken)]) as client:
        assert "ok" == client.complete("hi", max_tokens=10).text


@pytest.mark.parametrize("price", [None, {**PRICE, "currency": "USD"}], ids=["no price", "another currency"])
def test_an_unknown_price_is_refused_unless_it_is_allowed(path: str, price: Any) -> None:
    """A hard limit cannot hold what nobody can count, and no currency is turned into another."""
    with (
        client_of(Model(), price=price, middleware=[budgets(path, {"amount": 5})]) as client,
        pytest.raises(BudgetExceededError, match=r"price|budget") as caught,
    ):
        client.complete("hi")
    assert (None, True) == (caught.value.needed, "hard one in EUR" in str(caught.value))

    with client_of(Model(), price=price, middleware=[budgets(path, {"amount": 5}, unknown_price="allow")]) as client:
        assert "ok" == client.complete("hi").text


def test_the_month_begins_where_the_budget_lives(path: str) -> None:
    """At midnight in Auckland it is still yesterday in UTC, and the money is new."""
    clock = ManualClock(1_796_036_400.0 - 10)  # 2026-11-30 23:59:50 in Auckland
    layer = budgets(path, {"amount": "0.0005"}, timezone="Pacific/Auckland")
    with client_of(Model(Usage(300, 10)), clock=clock, middleware=[layer]) as client:
        client.complete("hi", max_tokens=10)
        with pytest.raises(BudgetExceededError) as caught:
            client.complete("hi", max_tokens=10)
        clock.now += 20
        client.complete("hi", max_tokens=10)

    assert ("2026-11", 1_796_036_400.0) == (caught.value.period, caught.value.resets_at)


def test_a_limit_that_comes_later_counts_what_was_spent_before(path: str) -> None:
    """The ledger in the same database knows this month already."""
    with client_of(Model(), observers=[Ledger(path)]) as client:
        for _ in range(5):
            client.complete("hi", max_tokens=10)
    booked = reported(path)["total"]["cost"]["EUR"]
    with (
        client_of(Model(), middleware=[budgets(path, {"amount": booked})]) as client,
        pytest.raises(BudgetExceededError) as caught,
    ):
        client.complete("hi", max_tokens=10)

    assert booked == caught.value.spent


def test_the_report_shows_the_accounts(path: str) -> None:
    """What is spent this month, and what a call on its way is promised."""
    with client_of(Model(), middleware=[budgets(path, {"amount": 1})]) as client:
        client.complete("hi", max_tokens=10)
        with client.stream("hi", max_tokens=10) as stream:
            [row] = reported(path)["budgets"]
            list(stream)
        [later] = reported(path)["budgets"]

    assert ("all", {}, Decimal("0.00018"), HI) == (row["budget"], row["scope"], row["spent"], row["reserved"])
    assert (Decimal("0.00036"), Decimal(0)) == (later["spent"], later["reserved"])


def test_counting_costs_nothing(config: dict[str, Any], path: str) -> None:
    """A budget that is used up does not keep anybody from counting tokens."""
    config["llm_config"]["middleware"] = [{"name": "budgets", "path": path, "limits": [{"amount": 0}]}]
    with byollm.Client(config) as client:
        assert client.count_tokens("hi").tokens > 0


def test_what_cannot_be_settled_yet_stays_promised(path: str) -> None:
    """Nobody else gets it; it is settled as soon as the database is there again."""
    layer = budgets(path, {"amount": 1})
    with client_of(Model(), middleware=[layer]) as client:
        client.complete("hi", max_tokens=10)
        with client.stream("hi", max_tokens=10) as stream:
            assert layer._store is not None
            layer._store.close()
            list(stream)
        layer._store = None
        client.complete("hi", max_tokens=10)

    assert {"all {}": 3 * 180 * PICO // 1_000_000} == spent(path)


def test_when_the_database_cannot_say_hard_limits_refuse_and_soft_ones_let_go(tmp_path: Path) -> None:
    """Nothing is sent that nobody can count; what is only counted is sent."""
    broken = tmp_path / "usage.db"
    broken.write_bytes(b"no database" * 1000)
    with client_of(Model(), middleware=[budgets(str(broken), {"amount": 1, "soft": True})]) as client:
        assert "ok" == client.complete("hi").text
    with client_of(Model(), middleware=[budgets(str(broken), {"amount": 1})]) as client, pytest.raises(LedgerError):
        client.complete("hi")


def test_a_task_that_is_cancelled_while_it_reserves_leaves_nothing_promised(
    config: dict[str, Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread ends what it began, sees that nobody wants it any more, and gives it back."""
    begun, go = threading.Event(), threading.Event()
    layer = budgets(path, {"amount": 1})
    opened = layer._opened

    def slowly() -> Any:
        begun.set()
        go.wait(10)
        return opened()

    monkeypatch.setattr(layer, "_opened", slowly)

    async def ask() -> None:
        async with byollm.AsyncClient(config, middleware=[layer]) as client:
            task = asyncio.create_task(client.complete("hi", max_tokens=10))
            await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go.set()

    asyncio.run(ask())
    store = open_store(path)
    left = store.rows("SELECT COUNT(*) FROM reservation")[0][0]
    store.close()
    assert (0, {"all {}": 0}) == (left, spent(path))


def test_a_process_that_dies_keeps_what_it_was_promised(path: str) -> None:
    """Nobody knows whether it was spent: it counts as spent, and is not promised twice."""
    child = os.fork()
    if not child:
        stream = client_of(Model(), middleware=[budgets(path, {"amount": 1})]).stream("hi", max_tokens=10)
        next(iter(stream.__enter__()))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with client_of(Model(Usage(0, 0)), middleware=[budgets(path, {"amount": 1})]) as client:
        client.complete("hi", max_tokens=10)

    assert {"all {}": to_pico(HI)} == spent(path)


def _spend(path: str, amount: Decimal, answered: list[int], threads: int) -> None:
    layer = budgets(path, {"amount": amount})
    client = client_of(Model(Usage(306, 10)), middleware=[layer])

    def work() -> None:
        count = 0
        try:
            while True:
                client.complete("hi", max_tokens=10)
                count += 1
        except BudgetExceededError:
            answered.append(count)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    client.close()


def test_threads_and_processes_spend_exactly_the_limit(path: str) -> None:
    """Each call costs its most, the limit has room for 100 and a half: 100 are answered, whoever asks."""
    reading, writing = os.pipe()
    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            answered: list[int] = []
            try:
                _spend(path, HI * 100 + HI / 2, answered, 3)
            finally:
                os.write(writing, json.dumps(answered).encode() + b"\n")
                os._exit(0)
        children.append(child)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        counts = [json.loads(line) for line in pipe.read().splitlines()]
    for child in children:
        os.waitpid(child, 0)

    assert (9, 100) == (sum(map(len, counts)), sum(map(sum, counts)))
    assert {"all {}": (to_pico(HI) or 0) * 100} == spent(path)


def test_tasks_of_an_event_loop_spend_exactly_the_limit(config: dict[str, Any], twin: Twins, path: str) -> None:
    """Reserving is done in threads, and it is exact all the same."""
    config["llm_config"]["middleware"] = [
        {"name": "budgets", "path": path, "limits": [{"amount": "0.01", "currency": "EUR"}], "warn_at": 1}
    ]

    async def ask() -> list[Any]:
        async with byollm.AsyncClient(config) as client:
            return await asyncio.gather(
                *[client.complete("hi", max_tokens=100) for _ in range(40)], return_exceptions=True
            )

    found = asyncio.run(ask())
    answered = [reply for reply in found if isinstance(reply, byollm.Completion)]
    assert 0 < len(answered) < 40
    assert all(isinstance(reply, BudgetExceededError | byollm.Completion) for reply in found)
    assert sum(reply.cost or 0 for reply in answered) <= Decimal("0.01")


class Spending(RuleBasedStateMachine):
    """Calls that begin, end, are left, fail and die, in several processes' worth of budgets, against a plain sum."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.path = str(Path(self.folder) / "usage.db")
        self.limit = 20 * HI
        self.model = Model()
        self.others = [self.made(), self.made()]
        self.open: list[tuple[int, Any]] = []
        self.spent = Decimal(0)

    def made(self) -> tuple[byollm.Client, Budgets]:
        layer = budgets(self.path, {"amount": self.limit})
        return client_of(self.model, middleware=[layer]), layer

    @property
    def reserved(self) -> Decimal:
        return HI * len(self.open)

    @rule(which=some.integers(0, 1), used=some.integers(0, 306), out=some.integers(0, 10))
    def whole(self, which: int, used: int, out: int) -> None:
        """A call from begin to end."""
        self.model.usage = Usage(used, out)
        if self.asked(lambda: self.others[which][0].complete("hi", max_tokens=10)):
            self.spent += (Decimal(used) + 2 * out) / 1_000_000

    @rule(which=some.integers(0, 1))
    def begin(self, which: int) -> None:
        """A call that takes its time."""
        stream = self.others[which][0].stream("hi", max_tokens=10)
        if self.asked(stream.__enter__):
            self.open.append((which, stream))

    def asked(self, ask: Any) -> bool:
        """Whether it was let through, which is known beforehand."""
        room = self.spent + self.reserved + HI <= self.limit
        if room:
            ask()
            return True
        with pytest.raises(BudgetExceededError) as caught:
            ask()
        assert (self.spent, self.reserved) == (caught.value.spent, caught.value.reserved)
        return False

    @precondition(lambda self: self.open)
    @rule(at=some.integers(0, 30), used=some.integers(0, 306), out=some.integers(0, 10))
    def end(self, at: int, used: int, out: int) -> None:
        """One of them ends, with what it used."""
        _, stream = self.open.pop(at % len(self.open))
        self.model.usage = Usage(used, out)
        list(stream)
        stream.__exit__(None, None, None)
        self.spent += (Decimal(used) + 2 * out) / 1_000_000

    @precondition(lambda self: self.open)
    @rule(at=some.integers(0, 30))
    def leave(self, at: int) -> None:
        """One of them is left: nobody knows, so its most is spent."""
        _, stream = self.open.pop(at % len(self.open))
        stream.__exit__(None, None, None)
        self.spent += HI

    @rule(which=some.integers(0, 1))
    def die(self, which: int) -> None:
        """One process is gone without a word; the next one takes over. What it was promised is spent."""
        client, layer = self.others[which]
        gone = [stream for owner, stream in self.open if owner == which]
        self.open = [(owner, stream) for owner, stream in self.open if owner != which]
        self.spent += HI * len(gone)
        if layer._presence._held is not None:
            layer._presence._held.release(remove=False)
            layer._presence._held = None
        layer._settle = lambda call, plan: None  # type: ignore[method-assign]  # the dead settle nothing
        for stream in gone:
            stream.__exit__(None, None, None)
        if layer._store is not None:
            layer._store.close()
        self.others[which] = self.made()
        self.others[which][1]._opened()
        del client

    @rule(which=some.integers(0, 1))
    def restart(self, which: int) -> None:
        """One process ends well, and is started again."""
        if all(owner != which for owner, _ in self.open):
            self.others[which][0].close()
            self.others[which] = self.made()

    @invariant()
    def the_limit_holds(self) -> None:
        """Always."""
        assert self.spent + self.reserved <= self.limit

    def teardown(self) -> None:
        for _, stream in self.open:
            stream.__exit__(None, None, None)
            self.spent += HI
        for client, _ in self.others:
            client.close()
        if self.spent:
            assert {"all {}": to_pico(self.spent)} == spent(self.path)
        shutil.rmtree(self.folder)


Spending.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestSpending = Spending.TestCase


@pytest.mark.parametrize("wrong", [
    {"limits": []}, {"limits": [{"amount": -1}]}, {"limits": [{"amount": "much"}]},
    {"limits": [{"amount": 1, "tennant": "x"}]},
    {"limits": [{"amount": 1}, {"amount": 2}]}, {"limits": [{"amount": 1, "soft": "yes"}]},
    {"limits": [{"amount": True}]},
    {"limits": [{"amount": 1, "task": 7}]}, {"timezone": "Mars/Olympus"}, {"timezone": "Asia/Kolkata"}, {"warn_at": 2},
    {"unknown_price": "guess"}, {"limits": [1]}, {"limits": "all"},
], ids=str)  # fmt: skip
def test_a_budget_that_makes_no_sense_is_a_config_error(wrong: dict[str, Any], path: str) -> None:
    """It says what is wrong with it."""
    with pytest.raises(ConfigError):
        Budgets(**{"path": path, "limits": [{"amount": 1}], **wrong})
