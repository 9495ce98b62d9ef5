"""MET: packaging. What a plugin's distribution and its manifest say about it."""

from __future__ import annotations

import inspect
import pickle
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.errors import ByollmError, ConfigError, PluginError
from byollm.providers.discovery import GROUP, check_spec
from byollm.providers.hooks import Provider
from byollm.types.request import Request
from byollm.wire.exchange import Exchange
from byollm_conformance.canary import KEY
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, Untestable, Warned, check
from byollm_conformance.subject import Subject

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_SECRET: Final = re.compile(r"(^|_)(key|token|secret|password|passphrase|credentials?)$")
_WORD: Final = "conformance_unknown_key"


@check(
    "MET-01",
    "MUST",
    "The distribution has exactly one entry point of the group `byollm.providers` for the name, it loads, and the "
    "manifest has the same name.",
    spec="spec/config.md#1",
    layer="L0",
    plugin=True,
)
def one_entry_point(subject: Subject, effort: Effort) -> None:
    """Of the metadata, not of the code."""
    if subject.distribution is None:
        raise Untestable("the plugin belongs to no installed distribution: install it, and name its provider")
    points = [point for point in subject.distribution.entry_points if point.group == GROUP]
    mine = [point for point in points if point.name == subject.entry]
    if len(mine) != 1:
        raise Broken(
            f"{len(mine)} entry points of {GROUP} are called {subject.entry!r}", found=[str(point) for point in points]
        )
    if not _NAME.fullmatch(mine[0].name):
        raise Broken(f"{mine[0].name!r} is no provider name: lower-case letters, digits, - and _ after a letter")
    if subject.manifest.name != mine[0].name:
        raise Broken(f"the entry point is called {mine[0].name!r} and the manifest {subject.manifest.name!r}")


@check(
    "MET-05",
    "MUST",
    "The manifest names the version of the border it was written for, and the core understands it.",
    spec="spec/config.md#2",
    layer="L0",
    plugin=True,
)
def spec_is_understood(subject: Subject, effort: Effort) -> None:
    """`Manifest.spec`."""
    try:
        check_spec(subject.manifest, subject.entry or "the plugin", "this version")
    except PluginError as error:
        raise Broken(error.message) from None


@check(
    "MET-07",
    "MUST",
    "A key of the file that the plugin does not know is an error that names it; a misspelt one names the nearest.",
    spec="spec/config.md#3",
    layer="L0",
)
def unknown_keys_are_errors(subject: Subject, effort: Effort) -> None:
    """An unknown key, and each option with a letter missing."""
    _refused(subject, _WORD, None)
    fields = getattr(subject.manifest.options, "model_fields", {})
    for name in fields:
        if len(name) > 4:
            subject.count()
            _refused(subject, name[:-2] + name[-1], name)


def _refused(subject: Subject, word: str, nearest: str | None) -> None:
    try:
        _ = subject.fresh(keys={**subject.keys, word: "x"}).line
    except ConfigError as error:
        words = f"{error.message} {error.hint}"
        if word not in words:
            raise Broken(f"the error about the unknown key {word!r} does not name it", error=words) from None
        if nearest is not None and nearest not in words:
            raise Broken(f"the error about {word!r} does not name the nearest key {nearest!r}", error=words) from None
        return
    raise Broken(f"the unknown key {word!r} is taken without a word")


@check(
    "MET-08",
    "MUST",
    "No option of the plugin holds a secret: secrets are credentials, given by reference, and named in the manifest "
    "with their usual variables.",
    spec="spec/config.md#4",
    layer="L0",
    plugin=True,
)
def options_hold_no_secret(subject: Subject, effort: Effort) -> None:
    """By the names of the options; and the variables' names are variables' names."""
    for name in getattr(subject.manifest.options, "model_fields", {}):
        if _SECRET.search(name):
            raise Broken(f"the option {name!r} looks like a secret: name it under `credentials` in the manifest")
    for secret, variables in subject.manifest.credentials.items():
        wrong = [name for name in variables if not _VARIABLE.fullmatch(name)]
        if wrong or isinstance(variables, str):
            raise Broken(f"credential {secret!r} names {wrong or variables!r}, which is no environment variable")


@check(
    "MET-09",
    "MUST",
    "The plugin has the hook `complete`, its hooks fit the border's signatures, and the package is typed (`py.typed`).",
    spec="spec/config.md#5",
    layer="L0",
    plugin=True,
)
def hooks_fit(subject: Subject, effort: Effort) -> None:
    """By pluggy's own comparison, and a look at the package."""
    try:
        hooks = subject.fresh().line.deployment._hooks
    except PluginError as error:
        raise Broken(error.message) from None
    if not hooks.complete.get_hookimpls():
        raise Broken("there is no hook `complete`: is it marked with @hookimpl?")
    known = {name for name, _ in inspect.getmembers(Provider, inspect.isfunction) if not name.startswith("_")}
    for name in known:
        for found in getattr(hooks, name).get_hookimpls():
            if inspect.iscoroutinefunction(found.function):
                raise Broken(f"the hook {name} is async: hooks answer with values")
    place = package_of(subject)
    if place is not None and not (place / "py.typed").is_file():
        raise Broken(f"the package {place.name} has no py.typed")


def package_of(subject: Subject) -> Path | None:
    """The folder of the plugin's top-level package, None when it is not one."""
    module = type(subject.provider).__module__ if subject.distribution is None else ""
    for point in subject.distribution.entry_points if subject.distribution else ():
        if point.group == GROUP and point.name == subject.entry:
            module = point.module
    spec = find_spec(module.partition(".")[0]) if module else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


@check(
    "MET-11",
    "SHOULD",
    "The distribution names its licence, installs its own packages only, and brings no `.pth` file and no scripts.",
    spec="spec/config.md#6",
    layer="L0",
    plugin=True,
)
def distribution_is_plain(subject: Subject, effort: Effort) -> None:
    """By its list of files. An editable install has a `.pth` file of the installer's."""
    owner = subject.distribution
    if owner is None:
        raise Untestable("the plugin belongs to no installed distribution")
    told = [owner.metadata.get(name) for name in ("License-Expression", "License", "License-File")]
    classifiers = owner.metadata.get_all("Classifier") or []
    if not any(told) and not any(item.startswith("License ::") for item in classifiers):
        raise Warned("the distribution names no licence")
    editable = '"editable"' in (owner.read_text("direct_url.json") or "").replace(" ", "")
    files = [str(file) for file in owner.files or ()]
    hooks = [name for name in files if name.endswith(".pth")]
    if hooks and not editable:
        raise Warned(f"{hooks[0]} runs at every start of Python")
    scripts = [name for name in files if "/bin/" in name or "/Scripts/" in name]
    if scripts:
        raise Warned(f"the distribution installs the program {scripts[0]}")


@check(
    "MET-12",
    "MUST",
    "Two deployments of one plugin do not know of each other: no endpoint, model or key of one shows in the other.",
    spec="spec/config.md#9",
)
def deployments_are_isolated(subject: Subject, effort: Effort) -> None:
    """Two targets, asked in turns."""
    if subject.local:
        return
    first = subject.fresh(keys={**subject.keys, "endpoint": "https://one.example.com"})
    second = subject.fresh(model=f"{subject.model}-other", keys={**subject.keys, "endpoint": "https://two.example.net"})
    request = Request("hi")
    before = first.translate(request)
    other = second.translate(request)
    after = first.translate(request)
    subject.count(3)
    if (before.url, before.headers, before.body) != (after.url, after.headers, after.body):
        raise Broken("the same request is translated otherwise after another deployment was used", before=before.body)
    shown = f"{other.url} {other.headers} {other.body.decode('utf-8', 'replace')}"
    if urlsplit(other.url).hostname != "two.example.net" or "one.example.com" in shown:
        raise Broken("a deployment sends to the endpoint of another", url=other.url)
    if f'"{subject.model}"' in shown:
        raise Broken("a deployment asks for the model of another", body=other.body)


@check(
    "MET-13",
    "MUST",
    "Plugin, manifest and exchange pickle, or refuse to; a pickle holds no secret.",
    spec="spec/config.md#10",
)
def pickles_hold_no_secret(subject: Subject, effort: Effort) -> None:
    """After a call was made with the canary."""
    values: list[Any] = [subject.provider, subject.manifest]
    if not subject.local:
        subject.call((500, {}, b"{}"))
        values.append(subject.line.deployment.exchange(Request("hi")))
    for value in values:
        subject.count()
        try:
            data = pickle.dumps(value)
        except (TypeError, AttributeError, pickle.PicklingError):
            continue
        if KEY.encode() in data:
            raise Broken(f"the pickle of {type(value).__name__} holds the key")


@check(
    "MET-14",
    "MUST",
    "Every request goes to the endpoint's host or to one that the manifest declares, whatever region or model is asked "
    "for; the default endpoint is declared and speaks https.",
    spec="spec/config.md#7",
)
def hosts_are_declared(subject: Subject, effort: Effort) -> None:
    """Regions and strange model names; completions, counts and what `refine` asks."""
    manifest = subject.manifest
    usual = urlsplit(manifest.default_endpoint or "")
    if usual.hostname and usual.hostname not in manifest.hosts and not declared(usual.hostname, manifest.hosts):
        raise Broken(f"the default endpoint's host {usual.hostname} is not among the manifest's hosts")
    if usual.scheme == "http" and usual.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise Broken(f"the default endpoint {manifest.default_endpoint} is not https")
    if subject.local:
        return
    for region in (None, "eu", "us", "us-east-1", "europe-west4", "global"):
        for model in (subject.model, "evil.example.org/x", "a/../../b", "a@evil.example.org", "a?b#c"):
            keys = {**subject.keys, **({"region": region} if region else {})}
            _within(subject.fresh(keys=keys, model=model), model)
            subject.count()


def _within(subject: Subject, model: str) -> None:
    try:
        line = subject.line
        home = urlsplit(line.deployment.target.endpoint).hostname or ""
        asked = [line.deployment.exchange(Request("hi")), line.deployment.count(Request("hi")), _refine(subject)]
    except ByollmError:
        return  # refused: nothing is sent
    for exchange in asked:
        if isinstance(exchange, Exchange):
            host = urlsplit(exchange.request.url).hostname or ""
            if host != home and not declared(host, subject.manifest.hosts):
                raise Broken(f"a request goes to {host}, which nobody declared", url=exchange.request.url, model=model)


def _refine(subject: Subject) -> Any:
    return subject.capabilities.refine


def declared(host: str, patterns: tuple[str, ...]) -> bool:
    """Is a host among those of a manifest?"""
    return any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]) and host != pattern[2:])
        for pattern in patterns
    )
