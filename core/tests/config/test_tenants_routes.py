"""Routes of a tenant's own: another order or other deployments for its calls of a task, inside the task's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import byollm
from byollm.config.check import check
from byollm.config.llm_config import load
from byollm.errors import ConfigError
from byollm.providers.discovery import load_provider
from byollm.routing.changes import changes
from byollm.routing.policies import Cheapest
from byollm_sandbox import serve

HEAD = """\
deployments:
  a: {provider: custom, model: m, endpoint: "https://a.eu.example", region: westeurope, api_key: "literal:k"}
  b: {provider: custom, model: m, endpoint: "https://b.eu.example", region: westeurope, api_key: "literal:k"}
  us: {provider: custom, model: m, endpoint: "https://c.us.example", region: eastus, api_key: "literal:k"}
tasks:
  chat: {route: [a, b]}
  other: {route: [a, b, us]}
"""
RULED = """\
policies:
  residency:
    eu: {regions: [westeurope], hosts: ["*.eu.example"]}
""" + HEAD.replace("chat: {route: [a, b]}", "chat: {route: [a, b], residency: eu}")


def read(tmp_path: Path, text: str) -> Any:
    (tmp_path / "llm.yaml").write_text(text)
    return load(tmp_path / "llm.yaml")


def tenants(line: str) -> str:
    return (
        f"tenants:\n  one: {{credentials: {{custom: k1}}, tasks: {{{line}}}}}\n  two: {{credentials: {{custom: k2}}}}\n"
    )


def test_a_tenant_has_another_route_and_the_others_keep_theirs(tmp_path: Path):
    """For that task alone; a policy, failover and `defer` belong to it like to any task's."""
    config = read(
        tmp_path, HEAD + tenants("chat: {route: {policy: cheapest, over: [b, us]}, failover: [a], defer: 2h}")
    )
    own = config.tenants["one"].tasks["chat"]

    assert (("b", "us", "a"), 7200.0, "chat") == (own.candidates, own.defer, own.name)
    assert isinstance(own.policy, Cheapest)
    assert ({"chat", "other"}, {}) == (set(config.tasks), config.tenants["two"].tasks)


def test_its_calls_go_its_way_with_its_own_key():
    """The task is the same in the record; a call that names a deployment goes there."""
    with serve() as twin:
        target = {"provider": "custom", "model": "any", "endpoint": twin.url("custom"), "api_key": "literal:k0"}
        config = {
            "deployments": {"a": target, "b": target},
            "tasks": {"chat": {"route": ["a"]}},
            "tenants": {
                "one": {"credentials": {"custom": "literal:k1"}, "tasks": {"chat": {"route": ["b"]}}},
                "two": {"credentials": {"custom": "literal:k2"}},
            },
        }
        with byollm.Client(config) as client:
            asked = [
                client.complete("hi", **words).deployment
                for words in (
                    {"task": "chat"},
                    {"tenant": "one"},
                    {"tenant": "two"},
                    {"tenant": "one", "deployment": "a"},
                )
            ]
            told = [candidate.deployment for candidate in client.explain("hi", tenant="one")]

    assert (["a", "b", "a", "a"], ["b"]) == (asked, told)
    assert ["k0", "k1", "k2", "k1"] == [request.key for request in twin.requests]


@pytest.mark.parametrize(
    "line, told, mend",
    [
        ("chta: {route: [b]}", "there is no task `chta`", "did you mean `chat`?"),
        ("chat: {route: [bb]}", "there is no deployment `bb`", "did you mean `b`?"),
        ("chat: {route: [b], residency: eu}", "is a rule", "beside the tenant's credentials"),
        ("chat: [b]", "is a mapping", "route: [fast, backup]"),
        ("chat: {}", "is a mapping", "route: [fast, backup]"),
        ("chat: {rout: [b]}", "`rout` is not a key of a task", "route"),
    ],
)
def test_a_wrong_line_is_refused_at_load(tmp_path: Path, line: str, told: str, mend: str):
    """With its place."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, HEAD + tenants(line))

    assert (9, True, True) == (raised.value.line, told in raised.value.message, mend in raised.value.hint)


def test_a_route_that_leaves_the_tasks_rules_is_refused_at_load(tmp_path: Path):
    """Proved like the task's own way, failover included; both lines are named."""
    assert read(tmp_path, RULED + tenants("chat: {route: [b]}")).tenants["one"].tasks
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, RULED + tenants("chat: {route: [b], failover: [us]}"))

    assert "task `chat` of tenant `one` can reach deployment `us`" in raised.value.message
    assert "`residency: eu` forbids it" in raised.value.message


def test_a_route_that_leaves_the_tenants_own_rules_is_refused_too(tmp_path: Path):
    """Its own list against its own rule is a contradiction; of the task's list its rules only take away."""
    ruled = tenants("other: {route: [us]}").replace("{custom: k1}", "{custom: k1}, residency: eu")
    with pytest.raises(ConfigError, match="task `other` of tenant `one` can reach"):
        read(tmp_path, RULED + ruled)

    assert read(tmp_path, RULED + ruled.replace("[us]", "[b]"))


def test_check_and_diff_know_it(tmp_path: Path):
    """A deployment that only a tenant's route uses is used; a route that changes is told."""
    lone = HEAD.replace("  other: {route: [a, b, us]}\n", "")
    old, new = (
        read(tmp_path, lone + tenants("chat: {route: [us]}")),
        read(tmp_path, lone + tenants("chat: {route: [b]}")),
    )

    def unused(config: Any) -> list[str]:
        found = check(config, lambda provider: load_provider(provider).manifest)
        return [finding.sentence for finding in found if "no task uses" in finding.sentence]

    hosts: dict[str, frozenset[str]] = {label: frozenset() for label in old.deployments}
    assert ([], ["no task uses the deployment `us`"]) == (unused(old), unused(new))
    assert ["~ tasks: chat of tenant one: us → b"] == [str(change) for change in changes(old, new, hosts, hosts)]
