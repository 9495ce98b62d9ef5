"""What a change of a configuration changes for somebody who has to agree to it: hosts, keys, regions, models, prices,
rules. Keys are told by where they come from, never by their value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from byollm.config.places import shown
from byollm.config.records import OAuth
from byollm.providers.discovery import canonical
from byollm.routing.report import asked

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig, TaskConfig
    from byollm.config.secrets import SecretReference

Area = Literal["hosts", "keys", "deployments", "models", "regions", "prices", "tasks", "tenants", "policies", "plugins"]
ORDER: Final[tuple[Area, ...]] = (
    "hosts", "keys", "policies", "regions", "deployments", "models", "tasks", "tenants", "prices", "plugins",
)  # fmt: skip
"""What somebody who agrees to a change looks at first."""

LITERAL: Final = "a key in the file itself"

Fact = tuple[tuple[Area, str], str]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was. `old` is None for what is new, `new` for what is gone."""

    area: Area
    what: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"+ {self.area}: {self.what}: {self.new}"
        if self.new is None:
            return f"- {self.area}: {self.what}: {self.old}"
        return f"~ {self.area}: {self.what}: {self.old} → {self.new}"


def changes(
    old: LlmConfig,
    new: LlmConfig,
    old_hosts: Mapping[str, frozenset[str]],
    new_hosts: Mapping[str, frozenset[str]],
) -> list[Change]:
    """All of them, by area; the hosts are what each deployment may reach."""
    before, after = dict(_facts(old, old_hosts)), dict(_facts(new, new_hosts))
    found = [
        Change(area, what, before.get((area, what)), after.get((area, what)))
        for area, what in {**before, **after}
        if before.get((area, what)) != after.get((area, what))
    ]
    found += _other_keys(dict(_references(old)), dict(_references(new)))
    return sorted(found, key=lambda change: (ORDER.index(change.area), change.what))


def _other_keys(old: dict[str, SecretReference], new: dict[str, SecretReference]) -> Iterator[Change]:
    """Keys that stand in both files and are not the same: that they changed may be told, and nothing else."""
    for what in old.keys() & new.keys():
        both = (old[what], new[what])
        if all(item.kind == "literal" for item in both) and both[0].given.reveal() != both[1].given.reveal():
            yield Change("keys", what, LITERAL, "another key in the file itself")


def _facts(config: LlmConfig, hosts: Mapping[str, frozenset[str]]) -> Iterator[Fact]:
    """Everything that may change, each fact under an area and a name of its own."""
    reached: dict[str, list[str]] = {}
    for entry in config.deployments.values():
        for host in hosts[entry.name]:
            reached.setdefault(host, []).append(entry.name)
        yield from _of_deployment(entry)
    for host, names in reached.items():
        yield ("hosts", host), f"from {', '.join(names)}"
    for what, reference in _references(config):
        yield ("keys", what), source_of(reference)
    for store in config.stores.values():
        whose = f", for {', '.join(store.tenants)}" if store.tenants is not None else ""
        settings = "".join(f", {key} {shown(value)}" for key, value in sorted(store.options.items()))
        yield ("keys", f"store {store.name}"), f"{store.kind}{settings}{whose}"
    yield from _of_tasks(config)
    for tenant in config.tenants.values():
        yield ("tenants", tenant.name), "its own keys" + (f", region {tenant.region}" if tenant.region else "")
        if tenant.rules is not None:
            yield ("policies", f"tenant {tenant.name}"), "; ".join(asked(tenant.rules))
    yield from _of_plugins(config)
    yield from _policies(config)


def _references(config: LlmConfig) -> Iterator[tuple[str, SecretReference]]:
    for entry in config.deployments.values():
        for label, reference in {**entry.secrets, **entry.secret_headers}.items():
            yield f"{entry.name}: {label}", reference
    for tenant in config.tenants.values():
        for owner, found in tenant.credentials.items():
            for label, reference in found.items():
                yield f"tenant {tenant.name}, {owner}: {label}", reference
    for store in config.stores.values():
        for label, reference in store.secrets.items():
            yield f"store {store.name}: {label}", reference


def _of_tasks(config: LlmConfig) -> Iterator[Fact]:
    for task in config.tasks.values():
        yield ("tasks", task.name), f"{_word(task.policy)}{' → '.join(task.candidates)}{_later(task)}"
        if task.rules is not None:
            yield ("policies", f"task {task.name}"), "; ".join(asked(task.rules))
    for tenant in config.tenants.values():
        for label, own in tenant.tasks.items():
            told = f"{_word(own.policy)}{' → '.join(own.candidates)}{_later(own)}"
            yield ("tasks", f"{label} of tenant {tenant.name}"), told
    if config.default is not None:
        yield ("tasks", "(calls that name none)"), config.default


def _later(task: TaskConfig) -> str:
    told = f", within {task.defer:g} s" if task.defer is not None else ""
    return f"{told}, in a batch" if task.batch else told


def _word(policy: Any) -> str:
    """A routing policy and its own words; its deployments are told beside it."""
    if policy is None:
        return ""
    words = [f"{item.name} {getattr(policy, item.name)}" for item in fields(policy) if item.name != "names"]
    return f"{type(policy).__name__}({', '.join(words)}) over "


def _of_plugins(config: LlmConfig) -> Iterator[Fact]:
    yield ("plugins", "allowed"), "any" if config.plugins is None else ", ".join(config.plugins) or "none"
    if config.lock is not None:
        yield ("plugins", "lock"), config.lock.rsplit("/", 1)[-1]
    for key, extensions in (("middleware", config.middleware), ("observers", config.observers)):
        if extensions:
            yield ("plugins", key), ", ".join(item.name for item in extensions)


def _of_deployment(entry: DeploymentConfig) -> Iterator[Fact]:
    name = entry.name
    yield ("deployments", name), canonical(entry.provider)
    yield ("models", name), entry.model + (f" over {entry.api}" if entry.api else "")
    if entry.region:
        yield ("regions", name), entry.region
    if entry.failover:
        yield ("tasks", f"{name}: failover"), ", ".join(entry.failover)
    if entry.tags:
        yield ("policies", f"{name}: tags"), ", ".join(entry.tags)
    if entry.data_classes:
        yield ("policies", f"{name}: data_classes"), ", ".join(entry.data_classes)
    for key, value in sorted(entry.pricing.items()):
        yield ("prices", f"{name}: {key}"), str(value)
    if entry.endpoint:
        yield ("hosts", f"{name}: endpoint"), entry.endpoint
    scheme = entry.authentication
    if scheme is not None:
        told = f"oauth at {scheme.token_url}" if isinstance(scheme, OAuth) else scheme
        yield ("keys", f"{name}: authentication"), told
    if entry.proxy is not None:
        yield ("hosts", f"{name}: proxy"), _proxy(entry.proxy)


def _proxy(proxy: Any) -> str:
    """A proxy without its password."""
    if isinstance(proxy, str):
        return proxy
    return urlsplit(proxy.resolve().reveal()).hostname or "?" if proxy.kind == "literal" else source_of(proxy)


def source_of(reference: SecretReference) -> str:
    """Where a key comes from. A key that stands in the file is told as such, and nothing of it."""
    return LITERAL if reference.kind == "literal" else reference.source


def _policies(config: LlmConfig) -> Iterator[Fact]:
    policies = config.policies
    if policies is None:
        return
    if policies.approved is not None:
        yield ("policies", "approved_providers"), ", ".join(policies.approved)
    for label, place in policies.residency.items():
        yield ("policies", f"residency {label}"), f"{', '.join(place.regions)} at {', '.join(place.hosts)}"
    for label, rules in policies.data_classes.items():
        yield ("policies", f"data class {label}"), "; ".join(asked(rules)) or "nothing is asked"
    if policies.default_data_class is not None:
        yield ("policies", "default_data_class"), policies.default_data_class
    for tag, meaning in policies.own_tags.items():
        yield ("policies", f"tag {tag}"), meaning or "declared"
    for item in policies.attestations:
        what = f"attestation {item.tag} for {', '.join(item.subjects)}"
        yield ("policies", what), f"{item.evidence} ({item.owner}), until {item.expires}"
