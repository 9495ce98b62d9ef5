"""Through the whole engine to the strict twin and back, over real sockets."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import byollm
from byollm import Client, ToolCall, errors
from byollm.plugin import Image, Opaque, Reasoning, Text, Tool, UnsupportedFeatureError, Usage
from byollm_sandbox import Answer, Twins, serve

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "multipleOf": 2}}, "required": ["a"]}
TOOL = Tool("weather", "Tells it.", {"type": "object", "properties": {"city": {"type": "string"}}})
MODELS = ("gemini-3.8-flash", "gemini-2.5-flash", "gemini-3-pro-preview", "gemini-2.5-pro", "gemini-4-argon")


@pytest.fixture(scope="module")
def twin() -> Iterator[Twins]:
    with serve(key="AQ.right") as running:
        yield running


def client(twin: Twins, model: str = "gemini-3.8-flash", key: str = "AQ.right") -> Client:
    return Client({"provider": "gemini", "model": model, "api_key": key, "endpoint": twin.url("gemini")})


def test_complete_and_stream_and_count(twin):
    """The same answer both ways, and an exact count."""
    twin.script(Answer(parts="hello there", usage=Usage(9, 4, 2, 0, 1)), Answer(parts="hello there"))
    with client(twin) as ours:
        reply = ours.complete("hi")
        with ours.stream("hi") as stream:
            text = "".join(stream.text_stream)
        count = ours.count_tokens("hi")

    assert ("hello there", "hello there", "exact") == (reply.text, text, count.exactness)
    assert (9, 4, 2, 1) == (
        reply.usage.input_tokens,
        reply.usage.output_tokens,
        reply.usage.cached_tokens,
        reply.usage.reasoning_tokens,
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_round_trip(twin, model):
    """Parallel calls with results out of order are taken by the strict twin, whatever the family."""
    calls = (ToolCall("1", "weather", '{"city": "Oslo"}'), ToolCall("2", "weather", "{}"))
    twin.script(Answer(parts=calls), "done")
    with client(twin, model) as ours:
        first = ours.complete("hi", tools=[TOOL])
        results = [byollm.ToolResult(call.id, f"for {call.name}") for call in reversed(first.tool_calls)]
        reply = ours.complete([byollm.user("hi"), first.message, byollm.tool_results(*results)], tools=[TOOL])

    assert (["Oslo", None], "done") == ([call.args.get("city") for call in first.tool_calls], reply.text)
    assert first.finish_reason == "tool_calls"


def test_the_signature_goes_back_as_it_came(twin):
    """What the twin signed stands in the next request, byte for byte."""
    twin.script(Answer(parts=(ToolCall("1", "weather", "{}"),)), "done")
    with client(twin) as ours:
        first = ours.complete("hi", tools=[TOOL])
        results = byollm.tool_results(byollm.ToolResult(first.tool_calls[0].id, "ok"))
        ours.complete([byollm.user("hi"), first.message, results], tools=[TOOL])
    sent = twin.requests[-1].json["contents"][1]["parts"][0]

    assert getattr(first.tool_calls[0].state, "data", {})["thoughtSignature"] == sent["thoughtSignature"]
    assert {"name": "weather", "args": {}, "id": "1"} == sent["functionCall"]


def test_structured_output(twin):
    """The schema is rewritten for the wire and held by byollm."""
    twin.script('{"a": 2}')
    with client(twin) as ours:
        reply = ours.complete("hi", output_schema=SCHEMA)

    assert {"a": 2} == reply.parsed
    assert ["output_schema"] == [note.field for note in reply.adjustments]


@pytest.mark.parametrize(
    ("scripted", "kind"),
    [
        (errors.RateLimitError("", retry_after=2.0), errors.RateLimitError),
        (errors.QuotaExhaustedError(""), errors.QuotaExhaustedError),
        (errors.ContextLengthError(""), errors.ContextLengthError),
        (errors.ModelNotFoundError(""), errors.ModelNotFoundError),
        (errors.OverloadedError(""), errors.OverloadedError),
        (errors.PermissionDeniedError(""), errors.PermissionDeniedError),
    ],
)
def test_errors_keep_their_class(twin, scripted, kind):
    """What the twin was told to refuse with is what the caller catches."""
    twin.clear()
    twin.script(scripted)
    target = {"provider": "google", "model": "gemini-3.8-flash", "api_key": "AQ.right", "endpoint": twin.url("gemini")}
    with Client({**target, "retries": {"attempts": 1}}) as ours, pytest.raises(kind) as found:
        ours.complete("hi")

    assert getattr(scripted, "retry_after", None) == found.value.retry_after


def test_a_wrong_key(twin):
    """A 400 that says so is an AuthenticationError, and the key is in no URL."""
    with client(twin, key="AQ.wrong") as ours, pytest.raises(errors.AuthenticationError):
        ours.complete("hi")

    assert "AQ.wrong" not in twin.requests[-1].path + twin.requests[-1].query


STATE = Opaque("anthropic", "messages", {"signature": "s"})
FOREIGN = st.lists(
    st.sampled_from([Text("a"), Text(""), Reasoning("hm", STATE), Image(b"\x89PNG\r\n\x1a\n"),
                     ToolCall("toolu_1", "weather", '{"city": "x"}', state=STATE), ToolCall("call|2", "a/b", "{}")]),
    max_size=4, unique_by=id,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FOREIGN, min_size=1, max_size=3), st.sampled_from(MODELS), st.booleans())
def test_any_history_of_another_provider_is_taken(twin, turns, model, failed):
    """Foreign reasoning, calls, pictures and empty texts: the strict twin takes the conversation."""
    messages = [byollm.user("hi")]
    for parts in turns:
        messages.append(byollm.Message("assistant", tuple(parts)))
        calls = [part for part in parts if isinstance(part, ToolCall)]
        results = [byollm.ToolResult(call.id, "ok", is_error=failed) for call in reversed(calls)]
        messages.append(byollm.tool_results(*results) if results else byollm.user("and"))
    twin.clear()
    twin.script("fine")
    with client(twin, model) as ours:
        try:
            assert "fine" == ours.complete(messages, tools=[TOOL]).text
        except UnsupportedFeatureError as error:
            raise AssertionError(error) from None
