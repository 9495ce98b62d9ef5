"""What was spent of an agreement: by the books of an observer that keeps some, else as this process alone saw it.

An observer keeps books when it has `account(deployment, currency, since, tenant)`, which answers an `Account`. A thread
reads it anew, at most every two seconds and only while somebody asks; in between it tells what it knows. Who chooses
never waits, but for the first reading: without it a restarted service would begin with an amount that is used up.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from byollm.config.places import Finding, name
from byollm.routing.policies import ALONE, Prefer
from byollm.types.forks import forkable

if TYPE_CHECKING:
    from byollm.config.records import LlmConfig, TaskConfig
    from byollm.routing.policies import Option, Policy

READ_EVERY: Final = 2.0
"""Seconds for which a reading is good enough."""
FIRST: Final = 1.0
"""Seconds at most that a route waits for its first reading."""
EXPLAINED: Final = 5.0
"""Seconds at most that `explain` waits for a new one."""
log = logging.getLogger("byollm")


class Account(Protocol):
    """What was spent at one deployment in one currency since a day, for one tenant or for calls without any."""

    def refresh(self) -> None:
        """Read it anew. May take its time and raise: it is a thread's work."""
        ...

    def spent(self) -> Decimal | None:
        """What is certain: as it was read, and what this process told the observer since, each once. None before the
        first reading. Asked at each choice: it reads nothing."""
        ...

    def unsure(self) -> Decimal:
        """What more may have been spent, as it was read."""
        ...


class Books:
    """The accounts of one client at whoever keeps books among its observers. Safe in threads and after a fork."""

    def __init__(self, observers: Sequence[Any] = ()) -> None:
        self._keeper = next((each for each in observers if keeps(each)), None)
        self.problem: str | None = None
        """Why the last reading failed."""
        self._told = False
        self._is_slow = False
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = forkable(threading.Lock())
        self._wanted: dict[Agreement, threading.Event] = {}
        self._thread: threading.Thread | None = None

    def watch(self, policy: Policy, option: Option, tenant: str | None) -> None:
        """From now on the policy's agreement is counted from the books, if there are any. Never raises."""
        if self._keeper is None or not isinstance(policy, Prefer) or policy.amount is None:
            return
        key = (policy.currency, policy.since)
        if option.name != policy.first or key in option.agreements:
            return
        try:
            account = self._keeper.account(option.name, policy.currency, policy.since, tenant)
        except Exception as error:
            self._failed(error)
            return
        found = option.agreements[key] = Agreement(self, account)
        self._is_slow = not found.read(0.0 if self.problem or self._is_slow else FIRST)

    def read(self, agreement: Agreement) -> threading.Event:
        """Have it read; the event is set when that is over."""
        if self._process != os.getpid():  # a fork leaves thread and lock to the parent
            self._begin()
        with self._lock:
            over = self._wanted.setdefault(agreement, threading.Event())
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="byollm-agreements", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as error:  # the interpreter ends, or there are too many
                    self._failed(error)
        return over

    def _work(self) -> None:
        while True:
            with self._lock:
                agreement = next(iter(self._wanted), None)
                if agreement is None:
                    self._thread = None
                    return
                over = self._wanted.pop(agreement)
            try:
                agreement.account.refresh()
            except Exception as error:
                self._failed(error)
            else:
                self.problem = None
                self._is_slow = False
            over.set()

    def _failed(self, error: Exception) -> None:
        self.problem = type(error).__name__
        if not self._told:
            self._told = True
            why = getattr(error, "message", self.problem)
            log.warning("agreements of routes: the ledger cannot be read (%s); this process counts its own", why)


class Agreement:
    """One agreement of one client."""

    __slots__ = ("_asked", "_books", "account")

    def __init__(self, books: Books, account: Account) -> None:
        self._books = books
        self.account = account
        self._asked: float | None = None

    def read(self, patience: float) -> bool:
        """Have it read, and wait for it as long as that; True when it was."""
        return self._books.read(self).wait(patience)

    def spent(self, now: float) -> Decimal | None:
        """What is certain; None when only this process can tell. `now` is the instant by which limits run."""
        if self._asked is None:
            self._asked = now
        elif not 0.0 <= now - self._asked < READ_EVERY:
            self._asked = now
            self._books.read(self)
        return self.account.spent()

    def words(self, by_books: bool) -> str:
        """Who counted: `by_books` when `spent` told an amount."""
        problem = self._books.problem
        if not by_books:
            return f"{ALONE}: the ledger " + (f"cannot be read ({problem})" if problem else "was not read yet")
        if problem:
            return f"by the ledger until it could not be read ({problem}), and by this process since"
        unsure = self.account.unsure()
        return "by the ledger" + (f", and up to {unsure:.2f} more is not certain" if unsure else "")


def keeps(observer: Any) -> bool:
    """Whether it keeps books."""
    return callable(getattr(observer, "account", None))


def findings(config: LlmConfig, observers: Sequence[Any]) -> Iterator[Finding]:
    """What `byollm check` says of agreements: those that nobody keeps books of, and those that never end."""
    own = [task for tenant in config.tenants.values() for task in tenant.tasks.values()]
    booked = any(map(keeps, observers))
    for task in [*config.tasks.values(), *own]:
        policy = task.policy
        if isinstance(policy, Prefer) and policy.amount is not None:
            yield from _of(task, policy, config, booked)


def _of(task: TaskConfig, policy: Prefer, config: LlmConfig, booked: bool) -> Iterator[Finding]:
    if not booked:
        sentence = f"the agreement of `{name(task.name)}` counts what one process spent, from its start"
        mend = "observers: [{name: ledger, path: usage.db}] counts all of them (byollm-ledger)"
        yield Finding("warning", task.where, sentence, mend)
    pricing = config.deployments[policy.first].pricing
    priced = pricing.get("currency", "USD") if pricing else policy.currency
    if priced != policy.currency:
        sentence = f"the agreement of `{name(task.name)}` is in {policy.currency}, and never used up:"
        sentence += f" `{name(policy.first)}` is priced in {priced}"
        yield Finding("warning", task.where, sentence, f"currency: {priced}")
