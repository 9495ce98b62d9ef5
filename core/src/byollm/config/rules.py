"""What an organisation allows, as plain values: rules, residency sets, and what somebody attests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from byollm.config.places import NOWHERE, Where
from byollm.errors import ConfigError

TAGS: Final[Mapping[str, str]] = {
    "hipaa-baa": "a Business Associate Agreement for protected health information",
    "fedramp-high": "FedRAMP authorisation at the High baseline",
    "fedramp-moderate": "FedRAMP authorisation at the Moderate baseline",
    "il2": "a DoD provisional authorisation at Impact Level 2",
    "il4": "a DoD provisional authorisation at Impact Level 4",
    "sox": "controls over financial reporting, assessed for SOX",
    "cmmc": "meets what CMMC asks of a service provider",
    "on-premise": "runs on machines of the organisation itself",
}
"""The tags byollm knows by name. None stands for another: `fedramp-high` is not `fedramp-moderate`, unless attested."""

SENTENCE: Final = "byollm records and enforces what you attest. It certifies no provider and no system."


@dataclass(frozen=True, slots=True)
class Residency:
    """A named set of places: inside is whose region is listed and whose every host matches one of the patterns."""

    name: str
    regions: tuple[str, ...]
    hosts: tuple[str, ...]
    where: Where = NOWHERE


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody's word that a provider or a deployment has a tag. `expires` is its last day, in UTC."""

    tag: str
    subjects: tuple[str, ...]
    evidence: str
    owner: str
    expires: date
    where: Where = NOWHERE


@dataclass(frozen=True, slots=True)
class Rules:
    """What a task, a tenant or a class of data asks of whoever answers; what it does not say is not asked.

    `requires`: tags, all of them. `residency`: sets, inside one of them. `providers`: the only ones, None for any.
    `owner` is in words, `places` says where each key stands.
    """

    owner: str
    data_class: str | None = None
    requires: tuple[str, ...] = ()
    residency: tuple[str, ...] = ()
    providers: tuple[str, ...] | None = None
    places: Mapping[str, Where] = field(default_factory=dict, repr=False)

    def where(self, key: str) -> Where:
        """Where a key stands."""
        return self.places.get(key, NOWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """`policies:`. `approved` are provider names without aliases, None for any; `default_data_class` is of a call that
    names none and whose task has none."""

    approved: tuple[str, ...] | None = None
    residency: Mapping[str, Residency] = field(default_factory=dict)
    data_classes: Mapping[str, Rules] = field(default_factory=dict)
    default_data_class: str | None = None
    attestations: tuple[Attestation, ...] = ()
    own_tags: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Where] = field(default_factory=dict, repr=False)

    @property
    def tags(self) -> dict[str, str]:
        """Every tag that may be asked for, with what it means."""
        return {**TAGS, **self.own_tags}


def refused(where: Where, sentence: str, mend: str = "") -> ConfigError:
    """The error for a rule that is wrong, or that could be broken."""
    return ConfigError(sentence, hint=mend, file=where.file, line=where.line, column=where.column)
