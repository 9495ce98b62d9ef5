"""`spec/PROMISES.md` cannot drift: what it names exists, and nothing is called kept without a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "spec" / "PROMISES.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]


def test_the_promises_are_numbered_without_gaps() -> None:
    """Later issues add rows and lose none."""
    assert [str(number) for number in range(1, len(ROWS) + 1)] == [row[0] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_promise_is_kept_by_a_test_or_belongs_to_an_issue(row: list[str]) -> None:
    """A kept promise names tests that exist; another names the issue that will keep it."""
    _, _, _, test, state = row
    named = re.findall(r"`([^`]+)`", test)

    assert [] == [path for path in named if not (ROOT / path).exists()]
    assert bool(named) if state.startswith("kept") else re.match(r"issue \d", state)
