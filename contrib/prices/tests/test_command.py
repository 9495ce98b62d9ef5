"""`byollm prices`: what is known of a price, where from and from when until when; and what is not known."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from byollm.cli.main import main
from byollm_prices.listing import Asked, find, instant, nearest
from byollm_prices.table import read_table

FILE = {
    "format": 1, "seller": "openai", "taken": "2026-11-20", "currency": "EUR", "sources": ["acme's page"],
    "models": [
        {"model": "large", "match": ["=large", "^large-2"], "rows": [
            {"until": "2026-01-01", "rates": {"input": "2", "output": "8"}, "source": 0},
            {"from": "2026-01-01", "until": "2026-06-01", "rates": {"input": "1", "output": "4"}, "source": 0},
            {"from": "2026-06-01", "rates": None, "source": 0},
            {"tier": "flex", "rates": {"input": "0.5", "output": "2", "cached": "0.1"}, "source": 0}]},
        {"model": "by-the-hour", "match": ["=by-the-hour"], "rows": []},
    ],
}  # fmt: skip
TABLE = read_table(FILE)


def reader(seller: str) -> Any:
    return TABLE if seller == "openai" else None


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert code == main(["prices", *words])
    captured = capsys.readouterr()
    return captured.out, captured.err


def inputs(found: Sequence[Any]) -> list[Decimal | None]:
    return [None if listed.row is None else listed.row.rates.input for listed in found]


@pytest.mark.parametrize(
    ("at", "prices"),
    [("2025-12-31", [Decimal(2), Decimal("0.5")]), ("2026-01-01", [Decimal(1), Decimal("0.5")]),
     ("2026-07-01T00:00+02:00", [None, Decimal("0.5")])],
)  # fmt: skip
def test_each_day_has_its_rows(at: str, prices: list[Decimal | None]):
    """From its first instant until the next row's; where nobody knows the price it is unknown."""
    assert prices == inputs(find("large", "openai", Asked(at=instant(at)), reader))


def test_rows_are_chosen_by_tier_and_all_times_are_there_when_asked_for():
    """And a model's other names are its names."""
    assert 4 == len(find("large-2026", None, Asked(), reader))
    assert [Decimal("0.5")] == inputs(find("large", None, Asked(tier="flex"), reader))


def test_a_model_that_is_not_sold_by_tokens_is_listed_as_unknown():
    """It is known, and its price is not; a name that nobody lists gives nothing."""
    assert [None] == inputs(find("by-the-hour", None, Asked(at=instant("2026-01-01")), reader))
    assert [] == find("nobodys", None, Asked(), reader)
    assert ["openai/large"] == nearest("larg", None, reader)


def test_the_shipped_prices_of_a_model_name_source_and_validity(capsys: pytest.CaptureFixture[str]):
    """On a day that is named; a price by size is one row each."""
    out, _ = told(capsys, "openai/gpt-6.1-sol", "--at", "2026-11-21", "--tier", "flex")

    assert "≤ 272,000" in out
    assert "from 2026-10-12" in out
    assert "source: genai-prices" in out
    assert "taken over on 2026-11-22" in out


def test_json_holds_the_same_as_data(capsys: pytest.CaptureFixture[str]):
    """Amounts are strings: no rounding on the way."""
    out, _ = told(
        capsys, "openai/gpt-6.1-sol", "--at", "2026-11-21", "--input-tokens", "272001", "--tier=flex", "--json"
    )
    (row,) = json.loads(out)["rows"]

    assert ("2", "0.1", "7.5") == tuple(row["rates"][name] for name in ("input", "cached", "output"))
    assert (272_000, None, "flex", "USD") == (row["above"], row["up_to"], row["tier"], row["currency"])
    assert "2026-11-21T00:00:00+00:00" == json.loads(out)["at"]


def test_a_region_adds_its_uplift(capsys: pytest.CaptureFixture[str]):
    """A tenth more for Claude processed in the United States, with the source of that."""
    out, _ = told(capsys, "anthropic/claude-opus-5", "--region", "us", "--tier", "standard", "--json")
    plain, _ = told(capsys, "anthropic/claude-opus-5", "--tier", "standard", "--json")
    rates = [Decimal(json.loads(text)["rows"][0]["rates"]["input"]) for text in (out, plain)]

    assert rates[0] == rates[1] * Decimal("1.1")
    assert "inference_geo" in json.loads(out)["rows"][0]["source"]


def test_without_a_provider_every_seller_is_looked_at(capsys: pytest.CaptureFixture[str]):
    """The same model may cost different sums at different doors."""
    out, _ = told(capsys, "claude-opus-4-5", "--json")

    assert len({row["seller"] for row in json.loads(out)["rows"]}) > 1


def test_a_provider_alone_lists_its_models_and_nothing_lists_the_sellers(capsys: pytest.CaptureFixture[str]):
    """By the provider's alias, too."""
    assert (
        json.loads(told(capsys, "google", "--json")[0])["rows"]
        == json.loads(told(capsys, "gemini", "--json")[0])["rows"]
    )
    sellers = json.loads(told(capsys, "--json")[0])["sellers"]

    assert {"openai", "anthropic", "google", "groq"} <= {seller["seller"] for seller in sellers}
    assert sum(seller["rows"] for seller in sellers) >= 300
    assert "openai" in told(capsys)[0]


def test_an_unknown_model_names_the_nearest(capsys: pytest.CaptureFixture[str]):
    """And no price: exit code 1."""
    out, error = told(capsys, "openai/gpt-5.44", code=1)

    assert "" == out
    assert "did you mean openai/gpt-5.4" in error
    assert "did you mean anthropic" in told(capsys, "antropic", code=1)[1]


def test_what_is_known_to_be_unknown_is_not_free(capsys: pytest.CaptureFixture[str]):
    """A listed model without a price by tokens."""
    out, _ = told(capsys, "deepseek/deepseek-chat")

    assert "unknown" in out
    assert [None] == [row["rates"] for row in json.loads(told(capsys, "deepseek/deepseek-chat", "--json")[0])["rows"]]


@pytest.mark.parametrize("words", [["--at", "yesterday"], ["--at", "2026-01-01T00:00"], ["--tier", "cheap"],
                                   ["--at", "2026-01-01", "--always"], ["--input-tokens", "-1"]])  # fmt: skip
def test_wrong_words_are_usage_faults(capsys: pytest.CaptureFixture[str], words: list[str]):
    """An instant without a time zone is many instants."""
    told(capsys, "openai/gpt-5.4", *words, code=2)
