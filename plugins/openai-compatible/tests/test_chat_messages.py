"""A conversation as Chat Completions messages."""

import json
from itertools import pairwise

import pytest
from compatible_driving import body, messages, result, say
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import (
    Audio,
    Document,
    Image,
    Opaque,
    Reasoning,
    Request,
    Text,
    ToolCall,
    UnsupportedFeatureError,
)

PNG = b"\x89PNG\r\n\x1a\n"
CALLED = (say("user", "a"), say("assistant", (ToolCall("call_1", "f", '{"x": 1}'),)))


def own(data):
    return Opaque("custom", "chat", data)


def test_one_text_is_bare_text():
    """Several servers take nothing else for system messages."""
    assert [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}] == messages(
        say("system", "s"), say("user", "u")
    )


def test_developer_is_system_unless_the_server_knows_better():
    """Compatible servers often refuse the role developer."""
    assert "system" == messages(say("developer", "s"), say("user", "u"))[0]["role"]
    assert "developer" == messages(say("developer", "s"), say("user", "u"), system_role="keep")[0]["role"]


def test_leading_systems_are_joined_where_only_one_is_taken():
    """Templates of several open models take one system message, at the beginning."""
    sent = messages(say("system", "a"), say("developer", "b"), say("user", "u"), merge_systems=True)

    assert [("system", "a\n\nb"), ("user", "u")] == [(turn["role"], turn["content"]) for turn in sent]


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(min_size=1)), min_size=1))
def test_merged_roles_alternate_and_lose_no_word(turns):
    """Neighbours of one role are one turn; order and text stay."""
    sent = messages(*(say(role, text) for role, text in turns), merge_roles=True)

    roles = [turn["role"] for turn in sent]
    assert all(first != second for first, second in pairwise(roles))
    assert "\n\n".join(text for _, text in turns) == "\n\n".join(turn["content"] for turn in sent)


def test_media_are_blocks():
    """Bytes travel as data URIs; a URL stays a URL; sound has a format."""
    sent = messages(
        say("user", (Text("see"), Image(PNG, detail="low"), Image("https://e.example/a.png"), Audio(b"ID3x")))
    )

    blocks = sent[0]["content"]
    assert ["text", "image_url", "image_url", "input_audio"] == [block["type"] for block in blocks]
    assert {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"} == blocks[1]["image_url"]
    assert ("https://e.example/a.png", "mp3") == (blocks[2]["image_url"]["url"], blocks[3]["input_audio"]["format"])


def test_a_document_has_a_name():
    """The wire wants one."""
    assert {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0="} == messages(
        say("user", (Document(b"%PDF-"),))
    )[0]["content"][0]["file"]


@pytest.mark.parametrize("part", [Document("https://e.example/a.pdf"), Audio("https://e.example/a.mp3")])
def test_a_url_the_wire_cannot_say_is_refused(part):
    """byollm fetches nothing, and Chat has no place for these URLs."""
    with pytest.raises(UnsupportedFeatureError, match="takes the bytes"):
        messages(say("user", (part,)))


def test_a_result_is_a_message_of_its_own():
    """One message a call, in order; the user's words follow."""
    sent = messages(*CALLED, say("tool", (result("call_1", "r"),)), say("user", "go on"))

    assert {"role": "tool", "tool_call_id": "call_1", "content": "r"} == sent[2]
    assert {"role": "user", "content": "go on"} == sent[3]


def test_an_image_of_a_result_follows_as_the_users():
    """A tool message can only be text."""
    sent = messages(*CALLED, say("tool", (result("call_1", (Image(PNG),)),)))

    assert ["tool", "user"] == [turn["role"] for turn in sent[2:]]
    assert isinstance(sent[2]["content"], str)
    assert "image_url" == sent[3]["content"][0]["type"]


def test_a_result_bears_its_name_where_that_is_wanted():
    """Mistral wants it; others refuse the field."""
    turns = (*CALLED, say("tool", (result("call_1", "r", name="f"),)))

    assert "f" == messages(*turns, tool_result_names=True)[2]["name"]
    assert "name" not in messages(*turns)[2]


@pytest.mark.parametrize(("word", "there"), [("omit", False), ("empty", True), ("null", True)])
def test_a_turn_that_only_calls_tools_has_the_content_the_server_wants(word, there):
    """Left out, empty, or null."""
    assert there is ("content" in messages(*CALLED, empty_content=word)[1])


def test_empty_arguments_are_an_empty_object():
    """A call without arguments must still be JSON."""
    sent = messages(say("user", "a"), say("assistant", (ToolCall("1", "f", ""),)))

    assert "{}" == sent[1]["tool_calls"][0]["function"]["arguments"]


def test_broken_arguments_are_wrapped_where_the_server_parses_them():
    """What a model wrote wrongly goes back as a JSON object that says so; elsewhere verbatim."""
    turns = say("user", "a"), say("assistant", (ToolCall("1", "f", '{"a":'),))

    assert (
        '{"_raw":"{\\"a\\":"}'
        == messages(*turns, arguments_must_parse=True)[1]["tool_calls"][0]["function"]["arguments"]
    )
    assert '{"a":' == messages(*turns)[1]["tool_calls"][0]["function"]["arguments"]


@given(st.lists(st.text(min_size=1), min_size=1, max_size=20, unique=True))
def test_ids_become_nine_letters_and_stay_paired(ids):
    """Where nine letters or digits are wanted: injective, and each result still answers its call."""
    sent = messages(
        say("user", "a"),
        say("assistant", tuple(ToolCall(id, "f") for id in ids)),
        say("tool", tuple(result(id, "r") for id in ids)),
        tool_id_format="alnum9",
    )
    called = [call["id"] for call in sent[1]["tool_calls"]]

    assert called == [turn["tool_call_id"] for turn in sent[2:]]
    assert len(set(called)) == len(ids)
    assert all(len(id) == 9 and id.isalnum() and id.isascii() for id in called)


THOUGHT = say("assistant", (Reasoning("hm", own({"field": "reasoning"})), Text("b"), ToolCall("1", "f")))


@pytest.mark.parametrize(("rule", "field", "there"), [
    ("never", "", set()), ("always", "", {"reasoning"}), ("tool_turns", "reasoning_content", {"reasoning_content"}),
])  # fmt: skip
def test_thoughts_go_back_by_rule(rule, field, there):
    """Never, always, or with tool calls; in the field they came in unless the server wants another."""
    sent = messages(say("user", "a"), THOUGHT, reasoning_replay=rule, reasoning_field=field)[1]

    assert there == {"reasoning", "reasoning_content"} & sent.keys()


def test_a_required_field_is_filled_with_nothing():
    """DeepSeek wants reasoning_content on every turn with tool calls, even when another model wrote the turn."""
    sent = messages(*CALLED, reasoning_replay="tool_turns", reasoning_required=True)[1]

    assert "" == sent["reasoning_content"]


def test_details_go_back_whole_and_in_order():
    """OpenRouter wants its reasoning_details unmodified."""
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s"}, {"type": "reasoning.encrypted", "data": "e"}]
    thought = Reasoning("hm", own({"field": "reasoning", "reasoning_details": details}))

    assert details == messages(say("assistant", (thought,)), reasoning_replay="always")[0]["reasoning_details"]


def test_thinking_chunks_stand_before_the_text():
    """Mistral's way."""
    sent = messages(
        say("assistant", (Reasoning("hm", own({"field": "content"})), Text("b"))), reasoning_replay="always"
    )

    chunk = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    assert [chunk, {"type": "text", "text": "b"}] == sent[0]["content"]


def test_a_foreign_block_of_the_user_is_refused_not_dropped():
    """Nothing a person wrote is left out in silence."""
    with pytest.raises(UnsupportedFeatureError, match="anthropic's messages dialect"):
        messages(say("user", (Text("a"), Opaque("anthropic", "messages", {"type": "x"}))))


def test_its_own_block_goes_back_verbatim():
    """A block byollm does not know returns to its provider as it came."""
    assert [{"type": "text", "text": "a"}, {"type": "video_url", "video_url": "v"}] == messages(
        say("user", (Text("a"), own({"type": "video_url", "video_url": "v"})))
    )[0]["content"]


def test_cache_marks_are_written_where_they_are_known():
    """With a lifetime when one was named."""
    turn = say("user", (Text("a", cache="1h"), Text("b", cache="default")))

    sent = messages(turn, cache_field="cache_control")[0]["content"]
    assert [{"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral"}] == [block["cache_control"] for block in sent]
    assert [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}] == messages(turn)[0]["content"]


def test_the_state_of_a_call_goes_back():
    """Google's compatible endpoint wants its signatures on the call."""
    made = ToolCall("1", "f", "{}", state=own({"extra_content": {"google": {"thought_signature": "s"}}}))

    assert {"google": {"thought_signature": "s"}} == messages(say("assistant", (made,)))[0]["tool_calls"][0][
        "extra_content"
    ]


def test_names_of_speakers_are_written():
    """The core drops them where they are not known."""
    assert "ann" == messages(say("user", "a", "ann"))[0]["name"]


def test_pictures_of_a_kind_that_is_not_read_are_refused():
    """Where the server's kinds are known; elsewhere everything is sent (conformance VIS-03)."""
    request = Request([say("user", (Image(b"II*\0", "image/tiff"),))])

    assert "image/tiff" in json.dumps(body(request))
    with pytest.raises(UnsupportedFeatureError, match="image/tiff"):
        body(request, image_types=("image/png",))


def test_documents_of_a_kind_that_is_not_read_are_refused():
    """By the beginning of their type."""
    with pytest.raises(UnsupportedFeatureError, match="application/zip"):
        body(Request([say("user", (Document(b"PK", "application/zip"),))]), refused_files=("application/zip",))
