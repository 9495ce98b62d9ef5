"""The policy report as one page: no script, nothing loaded from anywhere, light and dark, for desk and phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from byollm.cli.policy_drawing import drawing
from byollm.types.version import VERSION

if TYPE_CHECKING:
    from byollm.routing.report import Flow, Report

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d8dee4; --head: #f4f6f8;
  --good: #0a5a25; --good-back: #dff3e4; --soon: #704a00; --soon-back: #fff1cc; --bad: #8a1c12; --bad-back: #fde4e1;
  --arrow: #5b6f86; --bound: #0a6b3d; }
@media (prefers-color-scheme: dark) { :root { --paper: #101418; --ink: #e6ebf0; --faint: #9aa6b2; --line: #2c343c;
  --head: #181e24; --good: #8fe0a6; --good-back: #12351f; --soon: #f0cd77; --soon-back: #3a2e0c; --bad: #ffb3aa;
  --bad-back: #3f1a17; --arrow: #8496aa; --bound: #63cf92; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; max-width: 72rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
p { margin: .25rem 0; max-width: 70ch; color: var(--faint); overflow-wrap: anywhere; }
p.oath { border-left: .25rem solid var(--line); padding: .25rem .75rem; margin: 1rem 0; color: var(--ink); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line); }
tr:last-child > * { border-bottom: 0; }
thead th { background: var(--head); white-space: nowrap; }
tbody th { font-weight: 600; }
code, .hosts { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
td small { color: var(--faint); }
summary { cursor: pointer; color: var(--faint); }
.state { padding: .05rem .45rem; border-radius: .3rem; font-weight: 600; white-space: nowrap; }
.valid, .may { background: var(--good-back); color: var(--good); }
.soon { background: var(--soon-back); color: var(--soon); }
.expired, .not { background: var(--bad-back); color: var(--bad); }
.flow { display: block; width: 100%; min-width: 40rem; height: auto; font: 13px ui-monospace, monospace; }
.flow rect { fill: var(--head); stroke: var(--line); }
.flow .source rect { fill: var(--paper); stroke: var(--arrow); }
.flow .shut rect { stroke-dasharray: 4 3; }
.flow .shut text { opacity: .6; }
.flow text { fill: var(--faint); font-size: 12px; }
.flow .name { fill: var(--ink); font-weight: 600; }
.flow .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.3; opacity: .75; }
.flow .bound { stroke: var(--bound); stroke-width: 1.8; }
.flow .head { fill: var(--arrow); }
@media (min-width: 46rem) { table.tall tbody th { min-width: 12rem; } }
@media (max-width: 46rem) {
  table.tall thead { display: none; }
  table.tall, table.tall tbody, table.tall tr, table.tall th, table.tall td { display: block; border: 0; }
  table.tall tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  table.tall tr:last-child { border-bottom: 0; }
  table.tall th, table.tall td { padding: .1rem .7rem; }
  table.tall td[data-of]::before { content: attr(data-of) ": "; color: var(--faint); }
}
@media print { .scroll { overflow: visible; border: 0; } .flow { min-width: 0; } }
""".strip()

MANY_HOSTS: Final = 6
"""Hosts of one deployment that are shown at once."""
_STATES: Final = {"valid": "valid", "ends soon": "soon", "expired": "expired"}


def page(found: Report) -> str:
    """The whole document."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>byollm: what may go where</title>",
        f"<style>\n{_STYLE}\n</style></head><body>",
        "<h1>What may go where</h1>",
        f"<p>{escape(found.source)}, as of {found.day} (UTC); byollm {escape(VERSION)}. Nothing was sent.</p>",
        f'<p class="oath">{escape(found.sentence)}</p>',
        "<h2>Data flow</h2>",
        "<p>Every way that data may take, failover included. A green arrow rests on an attestation.</p>",
        f'<div class="scroll" tabindex="0" role="region" aria-label="Data flow">{drawing(found)}</div>',
        *_section("Rules", "", ("rule", "says"), _rules(found)),
        *_section(
            "Task by task",
            "Who may answer what, and for everybody else of the route why not. A call that names another class of data "
            "keeps the rules of its task.",
            ("task", "class of data", "may", "may not"),
            _tasks(found),
        ),
        *_section(
            "Who may answer",
            "Every host that requests and auth schemes may go to; all others are refused before a byte leaves.",
            ("deployment", "model", "region", "hosts", "attested", "line"),
            _parties(found),
        ),
        *_section(
            "Evidence",
            "An attestation counts through its last day (UTC). After it, whatever rests on it is no longer asked.",
            ("tag", "for", "state", "expires", "evidence", "owner"),
            _evidence(found),
        ),
        *_section("Tenants", "", ("tenant", "its own rules", "who is left"), _tenants(found)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(title: str, intro: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are HTML already; nothing where there is no row."""
    body = [
        "<tr>"
        + "".join(
            f'<th scope="row">{cell}</th>' if n == 0 else f'<td data-of="{header[n]}">{cell}</td>'
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    ]
    if not body:
        return
    yield f"<h2>{title}</h2>"
    if intro:
        yield f"<p>{intro}</p>"
    heads = "".join(f'<th scope="col">{word}</th>' for word in header)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table class="tall">'
    yield f"<thead><tr>{heads}</tr></thead><tbody>"
    yield from body
    yield "</tbody></table></div>"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(word)}</code>" for word in words)


def _rules(found: Report) -> Iterator[tuple[str, str]]:
    if found.approved_providers is not None:
        yield "approved providers", _code(found.approved_providers)
    for label, place in found.residency.items():
        yield f"residency {escape(label)}", f"{_code(place['regions'])} at {_code(place['hosts'])}"
    for label, asked in found.data_classes.items():
        yield f"data class {escape(label)}", _code(asked) or "nothing is asked"
    if found.default_data_class is not None:
        yield "a call that names no class", f"counts as <code>{escape(found.default_data_class)}</code>"
    for label, asked in found.tasks.items():
        if asked:
            yield f"task {escape(label)}", _code(asked)


def _tasks(found: Report) -> Iterator[tuple[str, str, str, str]]:
    for (task, data_class), group in groupby(found.flows, key=lambda flow: (flow.task, flow.data_class)):
        flows = list(group)
        may = "<br>".join(_may(flow) for flow in flows if flow.allowed) or '<span class="state not">nobody</span>'
        barred = "<br>".join(
            f"<b>{escape(flow.deployment)}</b> <small>{escape(flow.reason)}</small>"
            for flow in flows
            if not flow.allowed
        )
        yield f"<code>{escape(task)}</code>", escape(data_class or "none named"), may, barred or "–"


def _may(flow: Flow) -> str:
    until = f" <small>until {flow.until}: {escape(', '.join(flow.rests_on))}</small>" if flow.until else ""
    return f'<span class="state may">{escape(flow.deployment)}</span>{until}'


def _parties(found: Report) -> Iterator[tuple[str, ...]]:
    for item in found.deployments:
        hosts = _hosts(item.hosts, item.region) or "this process"
        more = "" if item.whole else "<br><small>its plugin is not installed: there may be more</small>"
        model = f"{escape(item.provider)}/{escape(item.model)}"
        where = f"<small>{escape(item.where.rsplit('/', 1)[-1])}</small>"
        yield (
            escape(item.deployment),
            model,
            escape(item.region or "–"),
            f'<span class="hosts">{hosts}</span>{more}',
            _code(item.attested) or "–",
            where,
        )


def _hosts(hosts: Sequence[str], region: str | None) -> str:
    """One a line, those of the deployment's region first; of many, the rest behind a line that opens."""
    ordered = sorted(hosts, key=lambda host: (region or "") not in host)
    lines = [escape(host) for host in ordered]
    if len(lines) <= MANY_HOSTS:
        return "<br>".join(lines)
    rest = "<br>".join(lines[MANY_HOSTS:])
    more = f"<details><summary>and {len(lines) - MANY_HOSTS} more</summary>{rest}</details>"
    return "<br>".join(lines[:MANY_HOSTS]) + more


def _evidence(found: Report) -> Iterator[tuple[str, ...]]:
    for item in found.evidence:
        meaning = f"<br><small>{escape(item.meaning)}</small>" if item.meaning else ""
        speaks = f"{escape(', '.join(item.subjects))}<br><small>{escape(', '.join(item.deployments))}</small>"
        state = f'<span class="state {_STATES[item.state]}">{item.state}</span>'
        head = f"<code>{escape(item.tag)}</code>{meaning}"
        yield head, speaks, state, item.expires, escape(item.evidence), escape(item.owner)


def _tenants(found: Report) -> Iterator[tuple[str, str, str]]:
    for guest in found.tenants:
        left = "<br>".join(
            f"<code>{escape(task)}</code>: {escape(', '.join(names)) or 'nobody'}"
            for task, names in guest.tasks.items()
        )
        yield escape(guest.tenant), _code(guest.rules) or "none", left
