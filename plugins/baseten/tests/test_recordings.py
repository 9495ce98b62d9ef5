"""Every recorded answer of Baseten: read without error, or refused with the class that its words mean."""

from __future__ import annotations

from collections import Counter

from byollm_conformance.rows import Row


def test_recordings_are_read() -> None:
    """One answer calls a tool, with text beside the call, and the next one stops."""
    assert Counter({"tool_calls": 1, "stop": 1}) == Row("baseten").recordings(__file__)
