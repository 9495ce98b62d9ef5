"""Stream and whole answer, sync and async, however the bytes are cut: equal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import byollm
from byollm import testing
from byollm.types.parts import Reasoning, Text, ToolCall
from byollm_sandbox import Answer, Twins
from tests.scenarios.conftest import DIALECTS, Asker, target

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
texts = words.filter(lambda text: text.strip() != "").map(Text)
values = st.dictionaries(st.sampled_from(["city", "days", "größe"]), st.one_of(words, st.integers(-9, 9)), max_size=3)


@st.composite
def answers(draw: Any) -> Answer:
    """Text, or text and tool calls, with a usage."""
    parts: list[Any] = [draw(texts)]
    for number in range(draw(st.integers(0, 3))):
        parts.append(ToolCall(f"call_{number}", draw(st.sampled_from(["f", "g"])), json.dumps(draw(values))))
    usage = byollm.Usage(input_tokens=draw(st.integers(1, 500)), output_tokens=draw(st.integers(1, 500)))
    return Answer(parts=tuple(parts), usage=usage, events=draw(st.integers(1, 9)))


def plain(reply: byollm.Completion) -> Any:
    """What a program looks at."""
    calls = [(call.name, call.args) for call in reply.tool_calls]
    return reply.text, calls, reply.finish_reason, reply.usage.input_tokens, reply.usage.output_tokens


TOOLS = [byollm.Tool("f", "a", {"type": "object"}), byollm.Tool("g", "b", {"type": "object"})]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=answers())
def test_stream_and_whole_sync_and_async_are_equal(twin: Twins, dialect: str, answer: Answer) -> None:
    """Four ways to ask, one answer."""
    twin.clear()
    twin.script(answer, answer, answer, answer)
    config = target(twin, dialect)

    seen = [
        plain(getattr(Asker(mode), how)(config, tools=TOOLS, max_tokens=900))
        for mode in ("sync", "async")
        for how in ("complete", "stream")
    ]

    assert [seen[0]] * 4 == seen
    assert answer.text == seen[0][0]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cut_of_the_bytes_is_read_the_same(twin: Twins, dialect: str, data: st.DataObject) -> None:
    """The stream's bytes, cut at random places, make the same completion as in one piece."""
    twin.clear()
    answer = data.draw(answers())
    body = recorded_stream(twin, dialect, answer)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    provider, api = {
        "openai-chat": ("custom", "chat"),
        "openai-responses": ("openai", "responses"),
        "anthropic-messages": ("anthropic", "messages"),
    }[dialect]
    headers = {"content-type": "text/event-stream"}

    whole = testing.replay(provider, headers=headers, body=body, stream=True, api=api)
    cut = testing.replay(provider, headers=headers, body=pieces, stream=True, api=api)

    assert (whole.parts, whole.usage, whole.finish_reason) == (cut.parts, cut.usage, cut.finish_reason)


def recorded_stream(twin: Twins, dialect: str, answer: Answer) -> bytes:
    """The bytes a twin sends for an answer, fetched with nothing of byollm."""
    import http.client
    from urllib.parse import urlsplit

    twin.script(answer)
    config = target(twin, dialect)
    with byollm.Client(config) as client:
        asked = client.preview("hi", tools=TOOLS, max_tokens=900, stream=True)
    parts = urlsplit(asked.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    headers = {**asked.headers, "x-api-key": config["api_key"], "authorization": f"Bearer {config['api_key']}"}
    if dialect != "anthropic-messages":
        del headers["x-api-key"]
    connection.request("POST", parts.path, json.dumps(asked.body), headers)
    body = connection.getresponse().read()
    connection.close()
    return body


def test_reasoning_comes_back_with_its_state(twin: Twins) -> None:
    """What the model thought is replayed with its signature, byte for byte, to the provider it came from."""
    twin.script([Reasoning("hm"), Text("4")], "done")

    with byollm.Client(target(twin, "anthropic-messages")) as client:
        first = client.complete("2+2?", reasoning_effort="high")
        client.complete([byollm.user("2+2?"), first.message, byollm.user("sure?")])

    assert "hm" == first.reasoning
    sent = twin.requests[-1].json["messages"][1]["content"][0]
    assert "thinking" == sent["type"]
    assert first.parts[0].state.data["signature"] == sent["signature"]  # type: ignore[union-attr]  # a Reasoning has it
