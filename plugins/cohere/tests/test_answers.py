"""Cohere: what comes back, and what its refusals become."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from cohere_driving import PLUS, SSE, TOOL, body, events, refused
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors, testing
from byollm.plugin import Citation, Message, Reasoning, Request, Text, ToolResult

CALLED = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"city": "Rome"}'}}
CITED = {
    "start": 0, "end": 2, "text": "hi", "type": "TEXT_CONTENT", "content_index": 1,
    "sources": [{"type": "document", "id": "d", "document": {"id": "d", "title": "T", "text": "hi there"}}],
}  # fmt: skip
USAGE = {
    "billed_units": {"input_tokens": 3, "output_tokens": 2},
    "tokens": {"input_tokens": 500, "output_tokens": 20, "reasoning_tokens": 5},
    "cached_tokens": 480,
}
WHOLE = {
    "id": "c",
    "message": {
        "role": "assistant",
        "tool_plan": "I will.",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}],
        "tool_calls": [CALLED],
        "citations": [CITED],
    },
    "finish_reason": "TOOL_CALL",
    "usage": USAGE,
}
STREAMED = events(
    ("message-start", {"id": "c", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": ""}}}),
    ("tool-plan-delta", {"delta": {"message": {"tool_plan": "I "}}}),
    ("tool-plan-delta", {"delta": {"message": {"tool_plan": "will."}}}),
    ("content-start", {"index": 0, "delta": {"message": {"content": {"type": "thinking", "thinking": ""}}}}),
    ("content-delta", {"index": 0, "delta": {"message": {"content": {"thinking": "hm"}}}}),
    ("content-end", {"index": 0}),
    ("content-start", {"index": 1, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
    ("content-delta", {"index": 1, "delta": {"message": {"content": {"text": "hi"}}}}),
    ("content-end", {"index": 1}),
    ("tool-call-start", {"index": 0, "delta": {"message": {"tool_calls": {
        **CALLED, "function": {"name": "f", "arguments": ""}}}}}),
    ("tool-call-delta", {"index": 0, "delta": {"message": {"tool_calls": {"function": {
        "arguments": '{"city": "Rome"}'}}}}}),
    ("tool-call-end", {"index": 0}),
    ("citation-start", {"index": 0, "delta": {"message": {"citations": CITED}}}),
    ("citation-end", {"index": 0}),
    ("message-end", {"delta": {"finish_reason": "TOOL_CALL", "usage": USAGE}}),
)  # fmt: skip


def read(sent: Any, **fields: Any) -> Any:
    return testing.replay("cohere", body=sent, model=PLUS, **fields)


def test_an_answer_is_read_with_all_its_parts() -> None:
    """Plan and thought as reasoning, text, calls, citations, tokens as counted and as billed."""
    reply = read(json.dumps(WHOLE).encode())
    (citation,) = [part for part in reply.parts if isinstance(part, Citation)]

    assert ("I will.hm", "hi", "tool_calls") == (reply.reasoning, reply.text, reply.finish_reason)
    assert [("f_1", "f", {"city": "Rome"})] == [(call.id, call.name, call.args) for call in reply.tool_calls]
    assert ("hi there", "T", 0, 2) == (citation.cited_text, citation.title, citation.start, citation.end)
    assert (500, 20, 480, 5) == (
        reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens, reply.usage.reasoning_tokens,
    )  # fmt: skip
    assert {"billed_units": USAGE["billed_units"]} == reply.usage.details


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(STREAMED)), max_size=8))
def test_a_stream_is_the_same_answer_however_it_is_cut(cuts: list[int]) -> None:
    """Parts, reason and usage, for any cut."""
    places = [0, *sorted(cuts), len(STREAMED)]
    pieces = [STREAMED[start:end] for start, end in itertools.pairwise(places) if start < end]
    whole, streamed = read(json.dumps(WHOLE).encode()), read(pieces, stream=True, headers=SSE)

    assert (whole.parts, whole.finish_reason, whole.usage) == (streamed.parts, streamed.finish_reason, streamed.usage)


def test_the_turn_goes_back_as_it_came() -> None:
    """Plan, thought, text, call and citation, each in its own place."""
    reply = read(json.dumps(WHOLE).encode())
    answered = byollm.tool_results(ToolResult("f_1", (Text("sunny"),)))
    turn = body(Request([byollm.user("a"), reply.message, answered], tools=[TOOL]))["messages"][1]

    assert WHOLE["message"] == turn


def test_foreign_thoughts_are_not_said() -> None:
    """The wire has no place for them that the model would not take for its own."""
    history = [byollm.user("a"), Message("assistant", (Reasoning("hm"), Text("b"))), byollm.user("c")]

    assert {"role": "assistant", "content": "b"} == body(history)["messages"][1]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("TIMEOUT", "error"), ("NEW", "other")],
)
def test_finish_reasons(raw: str, reason: str) -> None:
    """Cohere's words, and one that nobody knows yet."""
    message = {"role": "assistant", "content": [{"type": "text", "text": "a"}]}
    reply = read(json.dumps({"id": "c", "message": message, "finish_reason": raw}).encode())

    assert (reason, raw) == (reply.finish_reason, reply.raw_finish_reason)


def test_a_call_that_broke_is_an_error_with_the_text_before_it() -> None:
    """At the end of the message, as recorded; another sample may be whole, so it is retryable."""
    failed = {"finish_reason": "ERROR", "usage": {}, "error": "invalid", "error_type": "INVALID_TOOL_GENERATION"}
    delta = {"message": {"content": {"type": "text", "text": "Well,"}}}
    sent = events(("content-start", {"index": 0, "delta": delta}), ("message-end", {"delta": failed}))
    with pytest.raises(errors.InvalidRequestError) as caught:
        read(sent, stream=True, headers=SSE, retries={"attempts": 1})

    assert (True, "unknown") == (caught.value.retryable, caught.value.billed)
    assert "Well," == caught.value.partial.text  # type: ignore[attr-defined]  # of a stream that had begun


def test_a_stream_without_its_end_is_interrupted() -> None:
    """What came is kept."""
    with pytest.raises(errors.StreamInterruptedError) as caught:
        read(STREAMED.partition(b"event: message-end")[0], stream=True, headers=SSE, retries={"attempts": 1})

    assert caught.value.partial is not None
    assert "hi" == caught.value.partial.text


def said(message: str, type_: str = "") -> dict[str, Any]:
    return {"id": "x", "message": message, **({"error_type": type_} if type_ else {})}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, said("too many tokens: size limit exceeded by 3 tokens", "TOO_MANY_TOKENS"), errors.ContextLengthError),
        (400, said("invalid request: p must be between 0.01 and 0.99"), errors.InvalidRequestError),
        (401, said("invalid api token"), errors.AuthenticationError),
        (402, said("please add a payment method"), errors.QuotaExhaustedError),
        (403, said("forbidden"), errors.PermissionDeniedError),
        (404, said("model 'x' was removed on September 15, 2025."), errors.ModelNotFoundError),
        (409, said("conflict"), errors.OverloadedError),
        (413, said("too large"), errors.RequestTooLargeError),
        (422, said("invalid tool generation", "INVALID_TOOL_GENERATION"), errors.InvalidRequestError),
        (424, said("a gateway's"), errors.ServerError),
        (429, said("You are limited to 40 API calls / minute."), errors.RateLimitError),
        (429, said("Your Trial key is limited to 1000 API calls / month."), errors.QuotaExhaustedError),
        (498, said("blocked output"), errors.ContentFilterError),
        (500, said("internal server error"), errors.ServerError),
        (503, said("unavailable"), errors.OverloadedError),
        (504, said("timed out"), errors.ProviderTimeoutError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """By error_type, words and status."""
    caught = refused(status, document)

    assert kind is type(caught)
    assert document["message"] in str(caught)


def test_a_redirect_is_no_refusal_of_the_request() -> None:
    """Its class is the core's to say, whatever the body holds."""
    with pytest.raises(errors.ProtocolError):
        byollm.testing.replay("cohere", status=301, body=b'{"message": "moved"}', model=PLUS)
