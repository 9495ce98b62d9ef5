"""Every body is what OpenAI's types allow beside DeepSeek's own words, for each pair of parameters."""

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
MODELS = ("deepseek-v4-flash", "deepseek-v4-pro", "deepseek-chat")
OWN: dict[str, type | tuple[type, ...]] = {"thinking": dict}
"""Members that OpenAI does not know, with their types."""
OF_TURNS = {"reasoning_content"}
"""Members of a turn that OpenAI does not know, all of them texts."""


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str, api: str) -> None:
    """Each value with each value of every other parameter."""
    for made in bodies("deepseek", MODELS, first, api=api):
        consumed(BODY[api].validate_python(without(made.body, OWN, OF_TURNS)))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_enough_was_judged(api: str) -> None:
    """At least two hundred bodies."""
    assert 200 <= sum(len(list(bodies("deepseek", MODELS, first, api=api))) for first in FIELDS)


def test_the_judge_is_strict() -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    consumed(BODY["chat"].validate_python(right))

    for wrong in ({"colour": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "colour": "a"}]}):
        with pytest.raises(ValidationError):
            consumed(BODY["chat"].validate_python({**right, **wrong}))
