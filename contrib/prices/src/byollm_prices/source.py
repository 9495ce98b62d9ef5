"""The entry point: what an answer cost by the files of this package. Nothing is read before the first question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import localcontext
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

from byollm.plugin import Cost, Sale, Usage, parse_json
from byollm_prices.billed import billed, served
from byollm_prices.errors import UsageError
from byollm_prices.money import EXACT, Money
from byollm_prices.rows import Row
from byollm_prices.table import Table, fitting, read_table

SELLERS: Final = {"vertex": "google", "azure_openai": "azure"}
"""Providers whose prices stand in another one's file."""
_OPENAI_REGION: Final = re.compile(r"(?:([a-z]{2})\.)?api\.openai\.com")

Reader = Callable[[str], Table | None]


class PriceBook:
    """Prices by seller, each file read when it is first needed. `reader` answers a seller's name with its table.

    `hosts`: which seller is reached there, for providers that are nobody in particular (`custom`).
    """

    def __init__(self, reader: Reader | None = None, hosts: Mapping[str, str] | None = None) -> None:
        self._read = reader or shipped
        self._hosts = hosts
        self._candidates: dict[tuple[object, ...], tuple[Row, ...]] = {}

    def cost(self, sale: Sale) -> Cost | None:
        """What the answer cost; None when its price, its usage or its seller is not known. Never a guess, never zero.

        Raises PriceFileError when the seller's file is broken.
        """
        rows = self._rows(sale)
        if not rows:  # most often: nobody knows the seller, and then nothing need be counted
            return None
        try:
            counts = billed(sale.usage)
        except UsageError:
            return None  # the vendor's own numbers contradict each other: whatever it will bill, we do not know it
        if counts is None:
            return None
        row = fitting(rows, datetime.fromtimestamp(sale.at, UTC), counts.input)
        if row is None or row.rates is None:
            return None
        with localcontext(EXACT):
            return Cost(counts.charge(row.rates), row.currency, row.source)

    def row(self, sale: Sale) -> Row | None:
        """The row that prices a sale; None when there is none, or when its usage is not known.

        Raises UsageError for counts that no request can have, PriceFileError when the seller's file is broken.
        """
        counts = billed(sale.usage)
        return None if counts is None else fitting(self._rows(sale), datetime.fromtimestamp(sale.at, UTC), counts.input)

    def _rows(self, sale: Sale) -> tuple[Row, ...]:
        """The rows of the model that was bought, of the tier that was served: looked up once for each kind of sale."""
        told = served(sale.usage)
        if told is None:
            return ()
        target = sale.target
        base = target.options.get("base_model")
        place = _geography(sale.usage) if sale.usage.details else None
        key = (target.provider, target.endpoint, target.model, target.region, base, sale.answered, place, told)
        rows = self._candidates.get(key)
        if rows is None:
            if len(self._candidates) > 10_000:  # names come from answers: a server may invent them for ever
                self._candidates.clear()
            rows = self._candidates[key] = self._looked_up(sale, *told)
        return rows

    def _looked_up(self, sale: Sale, tier: str, batch: bool) -> tuple[Row, ...]:
        """The rows of the first name that the seller, or one whose prices it takes, knows."""
        table = self.table_of(sale)
        if table is None:
            return ()
        tables = [found for found in (table, *map(self._read, table.same_as)) if found is not None]
        for name in names_of(sale):
            for found in tables:
                if found.model(name) is not None:
                    return found.candidates(name, tier, batch, region_of(sale, name))
        return ()

    def table_of(self, sale: Sale) -> Table | None:
        """The prices of whoever is behind the endpoint; None when nobody knows who that is."""
        host = (urlsplit(sale.target.endpoint).hostname or "").rstrip(".")
        provider = sale.target.provider
        table = self._read(SELLERS.get(provider, provider))
        if table is not None and _lies_in(host, table.hosts):
            return table
        hosts = index()["hosts"] if self._hosts is None else self._hosts
        seller = next((seller for known, seller in hosts.items() if _lies_in(host, (known,))), None)
        return self._read(seller) if seller is not None else None


def names_of(sale: Sale) -> list[str]:
    """What the model may be called, surest first.

    An Azure deployment's own name says nothing, and `-latest` moves: there the answer's word goes first.
    """
    asked, answered, base = sale.target.model, sale.answered, sale.target.options.get("base_model")
    moving = sale.target.provider == "azure" or asked.endswith("latest")
    order = (base, answered, asked) if moving else (asked, answered)
    return [str(name) for name in dict.fromkeys(order) if name]


def region_of(sale: Sale, name: str) -> str | None:
    """Where it was processed, in the words of the seller's file; None when that makes no difference.

    OpenAI says it in the host name, Bedrock in the inference profile, Anthropic in the answer, Vertex in the file.
    """
    provider = sale.target.provider
    if provider == "bedrock":
        return "global" if re.search(r"(?:^|/)global\.", name) else "regional"
    if provider == "vertex":
        return sale.target.region
    if provider == "anthropic":
        return _geography(sale.usage)
    found = _OPENAI_REGION.fullmatch(urlsplit(sale.target.endpoint).hostname or "")
    return found[1] if found else None


def money(cost: Cost) -> Money:
    """A cost as an amount with its currency, for sums that mind it."""
    return Money(cost.amount, cost.currency)


@cache
def shipped(seller: str) -> Table | None:
    """A seller's table of this package, or None. Raises PriceFileError when the file is broken."""
    if seller not in index()["sellers"]:
        return None
    file = files("byollm_prices") / "data" / f"{seller}.json"
    return read_table(file.read_bytes(), f"byollm_prices/data/{seller}.json")


@cache
def index() -> Mapping[str, Mapping[str, str]]:
    """`sellers`: the name of each and what it is called; `hosts`: who is behind which host."""
    told: Mapping[str, Mapping[str, str]] = parse_json((files("byollm_prices") / "data" / "index.json").read_bytes())
    return told


def _lies_in(host: str, known: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in known)


def _geography(usage: Usage) -> str | None:
    place = (usage.details or {}).get("inference_geo")
    return place if isinstance(place, str) else None
