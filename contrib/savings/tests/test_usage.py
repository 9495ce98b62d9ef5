"""A vendor's exported usage: what it cost, what it would cost, and what is said about a broken file."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from savings_line import Line, row, table

from byollm_prices import Billed, Conditions, shipped
from byollm_savings.columns import shipped_columns

OPENAI = "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
OPENAI += "input_tokens,output_tokens,input_cached_tokens\n"
ANTHROPIC = "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
ANTHROPIC += "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
ANTHROPIC += "usage_output_tokens,web_search_count,inference_geo,speed\n"
GENERIC = "date,provider,model,requests,input_tokens,output_tokens,cached_tokens,cache_write_tokens,batch,service_tier,"
GENERIC += "cost,currency\n"


def openai(
    model: str = "gpt-5.4", requests: str = "10.0", batch: str = "False", tokens: str = "1000000,100000,0"
) -> str:
    """A bucket of OpenAI's export."""
    start, end = "1793491200,1793577600", "2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00"
    return f"{start},{end},proj_1,{requests},,key_1,{model},{batch},{tokens}\n"


def test_an_export_of_openai_is_known_by_its_columns(line: Line):
    """A million tokens in at 2.50 and a hundred thousand out at 15 a million: 4.00."""
    found = line.json("--usage", line.file("usage.csv", OPENAI + openai()), "--baseline", "openai/gpt-5-mini")

    assert "the usage page of OpenAI's platform, completions" == found["read_as"]
    assert {"requests": 10, "input_tokens": 1_000_000, "output_tokens": 100_000, "cost": "4", "unpriced": 0} == {
        **found["models"]["openai/gpt-5.4"],
        "cost": f"{Decimal(found['models']['openai/gpt-5.4']['cost']).normalize():f}",
    }


def test_a_batch_of_openai_costs_half(line: Line):
    """The column `batch` decides."""
    data = OPENAI + openai() + openai(batch="True", model="gpt-5.4-2026-03-05")
    models = line.json("--usage", line.file("usage.csv", data))["models"]

    assert Decimal(models["openai/gpt-5.4"]["cost"]) == 2 * Decimal(models["openai/gpt-5.4-2026-03-05"]["cost"])


def test_a_bucket_without_usage_is_no_request(line: Line):
    """OpenAI writes a line for every hour, even for those in which nothing was asked."""
    empty = "1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,,,,,,,,,\n"
    found = line.json("--usage", line.file("usage.csv", OPENAI + empty + openai() + empty))

    assert (1, 2, 10) == (found["records"], found["empty_lines"], found["total"]["requests"])


def test_a_bucket_is_priced_by_the_size_of_its_requests(line: Line):
    """A million tokens in ten requests are ten short prompts; in one request, a long one at the long one's price."""
    short = OPENAI + openai(model="gpt-6.1-sol", requests="10")
    long = OPENAI + openai(model="gpt-6.1-sol", requests="1")
    costs = [line.json("--usage", line.file("usage.csv", data))["total"]["cost"] for data in (short, long)]

    assert Decimal(costs[0]) < Decimal(costs[1])


def test_an_export_of_anthropic_counts_its_cache_beside_the_input(line: Line):
    """Plain, written (five minutes, an hour), read and searched: each at its rate."""
    data = (
        ANTHROPIC + "2026-11-01,claude-haiku-4-5-20251001,key,Default,standard,≤ 200k,1000,200,300,4000,500,2,global,\n"
    )
    found = line.json("--usage", line.file("usage.csv", data))
    table = shipped("anthropic")
    assert table is not None
    from datetime import UTC, datetime

    row = table.row("claude-haiku-4-5-20251001", Conditions(at=datetime(2026, 11, 1, tzinfo=UTC), input_tokens=5500))
    assert row is not None
    assert row.rates is not None
    counts = Billed(5500, 500, cached=4000, cache_write=500, cache_write_1h=300, web_search=2)

    assert "the usage page of Anthropic's console" == found["read_as"]
    assert counts.charge(row.rates) == Decimal(found["total"]["cost"])


@pytest.mark.parametrize("usage_type, speed", [("priority", ""), ("standard", "fast_and_furious")])
def test_a_tier_that_is_not_sold_by_token_has_no_price(usage_type: str, speed: str, line: Line):
    """Capacity paid beforehand is not priced as if it were not."""
    data = f"{ANTHROPIC}2026-11-01,claude-haiku-4-5,key,Default,{usage_type},,1000,0,0,0,500,0,,{speed}\n"
    found = line.json("--usage", line.file("usage.csv", data))

    assert (None, 1) == (found["total"]["cost"], found["total"]["unpriced"])


def test_an_unknown_price_is_counted_and_in_no_sum(line: Line):
    """Neither the model nor an alternative is taken for free; the sums say how many requests they leave out."""
    data = OPENAI + openai() + openai(model="gpt-imagined", requests="7")
    file = line.file("usage.csv", data)
    found = line.json("--usage", file, "--baseline", "openai/gpt-5-mini", "--baseline", "openai/gpt-none")
    _, out, _ = line("--usage", file)

    assert (None, 7) == (
        found["models"]["openai/gpt-imagined"]["cost"],
        found["models"]["openai/gpt-imagined"]["unpriced"],
    )
    assert (10, 7) == tuple(found["alternatives"]["openai/gpt-5-mini"][key] for key in ("requests", "unpriced"))
    assert (None, 17) == tuple(found["alternatives"]["openai/gpt-none"][key] for key in ("cost", "unpriced"))
    assert "7 of 17 requests could not be priced: they are in no sum." in out


def test_a_line_without_a_model_cannot_be_priced(line: Line):
    """An export that is not grouped by model says what was used and not what it costs."""
    found = line.json("--usage", line.file("usage.csv", OPENAI + openai(model="")))

    assert {"unknown"} == found["models"].keys()
    assert None is found["total"]["cost"]


def test_an_alternative_is_compared_over_what_both_can_price(line: Line):
    """Saved is what these requests cost less what they would have cost."""
    file = line.file("usage.csv", OPENAI + openai() + openai(model="gpt-imagined"))
    other = line.json("--usage", file, "--baseline", "openai/gpt-5-mini")["alternatives"]["openai/gpt-5-mini"]

    assert Decimal(4) == Decimal(other["instead_of"])
    assert Decimal(other["saved"]) == Decimal(other["instead_of"]) - Decimal(other["cost"])


def test_what_the_file_says_was_paid_goes_before_a_price_list(line: Line):
    """A negotiated rate is what it costs."""
    data = GENERIC + "2026-11-01,openai,gpt-5.4,1,1000,100,,,,,0.001,USD\n"
    found = line.json("--usage", line.file("usage.csv", data))

    assert Decimal("0.001") == Decimal(found["total"]["cost"])


def test_each_line_has_the_price_of_its_instant(line: Line):
    """Two lines across a change of the price."""
    rows = (row(until="2026-06-01"), row('"input": "2", "output": "2"', since="2026-06-01"))
    prices = line.file("prices.json", table(*rows))
    data = GENERIC + "".join(f"{day},openai,gpt-5.4,1,1000000,0,,,,,,\n" for day in ("2026-05-31", "2026-06-01"))
    found = line.json("--usage", line.file("usage.csv", data), "--prices", prices)

    assert (Decimal(3), 2) == (Decimal(found["total"]["cost"]), found["days"])


def test_two_currencies_have_no_sum(line: Line):
    """The second one is named, with what is priced in it."""
    data = GENERIC + "".join(f"2026-11-01,openai,gpt-5.4,1,1000,0,,,,,1.00,{code}\n" for code in ("EUR", "USD"))

    assert "the record is priced in USD, everything before it in EUR" in line.fails(
        "--usage", line.file("u.csv", data), "--baseline", "openai/gpt-none"
    )


@pytest.mark.parametrize("text, told", [("seller: openai\n  bad: [", "a price file is JSON"), ("{}", "format None")])
def test_a_price_file_that_is_none_is_mended_with_another(line: Line, text: str, told: str):
    """The file is named, and the mend speaks of prices, not of plugins."""
    err = line.fails("--workload", "none.yaml", "--prices", line.file("prices.yaml", text))
    err += line.fails("--ledger", "x", "--baseline", "openai/gpt-5.4", "--prices", "prices.yaml")

    assert told in err
    assert "--prices names a price file" in err
    assert "providers --load" not in err


def test_prices_in_another_currency_than_what_was_paid_are_refused(line: Line):
    """Euros paid cannot be compared with dollars asked."""
    data = GENERIC + "2026-11-01,openai,gpt-5.4,1,1000,0,,,,,1.00,EUR\n"
    text = line.fails("--usage", line.file("u.csv", data), "--baseline", "openai/gpt-5-mini")

    assert "openai/gpt-5-mini is priced in USD, everything before it in EUR" in text


BROKEN = {
    "a negative count": (openai(tokens="-5,100,0"), "line 2, input_tokens: '-5' is no number of tokens"),
    "half a token": (openai(tokens="5.5,100,0"), "line 2, input_tokens: '5.5' is no number of tokens"),
    "no number": (openai(tokens="many,100,0"), "line 2, input_tokens: 'many' is no number of tokens"),
    "more cached than asked": (openai(tokens="100,100,200"), "more than input: 100"),
    "neither yes nor no": (openai(batch="perhaps"), "line 2, batch: 'perhaps' is neither true nor false"),
    "a torn last line": (openai() + openai()[:40], "line 3: 3 cells under 13 columns: the line is torn"),
    "a quote that never ends": (openai() + '"' + openai(), "after line"),
    "no instant": (openai().replace("1793491200", "soon"), "line 2, start_time: 'soon' is no day and no instant"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_line_is_named(kind: str, line: Line):
    """File, line, column, and what is wrong; nothing is summed."""
    data, message = BROKEN[kind]

    assert message in line.fails("--usage", line.file("usage.csv", OPENAI + data))


def test_a_file_that_nobody_knows_names_its_columns(line: Line):
    """And says how to tell what they hold."""
    text = line.fails("--usage", line.file("usage.csv", "when,what\n2026-11-01,x\n"))

    assert "no mapping knows these columns: when, what" in text
    assert "--columns" in text
    assert "there is already a column" not in text
    assert "is empty" in line.fails("--usage", line.file("usage.csv", ""))
    assert "two columns are called 'a'" in line.fails("--usage", line.file("usage.csv", "a,a\n"))
    assert "cannot be read" in line.fails("--usage", "nowhere.csv")


def test_columns_of_ones_own_are_mapped(line: Line):
    """A semicolon file of somebody's gateway, by a mapping of a few lines."""
    mapping = "provider: openai\ninput: rest\ndelimiter: ';'\n"
    mapping += "columns: {at: day, model: m, input: plain, cached: hit, output: out}\n"
    data = "day;m;plain;hit;out\n2026-11-01;gpt-5.4;600;400;50\n"
    found = line.json("--usage", line.file("u.csv", data), "--columns", line.file("mine.yaml", mapping))

    assert (1000, 50) == (found["total"]["input_tokens"], found["total"]["output_tokens"])


@pytest.mark.parametrize(
    "mapping, message",
    [
        ("columns: {at: a, model: b, input: c, output: d}", "say `provider: openai`"),
        ("provider: x\ncolumns: {at: a, model: b, input: c}", "no column holds `output`"),
        ("provider: x\ncolumns: {at: a, model: b, input: c, output: d, colour: e}", "a column is one of"),
        ("provider: x\ninput: both\ncolumns: {at: a, model: b, input: c, output: d}", "`input` is `whole`"),
        ("provider: x\nheader: none\ncolumns: {at: a}", "'header' is none of"),
    ],
)
def test_a_wrong_mapping_says_what(mapping: str, message: str, line: Line):
    """With file, line and column."""
    text = line.fails("--usage", line.file("u.csv", "a,b,c,d\n"), "--columns", line.file("mine.yaml", mapping))

    assert message in text


def test_the_alternatives_are_those_of_the_configuration(line: Line):
    """With a llm.yaml beside it, its models are what the usage is compared with."""
    line.file("llm.yaml", "llm_config: {provider: anthropic, model: claude-haiku-4-5}\n")
    found = line.json("--usage", line.file("u.csv", OPENAI + openai()))

    assert ["anthropic/claude-haiku-4-5"] == list(found["alternatives"])


def test_the_page_has_the_numbers_of_the_text(line: Line):
    """`--html` writes them, and names no address."""
    file = line.file("u.csv", OPENAI + openai())
    _, out, _ = line("--usage", file)
    line("--usage", file, "--html", "page.html")
    text = (line.folder / "page.html").read_text("utf-8")

    assert "src=" not in text
    for word in [word for told in out.splitlines() if told[:2] == "  " for word in told.split() if "." in word]:
        assert word in text


def test_nothing_used_is_nothing_spent(line: Line):
    """A file with a header only."""
    found = line.json("--usage", line.file("u.csv", OPENAI))

    assert (0, 0, None) == (found["records"], found["days"], found["from"])
    assert "nothing was used" in line("--usage", line.file("u.csv", OPENAI))[1]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 50)), max_size=8))
def test_the_sum_is_the_sum_of_its_lines(rows: list[tuple[int, int, int]]):
    """Exactly, whatever the order."""
    from datetime import UTC, datetime

    from byollm_savings import Quotes
    from byollm_savings.recorded import Used, compare

    at = datetime(2026, 11, 1, tzinfo=UTC)
    records = [Used(at, "openai/gpt-5-mini", Billed(into, out), many) for into, out, many in rows]
    found = compare(records, ["openai/gpt-5.4"], Quotes())
    apart = [compare([record], [], Quotes()).total.cost for record in records]

    assert sum(apart, Decimal(0)) == found.total.cost
    assert found.total.cost == compare(reversed(records), [], Quotes()).total.cost


def test_the_shipped_mappings_fit_their_files():
    """The vendors' mappings do not claim each other's files."""
    headers = {
        "openai": OPENAI.strip().split(","),
        "anthropic": ANTHROPIC.strip().split(","),
        "generic": GENERIC.strip().split(","),
    }
    known = shipped_columns()

    assert {name: [name] for name in headers} == {
        name: [other for other in known if known[other].fits(header)] for name, header in headers.items()
    }
