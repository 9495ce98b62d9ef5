"""Nobody is contacted whom the rules forbid, at full size. BYOLLM_SCALE is the share of it that is run."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest
from core_law_machine import Machine, files
from core_law_sockets import CALLS, FAULTS, Resolver, check, hook
from hypothesis import HealthCheck, given, settings

from byollm_sandbox import serve

SCALE = float(os.environ.get("BYOLLM_SCALE", "1"))
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
Machine.TestCase.settings = settings(
    max_examples=max(5, int(2000 * SCALE)), stateful_step_count=50, deadline=None, suppress_health_check=SLOW
)

TestNever = Machine.TestCase
"""100,000 steps over 2,000 files."""


def test_nobody_forbidden_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 files over real sockets."""
    sys.addaudithook(hook)
    with serve() as twin:
        monkeypatch.setattr(socket, "getaddrinfo", Resolver())

        @settings(max_examples=max(5, int(1000 * SCALE)), deadline=None, suppress_health_check=SLOW)
        @given(config=files(), calls=CALLS, faults=FAULTS)
        def run(config: Any, calls: Any, faults: Any) -> None:
            check(config, calls, faults, twin)

        run()
