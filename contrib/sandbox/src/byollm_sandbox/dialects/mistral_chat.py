"""Mistral's Chat Completions: the twin's face.

Thoughts are chunks of the content, calls come whole and bear ids of nine letters and digits, usage stands in the last
chunk, refusals are flat. Facts: mistralai 3.7.0's types and recorded traffic, read 2026-11-21.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from byollm.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
)
from byollm.types.parts import Audio, Image, Reasoning, Text, ToolCall
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects import openai_common as common
from byollm_sandbox.dialects.base import Call, Rejection, identifier, worded
from byollm_sandbox.dialects.mistral_rules import validate
from byollm_sandbox.dialects.openai_chat import OpenAIChat, model_of
from byollm_sandbox.dialects.openai_usage import usage_of
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

FINISH: Final = {
    "length": "length", "tool_calls": "tool_calls", "error": "error", "content_filter": "content_filter",
    "refusal": "content_filter", "other": "other",
}  # fmt: skip
"""Neutral finish reason → Mistral's word, `stop` for all others. What guardrails say is known from no source."""
_ID: Final = re.compile(r"[a-zA-Z0-9]{9}")
_ERRORS: Final[tuple[tuple[type[ProviderError], int, str, str, str], ...]] = (
    (AuthenticationError, 401, "", "", "Invalid API Key"),
    (PermissionDeniedError, 403, "forbidden", "1000", "You cannot use this model."),
    (ModelNotFoundError, 400, "invalid_model", "1500", "Invalid model: {model}"),
    (
        ContextLengthError, 400, "invalid_request_prompt", "3051",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    ),
    (RequestTooLargeError, 413, "request_too_large", "3100", "The request is too large."),
    (ContentFilterError, 400, "content_filter", "3700", "A guardrail blocked the request."),
    (InvalidRequestError, 400, "invalid_request", "3000", "The request has an invalid value."),
    (QuotaExhaustedError, 402, "payment_required", "1200", "The monthly spend limit is reached."),
    (RateLimitError, 429, "rate_limited", "1300", "Requests rate limit exceeded"),
    (OverloadedError, 429, "service_tier_capacity_exceeded", "3505", "Service tier capacity exceeded for this model."),
    (ProviderTimeoutError, 504, "timeout", "1100", "The request timed out."),
    (ProviderError, 500, "internal_server_error", "1000", "Internal server error"),
)  # fmt: skip
_MARKERS: Final[Mapping[type[ProviderError], str]] = {ContextLengthError: "maximum context length"}


class MistralChat(OpenAIChat):
    """The dialect `mistral-chat`."""

    name = "mistral-chat"
    base_path = "/mistral/v1"

    def operation(self, method: str, path: str) -> str | None:
        """Chat completions and the models; tokens are counted nowhere."""
        found = super().operation(method, path)
        return None if found == "count" else found

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """401 as a bare detail."""
        return None if request.key in expected else self.error(AuthenticationError(""), _NOBODY)

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Mistral refuses."""
        return validate(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """A `chat.completion`; content is a list as soon as there is a thought."""
        message: dict[str, Any] = {"role": "assistant", "tool_calls": None, "content": _content(answer)}
        if answer.tool_calls:
            message["tool_calls"] = [_tool_call(item, index) for index, item in enumerate(answer.tool_calls)]
        choice = {"finish_reason": _finish(answer), "message": message}
        count = 2 if "second-choice" in call.quirks else int(call.body.get("n") or 1)
        made = {
            **_head(answer, call, "chat.completion"),
            "choices": [{"index": index, **choice} for index in range(count)],
            **_usage(answer, call),
            **answer.extra,
        }
        return made if "usage" in made else {**made, "usage": {}}

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """The role, the pieces, each call whole, the end with the usage, `[DONE]`."""
        head = _head(answer, call, "chat.completion.chunk")
        frames: list[Frame] = []

        def add(delta: dict[str, Any], index: int, tokens: int = 0, finish: str | None = None) -> None:
            choice = {"index": index, "delta": delta, "finish_reason": finish}
            usage = _usage(answer, call) if finish else {}
            frames.append(Frame(dump({**head, "choices": [choice], **usage}), tokens=tokens, pause=answer.pause))

        choices = range(2 if "second-choice" in call.quirks else int(call.body.get("n") or 1))
        for index in choices:
            add({"role": "assistant", "content": ""}, index)
            for delta in _deltas(answer):
                add(delta, index, 1)
        for index in choices:
            add({"content": ""}, index, finish=_finish(answer))
            frames[-1].role = "finish"
        return [*frames, Frame("[DONE]", role="done")]

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """Flat; a wrong shape and a wrong key as FastAPI says them."""
        headers = [*self.headers(call), *common.retry_headers(rejection)]
        return json_reply(_refusal(rejection), status=rejection.status, headers=headers)

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in Mistral's words."""
        _, status, type_, code, words = next(row for row in _ERRORS if isinstance(error, row[0]))
        text = worded(error, words.format(model=call.body.get("model", "unknown")), _MARKERS)
        return Rejection(error.status or status, text, type_, None, error.code or code, {"error": error})

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """The flat object instead of a chunk; the HTTP status is 200 by then."""
        return [Frame(dump(_flat(self.error(error, call))))]

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """Limits by the minute, and the id of the request."""
        return [
            ("mistral-correlation-id", identifier("", call.number, 32)),
            ("x-ratelimit-limit-req-minute", "100"),
            ("x-ratelimit-remaining-req-minute", "98"),
        ]

    def model(self, name: str) -> dict[str, Any]:
        """One model's card: the same for every model."""
        can = {"completion_chat": True, "function_calling": True, "vision": True, "reasoning": True, "audio": False}
        return {**super().model(name), "capabilities": can, "max_context_length": 131_072, "aliases": []}


_NOBODY: Final = Call(body={}, number=0, created=0)


def _refusal(rejection: Rejection) -> dict[str, Any]:
    if "detail" in rejection.details:
        return {"detail": rejection.details["detail"]}
    if rejection.status == 401:
        return {"detail": rejection.message}
    return _flat(rejection)


def _flat(rejection: Rejection) -> dict[str, Any]:
    return {
        "object": "error",
        "message": rejection.message,
        "type": rejection.type,
        "param": rejection.param,
        "code": rejection.code,
        "raw_status_code": rejection.status,
    }


def _head(answer: Answer, call: Call, kind: str) -> dict[str, Any]:
    id = answer.id or identifier("", call.number, 32)
    return {"id": id, "object": kind, "created": call.created, "model": model_of(answer, call)}


def _finish(answer: Answer) -> str:
    return answer.raw_finish_reason or FINISH.get(answer.finish_reason or "stop", "stop")


def _usage(answer: Answer, call: Call) -> dict[str, Any]:
    usage = usage_of(answer, call, call.body.get("messages"))
    if usage is None:
        return {}
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if usage.cached_tokens is not None:
        counts |= {"num_cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens:
        return {"usage": {**counts, "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens}}}
    return {"usage": counts}


def _content(answer: Answer) -> Any:
    for part in answer.parts:
        if isinstance(part, Image | Audio):
            raise TypeError(f"Mistral's chat cannot answer with {type(part).__name__}")
    text = answer.text or answer.refusal or ""
    if not answer.reasoning:
        return text
    thought = {**_thought(answer.reasoning), "closed": True}
    return [thought, {"type": "text", "text": text}] if text else [thought]


def _thought(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _deltas(answer: Answer) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for part in answer.parts:
        if isinstance(part, Reasoning):
            made += [{"content": [_thought(piece)]} for piece in answer.cut(part.text)]
        elif isinstance(part, Text):
            made += [{"content": piece} for piece in answer.cut(part.text)]
    if answer.refusal:
        made += [{"content": piece} for piece in answer.cut(answer.refusal)]
    _content(answer)
    return made + [{"tool_calls": [_tool_call(item, index)]} for index, item in enumerate(answer.tool_calls)]


def _tool_call(call: ToolCall, index: int) -> dict[str, Any]:
    id = call.id if _ID.fullmatch(call.id) else hashlib.sha256(call.id.encode()).hexdigest()[:9]
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": id, "type": "function", "function": function, "index": index}
