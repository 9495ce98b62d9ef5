"""Refusals as typed errors: one normaliser for every envelope that was seen, one order of rules to tell what it means.

The rules are those of `spec/errors.md`. The message is the provider's own words, never markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import byollm.plugin
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
from byollm_openai_compatible.envelope import Said, said_by
from byollm_openai_compatible.profile import Quirks

CODES: Final[Mapping[str, type[ProviderError]]] = {
    **dict.fromkeys(
        (
            "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_hard_limit_reached",
            "exceeded_current_quota_error", "budget_exceeded", "billing_error", "enforced_spend_limit_reached",
            "contract_spend_limit_reached", "linked_organization_spend_limit_reached",
            "linked_organization_billing_unavailable", "servicequotaexceededexception",
        ),
        QuotaExhaustedError,
    ),
    **dict.fromkeys(("request_too_large", "request_body_too_large_after_decoding"), RequestTooLargeError),
    **dict.fromkeys(
        ("context_length_exceeded", "exceed_context_size_error", "too_many_prompt_tokens", "too_many_tokens"),
        ContextLengthError,
    ),
    **dict.fromkeys(
        (
            "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "invalid_prompt",
            "bio_policy", "misalignment_policy_violation", "image_content_policy_violation", "data_inspection_failed",
        ),
        ContentFilterError,
    ),
    **dict.fromkeys(
        ("model_not_found", "model_decommissioned", "deploymentnotfound", "invalid_model"), ModelNotFoundError
    ),
    **dict.fromkeys(("modelnotreadyexception", "mpagreementbeingcreated"), OverloadedError),
}  # fmt: skip
"""Codes and types, in lower case, that mean one thing whatever the status."""

WORDS: Final[Mapping[str, type[ProviderError]]] = {
    "invalid_api_key": AuthenticationError,
    "authentication_error": AuthenticationError,
    "rate_limit_exceeded": RateLimitError,
    "rate_limit_error": RateLimitError,
    "ratelimitreached": RateLimitError,
    "too_many_requests": RateLimitError,
    "server_is_overloaded": OverloadedError,
    "overloaded_error": OverloadedError,
    "overloaded": OverloadedError,
    "slow_down": OverloadedError,
    "unavailable_error": OverloadedError,
    "serviceunavailableerror": OverloadedError,
    "capacity_exceeded": OverloadedError,
    "timeout_error": ProviderTimeoutError,
    "permission_error": PermissionDeniedError,
    "unsupported_country_region_territory": PermissionDeniedError,
    "not_found_error": ModelNotFoundError,
    "notfounderror": ModelNotFoundError,
    "invalid_request_error": InvalidRequestError,
    "badrequesterror": InvalidRequestError,
    "validation": InvalidRequestError,
}
"""Codes and types that decide only where no status does: in an error inside a 200 answer."""

_KEYS: Final = frozenset(
    {
        "invalid_api_key", "authentication_error", "api_key_invalid", "unrecognizedclientexception",
        "expiredtokenexception", "invalidsignatureexception", "incompletesignatureexception",
    }
)  # fmt: skip
"""Codes of a key that is none, where the status is 400, 401, 403 or not told."""
_OTHERS_GONE: Final = frozenset({"file_expired", "thread_not_found"})
"""Codes of a 404 in which the model is there and something else is not."""
_INPUT: Final = (
    "invalid_", "image_", "unsupported_", "empty_image_file", "failed_to_download_image", "data_residency_mismatch",
)  # fmt: skip
"""Beginnings of the codes of a Responses answer that failed over what it was given (openai 3.54.0, 2026-11-21)."""

STATUSES: Final[Mapping[int, type[ProviderError]]] = {
    401: AuthenticationError,
    402: QuotaExhaustedError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ProviderTimeoutError,
    409: OverloadedError,
    413: RequestTooLargeError,
    424: ServerError,
    425: OverloadedError,
    429: RateLimitError,
    498: OverloadedError,
    501: InvalidRequestError,
    503: OverloadedError,
    504: ProviderTimeoutError,
    529: OverloadedError,
}

# Patterns, compiled at the first error that asks: a sixteenth of a program's start otherwise.
_CONTEXT: Final = (
    r"maximum context length|reduce the length of the messages|exceeds the context window|exceed context limit"
    r"|model's maximum context limit|is longer than the model's context length|longer than the maximum model length"
    r"|input tokens exceed the configured limit|`inputs` tokens \+ `max_new_tokens` must be"
    r"|`inputs` must have less than|exceeds the available context size|current length is .{1,80} while limit is"
    r"|input too long: .{1,80} limit is"
    r"|prompt is too long|exceeded max context length|model's context length is only|maximum input length of"
    r"|greater than the context length|input length exceeds the context length"
    r"|exceeds the maximum number of tokens allowed|input tokens exceeded|input is too long"
)
_NOT_CONTEXT: Final = r"string_above_max_length|invalid 'user'.*string too long|request too large"
_FILTER: Final = (
    r"content management policy|violating our usage policy|violates usage guidelines"
    r"|rejected as a result of (?:our|the) safety system"
)
_KEY: Final = (
    r"incorrect api key|invalid api key|api key not valid|invalid x-api-key|security token included in the request"
)
_MODEL: Final = (
    r"is not a valid model id|supported api model names are|^model not found|invalid model:|specified model not found"
    r"|try pulling it first|please check the model you provided|model '[^']*' not found|model identifier is invalid"
)
_NO_SUCH_FEATURE: Final = r"not supported in this model|no endpoints found that support|did you mean to use v1/"
_QUOTA: Final = r"insufficient balance|credit balance is too low|extra usage is required|out of call volume quota"
_BROKEN_OUTPUT: Final = frozenset({"tool_use_failed", "json_validate_failed"})
"""The model's own output broke, not the request: another sample may be whole, and this one may have cost money."""
_DATA_POLICY: Final = r"matching your data policy"
_CALLERS_FAULT: Final = (
    r"requires --jinja|(?:image|audio) input is not supported|cannot use both|cannot make get request"
)
_WAIT: Final = (
    r"(?:try again in|retry (?:after|in))\s+(?:(\d+)m(?!s))?\s*(\d+(?:\.\d+)?)?\s*(ms|s\b|seconds?|minutes?)?"
)
_SILENT: Final = Said("the provider failed and said no more", "", "", None, (), frozenset())
_WRONG_PLACE: Final = (
    "nothing answers there: check `endpoint:`, its path above all (most servers want it to end in /v1)"
)


@dataclass(frozen=True, slots=True)
class _Case:
    """A failure, and what is asked of it again and again."""

    said: Said
    status: int | None
    text: str
    waits: bool


def fail(quirks: Quirks) -> Any:
    """What an Exchange wants as `fail`."""
    return lambda failure: openai_error(failure, quirks)


def openai_error(failure: Failure, quirks: Quirks) -> ProviderError | None:
    """The typed error for an error answer, or None when the body says nothing that its status does not."""
    if failure.status < 400:
        return None  # a redirect is no refusal, whatever its body says
    said = said_by(failure.document, failure.body)
    if said is None:
        return _wordless(failure)
    status: int | None = failure.status
    if failure.status >= 500 and said.status is not None and said.status < 500:
        status = said.status  # a proxy wraps the client's mistake in a 500
    error = _error(said, status, quirks, waits="retry-after" in failure.headers)
    error.status = failure.status
    return error


def in_band_error(event: str, data: Mapping[str, Any], quirks: Quirks, head: Head) -> ProviderError | None:
    """The error that a frame of a 200 answer carries, of the class its status would have given, or None."""
    carried = data.get("error") or _beside(data)
    if not carried:
        choices = data.get("choices")
        if choices:
            carried = choices[0].get("error")
        elif event == "error" or data.get("object") == "error" or data.get("type") == "error" or _is_flat(data):
            carried = data
    if not carried:
        return None
    around = {name: value for name, value in data.items() if name != "choices"}  # xAI keeps the code beside the error
    said = said_by({**around, "error": carried} if carried is not data else data, b"") or _SILENT
    error = _error(said, said.status, quirks, waits=False)
    error.status = said.status or head.status
    return error


def _beside(data: Mapping[str, Any]) -> Any:
    """Groq's own member beside the choices, which says why a stream was stopped (groq 1.7.0, read 2026-11-22)."""
    beside = data.get("x_groq")
    return beside.get("error") if isinstance(beside, Mapping) else None


def coded_error(carried: Any, quirks: Quirks, head: Head) -> ProviderError:
    """The error of an answer that says it failed; `carried` is its error object, or None."""
    said = said_by({"error": carried}, b"") or _SILENT
    error = _error(said, said.status, quirks, waits=False)
    error.status = said.status or head.status
    return error


def _is_flat(data: Mapping[str, Any]) -> bool:
    """`{"message", "type" or "code"}`, `{"detail"}` or `{"statusCode", "message"}`, and nothing of an answer."""
    if "choices" in data or "delta" in data or "output" in data or "response" in data:
        return False
    if isinstance(data.get("message"), str) and ("code" in data or "type" in data or "statusCode" in data):
        return True
    return "detail" in data and "id" not in data


def _error(said: Said, status: int | None, quirks: Quirks, *, waits: bool) -> ProviderError:
    case = _Case(said, status, said.text.lower(), waits)
    kind = _by_quirk(said, quirks) or _by_code(case) or _by_text(case) or _by_status(case)
    extra: dict[str, Any] = {"phase": "first_byte"} if kind is ProviderTimeoutError else {}
    message = said.message or f"the provider refused with status {status} and no words of its own"
    if kind is InvalidRequestError and said.words & _BROKEN_OUTPUT:
        extra = {"retryable": True, "failover_ok": True, "billed": "unknown"}
    error = kind(message, status=status, code=said.code or said.type or None, **extra)
    if kind is RateLimitError or kind is OverloadedError:
        error.retry_after = _seconds(case.text)
    if kind is ModelNotFoundError and status == 404 and _says_nothing(case.text):
        error.hint = _WRONG_PLACE
    return error


def _wordless(failure: Failure) -> ProviderError | None:
    """An empty body or markup. A 404 of this kind is no model's: the address is wrong."""
    if failure.status != 404:
        return None
    message = "the server has nothing at this address"
    return ModelNotFoundError(message, status=404, hint=_WRONG_PLACE)


def _by_quirk(said: Said, quirks: Quirks) -> type[ProviderError] | None:
    for word, name in quirks.error_codes.items():
        if word.lower() in said.words:
            return getattr(byollm.plugin, name)  # type: ignore[no-any-return]  # a class name of the target's own table
    return None


_ORDER: Final = (
    QuotaExhaustedError, RequestTooLargeError, ContextLengthError, ContentFilterError, OverloadedError,
    ModelNotFoundError,
)  # fmt: skip


def _by_code(case: _Case) -> type[ProviderError] | None:
    words, status = case.said.words, case.status
    if "request too large" in case.text and status in (413, 429, None):
        return RequestTooLargeError
    if any("perday" in word for word in words):
        return QuotaExhaustedError  # Google's id of a quota that is full until midnight
    if status == 404 and words & _OTHERS_GONE:
        return InvalidRequestError
    found = {CODES[word] for word in words if word in CODES}
    for kind in _ORDER:
        if kind in found:
            return kind
    return AuthenticationError if status in (400, 401, 403, None) and words & _KEYS else None


def _by_text(case: _Case) -> type[ProviderError] | None:
    text, status = case.text, case.status
    if re.search(_QUOTA, text):
        return QuotaExhaustedError
    if status != 429 and re.search(_CONTEXT, text) and not re.search(_NOT_CONTEXT, text):
        return ContextLengthError
    if status in (400, 403, None) and (re.search(_FILTER, text) or case.said.flagged):
        return ContentFilterError
    if status in (400, 403, None) and re.search(_KEY, text):
        return AuthenticationError
    if status in (400, 404) and re.search(_MODEL, text):
        return ModelNotFoundError
    if status == 404 and re.search(_NO_SUCH_FEATURE, text):
        return InvalidRequestError
    if status == 404 and re.search(_DATA_POLICY, text):
        return PermissionDeniedError
    if status is not None and status >= 500 and re.search(_CALLERS_FAULT, text):
        return InvalidRequestError
    return None


def _by_status(case: _Case) -> type[ProviderError]:
    words, status = case.said.words, case.status
    if status is None:
        if any(word.startswith(_INPUT) for word in words - WORDS.keys()):
            return InvalidRequestError
        return next((WORDS[word] for word in sorted(words) if word in WORDS), ServerError)
    if status == 402 and case.waits:
        return RateLimitError  # OpenRouter's budget for requests in flight: it tells how long to wait
    found = STATUSES.get(status)
    if found is not None:
        return found
    if status >= 500:
        busy = words & {"overloaded_error", "server_is_overloaded", "overloaded"}
        return OverloadedError if busy else ServerError
    return InvalidRequestError


def _says_nothing(text: str) -> bool:
    return text in ("not found", "resource not found", "404 page not found", "page not found", "")


def _seconds(text: str) -> float | None:
    """The wait that only the text tells: "try again in 1.2s", "retry after 30 seconds", "try again in 6m0s"."""
    match = re.search(_WAIT, text)
    if match is None or not (match[1] or match[2]):
        return None
    minutes, number, unit = int(match[1] or 0), float(match[2] or 0), match[3] or "s"
    if unit == "ms":
        number /= 1000
    elif unit.startswith("minute"):
        number *= 60
    return minutes * 60 + number
