"""Failover as a user lives it: before content it is invisible, after content never silent, and no `except` changes."""

from __future__ import annotations

from typing import Any

import pytest

import byollm
from byollm.errors import (
    AuthenticationError,
    InvalidRequestError,
    ProviderConnectionError,
    ServerError,
    StreamInterruptedError,
)
from byollm_sandbox import Answer, Twins
from tests.scenarios.conftest import KEY, Asker


def two(twin: Twins, **first: Any) -> dict[str, Any]:
    """A primary, and a backup under `failover`."""
    backup = {"provider": "custom", "model": "b", "endpoint": twin.url("openai-chat", name="backup"), "api_key": KEY}
    return {
        "provider": "custom",
        "model": "a",
        "endpoint": twin.url("openai-chat", name="primary"),
        "api_key": KEY,
        "failover": [backup],
        **first,
    }


def test_a_dead_primary_is_answered_by_the_backup(twin: Twins, ask: Asker) -> None:
    """Connection refused: the backup answers, and the attempts tell the story."""
    config = two(twin)
    twin.down("primary")
    twin.script("from the backup", name="backup")

    reply = ask.complete(config, clock=ask.clock)

    assert "from the backup" == reply.text
    assert isinstance(reply.attempts[0].error, ProviderConnectionError)
    assert reply.attempts[-1].error is None
    assert "b" == reply.attempts[-1].model


def test_a_stream_cut_before_content_fails_over_unseen(twin: Twins, ask: Asker) -> None:
    """The caller sees one answer with one beginning."""
    twin.script(Answer(parts=("never",)), name="primary")
    twin.fault("cut", name="primary", after=0, unit="tokens", how="reset")
    twin.script("from the backup", name="backup")

    reply = ask.stream(two(twin), clock=ask.clock)

    assert ("from the backup", 2) == (reply.text, len(reply.attempts))


def test_a_stream_cut_after_content_is_never_mended_in_silence(twin: Twins, ask: Asker) -> None:
    """What was shown stays shown: the error holds the partial text, and the backup is not asked."""
    twin.script(Answer(parts=("one two three four",)), name="primary")
    twin.fault("cut", name="primary", after=2, unit="tokens", how="reset")

    with pytest.raises(StreamInterruptedError) as caught:
        ask.stream(two(twin), clock=ask.clock)

    assert caught.value.partial is not None
    assert caught.value.partial.text
    assert [] == [request for request in twin.requests if request.name == "backup"]


def test_a_failover_line_changes_no_except(twin: Twins, ask: Asker) -> None:
    """With both deployments failing alike, the program catches what it caught before the line was added."""
    for name in ("primary", "backup"):
        for _ in range(6):
            twin.script(ServerError("broken"), name=name)
    alone = two(twin)
    del alone["failover"]

    with pytest.raises(ServerError) as single:
        ask.complete(alone, clock=ask.clock)
    with pytest.raises(ServerError) as double:
        ask.complete(two(twin), clock=ask.clock)

    assert type(single.value) is type(double.value)
    assert {"default"} < {attempt.deployment for attempt in double.value.attempts}


@pytest.mark.parametrize("error", [InvalidRequestError("no")])
def test_a_request_that_is_wrong_is_wrong_everywhere(twin: Twins, ask: Asker, error: InvalidRequestError) -> None:
    """A 400 is not carried from provider to provider."""
    twin.script(error, name="primary")

    with pytest.raises(InvalidRequestError):
        ask.complete(two(twin), clock=ask.clock)

    assert ["primary"] == [request.name for request in twin.requests]


def test_a_wrong_key_fails_over_and_is_told(twin: Twins, ask: Asker) -> None:
    """The backup answers, and the attempt's error says that the first key was refused."""
    twin.script("from the backup", name="backup")

    reply = ask.complete(two(twin, api_key="sk-wrong-0123456789abcdef"), clock=ask.clock)

    assert "from the backup" == reply.text
    assert isinstance(reply.attempts[0].error, AuthenticationError)


def test_a_candidate_that_cannot_is_skipped(twin: Twins, ask: Asker) -> None:
    """A model that takes no tools is not asked; the next one is."""
    twin.script([byollm.ToolCall("c1", "f", "{}")], name="backup")

    reply = ask.complete(
        two(twin, capabilities={"tools": "unsupported"}), tools=[byollm.Tool("f", "x", {"type": "object"})]
    )

    assert "b" == reply.attempts[-1].model
    assert ["backup"] == [request.name for request in twin.requests]
