"""One row of a price file: what tokens cost, and under which conditions that holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from byollm_prices.errors import PriceFileError
from byollm_prices.hours import Hours

TIERS: Final = ("standard", "flex", "priority", "fast")
_ROW_KEYS: Final = frozenset(
    {"from", "until", "tier", "batch", "region", "hours", "zone", "above", "up_to", "rates", "source"}
)


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices per million tokens; `web_search` per thousand searches. None: no price of its own.

    What has no price of its own costs what it is a part of: cached text is input, written text is input, an hour's
    write is a write, sound and pictures are input or output, reasoning is output.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    input_audio: Decimal | None = None
    cached_audio: Decimal | None = None
    output_audio: Decimal | None = None
    input_image: Decimal | None = None
    cached_image: Decimal | None = None
    output_image: Decimal | None = None
    input_video: Decimal | None = None
    output_video: Decimal | None = None
    reasoning: Decimal | None = None
    web_search: Decimal | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Rates:
        """From a file's strings. Raises ValueError for an unknown name, a missing one, or what is no amount."""
        unknown = sorted(told.keys() - set(NAMES))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no rate; rates are {', '.join(NAMES)}")
        if "input" not in told or "output" not in told:
            raise ValueError("a row wants the rates `input` and `output`")
        return cls(**{name: amount(value) for name, value in told.items()})


NAMES: Final = tuple(item.name for item in fields(Rates))


@dataclass(frozen=True, slots=True)
class Row:
    """`since` ≤ instant < `until`; more than `above` input tokens and at most `up_to`; None is no bound.

    `tier` is the word of TIERS that was served, `batch` a batch API, `region` the place of the processing (None: any
    that no other row names), `hours` when in the week (None: always). `source` says where the numbers come from.
    `rates` None: it is known that nobody knows.
    """

    rates: Rates | None
    since: datetime | None = None
    until: datetime | None = None
    tier: str = "standard"
    batch: bool = False
    region: str | None = None
    hours: Hours | None = None
    above: int | None = None
    up_to: int | None = None
    currency: str = "USD"
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(f"a price that ends on {self.until} cannot begin on {self.since}")
        if self.above is not None and self.up_to is not None and self.above >= self.up_to:
            raise ValueError(f"no prompt has more than {self.above} and at most {self.up_to} tokens")

    def holds_at(self, instant: datetime) -> bool:
        """Whether it is valid at that instant and hour."""
        after = self.since is None or self.since <= instant
        return (
            after and (self.until is None or instant < self.until) and (self.hours is None or self.hours.holds(instant))
        )

    def holds_for(self, input_tokens: int) -> bool:
        """Whether it prices prompts of that size."""
        return (self.above is None or input_tokens > self.above) and (self.up_to is None or input_tokens <= self.up_to)


def read_row(told: Mapping[str, Any], sources: list[str], currency: str, place: str) -> Row:
    """A row of a file. Raises PriceFileError, with the place, for anything that is none."""
    try:
        unknown = sorted(told.keys() - _ROW_KEYS)
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no key of a row; keys are {', '.join(sorted(_ROW_KEYS))}")
        tier = told.get("tier", "standard")
        if tier not in TIERS:
            raise ValueError(f"{tier!r} is no tier; tiers are {', '.join(TIERS)}")
        hours = told.get("hours")
        return Row(
            Rates.read(told["rates"]) if told["rates"] is not None else None,
            instant_of(told.get("from")),
            instant_of(told.get("until")),
            tier,
            bool(told.get("batch", False)),
            told.get("region"),
            Hours.read(hours, told.get("zone", "UTC")) if hours is not None else None,
            told.get("above"),
            told.get("up_to"),
            currency,
            sources[told["source"]],
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        problem = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    raise PriceFileError(f"{place}: {problem}")


def amount(value: Any) -> Decimal:
    """A price: a string of digits, at least 0. Raises ValueError; floats are none, because 0.1 is not a tenth."""
    try:
        found = Decimal(value) if isinstance(value, str | Decimal) else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise ValueError(f"{value!r} is no price: write a number of at least 0 in quotes")
    return found


def instant_of(text: str | None) -> datetime | None:
    """A date (midnight UTC) or an ISO instant with its offset. Raises ValueError for an instant of nowhere."""
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    if len(text) == 10:
        return instant.replace(tzinfo=UTC)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} lacks its offset from UTC")
    return instant
