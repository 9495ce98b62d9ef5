"""Responses answers whose items were not all finished before the answer was, and in other servers' forms."""

import json

import pytest
from compatible_driving import calls_of, read, sse

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": '{"x":1}', "status": "done"}
CITED = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1}
TEXT = {"type": "output_text", "text": "Hello", "annotations": [CITED]}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": [TEXT]}
DELTA = {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "Hel"}
BEGUN = {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}}


def response(*output, status="completed"):
    return {"id": "r", "object": "response", "model": "m", "status": status, "output": list(output)}


def whole(*output):
    return read(json.dumps(response(*output)).encode(), stream=False, api="responses")


def streamed(*events, last):
    done = {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT}
    return read(sse(done, *events, {"type": "response.completed", "response": last}, names=True), api="responses")


@pytest.mark.parametrize(("events", "item"), [((), MESSAGE), ((DELTA,), MESSAGE), ((), CALL), ((BEGUN,), CALL)])
def test_an_item_that_its_stream_never_finished_is_read_from_the_answers_end(events, item):
    """Cut by its limit, a stream ends without its last item's end: nothing that the answer holds of it is lost."""
    reply = streamed(*events, last=response(THOUGHT, item))

    assert (whole(THOUGHT, item).parts, whole(THOUGHT, item).finish_reason) == (reply.parts, reply.finish_reason)


@pytest.mark.parametrize("output", [(), (MESSAGE, THOUGHT), ({**THOUGHT, "id": "rs_2"}, MESSAGE)])
def test_items_in_other_places_than_the_events_said_are_not_read_twice(output):
    """Servers that number their items otherwise, or list none."""
    assert whole(THOUGHT).parts == streamed(last=response(*output)).parts


@pytest.mark.parametrize("content", ["hi", [{"type": "text", "text": "hi"}]])
def test_a_message_in_chats_words_is_a_text(content):
    """Servers that keep Chat's own form."""
    assert "hi" == whole({"type": "message", "role": "assistant", "content": content}).text


def test_arguments_that_are_an_object_already_are_kept():
    """As JSON text."""
    assert [("f", '{"x":1}')] == calls_of(whole({**CALL, "arguments": {"x": 1}}))
