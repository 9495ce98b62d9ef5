from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECONDS = 60
"""The demo's promise; a process that takes longer is killed, and its test fails."""


def run_demo(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`byollm demo` in a fresh process, without a terminal and without anybody's keys."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    for name in ("NO_COLOR", "COLUMNS", "BYOLLM_CONFIG", "MAKELEVEL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "byollm_examples", *words]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run as a person without a terminal sees it."""
    return run_demo(cwd=tmp_path_factory.mktemp("shown"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run as JSON, and the page it wrote."""
    folder = tmp_path_factory.mktemp("told")
    ended = run_demo("--json", "--page", "page.html", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout), (folder / "page.html").read_text("utf-8")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and no configuration named anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BYOLLM_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path
