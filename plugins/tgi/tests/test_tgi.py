"""TGI: a row, and what its router refuses."""

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
from byollm_tgi import provider

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [byollm.Tool("weather", "Weather of a city", CITY), byollm.Tool("time", "Time in a city", CITY)]

row = Row("tgi", "http://127.0.0.1:8080")
body, place, told, refused = row.body, row.place, row.told, row.refused
STREAM = stream()


def test_no_key_unless_one_is_given() -> None:
    """Without a key in the file nothing is sent; with one it is a bearer token."""
    row.wants_no_key()


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Any cuts between bytes: the same parts, finish reason and usage."""
    whole = row.streamed(STREAM, cuts)

    assert ("Grüße 🌍", "stop", 3) == (whole.text, whole.finish_reason, whole.usage.output_tokens)


def test_what_the_router_refuses_is_not_sent() -> None:
    """`stop` is a list, top_p stays below 1, and no penalty that it would misread."""
    made = testing.translate("tgi", Request("hi", stop="x", top_p=1.0, presence_penalty=0.5, frequency_penalty=0.1))

    assert ["x"] == made.body["stop"]
    assert {"model", "messages", "stop", "frequency_penalty"} == set(made.body)
    assert ["presence_penalty"] == [note.field for note in made.adjustments]
    assert 0.9 == body(Request("hi", top_p=0.9))["top_p"]


def test_tools_and_a_schema_exclude_each_other() -> None:
    """One grammar rules an answer; refused before sending."""
    with pytest.raises(errors.UnsupportedFeatureError, match="not both"):
        body(Request("hi", tools=TOOLS, output_schema=CITY))


def test_counts_are_the_servers_own() -> None:
    """`/chat_tokenize` lists the tokens of the whole template: exact."""
    exchange: Any = provider.count_tokens(Request("hi"), place(endpoint="http://127.0.0.1:8080/v1"))
    count = read(exchange, {"tokenize_response": [{"id": 1}, {"id": 2}], "templated_text": "hi"})

    assert "http://127.0.0.1:8080/chat_tokenize" == exchange.request.url
    assert (2, "exact") == (count.tokens, count.exactness)


def test_the_window_is_the_servers() -> None:
    """`/info` names the most tokens of prompt and answer together."""
    assert 4096 == told({"model_id": "m", "max_total_tokens": 4096, "max_input_tokens": 4095}).context_window


@pytest.mark.parametrize(
    ("status", "error", "word", "kind"),
    [
        (422, "Input validation error: bad", "validation", errors.InvalidRequestError),
        (
            422,
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 9. Given: 8 `inputs` tokens",
            "validation",
            errors.ContextLengthError,
        ),
        (424, "Request failed during generation", "generation", errors.ServerError),
        (429, "Model is overloaded", "overloaded", errors.RateLimitError),
    ],
)
def test_errors(status: int, error: str, word: str, kind: type[errors.ProviderError]) -> None:
    """A text and its kind beside it."""
    found = refused(status, {"error": error, "error_type": word}, retries={"attempts": 1})

    assert kind is type(found)


def test_an_error_inside_a_stream() -> None:
    """`http_status_code` gives its class."""
    error = {"error": {"message": "Input validation error: bad", "http_status_code": 422}}
    with pytest.raises(errors.InvalidRequestError):
        testing.replay("tgi", body=b"data: " + json.dumps(error).encode() + b"\n\n", stream=True, headers=SSE)


def test_thoughts_in_the_text_are_reasoning() -> None:
    """Nothing parses them on the server."""
    message = {"role": "assistant", "content": "<think>hm</think>yes"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    reply = testing.replay("tgi", body=json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode())

    assert ("hm", "yes") == (reply.reasoning, reply.text)
