"""The README: its examples run in a fresh process and print what it shows; its table of faults is complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from byollm_sandbox import KINDS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("program", "shown"), EXAMPLES, ids=["develop", "script", "batches"])
def test_examples_print_what_is_shown(program: str, shown: str) -> None:
    """Each example, run as it stands, prints what stands below it."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, encoding="utf-8"
    )

    assert (shown, "") == (ended.stdout, ended.stderr)


def test_every_fault_is_listed_as_the_catalogue_has_it() -> None:
    """The table is the catalogue, row by row, in its order."""
    table = README.partition("<!-- faults -->")[2].partition("<!-- /faults -->")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", table, re.MULTILINE))

    assert list(KINDS.items()) == list(rows.items())
