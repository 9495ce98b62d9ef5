"""Tenants bring their own keys: no call of a tenant can use another's or the platform's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.config.bind import bind
from byollm.config.llm_config import load, resolve_tenant, secrets_for
from byollm.errors import AuthenticationError, ConfigError
from byollm.providers.manifest import Manifest
from byollm.wire.auth import AuthScheme, Bearer, NoAuth

OPENAI = Manifest(
    name="openai",
    default_endpoint="https://api.openai.com",
    hosts=("api.openai.com",),
    credentials={"api_key": ("OPENAI_API_KEY",)},
    authentication={"bearer-token": Bearer()},
)
CONFIG = load(
    {
        "task": {
            "provider": "openai",
            "model": "m",
            "api_key": "${PLATFORM}",
            "failover": ["special", "keyless", "headed"],
        },
        "deployments": {
            "special": {"provider": "openai", "model": "m", "api_key": "${PLATFORM}"},
            "keyless": {"provider": "custom", "model": "m", "endpoint": "http://x.internal", "authentication": "none"},
            "headed": {"provider": "openai", "model": "m", "headers": {"Authorization": "Bearer ${PLATFORM}"}},
        },
        "tenants": {
            "acme": {"credentials": {"openai": {"api_key": "${ACME}"}, "special": "${ACME_SPECIAL}"}},
            "bravo": {"credentials": {"openai": {"organisation": "${BRAVO_ORGANISATION}"}}},
            "empty": {"credentials": {}},
        },
    }
)


def names(deployment: str, tenant: str | None) -> list[str]:
    found = secrets_for(CONFIG.deployments[deployment], resolve_tenant(CONFIG, tenant))
    return [name for reference in found.values() for name in reference.text]


def test_a_tenants_key_is_found_by_provider_and_by_deployment():
    """The entry of the deployment goes before that of its provider."""
    assert ["ACME"] == names("task", "acme")
    assert ["ACME_SPECIAL"] == names("special", "acme")
    assert ["PLATFORM"] == names("task", None)


def test_a_tenant_without_a_key_is_refused_before_anything_is_sent():
    """No other key steps in; the error ends with the lines to add."""
    with pytest.raises(AuthenticationError) as raised:
        names("task", "empty")

    assert "no" == raised.value.sent
    assert str(raised.value).endswith('tenants: {empty: {credentials: {openai: {api_key: "${EMPTY_OPENAI}"}}}}')


def test_a_header_with_the_platforms_secret_is_closed_to_tenants():
    """A key in `headers:` is a key too."""
    with pytest.raises(AuthenticationError, match="its header `authorization` holds the platform's secret"):
        names("headed", "acme")


def test_a_deployment_without_authentication_is_open_to_tenants():
    """Where no key is sent, none is missing."""
    assert [] == names("keyless", "empty")


def test_an_unknown_tenant_gets_the_nearest():
    """A typo in a tenant's name is no tenant."""
    with pytest.raises(ConfigError) as raised:
        resolve_tenant(CONFIG, "acmee")

    assert str(raised.value).endswith('say tenant="acme"')
    assert resolve_tenant(CONFIG, None) is None


def test_a_bound_tenant_without_the_needed_key_fails_when_asked():
    """Binding works, so that failover may go on; the reference refuses each time with its own error."""
    found = bind(CONFIG, CONFIG.deployments["task"], OPENAI, "bravo")

    for _ in range(2):
        with pytest.raises(AuthenticationError, match="tenant `bravo` has no api_key for it") as raised:
            found.secrets["api_key"].resolve()
        assert "no" == raised.value.sent


def test_connections_of_tenants_are_kept_apart():
    """The place's key names deployment and tenant."""
    platform, acme = (bind(CONFIG, CONFIG.deployments["task"], OPENAI, tenant) for tenant in (None, "acme"))

    assert platform.place.key != acme.place.key


@given(tenant=st.sampled_from(["acme", "bravo", "empty"]), deployment=st.sampled_from(list(CONFIG.deployments)))
def test_no_tenants_call_ever_refers_to_a_foreign_key(tenant, deployment):
    """Whatever is bound for a tenant: its references name only variables of its own, and no ambient one."""
    config = CONFIG.deployments[deployment]
    found = bind(CONFIG, config, OPENAI, tenant)
    variables = [name for reference in found.secrets.values() for name in reference.text]

    assert {} == found.secret_headers
    assert all(name.startswith(tenant.upper()) for name in variables)


@pytest.mark.parametrize("provider", ["vllm", "local"])
def test_a_tenants_key_is_sent_to_a_server_that_usually_takes_none(provider):
    """As the file's own key would be; a tenant without one, and the file itself, ask without."""
    usual: dict[str, AuthScheme] = {"none": NoAuth()} if provider == "vllm" else {}
    usual["bearer-token"] = Bearer()
    server = Manifest(name="custom" if provider == "local" else provider, authentication=usual)
    entry = {"provider": provider, "model": "m", "endpoint": "http://127.0.0.1:8000/v1"}
    tenants = {"acme": {"credentials": {"a": "${ACME}"}}, "empty": {"credentials": {}}}
    config = load({"deployments": {"a": entry}, "tenants": tenants})
    bound = {tenant: bind(config, config.deployments["a"], server, tenant) for tenant in (None, "acme", "empty")}

    assert {"acme"} == {tenant for tenant, found in bound.items() if not isinstance(found.auth, NoAuth)}
    assert ("ACME",) == bound["acme"].secrets["api_key"].text
