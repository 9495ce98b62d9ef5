"""Every body is what mistralai's types allow, unknown members forbidden, for each pair of parameters."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from mistralai.client import models
from pydantic import TypeAdapter, ValidationError

from byollm_conformance.bodies import FIELDS, bodies, forbid_unknown

TYPES = {False: models.ChatCompletionRequestTypedDict, True: models.ChatCompletionStreamRequestTypedDict}
forbid_unknown(*[module for name, module in sys.modules.items() if name.startswith("mistralai.client.models.")])
BODY: dict[bool, TypeAdapter[Any]] = {stream: TypeAdapter(kind) for stream, kind in TYPES.items()}
MODELS = ("mistral-medium-latest", "mistral-large-latest", "voxtral-small-latest", "magistral-small-2509")


def as_the_sdk_calls_it(body: dict[str, Any]) -> dict[str, Any]:
    """The SDK's dictionaries have one name of their own: `schema` is a method of its models."""
    schema = (body.get("response_format") or {}).get("json_schema")
    if schema is None:
        return body
    renamed = {"schema_definition" if name == "schema" else name: value for name, value in schema.items()}
    return {**body, "response_format": {**body["response_format"], "json_schema": renamed}}


@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str) -> None:
    """Each value with each value of every other parameter; ids are nine letters or digits."""
    found = list(bodies("mistral", MODELS, first))

    for made in found:
        BODY[made.body.get("stream", False)].validate_python(as_the_sdk_calls_it(made.body))
        ids = [call["id"] for turn in made.body["messages"] for call in turn.get("tool_calls", ())]
        assert all(len(id) == 9 and id.isalnum() for id in ids)
        assert len(ids) == len(set(ids))
    assert found or first in ("logit_bias", "logprobs")


def test_enough_was_judged() -> None:
    """At least two hundred bodies."""
    assert 200 <= sum(len(list(bodies("mistral", MODELS, first))) for first in FIELDS)


@pytest.mark.parametrize("wrong", [{"seed": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "name": "a"}]}])
def test_the_judge_is_strict(wrong: dict[str, object]) -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    BODY[False].validate_python(right)

    with pytest.raises(ValidationError):
        BODY[False].validate_python({**right, **wrong})
