"""Quirks: facts about providers' wires as data, each of which a plugin's translation must show.

Read from `quirks.toml` here (the plugins of this project) and beside a plugin's modules (its own).
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from byollm.errors import ConfigError, UnsupportedFeatureError
from byollm.types.completion import Completion
from byollm.types.request import Request
from byollm_conformance.model import Broken
from byollm_conformance.subject import Subject, Translation

FILE: Final = "quirks.toml"
MEMBERS: Final = (
    "id", "provider", "api", "models", "guarantee", "wire", "source", "read", "request", "has", "lacks", "told",
    "refused", "headers", "answer", "gives",
)  # fmt: skip
NEEDED: Final = ("id", "provider", "models", "guarantee", "wire", "source", "read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One fact. `request` are the parameters of a byollm Request (`messages` defaults to "hi").

    `has`: members of the body by dotted path and their values; `lacks`: paths that are not there; `headers`: header →
    value; `told`: fields of Adjustments; `refused`: True when nothing may be sent. `answer`: `{status, headers, body}`,
    and `gives`: what is read from it, or `error`, the class of the error.
    """

    id: str
    provider: str
    models: tuple[str, ...]
    guarantee: str
    wire: str
    source: str
    read: datetime.date
    api: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    has: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    refused: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict)
    gives: Mapping[str, Any] = field(default_factory=dict)

    def hold(self, subject: Subject) -> None:
        """Raises Broken when the guarantee is not kept by this plugin, for one of the models."""
        for model in self.models:
            self._hold(subject.fresh(model=model), model)

    def _hold(self, subject: Subject, model: str) -> None:
        values = dict(self.request)
        request = Request(values.pop("messages", "hi"), **values)
        evidence: dict[str, Any] = {"quirk": self.id, "model": model, "request": request}
        if self.answer:
            self._answered(subject, request, evidence)
            return
        try:
            sent = subject.translate(request)
        except UnsupportedFeatureError as error:
            if not self.refused:
                raise Broken(f"{self.guarantee}: it is refused ({error.message})", **evidence) from None
            return
        evidence["body"] = sent.body
        if self.refused:
            raise Broken(f"{self.guarantee}: it is sent", **evidence)
        problem = self._problem(sent)
        if problem:
            raise Broken(f"{self.guarantee}: {problem}", **evidence)

    def _problem(self, sent: Translation) -> str:
        for path, value in self.has.items():
            found = member(sent.document, path)
            if found != value:
                return f"{path} is {found!r}, and not {value!r}"
        for path in self.lacks:
            if member(sent.document, path) is not MISSING:
                return f"{path} is there"
        for name, value in self.headers.items():
            if sent.header.get(name) != value:
                return f"header {name} is {sent.header.get(name)!r}, and not {value!r}"
        adjusted = {item.field for item in sent.adjustments}
        untold = [name for name in self.told if name not in adjusted]
        return f"the caller is not told of {untold[0]}" if untold else ""

    def _answered(self, subject: Subject, request: Request, evidence: dict[str, Any]) -> None:
        status, headers = self.answer["status"], self.answer["headers"]
        body = self.answer["body"].encode()
        outcome = subject.read((status, headers, body), stream=request.stream, request=request)
        evidence["body"] = body
        for name, value in self.gives.items():
            found: Any = type(outcome).__name__
            if name != "error" and isinstance(outcome, Completion):
                found = getattr(outcome.usage if name.endswith("_tokens") else outcome, name)
            elif name != "error":
                found = getattr(outcome, name, found)
            if found != value:
                raise Broken(f"{self.guarantee}: {name} is {found!r}, and not {value!r}", **evidence)


MISSING: Final = object()


def member(document: Any, path: str) -> Any:
    """The member of a JSON document at a dotted path; MISSING when there is none."""
    for word in path.split("."):
        if isinstance(document, list) and word.lstrip("-").isdigit() and -len(document) <= int(word) < len(document):
            document = document[int(word)]
        elif isinstance(document, Mapping) and word in document:
            document = document[word]
        else:
            return MISSING
    return document


def read_quirks(text: str, file: str = FILE) -> list[Quirk]:
    """The quirks of a file. Raises ConfigError, naming the entry and the member, for one that is broken."""
    problem = ""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
    if problem:
        raise ConfigError(f"{file}: {problem}")
    return [_quirk(entry, f"{file}: quirks[{number}]") for number, entry in enumerate(document.get("quirks", []))]


def _quirk(entry: Mapping[str, Any], where: str) -> Quirk:
    where = f"{where} {entry.get('id', '')}".rstrip()
    for name in entry:
        if name not in MEMBERS:
            raise ConfigError(f"{where}: unknown member {name!r}", hint=f"known: {', '.join(MEMBERS)}")
    for name in NEEDED:
        if not entry.get(name):
            raise ConfigError(f"{where}: {name} is missing")
    if not isinstance(entry["read"], datetime.date):
        raise ConfigError(f"{where}: read must be a day, like 2026-11-21")
    if not any(entry.get(name) for name in ("has", "lacks", "told", "refused", "headers", "gives")):
        raise ConfigError(f"{where}: it guarantees nothing: has, lacks, headers, told, refused or gives")
    lists = {name: tuple(entry.get(name, ())) for name in ("models", "lacks", "told")}
    return Quirk(**{**entry, **lists})


def bundled() -> str:
    """The text of the quirks of this project's own plugins."""
    return files("byollm_conformance").joinpath(FILE).read_text("utf-8")


def quirks_of(subject: Subject) -> list[Quirk]:
    """What is known of this plugin over this API."""
    from byollm_conformance.checks.packaging import package_of

    known = read_quirks(bundled())
    place = package_of(subject)
    own = Path(place, FILE) if place else None
    if own is not None and own.is_file():
        known += read_quirks(own.read_text("utf-8"), str(own))
    return [
        quirk for quirk in known if quirk.provider == subject.manifest.name and quirk.api in (None, "", subject.api)
    ]
