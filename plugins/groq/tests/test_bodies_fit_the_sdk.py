"""Every body is what groq's types allow, unknown members forbidden, for each pair of parameters."""

from __future__ import annotations

from typing import Any

import pytest
from groq.types import chat, shared_params
from groq.types.chat import completion_create_params
from pydantic import TypeAdapter, ValidationError

from byollm_conformance.bodies import FIELDS, bodies, consumed, forbid_unknown

forbid_unknown(completion_create_params, chat, shared_params)
BODY: TypeAdapter[Any] = TypeAdapter(completion_create_params.CompletionCreateParams)
MODELS = ("openai/gpt-oss-120b", "qwen/qwen3.8-27b", "qwen/qwen3-32b", "llama-3.3-70b-versatile")
UNKNOWN = {"stream_options"}
"""What Groq takes, as recorded, though its types do not name it."""


@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str) -> None:
    """Each value with each value of every other parameter."""
    found = list(bodies("groq", MODELS, first))

    for made in found:
        consumed(BODY.validate_python({name: value for name, value in made.body.items() if name not in UNKNOWN}))
    assert found or first in ("logit_bias", "logprobs")


def test_enough_was_judged() -> None:
    """At least two hundred bodies."""
    assert 200 <= sum(len(list(bodies("groq", MODELS, first))) for first in FIELDS)


@pytest.mark.parametrize("wrong", [{"top_k": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "hue": "a"}]}])
def test_the_judge_is_strict(wrong: dict[str, object]) -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    consumed(BODY.validate_python(right))

    with pytest.raises(ValidationError):
        consumed(BODY.validate_python({**right, **wrong}))
