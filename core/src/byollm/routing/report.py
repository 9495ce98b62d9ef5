"""What may go where, on which evidence, until when: the rules of a configuration told for somebody who audits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from byollm.config.rules import SENTENCE, Attestation, Rules
from byollm.providers.discovery import canonical
from byollm.routing.findings import instant, reach_of, state_of
from byollm.routing.law import Law, covered

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig, TaskConfig

DIRECTLY = "deployment=…"
"""Stands for a task where a call names a deployment itself."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An attestation as it is told; `state` is valid, ends soon or expired. `deployments`: whom it speaks of."""

    tag: str
    meaning: str
    subjects: tuple[str, ...]
    deployments: tuple[str, ...]
    evidence: str
    owner: str
    expires: str
    state: str
    where: str


@dataclass(frozen=True, slots=True)
class Party:
    """A deployment. `hosts`: every one it may reach; `whole` is False when its plugin could not be asked for more."""

    deployment: str
    provider: str
    model: str
    region: str | None
    hosts: tuple[str, ...]
    whole: bool
    attested: tuple[str, ...]
    data_classes: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Flow:
    """May data of a class (None: the call names none) of a task go to a deployment? `rests_on`: tags it needs."""

    task: str
    data_class: str | None
    deployment: str
    allowed: bool
    reason: str
    rests_on: tuple[str, ...] = ()
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """A tenant: what it asks beyond everybody's rules, and who is left for each task."""

    tenant: str
    rules: tuple[str, ...]
    tasks: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything an auditor is shown. `day` is when it was judged."""

    sentence: str
    source: str
    day: str
    approved_providers: tuple[str, ...] | None
    residency: Mapping[str, Mapping[str, tuple[str, ...]]]
    data_classes: Mapping[str, tuple[str, ...]]
    default_data_class: str | None
    tasks: Mapping[str, tuple[str, ...]]
    deployments: tuple[Party, ...]
    evidence: tuple[Evidence, ...]
    flows: tuple[Flow, ...]
    tenants: tuple[Guest, ...]


def report(config: LlmConfig, hosts: Mapping[str, frozenset[str]], today: date) -> Report:
    """The report. `hosts`: what each deployment may reach, as far as its plugin could be asked."""
    law = Law(config)
    policies = law.policies
    return Report(
        sentence=SENTENCE,
        source=config.source or "a mapping",
        day=today.isoformat(),
        approved_providers=policies.approved,
        residency={
            label: {"regions": found.regions, "hosts": found.hosts} for label, found in policies.residency.items()
        },
        data_classes={label: tuple(asked(rules)) for label, rules in policies.data_classes.items()},
        default_data_class=policies.default_data_class,
        tasks={label: tuple(_of_task(task)) for label, task in config.tasks.items()},
        deployments=tuple(_party(law, item, hosts) for item in config.deployments.values()),
        evidence=tuple(_evidence(law, item, today) for item in policies.attestations),
        flows=tuple(_flows(law, hosts, today)),
        tenants=tuple(_guest(law, label, hosts, today) for label in config.tenants),
    )


def asked(rules: Rules) -> Iterator[str]:
    """Rules in words: `residency: eu`."""
    if rules.data_class is not None:
        yield f"data_class: {rules.data_class}"
    for key, values in (("providers", rules.providers), ("requires", rules.requires), ("residency", rules.residency)):
        if values:
            yield f"{key}: {', '.join(values)}"


def _of_task(task: TaskConfig) -> Iterator[str]:
    if task.rules is not None:
        yield from asked(task.rules)
    if task.batch:
        yield "batch: a vendor may keep requests and answers until they are read"


def classes_of(law: Law) -> list[str]:
    """Every class of data that a call may name: those declared, else those that targets list."""
    if law.policies.data_classes:
        return list(law.policies.data_classes)
    return sorted({label for item in law.config.deployments.values() for label in item.data_classes})


def _party(law: Law, entry: DeploymentConfig, hosts: Mapping[str, frozenset[str]]) -> Party:
    tags = tuple(tag for label, tag in law.held if label == entry.name)
    reach = tuple(sorted(reach_of(entry, hosts)))
    whole = entry.name in hosts
    place = (canonical(entry.provider), entry.model, entry.region)
    return Party(entry.name, *place, reach, whole, tags, entry.data_classes, str(entry.where))


def _evidence(law: Law, item: Attestation, today: date) -> Evidence:
    return Evidence(
        tag=item.tag,
        meaning=law.policies.tags[item.tag],
        subjects=item.subjects,
        deployments=tuple(covered(law.config, item)),
        evidence=item.evidence,
        owner=item.owner,
        expires=item.expires.isoformat(),
        state=state_of(item, today),
        where=str(item.where),
    )


def _flows(law: Law, hosts: Mapping[str, frozenset[str]], today: date) -> Iterator[Flow]:
    config = law.config
    routes = [(label, task.candidates) for label, task in config.tasks.items()]
    for task, candidates in [*routes, (DIRECTLY, tuple(config.deployments))]:
        rules = config.tasks[task].rules if task in config.tasks else None
        own = (rules.data_class if rules else None) or law.policies.default_data_class
        for data_class in [None, *(label for label in classes_of(law) if label != own)]:
            for label in candidates:
                yield _flow(law, task, data_class, own, config.deployments[label], hosts, today)


def _flow(
    law: Law,
    task: str,
    data_class: str | None,
    own: str | None,
    entry: DeploymentConfig,
    hosts: Mapping[str, frozenset[str]],
    today: date,
) -> Flow:
    demands = law.demands(task, None, data_class)
    shown = data_class or own
    found = law.refusal(entry, demands, now=instant(today), reach=reach_of(entry, hosts))
    if found is not None:
        return Flow(task, shown, entry.name, False, found[0])
    tags = tuple(dict.fromkeys(tag for demand in demands if demand.kind == "requires" for tag in demand.values))
    ends = min((law.held[entry.name, tag].expires.isoformat() for tag in tags), default=None)
    kept = ", ".join(dict.fromkeys(str(demand) for demand in demands if demand.kind != "data_class"))
    return Flow(task, shown, entry.name, True, kept or "no rule forbids it", tags, ends)


def _guest(law: Law, tenant: str, hosts: Mapping[str, frozenset[str]], today: date) -> Guest:
    config = law.config
    rules = config.tenants[tenant].rules
    left: dict[str, tuple[str, ...]] = {}
    for label, task in config.tasks.items():
        demands = law.demands(label, tenant)
        own = config.tenants[tenant].tasks.get(label, task)
        entries = [config.deployments[candidate] for candidate in own.candidates]
        left[label] = tuple(
            entry.name
            for entry in entries
            if law.refusal(entry, demands, now=instant(today), reach=reach_of(entry, hosts)) is None
        )
    home = law.home(tenant)
    at_home = (f"region: {home}",) if home is not None else ()
    return Guest(tenant, (*at_home, *(asked(rules) if rules is not None else ())), left)
