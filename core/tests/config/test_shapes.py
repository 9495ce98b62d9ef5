"""The shapes a configuration may have: the guide's three, and the shorter and longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from byollm.config.llm_config import is_path, load, load_file, resolve_deployment, resolve_task
from byollm.config.records import Retries
from byollm.errors import ConfigError
from byollm.transports.base import Timeouts

GUIDE_ONE = """\
llm_config: {provider: "openai", model: "gpt-4", api_key: "your-openai-key", endpoint: "https://api.openai.com"}
"""
GUIDE_TWO = """\
llm_config:
  rule_extraction: {provider: "anthropic", model: "claude-3-opus"}
  pii_detection: {provider: "openai", model: "gpt-3.5-turbo"}
  document_classification: {provider: "google", model: "gemini-pro"}
"""
GUIDE_THREE = """\
llm_config: {provider: "custom", model: "your-fine-tuned-model", endpoint: "https://internal-ai.yourcompany.com", authentication: "bearer-token"}
"""  # noqa: E501


def test_the_guides_single_provider_loads(read):
    """Option 1 of the guide loads as it stands; its placeholder is noted, not refused."""
    config = read(GUIDE_ONE)
    only = config.deployments["default"]

    assert ("openai", "gpt-4", "https://api.openai.com") == (only.provider, only.model, only.endpoint)
    assert ["api_key"] == list(only.secrets)
    assert ["the api_key is a placeholder"] == [finding.sentence for finding in config.warnings]


def test_the_guides_tasks_load(read):
    """Option 2 of the guide: three tasks, each with a deployment of its own name."""
    config = read(GUIDE_TWO)

    assert {"rule_extraction", "pii_detection", "document_classification"} == set(config.tasks)
    assert ("pii_detection",) == resolve_task(config, "pii_detection").candidates
    assert ("openai", "gpt-3.5-turbo") == (
        config.deployments["pii_detection"].provider,
        config.deployments["pii_detection"].model,
    )


def test_the_guides_on_premise_model_loads(read):
    """Option 3 of the guide: a custom endpoint with a bearer token."""
    only = read(GUIDE_THREE).deployments["default"]

    assert ("custom", "https://internal-ai.yourcompany.com") == (only.provider, only.endpoint)
    assert "bearer-token" == only.authentication


def test_the_wrapper_may_be_left_out():
    """`llm_config:` is optional."""
    inner = {"summarize": {"provider": "openai", "model": "gpt-4"}}

    assert load(inner).tasks == load({"llm_config": inner}).tasks


def test_an_applications_own_keys_may_stand_beside_the_wrapper():
    """A bigger file of somebody else's is fine, as long as no setting of ours stands outside."""
    config = load({"database": "db", "llm_config": {"provider": "openai", "model": "gpt-4"}})

    assert ["default"] == list(config.deployments)


@pytest.mark.parametrize(
    "text, provider, model",
    [
        ("openai/gpt-4", "openai", "gpt-4"),
        ("openai:gpt-4", "openai", "gpt-4"),
        ("ollama:llama3:8b", "ollama", "llama3:8b"),
        ("ollama/llama3:8b", "ollama", "llama3:8b"),
        ("together/meta-llama/Llama-3-70b", "together", "meta-llama/Llama-3-70b"),
    ],
)
def test_a_model_name_is_a_whole_configuration(text, provider, model):
    """`provider/model` and `provider:model` split at whichever separator comes first."""
    only = load(text).deployments["default"]

    assert (provider, model) == (only.provider, only.model)


def test_a_path_may_be_a_path_or_a_text(tmp_path: Path):
    """A Path, a text that ends with .yaml, and a text that names a file all mean the file."""
    plain = tmp_path / "config"
    plain.write_text("openai: {provider: openai, model: gpt-4}\n")
    (tmp_path / "llm.yaml").write_text(plain.read_text())

    assert load(plain).tasks.keys() == load(str(plain)).tasks.keys() == load(str(tmp_path / "llm.yaml")).tasks.keys()
    assert load_file(str(plain)).source == str(plain)


def test_a_name_ending_in_yaml_is_a_path_even_when_it_is_missing():
    """A missing file is called missing, not taken for a model."""
    assert is_path("prod/llm.yaml")
    with pytest.raises(ConfigError, match=r"prod/llm\.yaml: there is no such file"):
        load("prod/llm.yaml")


def test_a_loaded_configuration_is_taken_as_it_is():
    """`load` of what `load` gave is the same object."""
    config = load("openai/gpt-4")

    assert config is load(config)


@pytest.mark.parametrize("junk", [None, 5, b"openai/gpt-4", ["openai/gpt-4"], object(), "gpt-4", "", "/"])
def test_what_is_no_configuration_is_refused(junk):
    """Anything that is no mapping, path or `provider/model` is a ConfigError that shows what to write."""
    with pytest.raises(ConfigError, match=r"byollm\.Client\(\"openai/gpt-5\.4\"\)"):
        load(junk)


def test_tasks_share_deployments_and_fail_over(read):
    """A task is a route over deployments: the first, then its failover, then the failover of those."""
    config = read("""\
deployments:
  fast: {provider: openai, model: gpt-4, failover: [slow, local]}
  slow: {provider: anthropic, model: claude-3-opus, failover: [last]}
  local: ollama/llama3
  last: {provider: custom, model: m, endpoint: "https://ai.example.com"}
tasks:
  summarize: {deployment: fast}
  classify: {route: [local, fast]}
  translate: slow
default: summarize
""")

    assert ("fast", "slow", "local", "last") == config.tasks["summarize"].candidates
    assert ("local", "fast", "slow", "last") == config.tasks["classify"].candidates
    assert ("slow", "last") == config.tasks["translate"].candidates
    assert "summarize" == resolve_task(config).name
    assert ("slow", "local") == config.deployments["fast"].failover


def test_inline_failover_targets_are_named_after_their_owner(read):
    """An inline target of a failover list is a deployment: `task/failover-1`, counted by its place in the list."""
    config = read("""\
summarize:
  provider: openai
  model: gpt-4
  timeout: 5
  failover: [{provider: anthropic, model: claude-3-opus}, classify, azure/gpt-4]
classify: openai/gpt-4
""")

    assert ("summarize", "summarize/failover-1", "classify", "summarize/failover-3") == config.tasks[
        "summarize"
    ].candidates
    assert "azure" == config.deployments["summarize/failover-3"].provider
    assert Timeouts() == config.deployments["summarize/failover-1"].timeouts


def test_tasks_may_name_each_others_deployments_in_any_order(read):
    """A task's own target is a deployment like any other, wherever in the file it stands."""
    config = read("a: {deployment: b}\nb: openai/gpt-4\nc: {provider: x, model: y, failover: [b, b, a2]}\na2: x/z\n")

    assert ("b",) == config.tasks["a"].candidates
    assert ("c", "b", "a2") == config.tasks["c"].candidates


def test_a_single_target_may_have_settings_and_deployments_beside_it(read):
    """With `provider:` in the root the target is `default`, and its failover may name a deployment."""
    config = read("""\
provider: openai
model: gpt-4
failover: [spare]
deployments: {spare: anthropic/claude-3-opus}
log_content: true
""")

    assert ("default", "spare") == resolve_task(config).candidates
    assert config.log_content


def test_defaults_are_where_every_target_starts(read):
    """Mappings of `defaults` are merged key by key, everything else is replaced; inline failover targets too."""
    config = read("""\
defaults:
  timeout: {total: 30, idle: 10}
  retries: {attempts: 2}
  headers: {X-Team: search, X-App: a}
  tags: [eu]
  on_unsupported: strict
task:
  {provider: openai, model: gpt-4, timeout: {total: 60}, headers: {x-team: ads}, failover: [{provider: x, model: y}]}
""")
    task, spare = config.deployments["task"], config.deployments["task/failover-1"]

    assert Timeouts(total=60, idle=10) == task.timeouts
    assert {"x-team": "ads", "x-app": "a"} == task.headers
    assert (("eu",), "strict", Retries(attempts=2)) == (spare.tags, spare.on_unsupported, spare.retries)
    assert Timeouts(total=30, idle=10) == spare.timeouts


def test_settings_of_the_root_reach_every_deployment(read):
    """`on_unsupported` and `transport` of the root hold unless a target says otherwise."""
    config = read("""\
on_unsupported: strict
transport: httpx2
a: openai/gpt-4
b: {provider: x, model: y, on_unsupported: adapt}
""")

    assert ("strict", "httpx2") == (config.deployments["a"].on_unsupported, config.deployments["a"].transport)
    assert "adapt" == config.deployments["b"].on_unsupported


def test_a_target_says_all_it_can(read, tmp_path: Path):
    """Every common key of a target is read into what it means."""
    only = read("""\
provider: azure
model: gpt-4
api: chat
endpoint: https://acme.openai.azure.com/openai?x=1
region: westeurope
tags: [eu-desk]
data_classes: [public]
api_key: env:AZURE_KEY
headers: {X-Team: search, X-Number: 5, Authorization: "Bearer ${TOKEN}"}
query: {api-version: "2024-10-21"}
proxy: http://user:pass@proxy.example.com:3128
tls: {ca: company.pem, cert: /etc/client.pem, key: ~/client.key, key_password: env:PASSWORD}
timeout: {connect: 1, first_byte: null, total: 20}
retries: {attempts: 1, total: 2, budget: 0.5, on_unknown: fail}
pricing: {input: 2.5, output: 10}
capabilities: {context_window: 1000, tools: false, temperature_range: [0, 1]}
on_unsupported: strict
guard: ask
transport: httpx
extra: {prompt_cache_key: k}
base_model: gpt-4
""").deployments["default"]

    assert ("chat", "westeurope", ("eu-desk",), ("public",)) == (only.api, only.region, only.tags, only.data_classes)
    assert {"x-team": "search", "x-number": "5"} == only.headers
    assert ["authorization"] == list(only.secret_headers)
    assert {"api-version": "2024-10-21"} == only.query
    assert only.tls is not None
    assert (str(tmp_path / "company.pem"), "/etc/client.pem", "~/client.key") == (
        only.tls.ca,
        only.tls.cert,
        only.tls.key,
    )
    assert Timeouts(connect=1, total=20) == only.timeouts
    assert Retries(1, 2, 0.5, "fail") == only.retries
    assert {"context_window": 1000, "tools": False, "temperature_range": [0, 1]} == only.capabilities
    assert ({"prompt_cache_key": "k"}, {"base_model": "gpt-4"}) == (only.extra, only.options)
    assert "proxy.example.com" not in repr(only)
    assert 21 == only.places["base_model"].line


def test_extensions_are_names_mappings_or_objects():
    """An entry of `middleware:` is a name, a name with options in either way, or an object from Python."""
    mine = object()
    config = load(
        {
            "provider": "x",
            "model": "y",
            "middleware": ["redact", {"name": "cache", "size": 5}, {"budget": {"limit": 4}}, mine],
        }
    )
    found = [(entry.name, dict(entry.options), entry.instance) for entry in config.middleware]

    assert [
        ("redact", {}, None),
        ("cache", {"size": 5}, None),
        ("budget", {"limit": 4}, None),
        ("object", {}, mine),
    ] == found


def test_no_task_is_needed_where_there_is_one():
    """A call without task uses the only task, or the only deployment when there are no tasks."""
    assert "a" == resolve_task(load({"a": "openai/gpt-4"})).name
    assert ("d",) == resolve_task(load({"deployments": {"d": "openai/gpt-4"}})).candidates


def test_a_call_without_task_is_told_which_there_are():
    """Several tasks and no default: the error lists them and ends with what to write."""
    with pytest.raises(ConfigError) as raised:
        resolve_task(load({"a": "openai/gpt-4", "b": "openai/gpt-4"}))

    assert "there are 2: a and b" in str(raised.value)
    assert str(raised.value).endswith('say task="a", or write `default: a`')


@pytest.mark.parametrize(
    "ask, told",
    [
        (lambda config: resolve_task(config, "sumarize"), 'say task="summarize"'),
        (lambda config: resolve_task(config, "spare"), 'say deployment="spare"'),
        (lambda config: resolve_deployment(config, "spar"), 'say deployment="spare"'),
        (lambda config: resolve_deployment(config, "zzz"), 'say deployment="spare"'),
    ],
)
def test_an_unknown_name_gets_the_nearest(ask, told):
    """A wrong task or deployment name is answered with the right one."""
    config = load({"summarize": "openai/gpt-4", "deployments": {"spare": "x/y"}})

    with pytest.raises(ConfigError) as raised:
        ask(config)

    assert str(raised.value).endswith(told)


def test_naming_a_deployment_asks_that_one_only():
    """`deployment=` is one candidate: its failover is not followed."""
    config = load({"deployments": {"a": {"provider": "x", "model": "y", "failover": ["b"]}, "b": "x/z"}})

    assert ("a",) == resolve_deployment(config, "a").candidates


def test_extra_names_no_other_model(read):
    """Rules, prices and limits go by `model:`."""
    with pytest.raises(ConfigError, match="`extra` names a model") as raised:
        read("provider: openai\nmodel: m\nextra: {model: another}\n")

    assert (3, "write it as `model:` of the target") == (raised.value.line, raised.value.hint)
