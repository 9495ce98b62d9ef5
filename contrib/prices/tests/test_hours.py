"""Hours of the week, by the clock on the vendor's wall."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm_prices.hours import DAY, WEEK, Hours, missing, overlap

PEAK = Hours.read(["mon-fri 09:00-12:00", "mon-fri 14:00-18:00"], "Asia/Shanghai")
SPANS = st.lists(st.tuples(st.integers(0, WEEK - 1), st.integers(1, DAY)), max_size=6)


def hours(spans: list[tuple[int, int]]) -> Hours:
    """Any hours: starts and lengths, cut at the end of the week."""
    minutes = sorted({minute for start, length in spans for minute in range(start, min(start + length, WEEK))})
    found: list[tuple[int, int]] = []
    for minute in minutes:
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + 1)
        else:
            found.append((minute, minute + 1))
    return Hours(tuple(found))


@pytest.mark.parametrize(
    "utc, peak",
    [
        (datetime(2026, 11, 20, 0, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 20, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 20, 4, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 20, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 6, 0, tzinfo=UTC), False),
    ],
    ids=["before nine", "nine sharp", "noon sharp", "two", "Saturday"],
)
def test_the_vendors_own_clock_decides(utc: datetime, peak: bool):
    """An hour of Shanghai is another one of UTC, and its end no longer belongs to it."""
    assert peak == PEAK.holds(utc)


def test_summer_time_moves_the_hours():
    """Nine in Berlin is eight of UTC in winter and seven in summer."""
    nine = Hours.read(["09:00-10:00"], "Europe/Berlin")

    assert nine.holds(datetime(2026, 1, 5, 8, 30, tzinfo=UTC))
    assert not nine.holds(datetime(2026, 7, 6, 8, 30, tzinfo=UTC))
    assert nine.holds(datetime(2026, 7, 6, 7, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9:00-12:00",
        "09:00-09:00",
        "22:00-06:00",
        "09:00-24:30",
        "09:60-10:00",
        "sun-mon 09:00-10:00",
        "xyz 09:00-10:00",
    ],
)
def test_what_are_no_hours_is_refused(text: str):
    """Nothing that could be read in two ways is read."""
    with pytest.raises(ValueError, match=r"hours|days"):
        Hours.read([text])


def test_a_zone_that_nobody_knows_is_refused():
    """A price by the clock of nowhere is no price."""
    with pytest.raises(ValueError, match="'Mars/Olympus' is no time zone"):
        Hours.read(["09:00-12:00"], "Mars/Olympus")


@given(SPANS)
def test_hours_and_the_rest_are_the_week(spans: list[tuple[int, int]]):
    """Nothing twice, nothing missing."""
    some = hours(spans)

    assert overlap([some, some.rest()]) is None
    assert missing([some, some.rest()]) is None


@given(SPANS)
def test_words_are_read_as_they_were_meant(spans: list[tuple[int, int]]):
    """What is written into a file is what comes out of it."""
    some = hours(spans)

    assert some.spans == Hours.read(some.words()).spans
