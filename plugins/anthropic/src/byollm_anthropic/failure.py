"""Errors, before and inside an answer: `details.error_code`, then `error.type`, then the status.

Sources: anthropic 2.12.0 `_error_classes.py`, the table in the wire facts and recorded refusals, read 2026-11-21. The
texts are documented as unstable: they are asked only where nothing else tells two cases apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    Failure,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProtocolError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)

CODES: Final[dict[str, type[ProviderError]]] = {
    "enforced_spend_limit_reached": QuotaExhaustedError,
    "contract_spend_limit_reached": QuotaExhaustedError,
    "linked_organization_spend_limit_reached": QuotaExhaustedError,
    "linked_organization_billing_unavailable": QuotaExhaustedError,
    "ramp_limit_exceeded": RateLimitError,
    "organization_on_hold": PermissionDeniedError,
    "user_profile_not_billable": PermissionDeniedError,
    "request_body_too_large_after_decoding": RequestTooLargeError,
    "compaction_unavailable": OverloadedError,
    "cmek_key_unreachable": OverloadedError,
    "cmek_context_unavailable": OverloadedError,
}
TYPES: Final[dict[str, type[ProviderError]]] = {
    "invalid_request_error": InvalidRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": QuotaExhaustedError,
    "permission_error": PermissionDeniedError,
    "not_found_error": ModelNotFoundError,
    "conflict_error": OverloadedError,
    "request_too_large": RequestTooLargeError,
    "rate_limit_error": RateLimitError,
    "api_error": ServerError,
    "timeout_error": ProviderTimeoutError,
    "overloaded_error": OverloadedError,
    "exceed_context_size_error": ContextLengthError,  # llama.cpp's server, which speaks this dialect too
}
_CONTEXT: Final = (
    "prompt is too long", "exceed context limit", "prompt: length", "maximum context length",
    "exceeds the context window", "exceeds the available context size", "longer than the model's context length",
    "longer than the maximum model length", "exceeds the maximum number of tokens allowed", "input tokens exceeded",
    "input is too long",
)  # fmt: skip
"""Anthropic's own words, then those of other servers and gateways that speak this dialect."""
_GONE: Final = ("file_expired", "thread_not_found", "environment_not_found")
"""Codes of a 404 in which the model is there and something else is not."""
_TEXTS: Final[tuple[tuple[type[ProviderError], type[ProviderError], tuple[str, ...]], ...]] = (
    (InvalidRequestError, ContextLengthError, _CONTEXT),
    (InvalidRequestError, QuotaExhaustedError, ("credit balance is too low", "usage limits", "spend limit")),
    (InvalidRequestError, ContentFilterError, ("blocked by content filtering",)),
    (RateLimitError, QuotaExhaustedError, ("usage is required", "spend limit")),
    (RequestTooLargeError, ContextLengthError, ("prompt is too long",)),
)
"""Class by type, the class meant, and what its text says: one type stands for several troubles."""

_SAID_BY_STATUS: Final[dict[type[ProviderError], frozenset[int]]] = {
    InvalidRequestError: frozenset({401, 402, 403, 404, 408, 429, *range(500, 600)}),
    ServerError: frozenset({*range(400, 500), 501, 503, 504, 529}),
}
"""Where `invalid_request_error` and `api_error` say less than the status: gateways put them on every refusal."""

_MODEL: Final = re.compile(r"\bmodel '[^']*' not found")
"""How other servers of this dialect (llama.cpp, Ollama) say with status 400 that they have no such model."""

_HINTS: Final = (
    ("bound to a different conversation", "this model's thinking is tied to the turns before it: leave system, tools "
     "and earlier messages as they were, or drop the reasoning parts"),
)  # fmt: skip
"""The line that mends it, by text."""


def fail(failure: Failure) -> ProviderError | None:
    """The error for an error status; None when the body is not this dialect's, so that the core's table decides."""
    document = failure.document
    return error_of(document, failure.status) if isinstance(document, Mapping) else None


def error_of(document: Mapping[str, Any], status: int | None = None) -> ProviderError | None:
    """The error a document tells of, or None when it tells of none the dialect knows."""
    found = document.get("error")
    if isinstance(found, str):
        found = {"message": found}
    if not isinstance(found, Mapping):
        return None
    kind, words = found.get("type"), found.get("message")
    details = found.get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    made = CODES.get(code) if isinstance(code, str) else None
    if status == 404 and code in _GONE:
        made = InvalidRequestError
    elif made is None:
        known = TYPES.get(kind) if isinstance(kind, str) else None
        made = _by_text(known or (InvalidRequestError if status in (400, None) else None), words)
        if status in _SAID_BY_STATUS.get(made or ProviderError, ()) or (known is None and made is InvalidRequestError):
            return None
    if made is None:
        return None
    extra: dict[str, Any] = {"phase": "total"} if made is ProviderTimeoutError else {}
    told = code if isinstance(code, str) else kind if isinstance(kind, str) else None
    identity = document.get("request_id")
    return made(
        words if isinstance(words, str) else "",
        status=status,
        code=told,
        request_id=identity if isinstance(identity, str) else None,
        hint=_hint(words),
        **extra,
    )


def _by_text(made: type[ProviderError] | None, words: Any) -> type[ProviderError] | None:
    if made is None or not isinstance(words, str):
        return made
    lower = words.lower()
    for before, after, texts in _TEXTS:
        if made is before and any(text in lower for text in texts):
            return after
    return ModelNotFoundError if made is InvalidRequestError and _MODEL.search(lower) else made


def _hint(words: Any) -> str | None:
    return next((hint for text, hint in _HINTS if isinstance(words, str) and text in words), None)


def raised(document: Mapping[str, Any]) -> ProviderError:
    """The error that an answer with status 200 tells of, ready to raise."""
    found = error_of(document)
    if found is not None:
        if not found.message:
            found.message = "the provider reported an error in its answer and gave no words"
        return found
    inner = document.get("error")
    words = inner.get("message") if isinstance(inner, Mapping) else inner
    message = words if isinstance(words, str) and words else "the provider reported an error in its answer"
    return ServerError(message) if inner is not None else ProtocolError(message)
