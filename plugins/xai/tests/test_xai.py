"""xAI: what goes out, by model, and what its refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.plugin import Message, Request, Support, Target, Text, Tool, ToolCall, ToolResult
from byollm_xai import provider
from byollm_xai.models import MODELS
from byollm_xai.plugin import ENDPOINT

GROK, ALWAYS, NEVER, OLD = "grok-4.3", "grok-4.6", "grok-4.20-0309-non-reasoning", "grok-3"
CURRENT = (GROK, "grok-4.5", ALWAYS, "grok-4.7", NEVER, "grok-4.20", "grok-build-0.1", "grok-3-mini", OLD)
TOOL = Tool("f", None, {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}})
CALL = ToolCall("call_1", "f", "{}")
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = GROK, **target: Any) -> testing.Translation:
    return testing.translate("xai", request, model=model, **target)


def body(request: Any, model: str = GROK, **target: Any) -> dict[str, Any]:
    return dict(translated(request, model, **target).body)


def told(request: Any, model: str = GROK, **target: Any) -> set[str]:
    return {note.field for note in translated(request, model, **target).adjustments}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("xai", status=status, body=json.dumps(document).encode(), retries={"attempts": 1}, **fields)
    return caught.value


def test_where_it_goes() -> None:
    """To xAI's own address; Responses by word, where nothing is stored and reasoning comes back encrypted."""
    sent = body("hi", api="responses")

    assert "https://api.x.ai/v1/chat/completions" == translated("hi").url
    assert "https://api.x.ai/v1/responses" == translated("hi", api="responses").url
    assert (False, ["reasoning.encrypted_content"]) == (sent["store"], sent["include"])


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (GROK, "none", "none"),
        (GROK, "minimal", "low"),
        (GROK, "max", "high"),
        (ALWAYS, "none", "low"),
        ("grok-4.7", "max", "xhigh"),
        ("grok-3-mini", "medium", "high"),
        (NEVER, "high", None),
        ("grok-code-fast-1", "low", None),
    ],
)
def test_efforts(model: str, effort: Any, sent: str | None) -> None:
    """Each model its own; what differs from the wish is told."""
    request = Request("hi", reasoning_effort=effort)

    assert sent == body(request, model).get("reasoning_effort")
    assert (sent != effort) == ("reasoning_effort" in told(request, model))


@pytest.mark.parametrize(("model", "sent"), [(GROK, False), ("grok-3-mini", False), (OLD, True)])
def test_what_models_that_reason_refuse_is_not_sent(model: str, sent: bool) -> None:
    """`stop` (the core cuts) and penalties, and the caller is told."""
    request = Request("hi", stop=["END"], frequency_penalty=0.5, presence_penalty=0.5)
    names = {"stop", "frequency_penalty", "presence_penalty"}

    assert (names if sent else set()) == names & body(request, model).keys()
    assert (set() if sent else names) == names & told(request, model)


def test_tools_go_without_strict_and_one_of() -> None:
    """Both are refused; `oneOf` becomes `anyOf`, and the caller is told. A strict tool is a contract: refused."""
    request = Request("hi", tools=[TOOL, Tool("g", None, {"type": "object"}, strict=False)])
    first, second = (tool["function"] for tool in body(request)["tools"])

    assert {"anyOf": [{"type": "string"}, {"type": "null"}]} == first["parameters"]["properties"]["a"]
    assert "strict" not in second
    assert {"tools"} == told(request)
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request("hi", tools=[Tool("g", None, {"type": "object"}, strict=True)]))


def test_a_deferred_answer_is_refused() -> None:
    """It would have to be fetched later."""
    with pytest.raises(errors.UnsupportedFeatureError, match="fetched later"):
        body(Request("hi", extra={"xai": {"deferred": True}}))


def test_names_are_left_out() -> None:
    """They are refused on every turn but the user's; the caller is told."""
    request = Request([Message("user", (Text("a"),), "ada")])

    assert [{"role": "user", "content": "a"}] == body(request)["messages"]
    assert {"name"} == told(request)


def test_thoughts_go_back_with_calls() -> None:
    """In `reasoning_content`, with the turn that called tools."""
    message = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
    document = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    reply = testing.replay("xai", body=json.dumps(document).encode())
    answered = Message("tool", (ToolResult("call_1", (Text("c"),)),))
    sent = body(Request([byollm.user("a"), reply.message, answered], tools=[TOOL]))["messages"][1]

    assert "hm" == sent["reasoning_content"]


def test_reasoning_outside_the_completion_is_counted_in() -> None:
    """Total is prompt plus completion plus reasoning; usage stands in every chunk and grows."""
    usage = [
        {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 31,
         "completion_tokens_details": {"reasoning_tokens": 20}},
        {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 37,
         "completion_tokens_details": {"reasoning_tokens": 25}, "cost_in_usd_ticks": 7},
    ]  # fmt: skip
    chunks = [
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "h"}}], "usage": usage[0]},
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "i"}, "finish_reason": "stop"}], "usage": usage[1]},
    ]
    reply = testing.replay("xai", body=stream(*chunks), stream=True, headers=SSE)

    assert ("hi", 10, 27, 25) == (
        reply.text, reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.reasoning_tokens,
    )  # fmt: skip
    assert 7 == (reply.usage.details or {})["cost_in_usd_ticks"]


def test_calls_may_end_with_an_empty_word() -> None:
    """It is told as tool_calls."""
    delta = {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}]}
    chunks = [
        {"id": "c", "choices": [{"index": 0, "delta": delta}]},
        {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": ""}]},
    ]
    reply = testing.replay("xai", body=stream(*chunks), stream=True, headers=SSE)

    assert ("tool_calls", [("f", {})]) == (reply.finish_reason, [(call.name, call.args) for call in reply.tool_calls])


BAD = "Client specified an invalid argument"


@pytest.mark.parametrize(
    ("status", "code", "error", "kind"),
    [
        (400, BAD, "Incorrect API key provided: x. You can obtain one.", errors.AuthenticationError),
        (400, BAD, "Model not found: grok-x", errors.ModelNotFoundError),
        (400, BAD, "Model grok-code-fast-1 does not support parameter reasoningEffort.", errors.InvalidRequestError),
        (400, BAD, "This model's maximum prompt length is 131072: maximum context length", errors.ContextLengthError),
        (403, "The caller does not have permission", "no access", errors.PermissionDeniedError),
        (404, "Some requested entity was not found", "The model grok-beta was deprecated", errors.ModelNotFoundError),
        (429, "Some resource has been exhausted", "Too many requests", errors.RateLimitError),
        (500, "internal", "failed", errors.ServerError),
    ],
)  # fmt: skip
def test_errors(status: int, code: str, error: str, kind: type[errors.ProviderError]) -> None:
    """Two flat texts: a code in words, and what happened."""
    caught = refused(status, {"code": code, "error": error})

    assert (kind, code) == (type(caught), caught.code)
    assert error in str(caught)


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS:
        known = provider.capabilities(Target(provider="xai", model=model, endpoint=ENDPOINT, api="chat"))
        assert set(facts) <= set(known.sources), model
    new = provider.capabilities(Target(provider="xai", model="new", endpoint=ENDPOINT, api="chat"))
    assert new.context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    known = provider.capabilities(Target(provider="xai", model=model, endpoint=ENDPOINT, api="chat"))

    assert None not in (known.context_window, known.max_output_tokens, known.temperature_range)
    assert Support.unknown not in (known.tools, known.streaming, known.structured_output)
