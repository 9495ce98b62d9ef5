"""Every body is what OpenAI's types allow beside Fireworks's own words, for each pair of parameters."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import chat, responses, shared_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import TypeAdapter, ValidationError

from byollm_conformance.bodies import FIELDS, bodies, consumed, forbid_unknown

forbid_unknown(completion_create_params, response_create_params, chat, responses, shared_params)
BODY: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(completion_create_params.CompletionCreateParams),
    "responses": TypeAdapter(response_create_params.ResponseCreateParams),
}
MODELS = ("accounts/fireworks/models/kimi-k3", "glm-5p3", "llama-v3p1-8b-instruct")
OWN: dict[str, type | tuple[type, ...]] = {"context_length_exceeded_behavior": str, "top_k": int}
"""Members that OpenAI does not know, with their types."""
OF_TURNS = {"reasoning_content"}
"""Members of a turn that OpenAI does not know, all of them texts."""


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """The body without the vendor's own members, whose types are checked here."""
    for name in OWN.keys() & body.keys():
        assert isinstance(body[name], OWN[name]), name
    kept = {name: value for name, value in body.items() if name not in OWN}
    return {**kept, "messages": [_turn(turn) for turn in body["messages"]]} if "messages" in body else kept


def _turn(turn: dict[str, Any]) -> dict[str, Any]:
    assert all(isinstance(turn[name], str) for name in OF_TURNS & turn.keys())
    return {name: value for name, value in turn.items() if name not in OF_TURNS}


@pytest.mark.parametrize("api", ["chat"])
@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str, api: str) -> None:
    """Each value with each value of every other parameter."""
    for made in bodies("fireworks", MODELS, first, api=api):
        consumed(BODY[api].validate_python(plain(made.body)))


@pytest.mark.parametrize("api", ["chat"])
def test_enough_was_judged(api: str) -> None:
    """At least two hundred bodies."""
    assert 200 <= sum(len(list(bodies("fireworks", MODELS, first, api=api))) for first in FIELDS)


def test_the_judge_is_strict() -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    consumed(BODY["chat"].validate_python(right))

    for wrong in ({"colour": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "colour": "a"}]}):
        with pytest.raises(ValidationError):
            consumed(BODY["chat"].validate_python({**right, **wrong}))
