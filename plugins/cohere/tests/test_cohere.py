"""Cohere: what goes out, what comes back, and what its refusals become; over its twin, too."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors, testing
from byollm.plugin import (
    Citation,
    Document,
    Image,
    Message,
    Reasoning,
    Request,
    Support,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from byollm_cohere import provider
from byollm_cohere.models import MODELS
from byollm_sandbox import Answer, Twins, serve

PLUS, PLAIN, THINKER = "command-a-plus-05-2026", "command-a-03-2025", "command-a-reasoning-08-2025"
CURRENT = (PLUS, PLAIN, THINKER, "command-a-vision-07-2025", "command-r-08-2024", "command-r7b-12-2024")
ENDPOINT = "https://api.cohere.com"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL, OTHER = Tool("f", "Does f.", CITY), Tool("g", None, {"type": "object", "properties": {}})
PNG = b"\x89PNG\r\n\x1a\n"
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = PLUS, **target: Any) -> testing.Translation:
    return testing.translate("cohere", request, model=model, **target)


def body(request: Any, model: str = PLUS) -> dict[str, Any]:
    return dict(translated(request, model).body)


def told(request: Any, model: str = PLUS) -> set[str]:
    return {note.field for note in translated(request, model).adjustments}


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        sent = json.dumps(document).encode()
        testing.replay("cohere", status=status, body=sent, retries={"attempts": 1}, **fields)
    return caught.value


def events(*found: tuple[str, dict[str, Any]]) -> bytes:
    lines = (f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n" for kind, members in found)
    return "".join(lines).encode()


@pytest.mark.parametrize("endpoint", [ENDPOINT, f"{ENDPOINT}/", f"{ENDPOINT}/v2", f"{ENDPOINT}/v1"])
def test_where_it_goes(endpoint: str) -> None:
    """Paths bring their own version, whatever the endpoint says."""
    assert f"{ENDPOINT}/v2/chat" == translated("hi", endpoint=endpoint).url


def test_its_own_words() -> None:
    """`p`, `k`, `stop_sequences`, `json_object` with a schema."""
    request = Request("hi", top_p=0.4, top_k=3, stop=["END"], seed=7, max_tokens=9, output_schema=CITY)
    sent = body(request)

    assert (0.4, 3, ["END"], 7, 9) == (sent["p"], sent["k"], sent["stop_sequences"], sent["seed"], sent["max_tokens"])
    assert {"type": "json_object", "json_schema": CITY} == sent["response_format"]


@pytest.mark.parametrize(
    ("field", "asked", "word", "sent"),
    [
        ("temperature", 1.5, "temperature", 1.0),
        ("top_p", 1.0, "p", 0.99),
        ("top_p", 0.0, "p", 0.01),
        ("frequency_penalty", -0.5, "frequency_penalty", 0),
        ("presence_penalty", 1.5, "presence_penalty", 1),
    ],
)
def test_ranges_are_kept(field: str, asked: float, word: str, sent: float) -> None:
    """The nearest value, and the caller is told."""
    request = Request("hi", **{field: asked})

    assert sent == body(request)[word]
    assert {field} == told(request)


@pytest.mark.parametrize(
    ("choice", "sent", "offered"),
    [("auto", None, 2), ("none", "NONE", 2), ("required", "REQUIRED", 2), ("f", "REQUIRED", 1)],
)
def test_choices(choice: Any, sent: str | None, offered: int) -> None:
    """A named tool is offered alone, and one must be called."""
    made = body(Request("hi", tools=[TOOL, OTHER], tool_choice=choice))

    assert (sent, offered) == (made.get("tool_choice"), len(made["tools"]))
    assert "f" == made["tools"][0]["function"]["name"]


def test_strict_tools_are_all_or_none() -> None:
    """One flag for all; the caller is told when it is more than was asked."""
    strict = Tool("h", None, CITY, strict=True)

    assert body(Request("hi", tools=[strict]))["strict_tools"] is True
    assert {"tools"} == told(Request("hi", tools=[strict, TOOL]))
    assert "strict_tools" not in body(Request("hi", tools=[TOOL]))


def test_a_schema_beside_tools_is_refused() -> None:
    """The server takes one of them; nothing is sent."""
    with pytest.raises(errors.UnsupportedFeatureError) as caught:
        body(Request("hi", tools=[TOOL], output_schema=CITY))

    assert "output_schema" == caught.value.field


@pytest.mark.parametrize(
    ("effort", "sent"),
    [
        ("none", {"type": "disabled"}),
        ("low", {"type": "enabled", "token_budget": 2_048}),
        ("max", {"type": "enabled", "token_budget": 31_000}),
    ],
)
def test_efforts_are_budgets(effort: Any, sent: dict[str, Any]) -> None:
    """`max` is the same as `xhigh`, and told; a model that does not think is told nothing."""
    request = Request("hi", reasoning_effort=effort)

    assert sent == body(request)["thinking"]
    assert ({"reasoning_effort"} if effort == "max" else set()) == told(request)
    assert "thinking" not in body(request, PLAIN)


def test_media_of_a_result_follow_in_the_users_name() -> None:
    """A tool's result is text; the caller is told."""
    call = Message("assistant", (ToolCall("1", "f", "{}"),))
    request = Request([byollm.user("a"), call, Message("tool", (ToolResult("1", (Image(PNG),)),))], tools=[TOOL])
    sent = body(request)["messages"]

    assert ["user", "assistant", "tool", "user"] == [turn["role"] for turn in sent]
    assert ("image_url", {"messages"}) == (sent[3]["content"][0]["type"], told(request))


@pytest.mark.parametrize(
    ("part", "model"), [(Image(PNG), PLAIN), (Document(b"%PDF-1"), PLUS), (Image(b"II*", "image/tiff"), PLUS)]
)
def test_what_a_model_does_not_read_is_refused(part: Any, model: str) -> None:
    """Before a byte leaves."""
    with pytest.raises(errors.UnsupportedFeatureError):
        body([Message("user", (Text("a"), part))], model)


def test_broken_arguments_are_wrapped() -> None:
    """The server takes objects only."""
    call = Message("assistant", (ToolCall("1", "f", "{oops"),))
    request = Request([byollm.user("a"), call, byollm.tool_results(ToolResult("1", (Text("c"),)))], tools=[TOOL])

    assert '{"_raw":"{oops"}' == body(request)["messages"][1]["tool_calls"][0]["function"]["arguments"]


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
        (413, said("too large"), errors.RequestTooLargeError),
        (422, said("invalid tool generation", "INVALID_TOOL_GENERATION"), errors.InvalidRequestError),
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


@pytest.fixture(scope="module")
def twin() -> Iterator[Twins]:
    with serve() as running:
        yield running


def client(twin: Twins, model: str = PLUS) -> byollm.Client:
    return byollm.Client(
        {"provider": "cohere", "model": model, "endpoint": twin.url("cohere-chat"), "api_key": "k-1234567890"}
    )


def test_a_call_through_the_twin(twin: Twins) -> None:
    """Whole and streamed, with tools, over a socket."""
    answer = Answer(parts=(Text("hi"), ToolCall("f_1", "f", '{"city": "Rome"}')))
    twin.script(answer, answer)
    with client(twin) as caller:
        whole = caller.complete("hi", tools=[TOOL])
        with caller.stream("hi", tools=[TOOL]) as stream:
            for _ in stream:
                pass

    assert whole.parts == stream.completion.parts
    assert [("f", {"city": "Rome"})] == [(call.name, call.args) for call in whole.tool_calls]


def test_a_count_is_no_more_than_the_true_number(twin: Twins) -> None:
    """The texts alone are counted: the vendor's own prompt comes on top."""
    with client(twin) as caller:
        counted = caller.count_tokens("hello world!")

    assert (3, "estimate", 3) == (counted.tokens, counted.exactness, counted.lower)


def test_what_is_too_long_to_count_is_estimated() -> None:
    """The endpoint takes 65,536 characters."""
    target = Target(provider="cohere", model=PLUS, endpoint=ENDPOINT, api="chat")

    assert provider.count_tokens(Request("x" * 65_537), target) is None
    assert provider.count_tokens(Request("x" * 65_536), target) is not None


def known(model: str) -> Any:
    return provider.capabilities(Target(provider="cohere", model=model, endpoint=ENDPOINT, api="chat"))


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS:
        assert set(facts) <= set(known(model).sources), model
    assert known("new").context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    found = known(model)

    assert None not in (found.context_window, found.max_output_tokens, found.temperature_range)
    assert Support.unknown not in (found.tools, found.streaming, found.structured_output)
