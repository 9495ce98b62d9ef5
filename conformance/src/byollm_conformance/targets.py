"""What is to be tested: a plugin by name, the APIs it speaks, for each the model asked for and the other end.

A plugin may say so itself, in a file `conformance.yaml` beside its modules (it travels with the wheel) or in its
repository::

    apis:
      chat: {model: acme-large, dialect: openai-chat, options: {workspace: w1}}
    expected_failures:
      - {id: TOL-09, reason: "the gateway drops pictures, ticket 4711", expires: "2027-06-01"}

`dialect` names a wire, or a Wire of your own as `module:object`; without it the API's name does. `strict: false`: the
server merely speaks a vendor's dialect. `words` are members of a body that it calls otherwise (`{random_seed: seed}`).
`lacks` lists what its dialect knows and this server does not take (capability names, e.g. `[tools]`, or `stream_usage`:
the counts of a stream cannot be asked for), `reserved` texts that are no text in its answers (`["<think>"]`). `also`
lists further models, for the checks of capabilities. `options` are further keys of the target. Silent about an API:
"a-model" is asked for.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points, packages_distributions
from pathlib import Path
from typing import Any, Final

from byollm.config.yaml import read_yaml
from byollm.errors import ConfigError, PluginError
from byollm.providers.discovery import GROUP, canonical, listed, pick
from byollm.types.capabilities import FEATURES, FIELDS
from byollm_conformance.recorded import RecordedWire, read_recordings
from byollm_conformance.subject import Subject
from byollm_conformance.wires import wire_for

FILE: Final = "conformance.yaml"
API_KEYS: Final = ("model", "also", "dialect", "words", "strict", "lacks", "reserved", "options")
LACKS: Final = (*FEATURES, "stream_usage")
KEYS: Final = ("plugin", "apis", "expected_failures")


@dataclass(frozen=True, slots=True)
class Reference:
    """A plugin by name. `value` is its `module:object`, `distribution` None for an object that nobody installed.

    `refused` says why the core would not even import it; "" for a plugin that may be tried.
    """

    name: str
    value: str
    distribution: Distribution | None = None
    refused: str = ""

    @property
    def module(self) -> str:
        """The module that is imported."""
        return self.value.partition(":")[0]

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]

    def load(self) -> Any:
        """Import it. Raises whatever the import raises."""
        found: Any = importlib.import_module(self.module)
        for part in self.value.partition(":")[2].split("."):
            found = getattr(found, part)
        return found


def find(name: str) -> Reference:
    """The plugin of that provider name, or `module:object`. Nothing is imported. Raises ConfigError."""
    if ":" in name:
        package = name.partition(":")[0].partition(".")[0]
        owners = packages_distributions().get(package, [])
        return Reference(name, name, distribution(owners[0]) if owners else None)
    try:
        point = pick(GROUP, canonical(name))
    except PluginError as error:  # claimed twice: the core loads neither
        refused = error.message
        claims = [point for point in entry_points(group=GROUP) if canonical(point.name) == canonical(name)]
        return Reference(claims[0].name, claims[0].value, claims[0].dist, refused)
    if point is not None:
        return Reference(point.name, point.value, point.dist)
    try:  # a distribution's name will do, when it brings one provider
        owner = distribution(name)
    except PackageNotFoundError:
        pass
    else:
        brought = [entry for entry in owner.entry_points if entry.group == GROUP]
        if len(brought) == 1:
            return Reference(brought[0].name, brought[0].value, owner)
    names = [item.name for item in listed()]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"installed: {', '.join(names) or 'none'}"
    raise ConfigError(f"no provider plugin {name!r} is installed", hint=hint)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a `conformance.yaml` says. `file` is where it was read, None when there is none."""

    apis: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expected: tuple[Mapping[str, Any], ...] = ()
    file: str | None = None


def settings_of(path: Path) -> Settings:
    """The file's settings. Raises ConfigError, naming the key, for what it cannot mean."""
    document = read_yaml(path, "conformance/README.md shows what stands in it").value or {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path}: a mapping is expected", hint=f"keys: {', '.join(KEYS)}")
    _known(document, KEYS, str(path))
    apis = document.get("apis") or {}
    if not isinstance(apis, Mapping):
        raise ConfigError(f"{path}: apis is a mapping from api to its model")
    read: dict[str, Mapping[str, Any]] = {}
    for name, value in apis.items():
        given = {"model": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise ConfigError(f"{path}: apis.{name} is a model's name or a mapping")
        _known(given, API_KEYS, f"{path}: apis.{name}")
        _known(dict.fromkeys(given.get("lacks") or ()), LACKS, f"{path}: apis.{name}.lacks")
        words = given.get("words") or {}
        if not isinstance(words, Mapping) or not all(isinstance(word, str) for pair in words.items() for word in pair):
            raise ConfigError(f"{path}: apis.{name}.words is a mapping from the server's word to its dialect's")
        read[name] = given
    expected = document.get("expected_failures") or ()
    if not isinstance(expected, list | tuple) or not all(isinstance(item, Mapping) for item in expected):
        raise ConfigError(f"{path}: expected_failures is a list of {{id, reason, expires}}")
    return Settings(read, tuple(expected), str(path))


def _known(document: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for name in document:
        if name not in keys:
            near = difflib.get_close_matches(str(name), keys, n=1)
            raise ConfigError(f"{where}: unknown key {name!r}", hint=f"known: {', '.join(near or keys)}")


def packaged(reference: Reference) -> Path | None:
    """The `conformance.yaml` beside the plugin's modules, without importing them."""
    if reference.distribution is None:
        return None
    for file in reference.distribution.files or ():
        if file.name == FILE and file.parts[:1] == (reference.package,):
            return Path(str(file.locate()))
    return _beside_sources(reference)


def _beside_sources(reference: Reference) -> Path | None:
    """The same for an editable install, whose record lists no modules."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec(reference.package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, FILE)
        if path.is_file():
            return path
    return None


def subjects_of(
    reference: Reference,
    plugin: Any,
    settings: Settings,
    *,
    model: str | None = None,
    api: str | None = None,
    facts: Mapping[str, Any] | None = None,
    exchanges: str | None = None,
    wire: str | None = None,
) -> list[Subject]:
    """One subject for each API of a loaded plugin. Raises ConfigError for an API it does not have."""
    apis = tuple(plugin.manifest.apis) or ("",)
    unknown = [name for name in [*settings.apis, *([api] if api else [])] if name not in apis]
    if unknown:
        raise ConfigError(f"{reference.name} has no api {unknown[0]!r}", hint=f"it speaks {', '.join(apis)}")
    recordings = read_recordings(exchanges) if exchanges else []
    made = []
    for name in apis if api is None else (api,):
        given = settings.apis.get(name, {})
        asked = model or str(given.get("model") or "a-model")
        strict, words = bool(given.get("strict", True)), given.get("words")
        other = wire_for(name, wire or given.get("dialect"), model=asked, strict=strict, words=words)
        mine = [item for item in recordings if item.api in ("", name)]
        made.append(
            Subject(
                plugin,
                api=name,
                model=asked,
                dialect=other or (RecordedWire(given.get("dialect") or name) if mine else None),
                recordings=mine,
                also=tuple(given.get("also") or ()),
                lacks=tuple(given.get("lacks") or ()),
                reserved=tuple(map(str, given.get("reserved") or ())),
                keys=given.get("options"),
                distribution=reference.distribution,
                entry=reference.name,
                facts=facts,
            )
        )
    return made


def describe(subject: Subject) -> dict[str, Any]:
    """What the report says of a subject: api, model, the other end, what is declared."""
    capabilities = subject.capabilities
    declared = {name: subject.support(name).value for name in FEATURES}
    limits = {name: getattr(capabilities, name) for name in sorted(FIELDS - set(FEATURES))}
    wire = subject.wire
    return {
        "api": subject.api,
        "model": subject.model,
        "provider": subject.manifest.name,
        "dialect": wire.name if wire else "",
        "twin": wire.source if wire else "none",
        "lacks": list(subject.lacks),
        "reserved": list(subject.reserved),
        "capabilities": declared,
        "limits": {name: value for name, value in limits.items() if value not in (None, False)},
        "hosts": list(subject.manifest.hosts),
        "credentials": sorted(subject.manifest.credentials),
        "authentication": sorted(subject.manifest.authentication),
    }
