"""Every body is what google-genai's and Anthropic's types allow, unknown members forbidden, for each pair of fields.

Of Anthropic's types those of 2026-11 know no sampling parameters: they are looked at apart. Vertex has the model in the
path and the API's version in the body.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from anthropic import types as claude
from google.genai import types as gemini
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, create_model

from byollm_conformance.bodies import FIELDS, bodies, consumed, forbid_unknown

GeminiBody: Any = create_model(
    "GeminiBody",
    __config__=ConfigDict(extra="forbid"),
    contents=(list[gemini.Content], Field(min_length=1)),
    systemInstruction=(gemini.Content | None, None),
    tools=(list[gemini.Tool] | None, None),
    toolConfig=(gemini.ToolConfig | None, None),
    generationConfig=(gemini.GenerationConfig | None, None),
    safetySettings=(list[gemini.SafetySetting] | None, None),
)
GEMINI: TypeAdapter[Any] = TypeAdapter(GeminiBody)
forbid_unknown(claude, claude.message_create_params)
CLAUDE: TypeAdapter[Any] = TypeAdapter(claude.message_create_params.MessageCreateParams)
OWN: dict[str, TypeAdapter[Any]] = {
    "anthropic_version": TypeAdapter(Literal["vertex-2023-10-16"]),
    "temperature": TypeAdapter(float),
    "top_p": TypeAdapter(float),
    "top_k": TypeAdapter(int),
}
"""Members that Anthropic's types do not name, with what they may be."""

MODELS = {
    "gemini": ("gemini-3.8-flash", "gemini-2.5-flash", "gemini-4-argon", "gemini-3.5-flash-lite"),
    "anthropic": ("claude-opus-4-6@20260101", "claude-sonnet-4-6", "claude-opus-5"),
}
REFUSED = {"gemini": {"logit_bias", "logprobs"}, "anthropic": {"logit_bias", "logprobs", "prefill"}}
"""Parameters that these models do not have: no body is made."""
both = pytest.mark.parametrize("api", MODELS)


def made_of(api: str, first: str) -> list[Any]:
    """The bodies of one parameter beside each later one."""
    return list(bodies("vertex", MODELS[api], first, api=api, project="p1"))


def is_allowed(api: str, body: dict[str, Any]) -> None:
    """Raises ValidationError for what the vendor's types do not name."""
    if api == "gemini":
        GEMINI.validate_json(json.dumps(body))
        return
    for name in OWN.keys() & body.keys():
        OWN[name].validate_python(body[name], strict=True)
    assert "model" not in body
    consumed(CLAUDE.validate_python({"model": "m", **{k: v for k, v in body.items() if k not in OWN}}))


@both
@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str, api: str) -> None:
    """Each value with each value of every other parameter; only what these models lack makes none."""
    found = made_of(api, first)

    for made in found:
        is_allowed(api, made.body)
    assert (first in REFUSED[api]) == (not found)


@both
def test_enough_was_judged(api: str) -> None:
    """At least two hundred bodies, and every parameter among them that these models have."""
    asked = [made.fields.keys() for first in FIELDS for made in made_of(api, first)]

    assert 200 <= len(asked)
    assert set(FIELDS) - REFUSED[api] == set().union(*asked)


@both
@pytest.mark.parametrize("wrong", [{"unknown": 1}, {"contents": [{"role": "user", "parts": [{"txt": "a"}]}]},
                                   {"messages": [{"role": "user", "hue": 1}]}, {"store": False}])  # fmt: skip
def test_the_judge_is_strict(wrong: dict[str, Any], api: str) -> None:
    """Unknown members and wrong shapes are found, and what only AI Studio takes."""
    right = made_of(api, "system")[0].body
    is_allowed(api, right)

    with pytest.raises(ValidationError):
        is_allowed(api, {**right, **wrong})
