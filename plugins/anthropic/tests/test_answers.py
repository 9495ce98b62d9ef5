"""Answers: whole messages and streams, read into the same events."""

import json

import pytest
from anthropic_driving import block, completion, document, ended, events, result, say, sse, started

from byollm.plugin import (
    Citation,
    Finished,
    Opaque,
    OverloadedError,
    Reasoning,
    Request,
    StateAttached,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    Usage,
)

STOP = {"type": "message_stop"}
CITED = {
    "type": "web_search_result_location",
    "cited_text": "It rained.",
    "url": "https://example.com",
    "title": "News",
}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "rain"}}


def state(data):
    return Opaque("anthropic", "messages", data)


def streamed(*blocks, reason="end_turn", **usage):
    return sse(started(), *[frame for made in blocks for frame in made], *ended(reason, **usage))


def both(content, blocks, reason="end_turn"):
    """The two completions of one answer: whole, and streamed."""
    return completion(document(content, reason)), completion(streamed(*blocks, reason=reason), stream=True)


def text_delta(text):
    return {"type": "text_delta", "text": text}


def json_delta(piece):
    return {"type": "input_json_delta", "partial_json": piece}


def test_a_whole_message_is_read():
    """Text, id, model, reason and usage."""
    reply = completion(document([{"type": "text", "text": "hello"}]))

    assert (reply.text, reply.id, reply.model) == ("hello", "msg_1", "claude-opus-5")
    assert (reply.finish_reason, reply.raw_finish_reason) == ("stop", "end_turn")
    assert reply.usage == Usage(5, 7)


def test_text_is_the_same_whole_and_streamed():
    """Pieces add up, pings and unknown events change nothing."""
    whole, stream = both(
        [{"type": "text", "text": "hello"}],
        [
            [{"type": "ping"}, {"type": "something_new", "x": 1}],
            block(0, {"type": "text", "text": ""}, text_delta("hel"), {"type": "new_delta"}, text_delta("lo")),
        ],
    )

    assert whole == stream


def test_tool_calls_are_the_same_whole_and_streamed():
    """Two calls with their own arguments; none at all are `{}` both ways."""
    first = {"type": "tool_use", "id": "t1", "name": "f"}
    second = {"type": "tool_use", "id": "t2", "name": "g", "input": {}}
    whole, stream = both(
        [{**first, "input": {"city": "Oslo"}}, second],
        [
            block(0, {**first, "input": {}}, json_delta(""), json_delta('{"city":'), json_delta('"Oslo"}')),
            block(1, second),
        ],
        "tool_use",
    )

    assert whole == stream
    assert whole.tool_calls == (ToolCall("t1", "f", '{"city":"Oslo"}'), ToolCall("t2", "g", "{}"))
    assert whole.finish_reason == "tool_calls"


def test_blocks_may_interleave():
    """Pieces go to the block they name."""
    one, two = (
        block(0, {"type": "text", "text": ""}, text_delta("a")),
        block(1, {"type": "text", "text": ""}, text_delta("b")),
    )
    frames = [one[0], two[0], two[1], one[1], two[2], one[2]]

    assert completion(streamed(frames), stream=True).text == "ab"


def test_thinking_keeps_its_signature():
    """Text, signature and the order of blocks are the same both ways, and go back as they came."""
    thinking = {"type": "thinking", "thinking": "so so", "signature": "sig=="}
    whole, stream = both(
        [thinking, {"type": "text", "text": "hello"}],
        [
            block(
                0,
                {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "thinking_delta", "thinking": "so "},
                {"type": "thinking_delta", "thinking": "so"},
                {"type": "signature_delta", "signature": "sig=="},
            ),
            block(1, {"type": "text", "text": ""}, text_delta("hello")),
        ],
    )

    assert whole == stream
    assert whole.parts[0] == Reasoning("so so", state({"signature": "sig=="}))


def test_thinking_that_is_not_shown_is_kept():
    """Newer models send the signature alone; without the block the next request would be refused."""
    whole, stream = both(
        [{"type": "thinking", "thinking": "", "signature": "s"}],
        [block(0, {"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "s"})],
    )

    assert whole == stream
    assert whole.parts == (Reasoning("", state({"signature": "s"})),)


def test_unsigned_thinking_is_shown_and_has_no_state():
    """Servers other than Anthropic's sign nothing."""
    reply = completion(document([{"type": "thinking", "thinking": "hm"}, {"type": "thinking", "thinking": ""}]))

    assert reply.parts == (Reasoning("hm"),)


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "redacted_thinking", "data": "AA=="},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"type": "web_search_result"}]},
        {"type": "a_block_of_tomorrow", "anything": {"nested": [1]}},
    ],
)
def test_blocks_without_a_neutral_form_are_kept_as_they_came(wire):
    """Redacted thinking, server tools and what nobody knows yet."""
    whole, stream = both([wire], [block(0, wire)])

    assert whole == stream
    assert whole.parts == (state(wire),)


def test_a_server_tools_input_is_put_together():
    """It streams like a client tool's, and arrives as one block."""
    whole, stream = both([SEARCH], [block(0, {**SEARCH, "input": {}}, json_delta('{"query":'), json_delta('"rain"}'))])

    assert whole == stream


def test_a_compaction_arrives_in_one_delta():
    """Its fields are set, as the vendor's SDK sets them."""
    made = {"type": "compaction", "content": "summary"}
    whole, stream = both(
        [made], [block(0, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "summary"})]
    )

    assert whole == stream


def test_citations_are_parts_and_stay_with_their_text():
    """Each says which stretch of the text leans on it; the text carries them back to Claude."""
    wire = {"type": "text", "text": "Wet.", "citations": [CITED]}
    whole, stream = both(
        [{"type": "text", "text": "So: "}, wire, {"type": "text", "text": " Bye."}],
        [
            block(0, {"type": "text", "text": ""}, text_delta("So: ")),
            block(
                1,
                {"type": "text", "text": "", "citations": []},
                text_delta("Wet."),
                {"type": "citations_delta", "citation": CITED},
            ),
            block(2, {"type": "text", "text": "", "citations": None}, text_delta(" Bye.")),
        ],
    )

    assert whole == stream
    assert whole.parts[1] == Text("Wet.", state=state({"citations": [CITED]}))
    assert whole.parts[3:] == (Citation("It rained.", "https://example.com", "News", 4, 8, state(CITED)),)
    assert whole.text[4:8] == "Wet."


def test_a_tool_called_by_a_program_keeps_its_caller():
    """The server wants to see it again; the ordinary caller is the default and says nothing."""
    by_code = {"type": "code_execution_20260120", "tool_id": "srv_1"}
    calls = [{"type": "tool_use", "id": str(at), "name": "f", "input": {}, "caller": caller} for at, caller in
             enumerate([by_code, {"type": "direct"}])]  # fmt: skip
    reply = completion(document(calls, "tool_use"))

    assert [state({"caller": by_code}), None] == [call.state for call in reply.tool_calls]


def test_tool_names_come_back_as_the_caller_wrote_them():
    """What was sent under a legal name is answered under the caller's."""
    request = Request("hi", tools=[Tool("a/b")])
    from anthropic_driving import body

    legal = body(request)["tools"][0]["name"]
    reply = completion(
        document([{"type": "tool_use", "id": "t", "name": legal, "input": {}}], "tool_use"), request=request
    )

    assert ["a/b"] == [call.name for call in reply.tool_calls]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", "other"),
        ("compaction", "other"),
        ("a_reason_of_tomorrow", "other"),
    ],
)
def test_every_stop_reason_has_a_neutral_word(raw, reason):
    """The provider's own word is kept beside it."""
    whole, stream = both([], [], raw)

    assert whole == stream
    assert (whole.finish_reason, whole.raw_finish_reason) == (reason, raw)


def test_an_answer_that_calls_a_tool_says_so():
    """Servers that say end_turn beside a tool call mean tool_calls."""
    reply = completion(document([{"type": "tool_use", "id": "t", "name": "f", "input": {}}], "end_turn"))

    assert (reply.finish_reason, reply.raw_finish_reason) == ("tool_calls", "end_turn")


def test_usage_counts_the_whole_prompt():
    """The wire leaves what a cache gave or took out of input_tokens."""
    usage = {
        "input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4}, "service_tier": "standard", "inference_geo": None,
    }  # fmt: skip
    found = completion(document(usage=usage)).usage

    assert (found.input_tokens, found.cached_tokens, found.cache_write_tokens) == (125, 100, 20)
    assert (found.output_tokens, found.reasoning_tokens) == (9, 4)
    assert found.details == {"service_tier": "standard", "output_tokens_details": {"thinking_tokens": 4}}


def test_streamed_usage_is_cumulative_and_its_fields_survive():
    """A later report overwrites, and what it leaves out stays as it was."""
    start = started(usage={"input_tokens": 5, "cache_read_input_tokens": 10, "output_tokens": 1})
    reply = completion(sse(start, *ended(input_tokens=6, server_tool_use={"web_search_requests": 1})), stream=True)

    assert (reply.usage.input_tokens, reply.usage.cached_tokens, reply.usage.output_tokens) == (16, 10, 7)
    assert reply.usage.details == {"server_tool_use": {"web_search_requests": 1}}


def test_what_a_refusal_and_a_stop_string_tell_is_kept():
    """Fields without a neutral name stand in the details, the same both ways."""
    details = {"type": "refusal", "category": "cyber", "explanation": None}
    ending = {"stop_reason": "refusal", "stop_details": details, "stop_sequence": "END"}
    frames = [started(), {"type": "message_delta", "usage": {"output_tokens": 7}, "delta": ending}, STOP]
    whole = completion(document([], "refusal", stop_details=details, stop_sequence="END"))

    assert whole == completion(sse(*frames), stream=True)
    assert whole.usage.details == {"stop_sequence": "END", "stop_details": details}


def test_a_document_answers_a_streamed_request():
    """Servers that ignore `stream: true` are read all the same."""
    whole = document([{"type": "text", "text": "hello"}])

    assert completion(whole) == completion(whole, stream=True, content_type="application/json")


def test_a_whole_message_in_one_event_is_read():
    """Some recorders and gateways dump it so."""
    wire = document([{"type": "text", "text": "hello"}])

    assert completion(wire) == completion(b"event: message\ndata: " + wire + b"\n\n", stream=True)


def test_only_message_stop_ends_a_stream():
    """A stream cut after its last delta has no Finished, so the core reports an interruption."""
    frames = [started(), *block(0, {"type": "text", "text": ""}, text_delta("a")), *ended()]

    assert not any(isinstance(event, Finished) for event in events(sse(*frames[:-1]), stream=True))
    assert isinstance(events(sse(*frames), stream=True)[-1], Finished)


def test_a_message_without_a_reason_is_not_finished():
    """A whole message must say why it stopped."""
    assert not any(isinstance(event, Finished) for event in events(document([], None)))


def test_an_error_in_a_stream_is_raised_after_what_came_before():
    """The provider's own class, and the text before it was already given out."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    frames = [started(), *block(0, {"type": "text", "text": ""}, text_delta("a"))[:2], error]

    with pytest.raises(OverloadedError, match="Overloaded") as raised:
        events(sse(*frames), stream=True)
    assert (raised.value.code, raised.value.request_id, raised.value.retryable) == ("overloaded_error", "req_1", True)
    assert TextDelta(0, "a") in events(sse(*frames[:-1]), stream=True)


def test_a_reply_goes_back_as_it_came():
    """Answer, next request, same blocks: thinking, cited text, server tools and calls."""
    from anthropic_driving import body

    content = [
        {"type": "thinking", "thinking": "so", "signature": "s"},
        SEARCH,
        {"type": "text", "text": "Wet.", "citations": [CITED]},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": [1, None, "ä"]}},
    ]
    reply = completion(document(content, "tool_use"))
    again = Request([say("user", "hi"), reply.message, say("tool", (result("t1", "x"),))])

    assert json.loads(json.dumps(content)) == body(again)["messages"][1]["content"]
    assert any(isinstance(event, StateAttached) for event in events(document(content, "tool_use")))
