"""`byollm vet TARGET`: what a plugin brings and reaches for, read from its files. Nothing of it is imported.

It shows what honest authors did, and carelessness. It proves nothing about somebody who hides: code that runs here can
do whatever you can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm.cli import show
from byollm.cli.arguments import Parser
from byollm_conformance.authors.archive import Contents, contents_of
from byollm_conformance.authors.badge import Badge, badge_of
from byollm_conformance.authors.look import Look, look_into

_PAINTED: Final = {"alarm": "fail", "note": "note"}


def vet(arguments: list[str]) -> int:
    """Look into a wheel, a folder or an installed distribution. 0 nothing alarming, 1 alarms, 2 it cannot be read."""
    options = _parser().read(arguments)
    contents = contents_of(options.target)
    look = look_into(contents)
    badge = badge_of(look, options.certificate)
    document = report(contents, look, badge)
    if options.json:
        show.document(document)
    else:
        _print(document)
    return 1 if document["alarms"] else 0


def _parser() -> Parser:
    parser = Parser("vet", "What a plugin brings and reaches for, from its files. Nothing of it is imported.")
    parser.add_argument("target", metavar="FILE.whl", help="a wheel, a folder, or an installed distribution's name")
    parser.add_argument(
        "--certificate", metavar="FILE", help="what `byollm conform --json FILE` wrote, to compare with"
    )
    return parser


def report(contents: Contents, look: Look, badge: Badge) -> dict[str, Any]:
    """All that was found, as JSON data."""
    paper = look.paperwork
    findings = [*look.findings, *badge.findings]
    counts = Counter(finding.level for finding in findings)
    return {
        "target": contents.label,
        "kind": contents.kind,
        "distribution": paper.name,
        "version": paper.version,
        "sha256": contents.sha256,
        "files_digest": look.digest,
        "files": len(contents.names),
        "bytes": sum(contents.sizes.values()) or None,
        "license": paper.license,
        "requires": list(paper.requires),
        "entry_points": {group: dict(found) for group, found in paper.entry_points.items()},
        "top_level": list(look.tops),
        "manifests": [_as_data(item) for item in look.passports],
        "certificate": badge.told,
        "findings": [finding._asdict() for finding in findings],
        "alarms": counts["alarm"],
        "notes": counts["note"],
    }


def _as_data(passport: Any) -> dict[str, Any]:
    return {name: getattr(passport, name) for name in passport.__slots__}


def _print(document: Mapping[str, Any]) -> None:
    show.say(f"{document['target']}: {document['distribution']} {document['version']}")
    for line in show.table(_facts(document), indent="  "):
        show.say(line)
    show.say()
    rows = [(item["level"], item["kind"], item["where"], item["sentence"]) for item in document["findings"]]
    for line, row in zip(show.table(rows), rows, strict=True):
        show.say(line, _PAINTED[row[0]])
    alarms, notes = document["alarms"], document["notes"]
    word = "fail" if alarms else "ok"
    counted = f"{alarms} alarm{'' if alarms == 1 else 's'}, {notes} note{'' if notes == 1 else 's'}"
    show.say(f"{word}  {counted}; nothing of it was imported", word)
    show.say("What is not found may be there all the same: installing a plugin lets its code run as you.")


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    digest = document["files_digest"]
    rows = [
        ("sha256 of the wheel", document["sha256"] or ""),
        ("digest for byollm.lock", digest or ""),
        ("licence", document["license"] or "none named"),
        ("requires", ", ".join(document["requires"]) or "nothing"),
        ("modules", ", ".join(document["top_level"]) or "none"),
        ("certificate", document["certificate"]["told"]),
    ]
    for group, points in document["entry_points"].items():
        rows += [(group, f"{name} = {value}") for name, value in points.items()]
    for manifest in document["manifests"]:
        rows += _passport(manifest)
    return [row for row in rows if row[1]]


def _passport(manifest: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    unread = set(manifest["unreadable"])

    def told(name: str, value: str, nothing: str) -> str:
        return "computed when it runs: unknown here" if name in unread else value or nothing

    credentials = "; ".join(f"{name}: {', '.join(words)}" for name, words in manifest["credentials"].items())
    schemes = ", ".join(f"{word} ({scheme})" for word, scheme in manifest["authentication"].items())
    return [
        (f"provider {told('name', manifest['name'] or '', '?')}", manifest["where"]),
        ("  endpoint", told("default_endpoint", manifest["endpoint"] or "", "none of its own")),
        ("  hosts for its key", told("hosts", ", ".join(manifest["hosts"]), "none")),
        ("  credentials", told("credentials", credentials, "none")),
        ("  authentication", told("authentication", schemes, "the core's")),
    ]
