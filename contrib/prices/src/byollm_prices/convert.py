"""From the wheel of genai-prices to rows: its own code resolves its own rules, instant by instant.

Only the builder imports this. The wheel has prices that begin on a day, prices by the hour, and variants that replace
some rates; here each becomes a row that stands by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from byollm_prices.hours import DAY, Hours

RATES: Final = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cached", "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h", "input_audio_mtok": "input_audio", "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "cached_audio", "input_image_mtok": "input_image", "output_image_mtok": "output_image",
    "cache_image_read_mtok": "cached_image", "input_video_mtok": "input_video", "output_video_mtok": "output_video",
    "output_reasoning_mtok": "reasoning", "web_searches_kcount": "web_search",
}  # fmt: skip
"""The wheel's price keys and our rates."""
LEFT_OUT: Final = frozenset({"storage_searches_kcount"})
"""Fees that no usage of a completion tells: file searches. A model with any other unknown key is not priced at all."""
KINDS: Final[tuple[tuple[dict[str, str], str, bool], ...]] = (
    ({}, "standard", False),
    ({"processing": "batch"}, "standard", True),
    ({"service_tier": "flex"}, "flex", False),
    ({"service_tier": "priority"}, "priority", False),
    ({"service_tier": "fast"}, "fast", False),
    ({"speed": "fast"}, "fast", False),
)
"""The wheel's request contexts, our tier, and whether it is a batch."""
_CLAUSES: Final = {"starts_with": "^", "ends_with": "$", "contains": "*", "equals": "=", "regex": "~"}

Told = dict[str, Any]


def patterns(clause: Any) -> list[Any]:
    """The wheel's match logic in our notation: a list of alternatives."""
    for name, sign in _CLAUSES.items():
        if hasattr(clause, name):
            text = str(getattr(clause, name))
            return [sign + (text if sign == "~" else text.lower())]
    if hasattr(clause, "or_"):
        return [pattern for inner in clause.or_ for pattern in patterns(inner)]
    # All of several: alternatives within become lists of their own, a single one stands bare.
    inner = [patterns(part) for part in clause.and_]
    return [[found[0] if len(found) == 1 else found for found in inner]]


def rows_of(model: Any, region: str | None) -> list[Told]:
    """All rows of a model of the wheel, in the form of a price file; none when its tokens are not its price."""
    found: list[Told] = []
    for context, tier, batch in KINDS:
        periods = [(start, _bands(model, start, context)) for start in _starts(model)]
        found += _rows(_joined(periods), tier, batch, region)
    return found


def _starts(model: Any) -> list[date | None]:
    """The beginning of time, and each day on which a price of the model or of a variant begins."""
    conditional = model.prices if isinstance(model.prices, list) else []
    constraints = [item.constraint for item in (*conditional, *(model.price_variants or ()))]
    return [None, *sorted({item.start_date for item in constraints if hasattr(item, "start_date")})]


def _bands(model: Any, start: date | None, context: Mapping[str, str]) -> list[Told] | None:
    """The bands of hours and sizes in the period that begins at `start`; None when there is no price of that kind."""
    day = start or min((found for found in _starts(model) if found), default=date(2026, 1, 1)) - timedelta(days=1)
    if context and not _has(model, day, context):
        return None
    by_price: dict[str, tuple[list[Told], list[tuple[int, int]]]] = {}
    cuts = [0, *sorted(_cuts(model)), DAY]
    for first, last in pairwise(cuts):
        instant = datetime.combine(day, time(first // 60, first % 60), UTC)
        sizes = _sizes(model.get_prices(instant, dict(context)))
        if sizes is None:
            return None
        by_price.setdefault(repr(sizes), (sizes, []))[1].append((first, last))
    if len(by_price) == 1:
        return next(iter(by_price.values()))[0]
    return [
        {**size, "hours": [f"{_clock(first)}-{_clock(last)}" for first, last in spans]}
        for sizes, spans in by_price.values()
        for size in sizes
    ]


def _has(model: Any, day: date, context: Mapping[str, str]) -> bool:
    """Whether a variant of that kind changes any rate on that day."""
    instant = datetime.combine(day, time(), UTC)
    return any(
        variant.when == context
        and vars(variant.prices)
        and (variant.constraint is None or variant.constraint.active(instant))
        for variant in model.price_variants or ()
    )


def _cuts(model: Any) -> set[int]:
    """Minutes of the day at which a price of the model begins or ends."""
    found: set[int] = set()
    for item in model.prices if isinstance(model.prices, list) else ():
        if hasattr(item.constraint, "start_time"):
            for moment in (item.constraint.start_time, item.constraint.end_time):
                utc = datetime.combine(
                    date(2026, 1, 1), moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                ).astimezone(UTC)
                found.add(utc.hour * 60 + utc.minute)
    return found - {0}


def _sizes(price: Any) -> list[Told] | None:
    """Rates by the size of the prompt; None when something beside tokens and searches is billed, or nothing is told."""
    told = {key: value for key, value in vars(price).items() if value is not None and key not in LEFT_OUT}
    if not told.keys() <= RATES.keys() or not {"input_mtok", "output_mtok"} <= told.keys():
        return None
    edges = sorted({tier.start for value in told.values() if hasattr(value, "tiers") for tier in value.tiers})
    found: list[Told] = []
    for above, up_to in zip([None, *edges], [*edges, None], strict=True):
        size = -1 if above is None else above
        rates = {RATES[key]: digits(_at(value, size)) for key, value in told.items()}
        band: Told = {"rates": {name: rates[name] for name in RATES.values() if name in rates}}
        if above is not None:
            band["above"] = above
        if up_to is not None:
            band["up_to"] = up_to
        found.append(band)
    return found


def _at(value: Any, above: int) -> Decimal:
    """A rate for prompts just above a size. The wheel: the highest tier that the prompt is larger than."""
    if not hasattr(value, "tiers"):
        return Decimal(value)
    return Decimal(next((tier.price for tier in reversed(value.tiers) if tier.start <= above), value.base))


def _joined(
    periods: Sequence[tuple[date | None, list[Told] | None]],
) -> Iterator[tuple[date | None, date | None, list[Told]]]:
    """Periods with their ends; neighbours with equal bands are one."""
    ends = [*(start for start, _ in periods[1:]), None]
    open_: tuple[date | None, date | None, list[Told]] | None = None
    for (start, bands), end in zip(periods, ends, strict=True):
        if open_ is not None and bands == open_[2]:
            open_ = open_[0], end, open_[2]
            continue
        if open_ is not None:
            yield open_
        open_ = None if bands is None else (start, end, bands)
    if open_ is not None:
        yield open_


def _rows(
    periods: Iterator[tuple[date | None, date | None, list[Told]]], tier: str, batch: bool, region: str | None
) -> Iterator[Told]:
    for start, end, bands in periods:
        for band in bands:
            row: Told = {}
            if start is not None:
                row["from"] = start.isoformat()
            if end is not None:
                row["until"] = end.isoformat()
            if tier != "standard":
                row["tier"] = tier
            if batch:
                row["batch"] = True
            if region is not None:
                row["region"] = region
            yield {**row, **band, "source": 0}


def with_peaks(rows: list[Told], rule: Mapping[str, Any], source: int) -> list[Told]:
    """Rows whose daily windows are replaced by a vendor's peak hours, as the rule of build.toml says.

    Every row of the wheel with `hours` is taken as either peak (the dearer) or not; before `since` nothing is peak.
    """
    plain, peak = _split(rows)
    since, weekdays = rule["since"], rule["weekdays_since"]
    found: list[Told] = []
    for row in plain:
        found += _cut(row, until=since)
        for start, end, days in ((since, weekdays, ""), (weekdays, None, "mon-fri ")):
            busy = Hours.read([f"{days}{span}" for span in rule["peak"]], rule["zone"])
            for piece in _cut(row, start, end):
                for hours, rates in ((busy.rest(), row["rates"]), (busy, peak)):
                    unknown = "unknown_until" in rule and piece["from"] < rule["unknown_until"]
                    told = None if unknown and hours is busy else rates
                    found.append(
                        {**piece, "hours": hours.words(), "zone": rule["zone"], "rates": told, "source": source}
                    )
    return [{key: row[key] for key in _ORDER if key in row} for row in found]


def withdrawn(rows: list[Told], since: str, source: int) -> list[Told]:
    """Rows that hold until a day, and from then on the knowledge that nobody knows."""
    kinds = {(row.get("tier"), row.get("batch"), row.get("region")): row for row in rows}
    kept = [piece for row in rows for piece in _cut(row, until=since)]
    bare = ("tier", "batch", "region")
    unknown = [{key: row[key] for key in bare if key in row} for row in kinds.values()]
    return [*kept, *({"from": since, **row, "rates": None, "source": source} for row in unknown)]


def short(rows: list[Told], up_to: int, source: int) -> list[Told]:
    """Rows that hold for prompts up to a size, and for longer ones the knowledge that nobody knows."""
    found: list[Told] = []
    for row in rows:
        if "above" in row or "up_to" in row:
            found.append(row)
            continue
        long = {key: value for key, value in row.items() if key not in ("rates", "source")}
        found += [{**row, "up_to": up_to}, {**long, "rates": None, "above": up_to, "source": source}]
    return found


_ORDER: Final = ("from", "until", "tier", "batch", "region", "hours", "zone", "rates", "above", "up_to", "source")


def _split(rows: list[Told]) -> tuple[list[Told], Any]:
    """The off-peak rows without their hours, and the one price of the peak."""
    timed = [row for row in rows if "hours" in row]
    dear = max((row["rates"] for row in timed), key=lambda rates: Decimal(rates["input"]))
    plain = [{key: value for key, value in row.items() if key != "hours"} for row in rows if row["rates"] != dear]
    return plain, dear


def _cut(row: Told, start: str | None = None, until: str | None = None) -> list[Told]:
    """What of a row lies between two days; dates in ISO form compare as strings."""
    first = max(row.get("from", ""), start or "")
    last = min(row.get("until", "9999"), until or "9999")
    if (first or "0") >= last:
        return []
    found = {key: value for key, value in row.items() if key not in ("from", "until")}
    return [{**({"from": first} if first else {}), **({"until": last} if last != "9999" else {}), **found}]


def digits(value: Decimal) -> str:
    """A price without exponent and without zeros that say nothing."""
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
