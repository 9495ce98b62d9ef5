"""Every recorded exchange of an OpenAI dialect, of whichever vendor: read without error, whole and in pieces."""

from collections import Counter
from functools import cache

import pytest
from compatible_driving import Recording, body, failure, read, recordings, say

from byollm.plugin import ByollmError, ProviderError, Request
from byollm.types.completion import Completion

KINDS = {
    "ProtocolError": "more than one choice, a background answer, or no terminal marker",
    "ServerError": "the gateway's upstream failed after a 200",
    "ContentFilterError": "the prompt was refused",
    "InvalidRequestError": "the request was refused after a 200",
    "RequestTooLargeError": "larger than the tier allows",
    "QuotaExhaustedError": "the account is empty",
}
"""What a recorded 200 may turn out to be."""


@cache
def answered() -> list[Recording]:
    return [found for found in recordings() if found.status < 400 and found.body.strip()]


def seen(recording: Recording, pieces: list[bytes]) -> Completion | ByollmError:
    try:
        return read(pieces, api=recording.api, stream=recording.is_stream, headers=recording.headers)
    except ByollmError as error:
        return error


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_every_answer_is_read(api):
    """Text, calls or a filtered answer; the few that hold an error are told by its class."""
    found = [(recording, seen(recording, [recording.body])) for recording in answered() if recording.api == api]
    errors = Counter(type(reply).__name__ for _, reply in found if isinstance(reply, ByollmError))
    broken = [
        recording.id for recording, reply in found if isinstance(reply, Completion) and reply.finish_reason is None
    ]

    print(f"\n{api}: {len(found)} answers, errors {dict(errors)}")
    assert {"chat": 1100, "responses": 200}[api] <= len(found)
    assert errors.keys() <= KINDS.keys()
    assert errors.total() < 0.02 * len(found)
    assert [] == broken


def test_answers_are_the_same_in_the_networks_pieces():
    """Cut where the network cut them, and byte by byte where they are short."""
    for recording in answered():
        whole = plain(seen(recording, [recording.body]))
        if len(recording.pieces) > 1:
            assert whole == plain(seen(recording, list(recording.pieces))), recording.id
        if len(recording.body) < 3_000:
            single = [recording.body[at : at + 1] for at in range(len(recording.body))]
            assert whole == plain(seen(recording, single)), recording.id


def test_every_refusal_has_a_class_and_the_providers_words():
    """Never markup, never empty, the status kept."""
    refused = [
        found
        for found in recordings()
        if found.status >= 400 and found.body.strip() and not found.body.startswith(b"<")
    ]

    for recording in refused:
        error = failure(recording.status, recording.body, recording.headers)
        assert isinstance(error, ProviderError)
        assert recording.status == error.status
        assert error.message, recording.id
        assert not error.message.startswith("<"), recording.id
    assert len(refused) > 80


def plain(reply):
    if isinstance(reply, ByollmError):
        return type(reply).__name__, reply.message
    return reply.parts, reply.finish_reason, reply.raw_finish_reason, reply.usage, reply.id, reply.model


def test_a_server_without_finish_reasons_is_read_when_the_file_says_so():
    """Snowflake's streams end with their usage."""
    streams = [found for found in answered() if found.provider == "snowflake" and found.is_stream]

    replies = [read(found.body, api="chat", headers=found.headers, usage_ends_stream=True) for found in streams]

    assert len(replies) > 1
    assert {"stop"} == {reply.finish_reason for reply in replies}


REPLAYED = {"reasoning_replay": "always", "tool_result_media": "tool_message"}


def test_what_was_answered_can_be_said_again():
    """Each answer goes back as the assistant's turn of the next request, state and all."""
    for recording in answered():
        reply = seen(recording, [recording.body])
        if isinstance(reply, Completion) and reply.parts:
            turns = Request([say("user", "a"), reply.message, say("user", "b")])
            sent = body(turns, api=recording.api, **REPLAYED)
            assert 2 <= len(sent.get("messages") or sent["input"]), recording.id
