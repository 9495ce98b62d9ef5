"""Chat Completions answers, whole and streamed, in the shapes that servers were seen to send. All bytes are our own."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from compatible_driving import call, calls_of, chunk, read, read_events, sse, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import Audio, ByollmError, Citation, Image, Opaque, ProtocolError, Reasoning, Request, Text, ToolCall

ROLE = {"role": "assistant", "content": "", "refusal": None}


def test_text_is_the_same_whole_and_streamed():
    """One reader for both."""
    assert whole({"content": "Hello!"}).parts == streamed(ROLE, {"content": "Hel"}, {"content": "lo!"}).parts


def test_a_document_in_answer_to_a_stream_is_read():
    """A server that ignores stream: true."""
    body = b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}'

    assert "hi" == read(body, headers={"content-type": "application/json"}).text


def test_id_and_model_come_from_the_first_chunk_that_has_them():
    """Azure begins with a filter report: empty id, empty model, no choices."""
    report = {"id": "", "model": "", "created": 0, "object": "", "choices": [], "prompt_filter_results": [{}]}

    reply = read(sse(report, chunk({"content": "a"}), chunk({}, "stop")))

    assert ("c", "m", "a") == (reply.id, reply.model, reply.text)


@pytest.mark.parametrize("odd", [
    {"id": "", "created": None}, {"id": None, "model": None}, {"created": 1.5}, {"id": 7},
    {"created": "now", "object": None},
])  # fmt: skip
def test_odd_ids_and_dates_never_fail(odd):
    """Empty, null, numbers, milliseconds."""
    assert "a" == whole({"content": "a"}, document=odd).text


FINISHES = {
    "stop": "stop", "eos": "stop", "eos_token": "stop", "stop_sequence": "stop", "": "stop", "length": "length",
    "model_length": "length", "content_filter": "content_filter", "error": "error", "abort": "error",
    "guardrail_intervened": "other", "tool_calls": "other",
}  # fmt: skip


@pytest.mark.parametrize(("raw", "neutral"), FINISHES.items())
def test_finish_reasons_are_neutral_and_the_raw_word_is_kept(raw, neutral):
    """Unknown words are `other`, never `stop`."""
    reply = whole({"content": "a"}, raw)

    assert (neutral, raw) == (reply.finish_reason, reply.raw_finish_reason)


@given(st.text())
def test_any_word_may_end_an_answer(word):
    """No server's word breaks the reader."""
    assert word == whole({"content": "a"}, word).raw_finish_reason


def test_a_target_may_name_its_own_finish_words():
    """`finish_reasons` adds to the table."""
    assert "length" == whole({"content": "a"}, "budget", finish_reasons={"budget": "length"}).finish_reason


@pytest.mark.parametrize("raw", ["stop", "", "tool_calls", "function_call"])
def test_tool_calls_make_the_reason_tool_calls(raw):
    """Named choices end with stop at several servers, xAI ends with an empty word."""
    reply = whole({"content": None, "tool_calls": [call("f")]}, raw)

    assert ("tool_calls", raw) == (reply.finish_reason, reply.raw_finish_reason)


def test_a_whole_answer_without_a_reason_is_not_over():
    """Conformance RSP-02: a document that does not say why it ends has no terminal marker."""
    with pytest.raises(ProtocolError, match="terminal"):
        whole({"content": "a"}, None)


def test_a_cut_answer_with_tool_calls_stays_cut():
    """`length` is not hidden by the calls."""
    assert "length" == whole({"tool_calls": [call("f", '{"a"')]}, "length").finish_reason


def test_an_empty_stream_that_was_filtered_is_an_answer():
    """Azure filters the whole answer: nothing comes but the reason."""
    reply = read(sse(chunk({}, "content_filter")))

    assert ("content_filter", ()) == (reply.finish_reason, reply.parts)


def test_a_stream_without_a_reason_is_no_answer():
    """Only a terminal marker ends an answer; [DONE] is none."""
    with pytest.raises(ProtocolError, match="no terminal marker"):
        read(sse(chunk({"content": "a"}), chunk({"content": "b"})))


def test_the_usage_chunk_ends_a_stream_where_that_is_the_way():
    """Snowflake sends no finish_reason; `usage_ends_stream` says so."""
    tail = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}

    reply = read(sse(chunk({"content": "a"}), tail), usage_ends_stream=True)

    assert ("stop", None, 2) == (reply.finish_reason, reply.raw_finish_reason, reply.usage.output_tokens)


def test_what_comes_after_the_end_is_read():
    """Usage, filter reports, empty deltas; even more of the answer, as Together was seen to send."""
    report: dict[str, Any] = {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]}
    tail = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    more = chunk({"tool_calls": [call("f")]}, "tool_calls")

    reply = read(sse(chunk({"content": "a"}, "stop"), chunk({"content": ""}, "stop"), report, more, tail))

    assert ("a", [("f", "{}")], "tool_calls", 2) == (
        reply.text,
        calls_of(reply),
        reply.finish_reason,
        reply.usage.output_tokens,
    )


@pytest.mark.parametrize("delta", [None, {}, {"content": None}, {"role": ""}, {"content": ""}, {"tool_calls": None}])
def test_empty_deltas_say_nothing(delta):
    """No empty events."""
    assert (Text("ab"),) == streamed({"content": "a"}, delta, {"content": "b"}).parts


def test_choices_may_be_missing_in_the_middle():
    """A moderation report has none."""
    assert (
        "ab"
        == read(sse(chunk({"content": "a"}), {"choices": [], "moderation": {}}, chunk({"content": "b"}, "stop"))).text
    )


@pytest.mark.parametrize("choices", [[], None])
def test_a_document_without_a_choice_is_no_answer(choices):
    """OpenRouter was seen to send one: it is an error that may pass."""
    with pytest.raises(ProtocolError, match="no choice") as caught:
        whole({}, document={"choices": choices})
    assert caught.value.retryable


@pytest.mark.parametrize("second", [{"index": 1, "delta": {"content": "b"}}, {"index": 2, "delta": {}}])
def test_a_second_choice_breaks_the_rules(second):
    """One answer was asked for."""
    with pytest.raises(ProtocolError, match="more than one choice"):
        read(sse(chunk({"content": "a"}), {"choices": [second]}))


REFUSED = [{"content": None, "refusal": "I can't help with that."}]


def test_a_refusal_is_not_the_text():
    """The words are kept apart, and go back as the block they are."""
    reply = whole(REFUSED[0])

    assert ("refusal", "") == (reply.finish_reason, reply.text)
    assert (Opaque("custom", "chat", {"type": "refusal", "refusal": "I can't help with that."}),) == reply.parts
    assert reply.parts == streamed(ROLE, {"refusal": "I can't "}, {"refusal": "help with that."}).parts


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_read_from_either_field(field):
    """Two names are in use."""
    reply = whole({"content": "b", field: "hm"})

    assert ("hm", "b") == (reply.reasoning, reply.text)
    assert reply.parts == streamed({field: "h"}, {field: "m"}, {"content": "b"}).parts


def test_the_same_thought_in_two_fields_is_taken_once():
    """Some send both, and details besides."""
    details = [{"type": "reasoning.text", "text": "hm", "index": 0}]

    assert (
        "hm"
        == whole({"content": "b", "reasoning": "hm", "reasoning_content": "hm", "reasoning_details": details}).reasoning
    )


def test_details_are_kept_whole_though_they_come_in_pieces():
    """A signature that comes last belongs to the text before it."""
    first = {"reasoning": "h", "reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0}]}
    second = {"reasoning": "m", "reasoning_details": [{"type": "reasoning.text", "text": "m", "index": 0}]}
    third = {"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]}
    kept = [{"type": "reasoning.text", "text": "hm", "index": 0, "signature": "s"}]

    reply = streamed(first, second, third, {"content": "b"})

    assert (
        Reasoning("hm", Opaque("custom", "chat", {"field": "reasoning", "reasoning_details": kept})),
        Text("b"),
    ) == reply.parts


def test_content_may_be_a_list():
    """Mistral's thinking chunks, text, and a block nobody described."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    content = [thinking, {"type": "text", "text": "b"}, {"type": "reference", "reference_ids": [1]}]

    reply = whole({"content": content})

    assert ("hm", "b") == (reply.reasoning, reply.text)
    assert Opaque("custom", "chat", content[2]) == reply.parts[2]
    assert reply.parts == streamed(*({"content": [block]} for block in content)).parts


def test_content_may_be_a_json_value():
    """A grammar's answer (TGI)."""
    assert '{"a":1}' == whole({"content": {"a": 1}}).text


THINKING = "<think>\nhm, so\n</think>\n\nYes <b>."


@given(st.sets(st.integers(1, len(THINKING) - 1)))
def test_think_tags_are_parted_wherever_they_are_cut(cuts):
    """For servers without a parser of their own."""
    edges = [0, *sorted(cuts), len(THINKING)]
    pieces = [THINKING[start:end] for start, end in pairwise(edges)]

    reply = streamed(*({"content": piece} for piece in pieces), think_tags=True)

    assert ("hm, so\n", "Yes <b>.") == (reply.reasoning, reply.text)


def test_think_tags_are_text_unless_the_target_says_so():
    """byollm does not guess."""
    assert THINKING == whole({"content": THINKING}).text


def test_citations_are_parts():
    """Annotations of the message; or sources beside it, each chunk repeating them all."""
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://e.example", "title": "E", "start_index": 0, "end_index": 3},
    }
    sources = {"search_results": [{"url": "https://p.example", "title": "P", "date": None}]}

    assert Citation(None, "https://e.example", "E", 0, 3) == whole({"content": "abc", "annotations": [cited]}).parts[1]
    reply = read(sse(chunk({"content": "a"}, **sources), chunk({}, "stop", **sources)))
    assert (Text("a"), Citation(None, "https://p.example", "P")) == reply.parts


def test_made_images_and_sound_are_parts():
    """An image arrives whole, sound in pieces of base64."""
    url = "data:image/png;base64,iVBORw0KGgo="
    reply = streamed({"content": "a"}, {"images": [{"type": "image_url", "image_url": {"url": url}}]})
    assert (Text("a"), Image(url)) == reply.parts

    spoken = {"id": "audio_1", "transcript": "hi"}
    asked = Request("hi", extra={"custom": {"audio": {"format": "mp3"}}})
    sound = streamed(
        {"audio": {**spoken, "data": "YQ=="}}, {"audio": {"data": "Yg=="}}, {"audio": {"expires_at": 9}}, request=asked
    )
    assert Audio(b"ab", "audio/mpeg", state=Opaque("custom", "chat", {**spoken, "expires_at": 9})) == sound.parts[0]


def test_fields_a_server_wants_back_are_kept():
    """Google's compatible endpoint signs messages."""
    assert (
        Opaque("custom", "chat", {"thought_signature": "s"})
        == whole({"content": "a", "thought_signature": "s"}).parts[1]
    )


def test_parts_have_one_order_whatever_came_first():
    """Reasoning, text, calls, and then the rest: streams interleave them."""
    reply = streamed({"tool_calls": [call("f", index=0)]}, {"content": "b"}, {"reasoning": "hm"}, finish="tool_calls")

    assert [Reasoning, Text, ToolCall] == [type(part) for part in reply.parts]


NOT_ANSWERS = [
    b"[1]", b"7", b'"text"', b'{"choices":5}', b'{"choices":[5]}',
    b'{"choices":[{"message":5,"finish_reason":"stop"}]}',
    b'{"choices":[{"message":{"tool_calls":[5]}}]}',
    b'{"choices":[{"message":{"tool_calls":[{"function":{"arguments":"x"}}]}}]}',
    b'{"choices":[{"message":{"audio":{"data":"%%"}},"finish_reason":"stop"}]}',
]  # fmt: skip


@pytest.mark.parametrize("data", NOT_ANSWERS)
def test_what_is_not_an_answer_is_a_protocol_error(data):
    """Hostile shapes raise byollm's error and nothing else."""
    with pytest.raises(ProtocolError):
        read(data, stream=False)


KEYS = [
    "choices", "delta", "message", "content", "tool_calls", "function", "usage", "error", "index", "type",
    "finish_reason", "reasoning_details", "annotations", "audio", "id", "name", "arguments",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@given(st.lists(JSON, min_size=1, max_size=4))
def test_any_json_is_read_or_refused(frames):
    """Whatever a server sends becomes events or one of our errors."""
    with suppress(ByollmError):
        list(read_events([sse(*frames)]))


TURN = sse(
    chunk(ROLE), chunk({"reasoning": "hm"}), chunk({"content": "wörd ✓ "}), chunk({"content": "two"}),
    chunk({"tool_calls": [call("f", '{"a"', index=0)]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
    chunk({}, "tool_calls"), {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
)  # fmt: skip


@given(st.sets(st.integers(1, len(TURN) - 1)), st.booleans())
def test_the_cut_of_the_bytes_changes_nothing(cuts, crlf):
    """Any cut, and CRLF as well as LF."""
    data = TURN.replace(b"\n", b"\r\n") if crlf else TURN
    edges = [0, *sorted(cuts), len(data)]

    reply = read([data[start:end] for start, end in pairwise(edges)])

    assert ("hm", "wörd ✓ two", [("f", '{"a": 1}')]) == (reply.reasoning, reply.text, calls_of(reply))
    assert (5, 7, "tool_calls") == (reply.usage.input_tokens, reply.usage.output_tokens, reply.finish_reason)
