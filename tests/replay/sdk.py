"""The vendors' own SDKs as a second opinion: the same bytes, as `openai`, `anthropic`, `botocore` and others read them.

Each SDK gets the recorded answer through an in-process transport and runs its whole own course: status handling, SSE
decoding, pydantic validation, accumulation. What comes out is put into the same neutral terms.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import anthropic
import cohere
import httpx2
import ollama
import openai
import pydantic
from anthropic.lib.streaming._messages import accumulate_event
from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser, RestJSONParser
from cohere.core.unchecked_base_model import construct_type
from google.genai import types
from openai.lib.streaming.chat import ChatCompletionStreamState

from tests.replay import bedrock, gemini, messages, quirks
from tests.replay import cohere as cohere_reader
from tests.replay.corpus import Exchange
from tests.replay.framing import Frame, frames
from tests.replay.values import Call, Expected, Tokens, chat_finish, parsed_arguments

MESSAGE: Any = [{"role": "user", "content": "hello"}]


class SdkFailure(Exception):
    """The SDK raised where an answer was due; the text names its exception."""


class Sdk:
    """Both SDKs over one transport that answers with a recorded body."""

    def __init__(self, *, strict: bool) -> None:
        self._answer = httpx2.Response(200)
        transport = httpx2.MockTransport(lambda request: self._answer)
        self._openai = openai.OpenAI(
            api_key="none",
            base_url="http://127.0.0.1/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
            _strict_response_validation=strict,
        )
        self._anthropic = anthropic.Anthropic(
            api_key="none",
            base_url="http://127.0.0.1",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
            _strict_response_validation=strict,
        )

    def read(self, exchange: Exchange) -> Expected:
        """What the SDK sees in an answer. Raises SdkFailure when it sees none."""
        hop_by_hop = {"transfer-encoding", "content-length", "content-encoding"}
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in hop_by_hop}
        self._answer = httpx2.Response(exchange.status, headers=headers, content=exchange.body)
        readers: dict[str, Callable[[bool], Expected]] = {
            "openai-chat": self._chat,
            "openai-responses": self._responses,
            "anthropic-messages": self._messages,
            "gemini": lambda streamed: _gemini(exchange),
            "ollama-api-chat": lambda streamed: _ollama(exchange),
            "cohere-v2-chat": lambda streamed: _cohere(exchange),
            "bedrock-converse": lambda streamed: _bedrock(exchange),
            "bedrock-invoke": lambda streamed: _bedrock(exchange),
        }
        try:
            with warnings.catch_warnings():
                # The SDK warns while it copies a list that its type says is text; what comes out is the finding.
                warnings.simplefilter("ignore")
                return readers[exchange.dialect](exchange.streamed)
        except Exception as error:  # an SDK under test may raise anything; what it raised is the finding
            raise SdkFailure(_told(error)) from error

    def _chat(self, streamed: bool) -> Expected:
        if not streamed:
            return _of_chat(self._openai.chat.completions.create(model="m", messages=MESSAGE))
        state: Any = ChatCompletionStreamState()
        usage = None
        for chunk in self._openai.chat.completions.create(model="m", messages=MESSAGE, stream=True):
            state.handle_chunk(chunk)
            usage = chunk.usage or usage
        return _of_chat(state.current_completion_snapshot, usage)

    def _responses(self, streamed: bool) -> Expected:
        if not streamed:
            return _of_response(self._openai.responses.create(model="m", input="hello"))
        last = None
        for event in self._openai.responses.create(model="m", input="hello", stream=True):
            if event.type in ("response.completed", "response.incomplete", "response.failed"):
                last = event.response
        if last is None:
            raise SdkFailure("no terminal event")
        return _of_response(last)

    def _messages(self, streamed: bool) -> Expected:
        if not streamed:
            return _of_message(self._anthropic.messages.create(model="m", max_tokens=9, messages=MESSAGE))
        events = self._anthropic.messages.create(model="m", max_tokens=9, messages=MESSAGE, stream=True)
        return _of_message(_accumulated(events))


def _gemini(exchange: Exchange) -> Expected:
    """The SDK's own types over each chunk; its client adds nothing to them but the joining of parts."""
    growing = gemini.Growing()
    for frame in frames(exchange.body):
        read = types.GenerateContentResponse._from_response(response=dict(frame.value), kwargs={})
        for candidate in read.candidates or ():
            found = (candidate.content and candidate.content.parts) or ()
            growing.parts += [part.model_dump(by_alias=True, exclude_none=True) for part in found]
            growing.reason = candidate.finish_reason.value if candidate.finish_reason else growing.reason
        if read.prompt_feedback and read.prompt_feedback.block_reason:
            growing.blocked = read.prompt_feedback.block_reason.value
        if read.usage_metadata:
            growing.usage.update(read.usage_metadata.model_dump(by_alias=True, exclude_none=True))
    return gemini.answer(growing)


def _told(error: BaseException) -> str:
    """The exception in one line; for a validation error, the first place that was refused."""
    cause = error.__cause__
    if isinstance(cause, pydantic.ValidationError):
        first = cause.errors(include_url=False)[0]
        return f"refused {'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    return f"{type(error).__name__}: {str(error)[:120]}".rstrip(": ")


def _accumulated(events: Iterable[Any]) -> Any:
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in events:
        if event.type not in ("ping", "error"):
            snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


def _of_chat(completion: Any, usage: Any = None) -> Expected:
    choice = completion.choices[0]
    message = choice.message
    # Azure leaves `message` out of a choice that its filter emptied.
    calls = tuple(_chat_call(call) for call in (message and message.tool_calls) or ())
    told = usage or completion.usage
    return Expected(
        outcome="answer",
        text=(message and message.content) or "",
        tool_calls=calls,
        finish_reason=chat_finish(choice.finish_reason, bool(calls), bool(message and message.refusal)),
        raw_finish_reason=choice.finish_reason,
        usage=_chat_tokens(told),
    )


def _chat_tokens(usage: Any) -> Tokens:
    given = getattr(usage, "prompt_tokens_details", None)
    made = getattr(usage, "completion_tokens_details", None)
    return Tokens(
        input_tokens=getattr(usage, "prompt_tokens", None),
        output_tokens=getattr(usage, "completion_tokens", None),
        cached_tokens=getattr(given, "cached_tokens", None),
        cache_write_tokens=getattr(given, "cache_write_tokens", None),
        reasoning_tokens=getattr(made, "reasoning_tokens", None),
    )


def _chat_call(call: Any) -> Call:
    if call.type == "custom":
        return Call(call.custom.name, call.custom.input)
    return Call(call.function.name, parsed_arguments(call.function.arguments))


def _response_finish(response: Any, has_calls: bool, refused: bool) -> str:
    if response.status == "incomplete":
        reason = response.incomplete_details.reason if response.incomplete_details else None
        return {"max_output_tokens": "length", "content_filter": "content_filter"}.get(reason or "", "other")
    if has_calls:
        return "tool_calls"
    return "refusal" if refused else "stop"


def _of_response(response: Any) -> Expected:
    items = response.output
    usage = response.usage
    given, made = getattr(usage, "input_tokens_details", None), getattr(usage, "output_tokens_details", None)
    calls = tuple(
        Call(item.name, parsed_arguments(item.arguments) if item.type == "function_call" else item.input)
        for item in items
        if item.type in ("function_call", "custom_tool_call")
    )
    refused = any(part.type == "refusal" for item in items if item.type == "message" for part in item.content or ())
    return Expected(
        outcome="answer",
        text=response.output_text,
        tool_calls=calls,
        finish_reason=_response_finish(response, bool(calls), refused),
        raw_finish_reason=response.status,
        usage=Tokens(
            input_tokens=getattr(usage, "input_tokens", None),
            output_tokens=getattr(usage, "output_tokens", None),
            cached_tokens=getattr(given, "cached_tokens", None),
            cache_write_tokens=getattr(given, "cache_write_tokens", None),
            reasoning_tokens=getattr(made, "reasoning_tokens", None),
        ),
    )


def _of_message(message: Any) -> Expected:
    calls = tuple(
        Call(block.name, parsed_arguments(block.input)) for block in message.content if block.type == "tool_use"
    )
    raw, usage = message.stop_reason, message.usage
    written = usage.cache_creation_input_tokens or 0
    return Expected(
        outcome="answer",
        text="".join(block.text for block in message.content if block.type == "text"),
        tool_calls=calls,
        finish_reason="tool_calls" if raw == "tool_use" and calls else messages.FINISH.get(raw or "", "other"),
        raw_finish_reason=raw,
        usage=Tokens(
            input_tokens=usage.input_tokens + (usage.cache_read_input_tokens or 0) + written,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cache_read_input_tokens,
            cache_write_tokens=usage.cache_creation_input_tokens,
            reasoning_tokens=usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else None,
        ),
    )


FIELDS = ("text", "tool_calls", "finish_reason", "input_tokens", "output_tokens")
TYPED_ONLY = ("cached_tokens", "cache_write_tokens", "reasoning_tokens")


def differences(expected: Expected, seen: Expected) -> list[str]:
    """The fields in which the SDK's reading is not what is expected.

    The counts in TYPED_ONLY have no typed field at several vendors: there the SDK saying nothing is no difference.
    """
    differing = [name for name in FIELDS if not expected.accepts(name, _value(seen, name))]
    told = [name for name in TYPED_ONLY if getattr(seen.usage, name) is not None]
    return differing + [name for name in told if not expected.accepts(name, _value(seen, name))]


def _value(seen: Expected, name: str) -> Any:
    return getattr(seen.usage, name) if hasattr(seen.usage, name) else getattr(seen, name)


def _cohere(exchange: Exchange) -> Expected:
    """Cohere's own types over the document or over each event; its client adds nothing to them."""
    growing = cohere_reader.Growing()
    if not exchange.streamed:
        found: Any = cohere.V2ChatResponse.model_validate_json(exchange.body)
        return cohere_reader.read(_plain_frames([found]), False, growing)
    kind: Any = cohere.V2ChatStreamResponse
    events = [construct_type(type_=kind, object_=dict(frame.value)) for frame in frames(exchange.body)]
    return cohere_reader.read(_plain_frames(events), True, growing)


@cache
def _bedrock_runtime() -> Any:
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def _bedrock(exchange: Exchange) -> Expected:
    """botocore's own event stream and parsers. Of InvokeModel's documents it only takes the wraps off.

    Streams whose recorder kept a line for each event are parsed event by event.
    """
    invoked, growing = exchange.dialect == "bedrock-invoke", bedrock.Growing()
    if invoked and exchange.body[:1] != b"\0":
        return quirks.settle_headers(exchange, bedrock.read(frames(exchange.body), exchange.asked_to_stream, growing))
    if exchange.url.endswith("/converse"):
        shape = _bedrock_runtime().operation_model("Converse").output_shape
        raw = {"status_code": 200, "headers": exchange.headers, "body": exchange.body}
        return bedrock.read([Frame("", RestJSONParser().parse(raw, shape))], False, growing)
    operation = "InvokeModelWithResponseStream" if invoked else "ConverseStream"
    shape = _bedrock_runtime().operation_model(operation).get_event_stream_output()
    parsed = [EventStreamJSONParser().parse(event, shape) for event in _bedrock_events(exchange, shape)]
    found = [(name, value) for event in parsed for name, value in event.items()]
    told = [Frame("", json.loads(value["bytes"])) if invoked else Frame(name, value) for name, value in found]
    return quirks.settle_headers(exchange, bedrock.read(told, True, growing))


def _bedrock_events(exchange: Exchange, shape: Any) -> Iterable[dict[str, Any]]:
    if exchange.body[:1] == b"\0":
        buffer = EventStreamBuffer()
        buffer.add_data(exchange.body)
        return [event.to_response_dict() for event in buffer]
    kept = []
    for frame in frames(exchange.body):
        name = frame.event or next((name for name in frame.value if name in shape.members), "chunk")
        value = frame.value.get(name, frame.value)
        kept.append({"status_code": 200, "headers": {":event-type": name}, "body": json.dumps(value).encode()})
    return kept


def _plain_frames(models: Iterable[Any]) -> list[Frame]:
    return [Frame("", model.model_dump(exclude_none=True)) for model in models]


def _ollama(exchange: Exchange) -> Expected:
    """Ollama's own types, line by line."""
    replies = [ollama.ChatResponse.model_validate_json(line) for line in exchange.body.splitlines() if line.strip()]
    last = replies[-1]
    calls = tuple(
        Call(call.function.name, dict(call.function.arguments))
        for reply in replies
        for call in reply.message.tool_calls or ()
    )
    finish = {"stop": "stop", "length": "length", None: "stop"}.get(last.done_reason, "other")
    return Expected(
        outcome="answer",
        text="".join(reply.message.content or "" for reply in replies),
        tool_calls=calls,
        finish_reason="tool_calls" if calls and finish == "stop" else finish,
        usage=Tokens(last.prompt_eval_count, last.eval_count),
    )
