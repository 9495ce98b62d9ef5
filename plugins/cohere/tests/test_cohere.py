"""Cohere: what goes out, by model; over its twin, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cohere_driving import CITY, CURRENT, ENDPOINT, OTHER, PLAIN, PLUS, PNG, TOOL, body, told, translated

import byollm
from byollm import errors
from byollm.plugin import Document, Image, Message, Request, Support, Target, Text, Tool, ToolCall, ToolResult
from byollm_cohere import provider
from byollm_cohere.models import MODELS
from byollm_sandbox import Answer, Twins, serve


@pytest.mark.parametrize("endpoint", [ENDPOINT, f"{ENDPOINT}/", f"{ENDPOINT}/v2", f"{ENDPOINT}/v1"])
def test_where_it_goes(endpoint: str) -> None:
    """Paths bring their own version, whatever the endpoint says."""
    assert f"{ENDPOINT}/v2/chat" == translated("hi", endpoint=endpoint).url


def test_its_own_words() -> None:
    """`p`, `k`, `stop_sequences`, `json_object` with a schema."""
    request = Request("hi", top_p=0.4, top_k=3, stop=["END"], seed=7, max_tokens=9, output_schema=CITY)
    sent = body(request)

    assert (0.4, 3, ["END"], 7, 9) == (sent["p"], sent["k"], sent["stop_sequences"], sent["seed"], sent["max_tokens"])
    assert {"type": "json_object", "json_schema": CITY} == sent["response_format"]


@pytest.mark.parametrize(
    ("field", "asked", "word", "sent"),
    [
        ("temperature", 1.5, "temperature", 1.0),
        ("top_p", 1.0, "p", 0.99),
        ("top_p", 0.0, "p", 0.01),
        ("frequency_penalty", -0.5, "frequency_penalty", 0),
        ("presence_penalty", 1.5, "presence_penalty", 1),
    ],
)
def test_ranges_are_kept(field: str, asked: float, word: str, sent: float) -> None:
    """The nearest value, and the caller is told."""
    request = Request("hi", **{field: asked})

    assert sent == body(request)[word]
    assert {field} == told(request)


@pytest.mark.parametrize(
    ("choice", "sent", "offered"),
    [("auto", None, 2), ("none", "NONE", 2), ("required", "REQUIRED", 2), ("f", "REQUIRED", 1)],
)
def test_choices(choice: Any, sent: str | None, offered: int) -> None:
    """A named tool is offered alone, and one must be called."""
    made = body(Request("hi", tools=[TOOL, OTHER], tool_choice=choice))

    assert (sent, offered) == (made.get("tool_choice"), len(made["tools"]))
    assert "f" == made["tools"][0]["function"]["name"]


def test_strict_tools_are_all_or_none() -> None:
    """One flag for all; the caller is told when it is more than was asked."""
    strict = Tool("h", None, CITY, strict=True)

    assert body(Request("hi", tools=[strict]))["strict_tools"] is True
    assert {"tools"} == told(Request("hi", tools=[strict, TOOL]))
    assert "strict_tools" not in body(Request("hi", tools=[TOOL]))


def test_a_schema_beside_tools_is_refused() -> None:
    """The server takes one of them; nothing is sent."""
    with pytest.raises(errors.UnsupportedFeatureError) as caught:
        body(Request("hi", tools=[TOOL], output_schema=CITY))

    assert "output_schema" == caught.value.field


@pytest.mark.parametrize(
    ("effort", "sent"),
    [
        ("none", {"type": "disabled"}),
        ("low", {"type": "enabled", "token_budget": 2_048}),
        ("max", {"type": "enabled", "token_budget": 31_000}),
    ],
)
def test_efforts_are_budgets(effort: Any, sent: dict[str, Any]) -> None:
    """`max` is the same as `xhigh`, and told; a model that does not think is told nothing."""
    request = Request("hi", reasoning_effort=effort)

    assert sent == body(request)["thinking"]
    assert ({"reasoning_effort"} if effort == "max" else set()) == told(request)
    assert "thinking" not in body(request, PLAIN)


def test_media_of_a_result_follow_in_the_users_name() -> None:
    """A tool's result is text; the caller is told."""
    call = Message("assistant", (ToolCall("1", "f", "{}"),))
    request = Request([byollm.user("a"), call, Message("tool", (ToolResult("1", (Image(PNG),)),))], tools=[TOOL])
    sent = body(request)["messages"]

    assert ["user", "assistant", "tool", "user"] == [turn["role"] for turn in sent]
    assert ("image_url", {"messages"}) == (sent[3]["content"][0]["type"], told(request))


@pytest.mark.parametrize(
    ("part", "model"), [(Image(PNG), PLAIN), (Document(b"%PDF-1"), PLUS), (Image(b"II*", "image/tiff"), PLUS)]
)
def test_what_a_model_does_not_read_is_refused(part: Any, model: str) -> None:
    """Before a byte leaves."""
    with pytest.raises(errors.UnsupportedFeatureError):
        body([Message("user", (Text("a"), part))], model)


def test_broken_arguments_are_wrapped() -> None:
    """The server takes objects only."""
    call = Message("assistant", (ToolCall("1", "f", "{oops"),))
    request = Request([byollm.user("a"), call, byollm.tool_results(ToolResult("1", (Text("c"),)))], tools=[TOOL])

    assert '{"_raw":"{oops"}' == body(request)["messages"][1]["tool_calls"][0]["function"]["arguments"]


@pytest.fixture(scope="module")
def twin() -> Iterator[Twins]:
    with serve() as running:
        yield running


def client(twin: Twins, model: str = PLUS) -> byollm.Client:
    return byollm.Client(
        {"provider": "cohere", "model": model, "endpoint": twin.url("cohere-chat"), "api_key": "k-1234567890"}
    )


def test_a_call_through_the_twin(twin: Twins) -> None:
    """Whole and streamed, with tools, over a socket."""
    answer = Answer(parts=(Text("hi"), ToolCall("f_1", "f", '{"city": "Rome"}')))
    twin.script(answer, answer)
    with client(twin) as caller:
        whole = caller.complete("hi", tools=[TOOL])
        with caller.stream("hi", tools=[TOOL]) as stream:
            for _ in stream:
                pass

    assert whole.parts == stream.completion.parts
    assert [("f", {"city": "Rome"})] == [(call.name, call.args) for call in whole.tool_calls]


def test_a_count_is_no_more_than_the_true_number(twin: Twins) -> None:
    """The texts alone are counted: the vendor's own prompt comes on top."""
    with client(twin) as caller:
        counted = caller.count_tokens("hello world!")

    assert (3, "estimate", 3) == (counted.tokens, counted.exactness, counted.lower)


def test_what_is_too_long_to_count_is_estimated() -> None:
    """The endpoint takes 65,536 characters."""
    target = Target(provider="cohere", model=PLUS, endpoint=ENDPOINT, api="chat")

    assert provider.count_tokens(Request("x" * 65_537), target) is None
    assert provider.count_tokens(Request("x" * 65_536), target) is not None


def known(model: str) -> Any:
    return provider.capabilities(Target(provider="cohere", model=model, endpoint=ENDPOINT, api="chat"))


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS:
        assert set(facts) <= set(known(model).sources), model
    assert known("new").context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    found = known(model)

    assert None not in (found.context_window, found.max_output_tokens, found.temperature_range)
    assert Support.unknown not in (found.tools, found.streaming, found.structured_output)
