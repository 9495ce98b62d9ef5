"""What to negotiate: for each provider and model the volume, what it costs by the list, what was paid, and what a
discount would save; and for each task the cheapest deployment that its rules allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from byollm.errors import ByollmError
from byollm.plugin import Sale, Target, Usage
from byollm_ledger.cells import Cell, Total, grouped
from byollm_ledger.row import from_pico, rounded

if TYPE_CHECKING:
    from byollm.client import Client

MILLION: Final = Decimal(1_000_000)
DISCOUNTS: Final = (5, 10, 20)


def negotiation(found: Sequence[Cell], config: Any, now: float) -> dict[str, Any]:
    """`models`: a row for each provider, model and currency. `tasks`: a row for each task, model and currency, with the
    cheapest of the deployments that may answer; empty without a configuration."""
    billed = [cell for cell in found if cell.currency]
    models = grouped(billed, lambda cell: (cell.kind.provider, cell.kind.model, cell.currency))
    hosts = {(cell.kind.provider, cell.kind.model): cell.kind.host for cell in billed}
    rows = [_row(key, total, hosts[key[0], key[1]], now) for key, total in models.items()]
    rows.sort(key=lambda row: (row["currency"], -row["paid"], row["provider"], row["model"]))
    return {"models": rows, "tasks": list(_tasks(billed, config, now)) if config is not None else []}


def _row(key: tuple[str, str, str], total: Total, host: str | None, now: float) -> dict[str, Any]:
    provider, model, currency = key
    paid = _paid(total, currency)
    tokens = total["input_tokens"] + total["output_tokens"]
    return {
        "provider": provider,
        "model": model,
        "currency": currency,
        "calls": total["answered"],
        "input_tokens": total["input_tokens"],
        "output_tokens": total["output_tokens"],
        "cached_tokens": total["cached_tokens"],
        "paid": paid,
        "list_cost": _list_cost(provider, model, host, total, currency, now),
        "paid_per_million_tokens": rounded(paid * MILLION / tokens) if tokens else None,
        "saved_at": {f"{percent}%": rounded(paid * percent / 100) for percent in DISCOUNTS},
    }


def _paid(total: Total, currency: str) -> Decimal:
    both = total.picos.get(currency)
    return (from_pico(both[0]) if both else None) or Decimal(0)


def usual(total: Total) -> Usage | None:
    """The mean answered attempt, in whole tokens; None when nobody told any."""
    count = total["answered"]
    if not count or not total["input_tokens"]:
        return None
    names = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens")
    went_in, came_out, cached, written = (round(total[name] / count) for name in names)
    return Usage(went_in, came_out, cached, written)


def _list_cost(provider: str, model: str, host: str | None, total: Total, currency: str, now: float) -> Decimal | None:
    """The same answers at today's prices of the installed price lists: the mean answer, as often. None: not listed."""
    from byollm.providers.prices import prices_for

    usage = usual(total)
    if usage is None:
        return None
    target = Target(provider=provider, model=model, endpoint=f"https://{host}" if host else "")
    found = prices_for(None, None).cost(Sale(target=target, usage=usage, at=now, answered=model))
    if found is None or found.currency != currency:
        return None
    return rounded(found.amount * total["answered"])


def _tasks(billed: Sequence[Cell], config: Any, now: float) -> Iterator[dict[str, Any]]:
    from byollm.client import Client

    with Client(_without_extensions(config)) as client:
        totals = grouped(billed, lambda cell: (cell.kind.task, cell.kind.provider, cell.kind.model, cell.currency))
        for (task, provider, model, currency), total in sorted(totals.items(), key=lambda item: str(item[0])):
            usage = usual(total)
            if usage is None:
                continue
            prices = dict(_priced(client, task, usage, now))
            same = {name: amount for name, (amount, of) in prices.items() if of == currency}
            best = min(same, key=lambda name: same[name], default=None)
            paid = _paid(total, currency)
            there = None if best is None else rounded(same[best] * total["answered"])
            yield {
                "task": task or "–",
                "provider": provider,
                "model": model,
                "currency": currency,
                "calls": total["answered"],
                "paid": paid,
                "cheapest": best,
                "cheapest_cost": there,
                "saved": None if there is None else max(Decimal(0), paid - there),
                "allowed": sorted(prices),
            }


def _priced(client: Client, task: str | None, usage: Usage, now: float) -> Iterator[tuple[str, tuple[Decimal, str]]]:
    """What the mean answer costs at each deployment that the task's rules allow and whose price is known."""
    try:
        lines = client.lines(task, None, None)
    except ByollmError:  # a task that the file does not know any more, or that nobody may answer
        return
    for line in lines:
        cost = line.price_of(usage, now)
        if cost is not None:
            yield line.name, (cost.amount, cost.currency)


def _without_extensions(config: Any) -> Any:
    """The configuration to look at prices with: looking books nothing, so no observer and no middleware is made."""
    from dataclasses import is_dataclass, replace

    from byollm.config.llm_config import load

    found = load(config)
    assert is_dataclass(found)
    return replace(found, observers=(), middleware=())
