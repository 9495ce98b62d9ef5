"""A vendor's exported usage (CSV), line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from byollm.plugin import Usage
from byollm_prices import Billed, UsageError, served
from byollm_savings.columns import COUNTS, Cells, Columns, shipped_columns
from byollm_savings.errors import ExportError
from byollm_savings.quotes import Kind
from byollm_savings.recorded import Used

_LARGEST_CELL: Final = 64 * 1024


class Export:
    """A CSV file with its mapping: the given one, else the shipped one whose columns are all there.

    Raises ExportError for a file that cannot be read, and for one whose columns nobody knows. `empty`: lines that hold
    times and nothing else, once it was read.
    """

    def __init__(self, file: str, columns: Columns | None = None) -> None:
        self.file = file
        self._text = _text_of(file)
        self.empty = 0
        header = self._header(columns.delimiter if columns else ",")
        if columns is None:
            columns = next((known for known in shipped_columns().values() if known.fits(header)), None)
            if columns is None:
                raise ExportError(f"{file}: no mapping knows these columns: {', '.join(header[:12])}")
        missing = columns.missing(header)
        if missing:
            raise ExportError(f"{file} has no column {missing[0]!r}; it has {', '.join(header[:12])}")
        self.columns = columns

    def _header(self, delimiter: str) -> list[str]:
        first = next(csv.reader(self._text[:1], delimiter=delimiter), [])
        if not any(first):
            raise ExportError(f"{self.file} is empty: its first line names the columns")
        twice = sorted({name for name in first if first.count(name) > 1})
        if twice:
            raise ExportError(f"{self.file}: two columns are called {twice[0]!r}")
        return first

    def __iter__(self) -> Iterator[Used]:
        """What was used. Raises ExportError with file and line for anything that no vendor can have billed."""
        csv.field_size_limit(_LARGEST_CELL)
        reader = csv.reader(self._text, delimiter=self.columns.delimiter, strict=True)
        header = next(reader)
        rows = self._rows(reader)
        for line, row in rows:
            if not any(row):
                continue
            place = f"{self.file}, line {line}"
            if len(row) != len(header):
                raise ExportError(f"{place}: {len(row)} cells under {len(header)} columns: the line is torn")
            cells = Cells(dict(zip(header, row, strict=True)), self.columns, place)
            if any(cells.text(key) for key in ("model", *COUNTS, "requests")):
                yield self._used(cells)
            else:
                self.empty += 1

    def _rows(self, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
        problem, line = "", 1
        try:
            for row in reader:
                line = reader.line_num  # type: ignore[attr-defined]  # what csv.reader returns has it
                yield line, row
        except csv.Error as error:
            problem = str(error)
        if problem:
            raise ExportError(f"{self.file}, after line {line}: {problem}")

    def _used(self, cells: Cells) -> Used:
        counts = {key: cells.count(key) for key in COUNTS if key in self.columns.columns}
        counts["cache_write"] = counts.get("cache_write", 0) + counts.get("cache_write_1h", 0)
        if self.columns.beside:
            counts["input"] += counts.get("cached", 0) + counts["cache_write"]
        problem = ""
        try:
            billed = Billed(**counts)
        except UsageError as error:
            problem = str(error)
        if problem:
            raise ExportError(f"{cells.place}: {problem}")
        provider, model = cells.text("provider") or self.columns.provider or "", cells.text("model")
        return Used(
            cells.instant("at"), f"{provider}/{model}" if provider and model else None, billed,
            max(1, cells.count("requests")), _kind(cells), cells.amount("cost"), cells.text("currency") or None,
        )  # fmt: skip


def _kind(cells: Cells) -> Kind | None:
    """How it was served; None for a tier that is not sold by token."""
    details = {key: cells.text(key) for key in ("service_tier", "speed") if cells.text(key)}
    told = served(Usage(details=details)) if details else ("standard", False)
    if told is None:
        return None
    tier, batch = told
    return Kind(tier, batch or cells.flag("batch"), cells.text("region") or None)


def _text_of(file: str) -> list[str]:
    problem = ""
    try:
        return Path(file).read_text("utf-8-sig").splitlines(keepends=True)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    raise ExportError(f"{file} {problem}", hint="--usage names a CSV file")
