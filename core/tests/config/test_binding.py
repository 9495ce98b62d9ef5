"""Binding: a deployment and a manifest into target, scheme, references and place; ambient keys stay home."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from byollm.config.bind import Bound, bind, may_go_to, place_of
from byollm.config.llm_config import load
from byollm.errors import AuthenticationError, ConfigError, PluginError
from byollm.providers.manifest import Manifest
from byollm.wire.auth import Bearer, HeaderKey, NoAuth, OAuthClientCredentials


class Options(BaseModel):
    organization: str | None = None
    size: int = 3

    @field_validator("organization")
    @classmethod
    def explode(cls, value: str | None) -> str | None:
        if value == "explode":
            raise RuntimeError("a bug")
        return value


OPENAI = Manifest(
    name="openai",
    default_endpoint="https://api.openai.com",
    hosts=("api.openai.com", "*.api.openai.com"),
    credentials={"api_key": ("OPENAI_API_KEY",)},
    authentication={"bearer-token": Bearer()},
    apis=("responses", "chat"),
    options=Options,
)
ANTHROPIC = Manifest(
    name="anthropic",
    default_endpoint="https://api.anthropic.com",
    hosts=("api.anthropic.com",),
    credentials={"api_key": ("ANTHROPIC_API_KEY",)},
    authentication={"api-key": HeaderKey("x-api-key")},
)
CUSTOM = Manifest(
    name="custom",
    credentials={"api_key": ("CUSTOM_API_KEY",)},
    authentication={"bearer-token": Bearer()},
    apis=("chat", "responses"),
)
OLLAMA = Manifest(name="ollama", default_endpoint="http://127.0.0.1:11434", authentication={"none": NoAuth()})
AWS = Manifest(
    name="aws",
    default_endpoint="https://aws.example.com",
    hosts=("aws.example.com", "sts.example.com"),
    credentials={"key_id": ("AWS_ID",), "session_token": ("AWS_TOKEN",)},
    authentication={"sigv4": type("SigV4", (), {"name": "sigv4", "refreshes": True})()},
)


def bound(manifest: Manifest = OPENAI, tenant: str | None = None, **target: Any) -> Bound:
    config = load({"provider": manifest.name, "model": "m", **target})
    return bind(config, config.deployments["default"], manifest, tenant)


def problem(manifest: Manifest = OPENAI, **target: Any) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        bound(manifest, **target)
    return raised.value


def test_a_silent_file_gets_the_plugins_defaults():
    """Endpoint, api, scheme, the usual variable and the plugin's own options come from the manifest."""
    found = bound()

    assert ("openai", "m", "https://api.openai.com", "responses") == (
        found.target.provider,
        found.target.model,
        found.target.endpoint,
        found.target.api,
    )
    assert (Bearer(), "bearer-token") == (found.auth, found.target.authentication)
    assert ("OPENAI_API_KEY",) == found.secrets["api_key"].text
    assert frozenset({"api.openai.com"}) == found.hosts
    assert {"organization": None, "size": 3} == found.target.options


def test_no_secret_reaches_the_target():
    """What a plugin sees holds neither key nor header."""
    found = bound(api_key="sk-Zx81kQ0aPq7rT5vN", headers={"X-Api-Key": "sk-Zx81kQ0aPq7rT5vN"})

    assert "sk-Zx81kQ0aPq7rT5vN" not in repr(found)
    assert "sk-Zx81kQ0aPq7rT5vN" not in repr(found.target)
    assert ["x-api-key"] == list(found.secret_headers)


def test_an_ambient_key_never_leaves_home():
    """A key found in OPENAI_API_KEY goes to OpenAI's hosts only; another endpoint needs its key in the file."""
    error = problem(endpoint="https://proxy.example.com/v1")

    assert (
        "endpoint https://proxy.example.com/v1 is not one of openai's hosts: "
        "name the key to send there, e.g. api_key: ${OPENAI_API_KEY}"
    ) in str(error)


def test_a_provider_with_two_secrets_is_told_how_both_are_named():
    """`api_key:` would be of no use to it."""
    error = problem(AWS, endpoint="https://proxy.example.com")

    assert 'credentials: {key_id: "${AWS_ID}", session_token: "${AWS_TOKEN}"}' in str(error)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.openai.com.evil.example",
        "https://evil.example/api.openai.com",
        "https://xapi.openai.com",
        "https://api.openai.com@evil.example",
        "http://127.0.0.1:8000",
        "https://openai.com",
    ],
)
def test_no_disguise_gets_an_ambient_key(endpoint):
    """Suffixes, user parts, paths and this very machine are other hosts."""
    with pytest.raises(ConfigError):
        bound(endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint", ["https://api.openai.com/v1", "https://API.OpenAI.com", "https://eu.api.openai.com/v1"]
)
def test_hosts_of_the_manifest_get_the_ambient_key(endpoint):
    """Any path, any case, and the levels that `*.` covers."""
    assert "api_key" in bound(endpoint=endpoint).secrets


def test_a_key_in_the_file_goes_where_the_file_says():
    """Naming the key is what allows another endpoint; the environment is then not looked at."""
    found = bound(endpoint="https://proxy.example.com/v1", api_key="${PROXY_KEY}")

    assert (("PROXY_KEY",), frozenset({"proxy.example.com"})) == (found.secrets["api_key"].text, found.hosts)


def test_custom_reads_its_own_variable_wherever_it_points():
    """CUSTOM_API_KEY is meant for the endpoint of the file, whichever that is."""
    found = bound(CUSTOM, endpoint="https://internal-ai.yourcompany.com", authentication="bearer-token")

    assert ("CUSTOM_API_KEY",) == found.secrets["api_key"].text
    assert may_go_to(CUSTOM, "internal-ai.yourcompany.com")


def test_authentication_none_needs_nothing():
    """No reference is made, so no variable is read and no dummy key sent."""
    found = bound(OPENAI, endpoint="https://x.example.com", authentication="none")

    assert (NoAuth(), {}) == (found.auth, found.secrets)


def test_local_is_custom_without_a_key():
    """`local` sends no key unless the file names one."""
    config = load(
        {
            "a": {"provider": "local", "model": "m", "endpoint": "http://127.0.0.1:1"},
            "b": {"provider": "local", "model": "m", "endpoint": "http://127.0.0.1:1", "api_key": "env:K"},
        }
    )
    silent, keyed = (bind(config, config.deployments[name], CUSTOM) for name in "ab")

    assert (NoAuth(), {}) == (silent.auth, silent.secrets)
    assert (Bearer(), ["api_key"]) == (keyed.auth, list(keyed.secrets))


def test_a_key_for_a_server_that_needs_none_is_sent():
    """Ollama asks for nothing; behind a gateway the file names a key, and it goes out as a bearer token."""
    assert NoAuth() == bound(OLLAMA).auth
    assert Bearer() == bound(OLLAMA, api_key="env:K").auth


def test_a_key_in_a_header_is_the_key():
    """`headers: {Authorization: …}` replaces the scheme; nothing is read from the environment beside it."""
    found = bound(endpoint="https://gateway.example.com", headers={"Authorization": "Bearer ${T}"})

    assert (NoAuth(), {}, ["authorization"]) == (found.auth, found.secrets, list(found.secret_headers))


def test_the_manifests_meaning_of_a_word_goes_before_the_cores():
    """`api-key` is `x-api-key` at Anthropic, `api-key` elsewhere; the core's words work everywhere."""
    assert HeaderKey("x-api-key") == bound(ANTHROPIC, authentication="api-key").auth
    assert HeaderKey("api-key") == bound(OPENAI, authentication="api-key").auth
    assert Bearer() == bound(ANTHROPIC, authentication="bearer-token").auth


@pytest.mark.parametrize(
    "word, meant",
    [
        ("bearer", "bearer-token"),
        ("bearer_token", "bearer-token"),
        ("api_key", "api-key"),
        ("None", "none"),
        ("zzz", "bearer-token"),
    ],
)
def test_a_wrong_word_for_authentication_gets_the_right_one(word, meant):
    """The error lists the words and ends with the one that was probably meant."""
    error = problem(authentication=word)

    assert "`authentication` is one of api-key, bearer-token, none and oauth" in str(error)
    assert str(error).endswith(f"authentication: {meant}")


def test_oauth_asks_its_token_host_and_nobody_else():
    """The token endpoint's host is the only other one a deployment may reach."""
    found = bound(
        endpoint="https://ai.example.com",
        authentication={
            "type": "oauth",
            "token_url": "https://login.example.com/token",
            "client_id": "me",
            "client_secret": "env:S",
            "scope": "ai",
        },
    )

    assert OAuthClientCredentials("https://login.example.com/token", "ai") == found.auth
    assert frozenset({"ai.example.com", "login.example.com"}) == found.hosts
    assert {"client_id", "client_secret"} == set(found.secrets)


def test_a_plugins_own_scheme_may_ask_the_hosts_of_its_manifest():
    """Which of its secrets it needs only the scheme knows: from the environment all are optional."""
    found = bound(AWS)

    assert frozenset({"aws.example.com", "sts.example.com"}) == found.hosts
    assert [True, True] == [reference.optional for reference in found.secrets.values()]


def test_a_scheme_may_belong_to_one_deployment():
    """Its region goes into a signature; the manifest's own object is never changed."""

    class Regional:
        name, refreshes, region = "sigv4", False, None

        def at(self, target: Any) -> Any:
            mine = Regional()
            mine.region = target.region
            return mine

    shared: Any = Regional()
    mine: Any = bound(replace(AWS, authentication={"sigv4": shared}), region="eu-central-1").auth

    assert ("eu-central-1", None) == (mine.region, shared.region)


def test_a_region_opens_the_plugins_other_hosts():
    """A plugin may move to a region's own host; without a region, or with an endpoint, there is only one."""
    manifest = replace(OPENAI, hosts=("api.openai.com", "eu.api.openai.com", "*.internal.openai.com"))
    elsewhere = {"endpoint": "https://x.example.com", "api_key": "env:K"}

    assert frozenset({"api.openai.com"}) == bound(manifest).hosts
    assert frozenset({"api.openai.com", "eu.api.openai.com"}) == bound(manifest, region="eu").hosts
    assert frozenset({"x.example.com"}) == bound(manifest, region="eu", **elsewhere).hosts


def test_two_halves_of_identities_never_meet():
    """Once the file names one credential, none is taken from the environment."""
    assert ["key_id"] == list(bound(AWS, credentials={"key_id": "env:X"}).secrets)


def test_an_endpoint_is_needed_where_the_manifest_has_none():
    """The error ends with the line to write."""
    assert str(problem(CUSTOM)).endswith("endpoint: https://api.example.com/v1")


@pytest.mark.parametrize(
    "api, mend", [("respones", "api: responses"), ("Chat", "api: chat"), ("zzz", "api: responses")]
)
def test_a_wrong_api_gets_the_nearest(api, mend):
    """`api:` is one of the plugin's surfaces."""
    error = problem(api=api)

    assert "it has chat and responses" in str(error)
    assert str(error).endswith(mend)


def test_an_api_where_there_is_only_one_surface():
    """A plugin without surfaces takes no `api:`."""
    assert str(problem(ANTHROPIC, api="messages")).endswith("remove `api:`")


@pytest.mark.parametrize(
    "key, told",
    [
        ("organisation", "did you mean `organization`?"),
        ("regoin", "did you mean `region`?"),
        ("azure_endpoint", "did you mean `endpoint`?"),
        ("temperature", "client.complete(…, temperature=…)"),
        ("zzzzzz", "its own keys: organization and size"),
    ],
)
def test_a_key_that_nobody_takes_gets_the_nearest(key, told):
    """Common keys, the plugin's options and what other libraries call them are all candidates."""
    target: dict[str, Any] = {key: "x"}

    assert told in str(problem(OPENAI, **target))


def test_a_credential_among_the_options_is_shown_its_place():
    """A secret's name at the top of a target belongs under `credentials:`."""
    assert str(problem(AWS, session_token="x")).endswith("credentials: {session_token: env:SESSION_TOKEN}")


def test_an_option_of_the_wrong_type_says_so():
    """The plugin's pydantic model checks its keys; the value is not shown."""
    error = problem(size="many-secret-things")

    assert "`size` must be a whole number" in str(error)
    assert "many-secret-things" not in str(error)
    assert error.__context__ is None


def test_a_plugin_whose_options_crash_is_a_plugin_error():
    """A bug in a validator is the plugin's, not the user's."""
    with pytest.raises(PluginError, match="openai: its options cannot be checked: RuntimeError"):
        bound(organization="explode")


def test_options_without_a_model_are_refused():
    """A plugin without options takes none."""
    assert "`size` is not a key of a target of provider `anthropic`" in str(problem(ANTHROPIC, size=3))


@pytest.mark.parametrize(
    "endpoint, warned",
    [
        ("http://ai.example.com", 1),
        ("https://ai.example.com", 0),
        ("http://127.0.0.1:1", 0),
        ("http://10.0.0.5", 0),
        ("http://vllm:8000", 0),
        ("http://ai.internal", 0),
        ("http://8.8.8.8", 1),
    ],
)
def test_a_key_over_plain_http_is_warned_about(endpoint, warned):
    """Only towards hosts that a public network reaches."""
    found = bound(endpoint=endpoint, api_key="env:K")

    assert warned == len(found.warnings)
    assert 0 == len(bound(endpoint=endpoint, authentication="none").warnings)


def test_a_wrong_line_is_told_with_its_place(read):
    """What the plugin refuses is told with file, line and column too."""
    config = read("provider: openai\nmodel: m\napi: voice\n")

    with pytest.raises(ConfigError) as raised:
        bind(config, config.deployments["default"], OPENAI)

    assert (3, 1) == (raised.value.line, raised.value.column)


def test_the_place_has_tls_files_and_a_key_of_its_own(monkeypatch):
    """`~` is read when the files are used, and connections of different deployments never mix."""
    monkeypatch.setenv("HOME", "/tmp/somebody")
    place = place_of(bound(tls={"ca": "~/ca.pem", "cert": "c.pem", "key": "k.pem", "key_password": lambda: "pass"}), {})

    assert place.tls is not None
    assert ("/tmp/somebody/ca.pem", "c.pem", "k.pem") == (place.tls.ca, place.tls.cert, place.tls.key)
    assert place.tls.key_password is not None
    assert "pass" == place.tls.key_password()
    assert ("default", None) == (place.key, place.proxy)


@pytest.mark.parametrize(
    "environment, proxy, expected",
    [
        ({"HTTPS_PROXY": "http://env.example.com:1"}, None, "http://env.example.com:1"),
        ({"HTTPS_PROXY": "http://env.example.com:1"}, "none", None),
        ({"HTTPS_PROXY": "http://env.example.com:1"}, False, None),
        (
            {"HTTPS_PROXY": "http://env.example.com:1"},
            "http://user:pass@file.example.com:2",
            "http://user:pass@file.example.com:2",
        ),
        ({}, None, None),
    ],
)
def test_the_files_proxy_goes_before_the_environments(environment, proxy, expected):
    """`proxy: none` is no proxy at all."""
    target = {} if proxy is None else {"proxy": proxy}

    assert expected == place_of(bound(**target), environment).proxy


def test_a_proxy_may_be_a_reference(monkeypatch):
    """Its password stays out of the file; what comes back must be a proxy."""
    monkeypatch.setenv("BYOLLM_PROXY_PASSWORD", "secret")
    found = bound(proxy="http://user:${BYOLLM_PROXY_PASSWORD}@proxy.example.com:3128")

    assert "http://user:secret@proxy.example.com:3128" == found.place.proxy
    assert "secret" not in repr(found.place)
    monkeypatch.setenv("BYOLLM_PROXY_PASSWORD", "@/ #")
    with pytest.raises(ConfigError, match="holds a character that no URL has"):
        bound(proxy="http://user:${BYOLLM_PROXY_PASSWORD}@proxy.example.com:3128").place


def test_binding_reads_no_environment(monkeypatch):
    """Only the place does, for proxies."""

    class Closed(dict):
        def get(self, *arguments):
            raise AssertionError("the environment was read")

    monkeypatch.setattr("os.environ", Closed())
    found = bound(api_key="${K}")

    with pytest.raises(AssertionError, match="the environment was read"):
        found.place


def test_a_missing_ambient_key_is_named_at_first_use(monkeypatch):
    """The error names the variable to export."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(AuthenticationError) as raised:
        bound().secrets["api_key"].resolve()

    assert str(raised.value).endswith("export OPENAI_API_KEY=…")


def test_a_model_in_this_process_has_no_endpoint_and_reaches_nobody():
    """A manifest says so by an empty `default_endpoint`; None means that the file must name one."""
    here = Manifest(name="here", default_endpoint="", authentication={"none": NoAuth()})

    assert ("", frozenset()) == (bound(here).target.endpoint, bound(here).hosts)
    assert "needs `endpoint:`" in problem(replace(here, default_endpoint=None)).message


def test_a_misspelt_word_of_the_call_is_recognised():
    """`temprature:` in a target: it belongs into the call, under its right name."""
    error = problem(temprature=1)

    assert "did you mean `temperature`" in error.message
    assert "client.complete(…, temperature=…)" == error.hint
