"""A deployment of the file into a line: plugin loaded, credentials referred to, nothing resolved and nothing sent."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from byollm.config.bind import Bound, bind
from byollm.config.llm_config import load
from byollm.engine.breaker import RetryBudget
from byollm.engine.credentials import Credentials
from byollm.engine.line import Line, Retries
from byollm.providers.deployment import Deployment
from byollm.providers.discovery import Loaded, load_provider
from byollm.providers.manifest import Manifest
from byollm.providers.prices import prices_for
from byollm.providers.pricing import Price

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig
    from byollm.routing.joint import Joint
    from byollm.routing.limits import Limits


Shared = MutableMapping[tuple[str, str | None], "Limits"]
"""The limits that deployments of one client share, by group and tenant."""


def build_line(
    config: LlmConfig,
    name: str,
    tenant: str | None,
    shared: Shared | None = None,
    loaded_before: MutableMapping[str, Loaded] | None = None,
) -> Line:
    """One deployment, for one tenant or the platform. Raises ConfigError, PluginError and AuthenticationError.

    `loaded_before`: plugins by the file's word for them. To look for one reads what is installed: milliseconds, which
    a thousand tenants need not wait for.
    """
    entry = config.deployments[name]
    loaded = loaded_before.get(entry.provider) if loaded_before is not None else None
    if loaded is None:
        loaded = load_provider(entry.provider, allowed=config.plugins, lock=config.lock)
        if loaded_before is not None:
            loaded_before[entry.provider] = loaded
    bound = bind(config, entry, loaded.manifest, tenant)
    line = line_of(bound, loaded.plugin, loaded.manifest, loaded.distribution, loaded.version)
    line.prices = prices_for(config.plugins, config.lock)
    if entry.shared_limits or (tenant is not None and config.tenants[tenant].limits is not None):
        line.limits = _joint(config, entry, tenant, line.limits, shared if shared is not None else {})
    return line


def _joint(
    config: LlmConfig, entry: DeploymentConfig, tenant: str | None, own: Limits | Joint | None, shared: Shared
) -> Limits | Joint:
    """The deployment's own limits, its groups' and its tenant's: each tenant has a count of its own."""
    from byollm.routing.joint import Joint
    from byollm.routing.limits import Limits

    parts = list(own.parts) if own is not None else []
    for group in entry.shared_limits:
        parts.append(shared.setdefault((group, tenant), Limits(config.limits[group])))
    bound = config.tenants[tenant].limits if tenant is not None else None
    if bound is not None:
        parts.append(shared.setdefault(("\0tenant", tenant), Limits(bound)))
    return parts[0] if len(parts) == 1 else Joint(tuple(parts))


def line_of(bound: Bound, plugin: Any, manifest: Manifest, distribution: str = "", version: str = "") -> Line:
    """The line of something already bound."""
    entry = bound.deployment
    return Line(
        Deployment(plugin, manifest, bound.target, entry.on_unsupported, entry.capabilities, distribution, version),
        lambda: bound.place,
        Credentials(bound.secrets, bound.secret_headers),
        auth=bound.auth,
        timeouts=entry.timeouts,
        retries=_retries(entry),
        headers=bound.headers,
        query=entry.query,
        extra=entry.extra,
        pricing=Price.from_config(entry.pricing) if entry.pricing else None,
        guard=entry.guard,
        region=entry.region,
        tenant=bound.tenant,
        tags=entry.tags,
        data_classes=entry.data_classes,
        reaches=bound.hosts,
        budget=RetryBudget(entry.retries.budget),
        limits=_limits(entry),
    )


def _retries(entry: DeploymentConfig) -> Retries:
    said = entry.retries
    return Retries(said.attempts, said.total, said.on_unknown, said.on_cut)


def _limits(entry: DeploymentConfig) -> Limits | None:
    if entry.limits is None:
        return None
    from byollm.routing.limits import Limits

    return Limits(entry.limits)


def line_from(provider: Any, target: Mapping[str, Any], *, fallback_endpoint: str | None = None) -> Line:
    """The line of one target given as a mapping; `provider` is a name or a plugin object.

    `fallback_endpoint` is used where neither the target nor the manifest names one. Raises ConfigError and PluginError.
    """
    if isinstance(provider, str):
        loaded = load_provider(provider)
        plugin, manifest, origin = loaded.plugin, loaded.manifest, (loaded.distribution, loaded.version)
    else:
        plugin, manifest, origin = provider, provider.manifest, ("", "")
    values = {**target, "provider": manifest.name}
    if manifest.default_endpoint is None and fallback_endpoint is not None:
        values.setdefault("endpoint", fallback_endpoint)
    config = load({"llm_config": values})
    bound = bind(config, next(iter(config.deployments.values())), manifest)
    line = line_of(bound, plugin, manifest, *origin)
    line.prices = prices_for()
    return line
