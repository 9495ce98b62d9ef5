"""`byollm policy report`: what may go where, on which evidence, until when."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from byollm.cli import show
from byollm.cli.arguments import Parser, file_of
from byollm.cli.pages import write_page

if TYPE_CHECKING:
    from byollm.config.records import LlmConfig
    from byollm.routing.report import Flow, Report

PAGE = "policy.html"


def run(words: Sequence[str]) -> int:
    """The command; 1 when an attestation that somebody relies on has expired. Raises what `main` tells."""
    options = _parser().read(words)
    found = _report(options)
    if options.html:
        from byollm.cli.policy_page import page

        write_page(options.html, page(found))
    if options.json:
        show.document({"file": options.html, **show.plain(found)} if options.html else found)
    elif options.html:
        show.say(f"{options.html} is written. {found.sentence}")
    else:
        for line in text(found):
            show.say(line)
    return 1 if any(item.state == "expired" and item.deployments for item in found.evidence) else 0


def _parser() -> Parser:
    parser = Parser("policy", "Tell an auditor what may go where. Nothing is sent, no key is read.")
    parser.add_argument("what", choices=["report"], help="report")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the configuration, like --config")
    parser.add_argument("--config", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--html", metavar="PAGE", nargs="?", const=PAGE, help=f"write a page (default {PAGE})")
    return parser


def _report(options: argparse.Namespace) -> Report:
    from datetime import UTC, datetime
    from pathlib import Path

    from byollm.config.llm_config import load
    from byollm.routing.report import report

    config = load(Path(file_of(options)))
    return report(config, reach(config), datetime.now(UTC).date())


def reach(config: LlmConfig) -> dict[str, frozenset[str]]:
    """Every host that each deployment may reach, where its plugin is installed."""
    from byollm.config.check import hosts_of
    from byollm.providers.discovery import load_provider

    return hosts_of(config, lambda name: load_provider(name, allowed=config.plugins, lock=config.lock).manifest)


def text(found: Report) -> Iterator[str]:
    """The report as plain text."""
    yield f"{found.source}, as of {found.day}"
    yield ""
    yield from _rules(found)
    yield "What may go where"
    for (task, data_class), flows in groupby(found.flows, key=lambda flow: (flow.task, flow.data_class)):
        yield from _drawn(task, data_class, list(flows), found)
    yield "Who may answer"
    rows = [
        (it.deployment, f"{it.provider}/{it.model}", it.region or "-", ", ".join(it.hosts) or "this process",
         ", ".join(it.attested) or "-")
        for it in found.deployments
    ]  # fmt: skip
    yield from show.table(rows, ("deployment", "model", "region", "hosts", "attested"), "  ")
    yield ""
    if found.evidence:
        yield "On which evidence"
        entries = [
            (it.tag, ", ".join(it.subjects), it.state, it.expires, it.evidence, it.owner) for it in found.evidence
        ]
        yield from show.table(entries, ("tag", "for", "state", "expires", "evidence", "owner"), "  ")
        yield ""
    for guest in found.tenants:
        yield f"Tenant {guest.tenant}: {'; '.join(guest.rules) or 'no rule of its own'}"
        for task, left in guest.tasks.items():
            yield f"  {task}: {', '.join(left) or 'nobody'}"
    yield found.sentence


def _rules(found: Report) -> Iterator[str]:
    """The organisation's rules, a line each."""
    lines = []
    if found.approved_providers is not None:
        lines.append(("approved providers", ", ".join(found.approved_providers)))
    for label, place in found.residency.items():
        lines.append((f"residency {label}", f"{', '.join(place['regions'])} at {', '.join(place['hosts'])}"))
    for label, asked in found.data_classes.items():
        lines.append((f"data class {label}", "; ".join(asked) or "nothing is asked"))
    if found.default_data_class is not None:
        lines.append(("no class named", f"counts as {found.default_data_class}"))
    for label, asked in found.tasks.items():
        if asked:
            lines.append((f"task {label}", "; ".join(asked)))
    if lines:
        yield "Rules"
        yield from show.table(lines, indent="  ")
        yield ""


def _drawn(task: str, data_class: str | None, flows: list[Flow], found: Report) -> Iterator[str]:
    """One task and class with arrows to everybody it may reach, and the others with why not."""
    parties = {it.deployment: it for it in found.deployments}
    yield f"  {task}  [{data_class or 'no class named'}]"
    for flow in flows:
        party = parties[flow.deployment]
        if flow.allowed:
            until = f", until {flow.until} ({', '.join(flow.rests_on)})" if flow.until else ""
            yield f"    ──▶ {flow.deployment}  {', '.join(party.hosts) or 'this process'}{until}"
        else:
            yield f"    ─✕  {flow.deployment}  {flow.reason}"
    yield ""
