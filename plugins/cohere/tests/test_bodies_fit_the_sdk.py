"""Every body is what cohere's own client would send, unknown members forbidden, for each pair of parameters."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import cohere
import pytest
from cohere.v2.raw_client import RawV2Client
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from byollm_conformance.bodies import FIELDS, bodies

HINTS = get_type_hints(RawV2Client.chat)
PARAMETERS = inspect.signature(RawV2Client.chat).parameters.keys() - {"self", "request_options"}
NEEDED = ("model", "messages")
FIELDS_OF_A_BODY: dict[str, Any] = {name: (HINTS[name], ... if name in NEEDED else None) for name in PARAMETERS}
FIELDS_OF_A_BODY["stream"] = (bool, False)
CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
BODY: TypeAdapter[Any] = TypeAdapter(create_model("Body", __config__=CONFIG, **FIELDS_OF_A_BODY))
"""The parameters of `ClientV2.chat`, with their types."""
MODELS = ("command-a-plus-05-2026", "command-a-03-2025", "command-a-reasoning-08-2025", "command-a-vision-07-2025")


def unknown(value: Any) -> list[str]:
    """Members that the client's models do not name: they take any."""
    if isinstance(value, BaseModel):
        found = list(value.model_extra or ())
        return found + [name for field in type(value).model_fields for name in unknown(getattr(value, field))]
    return [name for item in value for name in unknown(item)] if isinstance(value, list) else []


def judged(body: dict[str, Any]) -> list[str]:
    """Raises ValidationError for a wrong type; answers with the members that have no name."""
    return unknown(BODY.validate_python(body))


@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str) -> None:
    """Each value with each value of every other parameter."""
    found = list(bodies("cohere", MODELS, first))

    for made in found:
        assert [] == judged(made.body), made.fields
    assert found or first in ("logit_bias", "logprobs", "prefill")


def test_enough_was_judged() -> None:
    """At least two hundred bodies."""
    assert 200 <= sum(len(list(bodies("cohere", MODELS, first))) for first in FIELDS)


def test_the_judge_is_strict() -> None:
    """Unknown members, wrong types and unknown roles are found."""
    right: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert [] == judged(right)

    assert ["name"] == judged({**right, "messages": [{"role": "user", "content": "hi", "name": "ada"}]})
    for wrong in ({"top_p": 1}, {"temperature": "hot"}, {"messages": [{"role": "robot", "content": "hi"}]}):
        with pytest.raises(ValidationError):
            judged({**right, **wrong})
    assert "cohere" == cohere.__name__
