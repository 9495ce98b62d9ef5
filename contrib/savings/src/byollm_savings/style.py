"""How the pages look: light and dark, for a desk and for a phone."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d8dee4; --head: #f4f6f8;
  --good: #0a5a25; --good-back: #dff3e4; --soon: #704a00; --soon-back: #fff1cc; --bad: #8a1c12; --bad-back: #fde4e1; }
@media (prefers-color-scheme: dark) { :root { --paper: #101418; --ink: #e6ebf0; --faint: #9aa6b2; --line: #2c343c;
  --head: #181e24; --good: #8fe0a6; --good-back: #12351f; --soon: #f0cd77; --soon-back: #3a2e0c; --bad: #ffb3aa;
  --bad-back: #3f1a17; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; max-width: 72rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 3rem 0 .5rem; scroll-margin-top: 1rem; }
h3 { font-size: .95rem; margin: 1.25rem 0 .4rem; }
p { margin: .25rem 0; max-width: 70ch; color: var(--faint); overflow-wrap: anywhere; }
nav ol { margin: 1rem 0; padding-left: 1.25rem; }
nav a { color: inherit; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .87rem; border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--head); }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
.sum { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.why { color: var(--faint); font-size: .8rem; white-space: pre-line; overflow-wrap: anywhere; }
td.why { width: 42%; }
.state { display: inline-block; white-space: nowrap; padding: .05rem .45rem; border-radius: .3rem; font-weight: 600; }
.met, .depends { background: var(--good-back); color: var(--good); }
.unknown, .depends.off { background: var(--soon-back); color: var(--soon); }
.not-met { background: var(--bad-back); color: var(--bad); }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: .75rem 0; padding: .5rem .9rem .9rem;
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: .6rem 1.5rem; }
legend { font-weight: 600; font-size: .87rem; padding: 0 .3rem; }
label { display: block; font-size: .8rem; overflow-wrap: anywhere; min-width: 0; }
label input { display: block; width: 100%; margin-top: .15rem; padding: .3rem .5rem; font: inherit; font-size: .9rem;
  color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem; }
input:focus-visible, button:focus-visible, summary:focus-visible { outline: 2px solid var(--good);
  outline-offset: 1px; }
input[aria-invalid=true] { border-color: var(--bad); background: var(--bad-back); }
label small { display: block; color: var(--faint); }
details { margin: .5rem 0; }
summary { cursor: pointer; font-size: .87rem; color: var(--faint); padding: .35rem 0; }
button { font: inherit; font-size: .87rem; padding: .35rem .8rem; color: inherit; background: var(--head);
  border: 1px solid var(--line); border-radius: .3rem; cursor: pointer; }
@media (max-width: 46rem) {
  thead { display: none; }
  table, tbody, tr, th, td { display: block; }
  th, td { border-bottom: 0; }
  td.why { width: auto; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  th, td { padding: .1rem .7rem; }
  .sum { text-align: left; }
  td[data-of]::before { content: attr(data-of) ": "; color: var(--faint); }
  td:empty { display: none; }
}
""".strip()
