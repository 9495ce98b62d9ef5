"""The identity of a machine is the platform's: no tenant's call is made with it, whatever the tenant brings."""

from __future__ import annotations

from typing import Any

import pytest

import byollm

AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAPLATFORM",
    "AWS_SECRET_ACCESS_KEY": "platform/secret/0123456789",
    "AWS_REGION": "us-east-1",
}
TARGETS: dict[str, dict[str, Any]] = {
    "bedrock": {"model": "anthropic.claude-sonnet-4-5-20250929-v1:0", "authentication": "chain", "region": "us-east-1"},
    "azure": {"model": "gpt-5.4", "authentication": "chain", "endpoint": "https://acme.openai.azure.com"},
    "vertex": {"model": "gemini-3-pro", "authentication": "ambient", "region": "us-central1", "project": "p"},
}
BRINGS: dict[str, dict[str, str]] = {
    "bedrock": {"api_key": "the-tenants-own"},
    "azure": {"tenant_id": "t", "client_id": "c"},
    "vertex": {"service_account": "{}"},
}


class Nobody:
    """A transport that must not be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def open(self, outgoing: Any) -> Any:
        """Note it."""
        self.asked.append(outgoing.url)
        raise AssertionError("something was sent")

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("provider", TARGETS)
@pytest.mark.parametrize("brings", [True, False])
def test_no_tenant_uses_it(provider: str, brings: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before anything is sent, and the error says which deployment to name instead."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    credentials = {provider: {name: f"literal:{value}" for name, value in BRINGS[provider].items()}} if brings else {}
    config = {
        "deployments": {"only": {"provider": provider, **TARGETS[provider]}},
        "default": "only",
        "tenants": {"acme": {"credentials": credentials}},
    }
    transport = Nobody()

    client = byollm.Client({"llm_config": config}, transport=transport)
    with pytest.raises(byollm.errors.AuthenticationError) as raised:
        client.complete("hi", tenant="acme")

    assert "looks for the identity of this machine" in raised.value.message
    assert ("no", []) == (raised.value.sent, transport.asked)
