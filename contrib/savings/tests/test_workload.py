"""Workload files: what they may say, the arithmetic, and what is said about a wrong one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from savings_line import WORKLOAD, Line, many, row, table

from byollm.errors import ConfigError
from byollm_prices import Billed, CurrencyError, Rates, read_table
from byollm_savings import Costing, Kind, Quotes, Workload, parse_workload

COSTING = Costing(Quotes())


def cost(text: str, approach: str = "own", costing: Costing = COSTING) -> tuple[Fraction, Fraction, Fraction]:
    """What an approach of a workload costs: a document, a month, a year."""
    workload = parse_workload(text)
    found = workload.approaches[approach]
    return costing.document(workload, found), costing.month(workload, found), costing.year(workload, found)


def own(models: str) -> str:
    """The workload with other models."""
    return WORKLOAD.replace("{answer: {model: openai/gpt-5.4, pricing: {input: 2, output: 10}}}", models)


def test_a_document_costs_its_tokens():
    """1,200 in at 2 and 100 out at 10 a million; twelve thousand of them a year."""
    assert (Fraction("0.0034"), Fraction("3.4"), Fraction("40.8")) == cost(WORKLOAD)


@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 100),
    st.tuples(*[st.decimals(0, 1000, places=4)] * 3),
)  # fmt: skip
def test_the_arithmetic_is_that_of_byollm_prices(tokens: int, output: int, percent: int, prices: tuple[object, ...]):
    """For whole counts, a document costs what byollm-prices charges for them."""
    read, write, kept = (str(price) for price in prices)
    pricing = f"{{input: {read}, output: {write}, cached: {kept}}}"
    text = own(f"{{answer: {{model: a/b, cached: {percent / 100}, pricing: {pricing}}}}}")
    text = text.replace("tokens: {value: 1000, low: 100, high: 5000, why: two pages}", f"tokens: {tokens * 100}")
    text = text.replace("instructions: 200, output: 100", f"output: {output}")
    rates = Rates.read({"input": read, "output": write, "cached": kept})
    counts = Billed(tokens * 100, output, tokens * percent)

    assert Fraction(counts.charge(rates)) == cost(text)[0]


@pytest.mark.parametrize(
    "change, factor",
    [
        ("own: {discount: 0.25, models", "0.75"), ("own: {premium: 0.5, models", "1.5"),
        ("own: {premium: 1, discount: 0.5, models", "1"),
    ],
)  # fmt: skip
def test_a_discount_and_a_premium_are_shares(change: str, factor: str):
    """Off the sum and on top of it."""
    assert Fraction("40.8") * Fraction(factor) == cost(WORKLOAD.replace("own: {models", change))[2]


def test_several_models_share_a_task():
    """The one without a share has the rest."""
    free = "{model: a/c, pricing: {input: 0, output: 0}}"
    shared = own(f"{{answer: [{{model: a/b, share: 0.25, pricing: {{input: 2, output: 10}}}}, {free}]}}")

    assert Fraction("10.2") == cost(shared)[2]


def test_a_batch_is_priced_as_a_batch():
    """gpt-5.4 costs half as a batch, by the shipped prices of that day."""
    plain, later = own("openai/gpt-5.4"), own("{answer: {model: openai/gpt-5.4, batch: 1}}")

    assert cost(plain)[2] == 2 * cost(later)[2]


def test_a_longer_prompt_may_have_another_price():
    """The shipped prices of gpt-6.1-sol change above 272,000 tokens, and so does a document's cost."""
    sizes = Quotes().sizes("openai/gpt-6.1-sol", parse_workload(WORKLOAD).at)

    assert [(None, 272_000), (272_000, None)] == sorted(sizes, key=str, reverse=True)


def test_periods_add_up_and_a_commitment_pays_the_peak():
    """Eight months of 100 documents and four of 50; a commitment is billed as eleven of 100."""
    text = WORKLOAD.replace(
        "documents: {a_year: 12000, ",
        "periods: {peak: {months: 8, documents: 100}, low: {months: 4, documents: 50}}\ndocuments: {",
    )

    assert 1000 * Fraction("0.02") == cost(text, "locked")[2]
    assert 1200 * Fraction("0.02") == cost(text.replace("locked: {", "locked: {billed_as: peak, "), "locked")[2]


def test_a_price_a_month_is_a_price_a_month():
    """Whatever is done with it."""
    assert (Fraction(1, 4), 250, 3000) == cost(WORKLOAD.replace("per_document: 0.02", "per_month: 250"), "locked")


WRONG = {
    "tokens: {value: 1000": ("tokens: {value: 10000", "an assumption lies between its low and its high"),
    "why: two pages": ("reason: two pages", "'reason' is none of high, low, value, why"),
    "a_year: 12000": ("a_year: -5", "no number of a workload is negative"),
    "output: 100}": ("output: many}", "this is a number, not 'many'"),
    "per_document: 0.02": ("per_document: 0.02, per_month: 3", "locked is paid one way"),
    "model: openai/gpt-5.4": ("model: gpt", "no provider and its model"),
    "of: month": ("of: joy", "'joy' is nothing to be computed"),
    "approach: own": ("approach: none_such", "'none_such' is none of locked, own"),
    "date: \"2026-11-22\"": ("date: soon", "'soon' is no date"),
    "own: {models": ("own: {discount: 3, models", "`discount` is a share, from 0 to 1"),
    "documents: {a_year: 12000, ": ("documents: {", "the documents stand in"),
    "input: 2, ": ("", "pricing wants input and output"),
}  # fmt: skip


@pytest.mark.parametrize("part", WRONG)
def test_a_wrong_file_says_what_and_where(part: str, line: Line):
    """The error names file, line and column."""
    change, message = WRONG[part]
    text = line.fails("--workload", line.file("mine.yaml", WORKLOAD.replace(part, change)))

    assert message in text


def test_shares_above_the_whole_are_refused(line: Line):
    """Two models cannot do more than all of a task."""
    text = own("{answer: [{model: a/b, share: 0.7}, {model: a/c, share: 0.6}, {model: a/d}]}")

    with pytest.raises(ConfigError, match="the shares of answer are more than the whole"):
        cost(text)


def test_a_price_file_takes_the_place_of_the_shipped_one(line: Line):
    """A dollar a million for both: 1,300 tokens a document, 12,000 documents."""
    mine = line.file("mine.yaml", own("openai/gpt-5.4"))
    found = line.json("--workload", mine, "--prices", line.file("prices.json", table(row())))

    assert "15.6" == found["workloads"][0]["approaches"]["own"]["year"]


def test_the_price_is_that_of_the_day(line: Line):
    """The same file on two days, with a new price between them."""
    rows = (row(until="2026-06-01"), row('"input": "2", "output": "2"', since="2026-06-01"))
    prices = line.file("prices.json", table(*rows))
    years = []
    for day in ("2026-05-31", "2026-06-01"):
        mine = line.file("mine.yaml", own("openai/gpt-5.4").replace("2026-11-22", day))
        years.append(line.json("--workload", mine, "--prices", prices)["workloads"][0]["approaches"]["own"]["year"])

    assert ["15.6", "31.2"] == years


@pytest.mark.parametrize(
    "rows, message",
    [
        ((row(until="2026-06-01"), row(since="2026-07-01")), "no price, though there is one before and after"),
        ((row(until="2026-07-01"), row(since="2026-06-01")), "2 prices for the same thing"),
        ((row('"input": "-1", "output": "1"'),), "'-1' is no price"),
    ],
)
def test_a_price_file_with_a_hole_or_an_overlap_is_named(rows: tuple[str, ...], message: str, line: Line):
    """Nothing is computed with it."""
    prices = line.file("prices.json", table(*rows))
    text = line.fails("--workload", line.file("mine.yaml", own("openai/gpt-5.4")), "--prices", prices)

    assert message in text
    assert "prices.json: gpt-5.4" in text


def test_another_currency_is_no_cost(line: Line):
    """A workload in dollars has no sum with prices in euros."""
    prices = line.file("prices.json", table(row(), currency="EUR"))
    found = line.json("--workload", line.file("mine.yaml", own("openai/gpt-5.4")), "--prices", prices)["workloads"][0]

    assert None is found["approaches"]["own"]["year"]
    assert "openai/gpt-5.4 is priced in EUR, the workload in USD" == found["claims"]["month"]["problem"]


def test_a_workload_may_be_in_another_currency():
    """When all of it is."""
    costing = Costing(Quotes({"openai": read_table(table(row(), currency="EUR"))}))

    assert Fraction("15.6") == cost(f"currency: EUR\n{own('openai/gpt-5.4')}", costing=costing)[2]
    with pytest.raises(CurrencyError):
        cost(own("openai/gpt-5.4"), costing=costing)


def test_wrong_words_get_the_right_one(line: Line):
    """A misspelt number, no number, nothing at all."""
    mine = line.file("mine.yaml", WORKLOAD)

    assert "did you mean documents.tokens?" in line.fails("--workload", mine, "--set", "document.token=5")
    assert "is no number of at least 0" in line.fails("--workload", mine, "--set", "documents.tokens=-5")
    assert "there is nothing to be priced" in line.fails()
    assert "--baseline belongs to --usage or --ledger" in line.fails("--workload", mine, "--baseline", "a/b")


@settings(max_examples=50)
@given(st.data())
def test_no_change_of_a_number_is_a_surprise(data: st.DataObject):
    """Any number of a workload may be anything of at least 0: a verdict comes, or `unknown`."""
    from byollm_savings import judge

    workload: Workload = parse_workload(WORKLOAD)
    name = data.draw(st.sampled_from(sorted(workload.values)))
    changed = workload.changed({name: data.draw(st.fractions(0, 10**9))})

    assert {it.verdict for it in judge(changed, COSTING)} <= {"met", "not met", "depends", "unknown"}


def test_bedrock_says_the_place_in_the_models_name():
    """`global.` is cheaper than a region, by the shipped prices."""
    at = parse_workload(WORKLOAD).at
    quotes = Quotes()
    regional = quotes.row("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", at, 1000, Kind())
    anywhere = quotes.row("bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0", at, 1000, Kind())

    assert regional is not None
    assert anywhere is not None
    assert regional.rates is not None
    assert anywhere.rates is not None
    assert regional.rates.input > anywhere.rates.input


@pytest.mark.parametrize("count", [2, 8, 9, 24])
def test_many_assumptions_reach_as_far_as_few(count: int):
    """Ten and two hundred tokens of each task at 15 a million, for a thousand documents: both ends are found."""
    from byollm_savings import judge

    (found,) = judge(parse_workload(many(count)), COSTING)

    assert (Fraction(count * 15, 100), Fraction(count * 300, 100)) == (found.lowest, found.highest)


@pytest.mark.parametrize("text", [None, "", "- a\n", "one text\n"])
def test_what_is_no_workload_file_is_mended_by_one(text: str | None, line: Line):
    """Not by a configuration: `byollm init` writes no workload, and `llm_config` stands in none."""
    mine = "nowhere.yaml" if text is None else line.file("mine.yaml", text)
    told = line.fails("--workload", mine)

    assert "--write FOLDER" in told.splitlines()[-1]
    assert "configuration" not in told
