"""What can go wrong with the books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from byollm.errors import NoRouteError, PluginError


class LedgerError(PluginError):
    """The ledger cannot be written or read. With `on_failure: block` a call ends with it, and nothing was sent."""


class LedgerFullError(LedgerError):
    """There is no room: the disk is full, or more is waiting than the limits of the ledger allow."""


class LedgerLockedError(LedgerError):
    """Somebody else holds the database for longer than the ledger waits."""


class LedgerGoneError(LedgerError):
    """The database is not there, or cannot be reached."""


class LedgerDamagedError(LedgerError):
    """The database is there and is no ledger, or is damaged."""


class SettledError(LedgerError):
    """A record that is certain already is not settled again, and one that does not exist not at all."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="`byollm usage reconcile` lists what can be settled")


class BudgetExceededError(NoRouteError):
    """A hard limit has no room for this call; nothing was sent.

    `budget` is its name, `scope` what it is counted for (tenant, task, provider), `period` the month. `limit`, `spent`
    and `reserved` are amounts of `currency`; `needed` is the most this call could have cost, None where nobody knows
    its price. `resets_at` is the Unix second at which the next month begins. `skipped` says so of each candidate.
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message, skipped=facts.pop("skipped", None), hint=facts.pop("hint", ""))
        self.budget: str = facts.get("budget", "")
        self.scope: dict[str, str] = dict(facts.get("scope", {}))
        self.period: str = facts.get("period", "")
        self.limit: Decimal | None = facts.get("limit")
        self.spent: Decimal | None = facts.get("spent")
        self.reserved: Decimal | None = facts.get("reserved")
        self.needed: Decimal | None = facts.get("needed")
        self.currency: str = facts.get("currency", "")
        self.resets_at: float | None = facts.get("resets_at")
