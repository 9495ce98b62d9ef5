"""LM Studio: a row, and what it tells of a model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byollm
from byollm import errors
from byollm.plugin import Request, Target
from byollm_conformance.rows import Row, read, stream
from byollm_lmstudio import provider

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [byollm.Tool("weather", "Weather of a city", CITY), byollm.Tool("time", "Time in a city", CITY)]

row = Row("lmstudio", "http://127.0.0.1:1234")
body, place, told, refused = row.body, row.place, row.told, row.refused
STREAM = stream(reasoning="reasoning")


def test_no_key_unless_one_is_given() -> None:
    """Without a key in the file nothing is sent; with one it is a bearer token."""
    row.wants_no_key()


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Any cuts between bytes: the same parts, finish reason and usage."""
    whole = row.streamed(STREAM, cuts)

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
