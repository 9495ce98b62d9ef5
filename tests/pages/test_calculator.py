"""The calculator in a browser: its fields move its figures, and its figures are Python's."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from byollm_savings import Costing, Quotes, parse_workload
from byollm_savings.judge import judge_claim
from byollm_savings.text import bills, figure, number
from byollm_savings.workload_command import guide
from tests.pages.browser import Browser, Page, opened

WORKLOADS = [parse_workload(data, name) for name, data in guide().items()]
COSTING = Costing(Quotes())


@pytest.fixture
def page(browser: Browser, made: Callable[[str], Path]) -> Iterator[Page]:
    """The calculator, freshly opened."""
    with opened(browser, made("calculator")) as found:
        yield found


def cell(page: Page, key: str) -> str:
    """What stands in a cell."""
    return str(page.run(f"""document.querySelector('[data-cell="{key}"]').textContent"""))


def put(page: Page, at: int, name: str, value: object) -> None:
    """Type a number into a field."""
    field = f"""document.querySelector('input[data-work="{at}"][data-name="{name}"]')"""
    page.run(f"(() => {{ const it = {field}; it.value = '{value}';"
             " it.dispatchEvent(new Event('input', {bubbles: true})); })()")  # fmt: skip


def test_the_script_changes_nothing_when_it_starts(page: Page, made: Callable[[str], Path]) -> None:
    """What Python wrote into the cells is what the script computes."""
    written = dict(_cells(made("calculator").read_text("utf-8")))
    shown = page.run("Object.fromEntries([...document.querySelectorAll('[data-cell]')]"
                     ".map((it) => [it.dataset.cell, it.textContent]))")  # fmt: skip

    assert written == shown
    assert len(written) > 60


def _cells(text: str) -> Iterator[tuple[str, str]]:
    from html.parser import HTMLParser

    found: list[tuple[str, str]] = []

    class Reader(HTMLParser):
        """The cells of a page as text."""

        key: str | None = None

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.key = dict(attrs).get("data-cell")
            if self.key is not None:
                found.append((self.key, ""))

        def handle_endtag(self, tag: str) -> None:
            self.key = None

        def handle_data(self, data: str) -> None:
            if self.key is not None:
                found[-1] = (self.key, found[-1][1] + data)

    Reader().feed(text)
    yield from found


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_typed_the_figures_are_pythons(seed: int, page: Page) -> None:
    """Random numbers in every field of an assumption; every cost and every figure as Python writes it."""
    chance = random.Random(seed)
    at = seed % len(WORKLOADS)
    changes = {}
    for name, it in WORKLOADS[at].assumptions.items():
        drawn = Fraction(round(float(it.low) + chance.random() * float(it.high - it.low), 4)).limit_denominator(10_000)
        changes[name] = min(max(drawn, it.low), it.high)
        put(page, at, name, float(changes[name]))
    workload = WORKLOADS[at].changed(changes)

    for bill in bills(workload, COSTING):
        assert bill.year is not None
        assert number(bill.year, 0) == cell(page, f"{at}/{bill.approach.name}/year")
    for claim in workload.claims.values():
        found = judge_claim(workload, claim, COSTING)
        assert found.value is not None
        assert figure(claim.of, found.value, found.said[1]) == cell(page, f"{at}/{claim.name}/value")
        assert cell(page, f"{at}/{claim.name}/verdict").startswith(found.verdict)


def test_a_price_can_be_changed(page: Page) -> None:
    """Prices are fields like all others."""
    before = cell(page, "0/optimized/month")
    put(page, 0, "prices.openai/gpt-4.input", 60)

    assert float(before.replace(",", "")) < float(cell(page, "0/optimized/month").replace(",", ""))


def test_what_is_no_number_is_marked_and_changes_nothing(page: Page) -> None:
    """An empty or negative field keeps the figures, and says that it is wrong."""
    before = cell(page, "0/optimized/month")
    for wrong in ("", "-5", "abc"):
        put(page, 0, "documents.tokens", wrong)
        field = 'document.querySelector(\'input[data-work="0"][data-name="documents.tokens"]\')'

        assert "true" == page.run(f"{field}.getAttribute('aria-invalid')")
        assert before == cell(page, "0/optimized/month")


def test_the_numbers_of_the_file_come_back(page: Page) -> None:
    """The button puts every field and every figure back."""
    before = cell(page, "0/optimized/month")
    put(page, 0, "documents.tokens", 9999)
    assert before != cell(page, "0/optimized/month")
    page.run("document.querySelector('button[data-reset=\"0\"]').click()")

    assert before == cell(page, "0/optimized/month")
    assert ([], []) == (page.requests, page.complaints)
