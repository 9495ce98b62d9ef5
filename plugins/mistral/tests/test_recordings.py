"""Every recorded exchange of Mistral, read by its own plugin as an independent reader says it must be read.

The independent reader is that of `tests/replay`, which imports nothing of core or plugins.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mistralai.client import models

from byollm.plugin import Frame, Head, Target
from byollm.types.completion import Completion
from byollm_mistral import provider
from byollm_mistral.models import card_reader
from tests.replay import corpus
from tests.replay.expected import expect
from tests.replay.framing import frames
from tests.replay.test_replay import outcomes_of, read

PROVIDER = "mistral"


def test_recordings_are_read_as_they_must_be() -> None:
    """Text, calls, finish, usage and error class of every answer, whole and in pieces of seven bytes."""
    assert {"answer": 113, "AuthenticationError": 2, "InvalidRequestError": 3, "ProtocolError": 2} == outcomes_of(
        PROVIDER
    )


def chunks_of(exchange: corpus.Exchange) -> list[Any]:
    """The answer as mistralai's own types hold it: one response, or its chunks."""
    kind = models.CompletionChunk if exchange.streamed else models.ChatCompletionResponse
    return [kind.model_validate(dict(frame.value)) for frame in frames(exchange.body)]


def test_the_sdk_reads_the_same() -> None:
    """Text, calls and the last finish reason of every recorded answer, by mistralai's own types."""
    seen = 0
    for exchange in corpus.exchanges(PROVIDER):
        if expect(exchange).outcome != "answer":
            continue
        choices = [choice for chunk in chunks_of(exchange) for choice in chunk.choices]
        turns = [choice.delta if exchange.streamed else choice.message for choice in choices]
        texts = [text for turn in turns for text in texts_of(turn.content)]
        names = [call.function.name for turn in turns for call in turn.tool_calls or () if call.function.name]
        reply = read(exchange, [exchange.body])
        assert isinstance(reply, Completion)
        assert ("".join(texts), names) == (reply.text, [call.name for call in reply.tool_calls]), exchange.id
        reasons = [str(choice.finish_reason) for choice in choices if choice.finish_reason]
        assert reasons[-1] == reply.raw_finish_reason, exchange.id
        seen += 1
    assert 110 <= seen


def texts_of(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [chunk.text for chunk in content or () if chunk.type == "text"]


def test_the_recorded_list_of_models_is_in_the_table() -> None:
    """Window, pictures, tools and thinking of every card that answers chats, read as `refine` reads it."""
    newest, seen = Target(provider="mistral", model="m", endpoint="https://api.mistral.ai", api="chat"), 0
    for path in sorted((corpus.corpus_folder() / "mistral/models").glob("*list_models_keeps*.json")):
        for card in json.loads(path.read_bytes())["exchanges"][0]["response"]["json"]["data"]:
            if not card["capabilities"]["completion_chat"] or "ocr" in card["id"]:
                continue
            known = provider.capabilities(replace(newest, model=card["id"]))
            (told,) = card_reader(known)(Head(200, {}))(Frame("", card))
            assert (known.context_window, known.images, known.tools) == (told.context_window, told.images, told.tools)
            assert known.reasoning is told.reasoning, card["id"]
            seen += 1
    assert 30 <= seen
