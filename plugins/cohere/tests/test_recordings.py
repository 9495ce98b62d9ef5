"""Every recorded exchange of Cohere, read by its own plugin as an independent reader says it must be read.

The independent reader is that of `tests/replay`, which imports nothing of core or plugins.
"""

from __future__ import annotations

import json
from typing import Any

from byollm.plugin import Capabilities, Frame, Head, Support
from byollm_cohere.models import card_reader
from byollm_cohere.plugin import count_reader
from tests.replay import corpus
from tests.replay.test_replay import outcomes_of

PROVIDER = "cohere"


def test_recordings_are_read_as_they_must_be() -> None:
    """Text, calls, finish, usage and error class of every answer, whole and in pieces of seven bytes."""
    assert {"answer": 75, "ContextLengthError": 1, "InvalidRequestError": 2, "ModelNotFoundError": 1} == outcomes_of(
        PROVIDER
    )


def other(path: str) -> list[dict[str, Any]]:
    """Recorded answers of another endpoint."""
    found = []
    for file in sorted((corpus.corpus_folder() / "cohere").rglob("*.json")):
        for exchange in json.loads(file.read_bytes())["exchanges"]:
            if path in exchange["request"]["url"]:
                found.append(exchange["response"]["json"])
    return found


def test_recorded_tokens_are_counted() -> None:
    """No more than the true number: the vendor's own prompt comes on top."""
    counts = [count_reader(Head(200, {}))(Frame("", document))[0] for document in other("/v1/tokenize")]

    assert [(3, 3, "estimate")] == [(count.tokens, count.lower, count.exactness) for count in counts]


def test_recorded_cards_are_read() -> None:
    """`GET /v1/models/{name}`: window and features, where it tells them."""
    cards = {card["name"]: card for card in other("/v1/models/")}
    old, new = (
        card_reader(Capabilities())(Head(200, {}))(Frame("", cards[name]))[0]
        for name in ("command-r", "command-a-reasoning-08-2025")
    )

    assert (128_000, Support.unknown) == (old.context_window, old.tools)
    assert (288_768, Support.full, Support.unsupported) == (new.context_window, new.reasoning, new.images)
