"""Rows as JSON lines or CSV, for whoever reads them elsewhere."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TextIO

from byollm.cli import show
from byollm.cli.faults import Failed
from byollm_ledger.reading import rows_of
from byollm_ledger.row import Row
from byollm_ledger.store import Store

NAMES: Final = tuple(field.name for field in fields(Row))
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def export(store: Store, options: argparse.Namespace, since: float | None, until: float | None) -> int:
    """Write the rows. 0 done."""
    form = options.format or ("csv" if str(options.output or "").lower().endswith(".csv") else "jsonl")
    count = 0
    with output(options.output, "--output") as file:
        writer = csv.writer(file) if form == "csv" else None
        if writer is not None:
            writer.writerow(NAMES)
        for row in rows_of(store, since, until):
            known = show.plain(row)
            if writer is None:
                file.write(json.dumps(known, ensure_ascii=False, separators=(",", ":")) + "\n")
            else:
                writer.writerow([_cell(known[name]) for name in NAMES])
            count += 1
    if options.output:
        show.note(f"{count} rows written to {options.output}")
    return 0


def _cell(value: Any) -> Any:
    """A cell that a spreadsheet takes for text: names come from callers, and one may look like a formula."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def output(path: str | None, option: str) -> Iterator[TextIO]:
    """A file that `option` names, or standard output. Raises Failed when it cannot be written."""
    if path is None:
        yield sys.stdout
        return
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            yield file
            return
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
    raise Failed(problem, f"{option} names another file, in a folder that is there")
