"""OpenAI-style dicts in, and an answer out as such a document."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from byollm import Citation, Document, Image, Message, Opaque, Reasoning, Request, Text, Tool, ToolCall, ToolResult
from byollm.errors import ConfigError
from byollm.types.completion import Completion
from byollm.types.openai_style import completion_to_openai, messages_from_openai, tool_from_openai
from byollm.types.parts import Audio
from byollm.types.tools import ProviderTool, ToolChoice
from byollm.types.usage import Usage

HI = {"role": "user", "content": "hi"}


def turn(**fields: Any) -> Message:
    """One message out of one dict."""
    (message,) = messages_from_openai([fields])
    return message


def own(data: Any) -> Opaque:
    return Opaque("openai", "chat", data)


def test_a_body_becomes_a_request() -> None:
    """Names that differ are translated; the model belongs to the configuration."""
    body = {
        "model": "gpt-4", "messages": [HI], "max_completion_tokens": 5, "temperature": 0.5, "stop": "x", "stream": True,
        "prompt_cache_key": "k", "user": "u", "reasoning_effort": "low", "n": 1, "tools": [], "seed": None,
        "stream_options": {"include_usage": True},
    }  # fmt: skip

    assert Request("hi", max_tokens=5, temperature=0.5, stop=("x",), stream=True, cache_key="k", end_user_id="u",
                   reasoning_effort="low") == Request.from_openai(body)  # fmt: skip


def test_what_has_no_neutral_name_stays_with_openai() -> None:
    """Unknown keys, and words nobody else knows."""
    body = {
        "messages": [HI],
        "modalities": ["audio"],
        "reasoning_effort": "default",
        "tool_choice": {"type": "allowed"},
    }

    assert {"openai": {name: body[name] for name in list(body)[1:]}} == Request.from_openai(body).extra


def test_a_schema_is_neutral_and_its_wrapper_is_kept() -> None:
    """Name and strictness have no neutral form."""
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}}

    request = Request.from_openai({"messages": [HI], "response_format": form})

    assert ({"type": "object"}, {"openai": {"response_format": form}}) == (request.output_schema, request.extra)


def test_tools_and_choices() -> None:
    """Functions are Tools, what the provider runs itself is a ProviderTool."""
    function = {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": {"a": 1}, "strict": True},
    }
    body = {"messages": [HI], "tools": [function, {"type": "web_search"}], "tool_choice": "any"}

    request = Request.from_openai(body)

    assert (Tool("f", "d", {"a": 1}, True), ProviderTool("openai", {"type": "web_search"})) == request.tools
    assert ToolChoice("required") == request.tool_choice
    assert Tool("f") == tool_from_openai({"type": "function", "name": "f"})


URL = "https://e.example/a"
FILE = {"file_data": "data:a/b;base64,YQ==", "filename": "n"}
PARTS = [
    ({"type": "text", "text": "a"}, Text("a")),
    ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, Text("a", "1h")),
    ({"type": "image_url", "image_url": {"url": URL, "detail": "low"}}, Image(URL, detail="low")),
    ({"type": "image_url", "image_url": URL}, Image(URL)),
    ({"type": "input_audio", "input_audio": {"data": "YQ==", "format": "mp3"}}, Audio("data:audio/mpeg;base64,YQ==")),
    ({"type": "file", "file": FILE}, Document(FILE["file_data"], name="n")),
    ({"type": "file", "file": {"file_id": "file-1"}}, own({"type": "file", "file": {"file_id": "file-1"}})),
    ({"type": "video_url", "video_url": "v"}, own({"type": "video_url", "video_url": "v"})),
    ({"type": "text", "text": "a", "colour": "red"}, own({"type": "text", "text": "a", "colour": "red"})),
]


@pytest.mark.parametrize(("part", "neutral"), PARTS)
def test_content_parts(part: Any, neutral: Any) -> None:
    """What is not known whole is kept whole."""
    assert (neutral,) == turn(role="user", content=[part]).parts


def test_an_assistants_turn() -> None:
    """Thoughts, words, calls, and fields that have no name here."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}, "index": 0}

    message = turn(
        role="assistant", reasoning_content="hm", content="b", tool_calls=[call], annotations=[], refusal=None
    )

    called = ToolCall("1", "f", '{"a": 1}', state=own({"index": 0}))
    assert (Reasoning("hm"), Text("b"), called, own({"annotations": []})) == message.parts


THOUGHTS = [
    ({"reasoning": "hm"}, Reasoning("hm", own({"field": "reasoning"}))),
    ({"reasoning_details": [1]}, Reasoning("", own({"reasoning_details": [1]}))),
    ({"content": [{"type": "thinking", "thinking": [{"text": "hm"}]}]}, Reasoning("hm", own({"field": "content"}))),
]


@pytest.mark.parametrize(("fields", "neutral"), THOUGHTS)
def test_thoughts_remember_where_they_stood(fields: Any, neutral: Any) -> None:
    """They go back to where they came from."""
    assert (neutral,) == turn(role="assistant", **fields).parts


def test_results_of_one_turn_are_one_message() -> None:
    """As byollm writes them."""
    results = [{"role": "tool", "tool_call_id": id, "content": id, "name": "f"} for id in "ab"]

    messages = messages_from_openai([HI, *results])

    assert (
        Message("tool", (ToolResult("a", (Text("a"),), name="f"), ToolResult("b", (Text("b"),), name="f")))
        == messages[1]
    )


WRONG: list[Any] = [
    ("hi", "not a message"), ({"content": "a"}, "role None"), ({"role": "boss", "content": "a"}, "role 'boss'"),
    ({"role": "function", "content": "a"}, "old form"), ({"role": "tool", "content": "a"}, "answers no call"),
    ({"role": "user", "content": 5}, "neither text nor a list"),
    ({"role": "user", "content": [5]}, "not a content part"),
    ({"role": "assistant", "tool_calls": [{"id": "1"}]}, "not a tool call"),
    ({"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}, "has no id"),
    ({"role": "assistant", "function_call": {"name": "f"}}, "old form"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "problem"), WRONG)
def test_what_is_no_chat_message_is_refused_with_its_place(message: Any, problem: str) -> None:
    """A clear sentence, and where."""
    with pytest.raises(ConfigError, match=problem) as caught:
        messages_from_openai([HI, message])
    assert "messages[1]" in caught.value.message


def test_what_is_no_body_is_refused() -> None:
    """Without messages there is nothing to ask."""
    with pytest.raises(ConfigError, match="no list of messages"):
        Request.from_openai({"model": "m"})
    with pytest.raises(ConfigError, match="has no name"):
        tool_from_openai({"type": "function", "function": {}})


def test_a_prefix_is_a_prefill() -> None:
    """Mistral's word for "go on with this"."""
    assert Request.from_openai({"messages": [HI, {"role": "assistant", "content": "a", "prefix": True}]}).prefill


REPLY = Completion(
    parts=(
        Reasoning("hm"), Text("Hello"), ToolCall("1", "f", '{"a": 1}'),
        Citation(None, "https://e.example", "E", 0, 5), Image("https://e.example/a.png"),
    ),
    finish_reason="tool_calls", id="c", model="m", usage=Usage(10, 20, 4, None, 5),
)  # fmt: skip


def test_an_answer_is_a_document_the_sdk_takes() -> None:
    """Text, calls, citations and usage, read by OpenAI's own types."""
    document = ChatCompletion.model_validate(completion_to_openai(REPLY), strict=True)

    message, usage = document.choices[0].message, document.usage
    assert ("Hello", "tool_calls", "c") == (message.content, document.choices[0].finish_reason, document.id)
    assert message.tool_calls is not None
    assert "f" == message.tool_calls[0].function.name  # type: ignore[union-attr]  # it is a function's call
    assert usage is not None
    assert (10, 20, 30) == (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    assert message.annotations is not None
    assert "https://e.example" == message.annotations[0].url_citation.url


def test_a_refusal_is_a_refusal_there_too() -> None:
    """Not text, and an ordinary end."""
    refused = Completion(parts=(own({"type": "refusal", "refusal": "No."}),), finish_reason="refusal")
    said = Completion(parts=(Text("No."),), finish_reason="refusal")

    for reply in (refused, said):
        choice = completion_to_openai(reply)["choices"][0]
        assert ("stop", None, "No.") == (
            choice["finish_reason"],
            choice["message"]["content"],
            choice["message"]["refusal"],
        )


@pytest.mark.parametrize("reason", ["error", "other", None])
def test_an_end_openai_has_no_word_for_is_not_dressed_up(reason: Any) -> None:
    """An error does not become `stop`."""
    assert (
        reason
        == completion_to_openai(Completion(parts=(Text("a"),), finish_reason=reason))["choices"][0]["finish_reason"]
    )


def test_usage_that_was_not_told_is_left_out() -> None:
    """byollm invents no numbers."""
    assert "usage" not in completion_to_openai(Completion(parts=(Text("a"),), finish_reason="stop"))


def test_there_and_back() -> None:
    """An answer's message, as a dict, is the assistant's turn again."""
    message = completion_to_openai(REPLY)["choices"][0]["message"]
    back = turn(**message)

    assert ("Hello", REPLY.tool_calls, "hm") == (back.text, back.tool_calls, back.parts[0].text)  # type: ignore[union-attr]  # a Reasoning
