"""A running twin, and the plainest way to ask it.

Makes the helpers of this folder importable by their bare names, and leaves the recordings out where there are none:
they are looked for where the clone has a sibling `shared`, or where BYOLLM_CORPUS says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from byollm_sandbox import Twins, serve

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from sandbox_asking import DIALECTS, Asker  # noqa: E402  # the path comes first

_beside = any((folder / "shared").is_dir() for folder in HERE.parents)
collect_ignore = [] if _beside or os.environ.get("BYOLLM_CORPUS") else ["test_recordings.py"]


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve() as running:
        yield running


@pytest.fixture
def ask(twin: Twins) -> Iterator[Asker]:
    asker = Asker(twin)
    with asker.client:
        yield asker


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)
