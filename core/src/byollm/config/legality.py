"""The rules of a file, read and proved: what `reading.py` leaves to the end, when every deployment is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from byollm.config.places import Document, KeyPath, name
from byollm.config.policies import RULES, Reader, misspelt
from byollm.config.records import LlmConfig
from byollm.config.rules import Policies, refused

OF_A_TENANT = ("providers", *RULES)


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the document: `policies:`, the rules of tasks with the tasks' places, and the tenants."""

    document: Document
    path: KeyPath
    policies: Any
    tasks: Mapping[str, Mapping[str, Any]]
    places: Mapping[str, KeyPath]
    tenants: Mapping[str, Mapping[str, Any]]


def lawful(config: LlmConfig, written: Written) -> LlmConfig:
    """The configuration with its rules. Raises ConfigError, placed, when they are wrong or could be broken."""
    _refuse_strays(config)
    reader = Reader(written.document, (*written.path, "policies"))
    policies = reader.policies(written.policies)
    tasks = {
        label: reader.rules(dict(found), written.places[label], f"task `{name(label)}`")
        for label, found in written.tasks.items()
    }
    tenants = {
        label: reader.rules(_some(found), (*written.path, "tenants", label), f"tenant `{name(label)}`", OF_A_TENANT)
        for label, found in written.tenants.items()
        if _some(found)
    }
    _check_labels(config, policies)
    if not (tasks or tenants or policies != Policies()):
        return config
    config = replace(
        config,
        policies=policies,
        tasks={label: replace(task, rules=tasks.get(label)) for label, task in config.tasks.items()},
        tenants={label: replace(tenant, rules=tenants.get(label)) for label, tenant in config.tenants.items()},
    )
    from byollm.routing.proof import prove

    prove(config)
    return config


def _some(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in found.items() if key in OF_A_TENANT and item is not None}


def _refuse_strays(config: LlmConfig) -> None:
    """A rule in a deployment would hold for whom? It belongs to what is asked, not to who answers."""
    for deployment in config.deployments.values():
        for key in RULES:
            if key in deployment.options:
                where = deployment.places.get(key, deployment.where)
                raise refused(where, f"`{key}` is a rule of a task, not of a deployment", f"write `{key}:` in the task")


def _check_labels(config: LlmConfig, policies: Policies) -> None:
    """A target's tag is a plain label, or a tag that somebody attests for it."""
    from byollm.routing.law import Law

    law = Law(replace(config, policies=policies))
    for deployment in config.deployments.values():
        where = deployment.places.get("tags", deployment.where)
        who = f"deployment `{name(deployment.name)}`"
        for tag in deployment.tags:
            if tag not in policies.tags:
                meant = misspelt(tag, policies.tags)
                if meant is not None:
                    raise refused(where, f"{who}: there is no tag `{name(tag)}`", f"did you mean `{meant}`?")
            elif (deployment.name, tag) not in law.held:
                mend = f"{{tag: {tag}, for: {name(deployment.name)}, evidence: …, owner: …, expires: …}}"
                sentence = f"{who} is tagged `{tag}`, and nobody attests it"
                raise refused(where, sentence, f"policies: {{tags: [{mend}]}}")
