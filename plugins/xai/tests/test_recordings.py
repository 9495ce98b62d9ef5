"""Every recorded exchange of xAI, read by its own plugin as an independent reader says it must be read.

The independent reader is that of `tests/replay`, which imports nothing of core or plugins.
"""

from __future__ import annotations

from collections import Counter

from tests.replay import corpus
from tests.replay.expected import expect
from tests.replay.test_replay import differences, read, reader_for

PROVIDER = "xai"


def test_recordings_are_read_as_they_must_be() -> None:
    """Text, calls, finish, usage and error class of every answer, whole and in pieces of seven bytes."""
    outcomes: Counter[str] = Counter()
    for exchange in corpus.exchanges(PROVIDER):
        expected = expect(exchange)
        if expected.outcome not in ("answer", "error"):
            continue
        assert PROVIDER == reader_for(exchange)[0]
        pieces = [exchange.body[at : at + 7] for at in range(0, len(exchange.body), 7)]
        assert {} == differences(expected, read(exchange, [exchange.body])), exchange.id
        assert {} == differences(expected, read(exchange, pieces)), exchange.id
        outcomes[expected.error or "answer"] += 1

    assert {"answer": 70, "AuthenticationError": 1, "InvalidRequestError": 1, "ModelNotFoundError": 5} == dict(outcomes)
