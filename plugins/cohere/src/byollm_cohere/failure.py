"""Refusals as typed errors. Cohere says `{"id", "message"}`, sometimes with `error_type`.

Facts: recorded refusals, pydantic-ai 2.68.0 and the list of statuses in the vendor's documentation, read 2026-11-21.
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
    Head,
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

STATUSES: Final[Mapping[int, type[ProviderError]]] = {
    401: AuthenticationError,
    402: QuotaExhaustedError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ProviderTimeoutError,
    409: OverloadedError,
    413: RequestTooLargeError,
    424: ServerError,
    429: RateLimitError,
    498: ContentFilterError,
    501: InvalidRequestError,
    503: OverloadedError,
    504: ProviderTimeoutError,
    529: OverloadedError,
}
"""498 is Cohere's word for a request or an answer that its filter blocked."""
_CONTEXT: Final = r"too many tokens|maximum context length"
_MONTHLY: Final = r"calls\s*/\s*month|per month|monthly|billing|spend limit"
_KEY: Final = r"invalid api token|api key"
BROKEN: Final = "INVALID_TOOL_GENERATION"
"""The model's own call broke, not the request: another sample may be whole, and this one may have cost money."""


def fail(failure: Failure) -> ProviderError | None:
    """The typed error for an error answer; None when its body says nothing that its status does not."""
    document = failure.document
    if failure.status < 400 or not isinstance(document, dict) or not isinstance(document.get("message"), str):
        return None
    error = _error(document["message"], document.get("error_type"), failure.status)
    error.status = failure.status
    return error


def carried_error(data: Mapping[str, Any], head: Head) -> ProviderError:
    """The error that an answer of status 200 carries: in `error` at its end, or in `message` instead of an answer."""
    words = next((data[name] for name in ("error", "message") if isinstance(data.get(name), str)), "")
    error = _error(words or "the answer holds no message", data.get("error_type"), None)
    error.status = head.status
    return error


def _error(message: str, type_: Any, status: int | None) -> ProviderError:
    code = type_ if isinstance(type_, str) and type_ else None
    kind = _kind(message.lower(), code, status)
    extra: dict[str, Any] = {"phase": "first_byte"} if kind is ProviderTimeoutError else {}
    if code == BROKEN:
        extra = {"retryable": True, "failover_ok": True, "billed": "unknown"}
    return kind(message, status=status, code=code, **extra)


def _kind(text: str, code: str | None, status: int | None) -> type[ProviderError]:
    if code == BROKEN:
        return InvalidRequestError
    if code == "TOO_MANY_TOKENS" or (status in (400, None) and re.search(_CONTEXT, text)):
        return ContextLengthError
    if status == 429 and re.search(_MONTHLY, text):
        return QuotaExhaustedError
    if status is None:
        return _wordy(text)
    if status == 400 and re.search(_KEY, text):
        return AuthenticationError
    found = STATUSES.get(status)
    if found is not None:
        return found
    return ServerError if status >= 500 else InvalidRequestError


def _wordy(text: str) -> type[ProviderError]:
    """The class of an error inside an answer of status 200, by its words."""
    for words, kind in _WORDS:
        if re.search(words, text):
            return kind
    return ServerError


_WORDS: Final[tuple[tuple[str, type[ProviderError]], ...]] = (
    (_KEY, AuthenticationError),
    (_MONTHLY, QuotaExhaustedError),
    (r"too many requests|rate limit|calls / minute", RateLimitError),
    (r"model '[^']*' (?:not found|was removed)", ModelNotFoundError),
    (r"permission|not allowed", PermissionDeniedError),
    (r"blocked (?:input|output)", ContentFilterError),
    (r"request is too large", RequestTooLargeError),
    (r"timed out|timeout", ProviderTimeoutError),
    (r"overloaded|unavailable", OverloadedError),
    (r"invalid request", InvalidRequestError),
)
