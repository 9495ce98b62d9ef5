"""A request as a Chat Completions body, for a server nobody has described."""

import json

import pytest
from compatible_driving import body, exchange
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import ProviderTool, Request, Tool, ToolChoice, UnsupportedFeatureError
from byollm_openai_compatible import OpenAICompatible

WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
SCHEMA = {"title": "An answer", "type": "object", "properties": {"a": {"type": "string"}}}


def test_the_smallest_body_holds_model_and_messages():
    """Nothing that was not asked for is sent."""
    assert {"model": "m", "messages": [{"role": "user", "content": "hi"}]} == body("hi")


def test_parameters_go_under_their_names():
    """Sampling, limits and hints under the names most servers know."""
    sent = body(
        Request("hi", temperature=0.2, top_p=0.9, max_tokens=7, stop="END", seed=3, end_user_id="u", cache_key="k")
    )

    assert (0.2, 0.9, 7, ["END"], 3, "u", "k") == tuple(
        sent[name] for name in ("temperature", "top_p", "max_tokens", "stop", "seed", "user", "prompt_cache_key")
    )


def test_a_vendors_own_names_are_used():
    """Names are data: the limit, the seed, the word for a required tool."""
    request = Request("hi", max_tokens=7, seed=3, tools=[WEATHER], tool_choice="required")

    sent = body(request, max_tokens_field="max_completion_tokens", seed_field="random_seed", required_word="any")

    assert (7, 3, "any") == (sent["max_completion_tokens"], sent["random_seed"], sent["tool_choice"])
    assert not {"max_tokens", "seed"} & sent.keys()


def test_a_server_without_a_seed_never_sees_one():
    """An empty name means that there is no such field."""
    assert "seed" not in body(Request("hi", seed=3), seed_field="")


def test_usage_is_asked_for_in_streams_only():
    """stream_options without stream is an error at several servers."""
    assert {"include_usage": True} == body(Request("hi", stream=True))["stream_options"]
    assert "stream_options" not in body(Request("hi", stream=True), stream_usage=False)
    assert "stream_options" not in body("hi")


def test_a_tool_is_a_function_with_a_schema():
    """`strict` is only said when it was said."""
    sent = body(Request("hi", tools=[WEATHER, Tool("f", None, {"type": "object"}, strict=False)]))["tools"]

    weather = {"name": "weather", "description": "Tells the weather.", "parameters": WEATHER.parameters}
    assert {"type": "function", "function": weather} == sent[0]
    assert {"name": "f", "parameters": {"type": "object"}, "strict": False} == sent[1]["function"]


def test_no_tools_means_no_word_about_tools():
    """An empty list, a choice or parallel calls without tools are refused by several servers."""
    sent = body(Request("hi", tools=[], tool_choice="auto", parallel_tool_calls=True))

    assert {"model", "messages"} == sent.keys()


def test_a_named_choice_is_an_object():
    """One tool by name."""
    sent = body(Request("hi", tools=[WEATHER], tool_choice=ToolChoice("required", "weather")))

    assert {"type": "function", "function": {"name": "weather"}} == sent["tool_choice"]


def test_another_providers_tool_is_refused():
    """A tool that one provider runs itself is never translated to another."""
    with pytest.raises(UnsupportedFeatureError, match="cannot run at custom"):
        body(Request("hi", tools=[ProviderTool("openai", {"type": "web_search"})]))


def test_its_own_tools_go_verbatim():
    """`ProviderTool.definition` is put into the list as it is."""
    assert [{"type": "x", "a": 1}] == body(Request("hi", tools=[ProviderTool("custom", {"type": "x", "a": 1})]))[
        "tools"
    ]


def test_a_schema_travels_untouched_to_a_server_nobody_described():
    """Nothing is known of what it enforces: no `strict`, no change."""
    sent = body(Request("hi", output_schema=SCHEMA))["response_format"]

    assert {"type": "json_schema", "json_schema": {"name": "An_answer", "schema": SCHEMA}} == sent


def test_a_schema_is_closed_for_a_server_that_enforces():
    """Where strict schemas are known, the schema is brought into the subset and marked."""
    sent = body(Request("hi", output_schema=SCHEMA), strict_schemas=True)["response_format"]["json_schema"]

    assert (True, False, ["a"]) == (sent["strict"], sent["schema"]["additionalProperties"], sent["schema"]["required"])


def test_what_cannot_be_enforced_is_told():
    """An open object cannot be enforced: it goes out as a wish, and the caller is told."""
    request = Request("hi", output_schema={"type": "object", "additionalProperties": True})
    sent = exchange(request, strict_schemas=True)

    assert ["output_schema"] == [note.field for note in sent.adjustments]
    assert json.loads(sent.request.body)["response_format"]["json_schema"]["strict"] is False


def test_a_strict_tool_that_cannot_be_enforced_is_refused():
    """`strict=True` on a tool is a contract, and the place of the problem is named."""
    tool = Tool("f", None, {"type": "object", "properties": {"x": {"type": "array"}}}, strict=True)

    with pytest.raises(UnsupportedFeatureError, match=r"#/properties/x: an array of anything"):
        body(Request("hi", tools=[tool]), strict_schemas=True)


def test_effort_goes_where_the_vendor_wants_it():
    """As a field, as a field of an object, or as a toggle of its own."""
    thinking = {"thinking": {"type": "disabled"}}

    assert "high" == body(Request("hi", reasoning_effort="high"))["reasoning_effort"]
    assert {"effort": "high"} == body(Request("hi", reasoning_effort="high"), effort_field="reasoning.effort")[
        "reasoning"
    ]
    sent = body(Request("hi", reasoning_effort="none"), effort_bodies={"none": thinking})
    assert (thinking["thinking"], False) == (sent["thinking"], "reasoning_effort" in sent)


def test_store_is_said_where_it_exists():
    """A server that knows `store` hears false unless the request says otherwise."""
    assert "store" not in body("hi")
    assert body("hi", send_store=True)["store"] is False
    assert body(Request("hi", store=True), send_store=True)["store"] is True


def test_extra_is_put_over_the_body_for_its_provider_only():
    """`extra` is verbatim, the last word, and nobody else's."""
    sent = body(Request("hi", temperature=1, extra={"custom": {"top_a": 1, "temperature": 0.5}, "openai": {"x": 1}}))

    assert (1, 0.5, False) == (sent["top_a"], sent["temperature"], "x" in sent)


def test_prefill_says_what_the_server_wants_to_hear():
    """Fields on the last message (Mistral) or on the body (vLLM)."""
    request = Request([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "The"}], prefill=True)

    sent = body(request, prefill_message={"prefix": True}, prefill_body={"continue_final_message": True})

    assert ({"role": "assistant", "content": "The", "prefix": True}, True) == (
        sent["messages"][-1],
        sent["continue_final_message"],
    )


def test_a_bare_stop_string_where_lists_are_unknown():
    """One string fits; two do not, and are refused rather than cut."""
    assert "a" == body(Request("hi", stop="a"), stop_as_list=False)["stop"]
    with pytest.raises(UnsupportedFeatureError, match="one stop string"):
        body(Request("hi", stop=["a", "b"]), stop_as_list=False)


def test_headers_of_a_vendor_are_added():
    """Names in lower case, beside content type and accept."""
    vendor = OpenAICompatible(name="acme", base_url="https://a.example/v1", headers={"X-Title": "byollm"})

    sent = dict(exchange("hi", vendor).request.headers)

    assert ("byollm", "application/json") == (sent["x-title"], sent["accept"])


VALUES = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "max_tokens": st.integers(1, 9999),
    "seed": st.integers(),
    "stop": st.lists(st.text(min_size=1), min_size=1, max_size=4),
    "tools": st.just([WEATHER]),
    "tool_choice": st.sampled_from(["auto", "none", "required", "weather"]),
    "parallel_tool_calls": st.booleans(),
    "reasoning_effort": st.sampled_from(["none", "low", "max"]),
    "output_schema": st.just(SCHEMA),
    "system": st.text(),
    "stream": st.booleans(),
}


@given(st.fixed_dictionaries({}, optional=VALUES), st.text(), st.sampled_from(["chat", "responses"]))
def test_no_null_is_ever_sent(parameters, text, api):
    """Several servers refuse a null field: what is not set is not there."""
    parameters = {name: value for name, value in parameters.items() if (name, api) != ("stop", "responses")}
    if "tools" not in parameters:
        parameters.pop("tool_choice", None)

    assert not has_null(body(Request(text, **parameters), api=api))


def has_null(value):
    if isinstance(value, dict):
        return any(has_null(inner) for inner in value.values())
    return any(has_null(inner) for inner in value) if isinstance(value, list) else value is None


def test_a_server_without_schemas_is_told_in_words():
    """First of all, as an instruction; JSON is asked for, and the caller is told."""
    request = Request("hi", system="be brief", output_schema=SCHEMA)
    sent = body(request, schema_form="json_object")

    assert {"type": "json_object"} == sent["response_format"]
    assert ["system", "system", "user"] == [turn["role"] for turn in sent["messages"]]
    assert SCHEMA == json.loads(sent["messages"][0]["content"].partition("schema:")[2])
    notes = exchange(request, schema_form="json_object").adjustments
    assert [("output_schema", "emulated")] == [(note.field, note.action) for note in notes]


def test_a_server_that_does_not_know_store_is_never_told_to_forget():
    """A wish to store is passed on: it is the caller's, and the core's to refuse."""
    assert "store" not in body(Request("hi", store=False), knows_store=False)
    assert body(Request("hi", store=True), knows_store=False)["store"] is True
    assert body(Request("hi", store=False))["store"] is False
