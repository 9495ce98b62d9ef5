"""The accounts of the budgets: what is spent and what is reserved, in one transaction each time.

An account is a limit, whom it is counted for, and a month. What stands reserved counts as spent until it is settled, so
that no two calls are promised the same money, whichever thread, process or machine they run on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from byollm_ledger.limits import Limit, scope_text
from byollm_ledger.row import PICO
from byollm_ledger.store import Store

_OPEN: Final = (
    "INSERT INTO budget (name, scope, period, currency, spent) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (name, scope, period, currency) DO NOTHING"
)
_RESERVE: Final = (
    "INSERT INTO reservation (call, name, scope, period, currency, amount, process) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_THIS: Final = "name = ? AND scope = ? AND period = ? AND currency = ?"


@dataclass(frozen=True, slots=True)
class Account:
    """A limit, whom it is counted for, and a month with its first instant."""

    limit: Limit
    scope: str
    period: str
    begin: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        """As the database names it."""
        return self.limit.name, self.scope, self.period, self.limit.currency

    @property
    def scope_facts(self) -> dict[str, str]:
        """Whom it is counted for, by name."""
        found: dict[str, str] = json.loads(self.scope)
        return found


@dataclass(slots=True)
class Balance:
    """Picos of an account. `warned`: 0 nobody yet, 1 before the wall, 2 at it."""

    spent: int
    reserved: int
    warned: int = 0

    @property
    def taken(self) -> int:
        """What nobody else may be promised."""
        return self.spent + self.reserved


def balance(store: Store, account: Account) -> Balance:
    """The state of an account, opened where it is new. Inside a transaction, until whose end nobody changes it."""
    found = store.rows(f"SELECT spent, warned FROM budget WHERE {_THIS}{store.hold}", account.key)
    if not found:
        store.do(_OPEN, (*account.key, _booked(store, account)))
        found = store.rows(f"SELECT spent, warned FROM budget WHERE {_THIS}{store.hold}", account.key)
    reserved = store.rows(f"SELECT COALESCE(SUM(amount), 0) FROM reservation WHERE {_THIS}", account.key)
    return Balance(int(found[0][0]), int(reserved[0][0]), int(found[0][1]))


def _booked(store: Store, account: Account) -> int:
    """What the ledger booked this month before the limit was there; the uncertain at the most it can be."""
    scope: Mapping[str, str] = json.loads(account.scope)
    named = "".join(f" AND kind.{name} = ?" for name in scope)
    sql = (
        "SELECT COALESCE(SUM(cost_whole + possible_whole), 0), COALESCE(SUM(cost_pico + possible_pico), 0)"
        f" FROM rollup JOIN kind ON kind.id = rollup.kind WHERE hour >= ? AND currency = ?{named}"
    )
    values = (int(account.begin // 3600), account.limit.currency, *scope.values())
    whole, pico = store.rows(sql, values)[0]
    return int(whole) * PICO + int(pico)


def reserve(store: Store, call: str, process: str, needed: Iterable[tuple[Account, int]]) -> None:
    """Promise amounts to a call. Inside the transaction that looked at the balances."""
    store.many(_RESERVE, [(call, *account.key, amount, process) for account, amount in needed])


def settle(store: Store, call: str, spent: Sequence[tuple[Account, int]]) -> None:
    """What was promised to a call is free again, and what it cost is spent: once, however often it is said."""
    with store.transaction():
        if store.do("DELETE FROM reservation WHERE call = ?", (call,)):
            for account, amount in sorted(spent, key=lambda item: item[0].key):
                store.do(f"UPDATE budget SET spent = spent + ? WHERE {_THIS}", (amount, *account.key))


def warned(store: Store, account: Account, level: int) -> bool:
    """Note that somebody was warned; False when somebody was before. Inside a transaction."""
    return store.do(f"UPDATE budget SET warned = ? WHERE {_THIS} AND warned < ?", (level, *account.key, level)) > 0


def abandoned(store: Store, process: str) -> None:
    """A process died with promises: they count as spent, for nobody knows better. Inside a transaction."""
    found = store.rows(
        "SELECT name, scope, period, currency, amount FROM reservation WHERE process = ? ORDER BY 1, 2, 3, 4",
        (process,),
    )
    for *key, amount in found:
        store.do(f"UPDATE budget SET spent = spent + ? WHERE {_THIS}", (amount, *key))
    store.do("DELETE FROM reservation WHERE process = ?", (process,))


def accounts_of(
    limits: Sequence[Limit], tenant: str | None, task: str | None, provider: str, month: tuple[str, float, float]
) -> list[Account]:
    """The accounts that an attempt at a provider is booked to."""
    found = []
    for limit in limits:
        scope = limit.scope(tenant, task, provider)
        if scope is not None:
            found.append(Account(limit, scope_text(scope), month[0], month[1]))
    return found
