"""The matrix as one page: no script, nothing loaded from anywhere, light and dark, for a desk and for a phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from byollm.cli.matrix_cells import STATES, Cell, Column
from byollm.cli.matrix_features import FEATURES, Feature
from byollm.types.version import VERSION

MARKS: Final = {"works": "●", "adapted": "◐", "refused": "○", "unknown": "?"}
MEANING: Final = {
    "works": "sent as asked, and the plugin declares that it works",
    "adapted": "mapped or left out; reply.adjustments says what",
    "refused": "UnsupportedFeatureError before any byte leaves",
    "unknown": "nobody has said; it is sent as it stands",
}

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d8dee4; --head: #f4f6f8;
  --works: #dff3e4; --works-ink: #0a5a25; --adapted: #fff1cc; --adapted-ink: #704a00;
  --refused: #fde4e1; --refused-ink: #8a1c12; --unknown: #eceff2; --unknown-ink: #4b545e; }
@media (prefers-color-scheme: dark) { :root { --paper: #101418; --ink: #e6ebf0; --faint: #9aa6b2; --line: #2c343c;
  --head: #181e24; --works: #12351f; --works-ink: #8fe0a6; --adapted: #3a2e0c; --adapted-ink: #f0cd77;
  --refused: #3f1a17; --refused-ink: #ffb3aa; --unknown: #21282f; --unknown-ink: #b4bfca; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; scroll-margin-top: 1rem; }
p { margin: .25rem 0; max-width: 70ch; color: var(--faint); }
a { color: inherit; text-decoration: none; }
a:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
.keys { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; list-style: none; margin: 1rem 0; padding: 0; }
.keys b, .state { padding: .05rem .45rem; border-radius: .3rem; font-weight: 600; white-space: nowrap; }
.works { background: var(--works); color: var(--works-ink); }
.adapted { background: var(--adapted); color: var(--adapted-ink); }
.refused { background: var(--refused); color: var(--refused-ink); }
.unknown { background: var(--unknown); color: var(--unknown-ink); }
.scroll { overflow: auto; max-height: 92vh; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: separate; border-spacing: 0; font-size: .82rem; }
th, td { border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
thead th { position: sticky; top: 0; z-index: 2; background: var(--head); padding: .5rem .6rem; text-align: left;
  vertical-align: bottom; min-width: 6.6rem; }
thead small { display: block; font-weight: 400; color: var(--faint); overflow-wrap: anywhere; }
tbody th { position: sticky; left: 0; z-index: 1; background: var(--head); padding: .3rem .6rem; text-align: left;
  font-weight: 500; white-space: nowrap; }
thead th:first-child { left: 0; z-index: 3; }
tr.group th { font-weight: 700; font-size: .75rem; letter-spacing: .04em; text-transform: uppercase;
  color: var(--faint); }
td a { display: block; padding: .3rem .6rem; white-space: nowrap; }
td small { display: block; font-size: .7rem; opacity: .85; }
.why { display: grid; grid-template-columns: max-content max-content 1fr max-content; gap: .25rem .75rem;
  align-items: baseline; font-size: .85rem; margin: 0; }
.why > div { display: contents; }
.why dt { font-weight: 600; }
.why dd { margin: 0; }
.why code, td small { font-family: ui-monospace, monospace; }
.why code { color: var(--faint); font-size: .75rem; }
.why > div:target > * { text-decoration: underline; }
.why dd.checks { max-width: 22rem; text-align: right; }
@media (max-width: 46rem) {
  tbody th { white-space: normal; max-width: 7.5rem; }
  thead th { min-width: 5.8rem; }
  .why { grid-template-columns: max-content 1fr; }
  .why dd.reason, .why dd.checks { grid-column: 1 / -1; text-align: left; max-width: none; }
  .why dd.checks { margin-bottom: .6rem; overflow-wrap: anywhere; }
}
""".strip()


def page(columns: Sequence[Column]) -> str:
    """The whole document."""
    asked = [column for column in columns if column.cells]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>byollm: features and providers</title>",
        f"<style>\n{_STYLE}\n</style></head><body>",
        "<h1>Features and providers</h1>",
        f"<p>{_intro(asked)}</p>",
        *_keys(asked),
        *_table(asked),
        *_problems(columns),
        "<h2>Why, and what holds it</h2>",
        "<p>Each line names the conformance checks that hold its cell; <code>byollm conform NAME</code> runs them.</p>",
        *(line for feature in FEATURES for line in _why(feature, asked)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _intro(columns: Sequence[Column]) -> str:
    return (
        f"byollm {escape(VERSION)}: {len(FEATURES)} features at {len(columns)} models. Every cell is what the "
        "installed plugin makes of a request that needs the feature; nothing was sent."
    )


def _keys(columns: Sequence[Column]) -> Iterator[str]:
    counts = Counter(cell.state for column in columns for cell in column.cells.values())
    yield '<ul class="keys">'
    for state in STATES:
        yield f'<li><b class="{state}">{MARKS[state]} {state} {counts[state]}</b> {MEANING[state]}</li>'
    yield "</ul>"


def _table(columns: Sequence[Column]) -> Iterator[str]:
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Matrix"><table>'
    heads = "".join(
        f'<th scope="col">{escape(column.provider)}<small>{_under(column)}</small></th>' for column in columns
    )
    yield f'<thead><tr><th scope="col">feature</th>{heads}</tr></thead><tbody>'
    group = ""
    for feature in FEATURES:
        if feature.group != group:
            group = feature.group
            yield f'<tr class="group"><th scope="rowgroup">{escape(group)}</th><td colspan="{len(columns)}"></td></tr>'
        cells = "".join(_cell(feature, number, column) for number, column in enumerate(columns))
        yield f'<tr><th scope="row">{escape(feature.title)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _under(column: Column) -> str:
    window = column.limits.get("context_window")
    tokens = f"{window:,} tokens" if window else "window unknown"
    return f"{escape(column.model)}<br>{tokens}"


def _cell(feature: Feature, number: int, column: Column) -> str:
    cell = column.cells[feature.name]
    label = escape(f"{column.provider}: {cell.state}. {cell.reason} {' '.join(cell.checks)}", quote=True)
    more = f" +{len(cell.checks) - 1}" if len(cell.checks) > 1 else ""
    return (
        f'<td class="{cell.state}"><a href="#{feature.name}-{number}" title="{label}">{MARKS[cell.state]} {cell.state}'
        f"<small>{cell.checks[0]}{more}</small></a></td>"
    )


def _problems(columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        if column.problem:
            name, problem = escape(column.provider), escape(column.problem)
            yield f'<p><b class="state refused">{name}</b> could not be asked: {problem}</p>'


def _why(feature: Feature, columns: Sequence[Column]) -> Iterator[str]:
    yield f'<h3 id="{feature.name}">{escape(feature.title)} <small><code>{feature.name}</code></small></h3>'
    yield '<dl class="why">'
    for number, column in enumerate(columns):
        yield _line(f"{feature.name}-{number}", column, column.cells[feature.name])
    yield "</dl>"


def _line(anchor: str, column: Column, cell: Cell) -> str:
    state = f'<span class="state {cell.state}">{MARKS[cell.state]} {cell.state}</span>'
    reason, checks = escape(cell.reason), " ".join(cell.checks)
    return (
        f'<div id="{anchor}"><dt>{escape(column.provider)}</dt><dd>{state}</dd>'
        f'<dd class="reason">{reason}</dd><dd class="checks"><code>{checks}</code></dd></div>'
    )
