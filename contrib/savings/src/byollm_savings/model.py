"""A workload as the data that the calculator page computes with: the same names, its prices among the numbers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from byollm_savings.cost import Costing
from byollm_savings.workload import Approach, Line, Lines, Workload

Values = dict[str, float]


def model(workload: Workload, costing: Costing) -> dict[str, Any]:
    """JSON data. A price becomes a number of its own, named `prices.<model>.input`, so that it can be changed, too.

    Raises PriceFileError for a price file that is none, CurrencyError for prices in another currency.
    """
    values = {name: _plain(value) for name, value in workload.values.items()}
    approaches = [_approach(workload, it, costing, values) for it in workload.approaches.values()]
    return {
        "title": workload.title,
        "source": workload.source.rsplit("/", 1)[-1],
        "at": f"{workload.at:%Y-%m-%d}",
        "currency": workload.currency,
        "values": values,
        "assumptions": {
            name: {"low": _plain(it.low), "high": _plain(it.high), "why": it.why}
            for name, it in workload.assumptions.items()
        },
        "tokens": workload.tokens,
        "documents": workload.documents,
        "revenue": workload.revenue,
        "other_cost": workload.other_cost,
        "periods": [asdict(it) for it in workload.periods.values()],
        "tasks": [asdict(it) for it in workload.tasks.values()],
        "claims": [asdict(it) for it in workload.claims.values()],
        "approaches": approaches,
    }


def _approach(workload: Workload, it: Approach, costing: Costing, values: Values) -> dict[str, Any]:
    at = it.at or workload.at
    return {
        "name": it.name, "what": it.what, "per_document": it.per_document, "per_month": it.per_month,
        "premium": it.premium, "discount": it.discount, "billed_as": it.billed_as,
        "lines": None if it.lines is None else _lines(workload, it.lines, at, costing, values),
        "periods": {
            name: _lines(workload, lines, at, costing, values) for name, lines in (it.periods or {}).items()
        },
    }  # fmt: skip


def _lines(workload: Workload, lines: Lines, at: datetime, costing: Costing, values: Values) -> dict[str, Any]:
    return {task: [_line(workload, line, at, costing, values) for line in several] for task, several in lines.items()}


def _line(workload: Workload, line: Line, at: datetime, costing: Costing, values: Values) -> dict[str, Any]:
    told = {"model": line.model, "share": line.share, "batch": line.batch, "cached": line.cached}
    if line.pricing:
        own = dict(line.pricing)
        band = {"above": None, "up_to": None, **own, "cached": own.get("cached", own["input"])}
        return {**told, "plain": [band], "later": [band]}
    plain = _bands(workload, line, at, costing, values, batch=False)
    return {**told, "plain": plain, "later": _bands(workload, line, at, costing, values, batch=True)}


def _bands(
    workload: Workload, line: Line, at: datetime, costing: Costing, values: Values, *, batch: bool
) -> list[dict[str, Any]]:
    """Every prompt size that has a price of its own at that instant."""
    found = []
    for above, up_to in costing.sizes(line, at, batch):
        rates = costing.rates(workload, line, at, Fraction(1 if above is None else above + 1), batch)
        words = [line.model, f"{at:%Y-%m-%d}" if at != workload.at else "", "batch" if batch else ""]
        words += [line.tier if line.tier != "standard" else "", line.region or "", f"above {above}" if above else ""]
        name = "prices." + " ".join(filter(None, words))
        for key in ("input", "output", "cached"):
            values[f"{name}.{key}"] = _plain(getattr(rates, key))
        found.append(
            {"above": above, "up_to": up_to, **{key: f"{name}.{key}" for key in ("input", "output", "cached")}}
        )
    return found


def _plain(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)
