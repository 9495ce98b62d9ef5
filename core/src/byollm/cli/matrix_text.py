"""The matrix on a terminal: a mark for each cell, as many columns a block as fit, the models named below."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from byollm.cli.matrix_cells import STATES, Column
from byollm.cli.matrix_features import ADAPTED, CLAMPED, CONTRACT, FEATURES, REFUSED, UNKNOWN, WORKS, Feature

MARKS: Final = {"works": "●", "adapted": "◐", "refused": "○", "unknown": "?"}
PLAIN: Final = {"works": "#", "adapted": "~", "refused": "-", "unknown": "?"}
"""Where the output cannot show circles."""
_CHECKS: Final = 16


def lines(columns: Sequence[Column], width: int | None = None) -> Iterator[str]:
    """The text; `width` is the terminal's when not given, and at least 60."""
    width = max(60, width or shutil.get_terminal_size((80, 24)).columns)
    asked = [column for column in columns if column.cells]
    titles = max(len(feature.title) for feature in FEATURES)
    room = max(1, (width - titles - 2 - _CHECKS) // 3)
    for start in range(0, len(asked), room):
        yield from _block(asked[start : start + room], start + 1, titles)
        yield ""
    for number, column in enumerate(asked, 1):
        yield f"{number:>3}  {column.title}{f' ({column.api})' if column.api else ''}: {_numbers(column)}"
    for column in columns:
        if column.problem:
            yield f"  -  {column.title}: {column.problem}"
    yield ""
    yield from _legend()


def _marks() -> dict[str, str]:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "".join(MARKS.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return MARKS


def _block(columns: Sequence[Column], first: int, titles: int) -> Iterator[str]:
    marks = _marks()
    numbers = "".join(f"{number:>3}" for number in range(first, first + len(columns)))
    yield f"{'':{titles}}{numbers}  checks"
    group = ""
    for feature in FEATURES:
        if group and feature.group != group:
            yield ""
        group = feature.group
        cells = "".join(f"  {marks[column.cells[feature.name].state]}" for column in columns)
        yield f"{feature.title:{titles}}{cells}  {_checks(feature)}".rstrip()


def _checks(feature: Feature) -> str:
    names = feature.checks or WORKS
    return " ".join(names) if len(names) <= 2 else f"{names[0]} +{len(names) - 1}"


def _numbers(column: Column) -> str:
    window = column.limits.get("context_window")
    states = Counter(cell.state for cell in column.cells.values())
    counts = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    return f"{counts}; window {window or 'unknown'}"


def _legend() -> Iterator[str]:
    told = {
        "works": (WORKS, "sent as asked; the checks of its row hold, too"),
        "adapted": ((*ADAPTED, *CLAMPED), "mapped or left out; reply.adjustments says so"),
        "refused": ((*REFUSED, *CONTRACT), "UnsupportedFeatureError before any byte leaves"),
        "unknown": (UNKNOWN, "nobody said; it is sent as it stands"),
    }
    for state, (checks, words) in told.items():
        yield f"{_marks()[state]} {state}: {words} ({' '.join(checks)})"
    yield "Every cell's reason and checks: --json, --html. `byollm conform NAME` runs the checks."
