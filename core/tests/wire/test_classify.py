"""Status to error, and how long to wait."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from core_strategies import json_values
from hypothesis import given
from hypothesis import strategies as st

from byollm import errors
from byollm.plugin import Failure
from byollm.wire.classify import (
    MESSAGE_LIMIT,
    class_for,
    duration,
    generic_error,
    plain_message,
    request_id,
    retry_after,
)
from byollm.wire.json import parse_json


def failure(status: int = 500, body: bytes = b"", document: Any = None) -> Failure:
    if document is None and body:
        try:
            document = parse_json(body)
        except ValueError:
            document = None
    return Failure(status, {}, body, document)


@pytest.mark.parametrize(
    "status, name",
    [
        (400, "InvalidRequestError"), (401, "AuthenticationError"), (402, "QuotaExhaustedError"),
        (403, "PermissionDeniedError"), (404, "ModelNotFoundError"), (408, "ProviderTimeoutError"),
        (413, "RequestTooLargeError"), (418, "InvalidRequestError"), (422, "InvalidRequestError"),
        (429, "RateLimitError"), (500, "ServerError"), (501, "InvalidRequestError"),
        (502, "ServerError"), (503, "OverloadedError"),
        (504, "ProviderTimeoutError"), (529, "OverloadedError"), (599, "ServerError"), (301, "ProtocolError"),
        (100, "ProtocolError"), (999, "ServerError"),
    ],
)  # fmt: skip
def test_each_status_has_a_class(status: int, name: str):
    """The core's table, for what a plugin does not know better."""
    assert getattr(errors, name) is class_for(status) is type(generic_error(failure(status)))
    assert status == generic_error(failure(status)).status


def test_a_wordless_402_that_says_how_long_to_wait_is_a_rate_limit():
    """A budget of calls in flight frees itself; an empty purse does not."""
    assert errors.RateLimitError is type(generic_error(Failure(402, {"retry-after": "3"}, b"", None)))


@pytest.mark.parametrize(
    "body, words",
    [
        (b'{"error": {"message": "too long"}}', "too long"),
        (b'{"error": "too long"}', "too long"),
        (b'{"message": "too long"}', "too long"),
        (b'{"Message": "too long"}', "too long"),
        (b'{"detail": [{"loc": ["a"], "msg": "too long"}]}', "too long"),
        (b'[{"error": {"message": "too long"}}]', "too long"),
        (b'{"error": {"error": {"message": "too long"}}}', "too long"),
        (b'"too long"', "too long"),
        (b"too\n  long", "too long"),
        (b"too \x1b[31mlong\x00", "too [31mlong"),
    ],
)
def test_the_providers_words_are_found(body: bytes, words: str):
    """In any of the usual envelopes, on one line, without control characters."""
    assert words == plain_message(failure(400, body))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b'{"code": 7}', b"<html><body>Bad gateway</body></html>", b"<!DOCTYPE html>",
        b"<?xml version='1.0'?><Error>no</Error>", b"   <head>", b'{"error": "<html>no</html>"}', b"<Error><Code>x",
    ],
)  # fmt: skip
def test_without_words_the_status_speaks(body: bytes):
    """Markup and empty documents have no words."""
    assert "the provider answered with status 502 and no words of its own" == plain_message(failure(502, body))


def test_words_before_markup_are_kept():
    """What a proxy says before its page is worth reading; what only looks like markup stays."""
    assert "upstream error" == plain_message(failure(502, b"upstream error\n<html><body>502</body></html>"))
    assert "expected a < b, got <|end|>" == plain_message(failure(400, b"expected a < b, got <|end|>"))


def test_long_words_are_cut():
    """One screen, not a page."""
    assert MESSAGE_LIMIT == len(plain_message(failure(400, b"x" * 10_000)))


markup = st.lists(
    st.sampled_from(["<html>", "<p class='x'>", "</div>", "<script>", "no", " ", "<br/>", "<!-- x -->", "502", "\n"]),
    max_size=12,
).map("".join)


@given(
    markup,
    st.sampled_from(["{}", '{{"error": {}}}', '{{"error": {{"message": {}}}}}', '{{"detail": [{{"msg": {}}}]}}']),
)
def test_markup_is_never_in_a_message(page: str, envelope: str):
    """Bare or inside a document, a page is not copied into an error."""
    body = page if envelope == "{}" else envelope.format(repr(page).replace("'", '"').replace('"x"', "x"))
    message = generic_error(failure(502, body.encode())).message

    assert not re.search(r"<(html|p|/div|script|br|!--)", message)


@given(st.integers(100, 999), st.binary(max_size=200) | json_values.map(lambda it: repr(it).encode()), json_values)
def test_any_answer_is_an_error_with_words(status: int, body: bytes, document: Any):
    """No body breaks the table, and none is silent."""
    error = generic_error(Failure(status, {}, body, document))

    assert error.message.strip()
    assert len(error.message) <= MESSAGE_LIMIT
    assert error.message.isprintable()


NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7.5 "}, 7.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after-ms": "0"}, 0.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "16.5"}, 16.5),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": f"{(NOW + 9) * 1000:.0f}"}, 9.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "nobody knows"}, None),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": f"{datetime.fromtimestamp(NOW + 30, UTC):%Y-%m-%dT%H:%M:%SZ}",
            },
            30.0,
        ),
        ({"retry-after": "2", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "60s"}, 2.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW + 30, UTC)).replace("+0000", "-0000")}, 30.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW - 30, UTC), usegmt=True)}, 0.0),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after": "12ms"}, 0.012),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "9" * 400 + "s"}, None),
        ({"retry-after": "Fri, 99 Dec 2026 00:00:00 GMT"}, None),
    ],
)
def test_the_wait_is_read_in_every_form(headers: dict[str, str], seconds: float | None):
    """Milliseconds, seconds, a date, Go's durations, a limit that is used up; nonsense is no answer."""
    assert seconds == retry_after(headers, NOW)


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text(max_size=40)))
def test_any_wait_is_a_number_or_none(headers: dict[str, str]):
    """No header breaks it, and no wait is endless."""
    seconds = retry_after(headers, NOW)

    assert seconds is None or 0 <= seconds < float("inf")


@given(st.from_regex(r"([0-9]{1,3}h)?([0-9]{1,3}m)?([0-9]{1,3}(\.[0-9]{1,3})?s)?", fullmatch=True))
def test_durations_are_gos(text: str):
    """`6m0s` is 360 seconds; an empty text is none."""
    units = {unit: float(number) for number, unit in re.findall(r"([0-9.]+)([hms])", text)}

    expected = units.get("h", 0) * 3600 + units.get("m", 0) * 60 + units.get("s", 0)
    assert (pytest.approx(expected) if text else None) == duration(text)


def test_the_request_id_is_found_under_its_usual_names():
    """The first of the known headers, at a length fit to print."""
    assert "a" == request_id({"cf-ray": "b", "x-request-id": "a"})
    assert "b" == request_id({"cf-ray": "b", "x-request-id": ""})
    assert 200 == len(request_id({"request-id": "x" * 999}) or "")
    assert request_id({}) is None
