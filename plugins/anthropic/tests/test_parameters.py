"""Tools, parameters, headers and URLs of a request."""

import json

import pytest
from anthropic_driving import body, exchange, fitted, say, target

from byollm.plugin import (
    Bearer,
    Document,
    HeaderKey,
    Message,
    NoAuth,
    ProviderTool,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
)
from byollm_anthropic import provider

WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def test_tools_carry_schema_strictness_and_cache_hint():
    """A tool is name, description, schema, and what was asked of it."""
    tool = Tool("f", None, {"type": "object", "properties": {}}, strict=True, cache="default")

    expected = {
        "name": "f", "input_schema": {"type": "object", "properties": {}, "additionalProperties": False},
        "strict": True, "cache_control": {"type": "ephemeral"},
    }  # fmt: skip
    assert [expected] == body(Request("hi", tools=[tool]))["tools"]


@pytest.mark.parametrize("parameters", [{}, {"type": "object", "properties": None}])
def test_a_tool_without_parameters_still_has_an_object(parameters):
    """`properties: null` and a missing type are refused."""
    schema = body(Request("hi", tools=[Tool("f", None, parameters)]))["tools"][0]["input_schema"]

    assert {"type": "object"} == schema


def test_provider_tools_are_sent_as_they_stand():
    """A tool the provider runs is the caller's own JSON; another provider's tool is refused."""
    search = {"type": "web_search_20260318", "name": "web_search"}

    assert [search] == body(Request("hi", tools=[ProviderTool("anthropic", search)]))["tools"]
    with pytest.raises(UnsupportedFeatureError, match="openai"):
        exchange(Request("hi", tools=[ProviderTool("openai", {"type": "web_search"})]))


@pytest.mark.parametrize(
    ("choice", "alone", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", None, {"type": "auto"}),
        ("required", None, {"type": "any"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("weather", False, {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
    ],
)
def test_tool_choice_and_parallel_calls(choice, alone, expected):
    """The words of the wire; `none` refuses the switch for parallel calls."""
    made = body(Request("hi", tools=[WEATHER], tool_choice=choice, parallel_tool_calls=alone))

    assert expected == made.get("tool_choice")


def test_sampling_and_stop_and_user_have_their_own_names():
    """temperature, top_p and top_k stay; stop, end_user_id and service_tier are renamed."""
    request = Request(
        "hi", temperature=0.5, top_k=3, stop=["END"], end_user_id="u-1", service_tier="default", max_tokens=9
    )
    made = body(request, "claude-sonnet-4-6")

    assert (made["temperature"], made["top_k"], made["stop_sequences"], made["max_tokens"]) == (0.5, 3, ["END"], 9)
    assert (made["metadata"], made["service_tier"]) == ({"user_id": "u-1"}, "standard_only")


def test_blank_stop_strings_are_left_out_and_reported():
    """The server refuses white space as a stop string."""
    made, adjusted = fitted(Request("hi", stop=["\n\n", "END"]), "claude-opus-5")

    assert made["stop_sequences"] == ["END"]
    assert adjusted == {"stop"}


@pytest.mark.parametrize("user", ["jane@example.com", "+49 (0)30 1234567", "x" * 513, "a\nb"])
def test_telling_user_ids_are_sent_as_a_digest(user):
    """The server refuses ids shaped like an e-mail address or a phone number, long ones and unprintable ones."""
    made, adjusted = fitted(Request("hi", end_user_id=user), "claude-opus-5")

    assert len(made["metadata"]["user_id"]) == 64
    assert adjusted == {"end_user_id"}


def test_at_most_four_cache_hints_are_sent():
    """The last four win: they cover the longest prompts."""
    parts = tuple(Text(str(at), cache="default") for at in range(6))
    made, adjusted = fitted(Request([say("user", parts)]), "claude-opus-5")

    assert [False, False, True, True, True, True] == [
        "cache_control" in block for block in made["messages"][0]["content"]
    ]
    assert adjusted == {"cache"}


def test_a_longer_lived_hint_does_not_follow_a_shorter_one():
    """An hour after five minutes would be refused."""
    made, adjusted = fitted(Request([say("user", (Text("a", cache="5m"), Text("b", cache="1h")))]), "claude-opus-5")

    assert ["5m", "5m"] == [block["cache_control"]["ttl"] for block in made["messages"][0]["content"]]
    assert adjusted == {"cache"}


def test_extra_goes_in_last_and_verbatim():
    """What is said under the provider's name is put into the body; what is said to others is not."""
    made = body(Request("hi", extra={"anthropic": {"speed": "fast", "max_tokens": 1}, "openai": {"x": 1}}))

    assert (made["speed"], made["max_tokens"], "x" in made) == ("fast", 1, False)


def test_a_region_is_asked_for():
    """Residency is a contract: the region goes into the body, and the server enforces it."""
    assert body("hi", region="us")["inference_geo"] == "us"


def test_streams_say_so():
    """`stream: true`, and the type of the answer."""
    asked = exchange(Request("hi", stream=True))

    assert json.loads(asked.request.body)["stream"] is True
    assert (asked.framing, dict(asked.request.headers)["accept"]) == ("sse", "text/event-stream")


def test_the_headers_are_the_version_and_nothing_secret():
    """No beta is sent by default, and no key ever."""
    expected = (
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("anthropic-version", "2023-06-01"),
    )

    assert expected == exchange("hi").request.headers


def test_betas_are_sent_once_each_and_sorted():
    """The same header every time."""
    asked = exchange("hi", options={"betas": ["b", "a", "b"], "workspace_id": "wrkspc_1"})

    headers = dict(asked.request.headers)
    assert (headers["anthropic-beta"], headers["anthropic-workspace-id"]) == ("a,b", "wrkspc_1")


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
        ("https://proxy.example.com/anthropic", "https://proxy.example.com/anthropic/messages"),
        ("https://proxy.example.com/v1/messages", "https://proxy.example.com/v1/messages"),
    ],
)
def test_an_endpoint_with_a_path_keeps_it(endpoint, url):
    """Only an empty path gets `/v1`; a pasted full path is not doubled, when counting neither."""
    counting = provider.count_tokens(Request("hi"), target(endpoint=endpoint))

    assert url == exchange("hi", endpoint=endpoint).request.url
    assert f"{url}/count_tokens" == counting.request.url


@pytest.mark.parametrize(
    ("word", "scheme"),
    [
        (None, HeaderKey("x-api-key")),
        ("api-key", HeaderKey("x-api-key")),
        ("bearer-token", Bearer()),
        ("none", NoAuth()),
    ],
)
def test_the_word_for_authentication_chooses_the_scheme(word, scheme):
    """x-api-key unless the file says otherwise."""
    assert scheme == exchange("hi", authentication=word).auth


def test_the_second_api_version_takes_no_sampling_parameters():
    """2026-10-21 answers 400 to temperature on every model: it is left out, and the caller is told."""
    made, adjusted = fitted(
        Request("hi", temperature=0.5, top_k=2), "claude-haiku-4-5", options={"version": "2026-10-21"}
    )

    assert not {"temperature", "top_k"} & made.keys()
    assert adjusted == {"temperature", "top_k"}


def test_the_second_api_version_takes_no_documents_from_the_assistant():
    """It would be a 400; nothing is sent."""
    messages = [say("user", "a"), say("assistant", (Document(b"%PDF-1"),)), say("user", "b")]

    with pytest.raises(UnsupportedFeatureError, match="assistant turn"):
        exchange(messages, options={"version": "2026-10-21"})


def test_counting_asks_about_exactly_the_request_that_would_be_sent():
    """The same body without what the counting endpoint refuses."""
    request = Request(
        "hi", system="s", tools=[WEATHER], stop=["x"], end_user_id="u", reasoning_effort="low", max_tokens=50
    )
    counted = json.loads(provider.count_tokens(request, target()).request.body)

    sent = body(request)
    assert counted == {name: sent[name] for name in sent if name not in ("max_tokens", "stop_sequences", "metadata")}


def test_what_the_user_adds_to_results_is_still_the_tool_loop():
    """Results and a text behind them are one turn on the wire: thinking stays off there, too (conformance REQ-16)."""
    history = [
        Message("user", "hi"),
        Message("assistant", (ToolCall("t1", "f", "{}"),)),
        Message("tool", (ToolResult("t1", "ok"),)),
        Message("user", "and now?"),
    ]
    sent, told = fitted(Request(history, tools=[Tool("f")], reasoning_effort="high"), "claude-haiku-4-5")

    assert "thinking" not in sent
    assert "reasoning_effort" in told
