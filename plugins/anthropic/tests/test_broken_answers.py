"""Answers that break the rules of the dialect."""

import pytest
from anthropic_driving import ended, events, sse, started

from byollm.plugin import ProtocolError, ServerError

STOP = {"type": "message_stop"}


def text_delta(text):
    return {"type": "text_delta", "text": text}


def json_delta(piece):
    return {"type": "input_json_delta", "partial_json": piece}


START = started()
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}


@pytest.mark.parametrize(
    "frames",
    [
        [START, START],
        [START, TEXT, TEXT],
        [START, {"type": "content_block_delta", "index": 0, "delta": text_delta("a")}],
        [START, {"type": "content_block_stop", "index": 0}],
        [START, TEXT, {"type": "content_block_delta", "index": 0, "delta": json_delta("{}")}],
        [START, TEXT, {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 5}}],
        [START, STOP],
        [START, *ended(), START],
        [START, {"type": "content_block_start", "index": "0", "content_block": {"type": "text"}}],
        [START, {"type": "content_block_start", "index": 0, "content_block": {"text": "a"}}],
        [
            START,
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "", "name": "f"}},
        ],
        [started(usage={"input_tokens": "many"})],
        [started(usage={"input_tokens": -1})],
        [{"type": "message_start"}],
        [{"type": ["message_start"]}],
    ],
)
def test_a_stream_that_breaks_the_rules_is_a_protocol_error(frames):
    """Never a success, and never a crash."""
    with pytest.raises(ProtocolError):
        events(sse(*[{**frame, "type": frame["type"]} for frame in frames]), stream=True)


@pytest.mark.parametrize(
    "wire",
    [
        b"{}",
        b"[]",
        b'"x"',
        b'{"type": "message"}',
        b'{"type": "message", "content": [1]}',
        b'{"type": "message", "content": {}}',
    ],
)
def test_a_document_that_is_no_message_is_a_protocol_error(wire):
    """A 200 alone is no answer."""
    with pytest.raises(ProtocolError):
        events(wire)


def test_a_stream_without_its_first_event_is_read():
    """llama.cpp leaves message_start out when its first token is half a character."""
    delta = {"type": "content_block_delta", "index": 0, "delta": text_delta("a")}

    found = events(sse(TEXT, delta, *ended()), stream=True)

    assert ["Started", "TextDelta", "Finished"] == [type(each).__name__ for each in found if "Usage" not in repr(each)]


def test_an_error_event_without_an_envelope_is_an_error():
    """llama.cpp's `event: error` holds code, message and type of the error itself."""
    flat = b'event: error\ndata: {"code": 500, "message": "no", "type": "server_error"}\n\n'
    with pytest.raises(ServerError, match="no"):
        events(sse(START) + flat, stream=True)
