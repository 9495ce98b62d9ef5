"""Refusals: every envelope, every meaning, before the answer and inside it. Bodies are our own, after shapes seen."""

import json

import pytest
from compatible_driving import chunk, failure, read, sse, whole
from hypothesis import given
from hypothesis import strategies as st

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
from byollm_openai_compatible import Quirks
from byollm_openai_compatible.dialect import openai_error

ENVELOPES = {
    "object": {"error": {"message": "no such thing", "type": "invalid_request_error", "param": None, "code": None}},
    "integer code": {"error": {"message": "no such thing", "type": "BadRequestError", "code": 400}},
    "string": {"error": "no such thing"},
    "string with a type": {"error": "no such thing", "error_type": "validation"},
    "string with a code": {"code": "invalid-argument", "error": "no such thing"},
    "flat": {"object": "error", "message": "no such thing", "type": "invalid_request", "code": "3051"},
    "detail": {"detail": "no such thing"},
    "gateway": {"statusCode": 400, "message": "no such thing"},
    "errors": {"errors": [{"message": "no such thing"}]},
    "upstream": {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "no such thing"}}},
    "plain": b"no such thing",
}


@pytest.mark.parametrize("document", ENVELOPES.values(), ids=ENVELOPES)
def test_the_words_are_found_in_every_envelope(document):
    """The provider's own words, whichever way they are wrapped."""
    error = failure(400, document)

    assert (InvalidRequestError, 400) == (type(error), error.status)
    assert error.message.endswith("no such thing")


def test_a_list_of_details_names_the_places():
    """FastAPI's and Mistral's 422."""
    document = {
        "detail": [{"loc": ["body", "seed"], "msg": "extra inputs are not permitted", "type": "extra_forbidden"}]
    }

    assert "body.seed: extra inputs are not permitted" == failure(422, document).message


def test_the_providers_code_is_kept():
    """A code that is only the status again says nothing."""
    assert "empty_array" == failure(400, {"error": {"message": "m", "code": "empty_array", "type": "t"}}).code
    assert "BadRequestError" == failure(400, {"error": {"message": "m", "code": 400, "type": "BadRequestError"}}).code


def wrapped(message="no", **fields):
    return {"error": {"message": message, **fields}}


CASES = [
    (400, wrapped(code="context_length_exceeded"), ContextLengthError),
    (400, wrapped("This model's maximum context length is 8192 tokens."), ContextLengthError),
    (400, wrapped("request (9 tokens) exceeds the available context size (8 tokens)"), ContextLengthError),
    (400, wrapped("too much", type="exceed_context_size_error"), ContextLengthError),
    (400, wrapped("The input (9 tokens) is longer than the model's context length (8 tokens)."), ContextLengthError),
    (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4", "error_type": "validation"}, ContextLengthError),
    (400, {"error": "The number of tokens to keep is greater than the context length"}, ContextLengthError),
    (400, wrapped("Invalid 'user': string too long", code="string_above_max_length"), InvalidRequestError),
    (429, wrapped("Request too large for gpt-x: Limit 3, Requested 4", type="tokens"), RequestTooLargeError),
    (413, wrapped("Request too large for model", code="rate_limit_exceeded"), RequestTooLargeError),
    (413, b"", None),
    (429, wrapped(type="insufficient_quota"), QuotaExhaustedError),
    (429, wrapped(code="organization_spend_limit_exceeded"), QuotaExhaustedError),
    (403, wrapped(type="exceeded_current_quota_error"), QuotaExhaustedError),
    (402, wrapped("Insufficient Balance"), QuotaExhaustedError),
    (429, wrapped(code="rate_limit_exceeded", type="requests"), RateLimitError),
    (429, wrapped("slow", code="RateLimitReached"), RateLimitError),
    (400, wrapped(code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), ContentFilterError),
    (400, wrapped("Invalid prompt: violating our usage policy", code="invalid_prompt"), ContentFilterError),
    (400, wrapped("Your request was rejected as a result of our safety system."), ContentFilterError),
    (403, wrapped("moderated", metadata={"reasons": ["x"], "flagged_input": "…"}), ContentFilterError),
    (404, wrapped(code="model_not_found"), ModelNotFoundError),
    (400, wrapped(code="model_not_found"), ModelNotFoundError),
    (404, wrapped(code="DeploymentNotFound"), ModelNotFoundError),
    (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model"}, ModelNotFoundError),
    (404, {"error": "model 'x' not found, try pulling it first"}, ModelNotFoundError),
    (404, wrapped("No endpoints found that support tool use."), InvalidRequestError),
    (404, wrapped("No endpoints found matching your data policy"), PermissionDeniedError),
    (401, {"error": "Unauthorized"}, AuthenticationError),
    (401, {"statusCode": 401, "message": "Access token is missing"}, AuthenticationError),
    (400, {"code": "invalid-argument", "error": "Incorrect API key provided."}, AuthenticationError),
    (403, wrapped("country not supported"), PermissionDeniedError),
    (503, wrapped("Loading model", type="unavailable_error", code=503), OverloadedError),
    (529, wrapped("busy"), OverloadedError),
    (498, wrapped(code="capacity_exceeded"), OverloadedError),
    (500, wrapped("The server is overloaded", code="server_is_overloaded"), OverloadedError),
    (500, wrapped("boom", type="server_error"), ServerError),
    (500, wrapped("tools param requires --jinja flag", code=500), InvalidRequestError),
    (500, wrapped("upstream said", code=400), InvalidRequestError),
    (501, wrapped("no", type="not_supported_error"), InvalidRequestError),
    (520, wrapped("cloud"), ServerError),
    (408, wrapped("slow"), ProviderTimeoutError),
    (418, wrapped("tea"), InvalidRequestError),
    (400, wrapped("Input is too long for requested model."), ContextLengthError),
    (400, wrapped("The input token count (9) exceeds the maximum number of tokens allowed (8)."), ContextLengthError),
    (400, wrapped(code="too_many_tokens"), ContextLengthError),
    (429, wrapped(type="x", details={"error_code": "enforced_spend_limit_reached"}), QuotaExhaustedError),
    (429, [wrapped("out", details=[{"violations": [{"quotaId": "RequestsPerDayPerModel"}]}])], QuotaExhaustedError),
    (400, wrapped("no", details=[{"reason": "API_KEY_INVALID"}]), AuthenticationError),
    (403, wrapped("The security token included in the request is invalid."), AuthenticationError),
    (400, wrapped("The provided model identifier is invalid."), ModelNotFoundError),
    (404, wrapped("gone", code="file_expired"), InvalidRequestError),
    (429, wrapped("warming", type="ModelNotReadyException"), OverloadedError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "document", "kind"), CASES)
def test_what_a_refusal_means(status, document, kind):
    """Codes first, then words, then the status."""
    if kind is None:  # nothing was said: the core's table of statuses decides
        assert openai_error(Failure(status, {}, b"", None), Quirks()) is None
    else:
        assert kind is type(failure(status, document))


def test_a_402_that_says_how_long_to_wait_is_no_empty_purse():
    """OpenRouter's limit on requests in flight."""
    assert RateLimitError is type(failure(402, wrapped("budget"), {"retry-after": "3"}))


@pytest.mark.parametrize(("text", "seconds"), [
    ("Please try again in 1.2s.", 1.2), ("Please retry after 86400 seconds.", 86400), ("try again in 6m0s", 360),
    ("try again in 20ms", 0.02), ("Try again in 2 minutes", 120), ("try again later", None),
])  # fmt: skip
def test_a_wait_that_only_the_words_tell(text, seconds):
    """Headers are the core's; words are the dialect's."""
    assert seconds == failure(429, wrapped(text)).retry_after


@pytest.mark.parametrize(
    "document", [b"<html><h1>404</h1></html>", b"", {"detail": "Not Found"}, wrapped("Resource not found")]
)
def test_a_404_without_a_model_in_it_points_to_the_address(document):
    """A wrong path is the usual reason."""
    error = failure(404, document)

    assert ModelNotFoundError is type(error)
    assert "endpoint" in error.hint


@pytest.mark.parametrize("document", [wrapped("moved"), {"error": "moved"}, {"message": "moved"}])
def test_a_redirect_is_no_refusal_of_the_request(document):
    """Whatever its body says, the core's table decides, so that another deployment may answer."""
    assert openai_error(Failure(301, {}, b"", document), Quirks()) is None


def test_markup_is_left_to_the_core():
    """A proxy's page has no words for anybody."""
    assert openai_error(Failure(502, {}, b"<!DOCTYPE html><p>bad gateway", None), Quirks()) is None


def test_a_target_may_name_its_own_codes():
    """`error_codes`: code to class."""
    assert QuotaExhaustedError is type(failure(400, wrapped(code="1113"), error_codes={"1113": "QuotaExhaustedError"}))


IN_BAND = {
    "object": wrapped("quota", type="insufficient_quota", code="insufficient_quota"),
    "string beside a code": {"error": "quota", "code": "insufficient_quota"},
    "flat": {"object": "error", "message": "quota", "code": "insufficient_quota"},
    "with choices": {**chunk({"content": ""}, "error"), **wrapped("quota", code="insufficient_quota")},
    "in the choice": {
        "choices": [{"index": 0, "delta": {}, "error": {"message": "quota", "code": "insufficient_quota"}}]
    },
    "status": wrapped("quota", code=402),
    "in a list": [wrapped("quota", code="insufficient_quota")],
    "named status": {"error": {"message": "quota", "http_status_code": 402}},
}


@pytest.mark.parametrize("document", IN_BAND.values(), ids=IN_BAND)
def test_an_error_inside_an_answer_has_its_own_class(document):
    """In a 200, before or after content: the class its status would have given."""
    with pytest.raises(QuotaExhaustedError, match="quota"):
        read(sse(chunk({"content": "a"}), document))
    with pytest.raises(QuotaExhaustedError):
        read(json.dumps(document).encode(), stream=False)


@pytest.mark.parametrize(("document", "kind"), [
    (wrapped("x"), ServerError), (wrapped("x", type="rate_limit_error"), RateLimitError),
    (wrapped("x", code=502), ServerError),
    (wrapped("x", code=429), RateLimitError), (wrapped("x", type="invalid_request_error"), InvalidRequestError),
    ({"error": "x"}, ServerError), (wrapped("x", code="rate_limit_exceeded"), RateLimitError),
    (chunk({}, x_groq={"id": "r", "error": "over capacity"}), ServerError),
    *((wrapped("x", code=code), InvalidRequestError) for code in (
        "invalid_image_url", "image_too_large", "unsupported_image_media_type", "empty_image_file",
        "failed_to_download_image", "data_residency_mismatch", "invalid_encrypted_content",
    )),
    (wrapped("x", code="image_content_policy_violation"), ContentFilterError),
])  # fmt: skip
def test_an_error_inside_an_answer_without_a_status(document, kind):
    """Its words decide; without any the provider failed."""
    with pytest.raises(ProviderError) as caught:
        read(sse(document))
    assert kind is type(caught.value)


def test_null_errors_are_none():
    """A field that is there and empty."""
    assert "a" == whole({"content": "a"}, document={"error": None}).text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["error", "message", "code", "type", "detail", "errors", "metadata", "raw", "status"]), inner
    ),
    max_leaves=10,
)  # fmt: skip


@given(st.integers(400, 599), JSON, st.binary(max_size=20))
def test_any_refusal_becomes_one_of_our_errors(status, document, body):
    """Total: never an exception of another kind, never markup, never endless."""
    error = openai_error(Failure(status, {}, body, document), Quirks())

    assert error is None or (isinstance(error, ProviderError) and error.status == status and len(error.message) <= 1000)
