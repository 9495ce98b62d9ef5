"""vLLM: a row, its counts, its window and its refusals."""

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
from byollm_vllm import provider

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [byollm.Tool("weather", "Weather of a city", CITY), byollm.Tool("time", "Time in a city", CITY)]

row = Row("vllm", "http://127.0.0.1:8000")
body, place, told, refused = row.body, row.place, row.told, row.refused
STREAM = stream(reasoning="reasoning")


def test_no_key_unless_one_is_given() -> None:
    """Without a key in the file nothing is sent; with one it is a bearer token."""
    row.wants_no_key()


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Any cuts between bytes: the same parts, finish reason and usage."""
    whole = row.streamed(STREAM, cuts)

    assert ("Grüße 🌍", "stop", 3) == (whole.text, whole.finish_reason, whole.usage.output_tokens)


def test_one_name_for_the_most_tokens() -> None:
    """`max_completion_tokens`, and what the server would ignore is told instead of sent."""
    made = testing.translate("vllm", Request("hi", max_tokens=9, end_user_id="u", verbosity="low", metadata={"a": "b"}))

    assert {"model", "messages", "max_completion_tokens"} == set(made.body)
    assert {"end_user_id", "verbosity", "metadata"} == {note.field for note in made.adjustments}


def test_prefill_goes_on_with_the_last_message() -> None:
    """Two fields say so; without both, the template would open a new turn."""
    sent = body(Request([byollm.user("hi"), byollm.assistant("Once")], prefill=True))

    assert (True, False) == (sent["continue_final_message"], sent["add_generation_prompt"])


def test_counts_are_the_servers_own() -> None:
    """`/tokenize` beside `/v1`, with messages and tools: exact."""
    exchange: Any = provider.count_tokens(Request("hi", tools=TOOLS, stream=True), place())
    sent = json.loads(exchange.request.body)

    assert "http://127.0.0.1:8000/tokenize" == exchange.request.url
    assert {"model", "messages", "tools"} == set(sent)
    count = read(exchange, {"count": 31, "max_model_len": 8192, "tokens": []})
    assert (31, "exact") == (count.tokens, count.exactness)


def test_messages_count_by_their_own_endpoint() -> None:
    """Responses have none, so the core estimates there."""
    exchange: Any = provider.count_tokens(Request("hi"), place("messages"))

    assert exchange.request.url.endswith("/v1/messages/count_tokens")
    assert provider.count_tokens(Request("hi"), place("responses")) is None


def test_the_window_is_the_engines() -> None:
    """`max_model_len` of the model asked for, by id or root; of another model nothing is taken."""
    rows = [{"id": "b", "max_model_len": 9}, {"id": "a-model", "root": "x", "max_model_len": 8192}]

    assert 8192 == told({"data": rows}).context_window
    assert 8192 == told({"data": [{"id": "alias", "root": "a-model", "max_model_len": 8192}]}).context_window
    with pytest.raises(errors.ProtocolError):
        told({"data": rows[:1]})


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (401, {"error": "Unauthorized"}, errors.AuthenticationError),
        (404, {"error": {"message": "no", "type": "NotFoundError", "code": 404}}, errors.ModelNotFoundError),
        (400, {"error": {"message": "…", "type": "BadRequestError", "code": 400}}, errors.InvalidRequestError),
        (
            400,
            {"error": {"message": "This model's maximum context length is 9 tokens.", "type": "BadRequestError"}},
            errors.ContextLengthError,
        ),
        (
            400,
            {"object": "error", "message": "old", "type": "BadRequestError", "code": 400},
            errors.InvalidRequestError,
        ),
        (501, {"error": {"message": "no", "type": "NotImplementedError", "code": 501}}, errors.InvalidRequestError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """Its envelopes, old and new; an integer code is a status and no code."""
    assert kind is type(refused(status, document))


def test_an_error_inside_a_stream_is_no_end() -> None:
    """It comes before `[DONE]`, with the class its status would have had, and the partial text is kept."""
    error = {"error": {"message": "engine died", "type": "InternalServerError", "code": 500}}
    stream = STREAM.split(b"data: ")
    cut = b"data: ".join(stream[:4]) + b"data: " + json.dumps(error).encode() + b"\n\ndata: [DONE]\n\n"
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("vllm", body=cut, stream=True, headers=SSE, retries={"attempts": 1})

    assert isinstance(caught.value, errors.ServerError | errors.StreamInterruptedError)


def test_a_named_call_that_finishes_with_stop_is_a_tool_call() -> None:
    """vLLM says `stop` there."""
    call = {"id": "chatcmpl-tool-1", "type": "function", "function": {"name": "time", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    reply = testing.replay("vllm", body=json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode())

    assert ("tool_calls", "stop") == (reply.finish_reason, reply.raw_finish_reason)
