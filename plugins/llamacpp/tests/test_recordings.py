"""Every recorded answer of this server: read without error, or refused with the class that its words mean."""

from __future__ import annotations

from byollm_conformance.rows import Row, ended, failed

KNOWN = {"InvalidRequestError": 5, "ProtocolError": 2, "ContextLengthError": 1, "AuthenticationError": 1}
"""Errors among the recordings, with how often: the caller's mistakes
(some with status 500), two that asked for two answers, a prompt that did not fit, a wrong key."""


def test_recordings_are_read() -> None:
    """Answers end in stop, length or tool_calls; the rest is what the list above says."""
    found = Row("llamacpp").recordings(__file__)

    assert 70 <= ended(found)
    assert failed(found) == KNOWN
