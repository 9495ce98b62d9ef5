"""A judge: what Mistral's own SDK reads from the twin, and what of it the twin takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError

from byollm import errors
from byollm.types.parts import Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins

USAGE = Usage(100, 50)
MESSAGES: Any = [{"role": "user", "content": "hello"}]
CALLS = (ToolCall("abcDEF123", "add", '{"n": 1}'), ToolCall("abcDEF456", "sub", '{"n": 22}'))
TOOL: Any = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
ANSWERS: dict[str, Answer] = {
    "text": Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE),
    "parallel tools": Answer(parts=CALLS, usage=USAGE),
    "text and tools": Answer(parts=(Text("let me see"), *CALLS), usage=USAGE),
    "reasoning": Answer(parts=(Reasoning("first this, then that"), Text("done")), usage=USAGE),
    "length": Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE),
    "counted by the twin": Answer(parts=(Text("eight by"),)),
}
MODEL = "mistral-medium-latest"


@pytest.fixture
def client(twin: Twins) -> Iterator[Mistral]:
    with Mistral(api_key="k-any", server_url=twin.url("mistral-chat").removesuffix("/v1")) as made:
        yield made


def content_of(content: Any) -> tuple[str, str]:
    """Text and thoughts of a message or delta."""
    if isinstance(content, str) or not content:
        return content or "", ""
    texts = [chunk.text for chunk in content if chunk.type == "text"]
    thoughts = [piece.text for chunk in content if chunk.type == "thinking" for piece in chunk.thinking]
    return "".join(texts), "".join(thoughts)


def told(answer: Answer) -> tuple[Any, ...]:
    usage = answer.usage or Usage(6, 2)
    calls = [(call.id, call.name, call.arguments) for call in answer.tool_calls]
    finish = {"length": "length", "tool_calls": "tool_calls"}.get(answer.finish_reason or "", "stop")
    return answer.text, answer.reasoning, calls, finish, usage.input_tokens, usage.output_tokens


@pytest.mark.parametrize("name", ANSWERS)
def test_a_document_is_read_to_what_was_scripted(twin: Twins, client: Mistral, name: str) -> None:
    """Text, thoughts, calls, reason and counts, as the SDK's types have them."""
    twin.script(ANSWERS[name])
    reply = client.chat.complete(model=MODEL, messages=MESSAGES)
    choice = reply.choices[0]
    assert choice.message is not None
    calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]

    seen = (*content_of(choice.message.content), calls, choice.finish_reason)
    assert told(ANSWERS[name]) == (*seen, reply.usage.prompt_tokens, reply.usage.completion_tokens)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream_is_read_to_what_was_scripted(twin: Twins, client: Mistral, name: str) -> None:
    """The same from chunks; each call comes whole."""
    twin.script(ANSWERS[name])
    chunks = [event.data for event in client.chat.stream(model=MODEL, messages=MESSAGES)]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    pairs = [content_of(delta.content) for delta in deltas]
    text, thoughts = ("".join(pair[place] for pair in pairs) for place in (0, 1))
    calls = [(c.id, c.function.name, c.function.arguments) for delta in deltas for c in delta.tool_calls or []]
    usage = chunks[-1].usage
    assert usage is not None

    seen = (text, thoughts, calls, chunks[-1].choices[0].finish_reason)
    assert told(ANSWERS[name]) == (*seen, usage.prompt_tokens, usage.completion_tokens)


def test_everything_the_sdk_can_send_is_taken(twin: Twins, client: Mistral) -> None:
    """Chunks of every kind, a history with thoughts, calls and results, all sampling, a schema, a beginning."""
    twin.script("ok")
    history: Any = [
        {"role": "system", "content": [{"type": "text", "text": "s"}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "u"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                {"type": "document_url", "document_url": "https://example.com/a.pdf", "document_name": "a"},
                {"type": "input_audio", "input_audio": "aGk="},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}],
            "tool_calls": [{"id": "abcDEF123", "function": {"name": "add", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "abcDEF123", "name": "add", "content": "1"},
        {"role": "assistant", "content": "Well,", "prefix": True},
    ]
    schema: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True}}
    reply = client.chat.complete(
        model=MODEL, messages=history, tools=[TOOL], tool_choice="any", parallel_tool_calls=False, temperature=0.5,
        top_p=0.9, max_tokens=9, stop=["x"], random_seed=7, presence_penalty=0.1, frequency_penalty=0.1,
        response_format=schema, reasoning_effort="high", prompt_mode="reasoning", safe_prompt=False, n=1,
    )  # fmt: skip

    assert reply.choices[0].message is not None
    assert "ok" == reply.choices[0].message.content


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AuthenticationError(""), 401),
        (errors.ModelNotFoundError(""), 400),
        (errors.RateLimitError(""), 429),
        (errors.ServerError(""), 500),
    ],
)
def test_refusals_are_the_sdks_errors(twin: Twins, client: Mistral, error: errors.ProviderError, status: int) -> None:
    """With their status."""
    twin.script(error)
    with pytest.raises(SDKError) as caught:
        client.chat.complete(model=MODEL, messages=MESSAGES, retries=None)

    assert status == caught.value.status_code


def test_a_wrong_shape_is_the_sdks_validation_error(client: Mistral) -> None:
    """422 with the place."""
    with pytest.raises(HTTPValidationError) as caught:
        client.chat.complete(model=MODEL, messages=MESSAGES, temperature=9)

    assert ["body", "temperature"] == caught.value.data.detail[0].loc  # type: ignore[index]  # one was told


CALL = {"id": "abcDEF123", "function": {"name": "f", "arguments": "{}"}}
TURN = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "abcDEF123", "content": "1"}
USER = {"role": "user", "content": "hi"}
BAD: dict[str, tuple[int, str, dict[str, Any]]] = {
    "unknown member": (422, "Extra inputs", {"seed": 1}),
    "unknown member of a turn": (422, "Extra inputs", {"messages": [{**USER, "name": "ada"}]}),
    "no messages": (422, "Field required", {"messages": []}),
    "too hot": (422, "between 0 and 1.5", {"temperature": 1.6}),
    "unknown model": (400, "Invalid model", {"model": "nobody"}),
    "logprobs": (400, "Logprobs are not enabled", {"logprobs": True}),
    "a long id": (400, "length of 9", {"messages": [USER, {**TURN, "tool_calls": [{**CALL, "id": "call_1"}]}, RESULT]}),
    "user after tool": (400, "after role 'tool'", {"messages": [USER, TURN, RESULT, USER]}),
    "assistant last": (400, "Expected last role", {"messages": [USER, {"role": "assistant", "content": "a"}]}),
    "empty assistant": (400, "either content or", {"messages": [USER, {"role": "assistant", "content": ""}, USER]}),
    "stranger's result": (400, "number of function calls", {"messages": [USER, TURN, {**RESULT, "tool_call_id": "x"}]}),
    "tool without parameters": (422, "Field required", {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    "a name with a slash": (
        400, "must be a-z", {"tools": [{"type": "function", "function": {"name": "a/b", "parameters": {}}}]}
    ),
    "unknown choice": (422, "'auto'", {"tools": [TOOL], "tool_choice": "maybe"}),
    "unknown chunk": (422, "does not match", {"messages": [{"role": "user", "content": [{"type": "video_url"}]}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_mistral_refuses_is_refused(twin: Twins, name: str) -> None:
    """With status and words."""
    status, words, changes = BAD[name]
    body = {"model": MODEL, "messages": MESSAGES, **changes}
    answer = httpx.post(twin.url("mistral-chat") + "/chat/completions", json=body, trust_env=False)

    assert status == answer.status_code
    assert words in answer.text
