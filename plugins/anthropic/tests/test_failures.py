"""Errors before an answer: details.error_code, then error.type, then the status."""

import json

import pytest
from anthropic_driving import events, failed

from byollm.plugin import (
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


def error(kind, message="words", code=None):
    details = {"error_code": code} if code else None
    return {"type": "error", "error": {"type": kind, "message": message, "details": details}, "request_id": "req_1"}


TABLE = [
    (400, error("invalid_request_error"), InvalidRequestError),
    (401, error("authentication_error"), AuthenticationError),
    (402, error("billing_error"), QuotaExhaustedError),
    (403, error("permission_error"), PermissionDeniedError),
    (404, error("not_found_error"), ModelNotFoundError),
    (409, error("conflict_error"), OverloadedError),
    (413, error("request_too_large"), RequestTooLargeError),
    (429, error("rate_limit_error"), RateLimitError),
    (500, error("api_error"), ServerError),
    (504, error("timeout_error"), ProviderTimeoutError),
    (529, error("overloaded_error"), OverloadedError),
    (429, error("rate_limit_error", code="enforced_spend_limit_reached"), QuotaExhaustedError),
    (429, error("rate_limit_error", code="contract_spend_limit_reached"), QuotaExhaustedError),
    (429, error("rate_limit_error", code="ramp_limit_exceeded"), RateLimitError),
    (503, error("api_error", code="cmek_key_unreachable"), OverloadedError),
    (400, error("invalid_request_error", "prompt is too long: 1036683 tokens > 1000000 maximum"), ContextLengthError),
    (400, error("invalid_request_error", "input length and `max_tokens` exceed context limit: 1"), ContextLengthError),
    (400, error("invalid_request_error", "Your credit balance is too low to access the API."), QuotaExhaustedError),
    (400, error("invalid_request_error", "You have reached your specified API usage limits."), QuotaExhaustedError),
    (400, error("invalid_request_error", "Output blocked by content filtering policy"), ContentFilterError),
    (429, error("rate_limit_error", "Extra usage is required for long context requests."), QuotaExhaustedError),
    (400, error("invalid_request_error", "the tool said 429 rate limit"), InvalidRequestError),
]


@pytest.mark.parametrize(("status", "document", "kind"), TABLE)
def test_each_error_has_its_own_class(status, document, kind):
    """Code before type before status; texts only where one type stands for several troubles."""
    found = failed(status, document)

    assert type(found) is kind
    assert (found.message, found.status, found.request_id) == (document["error"]["message"], status, "req_1")


@pytest.mark.parametrize(("status", "document", "kind"), TABLE)
def test_the_same_error_inside_an_answer_is_the_same_class(status, document, kind):
    """A 200 that carries an error is that error."""
    with pytest.raises(kind) as raised:
        events(json.dumps(document).encode())
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    "body", [None, "text", [], {}, {"error": 5}, {"error": {"type": "a_type_of_tomorrow"}}, {"error": {"type": ["x"]}}]
)
def test_what_the_dialect_does_not_know_is_left_to_the_status(body):
    """The core's table of statuses decides."""
    assert failed(502, body) is None


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 429, 500, 503, 529])
def test_a_gateway_that_calls_every_refusal_an_invalid_request_is_read_by_its_status(status):
    """So a refused key is read again, and a busy gateway is asked again."""
    assert failed(status, error("invalid_request_error")) is None


@pytest.mark.parametrize("status", [404, 409, 413, 429, 503, 504, 529])
def test_a_gateway_that_calls_every_failure_its_own_is_read_by_its_status(status):
    """`api_error` says no more than that something failed: 503 is a busy server, 504 one that took too long."""
    assert failed(status, error("api_error")) is None
    assert ServerError is type(failed(500, error("api_error")))


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8 tokens.", "Input is too long for requested model.",
        "request (9 tokens) exceeds the available context size (8 tokens)",
        "The input (9 tokens) is longer than the model's context length (8 tokens).",
        "litellm.BadRequestError: AnthropicException - prompt is too long: 9 tokens > 8 maximum",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["invalid_request_error", "BadRequestError", "None", None])
def test_a_prompt_that_is_too_long_is_told_by_the_words_of_other_servers_of_the_dialect(kind, words):
    """vLLM, llama.cpp and LiteLLM speak it, with types of their own; inside an answer, too."""
    document = error(kind, words)

    assert ContextLengthError is type(failed(400, document)) is type(caught(document))


def test_a_file_that_is_gone_is_no_missing_model():
    """404 with a code that says what is not there."""
    document = error("not_found_error", "gone", "file_expired")

    assert InvalidRequestError is type(failed(404, document))


def caught(document):
    """The error that an answer of status 200 raises."""
    with pytest.raises(ProviderError) as raised:
        events(json.dumps(document).encode())
    return raised.value


def test_thinking_tied_to_its_conversation_says_how_to_go_on():
    """The newest models bind thinking to the turns before it; the error ends with the line that mends it."""
    words = "messages.1.content.0: `thinking` block is bound to a different conversation"

    assert "drop the reasoning parts" in failed(400, error("invalid_request_error", words)).hint


def test_the_code_is_the_most_telling_word():
    """`details.error_code` where there is one, else the type."""
    assert failed(429, error("rate_limit_error", code="ramp_limit_exceeded")).code == "ramp_limit_exceeded"
    assert failed(429, error("rate_limit_error")).code == "rate_limit_error"


def test_an_unknown_error_inside_an_answer_is_a_server_error():
    """Servers of this wire that say it their own way are not a success."""
    with pytest.raises(ServerError, match="out of memory"):
        events(b'{"error": "out of memory"}')
