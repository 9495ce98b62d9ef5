"""What `byollm check` finds in a configuration: pure, nothing is sent and no key is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from byollm.config.bind import Bound, bind
from byollm.config.llm_config import secrets_for
from byollm.config.places import NOWHERE, Finding, Where, name, shown
from byollm.config.records import DeploymentConfig, LlmConfig
from byollm.config.secrets import SecretReference
from byollm.config.words import listing, nearest
from byollm.errors import ByollmError, ConfigError
from byollm.providers.manifest import Manifest, ModelNote

ManifestFor = Callable[[str], Manifest]
"""Answers with a provider's manifest, or raises PluginError whose hint is the install command."""


def check(
    config: LlmConfig, manifest_for: ManifestFor, *, tasks: Iterable[str] = (), today: date | None = None
) -> list[Finding]:
    """All findings, errors first. `tasks` are the names that a program asks for; `today` is for retired models."""
    found = list(config.warnings)
    for deployment in config.deployments.values():
        found += _deployment(config, deployment, manifest_for, today or date.today())
    found += _transports(config)
    found += _misspelt(config, manifest_for)
    found += _tasks(config, tasks)
    found += _unused(config)
    found += _tenants(config)
    found += _shared_keys(config, manifest_for)
    found += _stores(config)
    found += _references(config)
    found += _rules(config, manifest_for, today or date.today()) if config.policies is not None else []
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: order[finding.level])


def reachable_hosts(config: LlmConfig, manifest_for: ManifestFor) -> dict[str, tuple[str, ...]]:
    """Every host the file can reach, with the deployments that can; a proxy counts as one of its own.

    Secret stores stand beside them. Deployments that cannot be bound reach nothing. The environment's proxies are not
    the file's and are left out.
    """
    hosts: dict[str, list[str]] = {}
    for deployment in config.deployments.values():
        bound = _bound(config, deployment, manifest_for)
        if isinstance(bound, Bound):
            for host in sorted(bound.hosts | _proxy_hosts(deployment)):
                hosts.setdefault(host, []).append(deployment.name)
    for label in config.stores:
        for host in sorted(_store_hosts(config, label)):
            hosts.setdefault(host, []).append(f"secrets: {name(label)}")
    return {host: tuple(hosts[host]) for host in sorted(hosts)}


def _store_hosts(config: LlmConfig, label: str) -> frozenset[str]:
    from byollm.config.stores import Stores

    stores = Stores()
    stores.configured, stores.allowed, stores.lock = config.stores, config.plugins, config.lock
    try:
        return frozenset(stores.store(label).plugin.hosts)
    except ByollmError:
        return frozenset()


def _stores(config: LlmConfig) -> list[Finding]:
    """Stores that cannot be made of what the file says."""
    from byollm.config.stores import Stores

    found = []
    for label, entry in config.stores.items():
        stores = Stores()
        stores.configured, stores.allowed, stores.lock = config.stores, config.plugins, config.lock
        try:
            stores.store(label)
        except ByollmError as error:
            where = entry.where
            if isinstance(error, ConfigError) and error.line is not None:
                where = where._replace(line=error.line, column=error.column)
            found.append(Finding("error", where, error.message, error.hint))
    return found


def _references(config: LlmConfig) -> list[Finding]:
    """References to kinds of secrets that nobody brings, or that need settings which the file does not have."""
    from byollm.config.secrets import PLAIN
    from byollm.config.stores import Stores
    from byollm.config.storing import references_of

    found: dict[tuple[str, Where], Finding] = {}
    for _, reference in references_of(config):
        if reference.kind in PLAIN or reference.kind in config.stores:
            continue
        stores = Stores()
        stores.configured, stores.allowed, stores.lock = config.stores, config.plugins, config.lock
        try:
            stores.store(reference.kind, reference)
        except ByollmError as error:
            place = (reference.kind, reference.where)
            found.setdefault(place, Finding("error", reference.where, error.message, error.hint))
    return list(found.values())


def _bound(config: LlmConfig, deployment: DeploymentConfig, manifest_for: ManifestFor) -> Bound | ByollmError:
    try:
        return bind(config, deployment, manifest_for(deployment.provider))
    except ByollmError as error:
        return error.with_traceback(None)


def _proxy_hosts(deployment: DeploymentConfig) -> frozenset[str]:
    proxy = deployment.proxy
    if not isinstance(proxy, SecretReference) or proxy.kind != "literal":
        return frozenset()
    return frozenset({urlsplit(proxy.resolve().reveal()).hostname or ""})


def _deployment(
    config: LlmConfig, deployment: DeploymentConfig, manifest_for: ManifestFor, today: date
) -> list[Finding]:
    bound = _bound(config, deployment, manifest_for)
    if not isinstance(bound, Bound):
        where = deployment.places.get("provider", deployment.where)
        if isinstance(bound, ConfigError) and bound.line is not None:
            where = where._replace(line=bound.line, column=bound.column)
        return [Finding("error", where, bound.message, bound.hint)]
    found = [*bound.warnings, *_no_address(deployment)]
    note = manifest_for(deployment.provider).models.get(deployment.model)
    if note is not None and (note.retired or note.replacement):
        found.append(_retired(deployment, note, today))
    return found


_STAND_INS = r"(?i)your-|.*[<>\[\]]"
_OPERATIONS = ("/chat/completions", "/completions", "/responses", "/messages")
"""What a plugin adds to an endpoint itself; a vendor's page shows address and path in one."""


def _no_address(deployment: DeploymentConfig) -> Iterator[Finding]:
    """An address that somebody was to replace: `https://your-resource.openai.azure.com`."""
    host = urlsplit(deployment.endpoint or "").hostname or ""
    where = deployment.places.get("endpoint", deployment.where)
    ours = next((path for path in _OPERATIONS if (deployment.endpoint or "").rstrip("/").endswith(path)), None)
    if ours is not None and deployment.endpoint:
        mend = f"endpoint: {name(deployment.endpoint.rstrip('/').removesuffix(ours))}"
        yield Finding("warning", where, f"the endpoint ends in `{ours}`, which every request adds to it again", mend)
    if re.match(_STAND_INS, host):
        yield Finding(
            "warning", where, f"the address {shown(host)} is a placeholder", "endpoint: the one you were given"
        )


def _retired(deployment: DeploymentConfig, note: ModelNote, today: date) -> Finding:
    model = name(deployment.model)
    when = note.retired or ""
    past = when <= today.isoformat()
    if not when:
        sentence = f"model `{model}` has a successor"
    else:
        sentence = f"model `{model}` {'was' if past else 'will be'} retired on {when}"
    mend = f'model: "{note.replacement}"' if note.replacement else "choose another model"
    where = deployment.places.get("model", deployment.where)
    return Finding("warning" if past or not when else "info", where, sentence, mend)


def _misspelt(config: LlmConfig, manifest_for: ManifestFor) -> Iterator[Finding]:
    """Credentials that look like one of the provider's, spelled otherwise: nobody would ask for them."""
    for item in config.deployments.values():
        if not isinstance(_bound(config, item, manifest_for), Bound):
            continue
        known = {*manifest_for(item.provider).credentials, "client_id", "client_secret"}
        owners = [(tenant, owner) for tenant in config.tenants.values() for owner in (item.name, item.provider)]
        own = [tenant.credentials.get(owner, {}) for tenant, owner in owners]
        for label, reference in [pair for each in (item.secrets, *own) for pair in each.items()]:
            meant = nearest(label, known) if label not in known else None
            if meant is not None:
                sentence = f"`{name(label)}` is no credential of `{name(item.provider)}`"
                yield Finding("warning", reference.where, sentence, f"did you mean `{meant}:`?")


def _transports(config: LlmConfig) -> Iterator[Finding]:
    """Transports whose library or plugin is not installed: the first call would say so."""
    from byollm.transports.choose import missing

    named = {config.transport: NOWHERE._replace(file=config.source)} if isinstance(config.transport, str) else {}
    for item in config.deployments.values():
        if isinstance(item.transport, str):
            named.setdefault(item.transport, item.places.get("transport", item.where))
    for choice, where in named.items():
        problem = missing(choice, (config.plugins, config.lock))
        if problem is not None:
            yield Finding("error", where, problem.message, problem.hint)


def _tasks(config: LlmConfig, tasks: Iterable[str]) -> list[Finding]:
    found = []
    for task in tasks:
        if task not in config.tasks:
            meant = nearest(task, config.tasks)
            mend = f"did you mean `{name(meant)}`?" if meant else f"tasks: {listing(map(name, config.tasks)) or 'none'}"
            found.append(
                Finding("error", NOWHERE._replace(file=config.source), f"there is no task {shown(task)}", mend)
            )
    return found


def _rules(config: LlmConfig, manifest_for: ManifestFor, today: date) -> list[Finding]:
    from byollm.routing.findings import findings

    return findings(config, hosts_of(config, manifest_for), today)


def hosts_of(config: LlmConfig, manifest_for: ManifestFor) -> dict[str, frozenset[str]]:
    """Every host that each deployment may reach, token endpoints included; without those that cannot be bound."""
    bounds = {label: _bound(config, item, manifest_for) for label, item in config.deployments.items()}
    return {label: bound.hosts for label, bound in bounds.items() if isinstance(bound, Bound)}


def _unused(config: LlmConfig) -> list[Finding]:
    own = [task for tenant in config.tenants.values() for task in tenant.tasks.values()]
    used = {label for task in [*config.tasks.values(), *own] for label in task.candidates}
    return [
        Finding(
            "warning",
            deployment.where,
            f"no task uses the deployment `{name(label)}`",
            f'name it in a task or in `failover:`, call it with deployment="{name(label)}", or remove it',
        )
        for label, deployment in config.deployments.items()
        if config.tasks and label not in used
    ]


def _tenants(config: LlmConfig) -> list[Finding]:
    """A tenant that cannot use any candidate of a task will be refused there."""

    def usable(label: str) -> bool:
        try:
            secrets_for(config.deployments[label], tenant)
        except ByollmError:
            return False
        return True

    found = []
    for tenant in config.tenants.values():
        for task in config.tasks.values():
            if not any(usable(label) for label in tenant.tasks.get(task.name, task).candidates):
                sentence = f"tenant {shown(tenant.name)} has no key for any deployment of task `{name(task.name)}`"
                provider = name(config.deployments[task.candidates[0]].provider)
                found.append(Finding("info", tenant.where, sentence, f"credentials: {{{provider}: {{api_key: …}}}}"))
    return found


Said = frozenset[tuple[str, str, Any]]
"""What the references of one identity say: name, kind, and text or value."""


def _shared_keys(config: LlmConfig, manifest_for: ManifestFor) -> Iterator[Finding]:
    """A tenant's keys that the platform or another tenant names, too: one line copied, and nobody's calls are apart."""
    owners: dict[Said, str] = {}
    for deployment in config.deployments.values() if config.tenants else ():
        bound = _bound(config, deployment, manifest_for)
        for said in _said(bound.secrets) if isinstance(bound, Bound) else ():
            owners.setdefault(said, f"the platform for `{name(deployment.name)}`")
    for tenant in config.tenants.values():
        for owner, references in tenant.credentials.items():
            for said in _said(references):
                whose = owners.setdefault(said, f"tenant {shown(tenant.name)}")
                if whose != f"tenant {shown(tenant.name)}":
                    sentence = f"tenant {shown(tenant.name)} has the same key for `{name(owner)}` as {whose}"
                    where = next((it.where for it in references.values() if it.where.line is not None), tenant.where)
                    yield Finding("warning", where, sentence, "a tenant's calls are to be paid with its own key")


def _said(references: Mapping[str, SecretReference]) -> Iterator[Said]:
    """An identity for each variable that may hold it: the usual ones of a provider stand for each other."""
    texts = [
        [(label, it.kind, it.given if it.kind in ("literal", "callable") else text) for text in _ways(it)]
        for label, it in references.items()
    ]
    yield from map(frozenset, product(*texts)) if texts else ()


def _ways(reference: SecretReference) -> tuple[Any, ...]:
    return tuple(reference.text) if reference.kind == "env" else (reference.text,)
