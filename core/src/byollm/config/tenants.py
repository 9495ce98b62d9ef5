"""`tenants:` into values: their own keys, routes and limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from byollm.config import schema
from byollm.config.places import Document, KeyPath, name, shown
from byollm.config.records import TenantConfig
from byollm.config.targets import Catalog, credentials
from byollm.config.words import listing, nearest

if TYPE_CHECKING:
    from byollm.config.settings import Context


def routes(
    written: Mapping[str, Any], document: Document, path: KeyPath, tasks: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Label → tenant and task, for every task that a tenant has a route of its own for. Raises ConfigError."""
    found: dict[str, tuple[str, str]] = {}
    for tenant, value in written.items():
        own = value.get("tasks") if isinstance(value, dict) else None
        if own is None:
            continue
        at = (*path, tenant, "tasks")
        if not isinstance(own, dict):
            raise document.error(at, f"`tasks` is a mapping, not {shown(own)}", schema.EXAMPLES["tasks"], value=True)
        for task in own:
            if task not in tasks:
                meant = nearest(task, tasks)
                mend = f"did you mean `{name(meant)}`?" if meant else f"tasks: {listing(map(name, tasks)) or 'none'}"
                raise document.error((*at, task), f"there is no task {shown(task)}", mend)
            found[f"{task} of tenant {tenant}"] = (tenant, task)
    return found


def checked(value: Any, rules: Any, document: Document, path: KeyPath) -> dict[str, Any]:
    """A tenant's own route: a mapping like a task's, without rules. Raises ConfigError."""
    if rules:
        key = next(iter(rules))
        mend = "write it beside the tenant's credentials: it holds for all of its calls"
        raise document.error((*path, key), f"`{key}` is a rule, and a tenant's route has none of its own", mend)
    if not isinstance(value, dict) or not value:
        sentence = f"a tenant's route is a mapping, not {shown(value)}"
        raise document.error(path, sentence, "chat: {route: [fast, backup]}", value=True)
    return value


def read(written: Mapping[str, Any], context: Context, catalog: Catalog, path: KeyPath) -> dict[str, TenantConfig]:
    """The tenants, without their routes. Raises ConfigError."""
    return {label: _tenant(label, value, context, catalog, (*path, label)) for label, value in written.items()}


def _tenant(label: str, value: Any, context: Context, catalog: Catalog, path: KeyPath) -> TenantConfig:
    document = context.document
    found = schema.validated(schema.TenantModel, value, document, path, "tenants")
    keys: dict[str, Any] = {}
    for owner, item in found["credentials"].items():
        at = (*path, "credentials", owner)
        _check_owner(owner, catalog, document, at)
        if item is None:
            raise document.error(at, f"`{name(owner)}:` is empty", schema.EXAMPLES["tenants"])
        keys[owner] = credentials(context, item if isinstance(item, dict) else {"api_key": item}, at)
    limits = None
    if found.get("limits") is not None:
        from byollm.config.limits import read_limits

        limits = read_limits(found["limits"], document, (*path, "limits"))
    return TenantConfig(label, keys, document.where(path), found.get("region"), limits=limits)


def _check_owner(owner: str, catalog: Catalog, document: Document, path: KeyPath) -> None:
    from byollm.providers.discovery import canonical

    deployments = catalog.deployments
    providers = {canonical(item.provider) for item in deployments.values()}
    if owner in deployments or canonical(owner) in providers:
        return
    meant = nearest(owner, {*deployments, *providers})
    known = listing({*map(name, deployments), *providers}, 30)
    mend = f"did you mean `{name(meant)}`?" if meant else f"known: {known}"
    raise document.error(path, f"`{name(owner)}` is no deployment and no provider of this file", mend)
