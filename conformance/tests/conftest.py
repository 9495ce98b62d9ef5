"""Plugins that are made up on the spot: a package and its metadata in a folder, as an installer leaves them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from byollm_conformance.effort import Effort
from byollm_conformance.runner import Plan, Report, Runner
from byollm_conformance.targets import find

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from conformance_acme import CONFORMANT, METADATA, Conform, Install  # noqa: E402  (found by the line above)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution byollm-acme whose package holds this code; further files by name."""

    def made(code: str = CONFORMANT, *, entry: str = "acme = byollm_acme:provider", **files: str) -> Path:
        site = tmp_path / "site"
        package, metadata = site / "byollm_acme", site / "byollm_acme-1.4.0.dist-info"
        package.mkdir(parents=True)
        metadata.mkdir()
        written = {
            "__init__.py": code,
            "py.typed": "",
            **{name.replace("__", "."): text for name, text in files.items()},
        }
        for name, text in written.items():
            (package / name).write_text(text, "utf-8")
        (metadata / "METADATA").write_text(METADATA, "utf-8")
        (metadata / "entry_points.txt").write_text(f"[byollm.providers]\n{entry}\n", "utf-8")
        names = [f"byollm_acme/{name}" for name in written]
        names += [f"{metadata.name}/{name}" for name in ("METADATA", "entry_points.txt", "RECORD")]
        (metadata / "RECORD").write_text("".join(f"{name},,\n" for name in names), "utf-8")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv("PYTHONPATH", str(site))
        return package

    return made


@pytest.fixture
def conform() -> Conform:
    """Run some checks on byollm-acme in child processes."""

    def run(*ids: str, patience: float = 20.0, processes: int = 1, **plan: object) -> Report:
        effort = Effort(max_examples=20, shrink=False)
        return Runner(
            Plan(find("acme"), ids=ids, effort=effort, patience=patience, processes=processes, **plan)  # type: ignore[arg-type]  # whatever a plan takes
        ).run()

    return run


@pytest.fixture
def repository() -> Path:
    """The folder of the clone."""
    return HERE.parents[1]
