"""Every recorded exchange of xAI, read by its own plugin as an independent reader says it must be read.

The independent reader is that of `tests/replay`, which imports nothing of core or plugins.
"""

from __future__ import annotations

from tests.replay.test_replay import outcomes_of

PROVIDER = "xai"


def test_recordings_are_read_as_they_must_be() -> None:
    """Text, calls, finish, usage and error class of every answer, whole and in pieces of seven bytes."""
    assert {"answer": 70, "AuthenticationError": 1, "InvalidRequestError": 1, "ModelNotFoundError": 5} == outcomes_of(
        PROVIDER
    )
