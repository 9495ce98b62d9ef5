"""Keys from Vault: every way in, what is refused, and that nothing shows. hvac judges the twin they are read from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac
import pytest

from byollm.config.llm_config import load
from byollm.errors import AuthenticationError, ByollmError, ConfigError
from tests.scenarios.vault_twin import ROOT, VaultTwin, vault

KEY = "sk-vaulted-0123456789abcdef"


@pytest.fixture
def twin() -> Iterator[VaultTwin]:
    with vault() as running:
        running.put("llm/openai", api_key=KEY, other="o")
        yield running


def config(twin: VaultTwin, reference: str = "vault:llm/openai#api_key", **store: Any) -> Any:
    store = {"address": twin.url, "credentials": {"token": lambda: ROOT}, **store}
    return load({"provider": "openai", "model": "gpt-5.4", "api_key": reference, "secrets": {"vault": store}})


def secret(twin: VaultTwin, reference: str = "vault:llm/openai#api_key", **store: Any) -> str:
    return str(config(twin, reference, **store).deployments["default"].secrets["api_key"].resolve().reveal())


def refused(twin: VaultTwin, reference: str = "vault:llm/openai#api_key", **store: Any) -> ByollmError:
    with pytest.raises(ByollmError) as raised:
        secret(twin, reference, **store)
    return raised.value


def test_hvac_reads_the_same_value_from_version_2(twin: VaultTwin):
    """The official client of the protocol and byollm agree about the twin."""
    client = hvac.Client(url=twin.url, token=ROOT)
    found = client.secrets.kv.v2.read_secret_version(path="llm/openai", raise_on_deleted_version=True)

    assert found["data"]["data"]["api_key"] == secret(twin) == KEY


def test_hvac_reads_the_same_value_from_version_1(twin: VaultTwin):
    """The older engine has no versions, and another path."""
    twin.put("llm/openai", mount="kv", api_key="sk-old-engine-0123456789")
    found = hvac.Client(url=twin.url, token=ROOT).secrets.kv.v1.read_secret(path="llm/openai", mount_point="kv")

    assert found["data"]["api_key"] == secret(twin, mount="kv", version=1) == "sk-old-engine-0123456789"


def test_hvac_logs_in_with_the_same_approle(twin: VaultTwin):
    """One login, and the token of it is kept for the next secret."""
    twin.approles["role-1"] = "sid-0123456789abcdef"
    client = hvac.Client(url=twin.url)
    client.auth.approle.login("role-1", "sid-0123456789abcdef")
    theirs = client.secrets.kv.v2.read_secret_version(path="llm/openai", raise_on_deleted_version=True)
    own = {"role_id": "literal:role-1", "secret_id": lambda: "sid-0123456789abcdef"}

    found = config(twin, login="approle", credentials=own).deployments["default"].secrets["api_key"]
    values = [found.resolve().reveal()]
    found.refresh()
    values.append(found.resolve().reveal())

    assert [KEY, KEY] == values == [theirs["data"]["data"]["api_key"]] * 2
    assert 2 == twin.logins()


def test_a_service_account_logs_in(twin: VaultTwin, tmp_path: Path):
    """Its token is read from the file that Kubernetes mounts, and anew for every login."""
    (tmp_path / "token").write_text("jwt-0123456789abcdef\n")
    twin.accounts["byollm", "jwt-0123456789abcdef"] = True

    found = secret(twin, login="kubernetes", role="byollm", token_file=str(tmp_path / "token"), credentials={})

    assert KEY == found


def test_a_token_that_was_revoked_is_got_anew_once(twin: VaultTwin):
    """Vault forgets tokens; the role still stands."""
    twin.approles["role-1"] = "sid-0123456789abcdef"
    own = {"role_id": "literal:role-1", "secret_id": lambda: "sid-0123456789abcdef"}
    found = config(twin, login="approle", credentials=own).deployments["default"].secrets["api_key"]
    found.resolve()
    twin.tokens.clear()
    found.refresh()

    assert KEY == found.resolve().reveal()
    assert 2 == twin.logins()


def test_the_stores_own_token_may_change_too(twin: VaultTwin, tmp_path: Path):
    """An agent writes a new one into its file; the old one is refused."""
    file = tmp_path / "token"
    file.write_text(ROOT)
    file.chmod(0o600)
    found = config(twin, credentials={"token": f"file:{file}"}).deployments["default"].secrets["api_key"]
    old = found.resolve()
    twin.tokens = {"hvs.second-0123456789abcdef": None}
    file.write_text("hvs.second-0123456789abcdef")
    twin.put("llm/openai", api_key="sk-next-0123456789abcdef", other="o")
    found.refused(old)

    assert "sk-next-0123456789abcdef" == found.resolve().reveal()


def test_a_namespace_is_asked_in_its_own_name(twin: VaultTwin):
    """Enterprise: a token of one namespace reads no other's."""
    twin.tokens = {ROOT: "team-a"}

    assert KEY == secret(twin, namespace="team-a")
    assert "permission denied" in refused(twin).message


def test_the_only_field_needs_no_name(twin: VaultTwin):
    """Two need one."""
    twin.put("llm/single", api_key=KEY)

    assert KEY == secret(twin, "vault:llm/single")
    assert "it has 2 fields" in refused(twin, "vault:llm/openai").message


@pytest.mark.parametrize(
    "reference, told",
    [
        ("vault:llm/nobody#api_key", "there is no such secret"),
        ("vault:llm/openai#nothing", "its field `nothing` is not there"),
        ("vault:llm/number#n", "its field `n` is no text"),
        ("vault:llm/gone#x", "its newest version was deleted"),
    ],
)
def test_what_is_not_there_is_told(twin: VaultTwin, reference: str, told: str):
    """An AuthenticationError that says where; nothing was sent to the provider."""
    twin.put("llm/number", n=1)
    twin.secrets["secret", "llm/gone"] = None
    error = refused(twin, reference)

    assert isinstance(error, AuthenticationError)
    assert "no" == error.sent
    assert told in error.message
    assert reference.partition("#")[0] in error.message


@pytest.mark.parametrize("path", ["../other", "a//b", "a/../b", "", "a/./b", "a\nb"])
def test_a_path_that_climbs_is_refused_before_anything_is_sent(twin: VaultTwin, path: str):
    """It would read another mount, or another engine."""
    assert isinstance(refused(twin, f"vault:{path}#x"), ConfigError | AuthenticationError)
    assert [] == [asked for asked in twin.requests if "llm" not in asked[1]]


@pytest.mark.parametrize(
    "status, told", [(503, "sealed"), (473, "performance standby"), (307, "sends on"), (500, "status 500")]
)
def test_a_vault_in_trouble_says_which(twin: VaultTwin, status: int, told: str):
    """Redirects are not followed: they would carry the token elsewhere."""
    twin.status = status

    assert told in refused(twin).message


def test_a_vault_that_does_not_answer_is_given_up_in_time(twin: VaultTwin):
    """Its own timeout bounds it; who asks next within a second is told the same at once."""
    found = config(twin, address="http://127.0.0.1:9").deployments["default"].secrets["api_key"]
    for _ in range(2):
        with pytest.raises(AuthenticationError, match="the store `vault` does not answer"):
            found.resolve()


@pytest.mark.parametrize(
    "store, told",
    [
        ({"address": "http://vault.example.com:8200"}, "begins with https://"),
        ({"address": "vault.example.com"}, "is a URL"),
        ({"address": "https://u:p@vault.example.com"}, "holds a user or password"),
        ({"version": 3}, "1 or 2"),
        ({"login": "ldap"}, "`login` is one of token, approle, kubernetes"),
        ({"login": "kubernetes"}, "needs `role:`"),
        ({"mount": "../sys"}, "is a path"),
        ({"adress": "x"}, "did you mean `address`?"),
        ({"token": ROOT}, "credentials: {token: env:TOKEN}"),
    ],
)
def test_settings_that_cannot_be_are_refused(twin: VaultTwin, store: dict[str, Any], told: str):
    """When the store is first asked: loading imports no plugin."""
    error = refused(twin, **store)

    assert isinstance(error, ConfigError)
    assert told in str(error)


def test_the_address_must_be_in_the_file(twin: VaultTwin, monkeypatch: pytest.MonkeyPatch):
    """Hosts stand in the configuration; VAULT_ADDR is not looked at."""
    monkeypatch.setenv("VAULT_ADDR", twin.url)
    found = load({"provider": "openai", "model": "m", "api_key": "vault:llm/openai#api_key"})

    with pytest.raises(ConfigError, match="need `address:`"):
        found.deployments["default"].secrets["api_key"].resolve()
    assert [] == twin.requests


def test_the_usual_variable_holds_the_token(twin: VaultTwin, monkeypatch: pytest.MonkeyPatch):
    """For the one store that bears the kind's own name, and not for a tenant's."""
    monkeypatch.setenv("VAULT_TOKEN", ROOT)
    acme = {"type": "vault", "address": twin.url, "tenants": ["acme"]}
    both = {
        "provider": "openai", "model": "m", "api_key": "vault:llm/openai#api_key",
        "secrets": {"vault": {"address": twin.url}, "acme": acme},
        "tenants": {"acme": {"credentials": {"openai": "acme:llm/openai#api_key"}}},
    }  # fmt: skip
    found = load(both)

    assert KEY == found.deployments["default"].secrets["api_key"].resolve().reveal()
    with pytest.raises(AuthenticationError, match="no token is configured"):
        found.tenants["acme"].credentials["openai"]["api_key"].resolve()


def test_no_tenants_store_is_shown_the_machines_identity(twin: VaultTwin):
    """A service account is the platform's."""
    acme = {"type": "vault", "address": twin.url, "tenants": ["acme"], "login": "kubernetes", "role": "r"}
    found = load(
        {
            "provider": "openai", "model": "m", "api_key": "literal:x", "secrets": {"acme": acme},
            "tenants": {"acme": {"credentials": {"openai": "acme:llm/openai#api_key"}}},
        }
    )  # fmt: skip

    with pytest.raises(ConfigError, match="identity of this machine"):
        found.tenants["acme"].credentials["openai"]["api_key"].resolve()
    assert [] == twin.requests


def test_no_error_shows_a_token(twin: VaultTwin):
    """Vault may repeat what it was sent."""
    wrong = "hvs.wrong-0123456789abcdef"
    error = refused(twin, credentials={"token": lambda: wrong})

    assert wrong not in f"{error!r}{error}"
    assert "[redacted]" in error.message
    assert not re.search(r"0123456789", repr(config(twin)))


def test_one_value_for_all_who_ask(twin: VaultTwin):
    """Two deployments with the same reference read it once."""
    store = {"address": twin.url, "credentials": {"token": lambda: ROOT}}
    target = {"provider": "openai", "model": "m", "api_key": "vault:llm/openai#api_key"}
    found = load({"deployments": {"a": target, "b": target}, "secrets": {"vault": store}})

    assert [KEY, KEY] == [found.deployments[name].secrets["api_key"].resolve().reveal() for name in "ab"]
    assert 1 == twin.reads()
