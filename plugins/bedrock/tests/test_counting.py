"""CountTokens: the request that would be sent, for the models that have it."""

import base64
import json
from typing import Any

import pytest
from bedrock_driving import CLAUDE, NOVA, body, target

from byollm.plugin import Head, Request, Tool
from byollm.wire.framing import decoder_for
from byollm_bedrock import provider

ASKED = Request("hi", system="s", tools=[Tool("f", "F.", {})], max_tokens=9, temperature=0.1)


def counting(model: str = CLAUDE, **fields: Any) -> Any:
    """The exchange that asks for a count, or None."""
    return provider.count_tokens(ASKED, target(model, **fields))


def test_the_count_is_of_the_request_that_would_be_sent():
    """Of its parts that CountTokens takes, under the foundation model's own id."""
    asked = counting()
    said = json.loads(asked.request.body)["input"]["converse"]

    assert asked.request.url.endswith("/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens")
    assert {"messages", "system", "toolConfig"} == said.keys()
    assert {name: body(ASKED)[name] for name in said} == said


def test_a_body_of_invoke_model_is_counted_as_it_is():
    """In base64."""
    said = json.loads(counting(api="invoke").request.body)["input"]["invokeModel"]["body"]

    assert body(ASKED, api="invoke") == json.loads(base64.b64decode(said))


def test_the_answer_is_exact():
    """What would be charged, AWS says."""
    read = counting().reader(Head(200, {}))
    decoder = decoder_for("json", {}, b'{"inputTokens": 12}')
    list(decoder.feed(b'{"inputTokens": 12}'))
    ((count,),) = [read(frame) for frame in decoder.end()]

    assert (12, "exact", 12, 12) == (count.tokens, count.exactness, count.lower, count.upper)


@pytest.mark.parametrize(
    "model",
    [NOVA, "us.anthropic.claude-opus-5", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a"],
)
def test_models_without_it_are_estimated(model: str):
    """None: the core estimates, and says so."""
    assert counting(model) is None


def test_mantle_counts_for_messages():
    """At Anthropic's own endpoint, without what it refuses."""
    asked = counting("anthropic.claude-opus-5", api="messages", region="us-east-1")

    assert asked.request.url.endswith("bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages/count_tokens")
    assert "max_tokens" not in json.loads(asked.request.body)
