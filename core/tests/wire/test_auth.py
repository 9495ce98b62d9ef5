"""Auth schemes: which headers they add, and when they ask for a token."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm import errors
from byollm.errors import AuthenticationError, ByollmError, ProtocolError
from byollm.plugin import (
    AuthContext,
    AuthScheme,
    Bearer,
    HeaderKey,
    HttpRequest,
    HttpResponse,
    NoAuth,
    OAuthClientCredentials,
)
from byollm.wire.auth import read_token
from byollm.wire.redact import Secret

ASKED = HttpRequest("POST", "https://api.example.com/chat")
OAUTH = OAuthClientCredentials("https://login.example.com/token", scope="llm", skew=300)


class Clock:
    """Unix seconds that are set by hand."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def context(clock: Any = None, **secrets: str) -> AuthContext:
    return AuthContext({name: Secret(text) for name, text in secrets.items()}, clock or Clock(), lambda: "nonce")


def flow(scheme: AuthScheme, given: AuthContext, *answers: HttpResponse) -> tuple[dict[str, str], list[HttpRequest]]:
    """The headers at the end, and the requests on the way."""
    steps, asked, left = scheme.flow(ASKED, given), list[HttpRequest](), list(answers)
    try:
        request = next(steps)
        while True:
            assert not callable(request)
            asked.append(request)
            request = steps.send(left.pop(0))
    except StopIteration as end:
        return dict(end.value), asked


def token(text: str = "t-1", expires_in: Any = 3600) -> HttpResponse:
    return HttpResponse(200, {}, json.dumps({"access_token": text, "expires_in": expires_in}).encode())


@pytest.mark.parametrize(
    "scheme, headers",
    [
        (NoAuth(), {}),
        (Bearer(), {"authorization": "Bearer k"}),
        (Bearer(scheme="Api-Key"), {"authorization": "Api-Key k"}),
        (Bearer(secret="other"), {"authorization": "Bearer o"}),
        (HeaderKey(), {"api-key": "k"}),
        (HeaderKey("x-goog-api-key"), {"x-goog-api-key": "k"}),
    ],
)
def test_a_key_goes_into_its_header(scheme: Any, headers: dict[str, str]):
    """One header, or none; nothing is asked of anybody."""
    assert (headers, []) == flow(scheme, context(api_key="k", other="o"))
    assert isinstance(scheme, AuthScheme)


@pytest.mark.parametrize("scheme", [Bearer(), HeaderKey(), OAUTH])
@pytest.mark.parametrize("secrets", [{}, {"api_key": "", "client_id": ""}])
def test_without_a_key_nothing_is_sent(scheme: Any, secrets: dict[str, str]):
    """The error says which credential is missing, and that nothing left."""
    with pytest.raises(AuthenticationError, match="is configured") as raised:
        flow(scheme, context(**secrets))

    assert ("no", True) == (raised.value.sent, raised.value.hint.startswith("set `"))


def test_a_token_is_asked_for_with_the_clients_credentials():
    """RFC 6749, section 4.4: a form with grant type, id, secret and scope."""
    headers, (asked,) = flow(OAUTH, context(client_id="me", client_secret="s&cret"), token())

    assert {"authorization": "Bearer t-1"} == headers
    assert ("POST", "https://login.example.com/token") == (asked.method, asked.url)
    assert {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["s&cret"],
        "scope": ["llm"],
    } == (parse_qs(asked.body.decode()))


def test_a_token_is_kept_until_shortly_before_its_end():
    """3600 seconds, less 300 to be safe."""
    clock = Clock()
    given = context(clock, client_id="a", client_secret="b")

    assert 1 == len(flow(OAUTH, given, token())[1])
    clock.now += 3299
    assert ({"authorization": "Bearer t-1"}, []) == flow(OAUTH, given)
    clock.now += 2
    assert {"authorization": "Bearer t-2"} == flow(OAUTH, given, token("t-2"))[0]


def test_a_short_lived_token_is_kept_for_half_its_life():
    """Shorter than the margin, it would never be used otherwise."""
    clock = Clock()
    given = context(clock, client_id="a", client_secret="b")
    flow(OAUTH, given, token(expires_in=100))

    clock.now += 49
    assert [] == flow(OAUTH, given)[1]
    clock.now += 2
    assert 1 == len(flow(OAUTH, given, token())[1])


def test_a_refused_token_is_asked_for_again():
    """After a 401 the kept one is no good, however long it had to live."""
    given = context(client_id="a", client_secret="b")
    flow(OAUTH, given, token())
    given.forced = True

    assert {"authorization": "Bearer t-2"} == flow(OAUTH, given, token("t-2"))[0]


@pytest.mark.parametrize("told", ["3600", 3600.0, None, -1, 0, "x", [], 1e30])
def test_an_odd_lifetime_is_an_hour_or_what_it_says(told: Any):
    """Some servers write it as text, others nonsense."""
    assert 3600.0 == read_token(token(expires_in=told))[1]


@pytest.mark.parametrize(
    "status, body, kind",
    [
        (401, b'{"error": "invalid_client"}', "AuthenticationError"),
        (400, b"no", "AuthenticationError"),
        (429, b"{}", "RateLimitError"),
        (500, b"", "ServerError"),
        (503, b"<html>", "OverloadedError"),
        (200, b"<html>", "ProtocolError"),
        (200, b"{}", "ProtocolError"),
        (200, b'{"access_token": ""}', "ProtocolError"),
        (200, b'{"access_token": 5}', "ProtocolError"),
        (200, b"[" * 100_000, "ProtocolError"),
        (302, b'{"access_token": "x"}', "ProtocolError"),
    ],
)
def test_no_token_is_an_error_before_anything_was_sent(status: int, body: bytes, kind: str):
    """Refused, busy, broken: each its own class, so that busy can be retried."""
    with pytest.raises(ByollmError) as raised:
        read_token(HttpResponse(status, {}, body))

    assert getattr(errors, kind) is type(raised.value)
    assert ("no", "no") == (getattr(raised.value, "sent", ""), getattr(raised.value, "billed", ""))


@given(st.integers(100, 599), st.binary(max_size=100))
def test_any_answer_is_a_token_or_an_error(status: int, body: bytes):
    """No bytes break it."""
    try:
        found, lifetime = read_token(HttpResponse(status, {}, body))
    except (AuthenticationError, ProtocolError, errors.ProviderError):
        return
    assert found.reveal()
    assert lifetime > 0


def test_a_token_does_not_show_itself():
    """It is kept as a secret like the key it was got with."""
    given = context(client_id="a", client_secret="b")
    flow(OAUTH, given, token("very-secret-token"))

    assert "very-secret" not in repr(given)
