"""`Budgets`: middleware around each operation that reserves the most it can cost, and settles what it did cost."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from byollm.errors import ConfigError
from byollm.plugin import Run
from byollm_ledger.accounts import Account, Balance, accounts_of, balance, reserve, settle, warned
from byollm_ledger.address import open_store, resolved
from byollm_ledger.cells import zone_of
from byollm_ledger.errors import LedgerError
from byollm_ledger.estimate import ASSUMED_OUTPUT, Bounds
from byollm_ledger.fold import adopt
from byollm_ledger.forks import leave_alone, watch
from byollm_ledger.journal import Folder
from byollm_ledger.limits import period_of, read_limits
from byollm_ledger.observer import journal_folder
from byollm_ledger.places import Presence
from byollm_ledger.plan import Plan, Refused, Warned, no_room, refusal, spent_of
from byollm_ledger.row import from_pico
from byollm_ledger.store import Store

if TYPE_CHECKING:
    from byollm import Completion
    from byollm.plugin import Call, Request, Steps

log = logging.getLogger("byollm")
_MOST_UNSETTLED: Final = 10_000
_Balances = dict[Account, Balance]


class Budgets:
    """Holds limits by reserving before a call and settling after it; nothing is sent that a hard limit has no room for.

    `path`: the ledger's database (a file, a `postgresql://` address, `env:NAME`), which it may share with the ledger
    and with other processes. `limits`: see `Limit`. `timezone`: whose months. `warn_at`: the share of a limit at which
    the log and `on_warning` are told, once a month. `unknown_price`: `refuse` a deployment whose price nobody knows, or
    whose price is in another currency than a hard limit's, or `allow` it and count it as nothing. `assumed_output`:
    tokens an answer without any limit is thought to have at most. When the database cannot say what is left, a hard
    limit refuses (LedgerError) and a soft one lets go. Raises ConfigError.
    """

    position = "operation"

    def __init__(
        self,
        path: str = "usage.db",
        *,
        limits: Any = (),
        timezone: str = "UTC",
        warn_at: float = 0.8,
        unknown_price: str = "refuse",
        assumed_output: int = ASSUMED_OUTPUT,
        journals: str | None = None,
        on_warning: Callable[[Warned], None] | None = None,
    ) -> None:
        self.path = resolved(path)
        self.limits = read_limits(limits)
        self.zone = zone_of(timezone)
        if isinstance(warn_at, bool) or not isinstance(warn_at, int | float) or not 0 < warn_at <= 1:
            raise ConfigError(f"budgets: `warn_at` is a share above 0 and at most 1, not {warn_at!r}")
        if unknown_price not in ("refuse", "allow"):
            raise ConfigError(f"budgets: `unknown_price` is refuse or allow, not {unknown_price!r}")
        self.warn_at = warn_at
        self.unknown_price = unknown_price
        self.on_warning = on_warning
        self._bounds = Bounds(assumed_output)
        self._presence = Presence(Folder(Path(journal_folder(self.path, journals))))
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._active = 0
        self._unsettled: deque[tuple[str, list[tuple[Account, int]]]] = deque(maxlen=_MOST_UNSETTLED)
        watch(self)

    def after_fork(self) -> None:
        """The parent's promises are the parent's to keep."""
        self._presence.after_fork()
        if self._store is not None:
            leave_alone(self._store)
        self._lock, self._store, self._active = threading.Lock(), None, 0
        self._unsettled.clear()

    def around(self, call: Call, request: Request, next: Callable[[Request], Steps[Completion]]) -> Steps[Completion]:
        """Reserve, let it go on, settle. Raises BudgetExceededError before anything is sent, LedgerError when the
        database cannot say."""
        if not call.candidates:  # only counted
            return (yield from next(request))
        plan = Plan([], {}, {}, {}, [], {})
        try:
            yield Run(lambda: self._planned(call, request, plan))
        except GeneratorExit:
            with self._lock:
                plan.given_up = True
            self._settle(call, plan)
            raise
        self._tell(plan.told)
        call.candidates = plan.kept
        try:
            completion = yield from next(request)
        except GeneratorExit:
            self._settle(call, plan)
            raise
        except BaseException:
            yield Run(lambda: self._settle(call, plan))
            raise
        yield Run(lambda: self._settle(call, plan))
        return completion

    def left_out(self, call: Call, request: Request) -> dict[str, str]:
        """Which candidates a call could not be let go to now, and why; nothing is reserved. For `explain`."""
        plan = Plan([], {}, {}, {}, [], {})
        now = call.clock.time()
        self._counted(call, period_of(now, self.zone), plan)
        if any(plan.accounts.values()):
            store = self._opened()
            with store.transaction():
                self._weighed(store, call, request, now, plan)
        return {name: each.why for name, each in plan.refused.items()}

    def close(self) -> None:
        """Let the database go. May be used again afterwards."""
        with self._lock:
            self._pay(self._store)
            if self._store is not None and not self._unsettled and not self._active:
                self._store.close()
                self._store = None
                self._presence.leave()

    def _opened(self) -> Store:
        with self._lock:
            if self._store is None or not self._store.still_there():
                store = open_store(self.path)
                adopt(store, self._presence.folder)
                self._store = store
            self._pay(self._store)
            return self._store

    def _planned(self, call: Call, request: Request, plan: Plan) -> None:
        now = call.clock.time()
        month = period_of(now, self.zone)
        self._counted(call, month, plan)
        if not any(plan.accounts.values()):
            plan.kept = list(call.candidates)
            return
        try:
            self._reserved(call, request, now, plan)
        except LedgerError as error:
            if not all(account.limit.soft for accounts in plan.accounts.values() for account in accounts):
                raise
            log.warning("budgets: soft limits cannot be looked at (%s)", error.message)
            plan.kept, plan.needed = list(call.candidates), {}
        if not plan.kept:
            raise refusal(plan.refused, month)
        call.skipped |= {name: each.why for name, each in plan.refused.items()}
        with self._lock:
            plan.reserved = bool(plan.needed)
            self._active += plan.reserved
            gone = plan.given_up
        if gone:
            self._settle(call, plan)

    def _counted(self, call: Call, month: tuple[str, float, float], plan: Plan) -> None:
        for line in call.candidates:
            plan.accounts[line.name] = accounts_of(self.limits, call.tenant, call.task, line.provider, month)

    def _reserved(self, call: Call, request: Request, now: float, plan: Plan) -> None:
        store = self._opened()
        process = self._presence.name()
        with store.transaction():
            balances = self._weighed(store, call, request, now, plan)
            if plan.kept:
                reserve(store, call.id, process, plan.needed.items())
                plan.told = self._near(store, plan, balances)

    def _weighed(self, store: Store, call: Call, request: Request, now: float, plan: Plan) -> dict[Account, Balance]:
        keys = {account for accounts in plan.accounts.values() for account in accounts}
        balances = {account: balance(store, account) for account in sorted(keys, key=lambda item: item.key)}
        for line in call.candidates:
            self._weigh(line, request, now, plan, balances)
        return balances

    def _weigh(self, line: Any, request: Request, now: float, plan: Plan, balances: dict[Account, Balance]) -> None:
        """Take a candidate in, when there is room for it beside those that are in already: each may cost its most."""
        most = self._bounds.most(line, request, now)
        accounts = plan.accounts[line.name]
        for account in accounts:
            limit = account.limit
            if limit.soft:
                continue
            known = most is not None and most[1] == limit.currency
            if not known and self.unknown_price == "refuse":
                why = "nobody knows its price" if most is None else f"its price is in {most[1]}"
                why = f"{why}, and the budget {limit.name} is a hard one in {limit.currency}"
                plan.refused[line.name] = Refused(why, account, None, balances[account])
                return
            amount = most[0] if known and most is not None else 0
            if balances[account].taken + plan.needed.get(account, 0) + amount > limit.picos:
                why = no_room(account, balances[account], amount)
                plan.refused[line.name] = Refused(why, account, amount, balances[account])
                return
        for account in accounts:
            amount = most[0] if most is not None and most[1] == account.limit.currency else 0
            plan.needed[account] = plan.needed.get(account, 0) + amount
        plan.most[line.name] = most[0] if most is not None else 0
        plan.kept.append(line)

    def _near(self, store: Store, plan: Plan, balances: dict[Account, Balance]) -> list[Warned]:
        found = []
        for account, amount in plan.needed.items():
            state, limit = balances[account], account.limit
            taken = state.taken + amount
            level = 2 if taken >= limit.picos else 1 if taken >= self.warn_at * limit.picos else 0
            if level > state.warned and warned(store, account, level):
                found.append(
                    Warned(
                        budget=limit.name,
                        scope=account.scope,
                        period=account.period,
                        limit=limit.amount,
                        taken=from_pico(taken) or Decimal(0),
                        currency=limit.currency,
                        reached=level == 2,
                    )
                )
        return found

    def _tell(self, told: Sequence[Warned]) -> None:
        for warning in told:
            log.warning("%s", warning)
            if self.on_warning is not None:
                try:
                    self.on_warning(warning)
                except Exception as error:
                    log.warning("on_warning of the budgets failed (%s)", type(error).__name__)

    def _settle(self, call: Call, plan: Plan) -> None:
        with self._lock:
            reserved, plan.reserved = plan.reserved, False
        if not reserved:
            return
        spent: dict[Account, int] = {}
        for attempt in call.attempts:
            for account in plan.accounts.get(attempt.deployment, ()):
                amount = spent_of(attempt, account, plan.most.get(attempt.deployment, 0))
                spent[account] = spent.get(account, 0) + amount
        with self._lock:
            self._active -= 1
            self._unsettled.append((call.id, list(spent.items())))
            self._pay(self._store)

    def _pay(self, store: Store | None) -> None:
        """What could not be settled stays promised: nobody else gets it."""
        while self._unsettled and store is not None:
            try:
                settle(store, *self._unsettled[0])
            except LedgerError as error:
                log.warning("budgets: a call cannot be settled yet (%s)", error.message)
                return
            self._unsettled.popleft()
