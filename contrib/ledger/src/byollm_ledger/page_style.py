"""How the page looks."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d8dee4; --head: #f4f6f8;
  --bar: #2f6f9f; --one: #2f6f9f; --two: #b3622a; --three: #4a7d3c; --four: #7b559c; --five: #9c4a55; --six: #5f6b76; }
@media (prefers-color-scheme: dark) { :root { --paper: #101418; --ink: #e6ebf0; --faint: #9aa6b2; --line: #2c343c;
  --head: #181e24; --bar: #6fb1de; --one: #6fb1de; --two: #e0a070; --three: #93c884; --four: #bd9bdc; --five: #dc939d;
  --six: #a3aeb9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; max-width: 78rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
p { margin: .25rem 0 .6rem; max-width: 75ch; color: var(--faint); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.tiles div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; min-width: 0; }
.tiles dt { color: var(--faint); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.25rem; font-weight: 600; overflow-wrap: anywhere; }
.tiles dd.more { font-size: .85rem; font-weight: 400; color: var(--faint); }
.sum { white-space: nowrap; }
.chart, .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; margin-bottom: .75rem; }
.chart svg { display: block; width: 100%; min-width: 30rem; height: auto; font: 12px system-ui, sans-serif; }
.chart text { fill: var(--faint); }
.chart .bar { fill: var(--bar); }
.chart .rule { stroke: var(--line); }
.chart .s0 { fill: var(--one); } .chart .s1 { fill: var(--two); } .chart .s2 { fill: var(--three); }
.chart .s3 { fill: var(--four); } .chart .s4 { fill: var(--five); } .chart .s5 { fill: var(--six); }
table { border-collapse: collapse; width: 100%; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line); }
tr:last-child > * { border-bottom: 0; }
thead th { background: var(--head); white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
time { white-space: nowrap; }
@media (max-width: 46rem) {
  table.tall thead { display: none; }
  table.tall, table.tall tbody, table.tall tr, table.tall th, table.tall td { display: block; border: 0; }
  table.tall tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  table.tall tr:last-child { border-bottom: 0; }
  table.tall th, table.tall td { padding: .1rem .7rem; }
  table.tall td[data-of]::before { content: attr(data-of) ": "; color: var(--faint); }
}
@media print { .scroll, .chart { overflow: visible; border: 0; } .chart svg { min-width: 0; } }
""".strip()
