"""What `byollm check` says of the rules: hosts that only a plugin knows, attestations that end, and who is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from byollm.config.places import Finding, name
from byollm.routing.law import Law, covered, known_hosts, readers

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig
    from byollm.config.rules import Attestation

SOON: Final = timedelta(days=30)
"""How long before its end an attestation is warned about."""


def instant(day: date) -> float:
    """The first instant of a day, in UTC, as Unix seconds."""
    return datetime.combine(day, time(), UTC).timestamp()


def state_of(attestation: Attestation, today: date) -> str:
    """`valid`, `ends soon` (within 30 days) or `expired`."""
    if attestation.expires < today:
        return "expired"
    return "ends soon" if attestation.expires - today <= SOON else "valid"


def findings(config: LlmConfig, hosts: Mapping[str, frozenset[str]], today: date) -> list[Finding]:
    """All of them. `hosts`: what each deployment may reach, as far as its plugin could be asked."""
    law = Law(config)
    return [*_hosts(law, hosts), *_ends(law, today), *_classes(law, hosts, today), *_tenants(law, hosts)]


def reach_of(entry: DeploymentConfig, hosts: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Every host a deployment may reach; where no plugin told, those that the file names."""
    told = hosts.get(entry.name)
    return known_hosts(entry) if told is None else told | readers(entry, entry.endpoint or "")


def _hosts(law: Law, hosts: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    own = [(task, tenant.name) for tenant in law.config.tenants.values() for task in tenant.tasks.values()]
    for task, tenant in [*((task, None) for task in law.config.tasks.values()), *own]:
        demands = law.demands(task.name, tenant)
        for label in task.candidates:
            entry = law.config.deployments[label]
            found = law.refusal(entry, demands, reach=reach_of(entry, hosts))
            if found is not None:
                where = entry.places.get("endpoint", entry.where)
                sentence = f"task `{name(task.name)}` will never send to `{name(label)}`: {found[0]}"
                yield Finding("error", where, sentence, "write its `endpoint:`, or add the host to the residency set")


def _ends(law: Law, today: date) -> Iterator[Finding]:
    for attestation in law.policies.attestations:
        tag = attestation.tag
        lasting = [label for label in covered(law.config, attestation) if law.held[label, tag] is attestation]
        state = state_of(attestation, today)
        if not lasting or state == "valid":
            continue
        who = ", ".join(name(label) for label in lasting)
        mend = f"ask {attestation.owner} for new evidence, and write its `expires:`"
        if state == "expired":
            sentence = f"the attestation of `{tag}` expired on {attestation.expires}: {who} no longer has it"
            yield Finding("error", attestation.where, sentence, mend)
        else:
            days = (attestation.expires - today).days
            left = "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
            sentence = f"the attestation of `{tag}` ends {left}, on {attestation.expires}: {who} will no longer have it"
            yield Finding("warning", attestation.where, sentence, mend)


def _classes(law: Law, hosts: Mapping[str, frozenset[str]], today: date) -> Iterator[Finding]:
    for label, rules in law.policies.data_classes.items():
        demands = law.demands(None, None, label)
        entries = law.config.deployments.values()
        refused = [law.refusal(it, demands, now=instant(today), reach=reach_of(it, hosts)) for it in entries]
        if refused and all(refused):
            where = next(iter(rules.places.values()), law.policies.places["data_classes"])
            sentence = f"no deployment of this file may see data of class `{name(label)}`"
            yield Finding("warning", where, sentence, "attest what it requires, or add a deployment that may")


def _tenants(law: Law, hosts: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    for tenant in law.config.tenants.values():
        for task in law.config.tasks.values() if tenant.rules or law.home(tenant.name) else ():
            demands = law.demands(task.name, tenant.name)
            candidates = tenant.tasks.get(task.name, task).candidates
            entries = [law.config.deployments[label] for label in candidates]
            if all(law.refusal(entry, demands, reach=reach_of(entry, hosts)) for entry in entries):
                sentence = f"the rules of tenant `{name(tenant.name)}` leave no deployment for task `{name(task.name)}`"
                where = next(iter(tenant.rules.places.values()), tenant.where) if tenant.rules else tenant.where
                yield Finding("info", where, sentence, "its calls will be refused there; say so, or add one it may use")
