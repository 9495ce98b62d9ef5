"""Bytes into frames: however they are cut, and whatever they are."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from core_strategies import cuts, json_values
from hypothesis import given
from hypothesis import strategies as st

from byollm.errors import ProtocolError
from byollm.plugin import Frame
from byollm.wire.event_stream import EventStreamDecoder
from byollm.wire.framing import LINE_LIMIT, Decoder, JsonDecoder, LineDecoder, SseDecoder, decoder_for
from byollm.wire.json import dump_json, parse_json

ALL: dict[str, Callable[[], Decoder]] = {"json": JsonDecoder, "sse": SseDecoder, "ndjson": LineDecoder}


def frames(decoder: Decoder, pieces: Iterable[bytes]) -> tuple[list[Frame], str]:
    """The frames of these pieces, and the error that ended them ("" for none)."""
    found: list[Frame] = []
    try:
        for piece in pieces:
            for frame in decoder.feed(piece):
                found.append(frame)
        for frame in decoder.end():
            found.append(frame)
    except ProtocolError as error:
        return found, error.message
    return found, ""


def read(decoder: Decoder, *pieces: bytes) -> list[Any]:
    """The documents of these pieces, all of them good."""
    found, problem = frames(decoder, pieces)
    assert not problem
    return [frame.data for frame in found]


def sniffed(framing: Any, kind: str, pieces: list[bytes]) -> tuple[list[Frame], str]:
    """As the engine does it: the decoder is chosen by the first piece."""
    headers = {"content-type": kind} if kind else {}
    return frames(decoder_for(framing, headers, pieces[0] if pieces else b""), pieces)


ends = st.sampled_from(["\n", "\r", "\r\n"])
lines = st.one_of(
    json_values.map(lambda value: f"data: {json.dumps(value)}"),
    json_values.map(lambda value: f"data:{json.dumps(value, ensure_ascii=False)}"),
    st.sampled_from(
        ["", "", "event: ping", "event:x", ": comment", ":", "data: [DONE]", "data:", "data: ", "id: 1", "retry: 5",
         "data: {", 'data: "a"}', "<html>", '{"error": {"message": "no"}}', "text", "data", "data: [DONE] ", "é: ü"]
    ),
)  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Something like an event stream, with any line ends, a mark or none, complete or not."""
    text = "".join(line + draw(ends) for line in draw(st.lists(lines, max_size=8)))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    data = mark + text.encode()
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


@given(st.data(), streams())
def test_an_event_stream_reads_the_same_however_it_is_cut(data: st.DataObject, stream: bytes):
    """The same frames and the same error, cut anywhere, in the middle of a line end or of a character too."""
    assert frames(SseDecoder(), [stream]) == frames(SseDecoder(), data.draw(cuts(stream)))


@given(
    st.data(), st.sampled_from(sorted(ALL)), st.sampled_from(["", "application/json", "text/event-stream"]), streams()
)
def test_a_mislabelled_answer_reads_the_same_however_it_is_cut(
    data: st.DataObject, framing: Any, kind: str, body: bytes
):
    """What an answer is, is told by its first bytes, not by its first piece."""
    assert sniffed(framing, kind, [body]) == sniffed(framing, kind, data.draw(cuts(body)))


@given(st.data(), st.lists(json_values.map(dump_json) | st.sampled_from([b"", b" ", b"{", b"\r"]), max_size=6))
def test_lines_read_the_same_however_they_are_cut(data: st.DataObject, documents: list[bytes]):
    """One document a line, however the bytes arrive."""
    body = b"\n".join(documents)

    assert frames(LineDecoder(), [body]) == frames(LineDecoder(), data.draw(cuts(body)))


@given(st.data(), json_values)
def test_a_document_reads_the_same_however_it_is_cut(data: st.DataObject, value: Any):
    """A whole document, in any pieces, after any blank lines."""
    body = b"\n \n" + dump_json(value)
    decoder = JsonDecoder()

    assert [value] == read(decoder, *data.draw(cuts(body)))
    assert value == decoder.document


@given(st.sampled_from(sorted(ALL)), st.lists(st.binary(max_size=40), max_size=4))
def test_arbitrary_bytes_raise_protocol_errors_and_nothing_else(name: str, pieces: list[bytes]):
    """No bytes break a decoder."""
    found, problem = frames(ALL[name](), pieces)

    assert isinstance(found, list)
    assert "\n" not in problem


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_is_one(end: bytes):
    """LF, CR and CRLF are the same."""
    stream = end.join([b"event: a", b'data: {"n":1}', b"", b": ping", b"", b'data: {"n":', b"data: 2}", b"", b""])

    assert [Frame("a", {"n": 1}), Frame("", {"n": 2})] == frames(SseDecoder(), [stream])[0]


@pytest.mark.parametrize(
    "stream, documents",
    [
        (b'\xef\xbb\xbfdata: {"n":1}\n\n', [{"n": 1}]),
        (b'data: {"n":1}', [{"n": 1}]),
        (b'data: {"n":1}\n', [{"n": 1}]),
        (b'data: {"n":1}\n\ndata: {"n":', [{"n": 1}]),
        (b"data: [DONE]\n\n", []),
        (b"data:[DONE]\n\ndata: [DONE] \n\n", []),
        (b'data: {"n":1}\n\ndata: [DONE]\n\ndata: {"n":2}\n\n', [{"n": 1}, {"n": 2}]),
        (b"data: \n\ndata:\n\n: ping\n\n\n\n\n", []),
        (b'id: 7\nretry: 10\ndata: {"n":1}\n\n', [{"n": 1}]),
        (b"data: 5\n\ndata: null\n\ndata: [1]\n\n", [5, None, [1]]),
        ('data: {"n":"é€😀"}\n\n'.encode(), [{"n": "é€😀"}]),
        (b"", []),
    ],
)
def test_an_event_stream_is_read(stream: bytes, documents: list[Any]):
    """Marks, comments, empty data, the last event without its blank line, and `[DONE]`, which is no document."""
    assert documents == read(SseDecoder(), stream)


def test_a_bare_failure_between_the_events_is_a_frame():
    """Some servers write an error as a document of its own, without `data:`."""
    stream = b'data: {"n":1}\n\n{"error": {"message":\n "overloaded"}}\n\n'

    assert [{"n": 1}, {"error": {"message": "overloaded"}}] == read(SseDecoder(), stream)


def test_a_failure_that_is_a_field_of_its_own_is_a_frame():
    """llama.cpp wrote `error:` where events have `data:`."""
    body = b'data: {"a": 1}\n\nerror: {"code": 500}\n\nerror: none\n\n'
    found, problem = frames(SseDecoder(), [body])

    assert [Frame("", {"a": 1}), Frame("error", {"code": 500})] == found
    assert not problem


def test_what_stands_before_a_broken_frame_is_read():
    """Nothing that came whole is lost to what broke after it."""
    found, problem = frames(SseDecoder(), [b'data: {"n":1}\n\ndata: {"n":2}\n\ndata: {oops}\n\ndata: {"n":3}\n\n'])

    assert ([{"n": 1}, {"n": 2}], "the answer is broken JSON") == ([frame.data for frame in found], problem)


@pytest.mark.parametrize(
    "stream, words",
    [
        (b"<html>\n<body>no</body>\n\n", "not made of events"),
        (b"data: <html>\n\n", "markup"),
        (b"data: hello\n\n", "not JSON"),
        (b'data: {"a": NaN}\n\n', "broken JSON"),
        (b"data: " + b"[" * 5_000 + b"\n\n", "broken JSON"),
        (b'data: {"a": "\xff"}\n\n', "broken JSON"),
    ],
)
def test_hostile_events_are_protocol_errors(stream: bytes, words: str):
    """Markup, numbers that are none, nesting without end, broken characters."""
    assert words in frames(SseDecoder(), [stream])[1]


@pytest.mark.parametrize(
    "body, words",
    [(b"", "empty"), (b" \n", "empty"), (b"<!doctype html>", "markup"), (b"nope", "not JSON"), (b'{"a":', "broken")],
)
def test_a_body_that_is_no_document_says_what_it_is(body: bytes, words: str):
    """An empty answer, markup from something in between, half a document."""
    assert words in frames(JsonDecoder(), [body])[1]


def test_a_mark_before_a_document_is_no_part_of_it():
    """Some servers write one."""
    assert [{"n": 1}] == read(JsonDecoder(), b'\xef\xbb\xbf{"n":1}') == read(LineDecoder(), b'\xef\xbb\xbf{"n":1}\n')


def test_the_last_line_may_be_cut_or_whole():
    """A line without its newline counts when it is a document; half a one is left to the missing terminal marker."""
    assert (
        [1, 2] == read(LineDecoder(), b"1\r\n\n2") == read(LineDecoder(), b"1\n2\n") == read(LineDecoder(), b"1\n2\n{")
    )


@pytest.mark.parametrize("decoder", [SseDecoder, LineDecoder])
def test_an_event_without_end_is_refused(decoder: Any):
    """Memory is bounded: what no answer needs is not collected."""
    endless = [b"x" * (1024 * 1024)] * (LINE_LIMIT // (1024 * 1024) + 1)

    assert "larger than any answer needs" in frames(decoder(), endless)[1]


@pytest.mark.parametrize("decoder, start, end", [(SseDecoder, b"data: ", b"\n\n"), (LineDecoder, b"", b"\n")])
def test_a_large_event_in_small_pieces_is_joined_once(decoder: Any, start: bytes, end: bytes):
    """8 MB in 64,000 pieces: joined at every piece this would move a quarter of a terabyte."""
    pieces = [start, b'"', *[b"x" * 128] * 64_000, b'"', end]

    assert ["x" * 128 * 64_000] == read(decoder(), *pieces)


TABLE = [
    ("sse", "text/event-stream", b'data: {"n":1}', SseDecoder),
    ("sse", "", b'data: {"n":1}', SseDecoder),
    ("sse", "application/json; charset=utf-8", b'{"n": 1}', JsonDecoder),
    ("sse", "text/event-stream", b'{"error": 1}', JsonDecoder),
    ("sse", "", b" [1, 2, 3]", JsonDecoder),
    ("sse", "", b'\xef\xbb\xbf{"n": 1}', JsonDecoder),
    ("json", "application/json", b'{"n": 1}', JsonDecoder),
    ("json", "TEXT/EVENT-STREAM", b'data: {"n":1}', SseDecoder),
    ("json", "application/json", b'data: {"n":1}', SseDecoder),
    ("json", "", b": processing\n", SseDecoder),
    ("json", "", b"event: message_start", SseDecoder),
    ("json", "", b"error: upstream", JsonDecoder),
    ("json", "application/x-ndjson", b'{"n": 1}', LineDecoder),
    ("sse", "application/jsonl", b'{"n": 1}', LineDecoder),
    ("ndjson", "application/json", b'{"n": 1}', LineDecoder),
    ("ndjson", "", b'{"n": 1}', LineDecoder),
    ("sse", "application/vnd.amazon.eventstream", b"\0\0\0\x40\0\0", EventStreamDecoder),
    ("aws-eventstream", "", b"\0\0\0\x40\0\0", EventStreamDecoder),
    ("aws-eventstream", "text/plain", b"\0\0\0\x40\0\0", EventStreamDecoder),
    ("json", "application/json", b"\0\0\0\x40\0\0", EventStreamDecoder),
    ("aws-eventstream", "application/vnd.amazon.eventstream", b'{"n": 1}', JsonDecoder),
    ("aws-eventstream", "application/json", b'{"n": 1}', JsonDecoder),
    ("aws-eventstream", "text/event-stream", b'data: {"n":1}', SseDecoder),
    ("aws-eventstream", "application/x-ndjson", b'{"n": 1}', LineDecoder),
]


@pytest.mark.parametrize("framing, kind, first, decoder", TABLE)
def test_the_decoder_is_chosen_by_type_and_first_bytes(framing: Any, kind: str, first: bytes, decoder: type):
    """The content type overrules the exchange, the first bytes a mislabel."""
    assert decoder is type(decoder_for(framing, {"content-type": kind} if kind else {}, first))


def test_a_framing_nobody_brought_is_a_protocol_error():
    """No other names are taken for one of those that are there."""
    unknown: Any = "smoke-signals"
    with pytest.raises(ProtocolError, match="smoke-signals"):
        decoder_for(unknown, {}, b"whatever")


def test_blanks_before_the_answer_decide_nothing():
    """Keep-alive blanks may come for a while before it shows what the answer is."""
    decoder = decoder_for("sse", {"content-type": "text/event-stream"}, b"\n")

    assert [{"n": 1}] == read(decoder, b"\n", b"\n\n", b" ", b'{"n"', b": 1}")
    assert {"n": 1} == getattr(decoder, "document", None)


@given(json_values)
def test_json_goes_out_and_comes_back(value: Any):
    """What is written is read, compact and in its own order."""
    assert value == parse_json(dump_json(value)) == json.loads(dump_json(value))


@pytest.mark.parametrize("text", ["", "{", "NaN", "[1e]", '"\x01"', "[" * 10_000, "9" * 5_000, b"\xff", b'"\xff"'])
def test_what_is_no_json_is_a_value_error(text: Any):
    """And nothing else."""
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize(
    "text, value",
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"a\ud83d"', "a\ufffd"),
        (r'"\ude00b"', "\ufffdb"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\\ud83d\ud83d"', "\\ud83d\ufffd"),
    ],
)
def test_half_a_character_does_not_lose_the_answer(text: str, value: str):
    """Servers that cut by UTF-16 units escape halves; the rest of the answer is still good."""
    assert value == parse_json(text) == parse_json(text.encode())


def test_lone_surrogates_leave_as_the_replacement_character():
    """No provider takes them."""
    assert '"a\ufffd"' == dump_json("a\ud800").decode()


@pytest.mark.parametrize("value", [object(), {"a": print}])
def test_what_json_cannot_hold_is_refused(value: Any):
    """A mistake in a body is found before it is sent."""
    with pytest.raises((TypeError, ValueError)):
        dump_json(value)
