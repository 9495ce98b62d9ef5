"""Ollama: its native wire, what it says of a model, and a window that is never left to chance."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors, testing
from byollm.plugin import Frame, Head, Request, Target
from byollm_ollama import provider
from byollm_sandbox import Answer, serve

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [byollm.Tool("weather", "Weather of a city", CITY), byollm.Tool("time", "Time in a city", CITY)]
LINES = {"content-type": "application/x-ndjson"}


def body(request: Any, **target: Any) -> dict[str, Any]:
    return dict(testing.translate("ollama", request, **target).body)


def line(message: Any = None, **fields: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "", **(message or {})}
    return {"model": "m", "created_at": "2026-11-21T00:00:00Z", "message": said, "done": False, **fields}


def ndjson(*documents: Any) -> bytes:
    return b"".join(json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in documents)


def call(name: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


END = line(done=True, done_reason="stop", prompt_eval_count=7, eval_count=3, total_duration=1)
STREAM = ndjson(
    line({"thinking": "hm"}), line({"content": "Grüße"}), line({"content": " 🌍"}),
    line({"tool_calls": [call("time", {"city": "Oslo"})]}), END,
)  # fmt: skip


def read(*documents: Any, **fields: Any) -> byollm.Completion:
    return testing.replay("ollama", body=ndjson(*documents), stream=True, headers=LINES, **fields)


# requests


def test_native_is_the_default() -> None:
    """`/api/chat`, told not to stream, not to cut and not to shift."""
    made = testing.translate("ollama", "hi")

    assert "http://127.0.0.1:11434/api/chat" == made.url
    assert {"stream": False, "truncate": False, "shift": False} == {
        name: made.body[name] for name in ("stream", "truncate", "shift")
    }


@pytest.mark.parametrize(
    ("api", "path"), [("chat", "chat/completions"), ("responses", "responses"), ("messages", "messages")]
)
def test_the_other_surfaces(api: str, path: str) -> None:
    """Each below `/v1`."""
    assert f"http://127.0.0.1:11434/v1/{path}" == testing.translate("ollama", "hi", api=api).url


def test_parameters_stand_under_options() -> None:
    """By Ollama's names; what the request says goes over what the file says, `extra` over both."""
    asked = Request("hi", max_tokens=9, temperature=0.1, top_p=0.9, top_k=5, seed=1, stop="x", frequency_penalty=0.5,
                    presence_penalty=0.25, extra={"ollama": {"options": {"min_p": 0.1}}})  # fmt: skip
    sent = body(asked, num_ctx=8192, keep_alive="5m", options={"temperature": 1.0, "repeat_penalty": 1.1})

    assert "5m" == sent["keep_alive"]
    assert {
        "temperature": 0.1, "repeat_penalty": 1.1, "num_ctx": 8192, "num_predict": 9, "top_p": 0.9, "top_k": 5,
        "seed": 1, "stop": ["x"], "frequency_penalty": 0.5, "presence_penalty": 0.25, "min_p": 0.1,
    } == sent["options"]  # fmt: skip


def test_a_conversation() -> None:
    """Text in one string, images beside it, arguments as objects, results with the tool's name."""
    turns = [
        byollm.Message("developer", ("be brief",)),
        byollm.user("look", byollm.Image(b"\x89PNG\r\n\x1a\n", media_type="image/png")),
        byollm.assistant(byollm.Reasoning("hm"), byollm.ToolCall("c1", "time", '{"city": "Oslo"}')),
        byollm.tool_results(byollm.ToolResult("c1", "noon")),
        byollm.assistant("It is noon."),
        byollm.user("And"),
    ]
    sent = body(Request(turns, tools=TOOLS))["messages"]

    assert ["system", "user", "assistant", "tool", "assistant", "user"] == [turn["role"] for turn in sent]
    assert ("look", ["iVBORw0KGgo="]) == (sent[1]["content"], sent[1]["images"])
    assert ("hm", {"name": "time", "arguments": {"city": "Oslo"}}) == (
        sent[2]["thinking"],
        sent[2]["tool_calls"][0]["function"],
    )
    assert ("time", "noon") == (sent[3]["tool_name"], sent[3]["content"])


@pytest.mark.parametrize("written", ["{not json", "[1]", '"x"'])
def test_arguments_that_are_no_object_are_wrapped(written: str) -> None:
    """Ollama refuses anything else."""
    turns = [byollm.user("a"), byollm.assistant(byollm.ToolCall("c", "time", written)),
             byollm.tool_results(byollm.ToolResult("c", "b"))]  # fmt: skip

    assert {"_raw": written} == body(turns)["messages"][1]["tool_calls"][0]["function"]["arguments"]


@pytest.mark.parametrize(
    ("model", "effort", "think"),
    [("qwen3", "none", False), ("qwen3", "low", True), ("gpt-oss:20b", "low", "low"), ("gpt-oss:20b", "none", "low"),
     ("library/gpt-oss", "max", "high")],
)  # fmt: skip
def test_thinking(model: str, effort: Any, think: Any) -> None:
    """Yes or no; for gpt-oss the nearest level, which is told when it is another."""
    assert think == body(Request("hi", reasoning_effort=effort), model=model)["think"]


def test_a_schema_is_the_format() -> None:
    """As it is."""
    assert CITY == body(Request("hi", output_schema=CITY))["format"]


def test_tools_that_may_not_be_called_are_not_sent() -> None:
    """There is no tool_choice."""
    assert "tools" not in body(Request("hi", tools=TOOLS, tool_choice="none"))
    assert ["weather", "time"] == [tool["function"]["name"] for tool in body(Request("hi", tools=TOOLS))["tools"]]


@pytest.mark.parametrize("api", ["native", "chat", "responses", "messages"])
@pytest.mark.parametrize(
    "fields", [{"tool_choice": "required"}, {"tool_choice": "time"}, {"parallel_tool_calls": False}]
)
def test_contracts_that_ollama_ignores_are_refused(api: str, fields: dict[str, Any]) -> None:
    """Before anything is sent; over Messages its own word holds a caller to one call."""
    if (api, "parallel_tool_calls") == ("messages", next(iter(fields))):
        return
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request("hi", tools=TOOLS, **fields), api=api)


def test_images_by_url_are_refused() -> None:
    """Bytes only."""
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request([byollm.user(byollm.Image("https://example.com/a.png"))]))


# answers


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Any cuts between bytes, and no newline at the end."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    reply = testing.replay("ollama", body=pieces, stream=True, headers=LINES)
    bare = testing.replay("ollama", body=STREAM.rstrip(b"\n"), stream=True, headers=LINES)

    assert reply.parts == bare.parts
    assert ("hm", "Grüße 🌍", "tool_calls", "stop") == (
        reply.reasoning, reply.text, reply.finish_reason, reply.raw_finish_reason,
    )  # fmt: skip
    assert (7, 3) == (reply.usage.input_tokens, reply.usage.output_tokens)


def test_a_document_is_the_same_as_a_stream() -> None:
    """One line with everything in it."""
    message = {"thinking": "hm", "content": "Grüße 🌍", "tool_calls": [call("time", {"city": "Oslo"})]}
    whole = testing.replay("ollama", body=json.dumps({**END, "message": {"role": "assistant", **message}}).encode())

    assert whole.parts == read(*[json.loads(each) for each in STREAM.splitlines()]).parts


def test_calls_without_ids_get_unique_ones() -> None:
    """None is used twice, neither in the answer nor in the conversation."""
    turns = [byollm.user("a"), byollm.assistant(byollm.ToolCall("call_0", "time", "{}")),
             byollm.tool_results(byollm.ToolResult("call_0", "b"))]  # fmt: skip
    reply = read(line({"tool_calls": [call("time", {}), call("time", {}, id="")]}), END, request=turns)

    assert ["call_1", "call_2"] == [made.id for made in reply.tool_calls]


def test_a_prompt_from_the_cache_has_no_count() -> None:
    """None is not zero."""
    reply = read(line({"content": "a"}), line(done=True, done_reason="stop", eval_count=1))

    assert (None, 1) == (reply.usage.input_tokens, reply.usage.output_tokens)


@pytest.mark.parametrize(
    ("raw", "reason"), [("stop", "stop"), ("length", "length"), (None, "other"), ("load", "other"), ("custom", "other")]
)
def test_reasons(raw: str | None, reason: str) -> None:
    """The raw word is kept."""
    reply = read(line({"content": "a"}), {**END, "done_reason": raw})

    assert (reason, raw) == (reply.finish_reason, reply.raw_finish_reason)


def test_a_stream_without_its_last_line_is_interrupted() -> None:
    """The partial text is kept."""
    with pytest.raises(errors.StreamInterruptedError) as caught:
        read(line({"content": "a"}))

    assert caught.value.partial is not None
    assert "a" == caught.value.partial.text


@pytest.mark.parametrize(
    "broken", [{}, [], {"done": True}, line({"content": 1}), line({"tool_calls": [{}]}), {**END, "eval_count": "many"}]
)
def test_lines_of_another_shape_are_protocol_errors(broken: Any) -> None:
    """Never a success."""
    with pytest.raises(errors.ProtocolError):
        read(broken)


# errors


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, "model 'x' not found", errors.ModelNotFoundError),
        (404, 'model "x" not found, try pulling it first', errors.ModelNotFoundError),
        (400, "the input length exceeds the context length", errors.ContextLengthError),
        (400, "prompt too long; exceeded max context length by 9 tokens", errors.ContextLengthError),
        (400, 'think value "low" is not supported for this model', errors.InvalidRequestError),
        (401, "unauthorized", errors.AuthenticationError),
        (503, "server busy, please try again.", errors.OverloadedError),
        (500, "model runner has unexpectedly stopped", errors.ServerError),
    ],
)
def test_refusals(status: int, words: str, kind: type[errors.ProviderError]) -> None:
    """A text and a status."""
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("ollama", status=status, body=json.dumps({"error": words}).encode(), retries={"attempts": 1})

    assert (kind, status) == (type(caught.value), caught.value.status)


def test_an_error_line_is_the_error_it_would_have_been() -> None:
    """Before content it is raised as it is, after content with what had come."""
    with pytest.raises(errors.ServerError, match="stopped"):
        read({"error": "model runner has unexpectedly stopped"}, retries={"attempts": 1})
    with pytest.raises(errors.ProviderError) as caught:
        read(line({"content": "a"}), {"error": "model runner has unexpectedly stopped"}, retries={"attempts": 1})

    assert "stopped" in str(caught.value)


# the window


def target(api: str = "native", **options: Any) -> Target:
    return Target(provider="ollama", model="qwen3", endpoint="http://127.0.0.1:11434", api=api, options=options)


@pytest.mark.parametrize(
    ("api", "options", "window"),
    [("native", {}, None), ("chat", {}, 4096), ("messages", {}, 4096), ("native", {"num_ctx": 9}, 9),
     ("responses", {"num_ctx": 99_999}, 99_999)],
)  # fmt: skip
def test_the_window_is_what_is_known(api: str, options: dict[str, Any], window: int | None) -> None:
    """`num_ctx`; where a cut cannot be forbidden, the least that Ollama sets aside."""
    can = provider.capabilities(target(api, **options))

    assert (window, True) == (can.context_window, can.truncates_silently)


SHOWN = {"model_info": {"qwen3.context_length": 40960}, "capabilities": ["completion", "tools", "thinking"]}


@pytest.mark.parametrize(
    ("api", "options", "more", "window"),
    [("native", {}, {}, 40960), ("chat", {}, {}, None), ("native", {"num_ctx": 8192}, {}, 8192),
     ("native", {"num_ctx": 99_999}, {}, 40960), ("chat", {}, {"parameters": "num_ctx                 16384"}, 16384)],
)  # fmt: skip
def test_show_tells_what_a_model_can(api: str, options: Any, more: Any, window: int | None) -> None:
    """Tools, sight, thinking, and a window that never promises more than the server sets aside."""
    asked: Any = provider.capabilities(target(api, **options)).refine
    (found,) = asked.reader(Head(200, {}))(Frame("", {**SHOWN, **more}))

    assert ("POST", "http://127.0.0.1:11434/api/show") == (asked.request.method, asked.request.url)
    assert {"model": "qwen3"} == json.loads(asked.request.body)
    assert (window, "full", "unsupported") == (found.context_window, found.tools.value, found.images.value)


TURNS = [f"turn {number}: " + "some words of a long talk " * 300 for number in range(9)]
LONG = [byollm.user(turn) for turn in TURNS]


def test_the_twin_would_have_cut_and_told_a_smaller_count() -> None:
    """Asked as everybody asks, it answers 200 and reads half: this is what must not happen."""
    with serve() as twin:
        twin.script("I read it all.")
        fields = {"provider": "ollama", "model": "qwen3", "endpoint": twin.url("ollama")}
        with byollm.Client(fields) as client:
            reply = client.complete(LONG, extra={"ollama": {"truncate": True}})

    assert "I read it all." == reply.text
    assert (reply.usage.input_tokens or 0) <= 4096 < sum(map(len, TURNS)) / 4


@pytest.mark.parametrize("streamed", [False, True])
def test_a_long_prompt_is_refused_by_the_server_where_the_window_is_not_known(streamed: bool) -> None:
    """`truncate: false` is in every request."""
    with serve() as twin:
        fields = {"provider": "ollama", "model": "qwen3", "endpoint": twin.url("ollama")}
        with byollm.Client(fields) as client, pytest.raises(errors.ContextLengthError):
            if streamed:
                with client.stream(LONG):
                    pass
            else:
                client.complete(LONG)

        asked = [(request.path, request.status) for request in twin.requests]
        assert [("/ollama/api/show", 200), ("/ollama/api/chat", 400)] == asked


def test_a_long_prompt_is_refused_before_it_is_sent_where_the_window_is_known() -> None:
    """With `num_ctx` in the file not one request leaves; a prompt that fits is sent with that window."""
    with serve() as twin:
        twin.script("yes")
        fields = {"provider": "ollama", "model": "qwen3", "endpoint": twin.url("ollama"), "num_ctx": 4096}
        with byollm.Client(fields) as client:
            with pytest.raises(errors.ContextLengthError) as caught:
                client.complete(LONG)
            client.complete("short")

        assert "no" == caught.value.sent
        assert [4096] == [request.json["options"]["num_ctx"] for request in twin.requests]


def test_the_surface_of_openai_refuses_on_the_estimate() -> None:
    """It cannot forbid the cut, so nothing is sent."""
    with serve() as twin:
        fields = {"provider": "ollama", "model": "qwen3", "endpoint": twin.url("openai-chat"), "api": "chat"}
        with byollm.Client(fields) as client, pytest.raises(errors.ContextLengthError):
            client.complete(LONG)

        assert [] == twin.requests


def test_a_talk_with_the_twin() -> None:
    """Tools, results, thinking and a schema over real sockets, whole and streamed."""
    with serve() as twin:
        twin.script([byollm.ToolCall("c1", "time", '{"city": "Oslo"}')], "noon", Answer(parts=('{"city": "Oslo"}',)))
        with byollm.Client({"provider": "ollama", "model": "qwen3", "endpoint": twin.url("ollama")}) as client:
            first = client.complete("time?", tools=TOOLS)
            turns = [byollm.user("time?"), first.message,
                     byollm.tool_results(byollm.ToolResult(first.tool_calls[0].id, "12"))]  # fmt: skip
            with client.stream(turns, tools=TOOLS) as stream:
                text = "".join(stream.text_stream)
            parsed = client.complete("city?", output_schema=CITY).parsed

    assert ("tool_calls", "noon", {"city": "Oslo"}) == (first.finish_reason, text, parsed)
