"""Every recorded exchange of OpenRouter, read by its own plugin as an independent reader says it must be read.

The independent reader is that of `tests/replay`, which imports nothing of core or plugins.
"""

from __future__ import annotations

import json
from typing import Any

from byollm.plugin import Frame, Head, Support, Target
from byollm_openrouter import provider
from byollm_openrouter.models import list_reader
from tests.replay import corpus
from tests.replay.test_replay import outcomes_of

PROVIDER = "openrouter"


def test_recordings_are_read_as_they_must_be() -> None:
    """Text, calls, finish, usage and error class of every answer, whole and in pieces of seven bytes."""
    assert {
        "answer": 116,
        "AuthenticationError": 1,
        "ContentFilterError": 1,
        "ContextLengthError": 1,
        "InvalidRequestError": 2,
        "ModelNotFoundError": 9,
        "PermissionDeniedError": 1,
        "RateLimitError": 2,
        "ServerError": 1,
    } == outcomes_of(PROVIDER)


def test_the_recorded_list_of_models_is_read() -> None:
    """Windows and longest answers of the recorded rows are those of the table, where it has them."""
    rows: dict[str, Any] = {}
    for path in (corpus.corpus_folder() / "openrouter/models").glob("*.json"):
        for exchange in json.loads(path.read_bytes())["exchanges"]:
            if exchange["request"]["url"].endswith("/models"):
                rows |= {row["id"]: exchange["response"]["json"] for row in exchange["response"]["json"]["data"]}
    for model, document in rows.items():
        known = provider.capabilities(Target(provider="openrouter", model=model, endpoint="https://openrouter.ai"))
        (told,) = list_reader(model, known)(Head(200, {}))(Frame("", document))
        assert (known.context_window, known.max_output_tokens) == (told.context_window, told.max_output_tokens), model
        assert Support.full is told.temperature or "gpt-5" in model
    assert 5 <= len(rows)
