"""The provider's own bill lies between what is certain and what is possible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ledger_bill import billed


def test_the_bill_lies_within_the_books(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Answers that were made and charged and never arrived, connections that broke, usage that was not told."""
    found = billed(tmp_path, 250, 20261122)

    for name, value in found.items():
        record_property(name, str(value))
    assert found["certain"] <= found["billed"] <= found["certain"] + found["unknown"]
    assert (True, 0) == (found["rollups_hold"], found["unbounded"])
    assert found["unsure"] > 20
