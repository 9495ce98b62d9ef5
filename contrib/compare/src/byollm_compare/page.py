"""The comparison as one page: no script, nothing loaded from anywhere, light and dark, for desk and phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from byollm.types.version import VERSION
from byollm_compare.figures import SURE
from byollm_compare.report import Report, Summary
from byollm_compare.text import HEAD, difference, notes, row

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d8dee4; --head: #f4f6f8;
  --bar: #3b7dd8; --range: #a9c6ee; --bad: #8a1c12; --bad-back: #fde4e1; }
@media (prefers-color-scheme: dark) { :root { --paper: #101418; --ink: #e6ebf0; --faint: #9aa6b2; --line: #2c343c;
  --head: #181e24; --bar: #6ea8f5; --range: #2f4a6d; --bad: #ffb3aa; --bad-back: #3f1a17; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; max-width: 80rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
p { margin: .25rem 0; max-width: 70ch; color: var(--faint); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-size: .85rem; border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--head); }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 12rem; }
td { overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.bad { background: var(--bad-back); color: var(--bad); padding: .05rem .4rem; border-radius: .3rem; }
.scale { display: block; position: relative; height: .55rem; min-width: 6rem; margin-top: .25rem; border-radius: .2rem;
  background: var(--head); border: 1px solid var(--line); }
.scale i { position: absolute; top: 0; bottom: 0; background: var(--range); }
.scale b { position: absolute; top: -.15rem; bottom: -.15rem; width: .2rem; margin-left: -.1rem;
  background: var(--bar); }
@media (max-width: 60rem) {
  thead { display: none; }
  table, tbody, tr, th, td { display: block; min-width: 0; }
  th, td { border-bottom: 0; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  th, td, td.n { padding: .1rem .7rem; text-align: left; }
  td[data-of]::before { content: attr(data-of) ": "; color: var(--faint); }
  td:empty { display: none; }
}
""".strip()


def page(found: Report) -> str:
    """The whole document; its numbers are those of the text."""
    judged = f", {found.judged} with what was expected" if found.judged else ""
    task = f"Task {escape(found.task)}; " if found.task else ""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>byollm: deployments compared</title>",
        f"<style>\n{_STYLE}\n</style></head><body>",
        "<h1>Deployments compared on your own data</h1>",
        f"<p>{task}{escape(found.data.rsplit('/', 1)[-1])}: {found.samples} questions{judged}. Agreement with "
        f"{found.against}; the bar is where it lies in the long run, {SURE:.0%} sure. byollm {escape(VERSION)}.</p>",
        *_table(HEAD, [_cells(it) for it in found.summaries]),
        *_troubles(found),
        *(f"<p>{escape(line)}.</p>" for line in notes(found)),
        "<h2>Told apart</h2>",
        *_differences(found, told_apart=True),
        "<h2>Not told apart by this sample</h2>",
        *_differences(found, told_apart=False),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _cells(it: Summary) -> list[str]:
    cells = [escape(cell) for cell in row(it)]
    if it.answered < it.asked:
        cells[2] = f'<span class="bad">{cells[2]}</span>'
    found = it.agreement
    if found.mean is not None and found.low is not None and found.high is not None:
        left, width = found.low * 100, (found.high - found.low) * 100
        cells[3] += (
            f'<span class="scale"><i style="left: {left:.1f}%; width: {width:.1f}%"></i>'
            f'<b style="left: {found.mean * 100:.1f}%"></b></span>'
        )
    return cells


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells that are HTML already; the first is a heading, columns of figures stand to the right."""
    figures = {"cost", "per 1,000", "first ms", "p95", "total ms", "output"}
    names = [f"{header[at - 1]} {title}" if title == "p95" else title for at, title in enumerate(header)]
    kinds = [' class="n"' if title in figures else "" for title in header]
    heads = "".join(f'<th scope="col"{kind}>{title}</th>' for kind, title in zip(kinds, header, strict=True))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for first, *cells in rows:
        told = "".join(
            f'<td{kind} data-of="{name}">{cell}</td>'
            for kind, name, cell in zip(kinds[1:], names[1:], cells, strict=True)
        )
        yield f'<tr><th scope="row">{first}</th>{told}</tr>'
    yield "</tbody></table>"


def _troubles(found: Report) -> Iterator[str]:
    rows = [(it.deployment, name, str(count)) for it in found.summaries for name, count in it.failures.items()]
    rows += [(name, "not asked", reason) for name, reason in found.refused.items()]
    if rows:
        yield "<h2>Failures, and who was not asked</h2>"
        yield from _table(("deployment", "what", "how often, or why"), [[escape(cell) for cell in row] for row in rows])


def _differences(found: Report, *, told_apart: bool) -> Iterator[str]:
    rows = [difference(it) for it in found.differences if it.sign.told_apart == told_apart]
    if rows:
        yield from _table(("who", "by", "how clearly"), [[escape(cell) for cell in cells] for cells in rows])
    else:
        yield "<p>None.</p>"
