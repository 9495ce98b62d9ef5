"""What is read out of answers, whole and streamed."""

import json

import pytest
from google_driving import chunk, completion, document, events, exchange, sse

from byollm.plugin import (
    Audio,
    ByollmError,
    Citation,
    Image,
    Opaque,
    OverloadedError,
    ProtocolError,
    RateLimitError,
    Reasoning,
    Request,
    StreamInterruptedError,
    Text,
    Tool,
)

USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 6, "totalTokenCount": 23,
         "cachedContentTokenCount": 5, "toolUsePromptTokenCount": 3, "trafficType": "ON_DEMAND"}  # fmt: skip


def test_text_id_and_model():
    """The plainest answer."""
    reply = completion(document({"text": "hello"}))

    assert ("hello", "r1", "gemini-3.8-flash", "stop", "STOP") == (
        reply.text, reply.id, reply.model, reply.finish_reason, reply.raw_finish_reason,
    )  # fmt: skip


def test_usage_adds_up():
    """Thoughts are output, tool prompts are input, cached tokens are part of the prompt."""
    usage = completion(document({"text": "a"}, usageMetadata=USAGE)).usage

    assert (13, 10, 5, 6, 23) == (
        usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens, usage.total_tokens,
    )  # fmt: skip
    assert {"trafficType": "ON_DEMAND", "toolUsePromptTokenCount": 3} == usage.details


def test_counts_that_are_left_out_are_zero_where_the_total_says_so():
    """A blocked prompt has a prompt and a total, and nothing else."""
    told = {"promptTokenCount": 8, "totalTokenCount": 8}
    usage = completion(document(reason="SAFETY", usageMetadata=told)).usage

    assert (8, 0, None) == (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens)


def test_usage_fields_that_vanish_are_kept():
    """Counts are cumulative; a later chunk without one does not unsay it."""
    first = chunk({"text": "a"}, usageMetadata={"promptTokenCount": 3, "thoughtsTokenCount": 9})
    last = chunk(reason="STOP", usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 1})
    usage = completion(sse(first, last), stream=True).usage

    assert (3, 10, 9) == (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "stop"), ("MAX_TOKENS", "length"), ("CONTINUATION", "length"), ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"), ("MODEL_ARMOR", "content_filter"), ("ESCALATION", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"), ("MALFORMED_FUNCTION_CALL", "error"), ("UNEXPECTED_TOOL_CALL", "error"),
        ("MISSING_THOUGHT_SIGNATURE", "error"), ("NO_IMAGE", "error"), ("OTHER", "other"), ("OF_TOMORROW", "other"),
        (1, "stop"), (2, "length"), (3, "content_filter"), (99, "other"),
    ],
)  # fmt: skip
def test_finish_reasons(raw, reason):
    """Words of today and tomorrow, and the numbers of `enum-encoding=int`."""
    reply = completion(document({"text": "a"}, reason=raw))

    assert (reason, str(raw)) == (reply.finish_reason, reply.raw_finish_reason)


def test_a_call_in_one_chunk_and_stop_in_another():
    """The server says STOP; a call was seen, so it is tool_calls."""
    call = chunk({"functionCall": {"name": "f", "args": {"a": 1}}})
    reply = completion(sse(call, chunk({"text": ""}, reason="STOP")), stream=True)

    assert ("tool_calls", "STOP", {"a": 1}) == (reply.finish_reason, reply.raw_finish_reason, reply.tool_calls[0].args)


def test_ids_are_kept_or_made():
    """Google's own id is kept with its state; a missing one is made, the same each time, another for another call."""
    parts = [{"functionCall": {"name": "f", "args": {}}}, {"functionCall": {"name": "f"}},
             {"functionCall": {"name": "f", "id": "x1"}, "thoughtSignature": "c2ln"}]  # fmt: skip
    calls = completion(document(*parts)).tool_calls

    assert [call.id for call in calls] == [call.id for call in completion(document(*parts)).tool_calls]
    assert 3 == len({call.id for call in calls})
    assert Opaque("google", "gemini", {"thoughtSignature": "c2ln", "id": "x1"}) == calls[2].state
    assert ("{}", None) == (calls[1].arguments, calls[1].state)


def test_names_come_back_as_they_were():
    """A tool whose name the wire cannot say is called by its own name."""
    request = Request("hi", tools=[Tool("a/b", None, {})])
    wire = json.loads(exchange(request).request.body)["tools"][0]["functionDeclarations"][0]["name"]
    found = events(document({"functionCall": {"name": wire}}), request=request)

    assert "a/b" == found[1].name


def test_thoughts_and_signatures():
    """A signed part stays a part of its own; a signature on empty text is kept."""
    chunks = [chunk({"text": "hm", "thought": True}), chunk({"text": " so", "thought": True}), chunk({"text": "He"}),
              chunk({"text": "llo"}), chunk({"text": "", "thoughtSignature": "QQ=="}, reason="STOP")]  # fmt: skip
    reply = completion(sse(*chunks), stream=True)

    assert reply.parts == (
        Reasoning("hm so"), Text("Hello"), Reasoning("", Opaque("google", "gemini", {"thoughtSignature": "QQ=="})),
    )  # fmt: skip
    assert ("Hello", "hm so") == (reply.text, reply.reasoning)


def test_signed_text_is_not_joined_with_unsigned():
    """They go back apart, so they stay apart; the text is one all the same."""
    parts = completion(document({"text": "a"}, {"text": "b", "thoughtSignature": "QQ=="}, {"text": "c"})).parts

    assert [("a", False), ("b", True), ("c", False)] == [(part.text, part.state is not None) for part in parts]


def test_a_refused_prompt_is_an_answer():
    """No candidate and a block reason: content_filter, with the details, and no exception."""
    feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"}
    answer = {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}
    for reply in (completion(json.dumps(answer).encode()), completion(sse(answer), stream=True)):
        assert ("content_filter", "PROHIBITED_CONTENT") == (reply.finish_reason, reply.raw_finish_reason)
        assert feedback == reply.usage.details["promptFeedback"]


def test_an_unspecified_block_reason_is_none():
    """The zero of the enum says nothing."""
    feedback = {"blockReason": "BLOCK_REASON_UNSPECIFIED"}

    assert "stop" == completion(document({"text": "a"}, promptFeedback=feedback)).finish_reason


def test_a_candidate_without_content():
    """All tokens went into thoughts: an empty answer, cut by length."""
    answer = {"candidates": [{"finishReason": "MAX_TOKENS", "index": 0}], "modelVersion": "m"}
    reply = completion(json.dumps(answer).encode())

    assert ((), "length") == (reply.parts, reply.finish_reason)


def test_text_after_the_reason():
    """Some streams go on after a finish reason: nothing is lost, and the last reason counts."""
    reply = completion(sse(chunk({"text": "a"}, reason="OTHER"), chunk({"text": "b"}, reason="STOP")), stream=True)

    assert ("ab", "stop") == (reply.text, reply.finish_reason)


def test_a_stream_that_was_not_asked_for_as_events():
    """One JSON array of chunks is read like the stream it is."""
    array = json.dumps([chunk({"text": "a"}), chunk({"text": "b"}, reason="STOP")]).encode()

    assert "ab" == completion(array, stream=True).text


def test_made_media():
    """Pictures and sound come as parts, with what signs them."""
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}, "thoughtSignature": "QQ=="}
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}
    first, second = completion(document(picture, sound)).parts

    assert isinstance(first, Image)
    assert isinstance(second, Audio)
    assert ("iVBORw0KGgo=", {"thoughtSignature": "QQ=="}) == (first.media.base64, getattr(first.state, "data", None))


def test_blocks_nobody_knows_are_kept():
    """Code, its result, and what is yet to come."""
    parts = [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"ofTomorrow": {"a": 1}}]

    assert parts == [part.data for part in completion(document(*parts)).parts]


def test_grounding_becomes_citations():
    """Offsets count bytes on the wire and characters here."""
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [{"segment": {"endIndex": 3, "text": "é1"}, "groundingChunkIndices": [0]}],
    }
    answer = chunk({"text": "é1 x"}, reason="STOP")
    answer["candidates"][0]["groundingMetadata"] = grounding
    for reply in (completion(json.dumps(answer).encode()), completion(sse(answer), stream=True)):
        assert Citation("é1", "https://a.example", "A", 0, 2) == reply.parts[-1]
        assert "é1 x" == reply.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"status": "UNAVAILABLE", "message": "busy"}, OverloadedError),
        ({"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}, RateLimitError),
    ],
)
def test_an_error_after_200(error, kind):
    """The same class as before the stream, with what had come; in an array, too, where events were not asked for."""
    chunks = [chunk({"text": "a"}), {"error": error}]
    for body in (sse(*chunks), json.dumps(chunks).encode()):
        with pytest.raises(kind) as found:
            completion(body, stream=True)
        assert "a" == found.value.partial.text


@pytest.mark.parametrize("end", [0, 1, 2])
def test_a_cut_stream_is_no_answer(end):
    """Without a finish reason nothing is finished."""
    chunks = [chunk({"text": "a"}), chunk({"text": "b"}), chunk(reason="STOP")][:end]

    with pytest.raises(ByollmError) as found:
        completion(sse(*chunks) or b": nothing\n\n", stream=True)
    assert isinstance(found.value, StreamInterruptedError)


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b'"text"',
        b"[1]",
        b"<html>",
        b'{"candidates": 1}',
        b'{"candidates": [{"content": {"parts": 1}}]}',
        b'{"candidates": [{"finishReason": []}]}',
        b'{"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]}',
        b'{"candidates": [{"content": {"parts": []}}, {"index": 1}]}',
        b'{"usageMetadata": {"promptTokenCount": "many"}}',
        b'{"usageMetadata": {"promptTokenCount": 1000000000000000}}',
    ],
)
def test_what_is_no_answer(answer):
    """Never a success, never a crash."""
    with pytest.raises(ProtocolError):
        completion(answer)


def _pieces(*calls):
    return sse(*(chunk({"functionCall": call}) for call in calls), chunk(reason="STOP"))


def test_arguments_in_pieces_become_one_call():
    """Vertex's `streamFunctionCallArguments`: each piece names its place, and a text may go on in the next."""
    reply = completion(_pieces(
        {"name": "f", "id": "1", "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.city", "stringValue": "New", "willContinue": True}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.city", "stringValue": " York"}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.at[0].x", "numberValue": 3}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.at[1]", "nullValue": "NULL_VALUE"}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$['a b']", "boolValue": True}], "willContinue": True},
        {},
        {"name": "g"},
    ), stream=True)  # fmt: skip

    assert "tool_calls" == reply.finish_reason
    assert [("f", {"city": "New York", "at": [{"x": 3}, None], "a b": True}), ("g", {})] == [
        (call.name, call.args) for call in reply.tool_calls
    ]


def test_a_call_in_pieces_that_was_cut_off_keeps_what_came():
    """By its limit, in the middle of a text."""
    piece = {"jsonPath": "$.city", "stringValue": "New", "willContinue": True}
    reply = completion(_pieces({"name": "f", "partialArgs": [piece], "willContinue": True}), stream=True)

    assert [{"city": "New"}] == [call.args for call in reply.tool_calls]


@pytest.mark.parametrize("path", ["", "city", "$", "$[0]", "$.a[1]", "$.a[", "$.b.c", "$.b[0]", 1])
def test_a_piece_without_a_place_is_no_answer(path):
    """Never a crash, and never arguments that nobody wrote."""
    begun = {"name": "f", "args": {"b": "text"}, "partialArgs": [{"jsonPath": path, "numberValue": 1}]}

    with pytest.raises(ProtocolError):
        completion(_pieces(begun), stream=True)


def test_fields_that_are_null_hide_none_that_is_not():
    """SDKs that write out what they were given say null for the other kinds of a part."""
    reply = completion(document({"text": None, "functionCall": {"name": "f", "args": {"a": 1}}, "inlineData": None}))

    assert [("f", {"a": 1})] == [(call.name, call.args) for call in reply.tool_calls]
