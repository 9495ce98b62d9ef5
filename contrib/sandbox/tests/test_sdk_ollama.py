"""A judge: what Ollama's own SDK reads from the twin, and what the twin makes of what the SDK sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ollama
import pytest

from byollm import errors
from byollm.types.parts import Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins

USAGE = Usage(input_tokens=12, output_tokens=5)
CALLS = (ToolCall("call_1", "add", '{"n": 1}'), ToolCall("call_2", "sub", '{"n": 22}'))
ANSWERS: dict[str, Answer] = {
    "text": Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE),
    "parallel tools": Answer(parts=CALLS, usage=USAGE),
    "text and tools": Answer(parts=(Text("let me see"), *CALLS), usage=USAGE),
    "reasoning": Answer(parts=(Reasoning("first this, then that"), Text("done")), usage=USAGE),
    "length": Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE),
    "cached prompt": Answer(parts=(Text("yes"),), usage=Usage(output_tokens=1)),
}
MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(twin: Twins) -> Iterator[ollama.Client]:
    made = ollama.Client(twin.url("ollama"), timeout=20, trust_env=False)
    yield made
    made._client.close()  # it has no public way to close


def told(answer: Answer) -> tuple[Any, ...]:
    usage = answer.usage or Usage()
    finish = "length" if answer.finish_reason == "length" else "stop"
    calls = [(call.name, call.args) for call in answer.tool_calls]
    return answer.text, answer.reasoning, calls, finish, usage.input_tokens, usage.output_tokens


def seen(replies: list[ollama.ChatResponse]) -> tuple[Any, ...]:
    last = replies[-1]
    calls = [
        (call.function.name, dict(call.function.arguments))
        for reply in replies
        for call in reply.message.tool_calls or []
    ]
    text = "".join(reply.message.content or "" for reply in replies)
    thinking = "".join(reply.message.thinking or "" for reply in replies)
    assert [False] * (len(replies) - 1) + [True] == [reply.done for reply in replies]
    return text, thinking, calls, last.done_reason, last.prompt_eval_count, last.eval_count


@pytest.mark.parametrize("name", ANSWERS)
def test_a_document_is_read_to_what_was_scripted(twin: Twins, client: ollama.Client, name: str) -> None:
    """Text, thinking, calls, reason and counts, as the SDK's types have them."""
    twin.script(ANSWERS[name])

    assert told(ANSWERS[name]) == seen([client.chat(model="qwen3:8b", messages=MESSAGES)])


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream_is_read_to_what_was_scripted(twin: Twins, client: ollama.Client, name: str) -> None:
    """Lines of JSON, the last of which is done."""
    twin.script(ANSWERS[name])

    assert told(ANSWERS[name]) == seen(list(client.chat(model="qwen3:8b", messages=MESSAGES, stream=True)))


def test_everything_the_sdk_can_send_is_taken(twin: Twins, client: ollama.Client) -> None:
    """Tools from functions, images, thinking, a schema, options, a history with calls and results."""

    def add(a: int, b: int) -> int:
        """Add.

        Args:
            a: one
            b: two
        """
        return a + b

    twin.script("ok")
    call = {"function": {"name": "add", "arguments": {"a": 1, "b": 2}}}
    history: list[Any] = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u", "images": ["aGk="]},
        {"role": "assistant", "content": "", "thinking": "t", "tool_calls": [call]},
        {"role": "tool", "content": "3", "tool_name": "add"},
    ]
    reply = client.chat(
        model="qwen3:8b", messages=history, tools=[add], think=True, format={"type": "object"}, keep_alive="1m",
        options={"num_ctx": 9000, "temperature": 0.1, "stop": ["x"]},
    )  # fmt: skip

    assert "ok" == reply.message.content


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(errors.ModelNotFoundError(""), 404, "not found"), (errors.OverloadedError(""), 503, "busy")],
)
def test_refusals_are_the_sdks_errors(
    twin: Twins, client: ollama.Client, error: errors.ProviderError, status: int, words: str
) -> None:
    """Status and words, before a stream and without one."""
    twin.script(error)
    with pytest.raises(ollama.ResponseError, match=words) as caught:
        client.chat(model="qwen3:8b", messages=MESSAGES)

    assert status == caught.value.status_code


def test_an_error_line_in_a_stream_is_the_sdks_error(twin: Twins, client: ollama.Client) -> None:
    """After two lines."""
    twin.script("a b c d")
    twin.fault("error", after=2)
    with pytest.raises(ollama.ResponseError, match="runner"):
        list(client.chat(model="qwen3:8b", messages=MESSAGES, stream=True))


def test_the_twin_cuts_in_silence_as_the_real_one_does(twin: Twins, client: ollama.Client) -> None:
    """The oldest turns go, the count is the smaller one, and nobody is told."""
    turns = [{"role": "user", "content": f"{number} " * 2000} for number in range(10)]
    twin.script("one", "two")
    cut = client.chat(model="qwen3:8b", messages=turns)
    whole = client.chat(model="qwen3:8b", messages=turns, options={"num_ctx": 100_000})

    assert (cut.prompt_eval_count or 0) <= 4096 < (whole.prompt_eval_count or 0)


def test_the_list_and_a_model_are_shown(client: ollama.Client) -> None:
    """`/api/tags` and `/api/show`."""
    assert "qwen3:8b" in [model.model for model in client.list().models]
    assert "tools" in (client.show("qwen3:8b").capabilities or [])


BAD: dict[str, dict[str, Any]] = {
    "model is required": {"model": ""},
    "invalid role": {"messages": [{"role": "robot", "content": ""}]},
    "content of type string": {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    "base64": {"messages": [{"role": "user", "content": "", "images": ["https://example.com/a.png"]}]},
    "arguments": {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
    "think value": {"think": "low"},
    "invalid format": {"format": "yaml"},
    "tools": {"tools": {}},
    "context length": {"truncate": False, "messages": [{"role": "user", "content": "x" * 50_000}]},
}


@pytest.mark.parametrize("words", BAD)
def test_what_ollama_refuses_is_refused(twin: Twins, words: str) -> None:
    """With status 400 and words."""
    import httpx

    body = {"model": "qwen3:8b", "messages": MESSAGES, **BAD[words]}
    answer = httpx.post(twin.url("ollama") + "/api/chat", json=body, trust_env=False)

    assert 400 == answer.status_code
    assert words in answer.json()["error"]
