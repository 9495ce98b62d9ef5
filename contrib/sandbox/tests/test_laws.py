"""Laws over made-up requests: a twin never breaks, whatever it is sent."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from byollm_sandbox import Rejection, dialect_named
from byollm_sandbox.desk import Desk
from byollm_sandbox.requests import Recorded
from byollm_sandbox.service import Service
from byollm_sandbox.stand_in import answer

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
VERSION = {"anthropic-version": "2023-06-01"}

FULL: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "one and one"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "2"},
        ],
        "tools": [{"type": "function", "function": {"name": "add", "parameters": SCHEMA, "strict": True}}],
        "tool_choice": "auto",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        "temperature": 0.5,
        "stop": ["END"],
        "logit_bias": {"5": 1},
        "metadata": {"a": "b"},
    },
    "openai-responses": {
        "model": "gpt-5.4",
        "instructions": "be brief",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "one and one"}]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "2"},
        ],
        "tools": [{"type": "function", "name": "add", "parameters": SCHEMA, "strict": True}],
        "tool_choice": {"type": "function", "name": "add"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}},
        "reasoning": {"effort": "none"},
        "include": ["reasoning.encrypted_content"],
        "temperature": 0.5,
    },
    "anthropic-messages": {
        "model": "claude-haiku-4-5",
        "max_tokens": 4096,
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "one and one"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                    {"type": "tool_use", "id": "c1", "name": "add", "input": {"n": 1}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "2"}]},
        ],
        "tools": [{"name": "add", "input_schema": SCHEMA, "strict": True}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "metadata": {"user_id": "u1"},
        "stop_sequences": ["END"],
    },
}
URLS = {
    "openai-chat": "/openai/v1/chat/completions",
    "openai-responses": "/openai/v1/responses",
    "anthropic-messages": "/anthropic/v1/messages",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member of a body."""
    if isinstance(value, dict):
        return [path, *[place for key, inner in value.items() for place in places(inner, (*path, key))]]
    if isinstance(value, list):
        return [path, *[place for key, inner in enumerate(value) for place in places(inner, (*path, key))]]
    return [path]


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a body with one member replaced."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Any]:
    """A dialect and a full request of it in which one or two members are something else."""
    dialect = draw(st.sampled_from(sorted(FULL)))
    body = FULL[dialect]
    for _ in range(draw(st.integers(1, 2))):
        body = replaced(body, draw(st.sampled_from(places(body))), draw(JSON))
    return dialect, body


def test_the_full_requests_are_taken() -> None:
    """The bodies that the laws damage are good ones."""
    refused = {name: dialect_named(name).validate(body, VERSION) for name, body in FULL.items()}

    assert dict.fromkeys(FULL) == refused


@given(damaged())
@settings(max_examples=400, deadline=None)
def test_validation_is_total(case: tuple[str, Any]) -> None:
    """Whatever stands in a body, validation gives a refusal or none, and never raises."""
    dialect, body = case
    twin = dialect_named(dialect)

    for refusal in (twin.validate(body, VERSION), twin.validate_count(body, VERSION)):
        assert refusal is None or (isinstance(refusal, Rejection) and refusal.status >= 400 and refusal.message)


@given(damaged(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_service_answers_every_body(case: tuple[str, Any], stream: bool) -> None:
    """Whatever body arrives, the answer is an HTTP response, and nothing in the twin broke."""
    dialect, body = case
    service = Service(Desk(), stand_in=answer)
    sent = {**body, "stream": True} if stream and isinstance(body, dict) else body
    request = Recorded("POST", URLS[dialect], VERSION, json.dumps(sent).encode())

    steps = service(request)

    assert isinstance(steps, list)
    assert [] == service.failures
    assert request.status is not None


@given(st.binary(max_size=200))
def test_a_body_that_is_no_json_is_a_client_error(data: bytes) -> None:
    """Bytes that are not a JSON object are refused with 400 in every dialect."""
    service = Service(Desk(), stand_in=answer)
    requests = [Recorded("POST", url, VERSION, b"\x00" + data) for url in URLS.values()]

    for request in requests:
        service(request)

    assert [400, 400, 400] == [request.status for request in requests]
