"""`policies:` and the rules of tasks and tenants, into values. What they mean is in `routing/law.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field

from byollm.config import schema
from byollm.config.places import Document, KeyPath, Where, name, shown
from byollm.config.rules import TAGS, Attestation, Policies, Residency, Rules
from byollm.config.words import listing, nearest
from byollm.providers.discovery import canonical
from byollm.routing import hosts

RULES: Final = ("data_class", "requires", "residency")
"""The keys of a task that are rules."""

_TAG = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_NAME = re.compile(r"[^\s/\0]{1,100}\Z")

SHOWN: Final[Mapping[str, str]] = {
    "approved_providers": "approved_providers: [azure, bedrock, custom]",
    "residency": 'residency: {eu: {regions: [westeurope], hosts: ["*.openai.azure.com"]}}',
    "data_classes": "data_classes: {phi: {requires: [hipaa-baa], residency: us}}",
    "default_data_class": "default_data_class: internal",
    "own_tags": 'own_tags: {works-council: "the works council agreed"}',
    "tags": 'tags: [{tag: hipaa-baa, for: azure, evidence: "BAA of 2026-01-31", owner: "legal", expires: 2027-01-31}]',
    "regions": "regions: [westeurope, swedencentral]",
    "hosts": 'hosts: ["*.openai.azure.com"]',
    "requires": "requires: [hipaa-baa]",
    "providers": "providers: [azure]",
    "data_class": "data_class: phi",
    "tag": "tag: hipaa-baa",
    "for": "for: azure   (a provider or a deployment of this file)",
    "evidence": 'evidence: "contract 4711, signed 2026-01-31"',
    "owner": 'owner: "legal@example.com"',
    "expires": "expires: 2027-01-31",
}
"""A right line for each key."""


class PoliciesModel(schema.Written):
    """`policies:`."""

    approved_providers: Any = None
    residency: dict[str, Any] | None = None
    data_classes: dict[str, Any] | None = None
    default_data_class: schema.Text | None = None
    own_tags: Any = None
    tags: list[Any] | None = None


class ResidencyModel(schema.Written):
    """A set of places. Both lists are needed: a region is only a word, a host name is where bytes go."""

    regions: Annotated[list[schema.Text], Field(min_length=1)]
    hosts: Annotated[list[schema.Text], Field(min_length=1)]


class AttestationModel(schema.Written):
    """One entry of `tags:`. All of it is needed: a word without evidence, owner and end attests nothing."""

    tag: schema.Text
    subjects: Annotated[Any, Field(alias="for")]
    evidence: schema.Text
    owner: schema.Text
    expires: Any


class Reader:
    """Reads policies and rules of one document. Raises ConfigError, placed."""

    def __init__(self, document: Document, path: KeyPath) -> None:
        self.document = document
        self.path = path
        self.tags: dict[str, str] = dict(TAGS)
        self.sets: dict[str, Residency] = {}
        self.classes: dict[str, Rules] = {}

    def policies(self, value: Any) -> Policies:
        """`policies:`, which stands at `path`."""
        found = self._checked(PoliciesModel, value, self.path, "policies")
        own = self._own_tags(found.get("own_tags"), (*self.path, "own_tags"))
        self.tags |= own
        for label, item in (found.get("residency") or {}).items():
            self.sets[label] = self._set(label, item, (*self.path, "residency", label))
        for label in found.get("data_classes") or {}:
            self._named(label, (*self.path, "data_classes", label))
            self.classes[label] = Rules(label)
        for label, item in (found.get("data_classes") or {}).items():
            owner = f"data class `{name(label)}`"
            at = (*self.path, "data_classes", label)
            self.classes[label] = self.rules(item or {}, at, owner, ("requires", "residency", "providers"))
        default = found.get("default_data_class")
        if default is not None:
            self.known_class(default, (*self.path, "default_data_class"))
        entries = found.get("tags") or []
        return Policies(
            approved=self._providers(found, self.path, "approved_providers"),
            residency=self.sets,
            data_classes=self.classes,
            default_data_class=default,
            attestations=tuple(self._attestation(item, (*self.path, "tags", n)) for n, item in enumerate(entries)),
            own_tags=own,
            places={key: self.document.where((*self.path, key)) for key in found},
        )

    def rules(self, value: Any, path: KeyPath, owner: str, keys: Iterable[str] = RULES) -> Rules:
        """Those of `keys` that a mapping has; the mapping may have no other when `keys` names a data class's."""
        if not isinstance(value, dict):
            raise self._error(path, f"{owner} is a mapping, not {shown(value)}", SHOWN["data_classes"])
        for key in value:
            if key not in keys:
                raise schema.unknown_key(self.document, (*path, key), keys, owner)
        found = {key: item for key, item in value.items() if item is not None}
        wanted = found.get("data_class")
        if wanted is not None:
            self.known_class(wanted, (*path, "data_class"))
        return Rules(
            owner,
            data_class=wanted,
            requires=tuple(self._tag(item, at) for item, at in self._texts(found, path, "requires")),
            residency=tuple(self._known_set(item, at) for item, at in self._texts(found, path, "residency")),
            providers=self._providers(found, path, "providers"),
            places={key: self.document.where((*path, key)) for key in found},
        )

    def known_class(self, value: Any, at: KeyPath) -> None:
        """Refuse a class of data that is not declared, when any is."""
        if not isinstance(value, str) or not value.strip():
            raise self._error(at, f"`{at[-1]}` is a text, not {shown(value)}", SHOWN["data_class"], value=True)
        if self.classes and value not in self.classes:
            self._unknown(value, self.classes, at, "data class", "declare it below `policies: {data_classes: …}`")

    def _unknown(self, value: str, known: Iterable[str], at: KeyPath, what: str, else_mend: str) -> None:
        meant = nearest(value, known)
        told = f"known: {listing(map(name, known), 30)}; {else_mend}" if known else else_mend
        mend = f"did you mean `{name(meant)}`?" if meant else told
        raise self._error(at, f"there is no {what} {shown(value)}", mend, value=True)

    def _error(self, at: KeyPath, sentence: str, mend: str, *, value: bool = False) -> Exception:
        return self.document.error(at, sentence, mend, value=value)

    def _checked(self, model: type[schema.Written], value: Any, path: KeyPath, what: str) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            mend = SHOWN.get(what, SHOWN["approved_providers"])
            raise self._error(path, f"`{what}` is a mapping, not {shown(value)}", mend, value=True)
        return schema.validated(model, {k: v for k, v in value.items() if v is not None}, self.document, path, what)

    def _named(self, label: str, at: KeyPath) -> None:
        if not _NAME.match(label):
            raise self._error(at, f"`{name(label)}` cannot be a name", "use letters, digits and dashes")

    def _texts(self, value: Mapping[str, Any], path: KeyPath, key: str) -> list[tuple[str, KeyPath]]:
        """One text or a list of them, each with its place."""
        written = value.get(key)
        if written is None:
            return []
        items = written if isinstance(written, list) else [written]
        if not items:
            raise self._error((*path, key), f"`{key}` is empty: it would let nobody in", f"{SHOWN[key]}, or remove it")
        found = []
        for index, item in enumerate(items):
            at = (*path, key, index) if isinstance(written, list) else (*path, key)
            if not isinstance(item, str) or not item.strip():
                raise self._error(at, f"`{key}` holds texts, not {shown(item)}", SHOWN[key], value=True)
            found.append((item.strip(), at))
        return found

    def _providers(self, value: Mapping[str, Any], path: KeyPath, key: str) -> tuple[str, ...] | None:
        if value.get(key) is None:
            return None
        return tuple(dict.fromkeys(canonical(item) for item, _ in self._texts(value, path, key)))

    def _set(self, label: str, value: Any, path: KeyPath) -> Residency:
        self._named(label, path)
        found = self._checked(ResidencyModel, value, path, "residency set")
        for index, pattern in enumerate(found["hosts"]):
            wrong = hosts.problem(pattern)
            if wrong:
                raise self._error((*path, "hosts", index), f"{shown(pattern)} {wrong}", SHOWN["hosts"], value=True)
        regions = tuple(region.strip().lower() for region in found["regions"])
        return Residency(label, regions, tuple(map(hosts.plain, found["hosts"])), self.document.where(path))

    def _known_set(self, value: str, at: KeyPath) -> str:
        if value not in self.sets:
            self._unknown(value, self.sets, at, "residency set", SHOWN["residency"])
        return value

    def _own_tags(self, value: Any, path: KeyPath) -> dict[str, str]:
        """A list of tags, or tag → what it means."""
        if value is None:
            return {}
        if not isinstance(value, list | dict):
            raise self._error(path, f"`own_tags` is a list, not {shown(value)}", SHOWN["own_tags"], value=True)
        found: dict[str, str] = {}
        for index, tag in enumerate(value):
            at = (*path, tag if isinstance(value, dict) else index)
            if not isinstance(tag, str) or not _TAG.match(tag):
                raise self._error(at, f"{shown(tag)} cannot be a tag: small letters, digits, dashes", SHOWN["own_tags"])
            if tag in TAGS:
                raise self._error(at, f"`{tag}` is a tag already", "remove it here")
            meaning = value[tag] if isinstance(value, dict) else ""
            if meaning is not None and not isinstance(meaning, str):
                raise self._error(at, f"`{tag}` has a text of what it means, not {shown(meaning)}", SHOWN["own_tags"])
            found[tag] = meaning or ""
        return found

    def _tag(self, value: str, at: KeyPath) -> str:
        if value not in self.tags:
            self._unknown(value, self.tags, at, "tag", "declare one of your own: " + SHOWN["own_tags"])
        return value

    def _attestation(self, value: Any, path: KeyPath) -> Attestation:
        found = self._checked(AttestationModel, value, path, "attestation")
        subjects = self._texts(value, path, "for")
        if not subjects:
            raise self._error(path, "an attestation needs `for:`", SHOWN["for"])
        expires = day_of(found["expires"])
        if expires is None:
            sentence = f"`expires` is a date, not {shown(found['expires'])}"
            raise self._error((*path, "expires"), sentence, SHOWN["expires"], value=True)
        return Attestation(
            self._tag(found["tag"].strip(), (*path, "tag")),
            tuple(item for item, _ in subjects),
            found["evidence"],
            found["owner"],
            expires,
            self.document.where(path),
        )


def day_of(value: Any) -> date | None:
    """A date as it may be written: `2027-01-31`, in quotes or not, or a `datetime.date` from Python."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def misspelt(label: str, tags: Iterable[str]) -> str | None:
    """The tag that a plain label was probably meant to be: the same letters, or nearly."""
    from difflib import get_close_matches

    def squeezed(text: str) -> str:
        return "".join(filter(str.isalnum, text.lower()))

    known = {squeezed(tag): tag for tag in tags}
    close = get_close_matches(squeezed(label), known, n=1, cutoff=0.85)
    return known[close[0]] if close else None


def where_of(places: Mapping[str, Where], *keys: str) -> Where:
    """The place of the first of these keys that was written."""
    return next((places[key] for key in keys if key in places), Where())
