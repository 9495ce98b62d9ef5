"""The shipped files: made from the pinned wheel and from nothing else, and priced as the wheel's own code prices."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from genai_prices import Usage as WheelUsage
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm_prices import EXACT, Billed, Conditions, Rates, Table, index, shipped
from byollm_prices.build import DATA, HERE, build
from byollm_prices.convert import KINDS

PLAN = tomllib.loads((HERE / "build.toml").read_text("utf-8"))
SELLERS = sorted(PLAN["sellers"])
WHEEL = {name: next(item for item in providers if item.id == told["wheel"]) for name, told in PLAN["sellers"].items()}
CORRECTED = {(rule["seller"], rule["model"]) for rule in PLAN["peaks"]}
WITHDRAWN = {(rule["seller"], model): rule["since"] for rule in PLAN["withdrawn"] for model in rule["models"]}
SHORT = [(rule["seller"], begin, rule["up_to"]) for rule in PLAN["short_prompts"] for begin in rule["models"]]
PRICED = [
    (name, model, context, tier, batch)
    for name in SELLERS
    for model in WHEEL[name].models
    if (name, model.id) not in CORRECTED
    for context, tier, batch in KINDS
    if not context or any(variant.when == context for variant in model.price_variants or ())
]
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))


def table(seller: str) -> Table:
    found = shipped(seller)
    assert found is not None
    return found


def everything() -> Iterator[tuple[str, str, Rates | None]]:
    for seller in index()["sellers"]:
        for model, row in table(seller).rows():
            yield seller, model, row.rates


def test_the_files_are_what_the_builder_makes():
    """Byte by byte, and no other file lies there."""
    made = build()

    assert sorted(made) == sorted(path.name for path in DATA.glob("*.json"))
    assert [] == [name for name, text in made.items() if text != (DATA / name).read_text("utf-8")]


def test_another_wheel_is_refused():
    """The builder does not mix versions."""
    with pytest.raises(SystemExit, match="written for genai-prices 9; installed is"):
        build({**PLAN, "wheel": {**PLAN["wheel"], "version": "9"}})


def test_there_is_enough_to_be_useful():
    """At least 300 rows of 14 providers, and every provider of byollm that bills by the token."""
    rows = list(everything())
    vendors = {
        "openai",
        "anthropic",
        "google",
        "azure",
        "bedrock",
        "groq",
        "baseten",
        "openrouter",
        "mistral",
        "deepseek",
    }

    assert len(rows) >= 300
    assert len({seller for seller, _, _ in rows}) >= 14
    assert {*vendors, "xai", "together", "fireworks", "cohere"} <= index()["sellers"].keys()


@pytest.mark.parametrize("seller", SELLERS)
def test_every_row_says_where_it_comes_from(seller: str):
    """A package, its version and its licence; a day; and the vendor's page."""
    prices = table(seller)

    assert "2026-11-22" == prices.taken
    assert all("genai-prices" in row.source and len(row.source) > 30 for _, row in prices.rows())


def test_all_kinds_of_bands_occur():
    """Validity, tiers, batches, regions, hours, sizes, caches: the form is used, and not only there."""
    rows = [row for seller in SELLERS for _, row in table(seller).rows()]

    assert {"standard", "flex", "priority", "fast"} == {row.tier for row in rows}
    assert {None, "global", "regional"} == {row.region for row in rows}
    for some in (
        [row for row in rows if row.since and row.until],
        [row for row in rows if row.batch],
        [row for row in rows if row.hours],
        [row for row in rows if row.above],
        [row for row in rows if row.rates and row.rates.cached is not None and row.rates.cache_write_1h is not None],
    ):
        assert len(some) >= 5


def test_no_price_is_zero_where_nobody_said_so():
    """A model that the wheel lists without numbers has no row: it is unknown, not free."""
    empty = [
        (name, model)
        for name in SELLERS
        for model in WHEEL[name].models
        if not isinstance(model.prices, list) and not vars(model.prices)
    ]

    assert len(empty) > 100
    assert all(
        not found.rows for name, model in empty if (found := table(name).model(model.id)) and found.name == model.id
    )
    assert [] == [place for *place, rates in everything() if rates is not None and rates.input == rates.output == 0]


@pytest.mark.parametrize("seller", SELLERS)
def test_longer_prompts_are_never_cheaper(seller: str):
    """Above a threshold every rate is at least what it was below: so a price grows with its prompt."""
    rows = list(table(seller).rows())
    above = [(model, row) for model, row in rows if row.above is not None and row.rates is not None]

    for model, row in above:
        below = next(other for name, other in rows if name == model and other.up_to == row.above and same(other, row))
        assert row.rates is not None
        assert below.rates is not None
        for name in ("input", "output", "cached", "cache_write"):
            assert (getattr(below.rates, name) or 0) <= (getattr(row.rates, name) or 0)


def same(one: Any, other: Any) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in ("since", "until", "tier", "batch", "region", "hours")
    )


@pytest.mark.parametrize("seller", SELLERS)
def test_names_mean_the_same_models_as_in_the_wheel(seller: str):
    """Ids, capitals, dated snapshots, gateways' compact dates, prefixes: the same model is found, or none."""
    wheel, ours = WHEEL[seller], table(seller)
    names = [model.id for model in wheel.models]
    some = names[:120]
    names += [name + end for name in some for end in ("-2026-01-01", "-20260101", "@20260101", ":free", "-latest")]
    names += [start + name for name in some for start in ("us.", "eu.", "global.", "models/", "")]
    names += [name.upper() for name in names[: len(wheel.models)]]

    for name in names:
        theirs, found = wheel.find_model(name), ours.model(name)
        assert (theirs and theirs.id) == (found and found.name), name


@st.composite
def counts(draw: st.DrawFn) -> Billed:
    """Counts of text, caches and sound that hang together."""
    size = st.sampled_from([0, 1, 7, 1000, 100_000, 127_999, 200_000, 200_001, 272_001, 10**6]) | st.integers(0, 10**6)
    fresh, cached, written, sound, heard, out, said = (draw(size) for _ in range(7))
    return Billed(
        fresh + cached + written + sound + heard, out + said, cached + heard, written, draw(st.integers(0, written)),
        input_audio=sound + heard, cached_audio=heard, output_audio=said,
    )  # fmt: skip


WHEELS_NAMES = {
    "input": "input_tokens", "output": "output_tokens", "cached": "cache_read_tokens",
    "cache_write": "cache_write_tokens", "cache_write_1h": "cache_write_1h_tokens",
    "input_audio": "input_audio_tokens",
    "cached_audio": "cache_audio_read_tokens", "output_audio": "output_audio_tokens", "web_search": "web_searches",
}  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(PRICED), counts(), INSTANTS)
def test_the_wheels_own_code_comes_to_the_same_amount(priced: tuple[Any, ...], billed: Billed, at: datetime):
    """For any model, usage and instant; exactly. Where the wheel has no such tier yet, we have no price."""
    seller, model, context, tier, batch = priced
    region = model.id.partition(".")[0]
    region = region if region in ("global", "regional") else None
    found = table(seller).model(model.id)
    if found is None or found.name != model.id:
        return  # shadowed in the wheel's own order: nobody can ask for it by this name
    row = table(seller).row(
        model.id, Conditions(at=at, input_tokens=billed.input, tier=tier, batch=batch, region=region)
    )
    if not found.rows or row is None:
        assert unpriced(model, context, at, found) or on_purpose(seller, model.id, billed.input, at)
        return
    told = {wheels: getattr(billed, ours) for ours, wheels in WHEELS_NAMES.items()}
    theirs = model.calc_price(WheelUsage(**told), WHEEL[seller], genai_request_timestamp=at, price_context=context)

    assert row.rates is not None
    with localcontext(EXACT):
        assert theirs.total_price == billed.charge(row.rates)


def on_purpose(seller: str, model: str, tokens: int, at: datetime) -> bool:
    """Whether build.toml says that nobody knows, and why."""
    short = any(seller == name and begin in model and tokens > up_to for name, begin, up_to in SHORT)
    return short or WITHDRAWN.get((seller, model), "9999") <= at.date().isoformat()


def unpriced(model: Any, context: dict[str, str], at: datetime, found: Any) -> bool:
    """Whether the wheel too has nothing, or bills something beside tokens, or has no variant of the kind then."""
    price = vars(model.get_prices(at, context))
    if not {"input_mtok", "output_mtok"} <= price.keys() or any(
        "hour" in key or "request" in key or "page" in key for key in price
    ):
        return True
    return bool(context) and not any(
        variant.when == context
        and vars(variant.prices)
        and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants
    )


@pytest.mark.parametrize(
    "at, price",
    [
        ("2026-08-16T02:00:00+00:00", "0.435"),
        ("2026-08-22T02:00:00+00:00", "1.32"),
        ("2026-08-29T02:00:00+00:00", "0.66"),
        ("2026-08-28T02:00:00+00:00", "1.32"),
        ("2026-08-28T05:00:00+00:00", "0.66"),
    ],
    ids=[
        "before the rule",
        "a Saturday of daily peaks",
        "a Saturday of working-day peaks",
        "a Friday's peak",
        "a Friday's noon",
    ],
)
def test_peak_hours_are_of_shanghai_and_of_working_days(at: str, price: str):
    """What the wheel's form cannot hold, and its comment tells: when the peaks began, and that weekends have none."""
    row = table("deepseek").row("deepseek-v4-pro", Conditions(at=datetime.fromisoformat(at)))

    assert row is not None
    assert row.rates is not None
    assert Decimal(price) == row.rates.input


@pytest.mark.parametrize("model", sorted(model for _, model in CORRECTED))
def test_what_was_corrected_equals_the_wheel_on_working_days_of_today(model: str):
    """Hour by hour from Monday to Friday, the day after the last change."""
    wheel = next(item for item in WHEEL["deepseek"].models if item.id == model)

    for hour in range(5 * 24):
        at = datetime(2026, 11, 16, 0, 30, tzinfo=UTC) + timedelta(hours=hour)
        row = table("deepseek").row(model, Conditions(at=at))
        assert row is not None
        assert row.rates is not None
        assert wheel.get_prices(at).input_mtok == row.rates.input
