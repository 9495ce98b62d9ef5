"""Errors: reason, status, words; waits; wrapped bodies."""

import pytest
from google_driving import failed, refusal

INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "14.5s"}


def quota(name):
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": name}]}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, refusal(400, "API key not valid. Please pass one.", "INVALID_ARGUMENT", INVALID), "AuthenticationError"),
        (400, refusal(400, "anything", "INVALID_ARGUMENT", INVALID), "AuthenticationError"),
        (400, refusal(400, "Multiple authentication credentials received.", "X"), "AuthenticationError"),
        (400, refusal(400, "Request contains an invalid argument.", "INVALID_ARGUMENT"), "InvalidRequestError"),
        (400, refusal(400, "The input token count (9) exceeds the maximum number of tokens allowed (8).", "X"),
         "ContextLengthError"),
        (400, refusal(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"),
         "InvalidRequestError"),
        (400, refusal(400, "Please enable billing on project 1.", "FAILED_PRECONDITION"), "QuotaExhaustedError"),
        (401, refusal(401, "no", "UNAUTHENTICATED"), "AuthenticationError"),
        (402, refusal(402, "pay", "X"), "QuotaExhaustedError"),
        (403, refusal(403, "The API has not been used in project 1 before.", "PERMISSION_DENIED"),
         "PermissionDeniedError"),
        (404, refusal(404, "models/x is not found for API version v1beta", "NOT_FOUND"), "ModelNotFoundError"),
        (409, refusal(409, "a transaction was aborted", "ABORTED"), "OverloadedError"),
        (424, refusal(424, "a gateway's", "X"), "ServerError"),
        (429, refusal(429, "quota", "RESOURCE_EXHAUSTED", quota("RequestsPerMinutePerProject")), "RateLimitError"),
        (429, refusal(429, "quota", "RESOURCE_EXHAUSTED", quota("RequestsPerDayPerProject"), RETRY),
         "QuotaExhaustedError"),
        (498, refusal(498, "a gateway's", "X"), "OverloadedError"),
        (500, refusal(500, "An internal error has occurred.", "INTERNAL"), "ServerError"),
        (502, refusal(429, "Quota exceeded for x", "RESOURCE_EXHAUSTED"), "RateLimitError"),
        (503, refusal(503, "The model is overloaded.", "UNAVAILABLE"), "OverloadedError"),
        (529, refusal(503, "The model is overloaded.", "UNAVAILABLE"), "OverloadedError"),
        (504, refusal(504, "Deadline expired.", "DEADLINE_EXCEEDED"), "ProviderTimeoutError"),
        (400, [refusal(400, "wrapped", "INVALID_ARGUMENT", INVALID)], "AuthenticationError"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_class(status, document, kind):
    """By reason first, then by status; a body wrapped in a list is read like any other."""
    assert kind == type(failed(status, document)).__name__


def test_a_wait_is_read_from_the_details():
    """There is no Retry-After header on this wire."""
    assert 14.5 == failed(429, refusal(429, "q", "RESOURCE_EXHAUSTED", RETRY)).retry_after


@pytest.mark.parametrize("delay", ["soon", "-1s", "infs", "nans", 5, None])
def test_a_wait_nobody_can_keep_is_none(delay):
    """Unreadable, negative and endless waits are left out."""
    assert failed(429, refusal(429, "q", "RESOURCE_EXHAUSTED", {"retryDelay": delay})).retry_after is None


def test_words_and_code_are_kept():
    """The provider's own message, and its reason as the code."""
    error = failed(400, refusal(400, "API key not valid.", "INVALID_ARGUMENT", INVALID))

    assert ("API key not valid.", "API_KEY_INVALID", 400) == (error.message, error.code, error.status)


@pytest.mark.parametrize("document", [None, [], [1], "text", {}, {"error": "text"}, {"error": None}])
def test_what_is_not_this_envelope_is_left_to_the_core(document):
    """None: the table of statuses decides."""
    assert failed(404, document) is None


@pytest.mark.parametrize("details", [1, [1], [{}], [{"violations": 1}], [{"violations": [1]}], [{"reason": 1}]])
def test_hostile_details_do_not_matter(details):
    """Classification is total."""
    document = {"error": {"code": "x", "message": 1, "status": [], "details": details}}

    assert "RateLimitError" == type(failed(429, document)).__name__
