"""Hours of the week in a vendor's own time zone: when a price of the day or of the night applies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from itertools import pairwise
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY: Final = 24 * 60
WEEK: Final = 7 * DAY
_SPAN: Final = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? )?(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the week, from Monday 00:00 of `zone`, as sorted pairs of first and last-but-one.

    Written `mon-fri 09:00-12:00` (with no day: all seven). An end of 24:00 is midnight; no span crosses it.
    """

    spans: tuple[tuple[int, int], ...]
    zone: str = "UTC"

    @classmethod
    def read(cls, texts: Iterable[str], zone: str = "UTC") -> Hours:
        """From words. Raises ValueError for what is none, and for a zone that nobody knows."""
        zone_of(zone)
        return cls(_joined(span for text in texts for span in _spans(text)), zone)

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies in one of the spans, by the clock on the vendor's wall."""
        local = instant.astimezone(zone_of(self.zone))
        minute = local.weekday() * DAY + local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.spans)

    def rest(self) -> Hours:
        """All other minutes of the week."""
        edges = [0, *(edge for span in self.spans for edge in span), WEEK]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return Hours(tuple((start, end) for start, end in pairs if start < end), self.zone)

    def words(self) -> list[str]:
        """As they are written in a price file, day by day, equal days in a row together."""
        daily = [
            [(max(s, d), min(e, d + DAY)) for s, e in self.spans if s < d + DAY and e > d] for d in range(0, WEEK, DAY)
        ]
        plain = [[(start - day * DAY, end - day * DAY) for start, end in spans] for day, spans in enumerate(daily)]
        found: list[str] = []
        first = 0
        for day in range(1, 8):
            if day < 7 and plain[day] == plain[first]:
                continue
            days = "" if (first, day) == (0, 7) else f"{_days(first, day - 1)} "
            found += [f"{days}{_clock(start)}-{_clock(end)}" for start, end in plain[first]]
            first = day
        return found


@cache
def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises ValueError when the machine does not know it."""
    if name == "UTC":
        return UTC  # without a look at the machine's zone files, which may be missing
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        pass
    raise ValueError(f"{name!r} is no time zone that this machine knows")


def overlap(several: Sequence[Hours]) -> tuple[int, int] | None:
    """The first minutes that two of them claim, or None."""
    spans = sorted(span for hours in several for span in hours.spans)
    for (_, end), (start, until) in pairwise(spans):
        if start < end:
            return start, min(end, until)
    return None


def missing(several: Sequence[Hours]) -> tuple[int, int] | None:
    """The first minutes of the week that none of them holds, or None."""
    rest = Hours(_joined(span for hours in several for span in hours.spans)).rest().spans
    return rest[0] if rest else None


def minute_words(minute: int) -> str:
    """`mon 09:30`."""
    return f"{DAYS[minute // DAY % 7]} {_clock(minute % DAY)}"


def _days(first: int, last: int) -> str:
    return DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _spans(text: str) -> Iterator[tuple[int, int]]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} are no hours: write `mon-fri 09:00-12:00` or `09:00-12:00`")
    first, last, *clock = found.groups()
    if not {first, last} <= {*DAYS, None}:
        raise ValueError(f"{text!r}: days are {' '.join(DAYS)}")
    begin, end = DAYS.index(first) if first else 0, DAYS.index(last or first) if first else 6
    from_hour, from_minute, to_hour, to_minute = map(int, clock)
    start, stop = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if from_minute > 59 or to_minute > 59 or not 0 <= start < stop <= DAY or begin > end:
        raise ValueError(
            f"{text!r}: hours lie between 00:00 and 24:00 and end after they begin; split them at midnight"
        )
    for day in range(begin, end + 1):
        yield day * DAY + start, day * DAY + stop


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted, neighbours joined, doubles gone."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)
