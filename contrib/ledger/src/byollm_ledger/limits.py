"""What a budget is: an amount a month, for whom, for what, at whom."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from byollm.errors import ConfigError
from byollm_ledger.row import to_pico

EACH: Final = "*"
SCOPES: Final = ("tenant", "task", "provider")
_KNOWN: Final = {"name", "amount", "currency", "soft", *SCOPES}
_EXAMPLE: Final = "limits: [{tenant: '*', amount: 50, currency: EUR}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`amount` of `currency` in a calendar month. `tenant`, `task`, `provider`: a name, `*` for each its own, None for
    all together. `soft` warns and refuses nothing."""

    name: str
    amount: Decimal
    currency: str = "USD"
    tenant: str | None = None
    task: str | None = None
    provider: str | None = None
    soft: bool = False

    @property
    def picos(self) -> int:
        """The amount as the database counts it."""
        found = to_pico(self.amount)
        assert found is not None
        return found

    def scope(self, tenant: str | None, task: str | None, provider: str) -> dict[str, str] | None:
        """Whose account an attempt is booked to; None when this limit does not mean it."""
        found: dict[str, str] = {}
        for name, wanted, given in (
            ("tenant", self.tenant, tenant), ("task", self.task, task), ("provider", self.provider, provider),
        ):  # fmt: skip
            if wanted is None:
                continue
            if given is None or wanted not in (EACH, given):
                return None
            found[name] = given
        return found


def read_limits(written: Any) -> tuple[Limit, ...]:
    """The limits of a file. Raises ConfigError for whatever is none."""
    if not isinstance(written, Sequence) or isinstance(written, str) or not written:
        raise ConfigError(f"budgets: `limits` is a list of limits, not {written!r}", hint=_EXAMPLE)
    found = tuple(_limit(item) for item in written)
    names = [limit.name for limit in found]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ConfigError(f"budgets: two limits are called {doubled!r}", hint="give each a `name:` of its own")
    return found


def _limit(item: Any) -> Limit:
    if not isinstance(item, Mapping):
        raise ConfigError(f"budgets: a limit is a mapping, not {item!r}", hint=_EXAMPLE)
    unknown = sorted(map(str, item.keys() - _KNOWN))
    if unknown:
        raise ConfigError(f"budgets: a limit has no {unknown[0]!r}", hint=f"it has {', '.join(sorted(_KNOWN))}")
    amount = _amount(item.get("amount"))
    for name in ("name", "currency", *SCOPES):
        if item.get(name) is not None and not (isinstance(item[name], str) and item[name]):
            raise ConfigError(f"budgets: `{name}` is a name, not {item[name]!r}", hint=_EXAMPLE)
    if not isinstance(item.get("soft", False), bool):
        raise ConfigError(f"budgets: `soft` is true or false, not {item['soft']!r}")
    currency = str(item.get("currency", "USD"))
    scopes = {name: item.get(name) for name in SCOPES}
    name = item.get("name") or " ".join(f"{key}={value}" for key, value in scopes.items() if value) or "all"
    return Limit(name=name, amount=amount, currency=currency, soft=item.get("soft", False), **scopes)


def _amount(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0 or to_pico(amount) is None:
        raise ConfigError(f"budgets: `amount` is money a month, at most 9 million, not {value!r}", hint=_EXAMPLE)
    return amount


def scope_text(scope: Mapping[str, str]) -> str:
    """How the database names an account."""
    return json.dumps(scope, sort_keys=True, separators=(",", ":"))


def period_of(now: float, zone: ZoneInfo) -> tuple[str, float, float]:
    """The month, its first instant and the next one's."""
    today = datetime.fromtimestamp(now, zone)
    begin = datetime(today.year, today.month, 1, tzinfo=zone)
    end = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=zone)
    return f"{today:%Y-%m}", begin.timestamp(), end.timestamp()
