"""A key, a folder, and a twin to ask."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byollm_audit.keys import Key, new_key
from byollm_audit.verify import Report, verify
from byollm_sandbox import serve
from byollm_sandbox.server import Twins

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve() as found:
        yield found


@pytest.fixture
def target(twin: Twins) -> dict[str, Any]:
    price = {"input": 1, "output": 2, "currency": "EUR"}
    return {
        "provider": "custom",
        "model": "sandbox-1",
        "endpoint": twin.url("openai-chat"),
        "api_key": "k-1234567890",
        "pricing": price,
        "capabilities": {"temperature_range": [0, 1]},
    }


@pytest.fixture
def key(tmp_path: Path) -> str:
    """The reference of a fresh key."""
    new_key(tmp_path / "audit.key")
    return f"file:{tmp_path / 'audit.key'}"


@pytest.fixture
def chain_key(key: str) -> bytes:
    return Key(key).derive("chain")


@pytest.fixture(params=["audit", "audit.db"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of segments, and a database."""
    return tmp_path / str(request.param)


@pytest.fixture
def proved(path: Path, chain_key: bytes) -> Any:
    """Verify what is there."""

    def run(anchors: Any = ()) -> Report:
        return verify(path, chain_key, anchors)

    return run
