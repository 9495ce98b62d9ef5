"""The core's table of status → error, and how long a provider asks to wait.

A plugin's `fail` refines this table; what it does not know falls back to it. The message is the provider's own words,
plain: markup is never copied into it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from byollm.errors import (
    AuthenticationError,
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
from byollm.wire.exchange import Failure

STATUS_TABLE: Final[dict[int, type[ProviderError]]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExhaustedError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    405: InvalidRequestError,
    408: ProviderTimeoutError,
    409: OverloadedError,
    413: RequestTooLargeError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    424: ServerError,
    425: OverloadedError,
    429: RateLimitError,
    498: OverloadedError,
    501: InvalidRequestError,
    503: OverloadedError,
    504: ProviderTimeoutError,
    529: OverloadedError,
}
"""Statuses outside it: 3xx and 1xx are ProtocolError, other 4xx InvalidRequestError, other 5xx ServerError."""

MESSAGE_LIMIT: Final = 1000
_REQUEST_IDS: Final = (
    "x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "x-generation-id", "cf-ray",
)  # fmt: skip
_SET_OF_IDS: Final = frozenset(_REQUEST_IDS)
_DURATION: Final = r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"


def class_for(status: int) -> type[ProviderError]:
    """The error class a bare status stands for."""
    found = STATUS_TABLE.get(status)
    if found is not None:
        return found
    if 400 <= status < 500:
        return InvalidRequestError
    return ServerError if status >= 500 else ProtocolError


def generic_error(failure: Failure) -> ProviderError:
    """The error for an answer about which the plugin has nothing to say."""
    kind = class_for(failure.status)
    if failure.status == 402 and failure.headers.get("retry-after"):
        kind = RateLimitError  # a budget of calls in flight (OpenRouter's), which frees itself
    extra: dict[str, Any] = {"phase": "first_byte"} if kind is ProviderTimeoutError else {}
    return kind(plain_message(failure), status=failure.status, **extra)


def plain_message(failure: Failure) -> str:
    """The provider's words, found in any of the usual envelopes; without markup, at most 1,000 characters."""
    text = _words(failure.document)
    if text is None:
        text = "" if failure.document is not None else failure.body[: 4 * MESSAGE_LIMIT].decode("utf-8", "replace")
    text = one_screen(text)
    return text or f"the provider answered with status {failure.status} and no words of its own"


def one_screen(text: str) -> str:
    """A text as one line fit to be shown: no markup, no control characters, at most 1,000 characters."""
    shown = _MARKUP.split(text, maxsplit=1)[0]
    shown = " ".join("".join([letter if letter.isprintable() else " " for letter in shown]).split())
    return shown if len(shown) <= MESSAGE_LIMIT else f"{shown[: MESSAGE_LIMIT - 1]}…"


_MARKUP: Final = re.compile(
    r"^\s*<[a-z!/?]|<(?:!doctype|!--|\?xml|/?(?:html|head|body|title|meta|style|script|center|div|span|table|h[1-6]|p|a|hr"
    r"|br|b|i|ul|li|pre|img|font|iframe)\b[^<]*>)",
    re.IGNORECASE,
)
"""Where markup begins; a provider's words may well hold an angle bracket."""


def _words(document: Any) -> str | None:
    if isinstance(document, list):
        document = document[0] if document else None
    if not isinstance(document, Mapping):
        return document if isinstance(document, str) else None
    for name in ("error", "message", "Message", "detail", "errors", "msg"):
        value = document.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, Mapping | list):
            inner = _words(value)
            if inner:
                return inner
    return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the provider asks to wait: `retry-after-ms`, then `retry-after` (seconds or a date), then the reset of a
    limit that is used up. None when not told.

    `now` is Unix time. Negative, NaN and infinite values are no answer. A zero is no wait to honour: the next source
    decides, and 0.0 is the answer when there is none (Azure sent `retry-after: 1` beside `retry-after-ms: 0`).
    """
    milliseconds = finite(headers.get("retry-after-ms"))
    told = [None if milliseconds is None else milliseconds / 1000, _asked(headers, now), _reset(headers, now)]
    known = [seconds for seconds in told if seconds is not None]
    return next((seconds for seconds in known if seconds), 0.0 if known else None)


def _asked(headers: Mapping[str, str], now: float) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    seconds = finite(text)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(text)
        instant = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return duration(text)
    return max(0.0, instant - now)


_LIMITS: Final = (
    (re.compile(r"x-ratelimit-remaining-(.+)"), "x-ratelimit-reset-{}"),
    (re.compile(r"(anthropic-ratelimit-.+)-remaining"), "{}-reset"),
)


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    """When the limits that are used up are full again: the latest of them (headers of OpenAI, Groq and Anthropic)."""
    waits = []
    for name, value in headers.items():
        for pattern, form in _LIMITS:
            found = pattern.fullmatch(name)
            if found is not None and value.strip() in ("0", "0.0"):
                waits.append(until(headers.get(form.format(found[1]), "").strip(), now))
    known = [seconds for seconds in waits if seconds is not None]
    return max(known, default=None)


def until(text: str, now: float) -> float | None:
    """The reset of a limit: a duration, seconds, epoch seconds or milliseconds or an RFC 3339 instant, as seconds from
    now. No limit is closed for thirty years: a number so large is an instant."""
    seconds = finite(text)
    if seconds is not None:
        at = seconds / 1000 if seconds > 1e11 else seconds
        return max(0.0, at - now) if at > 1e9 else seconds
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return duration(text)
    return max(0.0, (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)).timestamp() - now)


def duration(text: str) -> float | None:
    """Go's way of writing a duration (`6m0s`, `1.57s`, `12ms`) in seconds; None when it is none."""
    match = re.fullmatch(_DURATION, text.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(group) if group else 0.0 for group in match.groups())
    total = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    return total if math.isfinite(total) else None


def finite(text: str | None) -> float | None:
    """A number of at least 0 that is finite; None for anything else."""
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's id of the exchange, whichever header it uses."""
    if _SET_OF_IDS.isdisjoint(headers):
        return None
    for name in _REQUEST_IDS:
        value = headers.get(name)
        if value:
            return value[:200]
    return None
