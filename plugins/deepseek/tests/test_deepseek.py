"""DeepSeek: thinking and what it excludes, schemas in words, and what its refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.plugin import Message, Request, Support, Target, Text, Tool, ToolCall, ToolResult
from byollm_deepseek import provider
from byollm_deepseek.models import MODELS
from byollm_deepseek.plugin import ENDPOINT

FLASH, PRO, CHAT, REASONER = "deepseek-v4-flash", "deepseek-v4-pro", "deepseek-chat", "deepseek-reasoner"
CURRENT = (FLASH, PRO, "deepseek-flash", CHAT, REASONER)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = Tool("f", None, CITY)
CALL = ToolCall("call_1", "f", "{}")
ANSWERED = Message("tool", (ToolResult("call_1", (Text("c"),)),))
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = FLASH, **target: Any) -> testing.Translation:
    return testing.translate("deepseek", request, model=model, **target)


def body(request: Any, model: str = FLASH, **target: Any) -> dict[str, Any]:
    return dict(translated(request, model, **target).body)


def told(request: Any, model: str = FLASH, **target: Any) -> set[str]:
    return {note.field for note in translated(request, model, **target).adjustments}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("deepseek", status=status, body=json.dumps(document).encode(), retries={"attempts": 1}, **fields)
    return caught.value


def test_where_it_goes() -> None:
    """To DeepSeek's own address, with or without a version or `/beta`; Responses by word."""
    assert "https://api.deepseek.com/chat/completions" == translated("hi").url
    assert "https://api.deepseek.com/responses" == translated("hi", api="responses").url
    assert "https://api.deepseek.com/beta/chat/completions" == translated("hi", endpoint=f"{ENDPOINT}/beta").url


def test_the_cap_has_the_name_it_knows() -> None:
    """`max_completion_tokens` would be ignored in silence."""
    sent = body(Request("hi", max_tokens=9))

    assert 9 == sent["max_tokens"]
    assert "max_completion_tokens" not in sent


@pytest.mark.parametrize(
    ("effort", "sent", "adjusted"),
    [
        ("none", {"thinking": {"type": "disabled"}}, False),
        ("low", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, False),
        ("medium", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}, True),
        ("max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}, False),
    ],
)
def test_efforts(effort: Any, sent: dict[str, Any], adjusted: bool) -> None:
    """A switch and three grades."""
    request = Request("hi", reasoning_effort=effort)
    found = body(request)

    assert sent == {name: found[name] for name in ("thinking", "reasoning_effort") if name in found}
    assert adjusted == ("reasoning_effort" in told(request))


def test_a_forced_call_turns_unasked_thinking_off() -> None:
    """Both together are refused by the server; the caller is told."""
    request = Request("hi", tools=[TOOL], tool_choice="required")

    assert {"type": "disabled"} == body(request)["thinking"]
    assert "reasoning_effort" in told(request)
    assert "thinking" not in body(request.with_(tool_choice="auto"))
    assert "thinking" not in body(request, CHAT)


def test_a_forced_call_beside_thinking_that_was_asked_for_is_refused() -> None:
    """Before a byte leaves; without thinking it is sent."""
    request = Request("hi", tools=[TOOL], tool_choice="f", reasoning_effort="high")
    with pytest.raises(errors.UnsupportedFeatureError) as caught:
        body(request)

    assert "tool_choice" == caught.value.field
    assert {"type": "disabled"} == body(request.with_(reasoning_effort="none"))["thinking"]


def test_sampling_means_nothing_while_it_thinks() -> None:
    """It is left out and told; without thinking it is sent."""
    request = Request("hi", temperature=0.3)

    assert ("temperature" in told(request), None) == (True, body(request).get("temperature"))
    assert 0.3 == body(request.with_(reasoning_effort="none"))["temperature"]
    assert 0.3 == body(request, CHAT)["temperature"]


def test_a_schema_is_told_in_words() -> None:
    """Chat knows JSON only: an instruction holds the schema, the caller is told; the Responses API knows schemas."""
    request = Request("hi", output_schema=CITY)
    sent = body(request)
    first = sent["messages"][0]

    assert {"type": "json_object"} == sent["response_format"]
    assert ("system", CITY) == (first["role"], json.loads(first["content"].partition("schema:")[2]))
    assert {"output_schema"} == told(request)
    assert "json_schema" == body(request, api="responses")["text"]["format"]["type"]


def test_thoughts_go_back_with_the_turn() -> None:
    """In the field they came in; a turn with calls has the field even when it is empty."""
    message = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
    document = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    reply = testing.replay("deepseek", body=json.dumps(document).encode())
    called = Request([byollm.user("a"), Message("assistant", (CALL,)), ANSWERED], tools=[TOOL])
    own = body(called.with_(messages=[byollm.user("a"), reply.message, ANSWERED]))["messages"][1]
    bare, plain = body(called)["messages"][1], body(called, CHAT)["messages"][1]

    assert ("hm", "") == (own["reasoning_content"], bare["reasoning_content"])
    assert "reasoning_content" not in plain


def test_beginnings_need_beta() -> None:
    """Elsewhere they are refused before sending."""
    request = Request([byollm.user("a"), byollm.assistant("Well,")], prefill=True)

    assert body(request, endpoint=f"{ENDPOINT}/beta")["messages"][-1]["prefix"] is True
    with pytest.raises(errors.UnsupportedFeatureError):
        body(request)


def test_blank_lines_before_an_answer_and_comments_in_a_stream_are_nothing() -> None:
    """They keep the connection alive."""
    document = {"id": "c", "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}
    whole = testing.replay("deepseek", body=b"\n\n\n" + json.dumps(document).encode())
    kept = b": keep-alive\n\n: keep-alive\n\n" + stream(chunk)

    assert "hi" == whole.text == testing.replay("deepseek", body=kept, stream=True, headers=SSE).text


def test_cache_hits_are_part_of_the_prompt() -> None:
    """`prompt_cache_hit_tokens` and `prompt_cache_miss_tokens`."""
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    cached = {"prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}
    choice = {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}
    reply = testing.replay(
        "deepseek", body=json.dumps({"id": "c", "choices": [choice], "usage": {**usage, **cached}}).encode()
    )

    assert (10, 8, 2) == (reply.usage.input_tokens, reply.usage.cached_tokens, reply.usage.output_tokens)


def test_a_server_without_resources_ends_the_answer_as_an_error() -> None:
    """Its word for it is kept."""
    choice = {"index": 0, "message": {"content": "h"}, "finish_reason": "insufficient_system_resource"}
    reply = testing.replay("deepseek", body=json.dumps({"id": "c", "choices": [choice]}).encode())

    assert ("error", "insufficient_system_resource") == (reply.finish_reason, reply.raw_finish_reason)


def said(message: str, code: str = "invalid_request_error", type_: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, said("The supported API model names are a or b, but you passed c."), errors.ModelNotFoundError),
        (400, said("This model's maximum context length is 1048565 tokens."), errors.ContextLengthError),
        (400, said("Thinking mode does not support this tool_choice"), errors.InvalidRequestError),
        (401, said("Authentication Fails", type_="authentication_error"), errors.AuthenticationError),
        (402, said("Insufficient Balance", "unknown_error"), errors.QuotaExhaustedError),
        (422, said("Invalid parameters"), errors.InvalidRequestError),
        (429, said("Rate limit reached"), errors.RateLimitError),
        (500, said("Server error"), errors.ServerError),
        (503, said("Server overloaded"), errors.OverloadedError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """By words and status."""
    assert kind is type(refused(status, document))


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS:
        known = provider.capabilities(Target(provider="deepseek", model=model, endpoint=ENDPOINT, api="chat"))
        assert set(facts) <= set(known.sources), model
    new = provider.capabilities(Target(provider="deepseek", model="new", endpoint=ENDPOINT, api="chat"))
    assert new.context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    known = provider.capabilities(Target(provider="deepseek", model=model, endpoint=ENDPOINT, api="chat"))

    assert None not in (known.context_window, known.max_output_tokens, known.temperature_range)
    assert Support.unknown not in (known.tools, known.streaming, known.structured_output)
