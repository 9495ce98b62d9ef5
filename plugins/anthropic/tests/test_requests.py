"""Requests into bodies, headers and URLs."""

import json
import os
import subprocess
import sys

import pytest
from driving import body, exchange, fitted, target

from byollm.plugin import (
    Audio,
    Bearer,
    Document,
    HeaderKey,
    Image,
    Message,
    NoAuth,
    Opaque,
    ProviderTool,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    UnsupportedFeatureError,
)
from byollm_anthropic import provider

PNG = b"\x89PNG\r\n\x1a\n0"
WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def turns(*messages: Message, **parameters: object) -> list[dict[str, object]]:
    return body(Request(messages, **parameters))["messages"]


def own(data: dict[str, object]) -> Opaque:
    return Opaque("anthropic", "messages", data)


def test_a_plain_question_is_the_smallest_body():
    """One question needs the model, a limit, and itself."""
    expected = {"model": "claude-opus-5", "max_tokens": 21333, "messages": [{"role": "user", "content": "hi"}]}

    assert expected == body("hi")


def test_the_same_request_is_the_same_bytes_in_every_process():
    """A prompt cache sees the same bytes whatever the hash seed."""
    code = (
        "from byollm.plugin import *; from byollm_anthropic import provider as p;"
        "t = Target(provider='anthropic', model='claude-opus-5', endpoint='https://api.anthropic.com', api='messages',"
        "  options={'betas': ['b', 'a']});"
        "r = Request('hi', system='s', tools=[Tool('a/b'), Tool('c')], stop=['x'], end_user_id='a@example.com');"
        "print(p.complete(r, t).request)"
    )
    run = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]

    assert run[0] == run[1] != b""


def test_leading_system_messages_go_on_top():
    """All that stands before the first turn is the system prompt, one block a message."""
    made = body(Request([Message("system", "a"), Message("developer", "b"), Message("user", "hi")], system="first"))

    assert ["first", "a", "b"] == [block["text"] for block in made["system"]]
    assert [{"role": "user", "content": "hi"}] == made["messages"]


def test_a_single_plain_system_text_is_a_string():
    """The shortest form, when there is no cache hint to carry."""
    assert body(Request("hi", system="be brief"))["system"] == "be brief"


def test_a_cache_hint_keeps_the_system_prompt_a_list():
    """The breakpoint needs a block to stand on."""
    made = body(Request([Message("system", (Text("be brief", cache="1h"),)), Message("user", "hi")]))

    expected = {"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert [expected] == made["system"]


def test_a_late_system_message_is_native_where_the_model_honours_it():
    """Opus 5 takes the role system in mid-conversation."""
    made = turns(Message("user", "a"), Message("system", "b"), Message("user", "c"))

    assert [("user", "a"), ("system", "b"), ("user", "c")] == [(turn["role"], turn["content"]) for turn in made]


def test_a_late_system_message_is_marked_user_text_elsewhere():
    """Sonnet 5 would answer 200 and ignore it, older models refuse it: the text is sent, and the caller is told."""
    request = Request([Message("user", "a"), Message("system", "b"), Message("user", "c")])
    made, adjusted = fitted(request, "claude-sonnet-5")

    assert ["a", "<system>\nb\n</system>", "c"] == [block["text"] for block in made["messages"][0]["content"]]
    assert "messages" in adjusted


def test_neighbouring_turns_of_one_role_become_one():
    """User after user is one user turn."""
    made = turns(Message("user", "a"), Message("user", "b"))

    assert [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}] == made


def test_a_conversation_starts_with_the_user():
    """A history that begins with the assistant gets a user in front, and the caller is told."""
    asked = exchange([Message("assistant", "hello"), Message("user", "hi")])

    first = json.loads(asked.request.body)["messages"][0]
    assert {"role": "user", "content": "."} == first
    assert ["messages"] == [note.field for note in asked.adjustments]


def test_a_system_prompt_alone_is_a_request():
    """Other providers answer to instructions alone; Claude needs somebody to talk to."""
    assert [{"role": "user", "content": "."}] == body(Request([], system="say hi"))["messages"]


def test_an_empty_conversation_is_refused():
    """Nothing to say is no request."""
    with pytest.raises(UnsupportedFeatureError, match="empty"):
        exchange([Message("user", "  \n")])


def test_blank_text_is_not_sent():
    """The server refuses empty and white text blocks."""
    made = turns(Message("user", ("", "hi", " \n")), Message("assistant", (" ",)), Message("user", "there"))

    assert [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "there"}]}] == made


def test_prefill_loses_its_trailing_white_space():
    """Final assistant content cannot end with white space."""
    request = Request([Message("user", "hi"), Message("assistant", "The answer is ( \n")], prefill=True)

    assert body(request, "claude-haiku-4-5")["messages"][-1]["content"] == "The answer is ("


def calls(*ids: str) -> Message:
    return Message("assistant", tuple(ToolCall(name, "weather", '{"city": "Oslo"}') for name in ids))


def test_parallel_results_are_one_user_turn_with_the_results_first():
    """Text before a result would be answered with 400."""
    made = turns(
        Message("user", "hi"),
        calls("one", "two"),
        Message("user", (Text("and hurry"), ToolResult("two", "rain"))),
        Message("tool", (ToolResult("one", "sun", is_error=True),)),
    )

    assert [("tool_result", "two"), ("tool_result", "one"), ("text", None)] == [
        (block["type"], block.get("tool_use_id")) for block in made[-1]["content"]
    ]
    assert made[-1]["content"][1] == {
        "type": "tool_result", "tool_use_id": "one", "content": "sun", "is_error": True,
    }  # fmt: skip


def test_an_empty_result_has_no_content():
    """An empty list of content is refused; a missing one is not."""
    made = turns(Message("user", "hi"), calls("one"), Message("tool", (ToolResult("one", ""),)))

    assert [{"type": "tool_result", "tool_use_id": "one"}] == made[-1]["content"]


def test_a_result_may_hold_an_image():
    """Media in a result become blocks inside it."""
    made = turns(Message("user", "hi"), calls("one"), Message("tool", (ToolResult("one", (Text("look"), Image(PNG))),)))

    assert ["text", "image"] == [block["type"] for block in made[-1]["content"][0]["content"]]


def test_foreign_ids_are_mapped_and_still_pair():
    """Ids of other providers hold characters that the wire refuses; call and result get the same legal one."""
    made = turns(Message("user", "hi"), calls("call:1|é"), Message("tool", (ToolResult("call:1|é", "sun"),)))

    call, result = made[1]["content"][0]["id"], made[2]["content"][0]["tool_use_id"]
    assert call == result
    assert call.replace("_", "").isalnum()


def test_any_tool_name_works_and_two_never_become_one():
    """`a/b` and `a_b` stay apart on the wire, in the list, in the choice and in the history."""
    request = Request(
        [
            Message("user", "hi"),
            Message("assistant", (ToolCall("1", "a/b"),)),
            Message("tool", (ToolResult("1", "x"),)),
        ],
        tools=[Tool("a/b"), Tool("a_b")],
        tool_choice=ToolChoice("required", "a/b"),
    )
    made = body(request)

    first, second = (tool["name"] for tool in made["tools"])
    assert (first != second) and second == "a_b"
    assert {first} == {made["messages"][1]["content"][0]["name"], made["tool_choice"]["name"]}


def test_arguments_are_an_object_on_the_wire():
    """The JSON text of a call is read; empty text is `{}`."""
    made = turns(
        Message("user", "hi"), Message("assistant", (ToolCall("1", "f", ""),)), Message("tool", (ToolResult("1"),))
    )

    assert made[1]["content"][0]["input"] == {}


def test_images_and_documents_have_three_kinds_of_source():
    """Bytes, URLs, and text documents that are sent as text."""
    made = turns(
        Message("user", (
            Image(PNG), Image("https://example.com/a.png"), Document(b"%PDF-1", name="a.pdf"),
            Document("https://example.com/a.pdf"), Document(b"plain", "text/plain"),
        ))
    )[0]["content"]  # fmt: skip

    assert ["base64", "url", "base64", "url", "text"] == [block["source"]["type"] for block in made]
    assert (made[0]["source"]["media_type"], made[2]["title"]) == ("image/png", "a.pdf")
    assert made[4]["source"] == {"type": "text", "media_type": "text/plain", "data": "plain"}


@pytest.mark.parametrize(
    "part",
    [
        Image(b"BM", "image/bmp"),
        Image("gs://bucket/a.png"),
        Document(b"PK", "application/zip"),
        Document(b"\xff\xfe", "text/plain"),
        Audio(b"ID3"),
    ],
)
def test_media_the_wire_does_not_know_are_refused_before_sending(part):
    """Nothing is sent in a form the server would refuse."""
    with pytest.raises(UnsupportedFeatureError):
        exchange([Message("user", (part,))])


def test_own_thinking_goes_back_byte_exact():
    """Signed thinking, signed and empty thinking, and redacted thinking are replayed as they came, in order."""
    redacted = {"type": "redacted_thinking", "data": "=="}
    made = turns(
        Message("user", "hi"),
        Message("assistant", (
            Reasoning("so", own({"signature": "s1"})), Reasoning("", own({"signature": "s2"})), own(redacted), Text("hello"),
        )),
        Message("user", "go on"),
        reasoning_effort="high",
    )  # fmt: skip

    assert made[1]["content"][:3] == [
        {"type": "thinking", "thinking": "so", "signature": "s1"},
        {"type": "thinking", "thinking": "", "signature": "s2"},
        redacted,
    ]


def test_foreign_thinking_stays_home():
    """Reasoning of another provider, and reasoning without a signature, is not sent to Claude."""
    foreign = Reasoning("so", Opaque("openai", "responses", {"encrypted_content": "x"}))
    made = turns(
        Message("user", "hi"), Message("assistant", (foreign, Reasoning("so"), Text("a"))), Message("user", "b")
    )

    assert {"role": "assistant", "content": "a"} == made[1]


def test_thinking_is_left_out_while_the_model_does_not_think():
    """Haiku 4.5 thinks only when told; without that, thinking in the history would be a 400."""
    history = [
        Message("user", "a"),
        Message("assistant", (Reasoning("so", own({"signature": "s"})), Text("b"))),
        Message("user", "c"),
    ]
    made, adjusted = fitted(Request(history), "claude-haiku-4-5")

    assert made["messages"][1]["content"] == "b"
    assert "messages" in adjusted


def test_unknown_blocks_of_this_wire_are_replayed():
    """Server tools and their results go back as they came."""
    wire = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}}
    made = turns(Message("user", "hi"), Message("assistant", (own(wire), Text("a"))), Message("user", "b"))

    assert wire == made[1]["content"][0]


def test_citations_go_back_with_their_text():
    """The state of a cited text is part of its block; in a user turn citations are refused and left out."""
    cited = Text("a", state=own({"citations": [{"type": "page_location"}]}))
    made = turns(Message("user", (cited, Text("x"))), Message("assistant", (cited,)), Message("user", "b"))

    assert "citations" not in made[0]["content"][0]
    assert made[1]["content"] == [{"type": "text", "text": "a", "citations": [{"type": "page_location"}]}]


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
    made, adjusted = fitted(Request([Message("user", parts)]), "claude-opus-5")

    assert [False, False, True, True, True, True] == [
        "cache_control" in block for block in made["messages"][0]["content"]
    ]
    assert adjusted == {"cache"}


def test_a_longer_lived_hint_does_not_follow_a_shorter_one():
    """An hour after five minutes would be refused."""
    made, adjusted = fitted(Request([Message("user", (Text("a", cache="5m"), Text("b", cache="1h")))]), "claude-opus-5")

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
    messages = [Message("user", "a"), Message("assistant", (Document(b"%PDF-1"),)), Message("user", "b")]

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
