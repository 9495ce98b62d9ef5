"""A shop in an empty folder. The helpers of this folder are importable by their bare names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from byollm_sandbox import serve

sys.path.insert(0, str(Path(__file__).parent))

from compare_line import Shop


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Twins of four deployments, and the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BYOLLM_CONFIG", raising=False)
    with serve() as twins:
        yield Shop(twins, tmp_path, capsys)
