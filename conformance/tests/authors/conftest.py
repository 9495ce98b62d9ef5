"""Makes the helpers of the folder above importable by their bare names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))

from planting import Plant, plant


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Install a repository of `byollm new-plugin` for this process and its children."""

    def made(kind: str, **broken: tuple[str, str]) -> Path:
        site = plant(tmp_path / "site", kind, **broken)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv("PYTHONPATH", str(site))
        return site

    return made
