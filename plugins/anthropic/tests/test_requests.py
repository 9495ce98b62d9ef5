"""Requests into bodies, headers and URLs."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from anthropic_driving import body, exchange, fitted, result, say

from byollm.plugin import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    UnsupportedFeatureError,
)

PNG = b"\x89PNG\r\n\x1a\n0"
WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def turns(*messages: Message, **parameters: object) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = body(Request(messages, **parameters))["messages"]
    return made


def own(data: dict[str, Any]) -> Opaque:
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
    made = body(Request([say("system", "a"), say("developer", "b"), say("user", "hi")], system="first"))

    assert ["first", "a", "b"] == [block["text"] for block in made["system"]]
    assert [{"role": "user", "content": "hi"}] == made["messages"]


def test_a_single_plain_system_text_is_a_string():
    """The shortest form, when there is no cache hint to carry."""
    assert body(Request("hi", system="be brief"))["system"] == "be brief"


def test_a_cache_hint_keeps_the_system_prompt_a_list():
    """The breakpoint needs a block to stand on."""
    made = body(Request([say("system", (Text("be brief", cache="1h"),)), say("user", "hi")]))

    expected = {"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert [expected] == made["system"]


def test_a_late_system_message_is_native_where_the_model_honours_it():
    """Opus 5 takes the role system in mid-conversation."""
    made = turns(say("user", "a"), say("system", "b"), say("user", "c"))

    assert [("user", "a"), ("system", "b"), ("user", "c")] == [(turn["role"], turn["content"]) for turn in made]


def test_a_late_system_message_is_marked_user_text_elsewhere():
    """Sonnet 5 would answer 200 and ignore it, older models refuse it: the text is sent, and the caller is told."""
    request = Request([say("user", "a"), say("system", "b"), say("user", "c")])
    made, adjusted = fitted(request, "claude-sonnet-5")

    assert ["a", "<system>\nb\n</system>", "c"] == [block["text"] for block in made["messages"][0]["content"]]
    assert "messages" in adjusted


def test_neighbouring_turns_of_one_role_become_one():
    """User after user is one user turn."""
    made = turns(say("user", "a"), say("user", "b"))

    assert [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}] == made


def test_a_conversation_starts_with_the_user():
    """A history that begins with the assistant gets a user in front, and the caller is told."""
    asked = exchange([say("assistant", "hello"), say("user", "hi")])

    first = json.loads(asked.request.body)["messages"][0]
    assert {"role": "user", "content": "."} == first
    assert ["messages"] == [note.field for note in asked.adjustments]


def test_a_system_prompt_alone_is_a_request():
    """Other providers answer to instructions alone; Claude needs somebody to talk to."""
    assert [{"role": "user", "content": "."}] == body(Request([], system="say hi"))["messages"]


def test_an_empty_conversation_is_refused():
    """Nothing to say is no request."""
    with pytest.raises(UnsupportedFeatureError, match="empty"):
        exchange([say("user", "  \n")])


def test_blank_text_is_not_sent():
    """The server refuses empty and white text blocks."""
    made = turns(say("user", ("", "hi", " \n")), say("assistant", (" ",)), say("user", "there"))

    assert [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "there"}]}] == made


def test_a_blank_turn_never_vanishes_in_silence():
    """A user's becomes a full stop, the model's is left out, and both are told."""
    said = [say("user", "one"), say("assistant", ""), say("user", "two"), say("assistant", "three"), say("user", " ")]

    adjusted = exchange(said).adjustments

    assert ["emulated", "dropped"] == [note.action for note in adjusted]
    assert ["user", "assistant", "user"] == [turn["role"] for turn in turns(*said)]


def test_prefill_loses_its_trailing_white_space():
    """Final assistant content cannot end with white space."""
    request = Request([say("user", "hi"), say("assistant", "The answer is ( \n")], prefill=True)

    assert body(request, "claude-haiku-4-5")["messages"][-1]["content"] == "The answer is ("


def calls(*ids: str) -> Message:
    return say("assistant", tuple(ToolCall(name, "weather", '{"city": "Oslo"}') for name in ids))


def test_parallel_results_are_one_user_turn_with_the_results_first():
    """Text before a result would be answered with 400."""
    made = turns(
        say("user", "hi"),
        calls("one", "two"),
        say("user", (Text("and hurry"), result("two", "rain"))),
        say("tool", (result("one", "sun", is_error=True),)),
    )

    assert [("tool_result", "two"), ("tool_result", "one"), ("text", None)] == [
        (block["type"], block.get("tool_use_id")) for block in made[-1]["content"]
    ]
    assert made[-1]["content"][1] == {
        "type": "tool_result", "tool_use_id": "one", "content": "sun", "is_error": True,
    }  # fmt: skip


def test_an_empty_result_has_no_content():
    """An empty list of content is refused; a missing one is not."""
    made = turns(say("user", "hi"), calls("one"), say("tool", (result("one", ""),)))

    assert [{"type": "tool_result", "tool_use_id": "one"}] == made[-1]["content"]


def test_a_result_may_hold_an_image():
    """Media in a result become blocks inside it."""
    made = turns(say("user", "hi"), calls("one"), say("tool", (result("one", (Text("look"), Image(PNG))),)))

    assert ["text", "image"] == [block["type"] for block in made[-1]["content"][0]["content"]]


def test_foreign_ids_are_mapped_and_still_pair():
    """Ids of other providers hold characters that the wire refuses; call and result get the same legal one."""
    made = turns(say("user", "hi"), calls("call:1|é"), say("tool", (result("call:1|é", "sun"),)))

    call, answer = made[1]["content"][0]["id"], made[2]["content"][0]["tool_use_id"]
    assert call == answer
    assert call.replace("_", "").isalnum()


def test_any_tool_name_works_and_two_never_become_one():
    """`a/b` and `a_b` stay apart on the wire, in the list, in the choice and in the history."""
    request = Request(
        [
            say("user", "hi"),
            say("assistant", (ToolCall("1", "a/b"),)),
            say("tool", (result("1", "x"),)),
        ],
        tools=[Tool("a/b"), Tool("a_b")],
        tool_choice=ToolChoice("required", "a/b"),
    )
    made = body(request)

    first, second = (tool["name"] for tool in made["tools"])
    assert second == "a_b" != first
    assert {first} == {made["messages"][1]["content"][0]["name"], made["tool_choice"]["name"]}


def test_arguments_are_an_object_on_the_wire():
    """The JSON text of a call is read; empty text is `{}`."""
    made = turns(say("user", "hi"), say("assistant", (ToolCall("1", "f", ""),)), say("tool", (result("1"),)))

    assert made[1]["content"][0]["input"] == {}


def test_images_and_documents_have_three_kinds_of_source():
    """Bytes, URLs, and text documents that are sent as text."""
    made = turns(
        say("user", (
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
        exchange([say("user", (part,))])


def test_own_thinking_goes_back_byte_exact():
    """Signed thinking, signed and empty thinking, and redacted thinking are replayed as they came, in order."""
    redacted = {"type": "redacted_thinking", "data": "=="}
    made = turns(
        say("user", "hi"),
        say("assistant", (
            Reasoning("so", own({"signature": "s1"})), Reasoning("", own({"signature": "s2"})), own(redacted), "a",
        )),
        say("user", "go on"),
        reasoning_effort="high",
    )  # fmt: skip

    assert made[1]["content"][:3] == [
        {"type": "thinking", "thinking": "so", "signature": "s1"},
        {"type": "thinking", "thinking": "", "signature": "s2"},
        redacted,
    ]


@pytest.mark.parametrize(
    "state",
    [
        Opaque("openai", "responses", {"encrypted_content": "x"}),
        Opaque("acme", "messages", {"signature": "s"}),
        Opaque("anthropic", "chat", {"signature": "s"}),
        None,
    ],
)
def test_foreign_thinking_stays_home(state):
    """Reasoning of another provider or another surface, and reasoning without a signature, is not sent."""
    made = turns(say("user", "hi"), say("assistant", (Reasoning("so", state), Text("a"))), say("user", "b"))

    assert made[1] == {"role": "assistant", "content": "a"}


def test_thinking_is_left_out_while_the_model_does_not_think():
    """Haiku 4.5 thinks only when told; without that, thinking in the history would be a 400."""
    history = [
        say("user", "a"),
        say("assistant", (Reasoning("so", own({"signature": "s"})), Text("b"))),
        say("user", "c"),
    ]
    made, adjusted = fitted(Request(history), "claude-haiku-4-5")

    assert made["messages"][1]["content"] == "b"
    assert "messages" in adjusted


def test_unknown_blocks_of_this_wire_are_replayed():
    """Server tools and their results go back as they came."""
    wire = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}}
    made = turns(say("user", "hi"), say("assistant", (own(wire), Text("a"))), say("user", "b"))

    assert wire == made[1]["content"][0]


def test_citations_go_back_with_their_text():
    """The state of a cited text is part of its block; in a user turn citations are refused and left out."""
    cited = Text("a", state=own({"citations": [{"type": "page_location"}]}))
    made = turns(say("user", (cited, Text("x"))), say("assistant", (cited,)), say("user", "b"))

    assert "citations" not in made[0]["content"][0]
    assert made[1]["content"] == [{"type": "text", "text": "a", "citations": [{"type": "page_location"}]}]


def test_a_paused_turn_is_sent_back_to_be_continued():
    """After pause_turn the answer goes back as it is, and the server goes on; prefill is another thing."""
    paused = own({"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}})
    made, adjusted = fitted(Request([say("user", "hi"), say("assistant", (Text("So."), paused))]), "claude-opus-5")

    assert ["text", "server_tool_use"] == [block["type"] for block in made["messages"][-1]["content"]]
    assert adjusted == set()


def test_a_blank_question_stays_a_turn():
    """Left out, the answer before it would be asked to go on (conformance REQ-04); the caller is told."""
    asked = exchange([say("user", "one"), say("assistant", "two"), say("user", "")])

    messages = json.loads(asked.request.body)["messages"]
    assert ["user", "assistant", "user"] == [message["role"] for message in messages]
    assert "." == messages[-1]["content"]
    assert ["messages"] == [note.field for note in asked.adjustments]
