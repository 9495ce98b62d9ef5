"""Every body is what the openai SDK's types allow, unknown members forbidden, for each pair of parameters.

The SDK's Azure client sends the same types to either surface.
"""

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
CASES: dict[str, dict[str, Any]] = {
    "unknown-chat": {"api": "chat"},
    "gpt-4o-chat": {"api": "chat", "base_model": "gpt-4o"},
    "gpt-4o-classic": {"api": "chat", "base_model": "gpt-4o", "api_version": "2024-10-21"},
    "gpt-5.6-chat": {"api": "chat", "base_model": "gpt-5.6"},
    "unknown-responses": {"api": "responses"},
    "gpt-5.6-responses": {"api": "responses", "base_model": "gpt-5.6"},
}
"""Deployments: the surface, and which model is behind them."""
UNKNOWN = {"unknown-chat": {"top_k"}, "unknown-responses": {"input_audio"}}
"""What is sent though OpenAI's types do not name it: other vendors' models stand behind Azure's deployments, too, and
of an unknown one nothing is assumed. Members of the body, and kinds of parts."""
each_case = pytest.mark.parametrize("case", CASES)


def made_of(case: str, first: str) -> list[Any]:
    """The bodies of one parameter beside each later one."""
    return list(bodies("azure", ["prod"], first, **CASES[case]))


def is_allowed(case: str, body: dict[str, Any]) -> None:
    """Raises ValidationError for what the SDK's types do not name."""
    consumed(BODY[CASES[case]["api"]].validate_python(_named(body, UNKNOWN.get(case, set()))))


def _named(value: Any, unknown: set[str]) -> Any:
    """The body without the members and parts of those names."""
    if isinstance(value, dict):
        return {name: _named(inner, unknown) for name, inner in value.items() if name not in unknown}
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and item.get("type") in unknown)]
        return [_named(item, unknown) for item in kept]
    return value


@each_case
@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_allowed(first: str, case: str) -> None:
    """Each value with each value of every other parameter."""
    for made in made_of(case, first):
        is_allowed(case, made.body)


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_the_types_do_not_name_is_sent(case: str) -> None:
    """Each exception is one: a name that no body holds is not to be excused."""
    sent = str([made.body for first in ("messages", "system") for made in made_of(case, first)])

    assert all(f"'{name}'" in sent for name in UNKNOWN[case])


@each_case
def test_enough_was_judged(case: str) -> None:
    """At least two hundred bodies for each deployment."""
    assert 200 <= sum(len(made_of(case, first)) for first in FIELDS)


def test_every_parameter_was_judged() -> None:
    """Each of the vocabulary is asked for in some body, but for `logprobs`, which no completion of byollm's holds."""
    asked = {name for case in CASES for first in FIELDS for made in made_of(case, first) for name in made.fields}

    assert set(FIELDS) - {"logprobs"} == asked


@pytest.mark.parametrize("wrong", [{"top_k": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "hue": "a"}]}])
def test_the_judge_is_strict(wrong: dict[str, Any]) -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    is_allowed("gpt-4o-chat", right)

    with pytest.raises(ValidationError):
        is_allowed("gpt-4o-chat", {**right, **wrong})
