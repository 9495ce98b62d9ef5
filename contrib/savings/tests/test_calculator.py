"""The calculator's page: its script computes what Python computes, and nothing is loaded from anywhere."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import pytest
import quickjs
from hypothesis import given, settings
from hypothesis import strategies as st
from savings_line import WORKLOAD, Line, many

from byollm_savings import Costing, Quotes, Workload, judge, parse_workload
from byollm_savings.calculator import page, source
from byollm_savings.judge import judge_claim
from byollm_savings.model import model
from byollm_savings.text import bills
from byollm_savings.workload_command import guide

COSTING = Costing(Quotes())
WORKLOADS = {name: parse_workload(data, name) for name, data in guide().items()}
SCRIPT = quickjs.Context()
SCRIPT.eval(
    source("calculator.js").replace("const Savings", "var Savings")
    + """
    function answer(text) {
      const work = JSON.parse(text);
      const bills = work.approaches.map((it) => Savings.bill(work, it));
      return JSON.stringify({ bills, measures: work.claims.map((it) => Savings.measure(work, it)) });
    }
    function verdict(text, name) {
      const work = JSON.parse(text);
      return JSON.stringify(Savings.judge(work, work.claims.find((it) => it.name === name)));
    }"""
)


def ask(function: str, workload: Workload, *more: str) -> Any:
    """What the page's script answers."""
    return json.loads(SCRIPT.get(function)(json.dumps(model(workload, COSTING)), *more))


def close(expected: Fraction | None, actual: float | None) -> bool:
    """Equal, as far as a double holds it."""
    if expected is None or actual is None:
        return expected is actual
    return abs(float(expected) - actual) <= 1e-9 * max(abs(float(expected)), abs(actual), 1e-6)


@pytest.mark.parametrize("file", WORKLOADS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_script_computes_what_python_computes(file: str, data: st.DataObject):
    """Every cost and every figure, whatever numbers are put into the fields."""
    changes = {
        name: data.draw(st.fractions(it.low, it.high, max_denominator=1000), label=name)
        for name, it in WORKLOADS[file].assumptions.items()
    }
    workload = WORKLOADS[file].changed(changes)
    found = ask("answer", workload)

    for bill, there in zip(bills(workload, COSTING), found["bills"], strict=True):
        assert close(bill.document, there["document"])
        assert close(bill.month, there["month"])
        assert close(bill.year, there["year"])
    for claim, measured in zip(workload.claims.values(), found["measures"], strict=True):
        assert close(COSTING.measure(workload, claim), measured)


@pytest.mark.parametrize("file, claim", [(name, claim) for name, it in WORKLOADS.items() for claim in it.claims])
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_the_script_judges_as_python_judges(file: str, claim: str, data: st.DataObject):
    """The same verdict, on the same assumptions, with the same room and break-even values."""
    names = sorted(WORKLOADS[file].assumptions)
    changes = {}
    if names:
        name = data.draw(st.sampled_from(names))
        it = WORKLOADS[file].assumptions[name]
        changes[name] = data.draw(st.fractions(it.low, it.high, max_denominator=97))
    workload = WORKLOADS[file].changed(changes)
    here, there = judge_claim(workload, workload.claims[claim], COSTING), ask("verdict", workload, claim)

    assert (here.verdict, here.holds) == (there["verdict"], there["holds"])
    assert {it.assumption for it in here.depends_on} == {it["assumption"] for it in there["depends_on"]}
    others = {it["assumption"]: it for it in there["depends_on"]}
    for each in here.depends_on:
        other = others[each.assumption]
        ends = other["holds"] or [None, None]
        assert close(each.holds_from, ends[0])
        assert close(each.holds_to, ends[1])
        assert len(each.exactly) == len(other["exactly"])
        assert all(close(*pair) for pair in zip(each.exactly, other["exactly"], strict=True))


@pytest.mark.parametrize("count", [8, 9, 20])
def test_the_script_reaches_as_far_with_many_assumptions(count: int):
    """Where not every combination is tried, the page tries the same ones."""
    workload = parse_workload(many(count))
    here, there = judge_claim(workload, workload.claims["year"], COSTING), ask("verdict", workload, "year")

    assert here.verdict == there["verdict"]
    assert close(here.lowest, there["lowest"])
    assert close(here.highest, there["highest"])


def test_a_price_by_size_is_one_in_the_script_too():
    """Above 272,000 tokens the whole prompt of gpt-6.1-sol has another price."""
    for tokens in (271_800, 271_801):
        text = WORKLOAD.replace("{model: openai/gpt-5.4, pricing: {input: 2, output: 10}}", "openai/gpt-6.1-sol")
        workload = parse_workload(
            text.replace("value: 1000, low: 100, high: 5000", f"value: {tokens}, low: 1, high: 900000")
        )

        assert close(bills(workload, COSTING)[1].document, ask("answer", workload)["bills"][1]["document"])


def test_an_unknown_price_is_unknown_on_the_page():
    """Never zero."""
    text = WORKLOAD.replace("{model: openai/gpt-5.4, pricing: {input: 2, output: 10}}", "openai/gpt-imagined")
    workload = parse_workload(text)

    assert None is SCRIPT.eval(f"Savings.bill({json.dumps(model(workload, COSTING))}, "
                               f"{json.dumps(model(workload, COSTING))}.approaches[1]).year")  # fmt: skip
    assert "unknown" == ask("verdict", workload, "month")["verdict"]


def test_the_script_writes_numbers_as_python_does():
    """With so many digits, a half upwards, or with as many as tell four figures."""
    from byollm_savings.text import number

    numbers = [
        Fraction(text)
        for text in (
            "0",
            "104057.5",
            "0.30",
            "2495.80645",
            "0.0036",
            "1234567.5",
            "12",
            "999.95",
            "-5870.5",
            "-0.00001",
        )
    ]
    for value in numbers:
        expected = [number(value, 0), number(value, 4), number(value)]
        script = SCRIPT.eval(
            f"""JSON.stringify([0, 4, null].map((digits) => Savings.written({float(value)}, digits)))"""
        )

        assert expected == json.loads(script)


class _Reader(HTMLParser):
    """Every address that a page names, and every attribute that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.fields = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fields += tag == "input"
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset", "data", "poster"):
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def test_the_page_loads_nothing_and_has_a_field_for_every_number():
    """No address but places on the page itself; a policy that forbids all others."""
    text = page(list(WORKLOADS.values()), COSTING)
    found = _Reader()
    found.feed(text)

    assert all(address.startswith("#w") for address in found.addresses)
    assert [] == found.handlers
    assert "default-src 'none'" in text
    assert sum(len(model(it, COSTING)["values"]) for it in WORKLOADS.values()) == found.fields


def test_the_pages_numbers_are_those_of_the_json(line: Line):
    """What stands in the cells before any script runs is what `--json` prints, rounded."""
    found = line.json("--example", "guide", "--html", "page.html")
    text = (line.folder / "page.html").read_text("utf-8")
    cells = dict(re.findall(r'data-cell="([^"]+)"[^>]*>([^<]*)<', text))

    assert "page.html" == found["file"]
    for at, workload in enumerate(found["workloads"]):
        for name, sums in workload["approaches"].items():
            shown = cells[f"{at}/{name}/year"].replace(",", "")
            assert abs(float(shown) - float(sums["year"])) <= 0.5
        for name, claim in workload["claims"].items():
            assert cells[f"{at}/{name}/verdict"].startswith(claim["verdict"])


def test_a_text_of_a_workload_cannot_become_markup():
    """Whatever stands in a file, the page shows it."""
    text = WORKLOAD.replace("a small shop", '"</script><script>alert(1)</script>"')
    found = page([parse_workload(text)], COSTING)

    assert "<script>alert" not in found
    assert 2 == found.count("</script>")


def test_every_claim_is_judged_once():
    """The page and the table speak of the same claims."""
    for workload in WORKLOADS.values():
        assert list(workload.claims) == [it.claim.name for it in judge(workload, COSTING)]
