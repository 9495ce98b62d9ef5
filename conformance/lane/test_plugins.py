"""Every provider plugin that is installed here keeps every promise of L0 and L1.

Found by entry point: a new one is in by itself. The run prints what came of each, and how long it took.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from byollm.providers.discovery import listed

PLUGINS = [item.name for item in listed()]
LONGEST = 300
"""Seconds after which a run is stopped."""


@pytest.mark.parametrize("name", PLUGINS)
def test_it_is_conformant(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """`byollm conform NAME`, as its author runs it; expected failures stand in its own repository. What is not scored
    yet is kept, too."""
    file = tmp_path / "certificate.json"
    command = [sys.executable, "-m", "byollm", "conform", name, "--json", str(file)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)

    document: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {"expected_failures": []}
    told = f"{document.get('result')}, {document.get('seconds')} s"
    kept = [
        f"; expected: {line['id']} until {line['expires']}, {line['reason']}" for line in document["expected_failures"]
    ]
    record_property(name, told)
    with capsys.disabled():
        print(f"\n{name}: {told}{''.join(kept)}")
    assert 0 == process.returncode, process.stdout + process.stderr
    later = [(line["id"], line["api"]) for line in document["checks"] if not line["scored"]]
    broken = [(it["id"], it["api"]) for it in document["checks"] if it["outcome"] not in ("pass", "n/a", "warn")]
    assert later
    assert [] == [pair for pair in broken if pair in later], process.stdout


def test_ours_are_among_them() -> None:
    """A plugin that does not show its entry point would go untested."""
    folders = {path.parent.name for path in Path(__file__).resolve().parents[2].glob("plugins/*/pyproject.toml")}

    assert {folder if folder != "openai-compatible" else "custom" for folder in folders} <= {*PLUGINS}
