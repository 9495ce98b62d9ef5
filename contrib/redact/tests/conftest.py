"""The sample, and a twin to ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from byollm_sandbox import serve
from byollm_sandbox.server import Twins


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve() as found:
        yield found


@pytest.fixture
def target(twin: Twins) -> dict[str, Any]:
    return {"provider": "custom", "model": "sandbox-1", "endpoint": twin.url("openai-chat"), "api_key": "k-1234567890"}
