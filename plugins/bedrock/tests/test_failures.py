"""Errors: AWS's names whatever the status, its words where a name says too little, and exceptions inside a stream."""

from typing import Any

import pytest
from bedrock_driving import completion, failed, message, stream

from byollm import errors
from byollm_bedrock.failure import NAMES

START = ("messageStart", {"role": "assistant"})
TEXT = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "half"}})


def named(name: str, status: int, words: str = "no") -> Any:
    """A refusal with this name in its header."""
    return failed(status, {"message": words}, {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/"})


@pytest.mark.parametrize(
    "name, status, kind",
    [
        ("ValidationException", 400, errors.InvalidRequestError),
        ("ServiceQuotaExceededException", 400, errors.QuotaExhaustedError),
        ("AccessDeniedException", 403, errors.PermissionDeniedError),
        ("ResourceNotFoundException", 404, errors.ModelNotFoundError),
        ("ModelTimeoutException", 408, errors.ProviderTimeoutError),
        ("ModelErrorException", 424, errors.ServerError),
        ("ThrottlingException", 429, errors.RateLimitError),
        ("ModelNotReadyException", 429, errors.OverloadedError),
        ("InternalServerException", 500, errors.ServerError),
        ("ServiceUnavailableException", 503, errors.OverloadedError),
        ("MPAgreementBeingCreated", 403, errors.OverloadedError),
        ("UnrecognizedClientException", 403, errors.AuthenticationError),
        ("InvalidSignatureException", 403, errors.AuthenticationError),
        ("ExpiredTokenException", 403, errors.AuthenticationError),
        ("ConflictException", 400, errors.OverloadedError),
    ],
)
def test_the_name_decides(name: str, status: int, kind: type):
    """In the header, in the body, with and without an address behind it."""
    for error in (named(name, status), failed(status, {"__type": f"com.amazon#{name}", "Message": "no"})):
        assert (kind, status, name, "no") == (type(error), error.status, error.code, error.message)


@pytest.mark.parametrize(
    "status, words, kind",
    [
        (400, "The provided model identifier is invalid.", errors.ModelNotFoundError),
        (404, "This model version has reached the end of its life.", errors.ModelNotFoundError),
        (400, "Input is too long for requested model.", errors.ContextLengthError),
        (
            400,
            "The model returned the following errors: Input Tokens Exceeded: Number of input tokens",
            errors.ContextLengthError,
        ),
        (400, "prompt is too long: 200001 tokens > 200000 maximum", errors.ContextLengthError),
        (400, "Output blocked by content filtering policy", errors.ContentFilterError),
        (403, "The security token included in the request is expired", errors.AuthenticationError),
    ],
)
def test_words_tell_where_the_header_is_lost(status: int, words: str, kind: type):
    """Proxies and recorders drop it."""
    assert kind is type(failed(status, {"message": words}))


@pytest.mark.parametrize(
    "words, kind",
    [
        ("Too many tokens, please wait before trying again.", errors.RateLimitError),
        ("Too many requests, please wait before trying again.", errors.RateLimitError),
        ("Too many tokens per day, please wait before trying again.", errors.QuotaExhaustedError),
    ],
)
def test_throttling_is_no_overlong_prompt(words: str, kind: type):
    """And a limit by the day is not over in a minute."""
    assert kind is type(named("ThrottlingException", 429, words))


def test_a_model_that_wants_a_profile_says_so():
    """The hint names what to write."""
    words = "Invocation of model ID deepseek.r1-v1:0 with on-demand throughput isn\u2019t supported."

    assert "inference profile" in (named("ValidationException", 400, words).hint or "")


@pytest.mark.parametrize("document", [{"message": "no"}, {"error": {"message": "no"}}, [], None, "text"])
def test_what_nobody_named_is_left_to_the_cores_table(document: Any):
    """None: the status decides."""
    assert failed(418, document) is None


@pytest.mark.parametrize(
    "name, kind",
    [
        ("throttlingException", errors.RateLimitError),
        ("validationException", errors.InvalidRequestError),
        ("internalServerException", errors.ServerError),
        ("serviceUnavailableException", errors.OverloadedError),
        ("modelStreamErrorException", errors.ServerError),
        ("modelTimeoutException", errors.ProviderTimeoutError),
        ("unheardOfException", errors.ServerError),
    ],
)
@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_exceptions_inside_a_stream_are_the_typed_errors(name: str, kind: type, api: str):
    """HTTP said 200 by then."""
    with pytest.raises(kind) as caught:
        completion(message(name, {"message": "slow down"}, exception=True), api=api, stream=True)

    assert "slow down" in str(caught.value)


def test_what_had_come_before_an_exception_is_kept():
    """And nothing is asked again in silence."""
    body = stream(START, TEXT) + message("throttlingException", {"message": "slow down"}, exception=True)

    with pytest.raises(errors.RateLimitError) as caught:
        completion(body, stream=True)
    assert "half" == caught.value.partial.text  # type: ignore[attr-defined]  # there for an error inside a stream
    assert not caught.value.failover_ok


def test_an_error_where_an_answer_was_due():
    """Status 200, the name in the header or nowhere."""
    with pytest.raises(errors.ModelNotFoundError):
        completion({"message": "The provided model identifier is invalid."})
    with pytest.raises(errors.RateLimitError):
        completion({"message": "no"}, headers={"x-amzn-errortype": "ThrottlingException"})


def test_every_exception_of_the_service_has_a_class():
    """All that botocore's model of the service names for these operations."""
    from bedrock_driving import service

    operations = ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "CountTokens")
    modelled = {shape.name for name in operations for shape in service().operation_model(name).error_shapes}

    assert set() == {name.removesuffix("Exception").lower() for name in modelled} - NAMES.keys()
