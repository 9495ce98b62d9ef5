"""The command line in an empty folder. The helpers of this folder are importable by their bare names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from savings_line import Line


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    """`byollm savings` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BYOLLM_CONFIG", raising=False)
    return Line(tmp_path, capsys)
