"""Price files: what is accepted, and the name of what is wrong."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from byollm.plugin import PluginError
from byollm_prices import Conditions, HoleError, OverlapError, PriceFileError, Table, read_table

RATES = {"input": "2", "output": "10"}
DEAR = {"input": "4", "output": "15"}


def table(*rows: dict[str, Any], **changes: Any) -> Table:
    """A file with one model."""
    written = [{"rates": RATES, "source": 0, **row} for row in rows]
    told = {"format": 1, "seller": "acme", "taken": "2026-11-22", "currency": "USD", "sources": ["a page"]}
    return read_table({**told, "models": [{"model": "m", "match": ["=m"], "rows": written}], **changes}, "acme.json")


def at(text: str, **more: Any) -> Conditions:
    return Conditions(at=datetime.fromisoformat(text), **more)


def test_a_price_holds_from_its_day_until_the_next():
    """The first instant of the new price is the first that is not of the old one."""
    prices = table({"until": "2026-03-13"}, {"from": "2026-03-13", "rates": DEAR})
    before, after = at("2026-03-12T23:59:59.999999+00:00"), at("2026-03-13T00:00:00+00:00")

    assert [Decimal(2), Decimal(4)] == [
        row.rates.input for when in (before, after) if (row := prices.row("m", when)) and row.rates
    ]


def test_a_price_ends():
    """After the last day nobody knows what it costs."""
    assert table({"until": "2026-03-13"}).row("m", at("2026-03-14T00:00:00+00:00")) is None


@pytest.mark.parametrize("tokens, price", [(0, 2), (200_000, 2), (200_001, 4)])
def test_a_long_prompt_has_its_own_price(tokens: int, price: int):
    """Up to the threshold, and above it."""
    row = table({"up_to": 200_000}, {"above": 200_000, "rates": DEAR}).row(
        "m", at("2026-11-22T00:00:00+00:00", input_tokens=tokens)
    )

    assert row is not None
    assert row.rates is not None
    assert price == row.rates.input


def test_another_tier_is_another_price():
    """A tier without a row is not the standard price: it is unknown."""
    prices = table({}, {"tier": "flex", "rates": DEAR}, {"batch": True, "rates": DEAR})
    when = "2026-11-22T00:00:00+00:00"

    assert prices.row("m", at(when, tier="flex")) is not None
    assert prices.row("m", at(when, batch=True)) is not None
    assert prices.row("m", at(when, tier="priority")) is None
    assert prices.row("m", at(when, tier="flex", batch=True)) is None


def test_the_region_that_is_named_wins():
    """A row of the region goes before the row of all others."""
    prices = table({}, {"region": "eu", "rates": DEAR})
    asked = [prices.row("m", at("2026-11-22T00:00:00+00:00", region=region)) for region in ("eu", "us", None)]

    assert ["4", "2", "2"] == [str(row.rates.input) for row in asked if row is not None and row.rates is not None]


def test_an_uplift_raises_every_rate_of_its_regions_and_says_so():
    """Processing in Europe costs a tenth more; nobody knows what it costs in Japan."""
    uplift = {"models": ["^m"], "in": ["eu"], "factor": "1.1", "source": 1}
    prices = table({}, uplifts=[uplift], sources=["a page", "another"], unpriced_regions=["jp"])
    europe, japan = (prices.row("m", at("2026-11-22T00:00:00+00:00", region=region)) for region in ("eu", "jp"))

    assert europe is not None
    assert europe.rates is not None
    assert (Decimal("2.2"), Decimal("11.0"), "a page; another") == (
        europe.rates.input,
        europe.rates.output,
        europe.source,
    )
    assert japan is None


def test_it_may_be_known_that_nobody_knows():
    """`rates: null` fills a time of which no price is known: not a hole, and not a price."""
    prices = table(
        {"until": "2026-01-01"}, {"from": "2026-01-01", "until": "2026-02-01", "rates": None}, {"from": "2026-02-01"}
    )

    assert prices.row("m", at("2026-01-15T00:00:00+00:00")) is None


@pytest.mark.parametrize(
    "rows, error, words",
    [
        (
            [{"until": "2026-01-01"}, {"from": "2026-01-02"}],
            HoleError,
            "from 2026-01-01T00:00:00\\+00:00 until 2026-01-02",
        ),
        ([{"until": "2026-01-02"}, {"from": "2026-01-01"}], OverlapError, "2 prices for the same thing"),
        ([{}, {}], OverlapError, "2 prices"),
        ([{"up_to": 10}, {"above": 11}], HoleError, "no price for a prompt of 11 tokens"),
        ([{"up_to": 10}], HoleError, "no price for a prompt of 11 tokens"),
        ([{"above": 10}], HoleError, "no price for a prompt of 0 tokens"),
        ([{"up_to": 10}, {"above": 9}], OverlapError, "two prices for a prompt of 10 tokens"),
        ([{"hours": ["00:00-12:00"]}, {"hours": ["12:01-24:00"]}], HoleError, "no price at mon 12:00"),
        ([{"hours": ["00:00-12:00"]}, {"hours": ["11:59-24:00"]}], OverlapError, "two prices at mon 11:59"),
        ([{"hours": ["00:00-24:00"]}, {}], OverlapError, "two prices at mon 00:00"),
        (
            [{"hours": ["00:00-12:00"]}, {"hours": ["12:00-24:00"], "zone": "Asia/Tokyo"}],
            OverlapError,
            "Asia/Tokyo and UTC cannot be compared",
        ),
        ([{"tier": "flex", "up_to": 5}, {}], HoleError, "\\(flex\\)"),
    ],
)
def test_holes_and_overlaps_have_names(rows: list[dict[str, Any]], error: type[PriceFileError], words: str):
    """A file whose rows leave something out, or say something twice, is not loaded; the message says where."""
    with pytest.raises(error, match=f"acme.json: m.*{words}"):
        table(*rows)


GOOD: dict[str, Any] = {
    "format": 1, "seller": "acme", "taken": "2026-11-22", "currency": "USD", "sources": ["a page"],
    "models": [{"model": "m", "match": ["=m"], "rows": [{"rates": RATES, "source": 0}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    "path, value, words",
    [
        (["format"], 2, "reads format 1"),
        (["extra"], 1, "'extra' is no key of a price file"),
        (["models", 0, "match"], ["m"], "'m' is no pattern"),
        (["models", 0, "match"], ["~("], "no regular expression"),
        (["models", 0, "rows", 0, "rates"], {"input": "1"}, "wants the rates `input` and `output`"),
        (["models", 0, "rows", 0, "rates", "input"], "-1", "is no price"),
        (["models", 0, "rows", 0, "rates", "input"], "NaN", "is no price"),
        (["models", 0, "rows", 0, "rates", "input"], 0.1, "is no price"),
        (["models", 0, "rows", 0, "rates", "inptu"], "1", "'inptu' is no rate"),
        (["models", 0, "rows", 0, "teir"], "flex", "'teir' is no key of a row"),
        (["models", 0, "rows", 0, "tier"], "cheap", "'cheap' is no tier"),
        (["models", 0, "rows", 0, "from"], "2026-01-01T00:00:00", "lacks its offset"),
        (["models", 0, "rows", 0, "from"], "yesterday", "yesterday"),
        (["models", 0, "rows", 0, "source"], 7, "IndexError"),
        (["models", 0, "rows", 0, "zone"], "UTC", None),
        (["uplifts"], [{"models": ["^m"], "factor": "1.1", "source": 0}], "uplifts: an uplift holds"),
    ],
)
def test_a_wrong_file_is_refused_by_name(path: list[Any], value: Any, words: str | None):
    """Every mistake is a PriceFileError that says where it stands; it is a PluginError, so nothing else breaks."""
    told = deepcopy(GOOD)
    place = told
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    if words is None:
        assert read_table(json.dumps(told)).seller == "acme"
        return

    with pytest.raises(PriceFileError, match=words) as raised:
        read_table(json.dumps(told), "acme.json")
    assert "acme.json" in str(raised.value)
    assert isinstance(raised.value, PluginError)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_price_file_is_refused(data: bytes):
    """Whatever the bytes are."""
    with pytest.raises(PriceFileError, match=r"acme\.json"):
        read_table(data, "acme.json")


def test_an_instant_needs_its_zone():
    """A naive instant is 26 different ones."""
    with pytest.raises(ValueError, match="time zone"):
        Conditions(at=datetime(2026, 1, 1))

    assert Conditions(at=datetime(2026, 1, 1, tzinfo=UTC)).tier == "standard"
