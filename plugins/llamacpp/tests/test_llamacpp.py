"""llama.cpp's server: a row, and what it tells of itself. The server itself answers in tests/servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors, testing
from byollm.plugin import Request
from byollm_conformance.rows import SSE, Row, read, stream
from byollm_llamacpp import provider

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [byollm.Tool("weather", "Weather of a city", CITY), byollm.Tool("time", "Time in a city", CITY)]

row = Row("llamacpp", "http://127.0.0.1:8080")
body, place, told, refused = row.body, row.place, row.told, row.refused
STREAM = stream(reasoning="reasoning_content")


def test_no_key_unless_one_is_given() -> None:
    """Without a key in the file nothing is sent; with one it is a bearer token."""
    row.wants_no_key()


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Any cuts between bytes: the same parts, finish reason and usage."""
    whole = row.streamed(STREAM, cuts)

    assert ("Grüße 🌍", "stop", 3) == (whole.text, whole.finish_reason, whole.usage.output_tokens)


def test_the_window_is_that_of_one_slot() -> None:
    """`/props` names what one slot holds, and the server's eyes and ears; the file's path is kept."""
    asked = provider.capabilities(place(endpoint="http://gpu.example.com/llm/v1")).refine
    found = told({"default_generation_settings": {"n_ctx": 4096}, "modalities": {"vision": True, "audio": False}})

    assert "http://gpu.example.com/llm/props" == asked.request.url
    assert (4096, "full", "unsupported") == (found.context_window, found.images.value, found.audio.value)


def test_props_of_another_shape_are_a_protocol_error() -> None:
    """Nothing is guessed from what is not understood."""
    with pytest.raises(errors.ProtocolError):
        told({"default_generation_settings": None})


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_every_surface_counts_exactly(api: str) -> None:
    """Each has its own path, and asks with the body that would be sent."""
    exchange: Any = provider.count_tokens(Request("hi", stream=True), place(api))
    paths = {"chat": "chat/completions/input_tokens", "responses": "responses/input_tokens"}

    assert f"http://127.0.0.1:8080/v1/{paths.get(api, 'messages/count_tokens')}" == exchange.request.url
    assert "stream" not in json.loads(exchange.request.body)
    count = read(exchange, {"input_tokens": 12})
    assert (12, "exact") == (count.tokens, count.exactness)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_named_tool_is_the_only_one_sent(api: str) -> None:
    """The server takes no name as tool_choice: one tool and `required` mean the same."""
    sent = body(Request("hi", tools=TOOLS, tool_choice="time"), api=api)

    assert "required" == sent["tool_choice"]
    assert ["time"] == [(tool.get("function") or tool)["name"] for tool in sent["tools"]]


@pytest.mark.parametrize("api", ["responses", "messages"])
def test_schemas_that_the_server_would_ignore_are_refused(api: str) -> None:
    """Only its Chat keeps to a schema."""
    with pytest.raises(errors.UnsupportedFeatureError, match="schema"):
        body(Request("hi", output_schema=CITY), api=api)
    assert body(Request("hi", output_schema=CITY))["response_format"]


def test_messages_refuse_a_named_tool() -> None:
    """Its /v1/messages forces any tool, not the named one."""
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request("hi", tools=TOOLS, tool_choice="time"), api="messages")


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_errors(api: str) -> None:
    """Overflow, a wrong key, a model that still loads, and the caller's mistakes that come as 500."""
    overflow = {"error": {"code": 400, "message": "request (9 tokens) exceeds …", "type": "exceed_context_size_error"}}
    loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    key = {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}
    jinja = {"error": {"code": 500, "message": "tools param requires --jinja flag", "type": "server_error"}}

    assert isinstance(refused(400, overflow, api=api), errors.ContextLengthError)
    assert isinstance(refused(503, loading, api=api, retries={"attempts": 1}), errors.OverloadedError)
    assert isinstance(refused(401, key, api=api), errors.AuthenticationError)
    assert not refused(500, jinja, api=api).retryable


def test_reasoning_is_read_and_kept_for_tool_turns() -> None:
    """`reasoning_content` comes back only in turns that call tools."""
    reply = testing.replay("llamacpp", body=STREAM, stream=True, headers=SSE)

    assert "hm" == reply.reasoning
    assert "reasoning_content" not in body([byollm.user("a"), reply.message, byollm.user("b")])["messages"][1]
