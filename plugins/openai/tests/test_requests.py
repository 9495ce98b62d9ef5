"""What is OpenAI's own in a request: where it goes, what it always says, how it is counted."""

import json

import pytest
from openai_driving import body, fitted, target

from byollm import testing
from byollm.plugin import ConfigError, Document, Message, Request, Text, TokenCount, Tool, UnsupportedFeatureError
from byollm.wire.exchange import Exchange, Frame, Head
from byollm_openai import provider


def url(**fields):
    return fitted("hi", **fields)[0].request.url


def test_responses_come_first():
    """`api: chat` asks for the other dialect."""
    assert "responses" == provider.manifest.apis[0]
    assert "https://api.openai.com/v1/responses" == url()
    assert "https://api.openai.com/v1/chat/completions" == url(api="chat")


@pytest.mark.parametrize("region", ["us", "eu", "ae", "au", "in", "jp"])
def test_a_region_is_a_host(region):
    """OpenAI keeps data where the host is, and the manifest names each."""
    assert f"https://{region}.api.openai.com/v1/responses" == url(region=region)
    assert f"{region}.api.openai.com" in provider.manifest.hosts


def test_a_region_that_contradicts_the_endpoint_is_refused():
    """Residency is a contract: nobody guesses which was meant."""
    with pytest.raises(ConfigError, match="contradict"):
        url(region="eu", endpoint="https://proxy.example.com/v1")
    with pytest.raises(ConfigError, match="no region 'mars'"):
        url(region="mars")


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_store_is_always_said(api):
    """false, unless the request asks for it."""
    assert body("hi", api=api)["store"] is False
    assert body(Request("hi", store=True), api=api)["store"] is True


def test_organization_and_project_are_headers():
    """From the file."""
    headers = dict(fitted("hi", organization="org-1", project="proj-1")[0].request.headers)

    assert ("org-1", "proj-1") == (headers["openai-organization"], headers["openai-project"])


def test_names_over_chat():
    """max_completion_tokens, safety_identifier, and system messages under their own name."""
    turns = [Message("system", (Text("s"),)), Message("developer", (Text("d"),)), Message("user", (Text("u"),))]

    sent = body(Request(turns, max_tokens=9, end_user_id="u-1"), "gpt-4o", "chat")

    assert (9, "u-1") == (sent["max_completion_tokens"], sent["safety_identifier"])
    assert ["system", "developer", "user"] == [turn["role"] for turn in sent["messages"]]


@pytest.mark.parametrize(
    ("model", "asked"), [("gpt-6-sol", True), ("gpt-7", True), ("gpt-5.4", False), ("gpt-4o", False), ("new", False)]
)
def test_encrypted_reasoning_is_asked_for_where_the_model_reasons(model, asked):
    """A model that does not reason refuses the question; of an unknown name nothing is assumed."""
    assert asked is ("include" in body("hi", model))


def test_a_summary_of_the_reasoning_by_option():
    """It needs a verified organization, so it is never asked for unasked."""
    assert "reasoning" not in body("hi")
    assert {"summary": "auto"} == body("hi", reasoning_summary="auto")["reasoning"]
    sent = body(Request("hi", reasoning_effort="low"), reasoning_summary="auto")["reasoning"]
    assert {"summary": "auto", "effort": "low"} == sent
    assert "reasoning" not in body("hi", "gpt-4o", reasoning_summary="auto")


def test_cache_marks_from_five_point_six_on():
    """Older models refuse them."""
    asked = Request([Message("user", (Text("long", cache="30m"), Text("short")))])

    assert {"mode": "explicit", "ttl": "30m"} == body(asked)["input"][0]["content"][0]["prompt_cache_breakpoint"]
    assert "prompt_cache_breakpoint" not in body(asked, "gpt-5.5")["input"][0]["content"][0]
    assert ["cache"] == [note.field for note in fitted(asked, "gpt-5.5")[1]]


def test_a_document_by_url_needs_responses():
    """Chat takes bytes only."""
    asked = Request([Message("user", (Document("https://e.example/a.pdf"),))])

    assert "https://e.example/a.pdf" == body(asked)["input"][0]["content"][0]["file_url"]
    with pytest.raises(UnsupportedFeatureError):
        body(asked, api="chat")


def test_tokens_are_counted_by_the_provider():
    """The same input, and nothing that the endpoint does not know."""
    asked = Request("hi", system="s", max_tokens=5, stop="x", stream=True, tools=[Tool("f", None, {"type": "object"})])

    counted = provider.count_tokens(asked, target())

    assert isinstance(counted, Exchange)
    assert "https://api.openai.com/v1/responses/input_tokens" == counted.request.url
    assert {"model", "instructions", "input", "tools"} == json.loads(counted.request.body).keys()
    frame = Frame("", {"object": "response.input_tokens", "input_tokens": 9})
    assert [TokenCount(9, "exact", source="openai")] == counted.reader(Head(200, {}))(frame)


def test_for_chat_the_count_is_an_estimate():
    """Chat has no such endpoint: the conversation is counted as Responses would see it."""
    counted = provider.count_tokens(Request("hi"), target(api="chat"))

    assert isinstance(counted, Exchange)
    assert ["estimate"] == [count.exactness for count in counted.reader(Head(200, {}))(Frame("", {"input_tokens": 9}))]


def test_what_cannot_be_enforced_goes_out_as_a_wish():
    """And is told; the answer is checked by the core."""
    exchange, notes = fitted(Request("hi", output_schema={"type": "object", "additionalProperties": True}))

    assert json.loads(exchange.request.body)["text"]["format"]["strict"] is False
    assert ["output_schema"] == [note.field for note in notes]


def test_a_chat_body_of_old_goes_over_responses():
    """What `Request.from_openai` keeps in Chat's words is said in those of Responses."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False, "required": []}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    old = {"model": "x", "messages": [{"role": "user", "content": "hi"}], "response_format": form}

    sent = body(Request.from_openai(old))

    assert {"type": "json_schema", "name": "n", "schema": schema, "strict": True} == sent["text"]["format"]
    assert "response_format" not in sent


@pytest.mark.parametrize("option", ["organization", "project"])
def test_a_header_option_holds_no_line_break(option):
    """The file is refused where it is read (conformance REQ-12)."""
    with pytest.raises(ConfigError, match=option):
        testing.translate("openai", Request("hi"), model="gpt-6-sol", **{option: "a\r\nx-evil: 1"})


@pytest.mark.parametrize("asked, sent, told", [(1, 16, 1), (15, 16, 1), (16, 16, 0), (500, 500, 0)])
def test_a_limit_that_responses_does_not_take_is_raised_and_told(asked, sent, told):
    """Sixteen tokens are the least; over Chat one is."""
    made = testing.translate("openai", Request("hi", max_tokens=asked), model="gpt-4o", api="responses")

    assert sent == made.body["max_output_tokens"]
    assert [("max_tokens", "clamped", asked, 16)] * told == [
        (it.field, it.action, it.before, it.after) for it in made.adjustments
    ]
    chat = testing.translate("openai", Request("hi", max_tokens=asked), model="gpt-4o", api="chat")
    assert (asked, ()) == (chat.body["max_completion_tokens"], chat.adjustments)
