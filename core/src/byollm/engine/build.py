"""A deployment of the file into a line: plugin loaded, credentials referred to, nothing resolved and nothing sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byollm.engine.breaker import RetryBudget
from byollm.engine.credentials import Credentials
from byollm.engine.line import Line, Retries
from byollm.providers.deployment import Deployment
from byollm.providers.discovery import load_provider
from byollm.providers.pricing import Price

if TYPE_CHECKING:
    from byollm.config.records import LlmConfig


def build_line(config: LlmConfig, name: str, tenant: str | None) -> Line:
    """One deployment, for one tenant or the platform. Raises ConfigError and PluginError."""
    from byollm.config.bind import bind

    entry = config.deployments[name]
    loaded = load_provider(entry.provider)
    bound = bind(config, entry, loaded.manifest, tenant)
    return line_of(bound, loaded.plugin, loaded.manifest, entry, loaded.distribution, loaded.version)


def line_of(bound: Any, plugin: Any, manifest: Any, entry: Any, distribution: str = "", version: str = "") -> Line:
    """The line of something already bound."""
    deployment = Deployment(
        plugin, manifest, bound.target, entry.on_unsupported, entry.capabilities, distribution, version
    )
    return Line(
        deployment=deployment,
        place=bound.place,
        credentials=Credentials(bound.secrets, bound.secret_headers),
        auth=bound.auth,
        timeouts=entry.timeouts,
        retries=Retries(entry.retries.attempts, entry.retries.total, entry.retries.on_unknown),
        budget=RetryBudget(entry.retries.budget),
        guard=entry.guard,
        transport=None,
        headers=bound.headers,
        query=entry.query,
        pricing=Price.from_config(entry.pricing) if entry.pricing else None,
        region=entry.region,
        tags=entry.tags,
    )


def line_from(provider: Any, target: dict[str, Any], *, fallback_endpoint: str | None = None) -> Line:
    """The line of one target given as a mapping; `provider` is a name or a plugin object.

    `fallback_endpoint` is used where neither the target nor the manifest names one. Raises ConfigError and PluginError.
    """
    from byollm.config.bind import bind
    from byollm.config.llm_config import load

    if isinstance(provider, str):
        loaded = load_provider(provider)
        plugin, manifest, origin = loaded.plugin, loaded.manifest, (loaded.distribution, loaded.version)
    else:
        plugin, manifest, origin = provider, provider.manifest, ("", "")
    values = {"provider": manifest.name, **target}
    if manifest.default_endpoint is None and fallback_endpoint is not None:
        values.setdefault("endpoint", fallback_endpoint)
    config = load({"llm_config": values})
    entry = next(iter(config.deployments.values()))
    return line_of(bind(config, entry, manifest, None), plugin, manifest, entry, *origin)
