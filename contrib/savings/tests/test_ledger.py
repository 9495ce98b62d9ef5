"""What the ledger recorded, priced for a baseline at the instant of each call."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from savings_line import Line, row, table

import byollm
import byollm_ledger
from byollm_sandbox import serve


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """Three calls at a dollar for input and two for output, a million each, and one whose price nobody knows."""
    path = tmp_path / "usage.db"
    with serve() as twin:
        place = {"provider": "custom", "endpoint": twin.url("openai-chat"), "api_key": "k-1234567890"}
        config = {
            "llm_config": {
                "known": {**place, "model": "priced", "pricing": {"input": 1, "output": 2}},
                "strange": {**place, "model": "unpriced"},
                "observers": [{"name": "ledger", "path": str(path)}],
            }
        }
        with byollm.Client(config) as client:
            for task in ("known", "known", "known", "strange"):
                client.complete("hello there", task=task)
    return str(path)


def change(path: str, column: str, value: Any) -> None:
    """What another program wrote into the first record."""
    list(byollm_ledger.read(path))
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE attempt SET {column} = ? WHERE id = (SELECT min(id) FROM attempt)", (value,))


def test_every_call_is_priced_for_the_baseline(line: Line, ledger: str):
    """What was paid is the ledger's own sum; the baseline's is the same tokens at the baseline's price."""
    rows = [it for it in byollm_ledger.read(ledger) if it.cost is not None]
    tokens = sum((it.input_tokens or 0) + (it.output_tokens or 0) for it in rows)
    prices = line.file("prices.json", table(row()))
    found = line.json("--ledger", ledger, "--baseline", "openai/gpt-5.4", "--prices", prices)
    other = found["alternatives"]["openai/gpt-5.4"]

    assert sum((it.cost or Decimal(0) for it in rows), Decimal(0)) == Decimal(found["total"]["cost"])
    assert Decimal(tokens) / 10**6 == Decimal(other["cost"])
    assert Decimal(other["saved"]) == Decimal(found["total"]["cost"]) - Decimal(other["cost"])


def test_the_baseline_is_priced_at_the_instant_of_each_call(line: Line, ledger: str):
    """A price that began at noon holds for the calls after it."""
    change(ledger, "at", 1_748_000_000)  # a call of May 2025, the others are of today
    rows = [it for it in byollm_ledger.read(ledger) if it.cost is not None]
    new = (row(until="2026-01-01"), row('"input": "3", "output": "3"', since="2026-01-01"))
    prices = line.file("prices.json", table(*new))
    found = line.json("--ledger", ledger, "--baseline", "openai/gpt-5.4", "--prices", prices)
    expected = sum(((it.input_tokens or 0) + (it.output_tokens or 0)) * (1 if it.at < 1.76e9 else 3) for it in rows)

    assert Decimal(expected) / 10**6 == Decimal(found["alternatives"]["openai/gpt-5.4"]["cost"])


def test_small_sums_can_be_told_apart(line: Line, ledger: str):
    """The amounts of a line have as many decimals as their difference needs: the line adds up."""
    prices = line.file("prices.json", table(row('"input": "1.01", "output": "1.99"')))
    _, out, _ = line("--ledger", ledger, "--baseline", "openai/gpt-5.4", "--prices", prices)
    (told,) = [it.split() for it in out.splitlines() if it.strip().startswith("openai/gpt-5.4")]
    cost, instead_of, saved = map(Decimal, told[1:4])

    assert saved
    assert abs(instead_of - cost - saved) <= abs(saved) / 5


def test_calls_that_cannot_be_priced_are_counted(line: Line, ledger: str):
    """One of four has no known cost, and an unknown baseline prices none."""
    found = line.json("--ledger", ledger, "--baseline", "openai/gpt-5.4", "--baseline", "openai/gpt-none")

    assert (4, 1) == (found["total"]["requests"], found["total"]["unpriced"])
    assert (3, 1) == tuple(found["alternatives"]["openai/gpt-5.4"][key] for key in ("requests", "unpriced"))
    assert (None, 4) == tuple(found["alternatives"]["openai/gpt-none"][key] for key in ("cost", "unpriced"))


def test_a_negative_count_of_a_record_is_named(line: Line, ledger: str):
    """The call is named, and nothing is summed."""
    change(ledger, "input_tokens", -5)

    assert "input: -5 is no number of tokens" in line.fails("--ledger", ledger, "--baseline", "openai/gpt-5.4")


def test_another_currency_in_the_ledger_is_named(line: Line, ledger: str):
    """Euros and dollars have no sum."""
    change(ledger, "currency", "EUR")

    assert "everything before it in EUR" in line.fails("--ledger", ledger, "--baseline", "openai/gpt-5.4")


def test_what_was_not_billed_is_not_priced(line: Line, ledger: str):
    """An attempt that cost nothing would have cost nothing elsewhere."""
    change(ledger, "billed", "no")
    found = line.json("--ledger", ledger, "--baseline", "openai/gpt-5.4")

    assert (3, 1) == (found["total"]["requests"], found["total"]["unpriced"])


def test_a_ledger_wants_a_baseline_and_must_be_there(line: Line, ledger: str):
    """Both are said."""
    assert "--ledger wants a baseline" in line.fails("--ledger", ledger)
    assert "there is no nowhere.db" in line.fails("--ledger", "nowhere.db", "--baseline", "a/b")
    assert "--columns belongs to --usage" in line.fails("--ledger", ledger, "--columns", "x")


def test_operations_a_month_come_from_a_week_of_the_ledger(line: Line, ledger: str):
    """Three days are no measure; with a call of eight days ago there is one."""
    before = line.json("decide", "--ledger", ledger)["sentences"][0]
    (newest,) = [it.at for it in list(byollm_ledger.read(ledger))[-1:]]
    change(ledger, "at", newest - 8 * 86_400)
    after = line.json("decide", "--ledger", ledger)["sentences"][0]

    assert None is before["holds"]
    assert (False, True) == (after["holds"], "holds 4 in 9 days" in after["because"])


def test_an_operation_of_several_attempts_is_one(line: Line, ledger: str):
    """A failover is no second operation."""
    newest = list(byollm_ledger.read(ledger))[-1].at
    with sqlite3.connect(ledger) as database:
        database.execute("UPDATE attempt SET at = ?, ordinal = 1 WHERE id = 2", (newest - 8 * 86_400,))
        database.execute("UPDATE attempt SET at = ? WHERE id = 1", (newest - 8 * 86_400,))

    assert "holds 3 in 9 days" in line.json("decide", "--ledger", ledger)["sentences"][0]["because"]
