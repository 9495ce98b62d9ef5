"""What both OpenAI dialects share: keys, errors, headers, models, the strict subset's sentences.

Shapes after wire-openai-family notes and recordings read on 2026-11-21; the sentences are the twin's own, close enough
to the vendor's for a reader that looks for their key words.
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
    ServerError,
)
from byollm_sandbox.dialects.base import Call, Rejection, identifier, worded
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, json_reply

_INVALID: Final = "invalid_request_error"

_ERRORS: Final[tuple[tuple[type[ProviderError], int, str, str | None, str], ...]] = (
    # The first that fits wins: children stand before their parents.
    (
        AuthenticationError,
        401,
        _INVALID,
        "invalid_api_key",
        "Incorrect API key provided: sk-twin****. Check your keys.",
    ),
    (
        PermissionDeniedError,
        403,
        "request_forbidden",
        "unsupported_country_region_territory",
        "This region is not served.",
    ),
    (
        ModelNotFoundError,
        404,
        _INVALID,
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    (
        ContextLengthError,
        400,
        _INVALID,
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens.",
    ),
    (
        RequestTooLargeError,
        429,
        "tokens",
        "rate_limit_exceeded",
        "Request too large for {model} on tokens per min (TPM): Limit 30000, Requested 36278. The input or output "
        "tokens must be reduced in order to run.",
    ),
    (ContentFilterError, 400, _INVALID, "content_policy_violation", "The request was rejected by the safety system."),
    (InvalidRequestError, 400, _INVALID, "invalid_value", "The request has an invalid value."),
    (
        QuotaExhaustedError,
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    (
        RateLimitError,
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for {model} on requests per min (RPM).",
    ),
    (
        OverloadedError,
        503,
        "server_error",
        "server_is_overloaded",
        "The server is overloaded. Slow down and retry later.",
    ),
    (ProviderTimeoutError, 504, "server_error", "timeout", "The request timed out."),
    (ServerError, 500, "server_error", None, "The server had an error while processing your request."),
    (ProviderError, 500, "server_error", None, "The server had an error while processing your request."),
)

_MARKERS: Final[Mapping[type[ProviderError], str]] = {RequestTooLargeError: "Request too large"}
"""Errors that OpenAI tells apart by their sentence only, and how it begins."""


def rejection_for(error: ProviderError, call: Call, *, param: str | None = None) -> Rejection:
    """A neutral error in OpenAI's terms; its own message, status and code win over the usual ones."""
    for kind, status, type_, code, message in _ERRORS:
        if isinstance(error, kind):
            model = call.body.get("model", "unknown")
            text = worded(error, message.format(model=model), _MARKERS)
            param = param if kind is ContextLengthError else "model" if kind is ModelNotFoundError else None
            return Rejection(error.status or status, text, type_, param, error.code or code, {"error": error})
    raise AssertionError("ProviderError is the last row")


def error_document(rejection: Rejection) -> dict[str, Any]:
    """The envelope."""
    return {
        "error": {
            "message": rejection.message,
            "type": rejection.type,
            "param": rejection.param,
            "code": rejection.code,
        }
    }


def reject(rejection: Rejection, call: Call) -> Reply:
    """A refusal as OpenAI sends it, with `retry-after` when the error has one."""
    return json_reply(
        error_document(rejection), status=rejection.status, headers=[*headers(call), *retry_headers(rejection)]
    )


def retry_headers(rejection: Rejection) -> list[tuple[str, str]]:
    """`retry-after` in seconds (and in milliseconds when it is no whole number), as the scripted error says."""
    error = rejection.details.get("error")
    seconds = getattr(error, "retry_after", None)
    if seconds is None:
        return []
    whole = [("retry-after", str(int(-(-seconds // 1))))]
    return whole if seconds == int(seconds) else [("retry-after-ms", str(round(seconds * 1000))), *whole]


def headers(call: Call) -> list[tuple[str, str]]:
    """Request id, timing and rate limits; the resets are Go-style durations."""
    return [
        ("x-request-id", identifier("req_", call.number, 32)),
        ("openai-version", "2020-10-01"),
        ("openai-organization", "twin"),
        ("openai-processing-ms", "7"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-tokens", "1999000"),
        ("x-ratelimit-reset-tokens", "30ms"),
    ]


def missing_key(request: Recorded, expected: frozenset[str]) -> Rejection | None:
    """401 for a missing or wrong key. OpenAI repeats a wrong key with its middle starred out, a short one whole."""
    if request.key in expected:
        return None
    if request.key is None:
        text = "You didn't provide an API key. Send it in an Authorization header using Bearer auth (Bearer YOUR_KEY)."
        return Rejection(401, text)
    return Rejection(
        401, f"Incorrect API key provided: {masked(request.key)}. Check your keys.", code="invalid_api_key"
    )


def masked(key: str) -> str:
    """A key as OpenAI shows it: first eight and last four characters; twelve or fewer are shown as they are."""
    return key if len(key) <= 12 else f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"


def model_document(name: str) -> dict[str, Any]:
    """One model: OpenAI tells no window, no prices."""
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "system", "shutdown_date": None}


def models_document(names: Sequence[str]) -> dict[str, Any]:
    """The list of models."""
    return {"object": "list", "data": [model_document(name) for name in names]}


def operation(method: str, path: str, complete: str, count: str) -> str | None:
    """What a path asks for, wherever the base ends: with `/v1` or without."""
    trimmed = path.removesuffix("/")
    if trimmed.endswith(count):
        return "count" if method == "POST" else None
    if trimmed.endswith(complete):
        return "complete" if method == "POST" else None
    if method == "GET" and trimmed.endswith("/models"):
        return "models"
    if method == "GET" and "/models/" in trimmed:
        return "model"
    return None
