"""What `byollm new-plugin` writes is conformant as it is, and stops being so with one line broken."""

from __future__ import annotations

import pytest
from planting import Plant

from byollm_conformance.effort import Effort
from byollm_conformance.model import REGISTRY
from byollm_conformance.runner import Plan, Report, Runner
from byollm_conformance.targets import find, packaged, settings_of

EFFORT = Effort(max_examples=30, shrink=False)


def conform(*ids: str) -> Report:
    """Run checks, or all, on the plugin acme that is installed."""
    reference = find("acme")
    path = packaged(reference)
    assert path is not None
    return Runner(Plan(reference, settings_of(path), ids, EFFORT)).run()


def bad(report: Report) -> list[str]:
    """The promises that are not kept."""
    return [f"{result.id}: {result.message}" for result in report.results if result.bad]


@pytest.mark.parametrize("kind", ["openai-compatible", "wire", "local"])
def test_every_template_is_conformant(planted: Plant, kind: str) -> None:
    """At once, without a change, without an expected failure, without a warning."""
    planted(kind)

    report = conform()

    assert [] == bad(report)
    assert [] == [result.id for result in report.results if result.outcome == "warn"]
    assert len(REGISTRY) <= len(report.results)


@pytest.mark.parametrize(
    ("kind", "module", "before", "after", "killer"),
    [
        ("openai-compatible", "__init__", '"tools": "full"', '"tools": "unsupported"', "CAP-08"),
        ("openai-compatible", "__init__", "https://llm.acme.example/v1", "http://llm.acme.example/v1", "MET-14"),
        ("openai-compatible", "__init__", 'name="acme"', 'name="other"', "MET-01"),
        ("wire", "translator", '"temperature": request.temperature', '"temperature": None', "REQ-07a"),
        ("wire", "translator", '"limit": request.max_tokens', '"limit": 4096', "REQ-08"),
        ("wire", "translator", '"done": "stop"', '"done": "length"', "RSP-02"),
        ("wire", "translator", '"out": "output_tokens"', '"out": "input_tokens"', "USE-01"),
        ("wire", "translator", "raise error_of(data)", "return", "RSP-05"),
        ("wire", "translator", 'hosts=("llm.acme.example",)', 'hosts=("elsewhere.example",)', "MET-14"),
        ("wire", "translator", "plugin.TextDelta(place, text)", "plugin.TextDelta(place, text.strip())", "STR-12"),
        ("local", "model", 'manifest = Manifest(name="acme"', 'manifest = Manifest(spec=7, name="acme"', "MET-05"),
    ],
)  # fmt: skip
def test_one_broken_line_fails_on_its_check(
    planted: Plant, kind: str, module: str, before: str, after: str, killer: str
) -> None:
    """By the name of the check that is about it."""
    planted(kind, **{module: (before, after)})

    assert [killer] == [result.id for result in conform(killer).results if result.bad]


def test_tools_that_are_declared_unsupported_and_sent_are_found(planted: Plant) -> None:
    """The capability moves to the other list, and the translator writes tools all the same."""
    planted("wire", translator=("metadata store", "metadata tools store"))

    assert ["CAP-08"] == [result.id for result in conform("CAP-08").results if result.bad]


EARLY = """            yield plugin.TextDelta(place, text)
            self.state = "done"
            yield plugin.Finished("stop", "eof")
"""
"""A reader that finishes with its first text."""


def test_an_end_of_file_that_is_taken_for_success_is_found(planted: Plant) -> None:
    """It makes success out of every cut behind the first text; what follows it is passed over."""
    path = planted("wire") / "byollm_acme" / "translator.py"
    text = path.read_text()
    for before, after in (
        ("            yield plugin.TextDelta(place, text)\n", EARLY),
        (
            '        must(self.state == "open", "the answer went on after its end")',
            '        if self.state == "done":\n            return',
        ),
        (
            '"end", null=True):\n            must(self.state == "open", "the answer ended twice")',
            '"end", null=True) if self.state == "open" else "":',
        ),
    ):
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)

    assert ["STR-07"] == [result.id for result in conform("STR-07").results if result.bad]
