"""Rows of one model must tile what they claim: no instant, hour or prompt size twice, none left out in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from byollm_prices.errors import HoleError, OverlapError
from byollm_prices.hours import Hours, minute_words, missing, overlap
from byollm_prices.rows import Row

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
_ALWAYS: Final = Hours.read(["00:00-24:00"])


def check(rows: Sequence[Row], place: str) -> None:
    """Raises HoleError or OverlapError, with the place and the first thing that is wrong."""
    kinds: dict[tuple[str, bool, str | None], list[Row]] = {}
    for row in rows:
        kinds.setdefault((row.tier, row.batch, row.region), []).append(row)
    for (tier, batch, region), some in kinds.items():
        if len(some) == 1 and _is_everything(some[0]):
            continue
        words = " ".join(filter(None, [tier, "batch" if batch else None, f"in {region}" if region else None]))
        _check_time(some, f"{place} ({words})")


def _is_everything(row: Row) -> bool:
    return row.hours is None and row.above is None and row.up_to is None


def _check_time(rows: Sequence[Row], place: str) -> None:
    edges = sorted({edge for row in rows for edge in (row.since or FIRST, row.until or LAST)})
    for start, end in pairwise(edges):
        valid = [row for row in rows if (row.since or FIRST) <= start and end <= (row.until or LAST)]
        when = f"{place} from {_day(start)} until {_day(end)}"
        if not valid:
            raise HoleError(f"{when}: no price, though there is one before and after")
        _check_sizes(valid, when)


def _check_sizes(rows: Sequence[Row], place: str) -> None:
    bands: dict[tuple[int, int | None], list[Row]] = {}
    for row in rows:
        bands.setdefault((-1 if row.above is None else row.above, row.up_to), []).append(row)
    reached: int | None = -1
    for (above, up_to), some in sorted(bands.items(), key=lambda item: (item[0][0], item[0][1] or 0)):
        if reached is None or above < reached:
            raise OverlapError(f"{place}: two prices for a prompt of {above + 1} tokens")
        if above > reached:
            raise HoleError(f"{place}: no price for a prompt of {reached + 1} tokens")
        _check_hours(some, place)
        reached = up_to
    if reached is not None:
        raise HoleError(f"{place}: no price for a prompt of {reached + 1} tokens")


def _check_hours(rows: Sequence[Row], place: str) -> None:
    if all(row.hours is None for row in rows):
        if len(rows) > 1:
            raise OverlapError(f"{place}: {len(rows)} prices for the same thing")
        return
    zones = {row.hours.zone for row in rows if row.hours is not None}
    if len(zones) > 1:
        raise OverlapError(f"{place}: hours of {' and '.join(sorted(zones))} cannot be compared: use one zone")
    several = [row.hours or _ALWAYS for row in rows]
    if twice := overlap(several):
        raise OverlapError(f"{place}: two prices at {minute_words(twice[0])}")
    if gap := missing(several):
        raise HoleError(f"{place}: no price at {minute_words(gap[0])}")


def _day(instant: datetime) -> str:
    return {FIRST: "the beginning", LAST: "further notice"}.get(instant, instant.isoformat())
