"""What the files say, as lists: sellers, a seller's models, and the rows of one model on one day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any, Final

from byollm_prices.rows import NAMES, Row
from byollm_prices.source import SELLERS, index, shipped
from byollm_prices.table import Conditions, Model, Table

ALIASES: Final = {**SELLERS, "gemini": "google", "aws_bedrock": "bedrock"}
"""Names of providers whose prices stand under another one."""

Reader = Callable[[str], Table | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. None: any. `at`: rows that hold then; None: those of all times."""

    at: datetime | None = None
    tier: str | None = None
    batch: bool | None = None
    region: str | None = None
    input_tokens: int | None = None

    def wants(self, row: Row) -> bool:
        """Whether a row is one of those."""
        return (
            (self.at is None or row.holds_at(self.at))
            and (self.tier is None or row.tier == self.tier)
            and (self.batch is None or row.batch == self.batch)
            and (self.region is None or row.region in (None, self.region))
            and (self.input_tokens is None or row.holds_for(self.input_tokens))
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """One row under its seller and its model. `row` None: the seller sells the model, and nobody knows its price."""

    seller: str
    model: str
    row: Row | None
    taken: str


def seller_of(provider: str) -> str | None:
    """The seller whose file has a provider's prices; None when there is none."""
    name = ALIASES.get(provider, provider)
    return name if name in index()["sellers"] else None


def sellers(reader: Reader = shipped) -> Iterator[tuple[str, str, Table]]:
    """Every seller: its name, what it is called, its prices."""
    for name, title in index()["sellers"].items():
        table = reader(name)
        if table is not None:
            yield name, title, table


def find(model: str, seller: str | None, asked: Asked, reader: Reader = shipped) -> list[Listed]:
    """The rows of a model at one seller or (None) at all; empty when nobody lists the model."""
    found: list[Listed] = []
    for name in [seller] if seller else list(index()["sellers"]):
        for table in _tables(name, reader):
            listed = table.model(model)
            if listed is not None:
                found += _rows(name, table, listed, model, asked)
                break
    return found


def models(table: Table, asked: Asked) -> list[Listed]:
    """Every model of a seller with the rows that are asked for."""
    return [item for listed in table.models for item in _rows(table.seller, table, listed, listed.name, asked)]


def nearest(model: str, seller: str | None, reader: Reader = shipped) -> list[str]:
    """Up to three names that somebody lists and that look like it, as `seller/model`."""
    names = {
        f"{name}/{listed.name}": listed.name.lower()
        for name in ([seller] if seller else list(index()["sellers"]))
        for table in _tables(name, reader)
        for listed in table.models
    }
    close = get_close_matches(model.lower(), sorted(set(names.values())), n=3, cutoff=0.5)
    return [next(full for full, name in names.items() if name == one) for one in close]


def _tables(seller: str, reader: Reader) -> Iterator[Table]:
    """A seller's prices, and those of the sellers whose prices it takes."""
    table = reader(seller)
    for name in (seller, *(table.same_as if table is not None else ())):
        found = reader(name)
        if found is not None:
            yield found


def _rows(seller: str, table: Table, listed: Model, name: str, asked: Asked) -> Iterator[Listed]:
    rows: Iterable[Row] = listed.rows
    if asked.region is not None:
        kinds = dict.fromkeys((row.tier, row.batch) for row in listed.rows)
        rows = [row for tier, batch in kinds for row in table.candidates(name, tier, batch, asked.region)]
    kept = [row for row in rows if asked.wants(row)]
    for row in kept:
        yield Listed(seller, listed.name, None if row.rates is None else row, table.taken)
    if not kept and not (asked.tier or asked.batch):
        yield Listed(seller, listed.name, None, table.taken)


def instant(text: str) -> datetime:
    """A day (its begin in UTC) or an instant with its offset. Raises ValueError for anything else."""
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    found = datetime.fromisoformat(text)
    Conditions(at=found)  # an instant without a time zone is refused there
    return found


def plain(listed: Listed) -> dict[str, Any]:
    """As JSON data. `rates` None: unknown, and not free."""
    row = listed.row
    told: dict[str, Any] = {"seller": listed.seller, "model": listed.model, "taken": listed.taken, "rates": None}
    if row is None or row.rates is None:
        return told
    rates = {name: str(value) for name in NAMES if (value := getattr(row.rates, name)) is not None}
    return {
        **told,
        "tier": row.tier,
        "batch": row.batch,
        "region": row.region,
        "from": row.since.isoformat() if row.since else None,
        "until": row.until.isoformat() if row.until else None,
        "hours": {"zone": row.hours.zone, "spans": row.hours.words()} if row.hours else None,
        "above": row.above,
        "up_to": row.up_to,
        "currency": row.currency,
        "rates": rates,
        "source": row.source,
    }


def lines(found: Sequence[Listed]) -> list[list[str]]:
    """As cells: seller, model, conditions, input, cached, output, other rates, currency, validity."""
    return [_cells(listed) for listed in found]


def _cells(listed: Listed) -> list[str]:
    row = listed.row
    if row is None or row.rates is None:
        return [listed.seller, listed.model, "", "unknown", "", "", "", "", ""]
    rates = row.rates
    others = [name for name in NAMES if name not in ("input", "output", "cached")]
    more = ", ".join(f"{name} {value}" for name in others if (value := getattr(rates, name)) is not None)
    cached = "" if rates.cached is None else str(rates.cached)
    return [
        listed.seller, listed.model, _conditions(row), str(rates.input), cached, str(rates.output), more, row.currency,
        _validity(row),
    ]  # fmt: skip


def _conditions(row: Row) -> str:
    words = [] if row.tier == "standard" else [row.tier]
    words += ["batch"] if row.batch else []
    words += [f"in {row.region}"] if row.region else []
    words += [f"> {row.above:,}"] if row.above is not None else []
    words += [f"≤ {row.up_to:,}"] if row.up_to is not None else []
    words += [f"{', '.join(row.hours.words())} {row.hours.zone}"] if row.hours else []
    return " ".join(words)


def _validity(row: Row) -> str:
    words = [f"from {row.since:%Y-%m-%d}"] if row.since else []
    return " ".join([*words, f"until {row.until:%Y-%m-%d}"] if row.until else words)
