"""What one attempt adds to its rollup. The same law as `schema.scan`, in Python: a test holds the one to the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

from byollm_ledger.row import PICO
from byollm_ledger.schema import COLUMNS, MEASURES, STEPS

_AT: Final = {name: place for place, name in enumerate(COLUMNS)}
_STEPS: Final = tuple(step * 1000 for step in STEPS)
_KIND, _TIME, _CURRENCY = _AT["kind"], _AT["at"], _AT["currency"]
_CLASSES: Final = len(MEASURES) - len(STEPS) - 1

Cell = tuple[int, int, str]
"""Hour, kind, currency."""


def hour_of(at: float) -> int:
    """Hours since 1970."""
    return int(at // 3600)


def cell_of(row: Sequence[Any]) -> Cell:
    """Where a row (in the order of COLUMNS) is counted."""
    return hour_of(row[_TIME]), row[_KIND], row[_CURRENCY] or ""


def add(totals: dict[Cell, list[int]], row: Sequence[Any], sign: int = 1) -> None:
    """Count a row, or with `sign=-1` take it out again."""
    cell = cell_of(row)
    total = totals.get(cell)
    if total is None:
        total = totals[cell] = [0] * len(MEASURES)
    (_, ordinal, _, _, number, _, billed, _, error, *tokens) = row[:14]
    cost, possible, micros, first = row[14], row[17], row[18], row[19]
    unsure = billed == "unknown" or (billed == "yes" and cost is None)
    total[0] += sign
    if ordinal == 0:
        total[1] += sign
    total[2 if error is None else 3] += sign
    if number is not None and number > 1:
        total[4] += sign
    elif ordinal and number == 1:
        total[5] += sign
    for place, count in enumerate(tokens, 9):
        if count:
            total[place] += sign * count
    if unsure:
        _unsure(total, billed, possible, sign)
    elif billed == "yes":
        whole, pico = divmod(cost, PICO)
        total[14] += sign * whole
        total[15] += sign * pico
    if micros is not None:
        total[18] += sign * micros
        total[19] += sign
        total[_CLASSES + bisect_right(_STEPS, micros)] += sign
    if first is not None:
        total[20] += sign * first
        total[21] += sign


def _unsure(total: list[int], billed: str, possible: int | None, sign: int) -> None:
    total[6] += sign
    if billed == "yes":
        total[7] += sign
    if possible is None:
        total[8] += sign
        return
    whole, pico = divmod(possible, PICO)
    total[16] += sign * whole
    total[17] += sign * pico
