"""No forbidden candidate is ever contacted: a few thousand steps here, 100,000 in the soak lane."""

from __future__ import annotations

from core_law_machine import Machine
from hypothesis import HealthCheck, settings

Machine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestNever = Machine.TestCase
"""Whatever the file, the call, the failure and the clock."""
