"""A document into an `LlmConfig`: the root, its tasks, tenants and extensions."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from byollm.config import schema
from byollm.config.places import Document, KeyPath, name, shown
from byollm.config.records import Extension, LlmConfig, TaskConfig, TenantConfig
from byollm.config.settings import Context, plugins
from byollm.config.targets import Catalog, chain, given, split_model
from byollm.config.words import listing, nearest

if TYPE_CHECKING:
    from byollm.routing.policies import Policy

_OF_A_TASK = ("deployment", "route", "failover")
_RULES = ("data_class", "requires", "residency")


def read(document: Document) -> LlmConfig:
    """The configuration that a document writes. Raises ConfigError, placed."""
    root, path = _root(document)
    single = "provider" in root and not isinstance(root["provider"], dict)
    settings = {
        key: item
        for key, item in root.items()
        if key in schema.SETTINGS and not (single and key in ("provider", "limits"))
    }
    rest = {key: item for key, item in root.items() if key not in settings}
    found = schema.validated(schema.RootModel, given(settings), document, path, "configuration")
    reader = _Reader(document, path, found)
    return reader.single(rest) if single else reader.several(rest)


def _root(document: Document) -> tuple[dict[str, Any], KeyPath]:
    value = document.value
    if "llm_config" not in value:
        return value, ()
    beside = sorted(key for key in value if key in schema.SETTINGS)
    if beside:
        raise document.error((beside[0],), f"`{beside[0]}` stands beside `llm_config`", "indent it below `llm_config:`")
    inner = value["llm_config"]
    if isinstance(inner, str) and split_model(inner):
        inner = dict(zip(("provider", "model"), split_model(inner) or (), strict=True))
    if not isinstance(inner, dict):
        sentence = f"`llm_config` must be a mapping, not {shown(inner)}"
        raise document.error(
            ("llm_config",), sentence, 'llm_config: {provider: "openai", model: "gpt-5.4"}', value=True
        )
    return inner, ("llm_config",)


class _Reader:
    def __init__(self, document: Document, path: KeyPath, settings: dict[str, Any]) -> None:
        self._document = document
        self._path = path
        self._settings = settings
        base = os.path.dirname(os.path.abspath(document.source)) if document.source else None
        self._context = self._begun(base)
        if settings.get("limits"):
            from byollm.config.limits import read_groups

            self._context.groups = read_groups(settings["limits"], document, (*path, "limits"))
        root = {"path": path, "on_unsupported": settings.get("on_unsupported"), "transport": settings.get("transport")}
        self._catalog = Catalog(self._context, settings.get("defaults") or {}, root)
        self._tasks: dict[str, KeyPath] = {}
        self._default: str | None = None
        self._policies: dict[str, dict[str, Any]] = {}
        self._rules: dict[str, dict[str, Any]] = {}
        self._defers: dict[str, float] = {}
        self._batches: set[str] = set()

    def _begun(self, base: str | None) -> Context:
        """The context; most files have no `secrets:`, and need none of what reads it."""
        written = self._settings.get("secrets")
        if not written:
            return Context(self._document, base)
        from byollm.config.storing import context_of

        return context_of(self._document, base, written, (*self._path, "secrets"))

    def single(self, target: dict[str, Any]) -> LlmConfig:
        """`provider:` stands in the root: one target, called `default`."""
        if self._settings.get("default") is not None:
            sentence = "`provider:` stands here, so this one target is the default"
            raise self._document.error(
                (*self._path, "default"), sentence, "remove the line, or name the target under `deployments:`"
            )
        self._named()
        target = self._ruled("default", target, self._path)
        self._catalog.add("default", target, self._path)
        self._listed("tasks")
        self._task_of("default", "default", self._path)
        self._default = "default"
        return self._finish()

    def several(self, tasks: dict[str, Any]) -> LlmConfig:
        """Named deployments, and tasks over them or with targets of their own."""
        self._named()
        for key, value in tasks.items():
            self._task(key, value, (*self._path, key), loose=True)
        self._listed("tasks")
        self._read_default()
        return self._finish()

    def _named(self) -> None:
        for key, value in (self._settings.get("deployments") or {}).items():
            self._catalog.add(key, value, (*self._path, "deployments", key))

    def _listed(self, key: str) -> None:
        for label, value in (self._settings.get(key) or {}).items():
            self._task(label, value, (*self._path, key, label), loose=False)

    def _task(self, label: str, value: Any, path: KeyPath, *, loose: bool) -> None:
        if label in self._tasks:
            raise self._document.error(path, f"the task `{name(label)}` stands twice", "keep one of the two")
        if not label.strip():
            raise self._document.error(path, "a task's name is empty", "give it a name")
        value = self._ruled(label, value, path)
        plain = isinstance(value, str) and not (loose and label in schema.COMMON)
        if plain and (not loose or split_model(value) or value in self._catalog.deployments):
            self._task_of(label, value, path)
        elif isinstance(value, dict) and (
            "provider" in value or not (loose or any(key in value for key in _OF_A_TASK))
        ):
            self._catalog.add(label, value, path)
            self._task_of(label, label, path)
        elif isinstance(value, dict) and any(key in value for key in _OF_A_TASK):
            self._route(label, value, path)
        else:
            self._neither(label, value, path)

    def _ruled(self, label: str, value: Any, path: KeyPath) -> Any:
        """A task without its rules, which are kept until every deployment is known, and without `defer` and `batch`."""
        if isinstance(value, dict) and value.get("defer") is not None:
            from byollm.config.routes import read_defer

            self._defers[label] = read_defer(value["defer"], self._document, (*path, "defer"))
            value = {key: item for key, item in value.items() if key != "defer"}
        if isinstance(value, dict) and value.get("batch") is not None:
            from byollm.config.routes import read_batch

            if read_batch(value["batch"], self._document, (*path, "batch")):
                self._batches.add(label)
            value = {key: item for key, item in value.items() if key != "batch"}
        rules = {key: value[key] for key in _RULES if key in value} if isinstance(value, dict) else {}
        if not rules:
            return value
        self._rules[label] = rules
        return {key: item for key, item in value.items() if key not in rules}

    def _task_of(self, label: str, deployment: str, path: KeyPath) -> None:
        self._tasks[label] = path
        if deployment not in self._catalog.deployments and split_model(deployment):
            self._catalog.add(label, deployment, path)
            deployment = label
        self._catalog.entry(_owner(label), deployment, path, label)

    def _route(self, label: str, value: dict[str, Any], path: KeyPath) -> None:
        found = schema.validated(schema.TaskModel, given(value), self._document, path, "task")
        if "deployment" in found and "route" in found:
            raise self._document.error((*path, "route"), "`deployment` and `route` say the same", "keep one of the two")
        if isinstance(found.get("route"), str):
            sentence = "`route` lists deployments, or names a policy over them"
            mend = "route: {policy: cheapest, over: [fast, backup]}"
            raise self._document.error((*path, "route"), sentence, mend, value=True)
        if isinstance(found.get("route"), dict):
            self._policy(label, found, path)
        self._tasks[label] = path
        owner = _owner(label)
        if "deployment" in found:
            self._catalog.entry(owner, found["deployment"], (*path, "deployment"), label)
        for key in ("route", "failover"):
            entries = found.get(key, [])
            over = ("over",) if key == "route" and label in self._policies else ()
            for index, entry in enumerate(entries if isinstance(entries, list) else [entries]):
                at = (*path, key, *over, index) if isinstance(entries, list) else (*path, key)
                self._catalog.entry(owner, entry, at, f"{label}/{key}-{index + 1}")

    def _policy(self, label: str, found: dict[str, Any], path: KeyPath) -> None:
        """A `route:` that is a policy; its deployments are listed like any others, so that list takes its place."""
        from byollm.config.routes import read_route

        self._policies[label] = read_route(found["route"], self._document, (*path, "route"))
        found["route"] = self._policies[label]["over"]

    def _neither(self, label: str, value: Any, path: KeyPath) -> NoReturn:
        """The error for a key of the root that is no setting and whose value is no task."""
        from byollm.config.strangers import stranger

        root = self._document.at(self._path) if path[:-1] == self._path else ()
        beside = [key for key in root if key not in (label, "version", "defaults")]
        raise stranger(self._document, label, value, path, beside)

    def _read_default(self) -> None:
        value = self._settings.get("default")
        path = (*self._path, "default")
        if value is None:
            return
        if not isinstance(value, str | dict):
            mend = f"default: {name(next(iter(self._tasks)))}" if self._tasks else schema.EXAMPLES["default"]
            raise self._document.error(path, f"`default` names a task, not {shown(value)}", mend, value=True)
        if isinstance(value, str) and value in self._tasks:
            self._default = value
            return
        if isinstance(value, str) and value not in self._catalog.deployments and not split_model(value):
            known = {*self._tasks, *self._catalog.deployments}
            meant = nearest(value, known)
            mend = f"default: {name(meant)}" if meant else f"known: {listing(map(name, known)) or 'none'}"
            raise self._document.error(
                path, f"`default` names {shown(value)}, which is no task or deployment", mend, value=True
            )
        self._task("default", value, path, loose=False)
        self._default = "default"

    def _finish(self) -> LlmConfig:
        guests, own = self._guests()
        direct = {label: self._catalog.resolve(_owner(label)) for label in self._tasks}
        deployments = self._catalog.finish()
        if not deployments and not self._tasks:
            sentence = "nothing is configured: there is no provider, no task and no deployment"
            raise self._document.error(self._path, sentence, 'llm_config: {provider: "openai", model: "gpt-5.4"}')
        tasks = {
            label: TaskConfig(
                own[label][1] if label in own else label,
                self._candidates(label, direct[label]),
                self._document.where(path),
                self._chosen(label, direct[label]),
                defer=self._defers.get(label),
                batch=label in self._batches,
            )
            for label, path in self._tasks.items()
        }
        for label, (tenant, task) in own.items():
            guests[tenant] = replace(guests[tenant], tasks={**guests[tenant].tasks, task: tasks[label]})
        settings = self._settings
        config = LlmConfig(
            deployments=deployments,
            tasks={label: task for label, task in tasks.items() if label not in own},
            default=self._default,
            on_unsupported=settings.get("on_unsupported") or "adapt",
            transport=settings.get("transport"),
            middleware=self._extensions("middleware"),
            observers=self._extensions("observers"),
            **self._plugins(),
            tenants=guests,
            limits=self._context.groups,
            stores=stores.configured if (stores := self._context.stores) is not None else {},
            log_content=settings.get("log_content", False),
            warnings=tuple(self._context.findings),
            source=self._document.source,
        )
        if stores is not None:
            from byollm.config.storing import settle

            settle(self._context, config)
        return self._lawful(config)

    def _lawful(self, config: LlmConfig) -> LlmConfig:
        """With the rules of the organisation, its tasks and its tenants, and proof that no failure can break one."""
        written = self._settings.get("tenants") or {}
        tenants = {label: item for label, item in written.items() if not {"providers", *_RULES}.isdisjoint(item)}
        policies = self._settings.get("policies")
        told = any(it.tags or not it.options.keys().isdisjoint(_RULES) for it in config.deployments.values())
        if policies is None and not (self._rules or tenants or told):
            return config
        from byollm.config.legality import Written, lawful

        places = {label: self._tasks[label] for label in self._rules}
        return lawful(config, Written(self._document, self._path, policies, self._rules, places, tenants))

    def _chosen(self, label: str, direct: tuple[str, ...]) -> Policy | None:
        """The policy of a task, over the deployments that its `over:` resolved to."""
        found = self._policies.get(label)
        if found is None:
            return None
        from byollm.config.routes import policy_of

        names = tuple(dict.fromkeys(direct[: len(found["over"])]))
        return policy_of(found, names, self._document, (*self._tasks[label], "route"))

    def _plugins(self) -> dict[str, Any]:
        written = self._settings.get("plugins")
        return {} if written is None else plugins(self._context, written, (*self._path, "plugins"))

    def _candidates(self, label: str, direct: tuple[str, ...]) -> tuple[str, ...]:
        if not direct:
            path = self._tasks[label]
            raise self._document.error(path, f"the task `{name(label)}` has no deployment", schema.EXAMPLES["route"])
        return chain(direct, self._catalog.deployments)

    def _extensions(self, key: str) -> tuple[Extension, ...]:
        path = (*self._path, key)
        return tuple(self._extension(item, (*path, index)) for index, item in enumerate(self._settings.get(key) or []))

    def _extension(self, value: Any, path: KeyPath) -> Extension:
        where = self._document.where(path)
        if isinstance(value, str) and value.strip():
            return Extension(value, where=where)
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            return Extension(value["name"], options={key: value[key] for key in value if key != "name"}, where=where)
        if isinstance(value, dict) and len(value) == 1:
            label, options = next(iter(value.items()))
            if options is None or isinstance(options, dict):
                return Extension(label, options=options or {}, where=where)
        if value is None or isinstance(value, bool | int | float | str | list | dict):
            sentence = f"an entry is a name, or a name with its options, not {shown(value)}"
            example = "redact" if path[-2] == "middleware" else "ledger"
            raise self._document.error(path, sentence, f"- {{name: {example}}}", value=True)
        return Extension(type(value).__name__, instance=value, where=where)

    def _guests(self) -> tuple[dict[str, TenantConfig], dict[str, tuple[str, str]]]:
        """The tenants, and the labels under which their own routes are read like tasks."""
        written = self._settings.get("tenants")
        if not written:
            return {}, {}
        from byollm.config import tenants

        path = (*self._path, "tenants")
        own = tenants.routes(written, self._document, path, self._tasks)
        for label, (tenant, task) in own.items():
            at = (*path, tenant, "tasks", task)
            value = self._ruled(label, self._document.at(at), at)
            self._route(label, tenants.checked(value, self._rules.pop(label, None), self._document, at), at)
        return tenants.read(written, self._context, self._catalog, path), own


def _owner(task: str) -> str:
    """What a task's own list is kept under; the NUL keeps it apart from every deployment's name."""
    return f"\0task {task}"
