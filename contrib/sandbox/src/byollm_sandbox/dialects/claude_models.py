"""What each Claude family takes, as far as requests are refused for it."""

from __future__ import annotations


def limits(name: str) -> tuple[int, int]:
    """Context window and largest output, in tokens."""
    return (200_000, 64_000)
