"""Every body is what OpenAI's types allow beside OpenRouter's own words, for each pair of parameters."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import chat, responses, shared_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import TypeAdapter, ValidationError

from byollm_conformance.bodies import FIELDS, bodies, consumed, forbid_unknown, without

forbid_unknown(completion_create_params, response_create_params, chat, responses, shared_params)
BODY: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(completion_create_params.CompletionCreateParams),
    "responses": TypeAdapter(response_create_params.ResponseCreateParams),
}
MODELS = ("anthropic/claude-sonnet-4.6", "openai/gpt-5-mini", "deepseek/deepseek-chat")
OWN: dict[str, type | tuple[type, ...]] = {"reasoning": dict, "provider": dict, "top_k": int}
"""Members that OpenAI does not know, with their types."""
OF_TURNS = {"reasoning"}
"""Members of a turn that OpenAI does not know, all of them texts."""


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """The body without the vendor's own members, and without cache marks, which are Anthropic's."""
    bare = without(body, OWN, OF_TURNS)
    blocks = [
        block for turn in bare.get("messages", ()) if isinstance(turn.get("content"), list) for block in turn["content"]
    ]
    for block in blocks:
        block.pop("cache_control", None)
    return bare


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str, api: str) -> None:
    """Each value with each value of every other parameter."""
    for made in bodies("openrouter", MODELS, first, api=api):
        consumed(BODY[api].validate_python(plain(made.body)))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_enough_was_judged(api: str) -> None:
    """At least two hundred bodies."""
    assert 200 <= sum(len(list(bodies("openrouter", MODELS, first, api=api))) for first in FIELDS)


def test_the_judge_is_strict() -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    consumed(BODY["chat"].validate_python(right))

    for wrong in ({"colour": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "colour": "a"}]}):
        with pytest.raises(ValidationError):
            consumed(BODY["chat"].validate_python({**right, **wrong}))
