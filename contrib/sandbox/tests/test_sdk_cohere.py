"""A judge: what Cohere's own SDK reads from the twin, and what of it the twin takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cohere
import httpx
import pytest
from cohere.core.api_error import ApiError

from byollm import errors
from byollm.types.parts import Citation, Opaque, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins

USAGE = Usage(100, 50, 20)
MODEL = "command-a-plus-05-2026"
MESSAGES: Any = [{"role": "user", "content": "hello"}]
CALLS = (ToolCall("add_1", "add", '{"n": 1}'), ToolCall("sub_2", "sub", '{"n": 22}'))
PLAN = Reasoning("I will add.", Opaque("cohere", "chat", {"field": "tool_plan"}))
TOOL: Any = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
ANSWERS: dict[str, Answer] = {
    "text": Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE),
    "parallel tools": Answer(parts=CALLS, usage=USAGE),
    "plan and tools": Answer(parts=(PLAN, *CALLS), usage=USAGE),
    "reasoning": Answer(parts=(Reasoning("first this, then that"), Text("done")), usage=USAGE),
    "citation": Answer(parts=(Text("as it is written"), Citation(cited_text="it is", title="A")), usage=USAGE),
    "length": Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE),
    "counted by the twin": Answer(parts=(Text("eight by"),)),
}
FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


@pytest.fixture
def client(twin: Twins) -> Iterator[cohere.ClientV2]:
    with httpx.Client(trust_env=False) as pool:
        yield cohere.ClientV2(api_key="k-any", base_url=twin.url("cohere-chat"), httpx_client=pool)


def told(answer: Answer) -> dict[str, Any]:
    usage = answer.usage or Usage(6, 2, 0)
    plan = "I will add." if PLAN in answer.parts else ""
    return {
        "text": answer.text,
        "thinking": answer.reasoning.removeprefix(plan),
        "plan": plan,
        "calls": [(call.id, call.name, call.arguments) for call in answer.tool_calls],
        "cited": [(answer.text, citation.title) for citation in answer.citations],
        "finish": FINISH[answer.finish_reason or "stop"],
        "usage": (usage.input_tokens, usage.output_tokens, usage.cached_tokens),
    }


def usage_of(usage: Any) -> tuple[Any, ...]:
    return usage.tokens.input_tokens, usage.tokens.output_tokens, usage.cached_tokens


@pytest.mark.parametrize("name", ANSWERS)
def test_a_document_is_read_to_what_was_scripted(twin: Twins, client: cohere.ClientV2, name: str) -> None:
    """Text, thoughts, plan, calls, citations, reason and counts, as the SDK's types have them."""
    twin.script(ANSWERS[name])
    reply: Any = client.chat(model=MODEL, messages=MESSAGES)
    message = reply.message

    seen = {
        "text": "".join(block.text for block in message.content or [] if block.type == "text"),
        "thinking": "".join(block.thinking for block in message.content or [] if block.type == "thinking"),
        "plan": message.tool_plan or "",
        "calls": [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []],
        "cited": [(citation.text, citation.sources[0].document["title"]) for citation in message.citations or []],
        "finish": reply.finish_reason,
        "usage": usage_of(reply.usage),
    }
    assert told(ANSWERS[name]) == seen


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream_is_read_to_what_was_scripted(twin: Twins, client: cohere.ClientV2, name: str) -> None:
    """The same from events, each of a kind that the SDK knows."""
    twin.script(ANSWERS[name])
    seen: dict[str, Any] = {"text": "", "thinking": "", "plan": "", "calls": [], "cited": []}
    for event in client.chat_stream(model=MODEL, messages=MESSAGES):
        read(event, seen)
    calls = [tuple(call) for call in seen.pop("calls")]

    assert told(ANSWERS[name]) == {**seen, "calls": calls}


def read(event: Any, seen: dict[str, Any]) -> None:
    if event.type == "content-delta":
        seen["text"] += event.delta.message.content.text or ""
        seen["thinking"] += event.delta.message.content.thinking or ""
    elif event.type == "tool-plan-delta":
        seen["plan"] += event.delta.message.tool_plan
    elif event.type == "tool-call-start":
        call = event.delta.message.tool_calls
        seen["calls"].append([call.id, call.function.name, ""])
    elif event.type == "tool-call-delta":
        seen["calls"][-1][2] += event.delta.message.tool_calls.function.arguments
    elif event.type == "citation-start":
        citation = event.delta.message.citations
        seen["cited"].append((citation.text, citation.sources[0].document["title"]))
    elif event.type == "message-end":
        seen |= {"finish": event.delta.finish_reason, "usage": usage_of(event.delta.usage)}
    else:
        assert event.type in ("message-start", "content-start", "content-end", "tool-call-end", "citation-end")


def test_everything_the_sdk_can_send_is_taken(twin: Twins, client: cohere.ClientV2) -> None:
    """Pictures, a history with plan, calls and results, all sampling, strict tools, thinking."""
    twin.script("ok")
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}}
    call = {"id": "add_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    block = {"type": "document", "document": {"data": {"n": "1"}, "id": "d"}}
    history: Any = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "u"}, picture]},
        {"role": "assistant", "tool_plan": "p", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "add_1", "content": [block]},
    ]
    reply: Any = client.chat(
        model=MODEL, messages=history, tools=[TOOL], tool_choice="REQUIRED", strict_tools=True, temperature=0.5, p=0.9,
        k=3, max_tokens=9, stop_sequences=["x"], seed=7, presence_penalty=0.1, frequency_penalty=0.1, logprobs=True,
        safety_mode="OFF", thinking=cohere.Thinking(type="enabled", token_budget=99),
    )  # fmt: skip

    assert "ok" == reply.message.content[0].text


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (errors.AuthenticationError(""), 401, "invalid api token"),
        (errors.ModelNotFoundError(""), 404, "not found"),
        (errors.ContextLengthError(""), 400, "too many tokens"),
        (errors.RateLimitError(""), 429, "calls / minute"),
        (errors.ServerError(""), 500, "internal"),
    ],
)
def test_refusals_are_the_sdks_errors(
    twin: Twins, client: cohere.ClientV2, error: errors.ProviderError, status: int, words: str
) -> None:
    """With their status and words."""
    twin.script(error)
    with pytest.raises(ApiError) as caught:
        client.chat(model=MODEL, messages=MESSAGES, request_options={"max_retries": 0})

    assert status == caught.value.status_code
    assert words in str(caught.value.body)


def test_an_error_at_the_end_of_a_stream_is_told_to_the_sdk(twin: Twins, client: cohere.ClientV2) -> None:
    """In `message-end`, after what had come."""
    twin.script("a b c d")
    twin.fault("error", after=2)
    events: list[Any] = list(client.chat_stream(model=MODEL, messages=MESSAGES))

    assert ("message-end", "ERROR") == (events[-1].type, events[-1].delta.finish_reason)
    assert events[-1].delta.error


def test_tokens_are_counted(client: cohere.ClientV2) -> None:
    """By the twins' rule: a quarter of the bytes."""
    assert 3 == len(client.tokenize(text="hello world", model=MODEL).tokens)


USER = {"role": "user", "content": "hi"}
TURN = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "1"}
PNG = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]
BAD: dict[str, tuple[int, str, dict[str, Any]]] = {
    "unknown member": (400, "unknown field 'top_p'", {"top_p": 0.5}),
    "unknown member of a turn": (400, "unknown field 'name'", {"messages": [{**USER, "name": "ada"}]}),
    "no model": (400, "model is required", {"model": ""}),
    "unknown model": (404, "not found", {"model": "nobody"}),
    "no messages": (400, "at least one message", {"messages": []}),
    "unknown role": (400, "no valid role", {"messages": [{"role": "developer", "content": "a"}]}),
    "assistant last": (400, "last message", {"messages": [USER, {"role": "assistant", "content": "a"}]}),
    "a stranger's result": (400, "tool call id", {"messages": [USER, {**RESULT, "tool_call_id": "x"}]}),
    "broken arguments": (
        400, "JSON object",
        {"messages": [USER, {**TURN, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}]}, USER]},
    ),
    "too hot": (400, "between 0 and 1", {"temperature": 1.5}),
    "p of one": (400, "p must be", {"p": 1}),
    "six stops": (400, "up to 5", {"stop_sequences": list("abcdef")}),
    "a named choice": (400, "REQUIRED or NONE", {"tools": [TOOL], "tool_choice": "add"}),
    "a choice of nothing": (400, "needs tools", {"tool_choice": "REQUIRED"}),
    "schema and tools": (400, "cannot be used", {"tools": [TOOL], "response_format": {"type": "json_object"}}),
    "blind model": (400, "not supported", {"model": "command-a-03-2025", "messages": [{**USER, "content": PNG}]}),
    "no budget": (400, "thinking must", {"thinking": {"type": "enabled", "token_budget": 0}}),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cohere_refuses_is_refused(twin: Twins, name: str) -> None:
    """With status and words."""
    status, words, changes = BAD[name]
    body = {"model": MODEL, "messages": MESSAGES, **changes}
    answer = httpx.post(twin.url("cohere-chat") + "/v2/chat", json=body, trust_env=False)

    assert status == answer.status_code
    assert words in answer.json()["message"]
