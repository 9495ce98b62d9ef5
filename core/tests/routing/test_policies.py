"""The policies of a route: pure, total, and each by its own rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.routing.policies import (
    Asked,
    ByRegion,
    Cheapest,
    Failover,
    Fastest,
    Hours,
    OffPeak,
    Option,
    Policy,
    Prefer,
    Spread,
    ordered,
)
from byollm.routing.state import Pace

NAMES = ("a", "b", "c")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Hours(time(22), time(6), BERLIN)


def asked(**changes: Any) -> Asked:
    return Asked(**{"input_tokens": 100, "output_tokens": 50, "stream": False, "now": 0.0, "turn": 0, **changes})


def priced(name: str, went_in: float | None, came_out: float = 0.0, currency: str = "USD") -> Option:
    return Option(name, rate=lambda _: None if went_in is None else (went_in, came_out, currency))


def quick(name: str, seconds: float | None) -> Option:
    option = Option(name)
    if seconds is not None:
        option.pace.answered(seconds, 0.0, seconds / 10, None)
    return option


def order(policy: Policy, options: list[Option], **changes: Any) -> str:
    return "".join(option.name for _, option, _ in ordered(policy, asked(**changes), options))


def said(policy: Policy, options: list[Option], **changes: Any) -> dict[str, str]:
    return {option.name: policy.say(fact) for _, option, fact in ordered(policy, asked(**changes), options)}


def at(year: int, month: int, day: int, hour: int, minute: int, zone: Any = BERLIN) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=zone).timestamp()


def test_failover_keeps_the_order_of_the_file() -> None:
    """Nothing decides but the file."""
    assert "abc" == order(Failover(NAMES), [Option(name) for name in NAMES], turn=17)


@pytest.mark.parametrize(
    "went_in, came_out, expected",
    [((3, 2, 1), (0, 0, 0), "cba"), ((1, 1, 1), (3, 1, 2), "bca"), ((1, 1, 1), (1, 1, 1), "abc")],
)
def test_cheapest_counts_what_goes_in_and_what_comes_out(went_in: Any, came_out: Any, expected: str) -> None:
    """The estimate of the request times the price of now; equal prices keep the order of the file."""
    options = [priced(name, *prices) for name, *prices in zip(NAMES, went_in, came_out, strict=True)]

    assert expected == order(Cheapest(NAMES), options)


def test_the_expected_length_decides() -> None:
    """A short answer favours cheap input, a long one cheap output: the caller's limit, the file's, or what was seen."""
    a, b = priced("a", 1.0, 10.0), priced("b", 5.0, 1.0)
    seen = priced("a", 1.0, 10.0)
    seen.pace.answered(1.0, 0.0, None, 5)

    assert "ab" == order(Cheapest(("a", "b")), [a, b], output_tokens=10)
    assert "ba" == order(Cheapest(("a", "b")), [a, b], output_tokens=1000)
    assert "ab" == order(Cheapest(("a", "b"), output_tokens=10), [a, b], output_tokens=None)
    assert "ab" == order(Cheapest(("a", "b")), [seen, b], output_tokens=None)


def test_an_unknown_price_is_not_zero() -> None:
    """It goes last, and so does another currency; both are told."""
    options = [priced("a", None), priced("b", 9.0), priced("c", 1.0, currency="EUR")]

    assert "bac" == order(Cheapest(NAMES), options)
    told = said(Cheapest(NAMES), options)
    assert "its price is not known" == told["a"]
    assert "another currency, not compared" in told["c"]


def test_fastest_puts_the_quicker_of_two_first() -> None:
    """Two are drawn by the number of the call; over many calls everybody is, and the slowest never wins."""
    options = [quick("a", 3.0), quick("b", 1.0), quick("c", 2.0)]
    firsts = [order(Fastest(NAMES), options, turn=turn)[0] for turn in range(300)]

    assert {"b", "c"} == set(firsts)
    assert 150 < firsts.count("b") < 250


def test_who_was_never_measured_is_asked_first() -> None:
    """Otherwise nobody would ever learn how quick it is."""
    assert "c" == order(Fastest(NAMES), [quick("a", 0.1), quick("b", 0.1), quick("c", None)])[0]


def test_streams_are_measured_by_their_first_content() -> None:
    """One that answers at once and talks long is quick for a stream and slow for a whole answer."""
    talker, thinker = Option("a"), Option("b")
    talker.pace.answered(10.0, 0.0, 0.1, None)
    thinker.pace.answered(2.0, 0.0, 1.9, None)

    assert "ab" == order(Fastest(("a", "b")), [talker, thinker], stream=True)
    assert "ba" == order(Fastest(("a", "b")), [talker, thinker])


def test_a_region_names_its_own_first() -> None:
    """The others follow by quickness; an unknown region has no first."""
    policy = ByRegion(NAMES, {"europe": ("c", "b"), "asia": ("b",)})
    options = [quick("a", 1.0), quick("b", 3.0), quick("c", 2.0)]

    assert "cba" == order(policy, options, region="europe")
    assert "bac" == order(policy, options, region="asia")
    assert "acb" == order(policy, options, region="mars")
    assert {"c": "place 1 for europe", "b": "place 2 for europe", "a": "of another region, 1000 ms lately"} == said(
        policy, options, region="europe"
    )


def test_spread_goes_where_room_is() -> None:
    """And takes turns where all have the same."""
    full, free = Option("a", room=lambda now: 0.1), Option("b", room=lambda now: 0.9)

    assert "ba" == order(Spread(("a", "b")), [full, free])
    assert {"a": "10% of its limits free", "b": "90% of its limits free"} == said(Spread(("a", "b")), [full, free])
    turns = [order(Spread(NAMES), [Option(name) for name in NAMES], turn=turn) for turn in range(3)]
    assert ["abc", "bca", "cab"] == turns


@pytest.mark.parametrize(
    "now, inside",
    [
        (at(2026, 1, 15, 21, 59), False), (at(2026, 1, 15, 22, 0), True), (at(2026, 1, 16, 3, 0), True),
        (at(2026, 1, 16, 6, 0), False), (at(2026, 7, 1, 20, 30, zone=UTC), True),
        (at(2026, 1, 1, 20, 30, zone=UTC), False),
    ],
)  # fmt: skip
def test_hours_are_those_of_their_timezone(now: float, inside: bool) -> None:
    """Over midnight, and with summer time: 22:00 in Berlin is 20:00 or 21:00 in UTC."""
    assert inside == NIGHT.holds(now)


def test_a_night_belongs_to_the_day_it_began_on() -> None:
    """Friday's night lasts until Saturday's morning; Monday's small hours belong to Sunday."""
    friday = Hours(time(22), time(6), BERLIN, frozenset({4}))

    assert friday.holds(at(2026, 11, 20, 23, 0))
    assert friday.holds(at(2026, 11, 21, 5, 0))
    assert not friday.holds(at(2026, 11, 20, 5, 0))
    assert not friday.holds(at(2026, 11, 21, 23, 0))
    assert "22:00-06:00 Europe/Berlin on fri" == str(friday)


def test_off_peak_others_go_first() -> None:
    """In those hours only; the words say which it is."""
    policy, options = OffPeak(NAMES, NIGHT, ("c",)), [Option(name) for name in NAMES]
    night, day = at(2026, 11, 20, 23, 0), at(2026, 11, 20, 12, 0)

    assert ("cab", "abc") == (order(policy, options, now=night), order(policy, options, now=day))
    assert said(policy, options, now=night)["c"].startswith("off-peak")
    assert said(policy, options, now=day)["c"].startswith("it is not off-peak")


def test_an_agreement_is_used_first_until_it_is_used_up() -> None:
    """Its amount in its currency, and its last day to its end."""
    policy = Prefer(NAMES, "c", Decimal(10), "EUR", date(2026, 12, 31))
    options = [Option(name) for name in NAMES]
    options[2].pace.paid(Decimal("9.99"), "EUR")
    options[2].pace.paid(Decimal("99"), "USD")

    assert "cab" == order(policy, options, now=at(2026, 12, 31, 23, 59, zone=UTC))
    assert "abc" == order(policy, options, now=at(2027, 1, 1, 0, 0, zone=UTC))
    assert "the agreement ended on 2026-12-31" == said(policy, options, now=at(2027, 1, 1, 0, 0, zone=UTC))["c"]
    options[2].pace.paid(Decimal("0.01"), "EUR")
    assert "abc" == order(policy, options)
    assert "the agreement is used up: 10.00 of 10 EUR spent, as this process saw it" == said(policy, options)["c"]


options_of = st.lists(
    st.tuples(st.one_of(st.none(), st.floats(0, 10)), st.one_of(st.none(), st.floats(0, 60)), st.floats(0, 1)),
    min_size=1,
    max_size=6,
)


@given(options_of, st.integers(0, 10**6), st.floats(0, 4e9), st.booleans(), st.sampled_from(["europe", None]))
def test_every_policy_orders_everybody_once(
    drawn: Any, turn: int, now: float, stream: bool, region: str | None
) -> None:
    """Nobody is lost or doubled, the same input gives the same order, and each place has a reason."""
    names = tuple(f"d{number}" for number in range(len(drawn)))
    policies: list[Policy] = [
        Failover(names), Cheapest(names), Fastest(names), ByRegion(names, {"europe": names[-1:]}), Spread(names),
        OffPeak(names, NIGHT, names[-1:]), Prefer(names, names[-1], Decimal(1)),
    ]  # fmt: skip
    options = []
    for name, (rate, seconds, room) in zip(names, drawn, strict=True):
        option = quick(name, seconds)
        option.rate = lambda _, rate=rate: None if rate is None else (rate, rate, "USD")  # type: ignore[misc]  # bound at once
        option.room = lambda _, room=room: room  # type: ignore[misc]  # bound at once
        options.append(option)

    for policy in policies:
        told = said(policy, options, turn=turn, now=now, stream=stream, region=region)
        assert set(names) == told.keys()
        assert all(told.values())
        assert list(told) == list(said(policy, options, turn=turn, now=now, stream=stream, region=region))


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=50))
def test_a_mean_lies_between_what_was_measured(values: list[float]) -> None:
    """Whatever was measured, and whenever."""
    pace = Pace()
    for number, value in enumerate(values):
        pace.answered(value, number * 7.0, None, None)

    assert min(values) <= (pace.seconds(False) or 0) * (1 + 1e-9)
    assert (pace.seconds(False) or 0) <= max(values) * (1 + 1e-9)


def test_failures_count_as_slow() -> None:
    """One that refuses within a millisecond is not the quickest."""
    broken, slow = Option("a"), quick("b", 2.0)
    broken.pace.failed(0.001, 0.0)
    broken.pace.failed(0.001, 1.0)
    before = quick("c", 0.5)
    before.pace.failed(0.001, 1.0)

    assert (broken.pace.seconds(False) or 0) >= 1.0
    assert (before.pace.seconds(False) or 0) > 0.5
    assert slow.pace.seconds(False) == 2.0
