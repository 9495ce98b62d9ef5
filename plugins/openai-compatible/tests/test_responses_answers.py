"""Responses answers, whole and streamed. All documents are our own."""

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from compatible_driving import calls_of, read, read_events, sse
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import (
    ByollmError,
    Citation,
    Image,
    Opaque,
    ProtocolError,
    QuotaExhaustedError,
    RateLimitError,
    Reasoning,
    RequestTooLargeError,
    ServerError,
    Text,
    ToolCall,
)


def own(data):
    return Opaque("custom", "responses", data)


def message(text="Hello", id="msg_1", **more):
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": id, "role": "assistant", "status": "completed", "content": [part], **more}


THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
    "encrypted_content": "gAAA",
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": '{"x": 1}',
    "status": "completed",
}
USAGE = {
    "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 30,
}  # fmt: skip


def response(*output, status="completed", **more):
    return {
        "id": "resp_1",
        "object": "response",
        "model": "m",
        "status": status,
        "output": list(output),
        "usage": USAGE,
        **more,
    }


def whole(*output, **more):
    return read(json.dumps(response(*output, **more)).encode(), stream=False, api="responses")


def event(kind, place=0, **fields):
    return {"type": f"response.{kind}", "output_index": place, **fields}


def grown(*output, pieces=3, end="completed", last=None):
    """The events that build these items."""
    yield {"type": "response.created", "response": {**response(status="in_progress"), "usage": None}}
    for place, item in enumerate(output):
        yield event("output_item.added", place, item={**item, "content": [], "summary": [], "arguments": ""})
        yield from _deltas(place, item, pieces)
        yield event("output_item.done", place, item=item)
    yield {"type": f"response.{end}", "response": last or response(*output)}


def _deltas(place, item, pieces):
    for number, part in enumerate(item.get("content") or ()):
        for text in cut(part.get("text", ""), pieces):
            yield event("output_text.delta", place, content_index=number, delta=text)
    for number, part in enumerate(item.get("summary") or ()):
        yield event("reasoning_summary_text.delta", place, summary_index=number, delta=part["text"])
    for text in cut(item.get("arguments", ""), pieces):
        yield event("function_call_arguments.delta", place, delta=text)


def cut(text, pieces):
    edges = sorted({len(text) * number // pieces for number in range(pieces + 1)})
    return [text[start:end] for start, end in pairwise(edges)]


def streamed(*events):
    return read(sse(*events, done=False, names=True), api="responses")


ALL = (THOUGHT, message("Let me see", "msg_1", phase="commentary"), CALL, message("Hello", "msg_2"))


def test_items_become_parts_in_their_order():
    """Reasoning, text, a call, more text; the state is what must go back."""
    reply = whole(*ALL)

    assert [Reasoning, Text, ToolCall, Text] == [type(part) for part in reply.parts]
    assert ("a\n\nb", own(THOUGHT)) == (reply.parts[0].text, reply.parts[0].state)
    assert "commentary" == reply.parts[1].state.data["item"]["phase"]
    assert ToolCall("call_1", "f", '{"x": 1}', state=own({"id": "fc_1", "status": "completed"})) == reply.parts[2]
    assert ("resp_1", "m", "tool_calls", "completed") == (
        reply.id,
        reply.model,
        reply.finish_reason,
        reply.raw_finish_reason,
    )


def test_stream_and_document_are_equal():
    """Whatever grew before our eyes, and whatever came whole."""
    reply = whole(*ALL)

    assert reply == streamed(*grown(*ALL))
    assert reply == streamed(*grown(*ALL, last=response()))
    assert reply == streamed({"type": "response.completed", "response": response(*ALL)})


def test_usage_is_told_at_the_end():
    """Cached inside the input, reasoning inside the output."""
    usage = whole(message()).usage

    assert (10, 20, 4, 5) == (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens)


ENDS = [
    ({}, "stop", "completed"),
    ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length", "max_output_tokens"),
    ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter", "content_filter"),
    ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, "other", "steered"),
    ({"status": "incomplete", "incomplete_details": None}, "other", "incomplete"),
    ({"status": "cancelled"}, "other", "cancelled"),
]


@pytest.mark.parametrize(("fields", "neutral", "raw"), ENDS)
def test_why_it_ended(fields, neutral, raw):
    """Neutral words, and the provider's own."""
    reply = whole(message(), **fields)

    assert (neutral, raw) == (reply.finish_reason, reply.raw_finish_reason)


def test_a_refusal_is_not_the_text():
    """It is kept as the item it was."""
    refused = {**message(), "content": [{"type": "refusal", "refusal": "No."}]}
    deltas = [event("refusal.delta", content_index=0, delta="No.")]

    reply = whole(refused)

    assert ("refusal", "", own(refused)) == (reply.finish_reason, reply.text, reply.parts[0])
    assert reply == streamed({"type": "response.created", "response": response()}, *deltas, *list(grown(refused))[-2:])


@pytest.mark.parametrize(("error", "kind"), [
    ({"code": "insufficient_quota", "message": "quota"}, QuotaExhaustedError),
    ({"code": "server_error", "message": "x"}, ServerError),
    ({"code": "rate_limit_exceeded", "message": "x"}, RateLimitError), (None, ServerError),
])  # fmt: skip
def test_a_failed_response_raises(error, kind):
    """Inside a 200, whole or streamed."""
    failed = response(status="failed", error=error)

    with pytest.raises(kind):
        read(json.dumps(failed).encode(), stream=False, api="responses")
    with pytest.raises(kind):
        streamed({"type": "response.failed", "response": failed})


@pytest.mark.parametrize("flat", [True, False])
def test_an_error_event_raises(flat):
    """With and without a wrapper."""
    error = {"code": "rate_limit_exceeded", "type": "tokens", "message": "Request too large for m", "param": None}
    event = {**error, "type": "error", "sequence_number": 2} if flat else {"type": "error", "error": error}

    with pytest.raises(RequestTooLargeError):
        streamed({"type": "response.created", "response": response()}, event)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_answer_in_the_background_is_none(status):
    """byollm does not come back for it."""
    with pytest.raises(ProtocolError, match=status):
        whole(status=status)


def test_a_stream_without_its_terminal_event_is_no_answer():
    """[DONE] is none."""
    with pytest.raises(ProtocolError, match="no terminal marker"):
        read(sse(*list(grown(message()))[:-1]), api="responses")


def test_sources_are_parts_and_stay_with_their_text():
    """Citations for the reader, annotations for the way back."""
    cited = {"type": "url_citation", "url": "https://e.example", "title": "E", "start_index": 0, "end_index": 3}
    item = message()
    item["content"][0]["annotations"] = [cited]

    reply = whole(item)

    assert Citation(None, "https://e.example", "E", 0, 3) == reply.parts[1]
    assert [cited] == reply.parts[0].state.data["part"]["annotations"]
    assert reply == streamed(*grown(item))


def test_hosted_tools_and_unknown_items_are_kept_whole():
    """They go back as they came; a made image can be looked at."""
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "q"}}
    painted = {"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo=", "output_format": "webp"}

    reply = whole(search, painted, {"type": "some_future_type"})

    image = Image("data:image/webp;base64,iVBORw0KGgo=", state=own(painted))
    assert (own(search), image, own({"type": "some_future_type"})) == reply.parts


def test_a_custom_tools_input_is_its_text():
    """The state says how it goes back."""
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "f", "input": "plain words"}

    assert (
        ToolCall("call_1", "f", "plain words", state=own({"type": "custom_tool_call", "id": "ctc_1"}))
        == whole(item).parts[0]
    )


def test_a_call_without_an_id_gets_one():
    """Never empty."""
    assert "call_1" == whole({"type": "function_call", "name": "f", "arguments": ""}).tool_calls[0].id


def test_raw_reasoning_is_read_when_there_is_no_summary():
    """Open models show what they think."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    delta = event("reasoning_text.delta", content_index=0, delta="hm")

    assert "hm" == whole(item).reasoning
    assert whole(item) == streamed({"type": "response.created", "response": response()}, delta, *list(grown(item))[-2:])


STREAM = sse(*grown(*ALL), done=False, names=True)


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_the_cut_of_the_bytes_changes_nothing(cuts):
    """Any cut."""
    pieces = [STREAM[start:end] for start, end in pairwise([0, *sorted(cuts), len(STREAM)])]

    assert whole(*ALL) == read(pieces, api="responses")


KEYS = [
    "type",
    "response",
    "output",
    "item",
    "content",
    "delta",
    "output_index",
    "status",
    "error",
    "object",
    "name",
    "summary",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.sampled_from(["response.completed", "response.output_item.done", "message", "function_call", "reasoning"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON, min_size=1, max_size=4))
def test_any_json_is_read_or_refused(frames):
    """Whatever a server sends becomes events or one of our errors."""
    with suppress(ByollmError):
        list(read_events([sse(*frames)], api="responses"))


def test_calls_are_told_as_they_begin():
    """A call is known by name before its arguments are whole."""
    events = list(read_events([sse(*grown(CALL), done=False)], api="responses"))

    assert ["Started", "ToolCallStarted", *["ToolCallDelta"] * 3] == [type(item).__name__ for item in events[:5]]
    assert [("f", '{"x": 1}')] == calls_of(whole(CALL))


def test_items_without_a_place_are_told_apart_by_their_ids():
    """llama.cpp sends no output_index: two calls that grow one after the other stay two."""
    calls = [
        {**CALL, "id": f"fc_{each}", "call_id": f"call_{each}", "arguments": f'{{"x": {each}}}'} for each in (1, 2)
    ]
    begun = [{"type": "response.output_item.added", "item": {**call, "arguments": ""}} for call in calls]
    grown = [
        {"type": "response.function_call_arguments.delta", "item_id": call["id"], "delta": call["arguments"]}
        for call in calls
    ]
    done = [{"type": "response.output_item.done", "item": call} for call in calls]
    last = {"type": "response.completed", "response": response(*calls)}
    stream = sse(begun[0], grown[0], begun[1], grown[1], *done, last, names=True, done=False)

    assert [("f", '{"x": 1}'), ("f", '{"x": 2}')] == calls_of(read(stream, api="responses"))


def test_two_parts_in_one_place_break_the_rules():
    """Conformance RSP-09: the server's mistake is a ProtocolError, not the plugin's."""
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"}
    item = {"type": "image_generation_call", "id": "ig", "result": "aGk="}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}

    with pytest.raises(ProtocolError, match="in one place"):
        read(sse({"type": "response.created", "response": {}}, delta, done), api="responses")


def test_an_answers_id_is_a_text():
    """Junk in its place is no id."""
    reply = read(json.dumps({"object": "response", "id": {"a": 1}, "status": "completed"}).encode(), api="responses")

    assert reply.id is None
