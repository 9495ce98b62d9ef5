"""What a configuration means, as plain values: what `load` answers with and what the engine is made from.

No value here is a secret: keys are references, and what a program wrote out literally does not show itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from byollm.config.places import NOWHERE, Finding, Where
from byollm.config.rules import Policies, Rules
from byollm.config.secrets import SecretReference
from byollm.transports.base import Timeouts, TlsFiles

if TYPE_CHECKING:
    from byollm.routing.limits import LimitsConfig
    from byollm.routing.policies import Policy

OnUnsupported = Literal["adapt", "strict"]
OnUnknown = Literal["fail_over", "fail"]


DEFAULT_TIMEOUTS: Final = Timeouts()


@dataclass(frozen=True, slots=True)
class Retries:
    """`attempts` on one deployment and `total` in one call, both counting the first; `budget` as a share of all calls.

    `on_unknown`: what follows an attempt that may have been billed: another deployment is tried, or the call fails.
    `on_cut`: what follows a stream that is cut after content was shown: the call fails, or another deployment answers
    from the beginning.
    """

    attempts: int = 3
    total: int = 5
    budget: float = 0.2
    on_unknown: OnUnknown = "fail_over"
    on_cut: Literal["fail", "restart"] = "fail"


@dataclass(frozen=True, slots=True)
class OAuth:
    """`authentication: {type: oauth, …}`; its client id and secret are among the deployment's secrets."""

    token_url: str
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """One entry of `middleware:` or `observers:`: a name, or an object handed in from Python, and its options."""

    name: str
    instance: Any = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    where: Where = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """One deployment as the file says it; what it does not say is None, or byollm's default.

    `secrets`: credential name → reference, what the file names only (usual variables come with `bind`). `headers` are
    plain, `secret_headers` hold a secret; names are in lower case. `proxy`: None is the environment's, "none" no proxy.
    `failover`: names of deployments, in order. `options`: the plugin's own keys, still unchecked. `places`: where each
    key of the target stands. `shared_limits`: groups that count it too.
    `guard`: `local` refuses a prompt by bounds alone, `ask` asks the provider to count it.
    """

    name: str
    provider: str
    model: str
    api: str | None = None
    endpoint: str | None = None
    region: str | None = None
    tags: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    authentication: str | OAuth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, SecretReference] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    proxy: SecretReference | Literal["none"] | None = None
    tls: TlsFiles | None = None
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    retries: Retries = Retries()
    failover: tuple[str, ...] = ()
    pricing: Mapping[str, Any] = field(default_factory=dict)
    limits: LimitsConfig | None = None
    shared_limits: tuple[str, ...] = ()
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    on_unsupported: OnUnsupported = "adapt"
    guard: Literal["local", "ask"] = "local"
    transport: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    places: Mapping[str, Where] = field(default_factory=dict, repr=False)
    where: Where = NOWHERE


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """A task: the names of its candidates, the first first, then their failover in the order of the file.

    `policy` orders the first of them anew for each call; None keeps the order. `rules` say who of them may answer.
    `defer`: seconds that its answers may take; `batch`: they may then come from a provider's batch.
    """

    name: str
    candidates: tuple[str, ...]
    where: Where = NOWHERE
    policy: Policy | None = None
    rules: Rules | None = None
    defer: float | None = None
    batch: bool = False


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """A tenant's own keys: provider or deployment → credential name → reference; and where it is, for `by_region` and,
    where a residency set has that name, as a rule."""

    name: str
    credentials: Mapping[str, Mapping[str, SecretReference]]
    where: Where = NOWHERE
    region: str | None = None
    rules: Rules | None = None
    limits: LimitsConfig | None = None
    tasks: Mapping[str, TaskConfig] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """One entry of `secrets:`: a store that references `name:…` are read from.

    `kind` is the plugin's word, `options` the plugin's own keys, still unchecked; `secrets` its own credentials.
    `timeout` (seconds) bounds each request. `tenants`: only these tenants' references may name it; None: any may.
    `places`: where each key stands.
    """

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    timeout: float = 5.0
    tls: TlsFiles | None = None
    proxy: SecretReference | Literal["none"] | None = None
    tenants: tuple[str, ...] | None = None
    places: Mapping[str, Where] = field(default_factory=dict, repr=False)
    where: Where = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmConfig:
    """A whole configuration. `default` names the task of a call that names none.

    `plugins`: the only distributions whose plugins may be loaded, None for any; `lock`: the file that pins them.
    `policies`: the organisation's rules; None when the file has no rule at all, not even a task's or a tenant's.
    `limits`: groups that deployments share, by name.
    `warnings`: what loading noticed. `log_content`: prompts and answers may be logged. `source`: the file's name.
    """

    deployments: Mapping[str, DeploymentConfig]
    tasks: Mapping[str, TaskConfig]
    default: str | None = None
    on_unsupported: OnUnsupported = "adapt"
    transport: Any = None
    middleware: tuple[Extension, ...] = ()
    observers: tuple[Extension, ...] = ()
    plugins: tuple[str, ...] | None = None
    lock: str | None = None
    tenants: Mapping[str, TenantConfig] = field(default_factory=dict)
    stores: Mapping[str, StoreConfig] = field(default_factory=dict)
    limits: Mapping[str, LimitsConfig] = field(default_factory=dict)
    policies: Policies | None = None
    log_content: bool = False
    warnings: tuple[Finding, ...] = ()
    source: str | None = None
