"""A report for people: who was tested, a table by area, and all that is not a pass, with what shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from byollm.cli.show import table
from byollm_conformance.effort import Effort
from byollm_conformance.model import Check, Result
from byollm_conformance.runner import Report

AREAS: Final = {
    "MET": "packaging and hygiene", "CAP": "capabilities", "SEC": "secrets and safety", "REQ": "requests",
    "TOL": "tools", "STC": "structured output", "VIS": "media", "RSN": "reasoning", "CCH": "caching",
    "RSP": "whole answers", "STR": "streams", "ERR": "errors", "USE": "usage", "LAW": "laws",
    "AUT": "authentication", "BAT": "batches", "LOC": "in-process models", "QRK": "quirks",
    "REC": "recorded exchanges",
}  # fmt: skip
MANY: Final = 4
"""So many checks may fail with the same words before they are told as one."""
OUTCOMES: Final = ("pass", "fail", "warn", "n/a", "untestable", "error")
_KIND: Final = {"pass": "ok", "fail": "fail", "warn": "warn", "n/a": "note", "untestable": "fail", "error": "error"}


def report_lines(
    report: Report,
    document: Mapping[str, Any],
    registry: Mapping[str, Check],
    effort: Effort,
    *,
    every: bool = False,
) -> Iterator[tuple[str, str]]:
    """Lines with the kind of their first word (ok, fail, warn, note, or nothing)."""
    yield from _head(document, effort)
    yield "", ""
    yield from (("  " + line, "") for line in _areas(report, document))
    kept = {(line["id"], line["api"]) for line in document["checks"] if line["expected"]}
    later = {line["id"] for line in document["checks"] if not line["scored"]}
    alike = Counter(result.message for result in report.results if result.bad)
    told: set[str] = set()
    for result in report.results:
        many = result.bad and not every and alike[result.message] > MANY
        if (many and result.message in told) or (result.outcome in ("pass", "n/a") and not every):
            continue
        known = (result.id, result.api) in kept
        yield from result_lines(result, registry[result.id], report, expected=known, scored=result.id not in later)
        if many:
            told.add(result.message)
            yield f"      and so do {alike[result.message] - 1} more; --all shows each", ""
    yield from not_applicable(report)
    for problem in document["problems"]:
        yield "", ""
        yield f"fail  {problem}", "fail"
    yield "", ""
    yield from _foot(document)


def _head(document: Mapping[str, Any], effort: Effort) -> Iterator[tuple[str, str]]:
    plugin = document["plugin"]
    owner = f"{plugin['dist']} {plugin['version']}" if plugin["dist"] else "not an installed distribution"
    yield f"{plugin['entry_point']}: {owner}", ""
    yield f"  spec {document['spec']}, {effort.max_examples} examples, seed {effort.seed}", ""
    for api in document["apis"]:
        twin = api["twin"]
        other = f"{twin['dialect']} ({twin['source']})" if twin["dialect"] else "none"
        other += f", without {' '.join(twin['lacks'])}" if twin["lacks"] else ""
        passed = [name for name, state in api["profiles"].items() if state == "pass"]
        yield (
            f"  {api['api'] or 'api'}: model {api['model']}, twin: {other}, profiles: {' '.join(passed) or 'none'}",
            "",
        )


def _areas(report: Report, document: Mapping[str, Any]) -> list[str]:
    expected = {(line["id"], line["api"]) for line in document["checks"] if line["expected"]}
    rows: dict[str, Counter[str]] = {}
    for result in report.results:
        row = rows.setdefault(result.id[:3], Counter())
        row["expected" if (result.id, result.api) in expected else result.outcome] += 1
        row["examples"] += result.examples
        row["ms"] += round(result.milliseconds)
    columns = (*OUTCOMES, "expected", "examples", "ms")
    cells = [(area, AREAS.get(area, ""), *[row[name] or "" for name in columns]) for area, row in rows.items()]
    return table(cells, ("", "", *columns))


def result_lines(
    result: Result, check: Check, report: Report, *, expected: bool, scored: bool = True
) -> Iterator[tuple[str, str]]:
    """One result: the sentence, how it is broken, the evidence, how to run it again."""
    where = f" over {result.api}" if result.api else ""
    known = " (expected)" if expected else "" if scored else f" (not scored before spec {check.since})"
    yield "", ""
    yield f"{result.outcome}  {result.id}{where}: {check.sentence}{known}", _KIND[result.outcome]
    if result.message:
        yield f"      {result.message}", ""
    for name, value in result.evidence.items():
        lines = str(value).splitlines() or [""]
        yield f"      {name}: {lines[0]}", ""
        yield from ((f"        {line}", "") for line in lines[1:12])
    if result.printed:
        yield f"      printed: {result.printed!r}", ""
    if result.outcome not in ("pass", "n/a"):
        api = f" --api {result.api}" if result.api else ""
        yield f"      {check.spec}; again: byollm conform {report.reference.name} --only {result.id}{api}", ""


def not_applicable(report: Report) -> Iterator[tuple[str, str]]:
    """Every one of them, with its reason; those of one kind together."""
    reasons: dict[str, list[str]] = {}
    for result in report.results:
        if result.outcome == "n/a":
            names, declared, proof = result.reason.rpartition(" declared unsupported; ")
            where = "/".join(name for name in (result.api, names) if name)
            reasons.setdefault((declared + proof).strip(), []).append(f"{result.id} ({where})")
    for reason, ids in reasons.items():
        yield "", ""
        yield f"n/a   {reason}:", "note"
        yield from ((f"      {line}", "") for line in wrap(", ".join(ids), 110, break_on_hyphens=False))


def _foot(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    words = {
        "conformant": ("ok", "conformant"),
        "partial": ("ok", "as promised in what was run, which was not all"),
        "expected-failures": ("warn", "not conformant, and all that fails is expected"),
        "not-conformant": ("fail", "not conformant"),
        "suite-error": ("error", "the suite itself failed"),
    }
    kind, sentence = words[document["result"]]
    total = document["totals"]
    counted = sum(sum(total[name].values()) for name in ("must", "should", "may") if name in total)
    told = f"{counted} checks, {total['examples']} examples, {document['seconds']:.1f} s"
    yield f"{kind}  {document['plugin']['entry_point']} is {sentence}: {told}", kind


def listing(checks: Sequence[Check]) -> list[str]:
    """`--list`."""
    rows = [(check.id, check.keyword, check.layer, ", ".join(check.needs), check.sentence) for check in checks]
    return table(rows, ("check", "keyword", "layer", "needs", "sentence"))


def explanation(check: Check) -> list[str]:
    """`--explain`."""
    lines = [f"{check.id}  {check.keyword}  {check.layer}  since spec {check.since}", f"  {check.sentence}"]
    if check.function.__doc__:
        lines.append(f"  tested by: {' '.join(check.function.__doc__.split())}")
    if check.needs:
        lines.append(f"  n/a where {' or '.join(check.needs)} is declared unsupported and {check.mirror} shows it")
    return [*lines, f"  {check.spec}; {check.function.__module__}.{check.function.__name__}"]
