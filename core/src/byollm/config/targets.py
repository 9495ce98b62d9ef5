"""Targets into deployments: named ones, those of tasks, and the inline ones of a failover list."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from byollm.config import queries, schema, settings
from byollm.config.places import Document, KeyPath, name, shown
from byollm.config.records import DeploymentConfig, OAuth, Retries
from byollm.config.secrets import SecretReference
from byollm.config.settings import Context
from byollm.config.words import SURELY_WRONG, listing, nearest
from byollm.errors import ConfigError
from byollm.transports.base import Timeouts

_MODEL = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[/:](\S.*)\Z")
_PROVIDER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")
_PLAIN: Final = ("provider", "model", "api", "endpoint")


def split_model(text: str) -> tuple[str, str] | None:
    """`provider/model` or `provider:model`, split at whichever comes first; None for anything else."""
    found = _MODEL.match(text)
    return (found.group(1), found.group(2)) if found else None


class Catalog:
    """All deployments of one configuration. Names are resolved by `finish`, when every one is known."""

    def __init__(self, context: Context, defaults: dict[str, Any], root: dict[str, Any]) -> None:
        self._context = context
        self._error = context.document.error
        self._base = self._defaults(defaults, root)
        self._wanted: dict[str, list[tuple[str, KeyPath, str]]] = {}
        self.deployments: dict[str, DeploymentConfig] = {}

    def _defaults(self, written: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
        path = (*root["path"], "defaults")
        start: dict[str, Any] = {
            "timeouts": Timeouts(),
            "retries": Retries(),
            "headers": {},
            "query": {},
            "secret_headers": {},
        }
        start |= {key: root[key] for key in ("on_unsupported", "transport") if root.get(key) is not None}
        _named_transport(self._context, start.get("transport"), (*root["path"], "transport"))
        found = schema.validated(schema.DefaultsModel, given(written), self._context.document, path, "defaults")
        start = self._shared(found, path, start)
        if start["secret_headers"]:
            key = next(iter(start["secret_headers"]))
            at = next((item for item in found["headers"] if item.lower() == key), key)
            sentence = "a secret in `defaults` would be sent to every provider"
            raise self._error((*path, "headers", at), sentence, "write the header in the target it is meant for")
        return start

    def add(self, label: str, value: Any, path: KeyPath) -> None:
        """Read one target under a name of its own. Raises ConfigError."""
        if isinstance(value, str):
            split = split_model(value)
            if split is None:
                sentence = f"{shown(value)} is not `provider/model`"
                raise self._error(path, sentence, "provider: openai, model: gpt-5.4", value=True)
            value = dict(zip(("provider", "model"), split, strict=True))
        if not isinstance(value, dict):
            raise self._error(
                path, f"a target is a mapping, not {shown(value)}", schema.EXAMPLES["provider"], value=True
            )
        if not label.strip():
            raise self._error(path, "a name is empty", "give it a name")
        if label in self.deployments:
            first = self.deployments[label].where
            sentence = f"`{name(label)}` names two targets" + (
                f" (the other on line {first.line})" if first.line else ""
            )
            raise self._error(path, sentence, "rename one of them")
        self._target(label, value, path)

    def _target(self, label: str, value: dict[str, Any], path: KeyPath) -> None:
        document = self._context.document
        self._refuse_early(value, path)
        found = schema.validated(schema.TargetModel, given(value), document, path, "target")
        for key in (*_PLAIN, "region"):
            if key in found:
                settings.no_reference(self._context, key, found[key], (*path, key))
        provider = found["provider"]
        if not _PROVIDER.match(provider):
            split = split_model(provider)
            mend = f"provider: {split[0]}" if split else schema.EXAMPLES["provider"]
            raise self._error((*path, "provider"), f"a provider is one word, not {shown(provider)}", mend, value=True)
        if "route" in found:
            sentence = "`route` lists deployments for a task, and this target has a provider of its own"
            raise self._error((*path, "route"), sentence, schema.EXAMPLES["failover"])
        if "endpoint" in found:
            settings.url(self._context, found["endpoint"], (*path, "endpoint"), "endpoint")
            queries.no_key_in(self._context, found["endpoint"], (*path, "endpoint"))
        values = self._shared(found, path, dict(self._base)) | self._own(found, path)
        options = {key: item for key, item in found.items() if key not in schema.COMMON}
        self._wanted[label] = []
        self.deployments[label] = DeploymentConfig(
            name=label,
            options=options,
            places={key: document.where((*path, key)) for key in found},
            where=document.where(path),
            **{key: found[key] for key in _PLAIN if key in found},
            **values,
        )
        self.follow(label, found.get("failover"), (*path, "failover"))

    def _refuse_early(self, value: dict[str, Any], path: KeyPath) -> None:
        for key in value:
            if key.lower() in SURELY_WRONG and key not in schema.COMMON:
                raise schema.unknown_key(self._context.document, (*path, key), schema.COMMON, "target")
        for key in ("api_key", "credentials", "authentication"):
            if key in value and value[key] is None:
                raise self._error(
                    (*path, key), f"`{key}:` is empty", f"{schema.EXAMPLES.get(key, key)}, or remove the line"
                )
        if "provider" not in value:
            self._no_provider(value, path)

    def _no_provider(self, value: dict[str, Any], path: KeyPath) -> None:
        split = split_model(value["model"]) if isinstance(value.get("model"), str) else None
        wrong = next(
            (key for key in value if key not in schema.COMMON and nearest(key, ["provider"]) == "provider"), None
        )
        if wrong is not None:
            raise self._error((*path, wrong), f"`{name(wrong)}` is not a key of a target", "did you mean `provider:`?")
        raise_for_a_task(self._context.document, value, path)
        mend = f"provider: {split[0]}, model: {name(split[1])}" if split else schema.EXAMPLES["provider"]
        raise self._error(path, "a target needs `provider:`", mend)

    def _shared(self, found: dict[str, Any], path: KeyPath, start: dict[str, Any]) -> dict[str, Any]:
        """What `defaults` may hold too, laid over `start`; mappings are merged, everything else is replaced."""
        context = self._context
        for key in ("tags", "data_classes"):
            if key in found:
                start[key] = tuple(found[key])
        for key in ("region", "on_unsupported", "guard", "transport"):
            if found.get(key) is not None:
                start[key] = found[key]
        _named_transport(context, found.get("transport"), (*path, "transport"))
        if "timeout" in found:
            start["timeouts"] = settings.timeouts(context, found["timeout"], (*path, "timeout"), start["timeouts"])
        if "retries" in found:
            start["retries"] = settings.retries(context, found["retries"], (*path, "retries"), start["retries"])
        if "tls" in found:
            start["tls"] = settings.tls(context, found["tls"], (*path, "tls"))
        if "proxy" in found:
            start["proxy"] = settings.proxy(context, found["proxy"], (*path, "proxy"))
        if "query" in found:
            start["query"] = start["query"] | queries.query(context, found["query"], (*path, "query"))
        if "headers" in found:
            plain, secret = settings.headers(context, found["headers"], (*path, "headers"))
            kept = {key: item for key, item in start["headers"].items() if key not in secret}
            start["headers"], start["secret_headers"] = kept | plain, secret
        return start

    def _own(self, found: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        """What belongs to one target only."""
        context = self._context
        values: dict[str, Any] = {}
        secrets: dict[str, SecretReference] = {}
        if "api_key" in found:
            mend = f"api_key: ${{{re.sub('[^A-Z0-9]', '_', found['provider'].upper())}_API_KEY}}"
            secrets["api_key"] = context.secret("api_key", found["api_key"], (*path, "api_key"), mend)
        secrets |= credentials(context, found.get("credentials", {}), (*path, "credentials"), taken=secrets)
        if "authentication" in found:
            at = (*path, "authentication")
            values["authentication"], more = settings.authentication(context, found["authentication"], at)
            secrets |= more
        if values.get("authentication") == "none" and secrets:
            raise self._error((*path, "authentication"), "`authentication: none` and a key", "remove one of the two")
        if isinstance(values.get("authentication"), OAuth) and "api_key" in secrets:
            raise self._error(
                (*path, "api_key"), "`authentication: {type: oauth}` sends no api_key", "remove one of the two"
            )
        values["secrets"] = secrets
        if "capabilities" in found:
            values["capabilities"] = settings.capabilities(context, found["capabilities"], (*path, "capabilities"))
        if "pricing" in found:
            values["pricing"] = settings.pricing(context, found["pricing"], (*path, "pricing"))
        if "limits" in found:
            from byollm.config.limits import read_sharing

            at = (*path, "limits")
            values["limits"], values["shared_limits"] = read_sharing(
                found["limits"], context.groups, context.document, at
            )
        extra = found.get("extra") or {}
        if "model" in extra:
            sentence = "`extra` names a model, and rules, prices and limits go by `model:`"
            raise self._error((*path, "extra", "model"), sentence, "write it as `model:` of the target")
        return values | ({"extra": extra} if "extra" in found else {})

    def follow(self, owner: str, value: Any, path: KeyPath) -> None:
        """Note a failover list: names of deployments, or inline targets, which are read at once."""
        if value is None:
            return
        entries = [(index, (*path, index)) for index in range(len(value))] if isinstance(value, list) else [(0, path)]
        for index, at in entries:
            self.entry(owner, value[index] if isinstance(value, list) else value, at, f"{owner}/failover-{index + 1}")

    def entry(self, owner: str, value: Any, path: KeyPath, label: str) -> None:
        """Note one candidate of `owner`: a name for later, or an inline target under `label`, read at once."""
        if isinstance(value, dict):
            self.add(label, value, path)
            self._wanted.setdefault(owner, []).append((label, path, label))
        elif isinstance(value, str):
            self._wanted.setdefault(owner, []).append((value, path, label))
        else:
            sentence = f"a deployment's name or a target stands here, not {shown(value)}"
            raise self._error(path, sentence, schema.EXAMPLES["failover"], value=True)

    def resolve(self, owner: str) -> tuple[str, ...]:
        """The names that `owner` listed, each one known now. Raises ConfigError with the nearest name."""
        return tuple(self._resolved(*wanted) for wanted in self._wanted.pop(owner, []))

    def _resolved(self, text: str, path: KeyPath, label: str) -> str:
        if text in self.deployments:
            return text
        if split_model(text):
            self.add(label, text, path)
            return label
        raise self._unknown(text, path)

    def _unknown(self, text: str, path: KeyPath) -> ConfigError:
        meant = nearest(text, self.deployments)
        known = f"known: {listing(map(name, self.deployments))}" if self.deployments else schema.EXAMPLES["deployments"]
        mend = f"did you mean `{name(meant)}`?" if meant else known
        return self._error(path, f"there is no deployment {shown(text)}", mend, value=True)

    def finish(self) -> dict[str, DeploymentConfig]:
        """All deployments with their failover by name. Raises ConfigError for unknown names and for cycles."""
        places = {label: [path for _, path, _ in wanted] for label, wanted in self._wanted.items()}
        for label in list(self.deployments):
            self.deployments[label] = replace(self.deployments[label], failover=self.resolve(label))
        for label in self.deployments:
            self._refuse_cycle(label, places)
        return self.deployments

    def _refuse_cycle(self, label: str, places: dict[str, list[KeyPath]]) -> None:
        trails: list[tuple[str, ...]] = [(label, following) for following in self.deployments[label].failover]
        seen: set[str] = set()
        while trails:
            *_, here = trail = trails.pop()
            if here == label:
                at = places[label][self.deployments[label].failover.index(trail[1])]
                told = " → ".join(name(step) for step in trail)
                raise self._error(at, f"failover goes in a circle: {told}", "remove one of these steps", value=True)
            if here not in seen:
                seen.add(here)
                trails += [(*trail, following) for following in self.deployments[here].failover]


def chain(first: tuple[str, ...], deployments: dict[str, DeploymentConfig]) -> tuple[str, ...]:
    """`first` in order, then their failover, then the failover of those: each once, nearest to the file first."""
    found = list(dict.fromkeys(first))
    for label in found:  # it grows while it is read
        found += [following for following in dict.fromkeys(deployments[label].failover) if following not in found]
    return tuple(found)


def credentials(
    context: Context, value: Any, path: KeyPath, taken: dict[str, SecretReference] | None = None
) -> dict[str, SecretReference]:
    """Credential name → reference. Raises ConfigError for what is no mapping, and for a name that is taken."""
    found: dict[str, SecretReference] = {}
    for key, item in value.items():
        if key in (taken or {}):
            raise context.document.error((*path, key), f"`{name(key)}` stands twice", "keep one of the two")
        if item is None:
            raise context.document.error((*path, key), f"`{name(key)}:` is empty", f"{name(key)}: env:NAME")
        found[key] = context.secret(name(key), item, (*path, key), f"{name(key)}: ${{{name(key).upper()}}}")
    return found


def given(value: dict[str, Any]) -> dict[str, Any]:
    """Without the keys whose value is null: they say nothing."""
    return {key: item for key, item in value.items() if item is not None}


def raise_for_a_task(document: Document, value: dict[str, Any], path: KeyPath) -> None:
    """`rout: [fast]` was to be a task, not a target without its provider. Raises ConfigError for such a key."""
    for key in value:
        meant = nearest(key, ("deployment", "route")) if key not in schema.COMMON else None
        if meant and meant != key:
            raise document.error((*path, key), f"`{name(key)}` is not a key of a task", f"did you mean `{meant}:`?")


def _named_transport(context: Context, value: Any, path: KeyPath) -> None:
    """`transport:` is a name that somebody brings, or an object of a program's own. Raises ConfigError, placed."""
    if not isinstance(value, str | int | float | list | dict):
        return  # none is named, or a program hands over its own
    from byollm.transports.choose import GROUP, NAMES

    if value in NAMES:
        return
    from byollm.providers.discovery import listed

    known = [*NAMES, *(item.name for item in listed(GROUP))]
    if value not in known:
        meant = nearest(value, known) if isinstance(value, str) else None
        sentence = f"`transport` is {listing(known).replace(' and ', ' or ')}, not {shown(value)}"
        raise context.document.error(path, sentence, f"transport: {meant or NAMES[0]}", value=True)
