"""Who may answer: the rules of a configuration against its deployments. Pure; what it does not know it does not allow.

A rule never widens another: whoever answers keeps those of the organisation, of the task, of the tenant, of the class
of data and of the call, all at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal, Protocol

from byollm.config.places import NOWHERE, Where, name, shown
from byollm.config.rules import Attestation, Policies, Residency, Rules
from byollm.config.words import listing, nearest
from byollm.errors import ConfigError
from byollm.providers.discovery import canonical
from byollm.routing import hosts
from byollm.routing.geography import elsewhere

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig
    from byollm.transports.base import Place

Kind = Literal["approved", "providers", "requires", "residency", "data_class", "region"]
ALWAYS: Final = math.inf


@dataclass(frozen=True, slots=True)
class Demand:
    """One rule in force: all of `values` for `requires`, one of them for every other kind. `owner` is who asks it."""

    kind: Kind
    values: tuple[str, ...]
    owner: str
    where: Where = NOWHERE

    def __str__(self) -> str:
        key = "approved_providers" if self.kind == "approved" else self.kind
        several = self.kind in ("approved", "providers", "requires") or len(self.values) > 1
        written = ", ".join(map(name, self.values))
        return f"{key}: {f'[{written}]' if several else written}"


class Clock(Protocol):
    """What the law asks of a clock."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def time(self) -> float:
        """Unix seconds."""
        ...


class Law:
    """The rules of one configuration. `held`: (deployment, tag) → the attestation that lasts longest.

    `clock`: the one that calls will be judged by, read now, so that nobody can turn it back later.
    """

    def __init__(self, config: LlmConfig, clock: Clock | None = None) -> None:
        self.config = config
        self.policies = config.policies or Policies()
        self.held: dict[tuple[str, str], Attestation] = {}
        for attestation in self.policies.attestations:
            for label in covered(config, attestation):
                kept = self.held.get((label, attestation.tag))
                if kept is None or kept.expires < attestation.expires:
                    self.held[label, attestation.tag] = attestation
        self._started = (clock.time(), clock.monotonic()) if clock is not None else (-ALWAYS, 0.0)

    def now(self, clock: Clock) -> float:
        """Unix seconds that do not go back when somebody turns the wall clock: what has expired stays expired."""
        wall, steady = clock.time(), clock.monotonic()
        if not math.isfinite(wall):
            return ALWAYS
        return max(wall, self._started[0] + steady - self._started[1])

    def demands(self, task: str | None, tenant: str | None = None, data_class: str | None = None) -> list[Demand]:
        """All rules in force but the call's `region=`. Raises ConfigError for a class that is not declared.

        A call's class comes on top of the task's own: naming another class never takes the task's rules away.
        """
        policies = self.policies
        found: list[Demand] = []
        if policies.approved is not None:
            where = policies.places.get("approved_providers", NOWHERE)
            found.append(Demand("approved", policies.approved, "the organisation", where))
        classes: list[tuple[str, str, Where]] = []
        for rules in self._owners(task, tenant):
            found += _of(rules)
            if rules.data_class is not None:
                classes.append((rules.data_class, rules.owner, rules.where("data_class")))
        home = self.home(tenant)
        if home is not None:
            entry = self.config.tenants[tenant or ""]
            found.append(Demand("residency", (home,), f"tenant `{name(entry.name)}`", entry.where))
        if data_class is not None:
            classes.append((self._declared(data_class), "the call", NOWHERE))
        if not classes and policies.default_data_class is not None:
            where = policies.places.get("default_data_class", NOWHERE)
            classes.append((policies.default_data_class, "the organisation", where))
        for label, owner, where in dict.fromkeys(classes):
            found.append(Demand("data_class", (label,), owner, where))
            found += _of(policies.data_classes[label]) if label in policies.data_classes else []
        return list(dict.fromkeys(found))

    def _owners(self, task: str | None, tenant: str | None) -> Iterable[Rules]:
        config = self.config
        for entry in (config.tasks.get(task or ""), config.tenants.get(tenant or "")):
            if entry is not None and entry.rules is not None:
                yield entry.rules

    def home(self, tenant: str | None) -> str | None:
        """A tenant's `region:` where a residency set has that name: then its calls stay inside."""
        entry = self.config.tenants.get(tenant or "")
        return entry.region if entry is not None and entry.region in self.policies.residency else None

    def _declared(self, data_class: str) -> str:
        classes = self.policies.data_classes
        if not isinstance(data_class, str) or (classes and data_class not in classes):
            meant = nearest(data_class, classes) if isinstance(data_class, str) else None
            hint = f'say data_class="{name(meant)}"' if meant else f"declared: {listing(map(name, classes), 30)}"
            told = f"there is no data class {shown(data_class)}; nothing was sent"
            raise ConfigError(told, hint=hint, file=self.config.source)
        return data_class

    def region(self, region: str) -> Demand:
        """The rule that a call's `region=` makes: inside the residency set of that name, else exactly that region."""
        return Demand("residency" if region in self.policies.residency else "region", (region,), "the call")

    def refusal(
        self,
        deployment: DeploymentConfig,
        demands: Iterable[Demand],
        *,
        now: float | None = None,
        reach: frozenset[str] | None = None,
    ) -> tuple[str, Demand] | None:
        """Why a deployment may not answer, and which rule says so; None when it may.

        `now`: Unix seconds; None leaves the end of attestations open. `reach`: every host it may reach; None: not known
        yet, and what the file itself says is looked at.
        """
        for demand in demands:
            reason = self._against(deployment, demand, now, known_hosts(deployment) if reach is None else reach)
            if reason:
                return reason, demand
        return None

    def until(self, deployment: DeploymentConfig, demands: Iterable[Demand]) -> float:
        """Until when (Unix seconds) the attestations behind a permission last."""
        tags = [tag for demand in demands if demand.kind == "requires" for tag in demand.values]
        return min((end_of(self.held[deployment.name, tag]) for tag in tags), default=ALWAYS)

    def _against(self, deployment: DeploymentConfig, demand: Demand, now: float | None, reach: frozenset[str]) -> str:
        kind, values = demand.kind, demand.values
        if kind in ("approved", "providers"):
            provider = canonical(deployment.provider)
            who = "`approved_providers`" if kind == "approved" else f"the providers of {demand.owner}"
            return "" if provider in values else f"provider {provider} is not among {who} ({', '.join(values)})"
        if kind == "requires":
            return next(filter(None, (self._attested(deployment, tag, demand, now) for tag in values)), "")
        if kind == "residency":
            return self._inside(deployment, [self.policies.residency[label] for label in values], demand, reach)
        if kind == "region":
            here = deployment.region
            if here != values[0]:
                return f"its region is {here or 'not set'}, not {name(values[0])}"
            return elsewhere(canonical(deployment.provider), deployment.model, here)
        return self._may_see(deployment, values[0])

    def _may_see(self, deployment: DeploymentConfig, data_class: str) -> str:
        """A target's own `data_classes:` are the only ones it may see; without them the class's own rules judge."""
        listed = bool(deployment.data_classes) or "data_classes" in deployment.places
        if data_class in deployment.data_classes or (not listed and data_class in self.policies.data_classes):
            return ""
        return f"its data_classes are {', '.join(deployment.data_classes) or 'not set'}, not {name(data_class)}"

    def _attested(self, deployment: DeploymentConfig, tag: str, demand: Demand, now: float | None) -> str:
        found = self.held.get((deployment.name, tag))
        if found is None:
            return f"nobody attests `{tag}`, which {demand.owner} requires"
        if now is not None and now >= end_of(found):
            return f"its attestation of `{tag}` expired on {found.expires}, and {demand.owner} requires it"
        return ""

    def _inside(
        self, deployment: DeploymentConfig, sets: list[Residency], demand: Demand, reach: frozenset[str]
    ) -> str:
        region = (deployment.region or "").strip().lower()
        near = [place for place in sets if region in place.regions]
        told = f"residency {' or '.join(f'`{name(place.name)}`' for place in sets)} ({demand.owner})"
        if not near:
            return f"its region is {deployment.region or 'not set'}, outside {told}"
        away = elsewhere(canonical(deployment.provider), deployment.model, deployment.region)
        if away:
            return f"{away}, outside {told}"
        outside = [sorted(host for host in reach if not hosts.matches(host, place.hosts)) for place in near]
        return "" if not all(outside) else f"it may reach {min(outside, key=len)[0]}, outside {told}"


def _of(rules: Rules) -> list[Demand]:
    """The rules of a task, a tenant or a class, but its data class."""
    written: Mapping[Kind, tuple[str, ...] | None] = {
        "providers": rules.providers, "requires": rules.requires, "residency": rules.residency,
    }  # fmt: skip
    return [Demand(kind, values, rules.owner, rules.where(kind)) for kind, values in written.items() if values]


def covered(config: LlmConfig, attestation: Attestation) -> list[str]:
    """The deployments an attestation speaks of. A name that is both a deployment and a provider is the deployment."""
    found: list[str] = []
    for subject in attestation.subjects:
        if subject in config.deployments:
            found.append(subject)
        else:
            provider = canonical(subject)
            found += [label for label, item in config.deployments.items() if canonical(item.provider) == provider]
    return list(dict.fromkeys(found))


def end_of(attestation: Attestation) -> float:
    """When it is over: the first instant after its last day, in UTC, as Unix seconds."""
    return (datetime.combine(attestation.expires, time(), UTC) + timedelta(days=1)).timestamp()


def known_hosts(deployment: DeploymentConfig) -> frozenset[str]:
    """The hosts that the file itself names for a deployment: endpoint, token endpoint, a proxy that can read."""
    from urllib.parse import urlsplit

    from byollm.config.records import OAuth

    found = {urlsplit(deployment.endpoint).hostname or ""} if deployment.endpoint else set()
    if isinstance(deployment.authentication, OAuth):
        found.add(urlsplit(deployment.authentication.token_url).hostname or "")
    return frozenset(found - {""}) | readers(deployment, deployment.endpoint or "")


def readers(deployment: DeploymentConfig, endpoint: str) -> frozenset[str]:
    """Proxies of the file that could read what is sent: those of plain http. Over https a proxy passes on what it
    cannot read.

    A proxy that is a reference is told by its source, which no pattern lets in.
    """
    from urllib.parse import urlsplit

    from byollm.config.secrets import SecretReference

    proxy = deployment.proxy
    if urlsplit(endpoint).scheme != "http" or not isinstance(proxy, SecretReference):
        return frozenset()
    if proxy.kind != "literal":
        return frozenset({f"a proxy from {proxy.source}"})
    return frozenset({urlsplit(proxy.resolve().reveal()).hostname or "a proxy"})


def by_environment(endpoint: str, place: Place) -> frozenset[str]:
    """The same for a deployment whose proxy the environment names."""
    from urllib.parse import urlsplit

    if urlsplit(endpoint).scheme != "http" or place.proxy is None:
        return frozenset()
    return frozenset({urlsplit(place.proxy).hostname or "a proxy"})
