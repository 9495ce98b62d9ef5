"""Errors, before and inside an answer: the exception's name, its words, then the status.

The name stands in the header `x-amzn-errortype` (`Name:http://…`), in `__type`, or in a frame's `:exception-type`.
Sources: botocore 1.44.5's exceptions with their statuses, pydantic-ai 2.68.0 and recorded refusals, read 2026-11-21.
"""

from __future__ import annotations

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
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)

NAMES: Final[dict[str, type[ProviderError]]] = {
    "validation": InvalidRequestError,
    "conflict": OverloadedError,
    "servicequotaexceeded": QuotaExhaustedError,
    "accessdenied": PermissionDeniedError,
    "resourcenotfound": ModelNotFoundError,
    "modeltimeout": ProviderTimeoutError,
    "modelerror": ServerError,
    "modelstreamerror": ServerError,
    "throttling": RateLimitError,
    "modelnotready": OverloadedError,
    "internalserver": ServerError,
    "serviceunavailable": OverloadedError,
    "mpagreementbeingcreated": OverloadedError,
    **dict.fromkeys(
        (
            "unrecognizedclient", "invalidsignature", "expiredtoken", "incompletesignature", "requesttimetooskewed",
            "missingauthenticationtoken", "invalidclienttokenid", "expiredapikey", "invalidapikey",
        ),
        AuthenticationError,
    ),
}  # fmt: skip
"""Exception, in lower case and without its ending, to class: whatever the HTTP status says."""
_STATUSES: Final[dict[str, int]] = {
    "validation": 400, "throttling": 429, "internalserver": 500, "serviceunavailable": 503, "modelstreamerror": 424,
    "modeltimeout": 408,
}  # fmt: skip
"""The modelled status of an exception that comes inside a stream, where HTTP said 200."""
_CONTEXT: Final = (
    "input is too long", "prompt is too long", "too many input tokens", "input tokens exceeded", "expected maxlength:",
    "exceeds maximum length", "exceed context limit", "maximum context length",
)  # fmt: skip
_FILTER: Final = ("blocked by content filtering policy",)
_MODEL: Final = ("model identifier is invalid", "reached the end of its life")
_TOKEN: Final = ("security token included in the request", "signature we calculated", "api key is not valid")
_DAILY: Final = ("per day", "daily")
_PROFILE: Final = "on-demand throughput"


def fail(failure: Failure) -> ProviderError | None:
    """The error for an error status; None when neither a name nor words tell, so that the core's table decides."""
    document = failure.document if isinstance(failure.document, Mapping) else {}
    named = failure.headers.get("x-amzn-errortype") or document.get("__type") or document.get("code")
    words = document.get("message") or document.get("Message")
    return made(named if isinstance(named, str) else "", words if isinstance(words, str) else "", failure.status)


def made(named: str, words: str, status: int | None) -> ProviderError | None:
    """The error that a name and its words stand for."""
    word = named.partition(":")[0].rpartition("#")[2]
    key = word.lower().removesuffix("exception")
    key = key if key in NAMES else key.removesuffix("error")
    kind = _by_words(NAMES.get(key), words.lower(), status)
    if kind is None:
        return None
    hint = None
    if _PROFILE in words.lower():
        hint = "name an inference profile: us., eu., apac. or global. before the model's id"
    extra: dict[str, Any] = {"phase": "total"} if kind is ProviderTimeoutError else {}
    return kind(
        words, status=status if status is not None else _STATUSES.get(key), code=word or None, hint=hint, **extra
    )


def _by_words(kind: type[ProviderError] | None, said: str, status: int | None) -> type[ProviderError] | None:
    """Throttling comes first: "too many tokens, please wait" is no overlong prompt."""
    if kind is RateLimitError or (kind is None and status == 429):
        return QuotaExhaustedError if any(text in said for text in _DAILY) else kind
    if any(text in said for text in _TOKEN) and status in (400, 401, 403, None):
        return AuthenticationError
    if kind in (None, InvalidRequestError, ModelNotFoundError):
        if any(text in said for text in _MODEL):
            return ModelNotFoundError
        if any(text in said for text in _FILTER):
            return ContentFilterError
        if any(text in said for text in _CONTEXT) and status in (400, 413, None):
            return ContextLengthError
    if status == 413:
        return RequestTooLargeError
    return kind


def hidden(headers: Mapping[str, str], document: Mapping[str, Any]) -> ProviderError | None:
    """The error that an answer with status 200 tells of in place of a message; None when it tells of none."""
    named = headers.get("x-amzn-errortype") or document.get("__type")
    words = document.get("message") or document.get("Message")
    if not isinstance(words, str) or not (named or document.keys() <= {"message", "Message"}):
        return None
    return made(named if isinstance(named, str) else "", words, None) or ServerError(words)


def raised(event: str, document: Any) -> ProviderError:
    """The error that a frame of an open stream tells of, ready to raise. An unknown name is a failure of the server."""
    data = document if isinstance(document, Mapping) else {}
    words = data.get("message") or data.get("Message") or data.get("originalMessage")
    text = words if isinstance(words, str) and words else "the provider reported an error in its stream"
    found = made(event, text, None)
    return found if found is not None else ServerError(text, code=event or None)
