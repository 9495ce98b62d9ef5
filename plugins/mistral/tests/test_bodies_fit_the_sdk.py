"""Every body is what mistralai's types allow, unknown members forbidden, for each pair of parameters."""

from __future__ import annotations

import pytest
from mistralai.client import models
from pydantic import TypeAdapter, ValidationError

from byollm_conformance.bodies import FIELDS, bodies, forbid_unknown

forbid_unknown(*[module for module in vars(models).values() if type(module).__name__ == "module"], models)
BODY: dict[bool, TypeAdapter[object]] = {
    False: TypeAdapter(models.ChatCompletionRequestTypedDict),
    True: TypeAdapter(models.ChatCompletionStreamRequestTypedDict),
}
MODELS = ("mistral-medium-latest", "mistral-large-latest", "voxtral-small-latest", "magistral-small-2509")


@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str) -> None:
    """Each value with each value of every other parameter; ids are nine letters or digits."""
    found = list(bodies("mistral", MODELS, first))

    for made in found:
        BODY[made.body.get("stream", False)].validate_python(made.body)
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
