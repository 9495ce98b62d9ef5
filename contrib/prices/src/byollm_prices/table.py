"""The prices of one seller: a file, read and checked, and the row that fits what was bought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final

from byollm.plugin import parse_json
from byollm_prices.errors import PriceFileError
from byollm_prices.matching import Pattern, check_patterns, dashed, matches
from byollm_prices.money import EXACT
from byollm_prices.rows import NAMES, Rates, Row, amount, read_row
from byollm_prices.tiling import check

FORMAT: Final = 1
_KEYS: Final = {"format", "seller", "taken", "currency", "sources", "models"}
_OPTIONAL: Final = {"same_as", "hosts", "uplifts", "unpriced_regions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What decides on a price beside the model: when, how large a prompt, how and where it was served.

    `at` has a time zone. Raises ValueError for an instant without one.
    """

    at: datetime
    input_tokens: int = 0
    tier: str = "standard"
    batch: bool = False
    region: str | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an instant without a time zone is many instants: give it one")


@dataclass(frozen=True, slots=True)
class Uplift:
    """Models whose tokens cost `factor` times as much in some regions, or in all but some."""

    models: tuple[Pattern, ...]
    factor: Decimal
    regions: frozenset[str]
    but: bool
    source: str

    def holds(self, name: str, region: str | None) -> bool:
        """Whether it applies. A region that is not known is not uplifted."""
        return region is not None and (region in self.regions) != self.but and matches(name, self.models)


@dataclass(frozen=True, slots=True)
class Model:
    """A model's names and rows. No row: it is known not to be priced by its tokens alone."""

    name: str
    patterns: tuple[Pattern, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One seller's prices. `same_as`: sellers whose price it takes for a model it does not list itself.

    `hosts`: where an endpoint of this seller lies. `taken`: the day on which the numbers were read.
    """

    seller: str
    taken: str
    models: tuple[Model, ...]
    same_as: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    uplifts: tuple[Uplift, ...] = ()
    unpriced_regions: frozenset[str] = frozenset()
    _found: dict[str, Model | None] = field(default_factory=dict, repr=False)

    def model(self, name: str) -> Model | None:
        """The first model whose patterns fit the name, whatever its case."""
        plain = name.lower()
        if plain not in self._found:
            if len(self._found) > 10_000:  # names come from answers: a server may invent them for ever
                self._found.clear()
            self._found[plain] = self._first(plain) or self._first(dashed(plain))
        return self._found[plain]

    def _first(self, plain: str) -> Model | None:
        return next((model for model in self.models if matches(plain, model.patterns)), None)

    def row(self, name: str, conditions: Conditions) -> Row | None:
        """The row that prices the model under these conditions, uplift and all; None when nobody knows."""
        rows = self.candidates(name, conditions.tier, conditions.batch, conditions.region)
        return fitting(rows, conditions.at, conditions.input_tokens)

    def candidates(self, name: str, tier: str, batch: bool, region: str | None) -> tuple[Row, ...]:
        """The model's rows of that kind, its very region first; time, hour and size are still to be looked at."""
        model = self.model(name)
        if model is None or region in self.unpriced_regions:
            return ()
        rows = [row for row in model.rows if row.tier == tier and row.batch == batch and row.region in (None, region)]
        rows.sort(key=lambda row: row.region is None)
        return tuple(self._uplifted(row, name.lower(), region) for row in rows)

    def _uplifted(self, row: Row, name: str, region: str | None) -> Row:
        uplift = next((uplift for uplift in self.uplifts if uplift.holds(name, region)), None)
        if uplift is None or row.region is not None or row.rates is None:
            return row
        rates = {key: getattr(row.rates, key) for key in NAMES}
        with localcontext(EXACT):
            raised = {
                key: value if value is None or key == "web_search" else value * uplift.factor
                for key, value in rates.items()
            }
        changed = {name: getattr(row, name) for name in Row.__slots__}
        return Row(**{**changed, "rates": Rates(**raised), "source": f"{row.source}; {uplift.source}"})

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Every model's name with each of its rows."""
        return ((model.name, row) for model in self.models for row in model.rows)


def fitting(rows: Iterable[Row], at: datetime, input_tokens: int) -> Row | None:
    """The first row that holds at that instant for a prompt of that size; None too when nobody knows its price."""
    row = next((row for row in rows if row.holds_for(input_tokens) and row.holds_at(at)), None)
    return None if row is None or row.rates is None else row


def read_table(data: bytes | str | Mapping[str, Any], place: str = "a price file") -> Table:
    """A seller's file. Raises PriceFileError naming the file, the model and what is wrong; HoleError, OverlapError."""
    told = data if isinstance(data, Mapping) else _parsed(data, place)
    if told.get("format") != FORMAT:
        raise PriceFileError(f"{place}: format {told.get('format')!r}; this byollm-prices reads format {FORMAT}")
    wrong = sorted((told.keys() ^ _KEYS) - _OPTIONAL)
    if wrong:
        raise PriceFileError(f"{place}: {wrong[0]!r} is {'missing' if wrong[0] in _KEYS else 'no key of a price file'}")
    return Table(
        told["seller"],
        told["taken"],
        tuple(_model(model, told, place) for model in told["models"]),
        tuple(told.get("same_as", ())),
        tuple(told.get("hosts", ())),
        tuple(_uplift(uplift, told["sources"], place) for uplift in told.get("uplifts", ())),
        frozenset(told.get("unpriced_regions", ())),
    )


def _parsed(data: bytes | str, place: str) -> Mapping[str, Any]:
    try:
        told = parse_json(data)
    except ValueError as error:
        problem = f"a price file is JSON: {error}"
    else:
        if isinstance(told, dict):
            return told
        problem = "a price file is a mapping"
    raise PriceFileError(f"{place}: {problem}")


def _model(told: Any, file: Mapping[str, Any], place: str) -> Model:
    if not isinstance(told, dict) or told.keys() != {"model", "match", "rows"}:
        raise PriceFileError(f"{place}: a model has `model`, `match` and `rows`, and nothing else: {told!r:.200}")
    here = f"{place}: {told['model']}"
    check_patterns(told["match"], here)
    rows = [read_row(row, file["sources"], file["currency"], here) for row in told["rows"]]
    check(rows, here)
    return Model(told["model"], tuple(told["match"]), tuple(rows))


def _uplift(told: Mapping[str, Any], sources: list[str], place: str) -> Uplift:
    check_patterns(told.get("models"), f"{place}: uplifts")
    try:
        regions = told.get("in", told.get("not_in"))
        if not regions:
            raise ValueError("an uplift holds `in` some regions, or in all but those `not_in`")
        return Uplift(
            tuple(told["models"]), amount(told["factor"]), frozenset(regions), "not_in" in told, sources[told["source"]]
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        problem = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    raise PriceFileError(f"{place}: uplifts: {problem}")
