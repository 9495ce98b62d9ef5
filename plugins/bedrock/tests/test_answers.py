"""What is read out of answers: the same as botocore's own parsers read, whole and streamed."""

from typing import Any

import pytest
from bedrock_driving import (
    CLAUDE,
    JURASSIC,
    NOVA,
    TITAN,
    botocores,
    botocores_events,
    completion,
    document,
    message,
    stream,
)

from byollm.errors import ProtocolError, StreamInterruptedError
from byollm.plugin import Citation, Image, Opaque, Reasoning, Request, Text, ToolCall, Usage
from byollm_sandbox import Answer, dialect_named
from byollm_sandbox.dialects import Call
from byollm_sandbox.wire import binary_reply, dump

MADE = Answer(
    parts=(
        Reasoning("so it is"), Text("Grüße, 世界"), Citation("quoted", "https://example.com", "A page"),
        ToolCall("tooluse_1", "f", '{"a": [1, "x"]}'), ToolCall("tooluse_2", "g", "{}"),
    ),
    usage=Usage(100, 50, 20, 10),
)  # fmt: skip
START, STOP = ("messageStart", {"role": "assistant"}), ("messageStop", {"stopReason": "end_turn"})
METADATA = ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}, "metrics": {"latencyMs": 1}})


def delta(index: int, **piece: Any) -> tuple[str, Any]:
    """One contentBlockDelta."""
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": piece, "p": "abcd"}


def rendered(answer: Answer, *, streamed: bool) -> bytes:
    """The twin's bytes."""
    dialect, call = dialect_named("bedrock-converse"), Call(body={"model": CLAUDE, "messages": []}, number=1, created=0)
    if not streamed:
        return dump(dialect.document(answer, call)).encode()
    return b"".join(piece for piece in binary_reply(dialect.stream(answer, call)).pieces() if isinstance(piece, bytes))


def ours(reply: Any) -> dict[str, Any]:
    """Our completion, field by field."""
    return {
        "text": reply.text, "reasoning": reply.reasoning, "reason": reply.raw_finish_reason,
        "calls": [(call.id, call.name, call.args) for call in reply.tool_calls],
        "usage": (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens,
                  reply.usage.cache_write_tokens),
    }  # fmt: skip


def told(usage: dict[str, Any]) -> tuple[Any, ...]:
    """botocore's usage in our words."""
    read, written = usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]
    return usage["inputTokens"] + read + written, usage["outputTokens"], read, written


def test_a_whole_answer_is_what_botocore_parses():
    """Thought, cited text, calls, reason, counts."""
    body = rendered(MADE, streamed=False)
    parsed = botocores(body, "Converse")
    blocks = parsed["output"]["message"]["content"]

    assert {
        "text": "".join(
            piece["text"] for block in blocks for piece in block.get("citationsContent", {}).get("content", [])
        ),
        "reasoning": blocks[0]["reasoningContent"]["reasoningText"]["text"],
        "reason": parsed["stopReason"],
        "calls": [tuple(block["toolUse"][key] for key in ("toolUseId", "name", "input")) for block in blocks[2:]],
        "usage": told(parsed["usage"]),
    } == ours(completion(body))


def test_a_stream_is_what_botocore_parses():
    """Event by event, the same sums."""
    body = rendered(MADE, streamed=True)
    events = botocores_events(body, "ConverseStream")
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    reply = completion(body, stream=True)

    assert "".join(piece["text"] for piece in deltas if "text" in piece) == reply.text
    assert (
        "".join(piece["reasoningContent"].get("text", "") for piece in deltas if "reasoningContent" in piece)
        == reply.reasoning
    )
    assert (
        next(event["messageStop"]["stopReason"] for event in events if "messageStop" in event)
        == reply.raw_finish_reason
    )
    assert told(events[-1]["metadata"]["usage"]) == ours(reply)["usage"]
    whole = completion(rendered(MADE, streamed=False))
    assert (ours(whole), whole.parts[:2]) == (ours(reply), reply.parts[:2])


def test_citations_are_parts_and_state():
    """Behind the blocks, with their place in the text; the text goes back with them."""
    cited = {
        "content": [{"text": "It is."}],
        "citations": [{"title": "T", "sourceContent": [{"text": "q"}], "location": {}}],
    }
    reply = completion(document({"text": "First. "}, {"citationsContent": cited}))
    _, text, citation = reply.parts

    assert ("First. It is.", Text, {"citations": cited["citations"]}) == (reply.text, type(text), text.state.data)
    assert ("q", "T", 7, 13) == (citation.cited_text, citation.title, citation.start, citation.end)


def test_texts_have_no_beginning_in_a_stream():
    """And may be empty: then there is no part of them."""
    ends = [("contentBlockStop", {"contentBlockIndex": index}) for index in (0, 1)]
    body = stream(START, delta(0, text="a"), delta(0, text=""), delta(0, text="b"), *ends, STOP, METADATA)

    assert (Text("ab"),) == completion(body, stream=True).parts


def test_reasoning_keeps_its_signature_and_what_was_redacted():
    """In pieces or whole."""
    body = stream(
        START, delta(0, reasoningContent={"text": "so"}), delta(0, reasoningContent={"signature": "c2"}),
        delta(0, reasoningContent={"signature": "ln"}), delta(1, reasoningContent={"redactedContent": "cmVk"}),
        STOP, METADATA,
    )  # fmt: skip
    whole = document(
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "cmVk"}},
    )

    for reply in (completion(body, stream=True), completion(whole)):
        assert (
            Reasoning("so", Opaque("bedrock", "converse", {"signature": "c2ln"})),
            Reasoning("", Opaque("bedrock", "converse", {"redactedContent": "cmVk"})),
        ) == reply.parts


def test_bytes_in_pieces_are_the_bytes():
    """Each piece is base64 for itself, with padding of its own; joined as text they would be none."""
    start = {"image": {"format": "png"}}
    body = stream(
        START, delta(0, reasoningContent={"redactedContent": "YQ=="}),
        delta(0, reasoningContent={"redactedContent": "YmM="}),
        ("contentBlockStart", {"contentBlockIndex": 1, "start": start}),
        delta(1, image={"source": {"bytes": "YQ=="}}), delta(1, image={"source": {"bytes": "YmM="}}), STOP, METADATA,
    )  # fmt: skip
    whole = document(
        {"reasoningContent": {"redactedContent": "YWJj"}}, {"image": {"format": "png", "source": {"bytes": "YWJj"}}}
    )

    assert completion(whole).parts == completion(body, stream=True).parts


def test_calls_of_the_servers_own_tools_are_kept_as_they_came():
    """They are none of the caller's, and go back with their results."""
    call = {"toolUse": {"toolUseId": "1", "name": "nova_grounding", "input": {"q": "x"}, "type": "server_tool_use"}}
    answered = {
        "toolResult": {
            "toolUseId": "1",
            "content": [{"text": "y"}],
            "type": "nova_grounding_result",
            "status": "success",
        }
    }
    start = {"toolUse": {"toolUseId": "1", "name": "nova_grounding", "type": "server_tool_use"}}
    begun = {"toolResult": {"toolUseId": "1", "type": "nova_grounding_result", "status": "success"}}
    body = stream(
        START, ("contentBlockStart", {"contentBlockIndex": 0, "start": start}), delta(0, toolUse={"input": '{"q"'}),
        delta(0, toolUse={"input": ':"x"}'}), ("contentBlockStart", {"contentBlockIndex": 1, "start": begun}),
        delta(1, toolResult=[{"text": "y"}]), STOP, METADATA,
    )  # fmt: skip
    reply, streamed = completion(document(call, answered), NOVA), completion(body, NOVA, stream=True)

    assert [call, answered] == [part.data for part in reply.parts]
    assert () == reply.tool_calls == streamed.tool_calls
    assert call == streamed.parts[0].data
    assert [{"text": "y"}] == streamed.parts[1].data["toolResult"]["content"]


def test_images_are_images():
    """Whole, and streamed."""
    body = stream(
        START, ("contentBlockStart", {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}}),
        delta(0, image={"source": {"bytes": "iVBORw0KGgo="}}), STOP, METADATA,
    )  # fmt: skip
    whole = document({"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}})

    assert (Image("data:image/png;base64,iVBORw0KGgo=", "image/png"),) == completion(whole).parts
    assert completion(whole).parts == completion(body, stream=True).parts


@pytest.mark.parametrize(
    "raw, reason",
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("tool_use", "tool_calls"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"), ("malformed_model_output", "error"), ("malformed_tool_use", "error"),
        ("something_new", "other"),
    ],
)  # fmt: skip
def test_every_reason_has_its_neutral_word(raw: str, reason: str):
    """Of a guardrail too, which answers in the model's place."""
    assert (reason, raw) == (completion(document({"text": "a"}, reason=raw)).finish_reason, raw)


def test_usage_counts_the_whole_prompt():
    """What a cache gave and took is included, either way the counts are called; details stay."""
    counts = {
        "inputTokens": 3, "outputTokens": 2, "totalTokens": 15, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 6,
        "cacheReadInputTokenCount": 4, "cacheDetails": [{"ttl": "1h", "inputTokens": 6}], "serverToolUsage": {},
    }  # fmt: skip
    reply = completion({**document({"text": "a"}), "usage": counts, "serviceTier": {"type": "flex"}})

    details = {"cacheDetails": counts["cacheDetails"], "serviceTier": {"type": "flex"}}
    assert Usage(13, 2, 4, 6, None, details) == reply.usage


def test_what_stands_beside_the_answer_is_told():
    """The stop string that matched, the guardrail's trace."""
    said = {"additionalModelResponseFields": {"stop_sequence": "END"}, "trace": {"guardrail": {"a": 1}}}
    stopped = {"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": "END"}}
    last = ("metadata", {**METADATA[1], "trace": said["trace"]})
    body = stream(START, delta(0, text="a"), ("messageStop", stopped), last)

    assert said == completion(document({"text": "a"}, reason="stop_sequence", **said)).usage.details
    assert said == completion(body, stream=True).usage.details


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html>", b"{}", b'{"output": {}}', b'{"output": {"message": {}}, "stopReason": "a"}']
)
def test_a_200_that_is_no_answer_is_an_error(body: bytes):
    """botocore takes some of these for one."""
    with pytest.raises(ProtocolError):
        completion(body)


def test_a_stream_without_its_end_was_interrupted():
    """Cut between two events, and inside one: what had come is kept."""
    whole = stream(START, delta(0, text="half"), STOP, METADATA)
    end = len(stream(START, delta(0, text="half")))

    for cut in (end, end + 20):
        with pytest.raises(StreamInterruptedError) as caught:
            completion(whole[:cut], stream=True)
        assert caught.value.partial is not None
        assert "half" == caught.value.partial.text
    assert "half" == completion(whole[:-20], stream=True).text


def test_a_damaged_message_is_never_read():
    """One flipped bit."""
    body = bytearray(stream(START, delta(0, text="half"), STOP, METADATA))
    body[len(message(*START)) + 120] ^= 1

    with pytest.raises(ProtocolError, match="checksum"):
        completion(bytes(body), stream=True)


@pytest.mark.parametrize(
    "events",
    [
        [START, START], [START, STOP, delta(0, text="a")], [START, STOP, STOP], [STOP],
        [START, delta(0, text="a"), ("contentBlockStop", {"contentBlockIndex": 0}), delta(0, text="b")],
        [START, delta(0, text="a"), delta(0, toolUse={"input": "{"})],
        [START, ("contentBlockDelta", {"contentBlockIndex": "0"})],
        [START, delta(0, toolUse={"input": "{}"})], [METADATA],
    ],
)  # fmt: skip
def test_events_out_of_order_are_a_protocol_error(events: Any):
    """Unless the end was seen: what comes behind it changes nothing."""
    body = stream(*events)
    if STOP in events and events[0] is START:
        assert "stop" == completion(body, stream=True).finish_reason
    else:
        with pytest.raises(ProtocolError):
            completion(body, stream=True)


def test_unknown_events_and_pieces_are_passed_over():
    """They may come tomorrow."""
    body = stream(START, ("somethingNew", {"a": 1}), delta(0, text="a"), delta(0, novelty={"b": 2}), STOP, METADATA)

    assert "a" == completion(body, stream=True).text


def test_titan_is_read_whole_and_streamed():
    """Counts come with the text, in a stream with the last chunk."""
    whole = {
        "inputTextTokenCount": 5,
        "results": [{"tokenCount": 3, "outputText": "a b", "completionReason": "LENGTH"}],
    }
    reply = completion(whole, TITAN, api="invoke")

    assert ("a b", "length", "LENGTH", 5, 3) == (
        reply.text, reply.finish_reason, reply.raw_finish_reason, reply.usage.input_tokens, reply.usage.output_tokens,
    )  # fmt: skip


def test_jurassic_is_read():
    """Its tokens are listed one by one: there is no other count."""
    tokens = [{"generatedToken": {"token": "a"}}]
    said = {"data": {"text": "a", "tokens": tokens}, "finishReason": {"reason": "endoftext"}}
    reply = completion(
        {"id": 1, "prompt": {"text": "q", "tokens": tokens * 2}, "completions": [said]}, JURASSIC, api="invoke"
    )

    assert ("a", "stop", 2, 1) == (reply.text, reply.finish_reason, reply.usage.input_tokens, reply.usage.output_tokens)


@pytest.mark.parametrize(
    "body",
    [{"results": []}, {"results": [{}, {}]}, {"completions": [{"data": 1}]}, {"embedding": [1.0]}, {"outputText": 5}],
)
def test_what_is_of_no_family_is_a_protocol_error(body: Any):
    """Two answers, none, another kind of answer."""
    with pytest.raises(ProtocolError):
        completion(body, TITAN, api="invoke")


@pytest.mark.parametrize("chunk", [{"bytes": 1}, {"bytes": "!"}, {"bytes": "bm8="}])
def test_a_chunk_that_cannot_be_unpacked_is_a_protocol_error(chunk: Any):
    """No text, no base64, no JSON."""
    with pytest.raises(ProtocolError):
        completion(stream(("chunk", chunk)), api="invoke", stream=True)


def test_names_that_were_mapped_come_back_as_they_were():
    """The caller's own word for a tool."""
    from byollm.plugin import Tool
    from byollm_bedrock.names import Names

    asked = Request("hi", tools=[Tool("a/b", None, {})])
    call = {"toolUse": {"toolUseId": "1", "name": Names(short=False).wire("a/b"), "input": {}}}

    assert "a/b" == completion(document(call), request=asked).tool_calls[0].name
