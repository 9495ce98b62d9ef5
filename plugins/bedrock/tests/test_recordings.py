"""The recorded traffic: every answer is read as botocore's own parsers read it, whole and in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bedrock_driving import Recording, botocores, botocores_events, recordings, target

from byollm import errors
from byollm.errors import ByollmError
from byollm.plugin import Exchange, Frame, Head, Request
from byollm_bedrock import provider

CUT = ("rig--streaming-streaming_smoke", "rig--raw_streaming-raw_stream_surfaces_two_distinct_tool_calls")
"""Streams whose last bytes the recorder lost."""


UNPARSED = ("untime-bedrock-runtime_model_anthropic.claude-3-haiku", "amazon-bedrock-json-with-tool.1-addaa3")
"""Answers that botocore's parser refuses (a block without its one member); the replay lane judges them."""


def answered() -> list[Recording]:
    """Answers with status 200 that are whole."""
    return [
        it
        for it in recordings()
        if it.status == 200 and it.verb != "count-tokens" and not any(cut in it.name for cut in CUT)
    ]


def converse() -> list[Recording]:
    """Those of Converse that botocore can read: its streams are binary."""
    found = [it for it in answered() if it.api == "converse" and (it.binary or not it.streamed)]
    return [it for it in found if not any(name in it.name for name in UNPARSED)]


def expected(recording: Recording) -> dict[str, Any]:
    """Text, calls, reason and counts as botocore's parser holds them."""
    if not recording.streamed:
        parsed = botocores(recording.answer, "Converse")
        blocks = parsed["output"]["message"]["content"]
        texts = [piece.get("text", "") for block in blocks for piece in _texts(block)]
        calls = [(it["toolUse"]["name"], it["toolUse"]["input"]) for it in blocks if _called(it)]
        return _told("".join(texts), calls, parsed["stopReason"], parsed["usage"])
    events = botocores_events(recording.answer, "ConverseStream")
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    begun = [event["contentBlockStart"] for event in events if "contentBlockStart" in event]
    calls = []
    for start in begun:
        if _called(start["start"]):
            place = start["contentBlockIndex"]
            mine = [it["delta"] for it in deltas if it["contentBlockIndex"] == place]
            inputs = [delta["toolUse"]["input"] for delta in mine if "toolUse" in delta]
            calls.append((start["start"]["toolUse"]["name"], json.loads("".join(inputs) or "{}")))
    text = "".join(it["delta"]["text"] for it in deltas if "text" in it["delta"])
    reason = next(event["messageStop"]["stopReason"] for event in events if "messageStop" in event)
    return _told(text, calls, reason, next(event["metadata"]["usage"] for event in events if "metadata" in event))


def _texts(block: Any) -> list[Any]:
    return block["citationsContent"].get("content", []) if "citationsContent" in block else [block]


def _called(block: Any) -> bool:
    return "toolUse" in block and block["toolUse"].get("type") != "server_tool_use"


def _told(text: str, calls: Any, reason: str, usage: Any) -> dict[str, Any]:
    read, written = usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens")
    whole = usage["inputTokens"] + (read or 0) + (written or 0)
    return {"text": text, "calls": calls, "reason": reason, "usage": (whole, usage["outputTokens"], read, written)}


def told(reply: Any) -> dict[str, Any]:
    """The same, out of our completion."""
    usage = reply.usage
    return {
        "text": reply.text,
        "calls": [(call.name, call.args) for call in reply.tool_calls],
        "reason": reply.raw_finish_reason,
        "usage": (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens),
    }


def test_every_recorded_answer_is_what_botocore_parses():
    """Text, calls, reason and usage of Converse, whole and streamed."""
    found = {it.name: (expected(it), told(it.read())) for it in converse()}

    assert {} == {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    assert len(found) >= 125


def test_streams_kept_as_lines_are_read_alike():
    """Some recorders lose the binary frames and keep `{event: payload}`, one a line."""
    found = [it.read() for it in answered() if it.streamed and not it.binary]

    assert {"stop", "tool_calls", "length", "content_filter"} >= {reply.finish_reason for reply in found}
    assert len(found) >= 20


def test_invoke_model_is_read_for_every_recorded_family():
    """The text of each chunk, or of the document, is in our text; each has its reason and its counts."""
    seen = [(it, it.read()) for it in answered() if it.api == "invoke"]

    for recording, reply in seen:
        assert reply.finish_reason in ("stop", "length", "tool_calls"), recording.name
        assert reply.usage.output_tokens, recording.name
        assert reply.text in "".join(_said(recording)), recording.name
    families = (
        "titan",
        "j2-",
        "nova",
        "claude-v2",
        "claude-instant",
        "llama2",
        "llama3",
        "command",
        "claude-3",
        "sonnet-4-5",
    )
    asked = {it.model for it, _ in seen}
    assert [] == [name for name in families if name not in str(asked) and name != "llama2"]
    assert len(seen) >= 55


def _said(recording: Recording) -> list[str]:
    """Every string in the answer, unpacked, in order."""
    if recording.binary:
        chunks = [
            event["chunk"]["bytes"] for event in botocores_events(recording.answer, "InvokeModelWithResponseStream")
        ]
        documents = [json.loads(chunk) for chunk in chunks]
    else:
        documents = [json.loads(line) for line in recording.answer.decode().splitlines() if line.strip()]
    found: list[str] = []
    for document in documents:
        _collect(document, found)
    return found


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key in ("text", "outputText", "completion", "generation"):
                found.append(inner)
            elif key != "prompt":
                _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)


def test_every_cut_of_a_recorded_stream_is_the_same_answer():
    """Byte by byte, and in pieces of seven and of a thousand."""
    found = 0
    for recording in answered():
        if recording.binary and len(recording.answer) < 12_000:
            whole, body = recording.read(), recording.answer
            for size in (1, 7, 1000):
                again = recording.read(*[body[at : at + size] for at in range(0, len(body), size)])
                assert (whole.parts, whole.finish_reason, whole.usage) == (
                    again.parts,
                    again.finish_reason,
                    again.usage,
                )
            found += 1
    assert found >= 20


def test_a_stream_that_lost_its_last_bytes_was_interrupted():
    """Two recordings end inside a message."""
    lost = [it for it in recordings() if any(cut in it.name for cut in CUT)]

    for recording in lost:
        with pytest.raises(errors.StreamInterruptedError, match="inside a message"):
            recording.read()
    assert 2 == len(lost)


REFUSALS = {
    "bedrock_converse_error": errors.AuthenticationError,
    "meta_invoke_error": errors.AuthenticationError,
    "test_converse_stream_with_invalid_model": errors.ModelNotFoundError,
    "test_model_name_suggestion-bedrock": errors.ModelNotFoundError,
    "test_invoke_model_with_invalid_model": errors.ModelNotFoundError,
    "handles_context_length_exceeded_errors": errors.ContextLengthError,
    "bare_profile_only_model_id_is_rejected": errors.InvalidRequestError,
    "direct-uploaded_file-video-bedrock_nova": errors.InvalidRequestError,
    "uploaded_file-document-bedrock_claude": errors.InvalidRequestError,
    "TestAmazonNova-": errors.PermissionDeniedError,
    "TestBedrockAnthropicToolCalling": errors.PermissionDeniedError,
    "amazon_bedrock_basic": errors.OverloadedError,
}
"""Recording → the class that `spec/errors.md` names for it."""


def test_every_recorded_refusal_is_the_class_that_the_specification_names():
    """By header, by words, by status."""
    refused = [it for it in recordings() if it.status >= 400 and it.verb != "count-tokens"]
    got: dict[str, str] = {}
    for recording in refused:
        with pytest.raises(ByollmError) as caught:
            recording.read()
        got[recording.name] = type(caught.value).__name__
    expected = {name: next(kind.__name__ for part, kind in REFUSALS.items() if part in name) for name in got}

    assert expected == got
    assert len(got) >= 12


def test_thoughts_of_recorded_answers_keep_their_signatures():
    """Byte for byte what stands in the document."""
    found = 0
    for recording in converse():
        if recording.streamed:
            continue
        blocks = json.loads(recording.answer)["output"]["message"]["content"]
        signed = [block["reasoningContent"]["reasoningText"] for block in blocks
                  if block.get("reasoningContent", {}).get("reasoningText", {}).get("signature")]  # fmt: skip
        held = [
            part for part in recording.read().parts if getattr(part, "state", None) and "signature" in part.state.data
        ]
        assert [item["signature"] for item in signed] == [part.state.data["signature"] for part in held]
        found += len(signed)
    assert found >= 5


def test_recorded_counts_are_read():
    """CountTokens answers with one number, which is exact."""
    counted = [it for it in recordings() if it.verb == "count-tokens" and it.status == 200]

    for recording in counted:
        asked = provider.count_tokens(Request("hi"), target(recording.model))
        assert isinstance(asked, Exchange)
        read = asked.reader(Head(200, {}))
        ((count,),) = [read(Frame("", json.loads(recording.answer)))]
        assert ("exact", json.loads(recording.answer)["inputTokens"]) == (count.exactness, count.tokens)
    assert 4 == len(counted)
