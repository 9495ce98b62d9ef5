"""Where a fault happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byollm_sandbox.dialects.base import Call, Dialect
from byollm_sandbox.faults import Fault
from byollm_sandbox.requests import Recorded

DRIP = 0.05
"""Seconds between dripped bytes when the fault does not say."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault happens."""

    request: Recorded
    dialect: Dialect
    call: Call
    fault: Fault

    def option(self, name: str, default: Any) -> Any:
        """An option of the fault."""
        return self.fault.options.get(name, default)
