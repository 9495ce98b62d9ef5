"""Expected failures: with a reason and a last day, and never for what passes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from byollm.errors import ConfigError
from byollm_conformance import checks
from byollm_conformance.certificate import verdict
from byollm_conformance.expected import Judged, judge, read_expected
from byollm_conformance.model import Result
from byollm_conformance.runner import Report
from byollm_conformance.targets import Reference, settings_of

TODAY = datetime.date(2026, 11, 21)
ENTRY = {"id": "CAP-02", "reason": "ticket 4711", "expires": "2027-06-01"}
checks.load()


def judged(*results: Result, **changes: Any) -> Judged:
    return judge(results, read_expected([{**ENTRY, **changes}], "conformance.yaml"), TODAY)


def verdict_of(results: list[Result], judgement: Judged, scored: tuple[str, ...] = ("CAP-02", "CAP-03")) -> str:
    report = Report(Reference("acme", "acme:provider"), results, [{"api": "chat"}])
    return verdict(report, judgement, checks.load(), dict.fromkeys(scored, "MUST"))


def test_an_expected_failure_is_known() -> None:
    """It does not fail the run, and the plugin is not conformant all the same."""
    results = [Result("CAP-02", "fail", "chat"), Result("CAP-03", "pass", "chat")]

    assert "expected-failures" == verdict_of(results, judged(*results))


def test_a_failure_that_nobody_expected() -> None:
    """Another check's failure fails the run."""
    results = [Result("CAP-02", "pass", "chat"), Result("CAP-03", "fail", "chat")]

    assert "not-conformant" == verdict_of(results, Judged())


def test_an_entry_that_passes_fails_the_run() -> None:
    """An entry whose check passes has to go: the list can only shrink."""
    found = judged(Result("CAP-02", "pass", "chat"))

    assert "not-conformant" == verdict_of([Result("CAP-02", "pass", "chat")], found)
    assert "CAP-02 is expected to fail and does not: take the entry out (ticket 4711)" == found.problems[0]


def test_an_entry_that_has_expired_fails_the_run() -> None:
    """After its last day an entry excuses nothing."""
    found = judged(Result("CAP-02", "fail", "chat"), expires="2026-11-20")

    assert [] == found.kept
    assert "was expected to fail until 2026-11-20 only" in found.problems[0]


def test_the_last_day_is_one_of_them() -> None:
    """An entry holds up to and including its day."""
    assert [] == judged(Result("CAP-02", "fail", "chat"), expires="2026-11-21").problems


def test_an_entry_about_one_api() -> None:
    """`api` narrows an entry: the same failure elsewhere is not expected."""
    results = [Result("CAP-02", "fail", "chat"), Result("CAP-02", "fail", "responses")]

    assert ["responses"] == [result.api for result in judged(*results, api="responses").kept]


def test_an_error_of_the_suite_is_never_expected() -> None:
    """What the suite did wrong is not excused by a plugin's list."""
    results = [Result("CAP-02", "error", "chat")]

    assert "suite-error" == verdict_of(results, judged(*results))


def test_an_entry_about_a_check_that_was_not_run() -> None:
    """A run of other checks says nothing about it."""
    assert [] == judged(Result("CAP-03", "pass", "chat")).problems


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "CAP-99"}, "id 'CAP-99' is no check"),
        ({"reason": " "}, "CAP-02 has no reason"),
        ({"expires": "soon"}, "CAP-02 has no day on which it expires"),
        ({"expires": None}, "CAP-02 has no day on which it expires"),
        ({"until": "2027-01-01"}, "unknown key 'until'"),
    ],
)
def test_an_entry_that_cannot_be_used(changes: dict[str, Any], words: str) -> None:
    """The error names the file, the entry and the key."""
    with pytest.raises(ConfigError) as caught:
        judged(**changes)

    assert f"conformance.yaml: expected_failures[0]: {words}" == caught.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("apis: [chat]", "apis is a mapping"),
        ("apis: {chat: {modle: x}}", "unknown key 'modle'"),
        ("apis: {chat: 7}", "apis.chat is a model's name or a mapping"),
        ("apis: {chat: {lacks: [tolos]}}", "apis.chat.lacks: unknown key 'tolos'"),
        ("expected: []", "unknown key 'expected'"),
        ("expected_failures: {id: X}", "expected_failures is a list"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    """The error names the file and the key."""
    path = tmp_path / "conformance.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        settings_of(path)

    assert words in caught.value.message
    assert "conformance.yaml" in caught.value.message


def test_a_file_as_the_documents_show_it(tmp_path: Path) -> None:
    """A model's name alone will do for an API."""
    path = tmp_path / "conformance.yaml"
    path.write_text(
        "apis:\n  chat: acme-large\n  responses: {model: m, dialect: openai-responses, strict: false, also: [n]}\n"
        'expected_failures:\n  - {id: CAP-02, reason: "why", expires: "2027-06-01"}\n',
        "utf-8",
    )
    read = settings_of(path)

    assert "acme-large" == read.apis["chat"]["model"]
    assert ["CAP-02"] == [entry["id"] for entry in read.expected]
