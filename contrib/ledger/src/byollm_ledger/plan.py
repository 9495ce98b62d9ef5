"""What a budget thinks of one call: who may be asked, what that can cost, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from byollm_ledger.accounts import Account, Balance
from byollm_ledger.errors import BudgetExceededError
from byollm_ledger.row import from_pico, to_pico


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What `on_warning` is told: an account came near its limit (`reached` false) or to it. Amounts of `currency`."""

    budget: str
    scope: str
    period: str
    limit: Decimal
    taken: Decimal
    currency: str
    reached: bool

    def __str__(self) -> str:
        who = f" {self.scope}" if self.scope != "{}" else ""
        what = "has reached" if self.reached else "comes near"
        return (
            f"budget {self.budget}{who} {what} its limit: {self.taken} of {self.limit} {self.currency} in {self.period}"
        )


class Refused(NamedTuple):
    """Why a candidate is left out, and by which account."""

    why: str
    account: Account
    amount: int | None
    state: Balance


@dataclass(slots=True)
class Plan:
    """What a call may do: `kept` candidates, the most each can cost, and what is promised of which account."""

    kept: list[Any]
    most: dict[str, int]
    needed: dict[Account, int]
    accounts: dict[str, list[Account]]
    told: list[Warned]
    refused: dict[str, Refused]
    reserved: bool = False
    given_up: bool = False
    """Whoever asked is gone: an event loop's task that was cancelled while a thread was reserving."""


def spent_of(attempt: Any, account: Account, most: int) -> int:
    """Picos of an attempt; where nobody knows, the most it can have cost."""
    if attempt.billed == "no":
        return 0
    if attempt.cost is not None and attempt.currency == account.limit.currency:
        amount = to_pico(attempt.cost)
        if amount is not None:
            return max(amount, most) if attempt.billed == "unknown" else amount
    return most


def no_room(account: Account, state: Balance, amount: int) -> str:
    """Why an account does not let a candidate in."""
    limit = account.limit
    left = max(0, limit.picos - state.taken)
    return (
        f"the budget {limit.name} has {from_pico(left)} of {limit.amount} {limit.currency} left in {account.period},"
        f" and it may cost {from_pico(amount)}"
    )


def refusal(refused: Mapping[str, Refused], month: Any) -> BudgetExceededError:
    """The error of a call that no account lets through."""
    _, account, amount, state = next(iter(refused.values()))
    limit = account.limit
    unknown = amount is None
    hint = (
        "write its `pricing:` (0 for what costs nothing) in the budget's currency, or `unknown_price: allow`"
        if unknown
        else "raise the limit, wait for the next month, or ask for less with `max_tokens`"
    )
    return BudgetExceededError(
        f"the budget {limit.name} has no room for this call; nothing was sent",
        budget=limit.name,
        scope=account.scope_facts,
        period=account.period,
        limit=limit.amount,
        spent=from_pico(state.spent),
        reserved=from_pico(state.reserved),
        needed=from_pico(amount),
        currency=limit.currency,
        resets_at=month[2],
        skipped={name: each.why for name, each in refused.items()},
        hint=hint,
    )
