"""A judge: what OpenAI's own SDK reads from the twins, after its own strict validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter
from sandbox_judging import unknown_members

from byollm import errors
from byollm.types.parts import Citation, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins

MESSAGES: Any = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("add", "sub")]
TOOLS: Any = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": True} for name in ("add", "sub")]
CALLS = (ToolCall("call_1", "add", '{"n": 1}'), ToolCall("call_2", "sub", '{"n": 22}'))
USAGE = Usage(100, 50, 20, 10, 5)
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

# What the vendor sends, as recorded, though its own models do not name it.
RECORDED_CHAT = {
    "choices[].message.reasoning_content",
    "choices[].delta.reasoning_content",
    "choices[].delta.annotations",
}
RECORDED_RESPONSES = {"frequency_penalty", "presence_penalty", "store"}

ANSWERS: dict[str, Answer] = {
    "text": Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE),
    "empty": Answer(parts=(Text(""),), usage=USAGE),
    "parallel tools": Answer(parts=CALLS, usage=USAGE),
    "text and tools": Answer(parts=(Text("let me see"), *CALLS), usage=USAGE),
    "reasoning": Answer(parts=(Reasoning("first this, then that"), Text("done")), usage=USAGE),
    "citation": Answer(parts=(Text("as it is written"), Citation(url="https://example.com/a", title="A")), usage=USAGE),
    "refusal": Answer(refusal="I will not do that.", usage=USAGE),
    "content filter": Answer(parts=(), finish_reason="content_filter", usage=USAGE),
    "length": Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE),
    "structured": Answer(parts=(Text('{"n": 7}'),), usage=USAGE),
    "counted by the twin": Answer(parts=(Text("eight by"),)),
}


@pytest.fixture
def client(twin: Twins) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sk-any", base_url=twin.url("openai-chat"), max_retries=0) as made:
        yield made


@pytest.fixture(params=list(ANSWERS))
def answer(request: pytest.FixtureRequest) -> Answer:
    return ANSWERS[request.param]


def seen_in_chat(reply: ChatCompletion) -> dict[str, Any]:
    choice = reply.choices[0]
    message, usage = choice.message, reply.usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.completion_tokens_details is not None
    return {
        "text": message.content or "",
        "refusal": message.refusal,
        "reasoning": getattr(message, "reasoning_content", None) or "",
        "tools": [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []],  # type: ignore[union-attr]  # no custom tools here
        "finish": choice.finish_reason,
        "usage": (
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.prompt_tokens_details.cached_tokens,
            usage.completion_tokens_details.reasoning_tokens,
            usage.total_tokens,
        ),
    }


def told(answer: Answer, finish: str | None) -> dict[str, Any]:
    usage = answer.usage or Usage(6, 2, 0, 0, 0)
    total = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return {
        "text": answer.text,
        "refusal": answer.refusal,
        "reasoning": answer.reasoning,
        "tools": [(call.id, call.name, call.arguments) for call in answer.tool_calls],
        "finish": finish,
        "usage": (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens, total),
    }


CHAT_FINISH = {"refusal": "stop"}


def test_chat_document_is_read_to_what_was_scripted(twin: Twins, client: openai.OpenAI, answer: Answer) -> None:
    """The SDK reads a whole chat answer, strictly validated, to the scripted value."""
    twin.script(answer)

    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES, tools=CHAT_TOOLS)
    strict = ChatCompletion.model_validate_json(raw.content, strict=True)
    twin.script(answer)
    reply = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    expected = told(answer, CHAT_FINISH.get(answer.finish_reason or "", answer.finish_reason))
    assert expected["text"] == seen_in_chat(strict)["text"]
    assert unknown_members(strict) <= RECORDED_CHAT
    assert expected == seen_in_chat(reply)


def test_chat_stream_is_read_to_what_was_scripted(twin: Twins, client: openai.OpenAI, answer: Answer) -> None:
    """The SDK reads a chat stream, each chunk strictly validated, to the scripted value."""
    twin.script(answer)

    chunks = list(
        client.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )

    for chunk in chunks:
        strict = ChatCompletionChunk.model_validate_json(chunk.model_dump_json(exclude_unset=True), strict=True)
        assert unknown_members(strict) <= RECORDED_CHAT
    expected = told(answer, CHAT_FINISH.get(answer.finish_reason or "", answer.finish_reason))
    assert expected == seen_in_chat(whole_of(chunks))


def whole_of(chunks: list[ChatCompletionChunk]) -> ChatCompletion:
    """Chunks put together by index, as the SDK's users do."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    calls: dict[int, dict[str, Any]] = {}
    finish, usage = None, None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for name in ("content", "refusal", "reasoning_content"):
                piece = getattr(choice.delta, name, None)
                if piece:
                    message[name] = (message.get(name) or "") + piece
            for delta in choice.delta.tool_calls or []:
                call = calls.setdefault(delta.index, {"type": "function", "function": {"name": "", "arguments": ""}})
                call["id"] = delta.id or call.get("id")
                assert delta.function is not None
                call["function"]["name"] += delta.function.name or ""
                call["function"]["arguments"] += delta.function.arguments or ""
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    last = chunks[-1]
    document = {"id": last.id, "created": last.created, "model": last.model, "object": "chat.completion"}
    choice_document = {"index": 0, "finish_reason": finish, "message": message}
    return ChatCompletion.model_validate(
        {**document, "choices": [choice_document], "usage": usage and usage.model_dump()}
    )


def seen_in_response(reply: Response) -> dict[str, Any]:
    usage = reply.usage
    assert usage is not None
    texts, refusals, tools, thoughts = [], [], [], []
    for item in reply.output:
        if item.type == "message":
            texts += [part.text for part in item.content if part.type == "output_text"]
            refusals += [part.refusal for part in item.content if part.type == "refusal"]
        elif item.type == "function_call":
            tools.append((item.call_id, item.name, item.arguments))
        elif item.type == "reasoning":
            thoughts += [part.text for part in item.summary]
    ending = reply.incomplete_details.reason if reply.incomplete_details else reply.status
    return {
        "text": "".join(texts),
        "refusal": "".join(refusals) or None,
        "reasoning": "".join(thoughts),
        "tools": tools,
        "finish": ending,
        "usage": (
            usage.input_tokens,
            usage.output_tokens,
            usage.input_tokens_details.cached_tokens,
            usage.output_tokens_details.reasoning_tokens,
            usage.total_tokens,
        ),
    }


RESPONSES_FINISH = {"length": "max_output_tokens", "content_filter": "content_filter"}


def test_response_document_is_read_to_what_was_scripted(twin: Twins, client: openai.OpenAI, answer: Answer) -> None:
    """The SDK reads a whole response, strictly validated, to the scripted value."""
    twin.script(answer, answer)

    raw = client.responses.with_raw_response.create(model="gpt-5.4", input="hello", tools=TOOLS)
    strict = Response.model_validate_json(raw.content, strict=True)
    reply = client.responses.create(model="gpt-5.4", input="hello")

    assert unknown_members(strict) <= RECORDED_RESPONSES
    expected = told(answer, RESPONSES_FINISH.get(answer.finish_reason or "", "completed"))
    assert expected == seen_in_response(reply)


def test_response_stream_is_read_to_what_was_scripted(twin: Twins, client: openai.OpenAI, answer: Answer) -> None:
    """The SDK's own accumulator reads a response's stream, each event strictly validated, to the scripted value."""
    twin.script(answer)

    with client.responses.stream(model="gpt-5.4", input="hello") as stream:
        events = list(stream)
    # `get_final_response()` of openai 3.54 knows no `response.incomplete`; the last event has the response either way.
    reply = events[-1].response  # type: ignore[union-attr]  # the terminal event

    assert list(range(len(events))) == [event.sequence_number for event in events]
    for event in events:
        EVENTS.validate_python(_without_parsed(event.model_dump(exclude_unset=True, warnings=False)))
    expected = told(answer, RESPONSES_FINISH.get(answer.finish_reason or "", "completed"))
    assert expected == seen_in_response(reply)


def _without_parsed(value: Any) -> Any:
    # The SDK's helper adds what it parsed; that is not on the wire.
    if isinstance(value, dict):
        return {key: _without_parsed(item) for key, item in value.items() if key not in ("parsed", "snapshot")}
    return [_without_parsed(item) for item in value] if isinstance(value, list) else value


def test_events_on_the_wire_validate_strictly(twin: Twins, client: openai.OpenAI, answer: Answer) -> None:
    """Every `data:` line of a response's stream is an event of the SDK's union, strictly."""
    twin.script(answer)

    raw = client.responses.with_raw_response.create(model="gpt-5.4", input="hello", stream=True)
    lines = [line for line in raw.http_response.iter_lines() if line.startswith("data: ")]
    events = [EVENTS.validate_json(line.removeprefix("data: "), strict=True) for line in lines]

    unknown = {name.removeprefix("response.") for event in events for name in unknown_members(event)}
    assert unknown <= RECORDED_RESPONSES
    assert len(events) >= 3


def test_structured_output_is_parsed(twin: Twins, client: openai.OpenAI) -> None:
    """`responses.parse` gives the pydantic object that the script's JSON stands for."""

    class Number(BaseModel):
        n: int

    twin.script('{"n": 7}')

    assert Number(n=7) == client.responses.parse(model="gpt-5.4", input="a number", text_format=Number).output_parsed


ERRORS: list[tuple[errors.ProviderError, type[openai.APIStatusError], int, str | None]] = [
    (errors.AuthenticationError(""), openai.AuthenticationError, 401, "invalid_api_key"),
    (errors.PermissionDeniedError(""), openai.PermissionDeniedError, 403, "unsupported_country_region_territory"),
    (errors.InvalidRequestError(""), openai.BadRequestError, 400, "invalid_value"),
    (errors.ContextLengthError(""), openai.BadRequestError, 400, "context_length_exceeded"),
    (errors.ContentFilterError(""), openai.BadRequestError, 400, "content_policy_violation"),
    (errors.RateLimitError("", retry_after=7), openai.RateLimitError, 429, "rate_limit_exceeded"),
    (errors.RequestTooLargeError(""), openai.RateLimitError, 429, "rate_limit_exceeded"),
    (errors.QuotaExhaustedError(""), openai.RateLimitError, 429, "insufficient_quota"),
    (errors.OverloadedError(""), openai.InternalServerError, 503, "server_is_overloaded"),
    (errors.ServerError(""), openai.InternalServerError, 500, None),
    (errors.ServerError("bad gateway", status=502, code="x"), openai.InternalServerError, 502, "x"),
]


@pytest.mark.parametrize(("error", "kind", "status", "code"), ERRORS, ids=lambda item: type(item).__name__)
def test_errors_arrive_as_the_sdks_own_classes(
    twin: Twins,
    client: openai.OpenAI,
    error: errors.ProviderError,
    kind: type[openai.APIStatusError],
    status: int,
    code: str,
) -> None:
    """Each scripted error becomes the SDK's class, with OpenAI's status and code, in both dialects."""
    twin.script(error, error)

    with pytest.raises(kind) as chat:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    with pytest.raises(kind) as responses:
        client.responses.create(model="gpt-5.4", input="hello")

    assert (status, code) == (chat.value.status_code, chat.value.code)
    assert (status, code) == (responses.value.status_code, responses.value.code)


def test_an_unknown_model_is_404_in_chat_and_400_in_responses(client: openai.OpenAI) -> None:
    """The two dialects disagree about the status of `model_not_found`, as the vendor does."""
    with pytest.raises(openai.NotFoundError) as chat:
        client.chat.completions.create(model="gpt-nonexistent", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError) as responses:
        client.responses.create(model="gpt-nonexistent", input="hello")

    assert ["model_not_found"] * 2 == [chat.value.code, responses.value.code]


def test_an_error_inside_a_stream_is_raised_by_the_sdk(twin: Twins, client: openai.OpenAI) -> None:
    """An in-band error after content reaches the SDK's user as an APIError, in both dialects."""
    twin.fault("error", error=errors.QuotaExhaustedError("used up"), after=3, times=2)

    with pytest.raises(openai.APIError, match="used up"):
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    with pytest.raises(openai.APIError, match="used up"):
        list(client.responses.create(model="gpt-5.4", input="hello", stream=True))


def test_a_wrong_key_is_refused_and_masked(client: openai.OpenAI, twin: Twins) -> None:
    """A server with a key refuses others with 401 and shows no more of them than OpenAI does."""
    from byollm_sandbox import serve

    key = "sk-abcdefghijklmnopqrstuvwxyz0123456789"
    with (
        serve(key="sk-right") as locked,
        openai.OpenAI(api_key=key, base_url=locked.url(), max_retries=0) as other,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        other.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert "sk-abcde" in caught.value.message
    assert key[8:-4] not in caught.value.message


def test_models_are_listed_and_found(twin: Twins, client: openai.OpenAI) -> None:
    """`models.list` and `models.retrieve` work as on the vendor's own server."""
    names = [model.id for model in client.models.list()]

    assert "gpt-4o" in names
    assert "gpt-4o" == client.models.retrieve("gpt-4o").id


def test_input_tokens_are_counted_by_the_twins_rule(twin: Twins, client: openai.OpenAI) -> None:
    """The counting endpoint gives four tokens a message and one for each four bytes."""
    counted = client.responses.input_tokens.count(model="gpt-5.4", input="12345678")

    assert 4 + 2 == counted.input_tokens
