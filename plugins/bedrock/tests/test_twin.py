"""The whole way: client, engine, socket, twin."""

from collections.abc import Iterator
from typing import Any

import pytest
from bedrock_driving import CLAUDE, JURASSIC, NOVA, NOVA_2, TITAN

from byollm import Client, Reasoning, Tool, ToolCall, ToolResult, assistant, errors, tool_results, user
from byollm_sandbox import Answer, Fault, Twins, serve


@pytest.fixture(scope="module")
def running() -> Iterator[Twins]:
    with serve() as twin:
        yield twin


@pytest.fixture
def twin(running: Twins) -> Iterator[Twins]:
    yield running
    assert [] == running.failures
    running.clear()


def client(twin: Twins, model: str = CLAUDE, **keys: Any) -> Client:
    """A client of the twin."""
    target = {
        "provider": "bedrock",
        "model": model,
        "endpoint": twin.url("bedrock-converse"),
        "api_key": "any-key-0123",
        **keys,
    }
    return Client({**target, "retries": {"attempts": 1}})


@pytest.mark.parametrize(
    "model, api",
    [
        (CLAUDE, "converse"),
        (NOVA, "converse"),
        (TITAN, "converse"),
        (CLAUDE, "invoke"),
        (NOVA, "invoke"),
        (TITAN, "invoke"),
    ],
)
def test_complete_and_stream_say_the_same(twin: Twins, model: str, api: str):
    """Over every surface of AWS's own."""
    with client(twin, model, api=api) as bedrock:
        twin.script("Grüße, 世界", "Grüße, 世界")
        whole = bedrock.complete("hi")
        with bedrock.stream("hi") as stream:
            said = "".join(stream.text_stream)

    assert ("Grüße, 世界", "stop") == (whole.text, whole.finish_reason) == (said, stream.completion.finish_reason)
    assert whole.usage.output_tokens == stream.completion.usage.output_tokens
    assert whole.request_id


def test_jurassic_completes(twin: Twins):
    """And does not stream: that is refused before anything is sent."""
    with client(twin, JURASSIC, api="invoke") as bedrock:
        twin.script("a b")
        assert "a b" == bedrock.complete("hi", stop="##").text
        with pytest.raises(errors.UnsupportedFeatureError):
            bedrock.stream("hi").__enter__()
    assert 1 == len(twin.requests)


@pytest.mark.parametrize("model", [CLAUDE, NOVA_2, "mistral.mistral-large-2407-v1:0"])
def test_a_conversation_with_tools_and_thoughts(twin: Twins, model: str):
    """Two calls at once, answered out of order, one of them with an error; the twin takes every turn."""
    look = Tool("look up/word", "Looks a word up.", {"type": "object", "properties": {"word": {"type": "string"}}})
    calls = (ToolCall("tooluse_1", "x", '{"word": "a"}'), ToolCall("tooluse_2", "x", "{}"))
    with client(twin, model) as bedrock:
        twin.script(
            lambda asked: Answer(parts=(*(() if "mistral" in model else (Reasoning("hm"),)), *renamed(asked, calls)))
        )
        first = bedrock.complete("hi", tools=[look])
        one, two = first.tool_calls
        twin.script("done")
        turns = [
            user("hi"),
            first.message,
            tool_results(ToolResult(two.id, "x", is_error=True), ToolResult(one.id, "y")),
        ]
        assert "done" == bedrock.complete([*turns, user("and?")], tools=[look]).text

    assert ({"look up/word"}, "tool_calls") == ({call.name for call in first.tool_calls}, first.finish_reason)


def renamed(asked: Any, calls: tuple[ToolCall, ...]) -> list[ToolCall]:
    """The calls under the name that the request offered."""
    name = asked.json["toolConfig"]["tools"][0]["toolSpec"]["name"]
    return [ToolCall(call.id, name, call.arguments) for call in calls]


def test_a_history_made_elsewhere_is_taken(twin: Twins):
    """Ids of another provider, foreign thoughts, an assistant who said nothing."""
    said = [
        user("hi"), assistant(Reasoning("hm"), ToolCall("call_" + "x" * 90, "f", "{}")),
        tool_results(ToolResult("call_" + "x" * 90, "y")), assistant(""), user("go on"),
    ]  # fmt: skip
    for model in (CLAUDE, NOVA, "us.meta.llama4-maverick-17b-instruct-v1:0", "mistral.mistral-large-2407-v1:0"):
        with client(twin, model) as bedrock:
            twin.script("fine")
            assert "fine" == bedrock.complete(said).text


def test_a_schema_is_held(twin: Twins):
    """As text in the request, as data in the answer."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    with client(twin) as bedrock:
        twin.script('{"a": 1}')
        assert {"a": 1} == bedrock.complete("hi", output_schema=schema).parsed


def test_counts_are_exact(twin: Twins):
    """By the twin's own rule."""
    with client(twin) as bedrock:
        count = bedrock.count_tokens("Hello, world")

    assert ("exact", True) == (count.exactness, count.tokens > 0)


@pytest.mark.parametrize("api", ["converse", "invoke"])
@pytest.mark.parametrize(
    "kind", [errors.RateLimitError, errors.ModelNotFoundError, errors.ContextLengthError, errors.QuotaExhaustedError]
)
def test_errors_are_typed(twin: Twins, kind: type, api: str):
    """Before an answer."""
    with client(twin, api=api) as bedrock:
        twin.script(kind(""))
        with pytest.raises(kind):
            bedrock.complete("hi")


def test_an_exception_inside_a_stream_is_typed(twin: Twins):
    """What had come stays in reach."""
    with client(twin) as bedrock:
        twin.script(Answer(parts="one two three four", fault=Fault("error", error=errors.RateLimitError, after=3)))
        with bedrock.stream("hi") as stream, pytest.raises(errors.RateLimitError):
            list(stream)
        assert stream.partial is not None


@pytest.mark.parametrize("how", ["eof", "truncate", "reset"])
def test_a_stream_that_breaks_is_no_answer(twin: Twins, how: str):
    """However the connection ends."""
    with client(twin) as bedrock:
        twin.script(Answer(parts="one two three four", fault=Fault("cut", after=150, unit="bytes", how=how)))
        with pytest.raises(errors.ProviderError), bedrock.stream("hi") as stream:
            list(stream)


def test_bytes_may_come_one_by_one(twin: Twins):
    """As the network likes."""
    with client(twin) as bedrock:
        twin.script(Answer(parts="one two", fault=Fault("split-bytes")))
        with bedrock.stream("hi") as stream:
            assert "one two" == "".join(stream.text_stream)
