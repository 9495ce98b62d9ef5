"""What `byollm check` finds, without sending anything or reading a key."""

from __future__ import annotations

from datetime import date

import pytest

from byollm.config.check import check, reachable_hosts
from byollm.config.llm_config import load
from byollm.errors import PluginError
from byollm.providers.manifest import Manifest, ModelNote
from byollm.wire.auth import Bearer

MANIFESTS = {
    "openai": Manifest(
        name="openai",
        default_endpoint="https://api.openai.com",
        hosts=("api.openai.com",),
        apis=("responses", "chat"),
        credentials={"api_key": ("OPENAI_API_KEY",)},
        authentication={"bearer-token": Bearer()},
        models={
            "gpt-3.5-turbo": ModelNote("2026-09-28", "gpt-5.4-mini"),
            "gpt-9": ModelNote("2027-01-01", None),
            "gpt-4": ModelNote(None, "gpt-5"),
        },
    ),
    "custom": Manifest(name="custom", authentication={"bearer-token": Bearer()}),
}


def manifest_for(provider: str) -> Manifest:
    if provider in MANIFESTS:
        return MANIFESTS[provider]
    raise PluginError(f"no plugin for provider {provider!r} is installed", hint=f"pip install byollm-{provider}")


def findings(config, **more):
    found = check(load(config), manifest_for, today=date(2026, 11, 21), **more)
    return [(finding.level, finding.sentence, finding.mend) for finding in found]


def test_a_clean_file_has_no_findings():
    """Silence means that nothing was found."""
    assert [] == findings({"provider": "openai", "model": "gpt-5", "api_key": "${OPENAI_API_KEY}"})


def test_placeholders_and_literal_keys_are_told_apart():
    """A placeholder can only fail; a real key in a file should be elsewhere. Neither is shown."""
    target = {"provider": "openai", "model": "gpt-5"}
    found = findings({"a": {**target, "api_key": "your-openai-key"}, "b": {**target, "api_key": "sk-Zx81kQ0aPq7rT5vN"}})

    assert [
        ("error", "the api_key is a placeholder", "api_key: ${OPENAI_API_KEY}"),
        ("warning", "the api_key itself is written here", "api_key: ${OPENAI_API_KEY}"),
    ] == found


@pytest.mark.parametrize("host", ["your-resource.openai.azure.com", "<resource>.openai.azure.com"])
def test_an_address_that_was_to_be_replaced_is_told(host):
    """What a template or a page of documentation has in its place."""
    found = findings({"provider": "custom", "model": "m", "endpoint": f"https://{host}", "api_key": "${KEY}"})

    assert [("warning", f"the address `{host}` is a placeholder", "endpoint: the one you were given")] == found


@pytest.mark.parametrize("host", ["yours.com", "my-company.ai", "examples.org", "llm.example.company", "invalidate.de"])
def test_an_address_that_only_looks_so_is_not(host):
    """A company may be called so."""
    assert [] == findings({"provider": "custom", "model": "m", "endpoint": f"https://{host}/v1", "api_key": "${KEY}"})


@pytest.mark.parametrize(
    "model, finding",
    [
        ("gpt-3.5-turbo", ("warning", "model `gpt-3.5-turbo` was retired on 2026-09-28", 'model: "gpt-5.4-mini"')),
        ("gpt-9", ("info", "model `gpt-9` will be retired on 2027-01-01", "choose another model")),
        ("gpt-4", ("warning", "model `gpt-4` has a successor", 'model: "gpt-5"')),
    ],
)
def test_retired_models_are_told_with_their_successor(model, finding):
    """They load, and `check` says what replaced them."""
    assert [finding] == findings({"provider": "openai", "model": model})


def test_a_missing_plugin_comes_with_its_install_command():
    """The hint of the PluginError is the mend."""
    assert [("error", "no plugin for provider 'acme' is installed", "pip install byollm-acme")] == findings(
        "acme/model"
    )


def test_what_binding_refuses_is_found_with_its_place(read):
    """A wrong api, or an ambient key that would leave home, before the first call."""
    config = read(
        "a: {provider: openai, model: m, api: voice}\nb: {provider: openai, model: m, endpoint: https://x.example.com}\n"
    )
    found = check(config, manifest_for)

    assert [(1, 33), (2, 33)] == [(finding.where.line, finding.where.column) for finding in found]
    assert ["error", "error"] == [finding.level for finding in found]


def test_unknown_tasks_get_the_nearest():
    """The names that a program asks for can be checked too."""
    assert [("error", "there is no task `sumarize`", "did you mean `summarize`?")] == findings(
        {"summarize": "openai/gpt-5"}, tasks=["summarize", "sumarize"]
    )


def test_a_deployment_that_no_task_uses_is_told():
    """It may be a leftover, or a typo in a failover list."""
    [(level, sentence, _)] = findings({"a": "openai/gpt-5", "deployments": {"spare": "openai/gpt-5"}})

    assert ("warning", "no task uses the deployment `spare`") == (level, sentence)


def test_a_tenant_that_can_use_nothing_is_told():
    """Its calls of that task would all be refused."""
    found = findings({"a": "openai/gpt-5", "b": "custom/x", "tenants": {"acme": {"credentials": {"openai": "${K}"}}}})

    assert (
        "info",
        "tenant `acme` has no key for any deployment of task `b`",
        "credentials: {custom: {api_key: …}}",
    ) in found


@pytest.mark.parametrize(
    ("key", "whose"),
    [("${OURS}", "the platform for `b`"), ("${OPENAI_API_KEY}", "the platform for `a`"), ("${ACME}", "tenant `acme`")],
)
def test_a_tenant_with_somebody_elses_key_is_told(key, whose):
    """A line that was copied: the tenant's calls would be paid by another, the platform's usual variable included."""
    deployments = {
        "a": {"provider": "openai", "model": "m"},
        "b": {"provider": "openai", "model": "m", "api_key": "${OURS}"},
    }
    tenants = {"acme": {"credentials": {"openai": "${ACME}"}}, "zeta": {"credentials": {"openai": key}}}

    (finding,) = findings({"deployments": deployments, "tenants": tenants})
    assert ("warning", f"tenant `zeta` has the same key for `openai` as {whose}") == finding[:2]


def test_every_host_the_file_can_reach():
    """Endpoints, token endpoints and proxies, each with the deployments that go there."""
    config = load(
        {
            "a": {"provider": "openai", "model": "m", "failover": [{"provider": "acme", "model": "m"}]},
            "b": {"provider": "openai", "model": "m", "proxy": "http://user:pw@proxy.example.com:1"},
            "c": {
                "provider": "custom",
                "model": "m",
                "endpoint": "https://ai.example.com/v1",
                "authentication": {
                    "type": "oauth",
                    "token_url": "https://login.example.com/t",
                    "client_id": "i",
                    "client_secret": "env:S",
                },
            },
        }
    )

    assert {
        "ai.example.com": ("c",),
        "api.openai.com": ("a", "b"),
        "login.example.com": ("c",),
        "proxy.example.com": ("b",),
    } == reachable_hosts(config, manifest_for)


def test_a_kind_of_secret_that_nobody_brings_is_found_with_the_nearest(read):
    """At its line, for deployments, headers and tenants; a kind that is there, and a plain one, are no finding."""
    config = read("""
llm_config:
  deployments:
    a: {provider: custom, model: m, endpoint: https://x.example.com, api_key: kubrnetes:x/y}
    b: {provider: custom, model: m, endpoint: https://x.example.com, api_key: env:KEY}
  tenants:
    acme: {credentials: {custom: {api_key: "valut:x/y#z"}}}
""")
    told = [
        (it.where.line, it.sentence, it.mend) for it in check(config, manifest_for) if "kind of secret" in it.sentence
    ]

    assert [
        (4, "`api_key`: there is no kind of secret called `kubrnetes`", "write `kubernetes:…`"),
        (7, "`api_key`: there is no kind of secret called `valut`", "write `vault:…`"),
    ] == told


def test_a_store_that_needs_settings_is_found_where_it_is_asked(read):
    """`vault:` without its address."""
    place = "{provider: custom, model: m, endpoint: https://x.example.com, api_key: 'vault:x/y#z'}"
    config = read(f"llm_config:\n  fast: {place}\n")

    assert [2] == [
        it.where.line for it in check(config, manifest_for) if it.level == "error" and "vault" in it.sentence
    ]


def test_a_plugin_that_may_not_be_loaded_is_a_finding_at_its_provider():
    """What `plugins:` refuses is told where the provider is named."""

    def refusing(provider: str) -> Manifest:
        raise PluginError(f"byollm-{provider} is not in `plugins:`: not loaded", hint="plugins: [byollm-openai]")

    (found,) = check(load({"provider": "openai", "model": "gpt-5", "plugins": ["byollm-acme"]}), refusing)

    assert ("error", "byollm-openai is not in `plugins:`: not loaded") == (found.level, found.sentence)


def test_check_reads_no_environment(monkeypatch):
    """Nor a key: findings come from the file and the manifests alone."""
    config = load({"provider": "openai", "model": "gpt-5", "api_key": "${OPENAI_API_KEY}", "proxy": "${PROXY}"})
    monkeypatch.setattr("os.environ", {})
    monkeypatch.setattr("byollm.config.secrets.SecretReference.resolve", lambda self: pytest.fail("a secret was read"))

    assert [] == check(config, manifest_for)
    assert ["api.openai.com"] == list(reachable_hosts(config, manifest_for))
