"""The independent readers on small bytes of our own: each quirk that the recordings taught, by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replay import chat, messages, ollama, responses
from tests.replay.errors import classify
from tests.replay.framing import BrokenFrameError, events, frames
from tests.replay.values import AnswerError, Call, Expected, Tokens, parsed_arguments

CLASSES = {
    "AuthenticationError",
    "PermissionDeniedError",
    "ModelNotFoundError",
    "InvalidRequestError",
    "ContextLengthError",
    "RequestTooLargeError",
    "ContentFilterError",
    "RateLimitError",
    "QuotaExhaustedError",
    "OverloadedError",
    "ServerError",
    "ProviderTimeoutError",
    "ProtocolError",
}


def stream(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def read_chat(body: bytes) -> Expected:
    return chat.read(frames(body), body[:1] != b"{", chat.Growing())


def piece(arguments: str, **rest: Any) -> dict[str, Any]:
    name = rest.pop("name", None)
    return {**rest, "function": {"arguments": arguments, **({"name": name} if name else {})}}


def calls_of(*pieces: dict[str, Any]) -> tuple[Call, ...]:
    chunks = [chunk({"tool_calls": [one]}) for one in pieces]
    return read_chat(stream(*chunks, chunk({}, "tool_calls"))).tool_calls


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_events_end_with_any_line_ending(ending: bytes) -> None:
    """LF, CRLF and CR end a line; comments are nothing; the space after the colon is optional."""
    body = ending.join([b": hello", b"event: a", b"data:1", b"data: 2", b"", b""])

    assert [("a", "1\n2")] == list(events(body))


def test_the_last_event_needs_no_blank_line() -> None:
    """A stream that ends without a blank line still delivers its last event."""
    assert [("", "1"), ("", "2")] == list(events(b"data: 1\n\ndata: 2"))


def test_only_real_line_ends_split() -> None:
    """U+2028 inside data is data, and a byte order mark at the start is nothing."""
    body = b"\xef\xbb\xbf" + 'data: "a\u2028b\u0085c"\n\n'.encode()

    assert [("", '"a\u2028b\u0085c"')] == list(events(body))


def test_done_ends_a_stream() -> None:
    """What follows `[DONE]` is not read."""
    assert [1] == [frame.value["n"] for frame in frames(b'data: {"n": 1}\n\ndata: [DONE]\n\ndata: {"n": 2}\n\n')]


@pytest.mark.parametrize("body", [b'data: {"n"', b'data: "text"\n\n', b"data: [1]\n\n"])
def test_data_that_is_no_object_is_broken(body: bytes) -> None:
    """Cut JSON, and JSON that is not an object, is no frame of any of the dialects."""
    with pytest.raises(BrokenFrameError):
        list(frames(body))


def test_blank_lines_before_a_document_are_skipped() -> None:
    """DeepSeek keeps a connection alive with blank lines before the JSON."""
    assert [{"n": 1}] == [frame.value for frame in frames(b'\n\n\n{"n": 1}')]


def test_two_calls_without_an_index() -> None:
    """Without an index a new id begins another call, and a piece without either goes to the last."""
    found = calls_of(piece('{"a"', id="x", name="f"), piece(":1}"), piece('{"b"', id="y", name="g"), piece(":2}"))

    assert (Call("f", {"a": 1}), Call("g", {"b": 2})) == found


def test_two_calls_that_share_index_zero() -> None:
    """A server that sends index 0 for every call is told apart by the ids."""
    found = calls_of(
        piece('{"a":1}', index=0, id="x", name="f"), piece('{"b":', index=0, id="y", name="f"), piece("2}", index=0)
    )

    assert (Call("f", {"a": 1}), Call("f", {"b": 2})) == found


def test_two_whole_calls_with_nothing_but_names() -> None:
    """No index and no id: a name after whole arguments begins another call."""
    assert (Call("f", {}), Call("g", {})) == calls_of(piece("{}", name="f"), piece("{}", name="g"))


def test_a_repeated_id_and_name_is_the_same_call() -> None:
    """TGI repeats the id with each piece, others the name: neither makes a new call."""
    found = calls_of(piece('{"a"', index=0, id="0", name="f"), piece(":1}", index=0, id="0", name="f"))

    assert (Call("f", {"a": 1}),) == found


def test_a_name_may_come_late() -> None:
    """An empty name, or none, is filled by the first that comes."""
    assert (Call("f", {}),) == calls_of(piece("", index=0, id="x"), piece("{}", index=0, name="f"))


@pytest.mark.parametrize(
    "raw, value",
    [("", {}), (None, {}), ("null", {}), (" ", {}), ('{"a": 1}', {"a": 1}), ({"a": 1}, {"a": 1}), ('{"a', '{"a')],
)
def test_arguments(raw: Any, value: Any) -> None:
    """Empty, missing and null arguments are {}; broken JSON stays text."""
    assert value == parsed_arguments(raw)


@pytest.mark.parametrize(
    "raw, with_call, without",
    [
        ("stop", "tool_calls", "stop"),
        ("tool_calls", "tool_calls", "other"),
        ("", "tool_calls", "stop"),
        ("length", "length", "length"),
        ("model_length", "length", "length"),
        ("eos", "stop", "stop"),
        ("content_filter", "content_filter", "content_filter"),
        ("insufficient_system_resource", "error", "error"),
        ("brand_new", "other", "other"),
    ],
)
def test_chat_finish(raw: str, with_call: str, without: str) -> None:
    """The neutral finish reason of a Chat answer, with a tool call and without."""
    document: dict[str, Any] = {"choices": [{"message": {"content": "hi"}, "finish_reason": raw}]}
    text = read_chat(json.dumps(document).encode())
    document["choices"][0]["message"]["tool_calls"] = [piece("{}", id="x", name="f")]
    call = read_chat(json.dumps(document).encode())

    assert (with_call, without) == (call.finish_reason, text.finish_reason)


def test_a_refusal_is_a_finish_of_its_own() -> None:
    """`message.refusal` makes the finish `refusal`, and is not text."""
    document = {"choices": [{"message": {"content": None, "refusal": "no"}, "finish_reason": "stop"}]}
    seen = read_chat(json.dumps(document).encode())

    assert ("refusal", "", "no") == (seen.finish_reason, seen.text, seen.refusal)


def test_thoughts_in_a_content_list_are_not_text() -> None:
    """Mistral's content list: text chunks are text, thinking chunks are reasoning."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    seen = read_chat(stream(chunk({"content": [thought]}), chunk({"content": "4"}, "stop")))

    assert ("4", "hm") == (seen.text, seen.reasoning)


def test_a_stream_without_a_finish_is_interrupted() -> None:
    """`[DONE]` alone does not make an answer whole; what came is kept."""
    growing = chat.Growing()
    with pytest.raises(AnswerError) as raised:
        chat.read(frames(stream(chunk({"content": "hal"})) + b"data: [DONE]\n\n"), True, growing)

    assert ("StreamInterruptedError", ["hal"]) == (raised.value.error, growing.text)


def test_tools_may_follow_a_finish() -> None:
    """Together finishes after the first call and then sends a second one with another finish."""
    first = chunk({"tool_calls": [piece("{}", index=0, id="x", name="f")]}, "tool_calls")
    second = chunk({"tool_calls": [piece("{}", index=1, id="y", name="g")]}, "tool_calls")

    assert ["f", "g"] == [call.name for call in read_chat(stream(first, second)).tool_calls]


def test_a_second_choice_breaks_the_dialect() -> None:
    """The answer shape has one choice."""
    with pytest.raises(AnswerError, match="ProtocolError"):
        read_chat(stream(chunk({"content": "a"}), chunk({"content": "b"}, index=1)))


@pytest.mark.parametrize("usage", [{"usage": {"prompt_tokens": 3}}, {"x_groq": {"usage": {"prompt_tokens": 3}}}])
def test_usage_comes_in_a_chunk_without_choices(usage: dict[str, Any]) -> None:
    """The tail chunk tells the usage; Groq's early models tell it under x_groq."""
    seen = read_chat(stream(chunk({"content": "a"}, "stop"), {"choices": [], **usage}))

    assert Tokens(input_tokens=3) == seen.usage


@pytest.mark.parametrize(
    "error, name",
    [
        ({"code": "insufficient_quota", "message": "m"}, "QuotaExhaustedError"),
        ({"code": 502, "message": "upstream"}, "ServerError"),
        ("text only", "ServerError"),
        ({"code": "tool_use_failed", "status_code": 400}, "InvalidRequestError"),
        ({"type": "overloaded_error", "message": "Overloaded"}, "OverloadedError"),
        ({"code": "invalid_image_url", "message": "m"}, "InvalidRequestError"),
    ],
)
def test_an_error_inside_a_stream_is_its_own_class(error: Any, name: str) -> None:
    """An error after HTTP 200 raises what it would have raised before."""
    with pytest.raises(AnswerError, match=name):
        read_chat(stream(chunk({"content": "a"}), {"error": error}))


def test_a_completed_response_may_be_empty() -> None:
    """Then the finished items hold the answer."""
    item = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    body = stream(
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    )

    assert "hi" == responses.read(frames(body), True, responses.Growing()).text


@pytest.mark.parametrize("event", [{"error": {"code": "rate_limit_exceeded"}}, {"code": "rate_limit_exceeded"}])
def test_a_responses_error_event_is_flat_or_wrapped(event: dict[str, Any]) -> None:
    """`event: error` carries its fields at the top or under `error`."""
    body = stream({"type": "error", "sequence_number": 1, **event})
    with pytest.raises(AnswerError, match="RateLimitError"):
        responses.read(frames(body), True, responses.Growing())


def test_messages_usage_adds_the_cache() -> None:
    """`input_tokens` of Messages leaves the cache out; message_delta overwrites message_start."""
    body = stream(
        {"type": "message_start", "message": {"usage": {"input_tokens": 0, "cache_read_input_tokens": None}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "f", "input": {}}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use"},
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5},
        },
        {"type": "message_stop"},
    )
    seen = messages.read(frames(body), True, messages.Growing())

    assert (Tokens(7, 5, 4, None, None), (Call("f", {}),)) == (seen.usage, seen.tool_calls)


def test_messages_without_message_stop_are_interrupted() -> None:
    """No message_stop, no answer."""
    body = stream(
        {"type": "message_start", "message": {}}, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    )
    with pytest.raises(AnswerError, match="StreamInterruptedError"):
        messages.read(frames(body), True, messages.Growing())


@pytest.mark.parametrize(
    "status, body, name",
    [
        (401, {"detail": "Invalid API Key"}, "AuthenticationError"),
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided."}, "AuthenticationError"),
        (401, {"statusCode": 401, "message": "Unauthorized."}, "AuthenticationError"),
        (429, {"error": {"type": "insufficient_quota"}}, "QuotaExhaustedError"),
        (402, {"error": {"message": "Insufficient Balance"}}, "QuotaExhaustedError"),
        (429, {"error": {"type": "tokens", "message": "Request too large for m"}}, "RequestTooLargeError"),
        (413, "<html>", "RequestTooLargeError"),
        (400, {"error": {"message": "This model's maximum context length is 5"}}, "ContextLengthError"),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 5", "error_type": "x"}, "ContextLengthError"),
        (400, {"error": {"code": "string_above_max_length", "message": "Invalid 'user'"}}, "InvalidRequestError"),
        (400, {"error": {"code": "content_filter"}}, "ContentFilterError"),
        (400, {"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}, "ContentFilterError"),
        (404, "<html>not found</html>", "ModelNotFoundError"),
        (400, {"code": "1500", "type": "invalid_model", "message": "Invalid model: x"}, "ModelNotFoundError"),
        (500, {"error": {"message": "tools param requires --jinja flag"}}, "InvalidRequestError"),
        (500, {"error": {"code": 429, "message": "slow down"}}, "RateLimitError"),
        (503, {"error": {"message": "Loading model", "code": 503}}, "OverloadedError"),
        (529, {"type": "error", "error": {"type": "overloaded_error"}}, "OverloadedError"),
        (502, "<html>bad gateway</html>", "ServerError"),
        (504, "", "ProviderTimeoutError"),
        (307, "", "ProtocolError"),
        (400, {"error": {"message": "m", "failed_generation": "invalid api key"}}, "InvalidRequestError"),
        (200, {"error": {"message": "Rate limit: 429", "code": 429}}, "RateLimitError"),
    ],
)
def test_error_classes(status: int, body: Any, name: str) -> None:
    """Each envelope and rule of spec/errors.md."""
    assert name == classify(status, body)[0]


def test_a_402_that_names_a_wait_is_a_rate_limit() -> None:
    """OpenRouter's in-flight budget recovers by waiting."""
    assert ("RateLimitError", 11) == classify(402, {"error": {"code": 402}}, {"Retry-After": "3"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "type", "message", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(status=st.none() | st.integers(100, 999), document=JSON)
def test_classification_is_total(status: int | None, document: Any) -> None:
    """Any status and any body have a class; nothing raises."""
    assert classify(status, document)[0] in CLASSES


def read_ollama(*lines: Any) -> Expected:
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return ollama.read(frames(body), len(lines) > 1, ollama.Growing())


def test_lines_of_ollama_grow_to_an_answer() -> None:
    """Pieces are joined, calls come whole, and a call turns `stop` into `tool_calls`."""
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    first = {"message": {"content": "a", "tool_calls": [call]}, "done": False}
    found = read_ollama(first, {"message": {"content": "b"}, "done": True, "done_reason": "stop", "eval_count": 2})

    assert ("ab", (Call("f", {"a": 1}),), "tool_calls") == (found.text, found.tool_calls, found.finish_reason)
    assert Tokens(None, 2) == found.usage


def test_lines_of_ollama_without_an_end_are_no_answer() -> None:
    """Neither is an error line."""
    with pytest.raises(AnswerError) as cut:
        read_ollama({"message": {"content": "a"}, "done": False})
    with pytest.raises(AnswerError) as failed:
        read_ollama({"message": {"content": "a"}, "done": False}, {"error": "runner stopped"})

    assert ("StreamInterruptedError", "ServerError") == (cut.value.error, failed.value.error)
