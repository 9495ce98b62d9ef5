"""An agreement that somebody keeps books of: read beside the calls, and never in their way."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import byollm
from byollm.routing import agreements
from byollm.routing.agreements import Books
from byollm.routing.policies import Asked, Option, Prefer, ordered

NAMES = ("a", "b")


class Keeper:
    """Books on paper: `booked` is what they say, `error` why they cannot be read."""

    def __init__(self, booked: str = "0") -> None:
        self.booked = Decimal(booked)
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.begun: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.asked_for: list[Any] = []

    def account(self, *words: Any) -> Paper:
        self.asked_for.append(words)
        return Paper(self)


class Paper:
    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.known: Decimal | None = None

    def refresh(self) -> None:
        self.keeper.begun.put(None)
        self.keeper.open.wait(10)
        if self.keeper.error is not None:
            raise self.keeper.error
        self.known = self.keeper.booked

    def spent(self) -> Decimal | None:
        return self.known

    def unsure(self) -> Decimal:
        return Decimal("0.5")


def watched(keeper: Any, policy: Prefer) -> tuple[Books, Option]:
    books, option = Books([object(), keeper]), Option("b")
    books.watch(policy, option, None)
    return books, option


def first(policy: Prefer, option: Option, instant: float = 0.0) -> tuple[str, str]:
    """Who goes first, and what is said of `b`."""
    asked = Asked(10, None, False, 0.0, 0, instant=instant)
    found = ordered(policy, asked, [Option("a"), option])
    return found[0][1].name, next(policy.say(fact) for _, each, fact in found if each.name == "b")


def read_again(policy: Prefer, option: Option) -> None:
    """Wait for a reading."""
    option.agreements[policy.currency, policy.since].read(10.0)


def test_the_first_choice_knows_the_books() -> None:
    """Another process has spent it all; this one has spent nothing."""
    policy = Prefer(NAMES, "b", Decimal(10))
    _, option = watched(Keeper("10.00"), policy)

    told = "10.00 of 10 USD spent, by the ledger, and up to 0.50 more is not certain"
    assert ("a", f"the agreement is used up: {told}") == first(policy, option)


def test_the_books_are_read_every_two_seconds_at_most() -> None:
    """And only when somebody asks; who asks has the last reading at once."""
    policy, keeper = Prefer(NAMES, "b", Decimal(10)), Keeper("1")
    _, option = watched(keeper, policy)
    keeper.begun.get(timeout=10)
    keeper.open.clear()
    keeper.booked = Decimal(10)
    told = [first(policy, option, instant)[0] for instant in (0.0, 0.5, 1.99, 2.0, 2.1, 3.9)]
    keeper.begun.get(timeout=10)

    assert (["b"] * 6, True) == (told, keeper.begun.empty())
    keeper.open.set()
    read_again(policy, option)
    assert "a" == first(policy, option, 3.95)[0]


def test_books_that_do_not_answer_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reading is waited for so long and no longer; until then this process counts."""
    monkeypatch.setattr(agreements, "FIRST", 0.01)
    policy, keeper = Prefer(NAMES, "b", Decimal(10)), Keeper("10")
    keeper.open.clear()
    _, option = watched(keeper, policy)
    option.pace.paid(Decimal(3), "USD")
    before = first(policy, option)
    keeper.open.set()
    read_again(policy, option)

    told = "3.00 of 10 USD spent, as this process saw it: the ledger was not read yet"
    assert ("b", f"by agreement, {told}; its price is not known, so its answers do not count") == before
    assert "a" == first(policy, option)[0]


def test_books_that_do_not_answer_are_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each tenant: an event loop may stand still meanwhile."""
    monkeypatch.setattr(agreements, "FIRST", 0.01)
    waited: list[float] = []
    read = agreements.Agreement.read

    def noted(agreement: agreements.Agreement, patience: float) -> bool:
        waited.append(patience)
        return read(agreement, patience)

    monkeypatch.setattr(agreements.Agreement, "read", noted)
    policy, keeper, options = Prefer(NAMES, "b", Decimal(10)), Keeper("10"), [Option("b") for _ in range(4)]
    keeper.open.clear()
    books = Books([keeper])
    for tenant, option in zip("abc", options, strict=False):
        books.watch(policy, option, tenant)
    keeper.open.set()
    read_again(policy, options[2])
    books.watch(policy, options[3], "d")

    assert [0.01, 0.0, 0.0, 10.0, 0.01] == waited


def test_a_child_reads_whatever_its_parent_was_doing() -> None:
    """A fork in the middle of a reading leaves it neither a thread nor a lock that nobody opens."""
    policy, keeper = Prefer(NAMES, "b", Decimal(10)), Keeper("10")
    books, option = watched(keeper, policy)
    with books._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            os._exit(0 if option.agreements["USD", None].read(5.0) else 1)
    assert (child, 0) == os.waitpid(child, 0)


def test_books_that_fail_are_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """This process counts; when they can be read again, they count."""
    policy, keeper = Prefer(NAMES, "b", Decimal(10)), Keeper("10")
    keeper.error = OSError("no disk")
    with caplog.at_level(logging.WARNING, "byollm"):
        _, option = watched(keeper, policy)
        read_again(policy, option)
    failed = first(policy, option)
    keeper.error = None
    read_again(policy, option)
    keeper.error = OSError("no disk")
    after = first(policy, option)
    read_again(policy, option)

    assert 1 == len(caplog.records)
    assert ("b", True) == (failed[0], "as this process saw it: the ledger cannot be read (OSError)" in failed[1])
    assert ("a", "a") == (after[0], first(policy, option)[0])
    assert "by the ledger until it could not be read (OSError), and by this process since" in first(policy, option)[1]


def test_an_account_that_cannot_be_had_stops_nobody() -> None:
    """Whatever a stranger's observer raises."""

    class Broken:
        def account(self) -> None:
            """Takes other words."""

    policy = Prefer(NAMES, "b", Decimal(10))
    books, option = watched(Broken(), policy)

    assert ({}, "TypeError") == (option.agreements, books.problem)


def test_each_tenant_has_an_account_of_its_own() -> None:
    """And an agreement without an amount needs none."""
    keeper = Keeper()
    target = {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9"}
    route = {"policy": "prefer", "over": ["a", "b"], "first": "b", "amount": 5, "since": "2026-04-01"}
    config = {
        "deployments": {"a": {**target, "api_key": "k-1"}, "b": {**target, "api_key": "k-2"}},
        "tasks": {"t": {"route": route}, "u": {"route": {"policy": "prefer", "over": ["a", "b"], "first": "b"}}},
        "tenants": {"acme": {"credentials": {"custom": "k-3"}}},
    }
    client = byollm.Client({"llm_config": config}, observers=[keeper])
    for words in ({"task": "t"}, {"task": "u"}, {"task": "t", "tenant": "acme"}):
        client.prepare("hi", dict(words), stream=False)

    since = date(2026, 4, 1)
    assert [("b", "USD", since, None), ("b", "USD", since, "acme")] == keeper.asked_for


def test_an_agreement_has_a_first_and_a_last_day() -> None:
    """Both of UTC, both count."""
    policy = Prefer(NAMES, "b", None, "USD", date(2026, 4, 30), date(2026, 4, 1))

    def told(*when: int) -> str:
        asked = Asked(10, None, False, datetime(*when, tzinfo=UTC).timestamp(), 0)  # type: ignore[arg-type,misc]
        return policy.say(policy.rank(asked, [Option("b")])[0][2])

    assert "the agreement begins on 2026-04-01" == told(2026, 3, 31, 23, 59)
    assert ["by agreement, until 2026-04-30"] * 2 == [told(2026, 4, 1), told(2026, 4, 30, 23, 59)]
    assert "the agreement ended on 2026-04-30" == told(2026, 5, 1)


def test_what_is_no_amount_is_not_counted() -> None:
    """A price plugin may answer anything."""
    option = Option("b")
    for amount in ("NaN", "Infinity", "-1", "2"):
        option.pace.paid(Decimal(amount), "USD")

    assert {"USD": Decimal(2)} == option.pace.spent
