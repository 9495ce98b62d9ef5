"""Anthropic Messages: the twin's face."""

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
    ServerError,
)
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects import anthropic_render as render
from byollm_sandbox.dialects import claude_models as claude
from byollm_sandbox.dialects.anthropic_rules import validate, validate_count
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer, identifier, worded
from byollm_sandbox.requests import Recorded
from byollm_sandbox.tokens import count_messages, count_text, count_tools, count_value
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

_ERRORS: Final[tuple[tuple[type[ProviderError], int, str, str], ...]] = (
    # The first that fits wins: children stand before their parents.
    (AuthenticationError, 401, "authentication_error", "invalid x-api-key"),
    (PermissionDeniedError, 403, "permission_error", "Your API key does not have permission to use this resource."),
    (ModelNotFoundError, 404, "not_found_error", "model: {model}"),
    (ContextLengthError, 400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"),
    (RequestTooLargeError, 413, "request_too_large", "Request exceeds the maximum size"),
    (ContentFilterError, 400, "invalid_request_error", "Output blocked by content filtering policy"),
    (InvalidRequestError, 400, "invalid_request_error", "messages: the request has an invalid value"),
    (QuotaExhaustedError, 402, "billing_error", "Your credit balance is too low to access the API."),
    (RateLimitError, 429, "rate_limit_error", "This request would exceed your account's rate limit. Try again later."),
    (OverloadedError, 529, "overloaded_error", "Overloaded"),
    (ProviderTimeoutError, 504, "timeout_error", "The request timed out."),
    (ServerError, 500, "api_error", "Internal server error"),
    (ProviderError, 500, "api_error", "Internal server error"),
)
_MARKERS: Final = {
    ContextLengthError: "prompt is too long",
    ContentFilterError: "Output blocked by content filtering policy",
}
"""Errors that Anthropic tells apart by their sentence only, and how it begins."""


class AnthropicMessages:
    """The dialect `anthropic-messages`."""

    name = "anthropic-messages"
    base_path = "/anthropic"

    def operation(self, method: str, path: str) -> str | None:
        """Messages, token counting, the models: below the base with `/v1` or without."""
        trimmed = path.removesuffix("/")
        if trimmed.endswith("/messages/count_tokens"):
            return "count" if method == "POST" else None
        if trimmed.endswith("/messages"):
            return "complete" if method == "POST" else None
        if method == "GET" and trimmed.endswith("/models"):
            return "models"
        return "model" if method == "GET" and "/models/" in trimmed else None

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """401; the key is taken from `x-api-key` or as a bearer token."""
        if request.key in expected:
            return None
        if request.key is None:
            return Rejection(401, "x-api-key header is required", "authentication_error")
        return Rejection(401, "invalid x-api-key", "authentication_error")

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Anthropic refuses; `compatible` without the rules of its own models."""
        return validate(body, headers, compatible=compatible)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What the counting endpoint refuses: `max_tokens` among others."""
        return validate_count(body, headers)

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """A request as the stand-in model reads it."""
        return read_prompt(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """A `message`."""
        return render.document(answer, call)

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """`message_start` to `message_stop`, with a ping."""
        return render.stream(answer, call)

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """The envelope, with `retry-after` when the error has one."""
        extra = []
        seconds = getattr(rejection.details.get("error"), "retry_after", None)
        if seconds is not None:
            extra.append(("retry-after", str(int(-(-seconds // 1)))))
        return json_reply(
            error_document(rejection, call), status=rejection.status, headers=[*self.headers(call), *extra]
        )

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in Anthropic's terms; its own message, status and code win over the usual ones."""
        for kind, status, type_, message in _ERRORS:
            if isinstance(error, kind):
                text = worded(error, message.format(model=call.body.get("model", "unknown")), _MARKERS)
                return Rejection(error.status or status, text, type_, None, error.code, {"error": error})
        raise AssertionError("ProviderError is the last row")

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """An `error` event; the HTTP status is 200 by then."""
        return [Frame(dump(error_document(self.error(error, call), call)), event="error")]

    def ping(self) -> Frame | None:
        """The keep-alive event."""
        return Frame('{"type": "ping"}', event="ping")

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """Request id and rate limits; the resets are RFC 3339."""
        limits = [
            (f"anthropic-ratelimit-{kind}-{part}", value)
            for kind, limit, left in (
                ("requests", "4000", "3999"),
                ("tokens", "2000000", "1999000"),
                ("input-tokens", "1600000", "1599000"),
                ("output-tokens", "400000", "400000"),
            )
            for part, value in (("limit", limit), ("remaining", left), ("reset", "2026-11-21T00:00:00Z"))
        ]
        return [("request-id", identifier("req_011", call.number)), ("anthropic-organization-id", "twin"), *limits]

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Tokens of messages, system and tools by the twins' rule."""
        total = count_messages(body.get("messages")) + count_tools(body.get("tools")) + count_value(body.get("system"))
        return {"input_tokens": total}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """One page of models."""
        data = [self.model(name) for name in names]
        first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
        return {"data": data, "has_more": False, "first_id": first, "last_id": last}

    def model(self, name: str) -> dict[str, Any]:
        """One model, with its window where the name is known."""
        window, output = claude.limits(name)
        return {
            "type": "model",
            "id": name,
            "display_name": name.replace("-", " ").title(),
            "created_at": "2026-01-01T00:00:00Z",
            "max_input_tokens": window,
            "max_tokens": output,
        }


def error_document(rejection: Rejection, call: Call) -> dict[str, Any]:
    """The envelope; machine codes stand in `error.details`."""
    error: dict[str, Any] = {"type": rejection.type, "message": rejection.message}
    if rejection.code:
        error["details"] = {"error_code": rejection.code}
    return {"type": "error", "error": error, "request_id": identifier("req_011", call.number)}


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """A Messages request as the stand-in model reads it."""
    said, results = [], []
    for message in body.get("messages") or []:
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        texts = [block.get("text", "") for block in blocks if block.get("type") == "text"]
        texts += [_document_text(block) for block in blocks if block.get("type") == "document"]
        answers = [_text(block.get("content")) for block in blocks if block.get("type") == "tool_result"]
        if message.get("role") == "user":
            said += texts
            results = answers
    system = _text(body.get("system"))
    format_ = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    choice = body.get("tool_choice") or {}
    words = {"any": "required", "tool": str(choice.get("name")), "none": "none"}
    tools = [
        ToolOffer(tool["name"], tool.get("input_schema") or {})
        for tool in body.get("tools") or []
        if "input_schema" in tool
    ]
    return Prompt(
        system=system,
        text="\n".join(said),
        tools=tools,
        choice=words.get(str(choice.get("type")), "auto"),
        schema=format_.get("schema"),
        json=bool(format_),
        results=results,
        max_tokens=body.get("max_tokens"),
        stop=tuple(body.get("stop_sequences") or ()),
        parallel=choice.get("disable_parallel_tool_use") is not True,
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content or [] if isinstance(block, dict))


def _document_text(block: Mapping[str, Any]) -> str:
    source = block.get("source") or {}
    return str(source.get("data", "")) if source.get("type") == "text" else ""


__all__ = ["AnthropicMessages", "count_text", "error_document", "read_prompt"]
