"""`byollm usage`: tables, JSON, page and export say the same, and what they say is what was booked."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from ledger_clients import Model, client_of, reported, target

import byollm
from byollm.cli.main import main
from byollm.testing import ManualClock
from byollm.types.usage import Usage
from byollm_ledger import Ledger, read
from byollm_ledger.address import open_store
from byollm_ledger.cells import zone_of
from byollm_ledger.fold import write
from byollm_ledger.page import page
from byollm_ledger.report import DIMENSIONS
from byollm_ledger.sample import NOW, sample_report, sample_rows
from byollm_sandbox import Answer, Twins


@pytest.fixture
def month(path: str) -> str:
    """A ledger with some invented weeks in it."""
    store = open_store(path)
    with store.transaction():
        write(store, sample_rows(store, 600))
    store.close()
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints; it must succeed."""
    assert 0 == main(["usage", *words])
    return capsys.readouterr().out


def test_the_tables_show_what_was_spent(config: dict[str, Any], twin: Twins, path: str, capsys: Any) -> None:
    """By task, provider, tenant and model, with the line that says whose keys paid."""
    twin.script(Answer(parts="42", usage=Usage(1000, 500)))
    with byollm.Client(config) as client:
        client.complete("hi")
    text = said(capsys, "--ledger", path)

    assert "Calls paid with platform keys:  0" in text
    assert "0.002000 EUR" in text
    for heading in (
        "Day by day",
        "By task",
        "By provider",
        "By tenant",
        "By model",
        "Provider mix",
        "What to negotiate",
    ):
        assert heading in text


def test_an_unknown_price_is_unknown_and_not_zero(config: dict[str, Any], twin: Twins, path: str, capsys: Any) -> None:
    """In the tables and on the page, beside what is known as well."""
    twin.script(Answer(parts="42", usage=Usage(1000, 500)), Answer(parts="42", usage=Usage(1000, 500)))
    del config["llm_config"]["deployments"]["second"]["pricing"]
    with byollm.Client(config) as client:
        client.complete("hi", deployment="second")
    alone = said(capsys, "--ledger", path)
    with byollm.Client(config) as client:
        client.complete("hi", deployment="first")
    both = said(capsys, "--ledger", path)
    said(capsys, "--ledger", path, "--html", str(Path(path).parent / "page.html"))

    assert ["spent", "unknown"] == next(line for line in alone.splitlines() if line.startswith("  spent ")).split()
    assert "spent                           0.002000 EUR + unknown" in both
    assert '<span class="sum">unknown</span>' in (Path(path).parent / "page.html").read_text("utf-8")


def test_the_configuration_names_the_ledger(
    config: dict[str, Any], path: str, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the cheapest deployment that the task's rules allow is looked for in it."""
    config["llm_config"]["deployments"]["second"]["pricing"] = {"input": "0.1", "output": "0.1", "currency": "EUR"}
    with byollm.Client(config) as client:
        client.complete("hi", max_tokens=50)
    (tmp_path / "llm.yaml").write_text(yaml.safe_dump(config), "utf-8")
    monkeypatch.chdir(tmp_path)
    found = json.loads(said(capsys, "--json"))

    [row] = found["negotiate"]["tasks"]
    [booked] = read(path)
    tokens = (booked.input_tokens or 0) + (booked.output_tokens or 0)
    assert ("sums", "second") == (row["task"], row["cheapest"])
    assert Decimal(row["cheapest_cost"]) == Decimal(tokens) / 10_000_000
    assert 1 == len(list(read(path)))


def test_a_task_is_only_shown_what_its_rules_allow(twin: Twins, path: str, tmp_path: Path, capsys: Any) -> None:
    """The cheap one is not for this task: it is no advice."""
    deployments = {
        "dear": target(twin, "dear"),
        "cheap": target(twin, "cheap", pricing={"input": 0, "output": 0, "currency": "EUR"}),
    }
    llm = {
        "deployments": deployments,
        "tasks": {"sums": {"route": ["dear"]}},
        "observers": [{"name": "ledger", "path": path}],
    }
    with byollm.Client({"llm_config": llm}) as client:
        client.complete("hi")
    (tmp_path / "llm.yaml").write_text(yaml.safe_dump({"llm_config": llm}), "utf-8")

    found = json.loads(said(capsys, "--json", "--config", str(tmp_path / "llm.yaml")))
    assert ["dear"] == found["negotiate"]["tasks"][0]["allowed"]


@pytest.mark.parametrize("by", DIMENSIONS)
def test_every_group_adds_up_to_the_whole(month: str, by: str) -> None:
    """Calls, tokens, and each currency for itself."""
    found = reported(month, by=[(by,)], now=NOW)
    rows, total = found["groups"][by], found["total"]

    for name in ("calls", "attempts", "failed", "input_tokens", "output_tokens", "unsure"):
        assert total[name] == sum(row[name] for row in rows)
    for currency, amount in total["cost"].items():
        assert amount == sum(row["cost"].get(currency, Decimal(0)) for row in rows)


def test_rollups_and_rows_say_the_same(month: str) -> None:
    """`--exact` counts the rows."""
    kept, exact = (reported(month, exact=flag, now=NOW) for flag in (False, True))

    assert {**kept, "exact": True} == exact


def test_groups_may_be_combined(month: str, capsys: Any) -> None:
    """`--by tenant,task`."""
    found = json.loads(said(capsys, "--ledger", month, "--by", "tenant,task", "--json"))

    assert {"tenant,task"} == set(found["groups"])
    assert {"acme", "globex", "–"} == {row["tenant"] for row in found["groups"]["tenant,task"]}


def test_time_is_cut_where_it_is_asked(path: str, capsys: Any) -> None:
    """From a day until another, in the days of a time zone."""
    clock = ManualClock(datetime(2026, 11, 3, 22, 30, tzinfo=UTC).timestamp())
    with client_of(Model(), clock=clock, observers=[Ledger(path)]) as client:
        for _ in range(4):
            client.complete("hi")
            clock.now += 3600

    def days(*words: str) -> dict[str, int]:
        found = json.loads(said(capsys, "--ledger", path, "--json", "--by", "day", *words))
        return {row["day"]: row["calls"] for row in found["groups"]["day"]}

    assert {"2026-11-03": 2, "2026-11-04": 2} == days()
    assert {"2026-11-03": 1, "2026-11-04": 3} == days("--timezone", "Europe/Berlin")
    assert {"2026-11-04": 3} == days("--timezone", "Europe/Berlin", "--since", "2026-11-04")
    assert {"2026-11-03": 2} == days("--until", "2026-11-04")
    assert {"2026-11-03": 1} == days("--since", "2026-11-03T23:00Z", "--until", "2026-11-04T00:00Z", "--exact")


def test_the_forecast_goes_on_as_the_last_days_went(path: str) -> None:
    """Ten of thirty days at one a day: thirty at the end of the month."""
    clock = ManualClock(datetime(2026, 11, 1, 0, 0, tzinfo=UTC).timestamp())
    with client_of(Model(Usage(1_000_000, 0)), clock=clock, observers=[Ledger(path)]) as client:
        for _ in range(10):
            client.complete("hi")
            clock.now += 86_400

    forecast = reported(path, now=clock.now)["forecast"]
    assert ({"EUR": Decimal(10)}, 30) == (forecast["spent"], forecast["days"])
    assert {"EUR": Decimal(30)} == forecast["expected"]


def test_a_forecast_of_unknown_prices_is_unknown(path: str, tmp_path: Path, capsys: Any) -> None:
    """Where nobody knows a price, nobody knows what the month will cost: it is not zero."""
    with client_of(Model(Usage(1_000_000, 0)), price=None, observers=[Ledger(path)]) as client:
        client.complete("hi")
    main(["usage", "--ledger", path, "--html", str(tmp_path / "page.html")])
    page = (tmp_path / "page.html").read_text("utf-8")
    expected = page.partition("expected in ")[2].partition("</div>")[0]

    assert 2 == expected.count("unknown")
    assert (1, 1) == tuple(reported(path)["forecast"][name] for name in ("unpriced", "recent_unpriced"))


def test_what_to_negotiate_is_arithmetic(path: str) -> None:
    """Volume, what was paid, what a million tokens cost, what discounts would save."""
    with client_of(Model(Usage(1_000_000, 500_000)), observers=[Ledger(path)]) as client:
        for _ in range(3):
            client.complete("hi")

    [row] = reported(path)["negotiate"]["models"]
    assert (3, 3_000_000, 1_500_000, Decimal(6)) == (
        row["calls"],
        row["input_tokens"],
        row["output_tokens"],
        row["paid"],
    )
    assert Decimal("1.333333333333") == row["paid_per_million_tokens"]
    assert {"5%": Decimal("0.3"), "10%": Decimal("0.6"), "20%": Decimal("1.2")} == row["saved_at"]


def test_the_list_price_stands_beside_what_was_paid(twin: Twins, path: str) -> None:
    """Where an installed price list knows the model at its vendor."""
    from byollm_ledger.fold import Fold
    from byollm_ledger.row import Kind
    from byollm_ledger.schema import COLUMNS

    store = open_store(path)
    with store.transaction():
        kind = Fold(store, "x").kind(Kind(None, "t", "o", "openai", "gpt-4o", "api.openai.com", False, None, "own"))
        known = {"call": "a", "ordinal": 0, "kind": kind, "at": NOW, "number": 1, "sent": "yes", "billed": "yes",
                 "input_tokens": 1_000, "output_tokens": 0, "cost": 10**9, "currency": "USD"}  # fmt: skip
        write(store, [tuple(known.get(name) for name in COLUMNS)])
    store.close()

    [row] = reported(path, now=NOW)["negotiate"]["models"]
    assert (Decimal("0.001"), Decimal("0.0025")) == (row["paid"], row["list_cost"])


class Numbers(HTMLParser):
    """Every number of a page with its place in the JSON, and whatever would be loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.loads: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "data":
            self.found.append((known["data-at"] or "", known["value"] or ""))
        if tag in ("script", "link", "img", "iframe", "object", "embed") or {"src", "href"} & known.keys():
            self.loads.append((tag, str(known)))


def at(found: Any, place: str) -> str:
    """The value of the JSON at a place."""
    for step in place.split("/"):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return str(found)


def test_every_number_of_the_page_is_that_of_the_json() -> None:
    """Each says where it comes from; nothing is loaded from anywhere; the whole is small."""
    found = sample_report(800)
    text = page(found)
    numbers = Numbers(text)

    assert len(numbers.found) > 300
    assert [] == [(place, value) for place, value in numbers.found if at(found, place) != value]
    assert [] == numbers.loads
    assert "url(" not in text
    assert len(text.encode()) < 6_000_000


def test_the_page_is_small_whatever_is_in_it(month: str) -> None:
    """Thousands of groups are cut, and it says so."""
    found = sample_report(50)
    found["groups"]["task"] = [{**found["groups"]["task"][0], "task": f"task <b>{n}</b>"} for n in range(9000)]
    text = page(found)

    assert len(text.encode()) < 6_000_000
    assert "The first 1,000 of 9,000" in text
    assert "<b>" not in text


def test_the_page_is_written_beside_the_json(month: str, tmp_path: Path, capsys: Any) -> None:
    """Both by one command, from one reading."""
    file = tmp_path / "usage.html"
    found = json.loads(said(capsys, "--ledger", month, "--html", str(file), "--json"))

    numbers = Numbers(file.read_text("utf-8"))
    assert [] == [(place, value) for place, value in numbers.found if at(found, place) != value]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_export_has_every_row(month: str, tmp_path: Path, capsys: Any, form: str) -> None:
    """With every field, and amounts as they were booked."""
    file = tmp_path / f"rows.{form}"
    said(capsys, "export", "--ledger", month, "--output", str(file))
    text = file.read_text("utf-8")
    found = (
        [json.loads(line) for line in text.splitlines()] if form == "jsonl" else list(csv.DictReader(io.StringIO(text)))
    )

    kept = list(read(month))
    assert [row.call for row in kept] == [row["call"] for row in found]
    assert sum((row.cost or Decimal(0)) for row in kept) == sum(Decimal(row["cost"] or 0) for row in found)


def test_an_exported_cell_is_no_formula(path: str, capsys: Any) -> None:
    """Names come from callers; a spreadsheet is told that they are text."""
    from byollm_ledger.fold import Fold
    from byollm_ledger.row import Kind
    from byollm_ledger.schema import COLUMNS

    store = open_store(path)
    with store.transaction():
        kind = Fold(store, "x").kind(Kind("=cmd()", "-1", "@o", "p", "m", None, False, None, "own"))
        known = {"call": "a", "ordinal": 0, "kind": kind, "at": NOW, "billed": "no"}
        write(store, [tuple(known.get(name) for name in COLUMNS)])
    store.close()

    [row] = csv.DictReader(io.StringIO(said(capsys, "export", "--ledger", path, "--format", "csv")))
    assert ("'=cmd()", "-1", "'@o") == (row["tenant"], row["task"], row["deployment"])


def test_what_is_unknown_is_listed_and_settled(path: str, capsys: Any) -> None:
    """One by one, as billed or not; the totals follow."""
    with client_of(Model(), observers=[Ledger(path)]) as client:
        for _ in range(2):
            with client.stream("hi", max_tokens=10) as stream:
                next(iter(stream))
    listed = json.loads(said(capsys, "reconcile", "--ledger", path, "--json"))
    assert ["CancelledError"] * 2 == [row["error"] for row in listed]
    assert listed[0]["attempt"] in said(capsys, "reconcile", "--ledger", path)

    words = ("--billed", "yes", "--cost", "0.25", "--currency", "EUR")
    said(capsys, "reconcile", "--ledger", path, "--settle", listed[0]["attempt"], *words)
    said(capsys, "reconcile", "--ledger", path, "--settle", listed[1]["attempt"], "--billed", "no")

    total = reported(path)["total"]
    assert ({"EUR": Decimal("0.25")}, 0) == (total["cost"], total["unsure"])
    assert "Everything is certain" in said(capsys, "reconcile", "--ledger", path)


@pytest.mark.parametrize("words", [
    ["--by", "colour"], ["--since", "yesterday"], ["--since", "2026-02-01", "--until", "2026-01-01"],
    ["reconcile", "--settle", "x"], ["reconcile", "--settle", "x:0", "--billed", "yes"], ["export", "--format", "xls"],
    ["--since", "99999999999d"], ["--since", "9999999999999999d"], ["exprot"], ["reconcile", "--billed", "no"],
    ["reconcile", "--settle", "x:²", "--billed", "no"], ["reconcile", "--settle", f"x:{10**30}", "--billed", "no"],
    ["reconcile", "--settle", "x:0", "--billed", "no", "--currency", "USD"],
    *(["reconcile", "--settle", "x:0", "--billed", "yes", "--currency", "USD", "--cost", cost]
      for cost in ("nan", "snan", "inf", "1e999999999", "9999999", "1,5")),
], ids=" ".join)  # fmt: skip
def test_wrong_words_are_told(month: str, words: list[str], capsys: Any) -> None:
    """With exit code 2."""
    assert 2 == main(["usage", *words, "--ledger", month])
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--html", "{}"], ["export", "--output", "{}"], ["export", "--output", "{}/no/x"]])
def test_a_file_that_cannot_be_written_is_named(month: str, words: list[str], tmp_path: Path, capsys: Any) -> None:
    """A folder in its place, or one that is not there."""
    assert 1 == main(["usage", *(word.format(tmp_path) for word in words), "--ledger", month])
    error = capsys.readouterr().err
    assert f"error: {words[-1].format(tmp_path)} cannot be written" in error
    assert f"{words[-2]} names another file" in error


def test_the_days_of_a_time_zone_begin_with_an_hour() -> None:
    """Rollups are kept by the hour of UTC: other zones are refused."""
    assert "Europe/Berlin" == zone_of("Europe/Berlin").key
    with pytest.raises(byollm.errors.ConfigError, match="do not begin with an hour"):
        zone_of("Asia/Kolkata")
