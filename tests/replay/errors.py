"""Which error class a refusal means, by the numbered rules of `spec/errors.md`.

The classes are named by strings: nothing here knows byollm. `classify` answers with the class and the rule's number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.replay.values import AnswerError

QUOTA_CODES = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "exceeded_current_quota_error",
    "budget_exceeded",
    "billing_error",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_billing_unavailable",
    "linked_organization_spend_limit_reached",
    "servicequotaexceededexception",
}
QUOTA_TEXT = re.compile(
    r"insufficient balance|credit balance is too low|extra usage is required|out of call volume quota"
)
TOO_LARGE_CODES = {"request_too_large", "request_body_too_large_after_decoding"}
CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error", "too_many_prompt_tokens", "too_many_tokens"}
CONTEXT_TEXT = re.compile(
    r"maximum context length|reduce the length of the messages|exceeds the context window|exceed context limit"
    r"|model's maximum context limit|is longer than the model's context length|longer than the maximum model length"
    r"|input tokens exceed the configured limit"
    r"|`inputs` tokens \+ `max_new_tokens` must be|`inputs` must have less than"
    r"|exceeds the available context size|current length is .{1,80} while limit is|input too long: .{1,80} limit is"
    r"|prompt is too long|exceeded max context length|model's context length is only|maximum input length of"
    r"|greater than the context length|exceeds the maximum number of tokens allowed"
    r"|input tokens exceeded|input is too long",
)
NOT_CONTEXT_TEXT = re.compile(r"string_above_max_length|invalid 'user'.*string too long|request too large")
FILTER_CODES = {
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "invalid_prompt",
    "bio_policy",
    "misalignment_policy_violation",
    "image_content_policy_violation",
}
FILTER_TEXT = re.compile(
    r"content management policy|violating our usage policy|violates usage guidelines"
    r"|rejected as a result of (?:our|the) safety system|flagged_input",
)
# Codes of a Responses answer that failed over what it was given (openai 3.54, types/responses/response_error.py).
INPUT_CODES = re.compile(
    r"invalid_|image_|unsupported_|empty_image_file|failed_to_download_image|data_residency_mismatch"
)
KEY_CODES = {
    "invalid_api_key",
    "authentication_error",
    "api_key_invalid",
    "unrecognizedclientexception",
    "expiredtokenexception",
    "invalidsignatureexception",
    "incompletesignatureexception",
}
KEY_TEXT = re.compile(
    r"incorrect api key|invalid api key|api key not valid|invalid x-api-key|security token included in the request"
)
WARMING_CODES = {"modelnotreadyexception", "mpagreementbeingcreated"}
MODEL_CODES = {"model_not_found", "model_decommissioned", "deploymentnotfound", "invalid_model"}
MODEL_TEXT = re.compile(
    r"is not a valid model id|supported api model names are|^model not found|model identifier is invalid"
    r"|invalid model:|specified model not found"
)
FEATURE_404_TEXT = re.compile(r"not supported in this model|no endpoints found that support")
OTHER_404_CODES = {"file_expired", "thread_not_found", "environment_not_found"}
POLICY_404_TEXT = re.compile(r"matching your data policy")
CALLER_500_TEXT = re.compile(
    r"requires --jinja|image input is not supported|audio input is not supported"
    r"|cannot use both|cannot make get request"
)
BY_STATUS = {
    401: ("AuthenticationError", 20),
    402: ("QuotaExhaustedError", 10),
    403: ("PermissionDeniedError", 24),
    404: ("ModelNotFoundError", 23),
    408: ("ProviderTimeoutError", 27),
    409: ("OverloadedError", 26),
    413: ("RequestTooLargeError", 12),
    424: ("ServerError", 29),
    425: ("OverloadedError", 26),
    429: ("RateLimitError", 25),
    498: ("OverloadedError", 26),
    501: ("InvalidRequestError", 28),
    503: ("OverloadedError", 26),
    504: ("ProviderTimeoutError", 27),
    529: ("OverloadedError", 26),
}
BY_WORD = {
    "rate_limit_exceeded": ("RateLimitError", 25),
    "rate_limit_error": ("RateLimitError", 25),
    "ratelimitreached": ("RateLimitError", 25),
    "overloaded_error": ("OverloadedError", 26),
    "server_is_overloaded": ("OverloadedError", 26),
    "slow_down": ("OverloadedError", 26),
    "unavailable_error": ("OverloadedError", 26),
    "timeout_error": ("ProviderTimeoutError", 27),
    "permission_error": ("PermissionDeniedError", 24),
    "not_found_error": ("ModelNotFoundError", 23),
    "invalid_request_error": ("InvalidRequestError", 30),
    "throttlingexception": ("RateLimitError", 25),
    "serviceunavailableexception": ("OverloadedError", 26),
    "modeltimeoutexception": ("ProviderTimeoutError", 27),
    "internalserverexception": ("ServerError", 29),
    "modelstreamerrorexception": ("ServerError", 29),
    "validationexception": ("InvalidRequestError", 30),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body, whatever its envelope: lower-cased codes and types, all text in it, and a status it names."""

    words: frozenset[str]
    text: str
    status: int | None


def refusal(document: Any) -> Refusal:
    """The parts of an error body that decide, out of any envelope that was seen (rules 1 to 6)."""
    found: list[tuple[str, Any]] = list(_leaves("", document))
    words = {str(value).lower() for name, value in found if name in _WORD_FIELDS and isinstance(value, str)}
    text = " ".join(value for name, value in found if isinstance(value, str) and name in _TEXT_FIELDS)
    numbers = [_status(value) for name, value in found if name in _STATUS_FIELDS]
    named = next((number for number in numbers if number is not None), None)
    return Refusal(frozenset(words), text.lower(), named)


_WORD_FIELDS = {"code", "type", "error_code", "error_type", "quotaId", "quota_limit", "reason"}
# Only what the provider says itself: a prompt or a failed generation that it echoes decides nothing.
_TEXT_FIELDS = {"", "error", "message", "detail", "msg", "raw", "flagged_input"}
_STATUS_FIELDS = {"code", "status", "status_code", "statusCode", "http_status_code", "raw_status_code"}


def _leaves(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(key, inner)
            if key == "flagged_input":
                yield key, "flagged_input"
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(name, inner)
    elif isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            yield from _leaves(name, json.loads(value))
        except ValueError:
            yield name, value
    else:
        yield name, value


def _status(value: Any) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch(r"[45]\d\d", text) else None


def classify(status: int | None, document: Any, headers: Mapping[str, str] | None = None) -> tuple[str, int]:
    """Class name and rule of an error. `status` is the HTTP status, None for an error inside a 200 answer."""
    if status is not None and not (200 <= status < 300 or status >= 400):
        return "ProtocolError", 32
    named = {name.lower(): value for name, value in (headers or {}).items()}
    said = refusal(document)
    if "x-amzn-errortype" in named:  # AWS: the exception's name, and an address behind a colon
        said = replace(said, words=said.words | {named["x-amzn-errortype"].partition(":")[0].lower()})
    if status == 402 and "retry-after" in named:
        return "RateLimitError", 11
    if status is None or status < 400 or (status >= 500 and said.status is not None and said.status < 500):
        status = said.status
    for rule in (_by_code, _by_text):
        decided = rule(status, said)
        if decided is not None:
            return decided
    return _by_status(status, said)


def _by_code(status: int | None, said: Refusal) -> tuple[str, int] | None:
    if said.words & QUOTA_CODES or any("perday" in word for word in said.words):
        return "QuotaExhaustedError", 10
    if status == 404 and said.words & OTHER_404_CODES:
        return "InvalidRequestError", 22
    if said.words & TOO_LARGE_CODES or (status in (413, 429, None) and "request too large" in said.text):
        return "RequestTooLargeError", 12
    if said.words & CONTEXT_CODES:
        return "ContextLengthError", 13
    if said.words & FILTER_CODES:
        return "ContentFilterError", 15
    if said.words & WARMING_CODES:
        return "OverloadedError", 26
    if said.words & MODEL_CODES:
        return "ModelNotFoundError", 21
    if said.words & KEY_CODES and status in (400, 401, 403, None):
        return "AuthenticationError", 20
    return None


def _by_text(status: int | None, said: Refusal) -> tuple[str, int] | None:
    if status in (400, 402, 403, 429, None) and QUOTA_TEXT.search(said.text):
        return "QuotaExhaustedError", 10
    if status != 429 and CONTEXT_TEXT.search(said.text) and not NOT_CONTEXT_TEXT.search(said.text):
        return "ContextLengthError", 14
    if status in (400, 403, None) and FILTER_TEXT.search(said.text):
        return "ContentFilterError", 16
    if status in (400, 403) and KEY_TEXT.search(said.text):
        return "AuthenticationError", 20
    if status in (400, 404) and MODEL_TEXT.search(said.text):
        return "ModelNotFoundError", 21
    if status == 404 and FEATURE_404_TEXT.search(said.text):
        return "InvalidRequestError", 22
    if status == 404 and POLICY_404_TEXT.search(said.text):
        return "PermissionDeniedError", 24
    if status is not None and status >= 500 and CALLER_500_TEXT.search(said.text):
        return "InvalidRequestError", 28
    return None


def _by_status(status: int | None, said: Refusal) -> tuple[str, int]:
    if status is None:
        if any(INPUT_CODES.match(word) for word in said.words - BY_WORD.keys()):
            return "InvalidRequestError", 17
        return next((BY_WORD[word] for word in sorted(said.words) if word in BY_WORD), ("ServerError", 31))
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 500:
        overloaded = said.words & {"overloaded_error", "server_is_overloaded", "overloaded"}
        return ("OverloadedError", 26) if overloaded else ("ServerError", 29)
    return "InvalidRequestError", 30


def in_band_error(event: str, value: Any) -> AnswerError | None:
    """The error that a frame of a 200 answer carries, if it carries one."""
    if not isinstance(value, Mapping):
        return None
    carried = value.get("error")
    if event == "error" or value.get("type") == "error":
        carried = carried or value
    for choice in value.get("choices") or ():
        carried = carried or (choice.get("error") if isinstance(choice, Mapping) else None)
    if not carried:
        return None
    error, rule = classify(None, {"error": carried})
    return AnswerError(error, f"rule {rule}: {str(carried)[:120]}")
