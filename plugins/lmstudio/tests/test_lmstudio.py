"""LM Studio: a row, and what it tells of a model."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors, testing
from byollm.plugin import Capabilities, Exchange, Frame, Head, Request, Target
from byollm_lmstudio import provider

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [byollm.Tool("weather", "Weather of a city", CITY), byollm.Tool("time", "Time in a city", CITY)]

SSE = {"content-type": "text/event-stream"}
CHUNKS: list[Any] = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {"choices": [{"index": 0, "delta": {"reasoning": "hm"}}]},
    {"choices": [{"index": 0, "delta": {"content": "Grüße"}}]},
    {"choices": [{"index": 0, "delta": {"content": " 🌍"}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}},
]
STREAM = (
    b"".join(
        b"data: " + json.dumps({"id": "c", "model": "m", **chunk}, ensure_ascii=False).encode() + b"\n\n"
        for chunk in CHUNKS
    )
    + b"data: [DONE]\n\n"
)


def body(request: Any, **target: Any) -> dict[str, Any]:
    return dict(testing.translate("lmstudio", request, **target).body)


def place(api: str = "chat", endpoint: str = "http://127.0.0.1:1234", **fields: Any) -> Target:
    return Target(provider="lmstudio", model="a-model", endpoint=endpoint, api=api, **fields)


def read(exchange: Exchange[Any] | Any, document: Any) -> Any:
    """What the exchange reads from a whole document."""
    (found,) = exchange.reader(Head(200, {}))(Frame("", document))
    return found


def told(document: Any, **fields: Any) -> Capabilities:
    """What the server's own word adds to the capabilities."""
    found: Capabilities = read(provider.capabilities(place(**fields)).refine, document)
    return found


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("lmstudio", status=status, body=json.dumps(document).encode(), **fields)
    return caught.value


def test_no_key_unless_one_is_given() -> None:
    """Without a key in the file nothing is sent; with one it is a bearer token."""
    without = byollm.Client({"provider": "lmstudio", "model": "m"}).preview("hi")
    keyed = byollm.Client({"provider": "lmstudio", "model": "m", "api_key": "k-123456789"}).preview("hi")

    assert "authorization" not in without.headers
    assert "authorization" in keyed.headers
    assert "k-123456789" not in repr(keyed)


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Any cuts between bytes: the same parts, finish reason and usage."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    cut = testing.replay("lmstudio", body=pieces, stream=True, headers=SSE)
    whole = testing.replay("lmstudio", body=STREAM, stream=True, headers=SSE)

    assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
    assert ("Grüße 🌍", "stop", 3) == (whole.text, whole.finish_reason, whole.usage.output_tokens)


LOADED = {
    "key": "a-model",
    "max_context_length": 131072,
    "capabilities": {"vision": False, "trained_for_tool_use": True},
    "loaded_instances": [{"id": "a-model:2", "config": {"context_length": 8192}}],
}


def test_the_window_is_what_it_was_loaded_with() -> None:
    """Not the most the model could have; of one that is not loaded yet, that."""
    idle = {**LOADED, "loaded_instances": []}

    assert "http://127.0.0.1:1234/api/v1/models" == provider.capabilities(place()).refine.request.url
    assert (8192, "unsupported") == (
        told({"models": [LOADED]}).context_window,
        told({"models": [LOADED]}).images.value,
    )
    assert 131072 == told({"models": [idle]}).context_window


def test_the_smallest_of_several_instances_counts() -> None:
    """Nobody knows which of them answers."""
    two = [{"id": "one", "config": {"context_length": 4096}}, *LOADED["loaded_instances"]]  # type: ignore[misc]  # a list

    assert 4096 == told({"models": [{**LOADED, "loaded_instances": two}]}).context_window


def test_an_instance_is_found_by_its_own_name() -> None:
    """A file may name `model: a-model:2`."""
    asked = Target(provider="lmstudio", model="a-model:2", endpoint="http://127.0.0.1:1234", api="chat")
    found = read(provider.capabilities(asked).refine, {"models": [LOADED]})

    assert 8192 == found.context_window


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_named_tool_is_the_only_one_sent(api: str) -> None:
    """tool_choice knows auto, none and required."""
    sent = body(Request("hi", tools=TOOLS, tool_choice="time", max_tokens=9), api=api)

    assert "required" == sent["tool_choice"]
    assert ["time"] == [(tool.get("function") or tool)["name"] for tool in sent["tools"]]


def test_images_by_url_are_refused() -> None:
    """It takes bytes, not addresses."""
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request([byollm.user(byollm.Image("https://example.com/a.png"))]))


def test_nobody_counts() -> None:
    """There is no such endpoint: the core's bounds are used."""
    assert [None] * 3 == [provider.count_tokens(Request("hi"), place(api)) for api in ("chat", "responses", "messages")]


def test_responses_are_stateless() -> None:
    """It would keep the conversation; `store: false` is always said."""
    assert body(Request("hi"), api="responses")["store"] is False


def test_errors() -> None:
    """Its envelopes: an object, or bare text."""
    assert isinstance(refused(404, {"error": {"message": "model 'x' not found"}}), errors.ModelNotFoundError)
    assert isinstance(refused(400, {"error": "bad"}), errors.InvalidRequestError)
    assert isinstance(
        refused(400, {"error": "Input is greater than the context length of 4096 tokens"}), errors.ContextLengthError
    )
