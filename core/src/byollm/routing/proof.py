"""The proof at load: whatever fails, whoever calls, nobody is reached whom a rule of the file forbids.

What a task can reach is its candidates and their failover, at any depth; tenants, classes of data and `region=` only
take away from it, for a call is filtered by every rule. So it is enough that each task's whole reach obeys the rules
that hold for all of its calls; a file where one does not is refused, with the candidate that breaks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

from byollm.config.places import NOWHERE, Where, name
from byollm.config.rules import refused
from byollm.config.words import listing, nearest
from byollm.providers.discovery import canonical
from byollm.routing import hosts
from byollm.routing.law import Demand, Law

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig, TaskConfig


def prove(config: LlmConfig) -> None:
    """Raises ConfigError with a counter-example and both lines."""
    law = Law(config)
    _subjects(law)
    _no_contradiction(law)
    for deployment in config.deployments.values():
        _approved(law, deployment)
        _classes(law, deployment)
    for task in config.tasks.values():
        _reach(law, task)
        _regions(law, task)
    for tenant in config.tenants.values():
        _keys(law, tenant.name)
        for task in tenant.tasks.values():
            _reach(law, task, tenant.name)


def trail(config: LlmConfig, task: TaskConfig, label: str) -> list[str]:
    """How a task comes to a candidate: itself, then whose failover leads there, then the candidate."""
    steps = [label]
    while True:
        earlier = task.candidates[: task.candidates.index(steps[0])]
        before = next((item for item in earlier if steps[0] in config.deployments[item].failover), None)
        if before is None:
            return [task.name, *steps]
        steps.insert(0, before)


def _said(where: Where) -> str:
    return f" ({where})" if where.line is not None else ""


def _stands(deployment: DeploymentConfig, *keys: str) -> Where:
    return next((deployment.places[key] for key in keys if key in deployment.places), deployment.where)


def _place_of(deployment: DeploymentConfig, demand: Demand) -> Where:
    """The line of a deployment that a rule speaks of."""
    keys = {"approved": ("provider",), "providers": ("provider",), "data_class": ("data_classes",)}
    return _stands(deployment, *keys.get(demand.kind, ("region",) if demand.kind == "residency" else ()))


def _subjects(law: Law) -> None:
    """An attestation speaks of somebody who is there."""
    config = law.config
    providers = {canonical(item.provider) for item in config.deployments.values()}
    for attestation in law.policies.attestations:
        for subject in attestation.subjects:
            if subject not in config.deployments and canonical(subject) not in providers:
                known = {*config.deployments, *providers}
                meant = nearest(subject, known)
                mend = f"did you mean `{name(meant)}`?" if meant else f"known: {listing(map(name, known), 30)}"
                sentence = f"`for: {name(subject)}` is no deployment and no provider of this file"
                raise refused(attestation.where, sentence, mend)


def _no_contradiction(law: Law) -> None:
    """No two rules that hold at once exclude each other."""
    policies, config = law.policies, law.config
    tenants = [tenant.rules for tenant in config.tenants.values() if tenant.rules is not None]
    for rules in (*policies.data_classes.values(), *tenants):
        foreign = sorted(set(rules.providers or ()) - set(policies.approved or ())) if policies.approved else []
        if foreign:
            there = policies.places.get("approved_providers", NOWHERE)
            sentence = f"{rules.owner} names provider {foreign[0]}, and `approved_providers`{_said(there)} does not"
            raise refused(rules.where("providers"), sentence, "a rule can only take away: name it in both, or in none")
    for task in config.tasks.values():
        _possible(law, law.demands(task.name))
    for tenant in config.tenants:
        _possible(law, law.demands(None, tenant))
    for label in policies.data_classes:
        _possible(law, law.demands(None, None, label))


def _possible(law: Law, demands: list[Demand]) -> None:
    """Somebody could obey all of them: a region and a host in all residency sets, and a provider in all lists."""
    for first, second in product(demands, repeat=2):
        if first is second or first.kind != second.kind or first.kind not in ("residency", "providers"):
            continue
        if not _both(law, first, second):
            sentence = f"{first.owner} says `{first}`, and {second.owner} says `{second}`{_said(second.where)}"
            raise refused(first.where, f"{sentence}: nobody can obey both", "change one of the two")


def _both(law: Law, first: Demand, second: Demand) -> bool:
    """There may be somebody who obeys both: a provider in both lists, or a region and a host name in both sets."""
    if first.kind != "residency":
        return not set(first.values).isdisjoint(second.values)
    sets = law.policies.residency
    pairs = product((sets[label] for label in first.values), (sets[label] for label in second.values))
    return any(
        not set(one.regions).isdisjoint(other.regions)
        and any(hosts.meet(left, right) for left, right in product(one.hosts, other.hosts))
        for one, other in pairs
    )


def _approved(law: Law, deployment: DeploymentConfig) -> None:
    """Every deployment can be named by a call, so each one's provider is approved."""
    found = law.refusal(deployment, [item for item in law.demands(None) if item.kind == "approved"])
    if found is not None:
        reason, demand = found
        where = _stands(deployment, "provider")
        sentence = f"deployment `{name(deployment.name)}`{_said(where)}: {reason}"
        meant = nearest(canonical(deployment.provider), demand.values)
        mend = f"approved_providers: […, {name(canonical(deployment.provider))}], or remove the deployment"
        raise refused(demand.where, sentence, f"{mend}   (did you mean it by `{name(meant)}`?)" if meant else mend)


def _classes(law: Law, deployment: DeploymentConfig) -> None:
    """What a target says it may see is a declared class, and the class's own rules let it."""
    declared = law.policies.data_classes
    where = _stands(deployment, "data_classes")
    who = f"deployment `{name(deployment.name)}`"
    for label in deployment.data_classes if declared else ():
        if label not in declared:
            meant = nearest(label, declared)
            mend = f"did you mean `{name(meant)}`?" if meant else f"declared: {listing(map(name, declared), 30)}"
            raise refused(where, f"{who}: there is no data class `{name(label)}`", mend)
        found = law.refusal(deployment, law.demands(None, None, label))
        if found is not None:
            reason, demand = found
            sentence = f"{who} says it may see `{name(label)}`, and {demand.owner} says `{demand}`"
            raise refused(where, f"{sentence}{_said(demand.where)}: {reason}", "change one of the two")


def _reach(law: Law, task: TaskConfig, tenant: str | None = None) -> None:
    """A task's candidates and all their failover obey the task's rules, and those of its class of data; those of a
    tenant's own route the tenant's, too."""
    config = law.config
    demands = law.demands(task.name, tenant)
    rules = config.tasks[task.name].rules
    for label in task.candidates:
        deployment = config.deployments[label]
        found = law.refusal(deployment, demands)
        if found is None:
            continue
        reason, demand = found
        way = " → ".join(map(name, trail(config, task, label)))
        there = _place_of(deployment, demand)
        whose = f" of tenant `{name(tenant)}`" if tenant is not None else ""
        sentence = f"task `{name(task.name)}`{whose} can reach deployment `{name(label)}`{_said(there)} by {way}"
        where = _first(demand.where, rules.where(demand.kind) if rules else NOWHERE, task.where)
        mend = f"take `{name(label)}` out of the way to it, or change the rule"
        raise refused(where, f"{sentence}, and `{demand}` forbids it: {reason}", mend)


def _regions(law: Law, task: TaskConfig) -> None:
    """Of those whom a table of regions puts first in a residency set of that name, one at least is inside it."""
    for region, labels in getattr(task.policy, "regions", {}).items():
        place = law.policies.residency.get(region)
        found = [law.refusal(law.config.deployments[label], [law.region(region)]) for label in labels]
        if place is not None and found and all(found) and found[0] is not None:
            sentence = f"task `{name(task.name)}` sends callers of `{name(region)}` to `{name(labels[0])}` first"
            sentence += f", and residency `{name(region)}`{_said(place.where)} forbids it: {found[0][0]}"
            raise refused(task.where, sentence, "name a deployment inside the set, or change the set")


def _first(*places: Where) -> Where:
    return next((place for place in places if place.line is not None), places[-1])


def _keys(law: Law, tenant: str) -> None:
    """A tenant's key for somebody whom its own rules forbid is a contradiction."""
    entry = law.config.tenants[tenant]
    if entry.rules is None and law.home(tenant) is None:
        return
    demands = law.demands(None, tenant)
    for owner, deployment in _named(law.config, list(entry.credentials)):
        found = law.refusal(deployment, demands)
        if found is not None:
            reason, demand = found
            sentence = f"tenant `{name(tenant)}` has a key for `{name(owner)}`{_said(_place_of(deployment, demand))}"
            mend = "remove the key, or change the rule"
            raise refused(demand.where, f"{sentence}, and `{demand}` forbids it: {reason}", mend)


def _named(config: LlmConfig, owners: list[str]) -> Iterator[tuple[str, DeploymentConfig]]:
    """The deployments that keys are for: those named, and of a provider the only one."""
    for owner in owners:
        if owner in config.deployments:
            yield owner, config.deployments[owner]
            continue
        same = [item for item in config.deployments.values() if canonical(item.provider) == canonical(owner)]
        if len(same) == 1:
            yield owner, same[0]
