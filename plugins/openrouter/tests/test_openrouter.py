"""OpenRouter: one unified set of words, hosts that must know every contract, errors wherever they come."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.plugin import Document, Image, Message, Reasoning, Request, Support, Target, Text, Tool
from byollm_openrouter import provider
from byollm_openrouter.models import MODELS, facts_of
from byollm_openrouter.plugin import ENDPOINT

CLAUDE = "anthropic/claude-sonnet-4.6"
TOOL = Tool("f", None, {"type": "object", "properties": {}})
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
CHUNK = {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}}]}
END = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = CLAUDE, **target: Any) -> testing.Translation:
    return testing.translate("openrouter", request, model=model, **target)


def body(request: Any, model: str = CLAUDE, **target: Any) -> dict[str, Any]:
    return dict(translated(request, model, **target).body)


def told(request: Any, model: str = CLAUDE, **target: Any) -> set[str]:
    return {note.field for note in translated(request, model, **target).adjustments}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        sent = json.dumps(document).encode()
        testing.replay("openrouter", status=status, body=sent, retries={"attempts": 1}, **fields)
    return caught.value


def test_where_it_goes() -> None:
    """To OpenRouter's own address; Responses by word."""
    assert "https://openrouter.ai/api/v1/chat/completions" == translated("hi").url
    assert "https://openrouter.ai/api/v1/responses" == translated("hi", api="responses").url


def test_the_effort_is_inside_reasoning() -> None:
    """In OpenRouter's own words; the strongest it knows is xhigh."""
    assert {"effort": "low"} == body(Request("hi", reasoning_effort="low"))["reasoning"]
    assert {"effort": "xhigh"} == body(Request("hi", reasoning_effort="max"))["reasoning"]
    assert {"effort": "none"} == body(Request("hi", reasoning_effort="none"))["reasoning"]


@pytest.mark.parametrize(
    "fields",
    [
        {"output_schema": SCHEMA},
        {"tools": [TOOL], "tool_choice": "required"},
        {"logprobs": 1},
        {"logit_bias": {"1": 2}},
    ],
)
def test_a_contract_goes_to_hosts_only_that_know_it(fields: dict[str, Any]) -> None:
    """Others would leave it out without a word; `extra` may route otherwise, and keeps that."""
    request = Request("hi", extra={"openrouter": {"provider": {"order": ["Azure"]}}}, **fields)
    loose = Request("hi", extra={"openrouter": {"provider": {"require_parameters": False}}}, **fields)

    assert {"require_parameters": True, "order": ["Azure"]} == body(request)["provider"]
    assert {"require_parameters": False} == body(loose)["provider"]


def test_hints_go_to_any_host() -> None:
    """Nothing is asked of the routing for their sake."""
    assert "provider" not in body(Request("hi", temperature=0.3, tools=[TOOL], seed=7))


def test_routing_is_extra() -> None:
    """Every word of OpenRouter's own goes in verbatim."""
    extra = {"models": ["a", "b"], "provider": {"zdr": True}, "transforms": ["middle-out"]}

    assert extra == {k: v for k, v in body(Request("hi", extra={"openrouter": extra})).items() if k in extra}


def test_parts_are_marked_for_the_cache_as_anthropic_does() -> None:
    """`cache_control` on the part."""
    sent = body([Message("user", (Text("a", cache="default"), Text("b")))])["messages"][0]["content"]

    assert [{"type": "ephemeral"}, None] == [block.get("cache_control") for block in sent]


def test_documents_may_be_addresses() -> None:
    """As bytes or as an address; an archive is refused before sending."""
    sent = body([Message("user", (Text("a"), Document("https://example.com/a.pdf")))])["messages"][0]["content"][1]

    assert {"file_data": "https://example.com/a.pdf"} == sent["file"]
    for part in (Document(b"PK", "application/zip"), Image(b"II*", "image/tiff")):
        with pytest.raises(errors.UnsupportedFeatureError):
            body([Message("user", (Text("a"), part))])


DETAILS = [
    {"type": "reasoning.text", "index": 0, "text": "h", "format": "anthropic-claude-v1"},
    {"type": "reasoning.text", "index": 0, "text": "m", "signature": "c2ln"},
    {"type": "reasoning.encrypted", "index": 1, "data": "eA==", "id": "r1"},
]


def test_reasoning_details_go_back_as_they_came() -> None:
    """In order, pieces of one joined; the same thought in two fields is read once."""
    pieces = (("h", DETAILS[:1]), ("m", DETAILS[1:]))
    deltas = [{"reasoning": text, "reasoning_details": details} for text, details in pieces]
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    reply = testing.replay("openrouter", body=stream(*chunks, CHUNK, END), stream=True, headers=SSE)
    sent = body([byollm.user("a"), reply.message, byollm.user("b")])["messages"][1]
    whole = {"type": "reasoning.text", "index": 0, "text": "hm", "format": "anthropic-claude-v1", "signature": "c2ln"}

    assert ("hm", "hi") == (reply.reasoning, reply.text)
    assert [whole, DETAILS[2]] == sent["reasoning_details"]


def test_foreign_thoughts_are_plain() -> None:
    """Without the details of their own house."""
    history = [byollm.user("a"), Message("assistant", (Reasoning("hm"), Text("b"))), byollm.user("c")]
    turn = body(history)["messages"][1]

    assert ("hm", None) == (turn["reasoning"], turn.get("reasoning_details"))


def test_comments_keep_the_stream_alive() -> None:
    """`: OPENROUTER PROCESSING` is nothing."""
    sent = b": OPENROUTER PROCESSING\n\n" * 3 + stream(CHUNK, END) + b"data: [DONE]\n\n"

    assert "hi" == testing.replay("openrouter", body=sent, stream=True, headers=SSE).text


@pytest.mark.parametrize(
    ("code", "kind"),
    [(429, errors.RateLimitError), (502, errors.ServerError), (400, errors.InvalidRequestError)],
)
def test_an_error_in_a_stream_has_the_class_of_its_code(code: int, kind: type[errors.ProviderError]) -> None:
    """After some text, which is kept."""
    failed = {"error": {"code": code, "message": "Provider returned error"}}
    end = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    sent = stream(CHUNK, {"id": "c", **failed, "choices": [end]})
    with pytest.raises(kind) as caught:
        testing.replay("openrouter", body=sent, stream=True, headers=SSE, retries={"attempts": 1})

    assert "hi" == caught.value.partial.text  # type: ignore[attr-defined]  # of a stream that had begun


def test_an_answer_without_choices_is_an_error_worth_another_try() -> None:
    """`choices: null` in a 200."""
    caught = refused(200, {"id": "c", "choices": None, "object": "chat.completion"})

    assert caught.retryable


def said(code: int, message: str, **metadata: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **({"metadata": metadata} if metadata else {})}, "user_id": "u"}


UPSTREAM = json.dumps({"error": {"message": "prompt is too long: 250000 tokens > 200000 maximum"}})


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (200, said(502, "Provider returned error", raw="upstream", provider_name="x"), errors.ServerError),
        (400, said(400, "openai/none is not a valid model ID"), errors.ModelNotFoundError),
        (400, said(400, "Provider returned error", raw=UPSTREAM), errors.ContextLengthError),
        (401, said(401, "Missing Authentication header"), errors.AuthenticationError),
        (402, said(402, "Insufficient credits"), errors.QuotaExhaustedError),
        (403, said(403, "Flagged", reasons=["violence"], flagged_input="x"), errors.ContentFilterError),
        (404, said(404, "No endpoints found for a/b."), errors.ModelNotFoundError),
        (404, said(404, "No endpoints found that support tool use."), errors.InvalidRequestError),
        (404, said(404, "No endpoints found matching your data policy"), errors.PermissionDeniedError),
        (408, said(408, "Timed out"), errors.ProviderTimeoutError),
        (429, said(429, "Rate limit exceeded: free-models-per-min."), errors.RateLimitError),
        (502, said(502, "Provider returned error"), errors.ServerError),
        (503, said(503, "No instances available"), errors.OverloadedError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """By words, by the upstream's own words, by status, in a 200 too."""
    assert kind is type(refused(status, document))


def test_credits_for_requests_in_flight_come_back() -> None:
    """402 with a time to wait is a rate limit."""
    with pytest.raises(errors.RateLimitError) as caught:
        sent = json.dumps(said(402, "busy")).encode()
        testing.replay("openrouter", status=402, headers={"retry-after": "3"}, body=sent, retries={"attempts": 1})

    assert 3 == caught.value.retry_after


def test_costs_are_told() -> None:
    """What OpenRouter charged stands in the details."""
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.001, "is_byok": False}
    reply = testing.replay("openrouter", body=stream(CHUNK, END, {**CHUNK, "choices": [], "usage": usage}), stream=True,
                           headers=SSE)  # fmt: skip

    assert 0.001 == (reply.usage.details or {})["cost"]


def test_variants_are_the_same_model() -> None:
    """`:free`, `:nitro` and `~` change the route, not the model."""
    assert facts_of(CLAUDE) == facts_of(f"~{CLAUDE}:nitro") != {}


def target(model: str) -> Target:
    return Target(provider="openrouter", model=model, endpoint=ENDPOINT, api="chat")


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS.items():
        assert set(facts) <= set(provider.capabilities(target(model)).sources), model
    assert provider.capabilities(target("new/model")).context_window is None


@pytest.mark.parametrize(
    "model", [CLAUDE, "openai/gpt-5-mini", "google/gemini-2.5-flash", "openai/gpt-4o", "anthropic/claude-haiku-4.5"]
)
def test_the_basics_of_recorded_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    known = provider.capabilities(target(model))

    assert None not in (known.context_window, known.max_output_tokens, known.temperature_range)
    assert Support.unknown not in (known.tools, known.streaming, known.structured_output)
    assert known.refine is not None
