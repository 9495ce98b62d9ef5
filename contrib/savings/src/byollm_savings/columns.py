"""Which column of an export holds what: a mapping file in YAML, and how its cells are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Final

from byollm.config.places import Document
from byollm.config.yaml import parse_yaml, read_yaml
from byollm_savings.errors import ExportError

COUNTS: Final = (
    "input", "output", "cached", "cache_write", "cache_write_1h", "web_search", "input_audio", "output_audio",
    "reasoning",
)  # fmt: skip
_FIELDS: Final = frozenset(
    {*COUNTS, "at", "provider", "model", "requests", "batch", "service_tier", "speed", "region", "cost", "currency"}
)
_KEYS: Final = frozenset({"export", "provider", "input", "columns", "optional", "delimiter"})
_COUNT: Final = re.compile(r"(-?\d{1,18})(?:\.0+)?")
_YES: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Columns:
    """A mapping. `columns`: field → header; `beside`: cached and written tokens are counted beside the input."""

    export: str
    columns: Mapping[str, str]
    optional: frozenset[str]
    provider: str | None
    beside: bool
    delimiter: str = ","

    def fits(self, header: Sequence[str]) -> bool:
        """Whether a file with this header has every column that must be there."""
        return not self.missing(header)

    def missing(self, header: Sequence[str]) -> list[str]:
        """Columns that must be there and are not."""
        return [name for key, name in self.columns.items() if key not in self.optional and name not in header]


def shipped_columns() -> dict[str, Columns]:
    """The mappings of this package by name, the vendors' before the one for everything else."""
    folder = files("byollm_savings") / "exports"
    texts = {name: (folder / f"{name}.yaml").read_bytes() for name in ("openai", "anthropic", "generic")}
    return {name: _columns(parse_yaml(text, f"{name}.yaml")) for name, text in texts.items()}


def read_columns(file: str) -> Columns:
    """The mapping in a file. Raises ConfigError."""
    return _columns(read_yaml(file, "spec/guides/savings.md has an example"))


def _columns(document: Document) -> Columns:
    told = document.value
    for key in told:
        if key not in _KEYS:
            raise document.error((key,), f"{key!r} is none of {', '.join(sorted(_KEYS))}")
    columns = told.get("columns")
    if not isinstance(columns, dict):
        raise document.error(("columns",), "`columns` says which header holds what: {at: date, model: model, …}")
    for key, header in columns.items():
        if key not in _FIELDS or not isinstance(header, str):
            raise document.error(
                ("columns", key), f"a column is one of {', '.join(sorted(_FIELDS))}, and a header's text"
            )
    for key in ("at", "model", "input", "output"):
        if key not in columns:
            raise document.error(("columns",), f"no column holds `{key}`")
    if "provider" not in columns and not isinstance(told.get("provider"), str):
        raise document.error((), "say `provider: openai`, or which column holds it")
    if told.get("input", "whole") not in ("whole", "rest"):
        raise document.error(("input",), "`input` is `whole` (cached tokens lie in it) or `rest` (they lie beside it)")
    return Columns(
        str(told.get("export", "an export")), columns, frozenset(map(str, told.get("optional", ()))),
        told.get("provider"), told.get("input") == "rest", str(told.get("delimiter", ",")),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one line by the mapping's fields. `place` names file and line in errors."""

    row: Mapping[str, str]
    columns: Columns
    place: str

    def text(self, key: str) -> str:
        """A cell, stripped; empty when the column is not there."""
        return (self.row.get(self.columns.columns.get(key, "")) or "").strip()

    def count(self, key: str) -> int:
        """A number of tokens or requests; an empty cell is none of them. Raises ExportError."""
        text = self.text(key)
        if not text:
            return 0
        found = _COUNT.fullmatch(text)
        if found is None or int(found[1]) < 0:
            raise self.wrong(key, f"{text[:40]!r} is no number of {'requests' if key == 'requests' else 'tokens'}")
        return int(found[1])

    def flag(self, key: str) -> bool:
        """Yes or no. Raises ExportError."""
        answer = _YES.get(self.text(key).lower())
        if answer is None:
            raise self.wrong(key, f"{self.text(key)[:40]!r} is neither true nor false")
        return answer

    def amount(self, key: str) -> Decimal | None:
        """Money; None for an empty cell. Raises ExportError."""
        text = self.text(key)
        if not text:
            return None
        try:
            found = Decimal(text)
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or found < 0:
            raise self.wrong(key, f"{text[:40]!r} is no amount")
        return found

    def instant(self, key: str) -> datetime:
        """A day (its beginning, UTC), an ISO instant (UTC without an offset), or Unix seconds. Raises ExportError."""
        text = self.text(key)
        try:
            if re.fullmatch(r"\d{9,10}(?:\.\d+)?", text):
                return datetime.fromtimestamp(float(text), UTC)
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None:
            raise self.wrong(key, f"{text[:40]!r} is no day and no instant")
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def wrong(self, key: str, message: str) -> ExportError:
        """An error about a cell, with its place."""
        return ExportError(f"{self.place}, {self.columns.columns.get(key, key)}: {message}")
