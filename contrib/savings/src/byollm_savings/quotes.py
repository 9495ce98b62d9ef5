"""What a model's tokens cost at an instant: the price tables of byollm-prices, asked without any client or endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from byollm.config.targets import split_model
from byollm.errors import ConfigError
from byollm_prices import PriceFileError, Row, Table, read_table, shipped
from byollm_prices.table import fitting
from byollm_savings.errors import UnknownPriceError

_SELLERS: Final = {"vertex": "google", "azure_openai": "azure", "aws_bedrock": "bedrock", "gemini": "google"}
"""Providers whose prices stand in another one's file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides on a price beside the model's name and the instant."""

    tier: str = "standard"
    batch: bool = False
    region: str | None = None


PLAIN: Final = Kind()


@dataclass(frozen=True, slots=True, eq=False)
class Quotes:
    """Prices by provider and model. `tables`: sellers whose shipped table is replaced by one of the user's files."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    _rows: dict[tuple[str, Kind], tuple[Row, ...]] = field(default_factory=dict, repr=False)

    def row(self, model: str, at: datetime, input_tokens: int, kind: Kind = PLAIN) -> Row | None:
        """The row that prices `provider/model`; None when nobody knows.

        Raises ConfigError for a name without a provider, PriceFileError when the seller's file is broken.
        """
        return fitting(self._candidates(model, kind), at, input_tokens)

    def _candidates(self, model: str, kind: Kind) -> tuple[Row, ...]:
        """The rows of that kind of the first table that knows the model."""
        key = (model, kind)
        if key not in self._rows:
            provider, name = provider_and_model(model)
            region = kind.region or _region(provider, name)
            tables = (table for table in self._tables_of(provider) if table.model(name) is not None)
            table = next(tables, None)
            self._rows[key] = () if table is None else table.candidates(name, kind.tier, kind.batch, region)
        return self._rows[key]

    def sizes(self, model: str, at: datetime, kind: Kind = PLAIN) -> list[tuple[int | None, int | None]]:
        """Prompt sizes (more than, at most; None: no bound) that have a price of their own at an instant."""
        kept = [row for row in self._candidates(model, kind) if row.holds_at(at) and row.rates is not None]
        return list(dict.fromkeys((row.above, row.up_to) for row in kept))

    def known(self, model: str, at: datetime, input_tokens: int, kind: Kind = PLAIN) -> Row:
        """The row. Raises UnknownPriceError when there is none."""
        row = self.row(model, at, input_tokens, kind)
        if row is None:
            how = " ".join(["as a batch" if kind.batch else "", kind.tier if kind.tier != "standard" else ""]).strip()
            raise UnknownPriceError(f"nobody knows what {model} costs{' ' + how if how else ''} on {at:%Y-%m-%d}")
        return row

    def _tables_of(self, provider: str) -> list[Table]:
        seller = _SELLERS.get(provider, provider)
        first = self._table(seller)
        if first is None:
            return []
        return [first, *filter(None, map(self._table, first.same_as))]

    def _table(self, seller: str) -> Table | None:
        return self.tables.get(seller) or shipped(seller)


def _region(provider: str, model: str) -> str | None:
    """Bedrock sells a model in its region, and cheaper from anywhere: the name says which."""
    return ("global" if model.startswith("global.") else "regional") if provider == "bedrock" else None


def provider_and_model(model: str) -> tuple[str, str]:
    """Both halves of `provider/model`. Raises ConfigError when one is missing."""
    split = split_model(model)
    if split is None:
        raise ConfigError(f"{model!r} is no provider and its model", hint="for example: openai/gpt-5.4")
    return split


def quotes_of(files: Iterable[str]) -> Quotes:
    """The shipped prices, with the sellers of some price files in place of theirs.

    Raises ConfigError for a file that cannot be read, PriceFileError (HoleError, OverlapError) for one that is none.
    """
    tables: dict[str, Table] = {}
    for file in files:
        table = _table_of(file)
        if table.seller in tables:
            raise ConfigError(f"{file}: there are already prices of {table.seller}", hint="give one file a seller")
        tables[table.seller] = table
    return Quotes(tables)


def _table_of(file: str) -> Table:
    data = _bytes_of(file)
    try:
        return read_table(data, file)
    except PriceFileError as error:
        error.hint = "--prices names a price file: JSON of the form that byollm-prices' README shows"
        raise


def _bytes_of(file: str) -> bytes:
    problem = ""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise ConfigError(f"{file} cannot be read: {problem}", hint="--prices names a price file of byollm-prices")
