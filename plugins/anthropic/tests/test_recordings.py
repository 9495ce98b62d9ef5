"""The recorded traffic of this dialect: every answer is read, every request is made again.

Expected values come from Anthropic's own SDK, fed with the same bytes, and from the recorded requests themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic_driving import Recording, completion, failed, recordings, target
from anthropic_recorded_requests import plain, request_of

from byollm.plugin import Citation, Frame, Head, Opaque, ProtocolError, Usage
from byollm.providers.deployment import Deployment
from byollm.types.completion import Completion
from byollm_anthropic import provider
from byollm_anthropic.dialect import Host, build_body, count_body, count_reader

LLAMA = "llama-stack--recordings-f22657bfd86db6348c0a0d0b17332dcfc038b345d2a7be8da4b880a433d36a52-14df8b"
NO_MESSAGE = {
    "ai--__fixtures__-spliced-message-start-c1c267": "two answers run together in one body",
    LLAMA: "frames quoted as texts",
}
"""Recordings that no reader can be held to, by name, with the reason."""
SDK_CANNOT = {
    "rig--streaming-gateway_message_delta_metadata-7671f9": "a gateway's [DONE] stops the SDK",
    "lingua--vertex-anthropic-request-streaming-8dc406": "a whole message dumped as one event",
    "lingua--vertex-anthropic-request-streaming-b594f5": "a whole message dumped as one event",
}
"""Recordings that byollm reads and the SDK does not; the first is compared without its last line, the others whole."""


@cache
def everything() -> list[Recording]:
    return list(recordings())


def short(recording: Recording) -> str:
    return recording.name.rsplit("/", 1)[1].partition(".json#")[0]


def answers() -> Iterator[Recording]:
    """Messages answered with 200."""
    for recording in everything():
        counted = "count_tokens" in recording.url or "/threads/" in recording.url
        if recording.status == 200 and not counted and short(recording) not in NO_MESSAGE:
            yield recording


def read(recording: Recording, *pieces: bytes) -> Completion:
    return completion(pieces or recording.answer, stream=recording.streamed, content_type=recording.content_type)


def by_the_sdk(recording: Recording) -> Any:
    """The message that Anthropic's SDK makes of the same bytes."""
    streamed, body = recording.streamed, recording.answer
    if short(recording) in SDK_CANNOT:
        lines = [line[6:] for line in body.splitlines() if line.startswith(b"data: {")]
        streamed = len(lines) > 1
        body = body.replace(b"[DONE]", b'{"type": "ping"}') if streamed else lines[0]
    kind = "text/event-stream" if streamed else "application/json"
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=body, headers={"content-type": kind}))
    client = anthropic.Anthropic(api_key="key", http_client=httpx2.Client(transport=transport), max_retries=0)
    asked: Any = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    if not streamed:
        return client.beta.messages.create(**asked)
    with client.beta.messages.stream(**asked) as stream:
        return stream.get_final_message()


def told(reply: Completion) -> dict[str, Any]:
    """Everything that both can be asked for, out of our completion."""
    return {
        "id": reply.id,
        "model": reply.model,
        "text": reply.text,
        "reasoning": reply.reasoning,
        "calls": [(call.id, call.name, call.args) for call in reply.tool_calls],
        "others": [part.data["type"] for part in reply.parts if isinstance(part, Opaque)],
        "citations": [part.cited_text for part in reply.parts if isinstance(part, Citation)],
        "reason": reply.raw_finish_reason,
        "usage": Usage(**{name: getattr(reply.usage, name) for name in COUNTS}),
    }


COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")


def expected(message: Any) -> dict[str, Any]:
    """The same, out of the SDK's message."""
    blocks, usage = message.content, message.usage
    read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    thought = usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else None
    texts = [block for block in blocks if block.type == "text"]
    return {
        "id": message.id,
        "model": message.model,
        "text": "".join(block.text for block in texts),
        "reasoning": "".join(block.thinking for block in blocks if block.type == "thinking"),
        "calls": [(block.id, block.name, block.input) for block in blocks if block.type == "tool_use"],
        "others": [block.type for block in blocks if block.type not in ("text", "thinking", "tool_use")],
        "citations": [citation.cited_text for block in texts for citation in block.citations or ()],
        "reason": message.stop_reason,
        "usage": Usage(usage.input_tokens + (read or 0) + (written or 0), usage.output_tokens, read, written, thought),
    }


def test_every_recorded_answer_is_what_the_vendors_sdk_reads():
    """Text, thought, calls, other blocks, citations, reason and usage of every answer with status 200."""
    found = {recording.name: (expected(by_the_sdk(recording)), told(read(recording))) for recording in answers()}

    assert {} == {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    assert len(found) >= 180


def test_every_cut_of_a_recorded_stream_is_the_same_answer():
    """Byte by byte, and in pieces of seven and of a thousand."""
    found = 0
    for recording in answers():
        if recording.streamed:
            whole, body = read(recording), recording.answer
            for size in (1, 7, 1000):
                pieces = [body[at : at + size] for at in range(0, len(body), size)]
                assert whole == read(recording, *pieces), recording.name
            found += 1
    assert found >= 50


def test_no_beginning_of_a_recorded_stream_is_an_answer():
    """Cut at any event before message_stop, nothing is finished."""
    for recording in answers():
        if recording.streamed and b"message_stop" in recording.answer:
            events = recording.answer.split(b"\n\n")
            stop = next(at for at, event in enumerate(events) if b"message_stop" in event)
            for end in range(stop):
                part = b"\n\n".join(events[:end]) + b"\n\n"
                assert completion(part, stream=True).finish_reason is None, recording.name


@pytest.mark.parametrize("name", sorted(NO_MESSAGE))
def test_what_no_reader_can_be_held_to_is_an_error(name):
    """Never a success."""
    (recording,) = [item for item in everything() if short(item) == name]

    with pytest.raises(ProtocolError):
        read(recording)


def test_every_recorded_error_has_the_class_of_its_status():
    """400 invalid or too long, 401 authentication, 404 model."""
    names = {
        400: ("InvalidRequestError", "ContextLengthError"),
        401: ("AuthenticationError",),
        404: ("ModelNotFoundError",),
    }
    found = [item for item in everything() if item.status in names and item.asked is not None]

    for recording in found:
        error = failed(recording.status, json.loads(recording.answer))
        assert type(error).__name__ in names[recording.status], recording.name
    assert len(found) >= 15


def requests() -> Iterator[Recording]:
    for recording in everything():
        if (
            recording.status == 200
            and recording.asked is not None
            and isinstance(recording.asked.get("messages"), list)
        ):
            yield recording


def test_every_recorded_request_is_made_again():
    """Read into a Request, fitted, translated back: equal but for the declared defaults, and nothing adjusted."""
    different: dict[str, Any] = {}
    found = 0
    for recording in requests():
        asked: dict[str, Any] = recording.asked or {}
        deployment = Deployment(provider, provider.manifest, target(recording.model))
        fitted = deployment.fit(request_of(asked))
        host = Host(version_in_body=asked.get("anthropic_version"), model_in_body="model" in asked)
        built = build_body(fitted.request, recording.model, host)
        made, wanted = plain(json.loads(json.dumps(built.body))), plain(asked)
        if "max_tokens" not in wanted:
            del made["max_tokens"]
        if made != wanted or fitted.adjustments or built.adjustments:
            different[recording.name] = (made, wanted, fitted.adjustments, built.adjustments)
        found += 1
    assert {} == different
    assert found >= 175


def test_every_recorded_count_is_asked_and_read():
    """The counting body equals the recording, and its figure is the recorded one."""
    found = [recording for recording in requests() if "count_tokens" in recording.url]

    for recording in found:
        asked: dict[str, Any] = recording.asked or {}
        assert plain(count_body(request_of(asked), recording.model, Host())) == plain(asked), recording.name
        document = json.loads(recording.answer)
        (count,) = count_reader(Head(200, {}))(Frame("", document))
        assert (count.tokens, count.exactness) == (document["input_tokens"], "estimate")
    assert len(found) == 8
