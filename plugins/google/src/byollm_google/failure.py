"""Errors, before and inside an answer: the details' reason, then the canonical status, then the words.

`google.rpc` details: ErrorInfo.reason, RetryInfo.retryDelay, QuotaFailure.violations[].quotaId. The body may be wrapped
in a list. Sources: the wire facts and recorded refusals, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

STATUSES: Final[dict[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Canonical codes of google.rpc and the HTTP status each stands for."""
_BY_STATUS: Final[dict[int, type[ProviderError]]] = {
    401: AuthenticationError,
    402: QuotaExhaustedError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ProviderTimeoutError,
    409: OverloadedError,
    413: RequestTooLargeError,
    424: ServerError,
    429: RateLimitError,
    498: OverloadedError,
    501: InvalidRequestError,
    503: OverloadedError,
    504: ProviderTimeoutError,
    529: OverloadedError,
}
_KEY_REASONS: Final = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED", "CREDENTIALS_MISSING"})
_CONTEXT: Final = ("exceeds the maximum number of tokens allowed", "prompt is too long")
_KEY: Final = ("api key not valid", "api key expired", "multiple authentication credentials")
_DAYS: Final = "perday"


def fail(failure: Failure) -> ProviderError | None:
    """The error for an error status; None when the body is not this dialect's, so that the core's table decides."""
    return error_of(failure.document, failure.status)


def error_of(document: Any, status: int | None = None) -> ProviderError | None:
    """The error a document tells of, or None when it tells of none the dialect knows."""
    if isinstance(document, list):
        document = document[0] if document else None
    found = document.get("error") if isinstance(document, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    word = found.get("status")
    named = _named(found, word)
    # A status of 500 and above around a body that names a 4xx is a gateway's wrapping.
    effective = named if status is None or status < 400 or (status >= 500 and named and named < 500) else status
    words = found.get("message")
    message = words if isinstance(words, str) else ""
    details = list(_details(found))
    reason = next((detail["reason"] for detail in details if isinstance(detail.get("reason"), str)), None)
    made = _class(effective, message.lower(), reason, details)
    if made is None:
        return None
    extra: dict[str, Any] = {"phase": "total"} if made is ProviderTimeoutError else {}
    return made(
        message,
        status=status,
        code=reason or (word if isinstance(word, str) else None),
        retry_after=_delay(details),
        **extra,
    )


def _class(
    status: int | None, said: str, reason: str | None, details: list[Mapping[str, Any]]
) -> type[ProviderError] | None:
    if status is None:
        return None
    if reason in _KEY_REASONS or (status in (400, 403) and any(text in said for text in _KEY)):
        return AuthenticationError
    if status == 429:
        return QuotaExhaustedError if _daily(details) else RateLimitError
    if any(text in said for text in _CONTEXT):
        return ContextLengthError
    if status == 400:
        if "billing" in said and "enable" in said:
            return QuotaExhaustedError
        if "blocked by content filtering" in said:
            return ContentFilterError
        return RequestTooLargeError if "request payload size exceeds" in said else InvalidRequestError
    return _BY_STATUS.get(status, ServerError if status >= 500 else InvalidRequestError)


def _named(found: Mapping[str, Any], word: Any) -> int | None:
    code = found.get("code")
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600:
        return code
    return STATUSES.get(word) if isinstance(word, str) else None


def _details(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    listed = found.get("details")
    for detail in listed if isinstance(listed, list) else ():
        if isinstance(detail, Mapping):
            yield detail


def _daily(details: list[Mapping[str, Any]]) -> bool:
    """A limit by the day is not over in a minute: it resets at midnight, Pacific time."""
    for detail in details:
        metadata = detail.get("metadata")
        if isinstance(metadata, Mapping) and _DAYS in str(metadata.get("quota_limit")).lower():
            return True
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, Mapping) and _DAYS in str(violation.get("quotaId")).lower():
                return True
    return False


def _delay(details: list[Mapping[str, Any]]) -> float | None:
    """`RetryInfo.retryDelay`, e.g. "14s" or "1.5s": there is no Retry-After header."""
    for detail in details:
        told = detail.get("retryDelay")
        if isinstance(told, str) and told.endswith("s"):
            try:
                seconds = float(told[:-1])
            except ValueError:
                continue
            if 0 <= seconds < 10**9:
                return seconds
    return None


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
