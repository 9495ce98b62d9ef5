"""Every recorded answer of this server: read without error, or refused with the class that its words mean."""

from __future__ import annotations

from byollm_conformance.rows import Row, ended, failed

KNOWN = dict[str, int]()
"""Errors among the recordings, with how often: none."""


def test_recordings_are_read() -> None:
    """Answers end in stop, length or tool_calls; the rest is what the list above says."""
    found = Row("lmstudio").recordings(__file__)

    assert 2 <= ended(found)
    assert failed(found) == KNOWN
