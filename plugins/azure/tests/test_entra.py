"""Entra client credentials: which token is asked for, where, and what is done with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from byollm import errors
from byollm.plugin import AuthContext, HttpRequest, HttpResponse
from byollm.wire.redact import Secret
from byollm_azure import Entra, provider

CALL = HttpRequest("POST", "https://acme.openai.azure.com/openai/v1/responses", (), b"{}")
TENANT = "11111111-2222-3333-4444-555555555555"


def context(now: float = 1000.0, tenant: str = TENANT, **fields: Any) -> AuthContext:
    secrets = {"tenant_id": Secret(tenant), "client_id": Secret("app"), "client_secret": Secret("s-1234567")}
    return AuthContext(secrets, lambda: now, lambda: "n", **fields)


def asked(given: AuthContext) -> HttpRequest:
    request = next(provider.manifest.authentication["entra"].flow(CALL, given))
    assert isinstance(request, HttpRequest)
    return request


def header(given: AuthContext, answer: bytes, status: int = 200) -> str:
    flow = Entra().flow(CALL, given)
    next(flow)
    with pytest.raises(StopIteration) as ended:
        flow.send(HttpResponse(status, {}, answer))
    return str(ended.value.value["authorization"])


def test_the_token_request() -> None:
    """To the tenant's token endpoint, with Azure's scope; the host is one of the manifest's."""
    request = asked(context())
    form = parse_qs(request.body.decode())

    assert f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token" == request.url
    assert ["https://cognitiveservices.azure.com/.default"] == form["scope"]
    assert (["client_credentials"], ["app"]) == (form["grant_type"], form["client_id"])
    assert "login.microsoftonline.com" in provider.manifest.hosts


def test_the_token_is_kept_until_it_is_about_to_expire() -> None:
    """Five minutes before, or after a 401, a new one is asked for."""
    state: dict[str, Any] = {}
    assert "Bearer t-1" == header(context(state=state), b'{"access_token": "t-1", "expires_in": 3600}')

    with pytest.raises(StopIteration):
        asked(context(now=4000.0, state=state))
    assert asked(context(now=4301.0, state=state)).url.startswith("https://login.")
    assert asked(context(state=state, forced=True)).url.startswith("https://login.")


@pytest.mark.parametrize("tenant", ["../other", "a/b", "", "a?b", "-", "x" * 200])
def test_a_tenant_is_one_word(tenant: str) -> None:
    """Nothing of it can move the request elsewhere."""
    with pytest.raises(errors.AuthenticationError):
        asked(context(tenant=tenant))


def test_a_refused_client_is_an_authentication_error() -> None:
    """With nothing sent to the model."""
    flow = Entra().flow(CALL, context())
    next(flow)
    with pytest.raises(errors.AuthenticationError) as caught:
        flow.send(HttpResponse(401, {}, b'{"error": "invalid_client"}'))

    assert "no" == caught.value.sent
    assert "s-1234567" not in str(caught.value)
