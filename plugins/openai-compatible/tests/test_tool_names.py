"""Tool names that the wire does not take: sent under another name, and back under their own."""

import json

import pytest
from compatible_driving import body, exchange, sse
from hypothesis import given
from hypothesis import strategies as st

from byollm import testing
from byollm.plugin import Head, Message, Request, Tool, ToolCall, ToolResult
from byollm_openai_compatible import custom
from byollm_openai_compatible.tool_names import with_legal_names


def name_sent(request, **fields):
    return body(request, **fields)["tools"][0]["function"]["name"]


def test_legal_names_stay():
    """The same request object, no work."""
    request = Request("hi", tools=[Tool("get-weather_2")])

    assert (request, {}) == with_legal_names(request)
    assert with_legal_names(request)[0] is request


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=4, unique=True))
def test_any_names_stay_apart(names):
    """Letters, digits, `_` and `-`, at most 64, and no two the same."""
    request = with_legal_names(Request("hi", tools=[Tool(name) for name in names]))[0]
    sent = [tool.name for tool in request.tools or () if isinstance(tool, Tool)]

    assert len(set(sent)) == len(names)
    assert all(len(name) <= 64 and name.replace("_", "").replace("-", "").isascii() for name in sent)


def test_choice_and_history_use_the_same_name():
    """Wherever the tool is spoken of."""
    call = ToolCall("1", "search.web", "{}")
    history = [Message("user", "hi"), Message("assistant", (call,)), Message("tool", (ToolResult("1", "found"),))]
    sent = body(Request(history, tools=[Tool("search.web")], tool_choice="search.web"))

    name = sent["tools"][0]["function"]["name"]
    assert name.startswith("search_web_")
    assert name == sent["tool_choice"]["function"]["name"]
    assert name == sent["messages"][1]["tool_calls"][0]["function"]["name"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_answer_has_the_callers_name(stream):
    """In a document and in a stream."""
    request = Request("hi", tools=[Tool("search.web")], stream=stream)
    piece = {"index": 0, "id": "1", "type": "function", "function": {"name": name_sent(request), "arguments": "{}"}}
    content = {"role": "assistant", "content": None, "tool_calls": [piece]}
    choice = {"index": 0, "delta" if stream else "message": content, "finish_reason": "tool_calls"}
    answer = sse({"choices": [choice]}) if stream else json.dumps({"choices": [choice]}).encode()

    reply = testing.replay(
        custom, body=answer, request=request, stream=stream, headers={}, endpoint="https://a.example"
    )

    assert ["search.web"] == [call.name for call in reply.tool_calls]


def test_a_counted_request_is_the_sent_one():
    """Over Responses as over Chat, and an exchange can be read more than once."""
    made = exchange(Request("hi", tools=[Tool("a b")]), api="responses")

    assert json.loads(made.request.body)["tools"][0]["name"].startswith("a_b_")
    assert made.reader(Head(200, {})) is not made.reader(Head(200, {}))
