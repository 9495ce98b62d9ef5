"""Groq: what goes out, by model, and what its refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors, testing
from byollm.plugin import Request, Target
from byollm_groq import provider
from byollm_groq.models import MODELS

GPT_OSS, QWEN, QWEN_GRADED, LLAMA = (
    "openai/gpt-oss-120b", "qwen/qwen3-32b", "qwen/qwen3.8-27b", "llama-3.3-70b-versatile",
)  # fmt: skip
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SSE = {"content-type": "text/event-stream"}
BROKEN = {
    "message": "Failed to call a function.",
    "type": "invalid_request_error",
    "code": "tool_use_failed",
    "failed_generation": "prompt is too long, invalid api key",
}


def body(request: Any, model: str = GPT_OSS, **target: Any) -> dict[str, Any]:
    return dict(testing.translate("groq", request, model=model, **target).body)


def told(request: Any, model: str = GPT_OSS, **target: Any) -> set[str]:
    return {note.field for note in testing.translate("groq", request, model=model, **target).adjustments}


def refused(status: int, error: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("groq", status=status, body=json.dumps({"error": error}).encode(), **fields)
    return caught.value


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def test_where_it_goes() -> None:
    """To Groq's own address, with a bearer token; Responses by word."""
    sent = testing.translate("groq", "hi", api_key="k-123456789")

    assert "https://api.groq.com/openai/v1/chat/completions" == sent.url
    assert "authorization" in sent.headers
    assert "https://api.groq.com/openai/v1/responses" == testing.translate("groq", "hi", api="responses").url
    assert {"api_key": ("GROQ_API_KEY",)} == provider.manifest.credentials
    assert ("api.groq.com",) == provider.manifest.hosts


def test_a_whole_request() -> None:
    """Golden: names, order and nothing more."""
    asked = Request("hi", system="s", max_tokens=9, temperature=0, seed=7, service_tier="flex", end_user_id="u")

    assert {
        "model": GPT_OSS,
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
        "temperature": 0,
        "seed": 7,
        "service_tier": "flex",
        "user": "u",
    } == body(asked)


@pytest.mark.parametrize(
    "field", ["frequency_penalty", "presence_penalty", "top_k", "metadata", "verbosity", "cache_key"]
)
def test_hints_that_groq_does_not_know(field: str) -> None:
    """Left out, and told."""
    value = {"metadata": {"a": "b"}, "verbosity": "low", "cache_key": "c", "top_k": 4}.get(field, 0.5)
    asked = Request("hi", **{field: value})

    assert {"model", "messages"} == set(body(asked))
    assert {field} == told(asked)


@pytest.mark.parametrize("field", ["n", "logprobs", "logit_bias", "store"])
def test_contracts_that_groq_cannot_keep(field: str) -> None:
    """Refused before any byte leaves."""
    value = {"n": 2, "logprobs": 3, "logit_bias": {"1": 1.0}, "store": True}[field]
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request("hi", **{field: value}))


def test_not_storing_needs_no_word() -> None:
    """It stores nothing anyway, and `store` is unknown to its Chat."""
    assert "store" not in body(Request("hi", store=False))


def test_an_unknown_tier_is_left_out() -> None:
    """Groq's words are auto, on_demand, flex and performance."""
    assert {"service_tier"} == told(Request("hi", service_tier="priority"))
    assert "performance" == body(Request("hi", service_tier="performance"))["service_tier"]


def test_system_content_is_one_text() -> None:
    """Groq refused lists there."""
    sent = body(Request("hi", system=(byollm.Text("a"), byollm.Text("b"))))

    assert {"role": "system", "content": "a\n\nb"} == sent["messages"][0]


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (GPT_OSS, "none", "low"),
        (GPT_OSS, "minimal", "low"),
        (GPT_OSS, "medium", "medium"),
        (GPT_OSS, "max", "high"),
        (QWEN, "none", "none"),
        (QWEN, "low", "default"),
        (QWEN, "max", "default"),
        (QWEN_GRADED, "none", "none"),
        (QWEN_GRADED, "xhigh", "high"),
    ],
)
def test_efforts_by_family(model: str, asked: str, sent: str) -> None:
    """The nearest word that the family knows, and thoughts apart from the text whenever there will be any."""
    made = body(Request("hi", reasoning_effort=asked), model)

    assert sent == made["reasoning_effort"]
    assert ("parsed" if sent != "none" else None) == made.get("reasoning_format")
    over_responses = body(Request("hi", reasoning_effort=asked), model, api="responses")
    assert {"effort": sent} == over_responses["reasoning"]


def test_qwen_thinks_unasked() -> None:
    """So its thoughts are asked for apart even then; gpt-oss does so by itself, llama does not think."""
    assert "parsed" == body("hi", QWEN)["reasoning_format"]
    assert "reasoning_format" not in body("hi") | body("hi", LLAMA)
    assert {"reasoning_effort"} == told(Request("hi", reasoning_effort="low"), LLAMA)


def test_include_reasoning_takes_the_place_of_the_format() -> None:
    """Both together are refused."""
    asked = Request("hi", reasoning_effort="low", extra={"groq": {"include_reasoning": False}})

    assert body(asked)["include_reasoning"] is False
    assert "reasoning_format" not in body(asked)


def test_schemas_are_strict_where_they_are_enforced() -> None:
    """On gpt-oss; elsewhere they are a wish."""
    asked = Request("hi", output_schema={**CITY, "additionalProperties": False})

    assert body(asked)["response_format"]["json_schema"]["strict"] is True
    assert "strict" not in body(asked, QWEN_GRADED)["response_format"]["json_schema"]


def test_images_go_to_models_that_see() -> None:
    """A text model refuses them before sending; documents and sound fit nowhere."""
    asked = Request([byollm.user("look", byollm.Image("https://example.com/a.png"))])

    assert "image_url" == body(asked, QWEN_GRADED)["messages"][0]["content"][1]["type"]
    with pytest.raises(errors.UnsupportedFeatureError):
        body(asked, GPT_OSS)
    with pytest.raises(errors.UnsupportedFeatureError, match="images"):
        provider.complete(asked, Target(provider="groq", model=GPT_OSS, endpoint="https://api.groq.com", api="chat"))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([GPT_OSS, QWEN, QWEN_GRADED, LLAMA, "new"]),
    st.sampled_from([None, "none", "low", "max"]),
    st.booleans(),
)
def test_no_nulls(model: str, effort: str | None, calls: bool) -> None:
    """Groq refuses fields whose value is null."""
    call = byollm.ToolCall("c1", "time", "{}")
    turns = [byollm.user("a"), byollm.assistant(call), byollm.tool_results(byollm.ToolResult("c1", "12"))]
    sent = json.dumps(
        body(Request(turns if calls else "a", reasoning_effort=effort, tools=[byollm.Tool("time", "t", CITY)]), model)
    )

    assert "null" not in sent


@pytest.mark.parametrize("code", ["tool_use_failed", "json_validate_failed"])
def test_a_broken_generation_may_be_tried_again(code: str) -> None:
    """The model's output broke: retryable, failed over, cost unknown; what is echoed decides nothing."""
    error = refused(400, {**BROKEN, "code": code}, retries={"attempts": 1})

    assert errors.InvalidRequestError is type(error)
    assert (True, True, "unknown") == (error.retryable, error.failover_ok, error.billed)


def test_a_broken_generation_inside_a_stream() -> None:
    """The same class as before the answer began, and nothing is taken for an end."""
    begun = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Let me"}}]}
    sent = stream(begun, {"error": {**BROKEN, "status_code": 400}})
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("groq", body=sent, stream=True, headers=SSE, retries={"attempts": 1})

    assert "unknown" == caught.value.billed
    assert "tool_use_failed" == caught.value.code


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "gone", "code": "model_decommissioned"}, errors.ModelNotFoundError),
        (400, {"message": "`x` is not supported with this model"}, errors.InvalidRequestError),
        (401, {"message": "Invalid API Key", "code": "invalid_api_key"}, errors.AuthenticationError),
        (404, {"message": "The model `x` does not exist", "code": "model_not_found"}, errors.ModelNotFoundError),
        (413, {"message": "Request too large for model", "code": "rate_limit_exceeded"}, errors.RequestTooLargeError),
        (422, {"message": "the generation was not semantically right"}, errors.InvalidRequestError),
        (424, {"message": "a dependency failed"}, errors.ServerError),
        (429, {"message": "Rate limit reached", "code": "rate_limit_exceeded"}, errors.RateLimitError),
        (498, {"message": "over capacity", "code": "capacity_exceeded"}, errors.OverloadedError),
        (500, {"message": "over capacity", "code": "capacity_exceeded"}, errors.OverloadedError),
    ],
)
def test_errors(status: int, error: Any, kind: type[errors.ProviderError]) -> None:
    """By code and status."""
    assert kind is type(refused(status, error, retries={"attempts": 1}))


def test_usage_stands_in_x_groq() -> None:
    """Where a stream has no other."""
    sent = stream(
        {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hi"}}]},
        {
            "id": "c",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "x_groq": {
                "id": "r",
                "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "queue_time": 0.1},
            },
        },
    )
    reply = testing.replay("groq", body=sent + b"data: [DONE]\n\n", stream=True, headers=SSE)

    assert ("hi", "stop", 5, 2) == (
        reply.text, reply.finish_reason, reply.usage.input_tokens, reply.usage.output_tokens,
    )  # fmt: skip
    assert {"queue_time": 0.1} == reply.usage.details


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for prefix, facts in MODELS:
        known = provider.capabilities(
            Target(provider="groq", model=prefix, endpoint="https://api.groq.com", api="chat")
        )
        assert set(facts) <= set(known.sources)
    new = provider.capabilities(Target(provider="groq", model="new", endpoint="https://api.groq.com", api="chat"))
    assert new.context_window is None


def test_retired_names_are_told() -> None:
    """`byollm check` names what is served in their place."""
    notes = provider.manifest.models

    assert "2025-06-06" == notes["llama-guard-3-8b"].retired
    assert GPT_OSS == notes["llama3-70b-8192"].replacement
    assert {note.replacement for note in notes.values()}.isdisjoint(notes)


def test_what_groqs_own_tools_did_is_kept_and_not_sent_back() -> None:
    """Whole, and in pieces by their index; Groq refuses the field in a request."""
    begun = {"index": 0, "type": "search", "arguments": "{}", "output": ""}
    done = {**begun, "output": "found"}
    message = {"role": "assistant", "content": "hi", "executed_tools": [done]}
    whole = _answer(json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}), stream=False)
    deltas = [{"executed_tools": [begun]}, {"content": "hi"}, {"executed_tools": [done]}]
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    streamed = _answer("".join(f"data: {json.dumps({'choices': [it]})}\n\n" for it in chunks), stream=True)

    assert whole.parts == streamed.parts
    assert byollm.Opaque("groq", "chat", {"executed_tools": [done]}) == whole.parts[-1]
    assert {"role": "assistant", "content": "hi"} == testing.translate(
        "groq", [whole.message, byollm.user("go on")]
    ).body["messages"][0]


def _answer(body: str, stream: bool) -> byollm.Completion:
    return testing.replay("groq", body=body.encode(), model="groq/compound", stream=stream)
