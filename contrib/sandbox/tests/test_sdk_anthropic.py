"""A judge: what Anthropic's own SDK reads from the twin, after its own strict validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter
from sandbox_judging import unknown_members

from byollm import errors
from byollm.types.parts import Citation, Opaque, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins, serve

MODEL = "claude-sonnet-5"
MESSAGES: Any = [{"role": "user", "content": "hello"}]
CALLS = (ToolCall("toolu_1", "add", '{"n": 1}'), ToolCall("toolu_2", "sub", "{}"))
USAGE = Usage(100, 50, 20, 10, 5)
EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)

ANSWERS: dict[str, tuple[Answer, str]] = {
    "text": (Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE), "end_turn"),
    "parallel tools": (Answer(parts=CALLS, usage=USAGE), "tool_use"),
    "text and tools": (Answer(parts=(Text("let me see"), *CALLS), usage=USAGE), "tool_use"),
    "thinking": (Answer(parts=(Reasoning("first this"), Text("done")), usage=USAGE), "end_turn"),
    "refusal": (Answer(refusal="not that", usage=USAGE), "refusal"),
    "content filter": (Answer(finish_reason="content_filter", usage=USAGE), "refusal"),
    "length": (Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE), "max_tokens"),
    "stop sequence": (Answer(parts=(Text("until"),), stop_sequence="END", usage=USAGE), "stop_sequence"),
    "pause": (Answer(parts=(Text("wait"),), raw_finish_reason="pause_turn", usage=USAGE), "pause_turn"),
}


@pytest.fixture
def client(twin: Twins) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="sk-any", base_url=twin.url("anthropic-messages"), max_retries=0) as made:
        yield made


@pytest.fixture(params=list(ANSWERS))
def case(request: pytest.FixtureRequest) -> tuple[Answer, str]:
    return ANSWERS[request.param]


def seen(reply: Message) -> dict[str, Any]:
    usage = reply.usage
    return {
        "text": "".join(block.text for block in reply.content if block.type == "text"),
        "reasoning": "".join(block.thinking for block in reply.content if block.type == "thinking"),
        "tools": [(block.id, block.name, block.input) for block in reply.content if block.type == "tool_use"],
        "stop": (reply.stop_reason, reply.stop_sequence),
        "usage": (
            usage.input_tokens,
            usage.cache_read_input_tokens,
            usage.cache_creation_input_tokens,
            usage.output_tokens,
            usage.output_tokens_details and usage.output_tokens_details.thinking_tokens,
        ),
    }


def told(answer: Answer, stop: str) -> dict[str, Any]:
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "tools": [(call.id, call.name, call.args) for call in answer.tool_calls],
        "stop": (stop, answer.stop_sequence),
        # Anthropic leaves what the cache gave or took out of its input tokens.
        "usage": (100 - 20 - 10, 20, 10, 50, 5),
    }


def test_a_document_is_read_to_what_was_scripted(
    twin: Twins, client: anthropic.Anthropic, case: tuple[Answer, str]
) -> None:
    """The SDK reads a whole message, strictly validated, to the scripted value."""
    answer, stop = case
    twin.script(answer)

    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=99, messages=MESSAGES)
    strict = Message.model_validate_json(raw.http_response.content, strict=True)

    assert set() == unknown_members(strict)
    assert told(answer, stop) == seen(strict)
    assert told(answer, stop) == seen(raw.parse())


def test_a_stream_is_read_to_what_was_scripted(
    twin: Twins, client: anthropic.Anthropic, case: tuple[Answer, str]
) -> None:
    """The SDK's own accumulator reads a stream to the scripted value."""
    answer, stop = case
    twin.script(answer)

    with client.messages.stream(model=MODEL, max_tokens=99, messages=MESSAGES) as stream:
        reply = stream.get_final_message()

    assert told(answer, stop) == seen(reply)


def test_events_on_the_wire_validate_strictly(
    twin: Twins, client: anthropic.Anthropic, case: tuple[Answer, str]
) -> None:
    """Every event but `ping` is one of the SDK's union, strictly, with no member it does not know."""
    twin.script(case[0])

    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=99, messages=MESSAGES, stream=True)
    lines = [line.removeprefix("data: ") for line in raw.http_response.iter_lines() if line.startswith("data: ")]
    events = [EVENTS.validate_json(line, strict=True) for line in lines if '"ping"' not in line]

    assert set() == set().union(*[unknown_members(event) for event in events])
    assert ("message_start", "message_stop") == (events[0].type, events[-1].type)


def test_thinking_is_signed_and_redacted_thinking_is_kept(twin: Twins, client: anthropic.Anthropic) -> None:
    """A thinking block carries a signature; a redacted one comes back as it was scripted."""
    hidden = Opaque("anthropic", "messages", {"type": "redacted_thinking", "data": "c2VjcmV0"})
    twin.script([Reasoning("why", state=Opaque("anthropic", "messages", {"signature": "c2ln"})), hidden, Text("so")])

    first, second, _ = client.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES).content

    assert ("thinking", "c2ln") == (first.type, getattr(first, "signature", None))
    assert ("redacted_thinking", "c2VjcmV0") == (second.type, getattr(second, "data", None))


def test_a_citation_stands_at_its_text(twin: Twins, client: anthropic.Anthropic) -> None:
    """A citation reaches the SDK at the text block before it, whole and streamed."""
    parts = [Text("as is written"), Citation("goals", title="Plan", start=3, end=8)]
    twin.script(parts, parts)

    whole = client.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES)
    with client.messages.stream(model=MODEL, max_tokens=99, messages=MESSAGES) as stream:
        streamed = stream.get_final_message()

    for block in (whole.content[0], streamed.content[0]):
        assert block.type == "text"
        assert block.citations is not None
        assert ("char_location", "goals") == (block.citations[0].type, block.citations[0].cited_text)


ERRORS: list[tuple[errors.ProviderError, type[anthropic.APIStatusError], int, str]] = [
    (errors.AuthenticationError(""), anthropic.AuthenticationError, 401, "authentication_error"),
    (errors.PermissionDeniedError(""), anthropic.PermissionDeniedError, 403, "permission_error"),
    (errors.ModelNotFoundError(""), anthropic.NotFoundError, 404, "not_found_error"),
    (errors.InvalidRequestError(""), anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.ContextLengthError(""), anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.ContentFilterError(""), anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.RequestTooLargeError(""), anthropic.RequestTooLargeError, 413, "request_too_large"),
    (errors.QuotaExhaustedError(""), anthropic.APIStatusError, 402, "billing_error"),
    (errors.RateLimitError("", retry_after=7), anthropic.RateLimitError, 429, "rate_limit_error"),
    (errors.OverloadedError(""), anthropic.OverloadedError, 529, "overloaded_error"),
    (errors.ServerError(""), anthropic.InternalServerError, 500, "api_error"),
]


@pytest.mark.parametrize(("error", "kind", "status", "type_"), ERRORS, ids=lambda item: type(item).__name__)
def test_errors_arrive_as_the_sdks_own_classes(
    twin: Twins,
    client: anthropic.Anthropic,
    error: errors.ProviderError,
    kind: type[anthropic.APIStatusError],
    status: int,
    type_: str,
) -> None:
    """Each scripted error becomes the SDK's class, with Anthropic's status and type."""
    twin.script(error)

    with pytest.raises(kind) as caught:
        client.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES)

    body: Any = caught.value.body
    assert (status, type_) == (caught.value.status_code, body["error"]["type"])


def test_retry_after_is_told(twin: Twins, client: anthropic.Anthropic) -> None:
    """A scripted wait stands in the header, in whole seconds."""
    twin.script(errors.RateLimitError("", retry_after=6.5))

    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES)

    assert "7" == caught.value.response.headers["retry-after"]


def test_an_error_inside_a_stream_is_raised_by_the_sdk(twin: Twins, client: anthropic.Anthropic) -> None:
    """`event: error` after content reaches the SDK's user as an API error."""
    twin.fault("error", error=errors.OverloadedError("busy"), after=3)

    with pytest.raises(anthropic.APIError, match="busy"):
        list(client.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES, stream=True))


def test_a_missing_key_is_refused(twin: Twins) -> None:
    """A server with a key takes it as `x-api-key` or as a bearer token, and nothing else."""
    with serve(key="sk-right") as locked:
        url = locked.url("anthropic-messages")
        with anthropic.Anthropic(api_key="sk-right", base_url=url, max_retries=0) as good:
            good.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES)
        with (
            anthropic.Anthropic(api_key="sk-wrong", base_url=url, max_retries=0) as bad,
            pytest.raises(anthropic.AuthenticationError),
        ):
            bad.messages.create(model=MODEL, max_tokens=99, messages=MESSAGES)

        assert ["sk-right", "sk-wrong"] == [request.key for request in locked.requests]


def test_models_and_token_counts(client: anthropic.Anthropic) -> None:
    """The list of models tells their windows; the counting endpoint counts by the twins' rule."""
    windows = {model.id: model.max_input_tokens for model in client.models.list()}
    counted = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "12345678"}])

    assert 1_000_000 == windows["claude-opus-5"]
    assert 4 + 2 == counted.input_tokens
