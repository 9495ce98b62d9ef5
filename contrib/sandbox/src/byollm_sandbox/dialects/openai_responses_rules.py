"""What Responses refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm_sandbox.dialects.base import Rejection


def validate(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """What OpenAI refuses."""
    return None


def validate_count(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """What the counting endpoint refuses."""
    return None
