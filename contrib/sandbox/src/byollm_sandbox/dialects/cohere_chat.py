"""Cohere's Chat API, version 2: the twin's face.

Events of its own, the plan for tools beside the text, citations as events, counts in `tokens` and `billed_units`.
Facts: cohere 7.3.1's types and recorded traffic, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from byollm.types.parts import Audio, Citation, Image, Reasoning, Text, ToolCall
from byollm_sandbox.answers import Answer, state_of
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer, identifier, worded
from byollm_sandbox.dialects.cohere_rules import validate, validate_count
from byollm_sandbox.dialects.openai_chat import text_of
from byollm_sandbox.dialects.openai_common import retry_headers
from byollm_sandbox.dialects.openai_usage import usage_of
from byollm_sandbox.requests import Recorded
from byollm_sandbox.tokens import count_text
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

FINISH: Final = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "error": "ERROR",
    "content_filter": "ERROR_TOXIC",
    "refusal": "ERROR_TOXIC",
    "other": "OTHER",
}
"""Neutral finish reason → Cohere's word. What its filter says of an answer is version 1's."""
_ERRORS: Final[tuple[tuple[type[ProviderError], int, str, str], ...]] = (
    (AuthenticationError, 401, "", "invalid api token"),
    (PermissionDeniedError, 403, "", "you do not have permission for this"),
    (
        ModelNotFoundError, 404, "",
        "model '{model}' not found, make sure the correct model ID was used and that you have access to the model.",
    ),
    (
        ContextLengthError, 400, "TOO_MANY_TOKENS",
        "too many tokens: size limit exceeded by 25836 tokens. Try using shorter or fewer inputs. The limit for this "
        "model is 288000 tokens.",
    ),
    (RequestTooLargeError, 413, "", "the request is too large"),
    (ContentFilterError, 498, "", "blocked input: please adjust your prompt and try again"),
    (InvalidRequestError, 400, "", "invalid request: a value is not valid"),
    (QuotaExhaustedError, 402, "", "please add or update your payment method: the billing limit is reached"),
    (RateLimitError, 429, "", "too many requests: you are limited to 40 API calls / minute"),
    (OverloadedError, 503, "", "the service is overloaded, please try again"),
    (ProviderTimeoutError, 504, "", "the request timed out"),
    (ProviderError, 500, "", "internal server error"),
)  # fmt: skip
_MARKERS: Final[Mapping[type[ProviderError], str]] = {
    ContextLengthError: "too many tokens",
    AuthenticationError: "invalid api token",
}


class CohereChat:
    """The dialect `cohere-chat`."""

    name = "cohere-chat"
    base_path = "/cohere"

    def operation(self, method: str, path: str) -> str | None:
        """Chat, the tokenizer, the models."""
        trimmed = path.removesuffix("/")
        if method == "POST":
            ends = {"/v2/chat": "complete", "/v1/tokenize": "count"}
            return next((found for end, found in ends.items() if trimmed.endswith(end)), None)
        if method == "GET" and trimmed.endswith("/v1/models"):
            return "models"
        return "model" if method == "GET" and "/v1/models/" in trimmed else None

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """401 in words."""
        if request.key in expected:
            return None
        return Rejection(401, "no api key supplied" if request.key is None else "invalid api token", "")

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Cohere refuses."""
        return validate(body)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What the tokenizer refuses."""
        return validate_count(body)

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """The request as a stand-in model reads it."""
        messages = body.get("messages") or []
        said = {role: [text_of(m.get("content")) for m in messages if m["role"] == role] for role in ("system", "user")}
        last = [index for index, message in enumerate(messages) if message["role"] == "user"]
        format_ = body.get("response_format") or {}
        choice = {"REQUIRED": "required", "NONE": "none"}.get(str(body.get("tool_choice")), "auto")
        return Prompt(
            system="\n".join(said["system"]),
            text="\n".join(said["user"]),
            tools=[
                ToolOffer(tool["function"]["name"], tool["function"]["parameters"]) for tool in body.get("tools") or []
            ],
            choice=choice,
            schema=format_.get("json_schema"),
            json=format_.get("type") == "json_object",
            results=[text_of(m["content"]) for m in messages[last[-1] if last else 0 :] if m["role"] == "tool"],
            max_tokens=body.get("max_tokens"),
            stop=tuple(body.get("stop_sequences") or ()),
        )

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """The whole answer."""
        message: dict[str, Any] = {"role": "assistant"}
        plan, blocks = _plan(answer), _blocks(answer)
        if plan:
            message["tool_plan"] = plan
        if blocks:
            message["content"] = [{"type": kind, kind: text} for kind, text in blocks]
        if answer.tool_calls:
            message["tool_calls"] = [_tool_call(item, item.arguments) for item in answer.tool_calls]
        if answer.citations:
            message["citations"] = [_citation(item, answer) for item in answer.citations]
        return {"id": _id(answer, call), "message": message, **_end(answer, call), **answer.extra}

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """`message-start`, the plan, each block and call between its start and end, citations, `message-end`."""
        frames: list[Frame] = []

        def add(kind: str, delta: dict[str, Any] | None = None, *, tokens: int = 0, **members: Any) -> None:
            data = {"type": kind, **members, **({"delta": delta} if delta is not None else {})}
            frames.append(Frame(dump(data), kind, tokens, answer.pause))

        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        add("message-start", {"message": empty}, id=_id(answer, call))
        for piece in answer.cut(_plan(answer)):
            add("tool-plan-delta", {"message": {"tool_plan": piece}}, tokens=1)
        for index, (kind, text) in enumerate(_blocks(answer)):
            add("content-start", {"message": {"content": {"type": kind, kind: ""}}}, index=index)
            for piece in answer.cut(text):
                add("content-delta", {"message": {"content": {kind: piece}}}, tokens=1, index=index)
            add("content-end", index=index)
        for index, item in enumerate(answer.tool_calls):
            add("tool-call-start", {"message": {"tool_calls": _tool_call(item, "")}}, index=index)
            for piece in answer.cut(item.arguments):
                add(
                    "tool-call-delta",
                    {"message": {"tool_calls": {"function": {"arguments": piece}}}},
                    tokens=1,
                    index=index,
                )
            add("tool-call-end", index=index)
        for index, citation in enumerate(answer.citations):
            add("citation-start", {"message": {"citations": _citation(citation, answer)}}, index=index)
            add("citation-end", index=index)
        add("message-end", _end(answer, call))
        frames[-1].role = "finish"
        return [*frames, Frame("[DONE]", role="done")]

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """`{"id", "message"}`, with `error_type` where there is one."""
        document = {"id": identifier("", call.number, 32), "message": rejection.message}
        if rejection.type:
            document["error_type"] = rejection.type
        return json_reply(document, status=rejection.status, headers=retry_headers(rejection))

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in Cohere's words."""
        _, status, type_, words = next(row for row in _ERRORS if isinstance(error, row[0]))
        text = worded(error, words.format(model=call.body.get("model", "unknown")), _MARKERS)
        return Rejection(error.status or status, text, error.code or type_, None, None, {"error": error})

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """The end of the message says it; the HTTP status is 200 by then."""
        usual = next(row for row in _ERRORS if isinstance(error, row[0]))
        text = worded(error, usual[3].format(model=call.body.get("model", "unknown")), {usual[0]: usual[3]})
        delta = {"finish_reason": "ERROR", "usage": {}, "error": text, "error_type": error.code or usual[2]}
        return [Frame(dump({"type": "message-end", "delta": delta}), "message-end")]

    def ping(self) -> Frame | None:
        """Cohere has no keep-alive event."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """The limits of a trial key."""
        return [("x-endpoint-monthly-call-limit", "1000"), ("x-trial-endpoint-call-limit", "40")]

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """As many tokens as the twins' rule counts."""
        number = count_text(body["text"])
        meta = {"api_version": {"version": "1"}}
        return {"tokens": list(range(number)), "token_strings": ["x"] * number, "meta": meta}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """The list of models."""
        return {"models": [self.model(name) for name in names]}

    def model(self, name: str) -> dict[str, Any]:
        """One model: the same for every name."""
        features = ["json_mode", "json_schema", "strict_tools", "tools", "vision"]
        return {"name": name, "endpoints": ["chat"], "context_length": 128_000, "features": features}


def _id(answer: Answer, call: Call) -> str:
    return answer.id or identifier("", call.number, 32)


def _plan(answer: Answer) -> str:
    """Reasoning that is marked as a plan; without tools there is none."""
    return "".join(
        part.text for part in answer.parts if isinstance(part, Reasoning) and state_of(part).get("field") == "tool_plan"
    )


def _blocks(answer: Answer) -> list[tuple[str, str]]:
    """The blocks of the content: (kind, text)."""
    found: list[tuple[str, str]] = []
    for part in answer.parts:
        if isinstance(part, Image | Audio):
            raise TypeError(f"Cohere's chat cannot answer with {type(part).__name__}")
        if isinstance(part, Reasoning) and state_of(part).get("field") != "tool_plan":
            found.append(("thinking", part.text))
        elif isinstance(part, Text):
            found.append(("text", part.text))
    return [*found, ("text", answer.refusal)] if answer.refusal else found


def _tool_call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _citation(citation: Citation, answer: Answer) -> dict[str, Any]:
    start = citation.start if citation.start is not None else 0
    end = citation.end if citation.end is not None else len(answer.text)
    document = {"id": "doc:0", "text": citation.cited_text, "title": citation.title, "url": citation.url}
    told = {name: value for name, value in document.items() if value is not None}
    source = {"type": "document", "id": "doc:0", "document": told}
    place = {"type": "TEXT_CONTENT", "content_index": 0}
    return {"start": start, "end": end, "text": answer.text[start:end], "sources": [source], **place}


def _end(answer: Answer, call: Call) -> dict[str, Any]:
    finish = answer.raw_finish_reason or (
        "STOP_SEQUENCE" if answer.stop_sequence else FINISH[answer.finish_reason or "stop"]
    )
    usage = usage_of(answer, call, call.body.get("messages"))
    if usage is None:
        return {"finish_reason": finish}
    prompt, made = usage.input_tokens, usage.output_tokens
    counts = {"input_tokens": prompt, "output_tokens": made}
    if usage.reasoning_tokens:
        counts["reasoning_tokens"] = usage.reasoning_tokens
    tokens = {name: value for name, value in counts.items() if value is not None}
    billed = {"input_tokens": prompt or 0, "output_tokens": made or 0}
    told: dict[str, Any] = {"billed_units": billed, "tokens": tokens}
    if usage.cached_tokens is not None:
        told["cached_tokens"] = usage.cached_tokens
    return {"finish_reason": finish, "usage": told}
