"""The calculator: one page with every number of some workloads in a field, its own script, nothing loaded."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from byollm.types.version import VERSION
from byollm_savings import text
from byollm_savings.cost import Costing
from byollm_savings.judge import DEPENDS, Dependence, Judgement, judge
from byollm_savings.model import model
from byollm_savings.style import STYLE
from byollm_savings.workload import Workload


def page(workloads: Sequence[Workload], costing: Costing) -> str:
    """The whole document. Raises PriceFileError and CurrencyError for prices that cannot be used."""
    script = f"{source('calculator.js')}\n{source('calculator_page.js')}"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    models = json.dumps([model(workload, costing) for workload in workloads]).replace("<", "\\u003c")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'\">",
        "<title>byollm: cost optimization calculator</title>",
        f"<style>\n{STYLE}\n</style></head><body>",
        "<h1>Cost optimization calculator</h1>",
        f"<p>byollm {escape(VERSION)}. Every number is in a field: change it, and what follows changes. Nothing "
        "leaves this page. Prices are those of the day named; a price that nobody knows is unknown, never zero.</p>",
        "<nav><ol>",
        *(f'<li><a href="#w{at}">{escape(workload.title)}</a></li>' for at, workload in enumerate(workloads)),
        "</ol></nav>",
    ]
    for at, workload in enumerate(workloads):
        parts += _section(at, workload, costing)
    parts += [
        f'<script type="application/json" id="workloads">{models}</script>',
        f"<script>{script}</script>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def source(name: str) -> str:
    """A script of this package."""
    return (files("byollm_savings") / name).read_text("utf-8")


def _section(at: int, workload: Workload, costing: Costing) -> Iterator[str]:
    yield f'<section><h2 id="w{at}">{escape(workload.title)}</h2>'
    source = escape(workload.source.rsplit("/", 1)[-1])
    yield f"<p>{source}, prices of {workload.at:%Y-%m-%d}, {escape(workload.currency)}.</p>"
    yield from _head("approach", "=a document", "=a month", "=a year", "")
    for bill in text.bills(workload, costing):
        sums = (("document", bill.document, 4), ("month", bill.month, 0), ("year", bill.year, 0))
        cells = "".join(
            f'<td class="sum" data-of="a {key}" data-cell="{at}/{bill.approach.name}/{key}">'
            f"{'unknown' if value is None else text.number(value, digits)}</td>"
            for key, value, digits in sums
        )
        what = f'<td class="why">{escape(bill.approach.what)}</td>'
        yield f'<tr><th scope="row">{escape(bill.approach.name)}</th>{cells}{what}</tr>'
    yield "</tbody></table>"
    if workload.claims:
        yield "<h3>What was said, and what is computed</h3>"
        yield from _head("said", "=computed", "verdict", "while")
        for found in judge(workload, costing):
            yield _claim(at, found)
        yield "</tbody></table>"
    yield from _fields(at, model(workload, costing)["values"], workload)
    yield f'<button type="button" data-reset="{at}">Back to the numbers of the file</button></section>'


def _head(*titles: str) -> Iterator[str]:
    """The head of a table; a title that begins with = stands over sums."""
    cells = "".join(
        f'<th scope="col" class="sum">{title[1:]}</th>' if title[:1] == "=" else f'<th scope="col">{title}</th>'
        for title in titles
    )
    yield f"<table><thead><tr>{cells}</tr></thead><tbody>"


def _claim(at: int, found: Judgement) -> str:
    key = f"{at}/{found.claim.name}"
    shown = "unknown" if found.value is None else text.figure(found.claim.of, found.value, found.said[1])
    word = found.verdict
    if word == DEPENDS:
        word += ", holds here" if found.holds else ", not here"
    kind = found.verdict.replace(" ", "-") + (" off" if found.verdict == DEPENDS and not found.holds else "")
    why = escape(found.problem or "\n".join(_room(it) for it in found.depends_on[:3]))
    return (
        f'<tr><th scope="row">{escape(found.claim.says)}</th>'
        f'<td class="sum" data-of="computed" data-cell="{key}/value">{shown}</td>'
        f'<td><span class="state {kind}" data-cell="{key}/verdict">{word}</span></td>'
        f'<td class="why" data-cell="{key}/why">{why}</td></tr>'
    )


def _room(it: Dependence) -> str:
    if it.holds_from is None:
        return f"{it.assumption} alone cannot make it hold"
    return f"{it.assumption} = {text.number(it.value)}: {text.room(it)}"


def _fields(at: int, values: dict[str, float], workload: Workload) -> Iterator[str]:
    """Assumptions in sight; what was said, and the prices, behind a line."""
    groups = {
        "Assumptions: put your numbers here": [name for name in values if name in workload.assumptions],
        "Numbers of the file": [
            name for name in values if name not in workload.assumptions and name in workload.values
        ],
        "Prices per million tokens": [name for name in values if name not in workload.values],
    }
    for title, names in groups.items():
        if not names:
            continue
        fields = "".join(_field(at, name, values[name], workload) for name in names)
        field = f"<fieldset><legend>{title}</legend>{fields}</fieldset>"
        shut = not title.startswith("Assumptions")
        yield f"<details><summary>{title} ({len(names)})</summary>{field}</details>" if shut else field


def _field(at: int, name: str, value: float, workload: Workload) -> str:
    it = workload.assumptions.get(name)
    why = "" if it is None else f"<small>{text.number(it.low)} to {text.number(it.high)}: {escape(it.why)}</small>"
    return (
        f'<label>{escape(name)}<input type="number" min="0" step="any" value="{value}" data-work="{at}" '
        f'data-name="{escape(name)}">{why}</label>'
    )
