"""One browser for all tests of this folder, and each page made once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.browser import Browser, running
from tests.pages.makers import MAKERS

SAID: list[str] = []


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with running() as found:
        SAID.append(f"looked at with {found.version}")
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A page's file by its name; made at first use, in a folder of its own."""
    files: dict[str, Path] = {}

    def file(name: str) -> Path:
        if name not in files:
            files[name] = MAKERS[name](tmp_path_factory.mktemp("page"))
        return files[name]

    return file


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where pictures are kept ($BYOLLM_PICTURES), for a person to look at; None: nowhere."""
    folder = os.environ.get("BYOLLM_PICTURES")
    if folder is None:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which browser it was."""
    for line in SAID:
        terminalreporter.write_line(line)
