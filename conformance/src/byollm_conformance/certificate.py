"""The result of a run as a file: what was tested, with what, how it went."""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, version
from importlib.resources import files
from typing import Any, Final

from byollm.providers.manifest import SPEC
from byollm_conformance.effort import Effort
from byollm_conformance.expected import Expected, Judged
from byollm_conformance.model import Check, Result
from byollm_conformance.profiles import overall, profiles
from byollm_conformance.runner import Report

SCHEMA: Final = "urn:byollm:conformance:1"


def requirements() -> Mapping[str, Any]:
    """The frozen set of this spec: later checks run too and are not scored."""
    text = files("byollm_conformance").joinpath(f"requirements-{SPEC}.json").read_text("utf-8")
    document: Mapping[str, Any] = json.loads(text)
    return document


def verdict(
    report: Report, judged: Judged, registry: Mapping[str, Check], scored: Mapping[str, Any] | None = None
) -> str:
    """`conformant`, `partial` (what was run held, and not all was), `expected-failures` (not conformant, and known),
    `not-conformant`, or `suite-error`.
    """
    required = requirements()["checks"] if scored is None else scored
    counted = [result for result in report.results if result.id in required]
    if any(result.outcome == "error" for result in counted):
        return "suite-error"
    bad = [result for result in counted if result.bad and result not in judged.kept]
    if bad or judged.problems or not report.results:
        return "not-conformant"
    if any(registry[result.id].keyword == "MUST" for result in judged.kept):
        return "expected-failures"
    return "conformant" if complete(report, required) else "partial"


def complete(report: Report, required: Iterable[str]) -> bool:
    """Every check of the set has a result on every API."""
    apis = {subject["api"] for subject in report.subjects}
    run: dict[str, set[str]] = {}
    for result in report.results:
        run.setdefault(result.id, set()).update({result.api} if result.api else apis)
    return all(apis <= run.get(id, set()) for id in required)


def certificate(
    report: Report, judged: Judged, expected: Sequence[Expected], registry: Mapping[str, Check], effort: Effort
) -> dict[str, Any]:
    """The whole document. It holds no path of this machine, no key, no environment."""
    frozen = requirements()
    scored = {id: check for id, check in registry.items() if id in frozen["checks"]}
    each = {subject["api"]: profiles(subject, report.results, scored) for subject in report.subjects}
    owner = report.reference.distribution
    return {
        "schema": SCHEMA,
        "spec": SPEC,
        "requirements_sha256": digest(frozen),
        "suite": version("byollm-conformance"),
        "core": version("byollm"),
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "seed": effort.seed,
        "max_examples": effort.max_examples,
        "plugin": {
            "dist": owner.name if owner else None,
            "version": owner.version if owner else None,
            "files_sha256": files_digest(owner) if owner else None,
            "entry_point": report.reference.name,
        },
        "apis": [
            {
                **{name: subject[name] for name in ("api", "model")},
                "twin": {
                    "dialect": subject["dialect"],
                    "source": subject["twin"],
                    "lacks": sorted(subject["lacks"]),
                    "reserved": list(subject["reserved"]),
                },
                "profiles": each[subject["api"]],
                "capabilities_declared": subject["capabilities"],
            }
            for subject in report.subjects
        ],
        "profiles": overall(list(each.values())),
        "checks": [_line(result, registry[result.id], judged, frozen["checks"]) for result in report.results],
        "totals": totals(report, judged, registry),
        "expected_failures": [
            {"id": entry.id, "api": entry.api, "reason": entry.reason, "expires": entry.expires.isoformat()}
            for entry in expected
        ],
        "problems": judged.problems,
        "seconds": round(report.seconds, 2),
        "result": verdict(report, judged, registry, frozen["checks"]),
        "issued": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _line(result: Result, check: Check, judged: Judged, scored: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": result.id,
        "api": result.api,
        "keyword": check.keyword,
        "layer": check.layer,
        "outcome": result.outcome,
        "expected": result in judged.kept,
        "scored": result.id in scored,
        "examples": result.examples,
        "ms": result.milliseconds,
        "spec": check.spec,
    }
    told = {"message": result.message, "reason": result.reason, "evidence": dict(result.evidence)}
    return {**line, **{name: value for name, value in told.items() if value}}


def totals(report: Report, judged: Judged, registry: Mapping[str, Check]) -> dict[str, Any]:
    """How many of each outcome, by keyword; expected failures are counted as such and never as passes."""
    found: dict[str, Any] = {}
    for keyword in ("MUST", "SHOULD", "MAY"):
        mine = [result for result in report.results if registry[result.id].keyword == keyword]
        counts = Counter("expected" if result in judged.kept else result.outcome for result in mine)
        if mine:
            found[keyword.lower()] = dict(sorted(counts.items()))
    found["examples"] = sum(result.examples for result in report.results)
    return found


def digest(document: Any) -> str:
    """SHA-256 of a document as canonical JSON."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def files_digest(owner: Distribution) -> str:
    """SHA-256 over a distribution's files as byollm.lock and `byollm vet` have it, in hexadecimal digits."""
    from byollm.providers.lock import contents_of
    from byollm.providers.lock import digest as digest_of

    return digest_of(contents_of(owner)).removeprefix("sha256:")
