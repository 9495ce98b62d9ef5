"""A request as a Responses body, for whichever server speaks the dialect."""

from typing import Any

import pytest
from compatible_driving import body, items, result, say

from byollm.plugin import (
    Audio,
    Document,
    Image,
    Opaque,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    UnsupportedFeatureError,
)

PNG = b"\x89PNG\r\n\x1a\n"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def sent(request, **fields):
    return body(request, api="responses", **fields)


def own(data):
    return Opaque("custom", "responses", data)


def test_store_is_always_false_unless_asked():
    """The provider would keep the exchange for weeks."""
    assert {"model": "m", "input": [{"role": "user", "content": "hi"}], "store": False} == sent("hi")
    assert sent(Request("hi", store=True))["store"] is True


def test_nothing_is_cut_in_silence():
    """`truncation: auto` drops the oldest turns; it is never sent."""
    assert "truncation" not in sent("hi")


def test_the_system_text_is_the_instructions():
    """And system messages in the conversation stay where they are."""
    made = sent(Request([say("developer", "d"), say("user", "u")], system=(Text("a"), Text("b"))))

    assert ("a\n\nb", "developer") == (made["instructions"], made["input"][0]["role"])


def test_an_empty_conversation_has_an_empty_question():
    """An empty input is refused even beside instructions."""
    assert [{"role": "user", "content": ""}] == sent(Request((), system="s"))["input"]


def test_tools_are_flat_and_always_say_whether_they_are_strict():
    """Left out, it would mean true."""
    made = sent(Request("hi", tools=[Tool("f", "d", SCHEMA)], tool_choice="f"))

    assert [{"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": False}] == made[
        "tools"
    ]
    assert {"type": "function", "name": "f"} == made["tool_choice"]


def test_effort_schema_and_verbosity_have_their_places():
    """`reasoning.effort`, `text.format`, `text.verbosity`."""
    made = sent(Request("hi", reasoning_effort="low", output_schema=SCHEMA, verbosity="high", max_tokens=20))

    form = {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": False}
    assert ({"effort": "low"}, {"format": form, "verbosity": "high"}, 20) == (
        made["reasoning"],
        made["text"],
        made["max_output_tokens"],
    )


def test_encrypted_reasoning_is_asked_for_where_it_may_come():
    """Stateless conversations must send it back; a model that does not reason refuses the question."""
    assert "include" not in sent("hi")
    assert ["reasoning.encrypted_content"] == sent("hi", encrypted_reasoning=True)["include"]
    assert "include" not in sent(Request("hi", reasoning_effort="none"), encrypted_reasoning=True)


@pytest.mark.parametrize(
    "parameter", [{"stop": "x"}, {"logit_bias": {"1": 2}}, {"prefill": True}, {"n": 2}, {"logprobs": 1}]
)
def test_what_the_dialect_has_no_word_for_is_refused(parameter):
    """`fit()` comes first and adapts what it may; the rest never gets lost in silence."""
    with pytest.raises(UnsupportedFeatureError):
        sent(Request("hi", **parameter))


def test_media_are_input_blocks():
    """Images with a detail, documents by bytes or URL, sound with its format."""
    parts = (
        Text("see"),
        Image(PNG),
        Document(b"%PDF-", name="a.pdf"),
        Document("https://e.example/b.pdf"),
        Audio(b"ID3"),
    )

    content = items(say("user", parts))[0]["content"]

    assert ["input_text", "input_image", "input_file", "input_file", "input_audio"] == [
        block["type"] for block in content
    ]
    assert ("auto", "a.pdf", "https://e.example/b.pdf", "mp3") == (
        content[1]["detail"],
        content[2]["filename"],
        content[3]["file_url"],
        content[4]["input_audio"]["format"],
    )


def test_calls_and_results_are_items():
    """Paired by call_id; a result may hold an image here."""
    made = items(
        say("user", "a"),
        say(
            "assistant",
            (Text("b"), ToolCall("call_1", "f", '{"x": 1}', state=own({"id": "fc_1", "status": "completed"}))),
        ),
        say("tool", (result("call_1", (Text("r"), Image(PNG))),)),
    )

    called = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"x": 1}'}
    assert [{"role": "assistant", "content": "b"}, {**called, "id": "fc_1", "status": "completed"}] == made[1:3]
    assert ("function_call_output", "call_1", "input_image") == (
        made[3]["type"],
        made[3]["call_id"],
        made[3]["output"][1]["type"],
    )


REASONING: dict[str, Any] = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "encrypted_content": "gAAA",
    "status": None,
}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "final_answer"}


def test_what_the_dialect_made_goes_back_as_it_came():
    """Reasoning byte for byte, ids, phases and hosted tools, in their order."""
    hosted = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    texts = (
        Text("a", state=own({"item": MESSAGE, "part": {"annotations": [1]}})),
        Text("b", state=own({"item": MESSAGE})),
    )

    made = items(say("assistant", (Reasoning("", own(REASONING)), own(hosted), *texts)))

    assert [REASONING, hosted] == made[:2]
    content = [{"type": "output_text", "text": text, "annotations": kept} for text, kept in (("a", [1]), ("b", []))]
    assert {**MESSAGE, "content": content} == made[2]


def test_reasoning_of_others_stays_out():
    """Text without state cannot be an item, and another's state is not ours to send."""
    made = items(
        say("assistant", (Reasoning("hm"), Reasoning("x", Opaque("other", "responses", REASONING)), Text("b")))
    )

    assert [{"role": "assistant", "content": "b"}] == made


def test_two_turns_of_text_stay_two():
    """Texts of one turn are one message, turns are not joined."""
    made = items(say("assistant", (Text("a"), Text("b"))), say("assistant", "c"))

    assert ["ab", "c"] == [item["content"] for item in made]


def test_what_came_in_chats_words_is_said_in_ours():
    """`Request.from_openai` keeps response_format in `extra`; here it is text.format."""
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    extra = {"custom": {"response_format": form, "stream_options": {"include_usage": True}}}

    made = sent(Request("hi", extra=extra))

    assert {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}} == made["text"]
    assert not {"response_format", "stream_options"} & made.keys()


def test_a_marked_system_prompt_is_a_message():
    """`instructions` are one text and have no place for a cache mark (conformance CCH-01)."""
    sent = body(
        Request("hi", system=[Text("long", cache="default"), Text("short")]),
        api="responses",
        cache_field="prompt_cache_breakpoint",
    )

    assert "instructions" not in sent
    assert [{"mode": "explicit"}, None] == [part.get("prompt_cache_breakpoint") for part in sent["input"][0]["content"]]
