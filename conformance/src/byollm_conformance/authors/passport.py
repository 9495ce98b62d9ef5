"""A plugin's manifest out of its source, as far as it can be read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from byollm_conformance.authors.scan import Source, dotted

_UNREADABLE: Final = object()
_FIELDS: Final = ("name", "default_endpoint", "base_url", "hosts", "credentials", "authentication", "aliases", "apis")


@dataclass(frozen=True, slots=True)
class Passport:
    """What a manifest says. A name in `unreadable` is computed when the plugin runs, so nobody knows here.

    `authentication`: word in YAML → the scheme's class. `where`: path and line.
    """

    where: str
    name: str | None = None
    endpoint: str | None = None
    hosts: tuple[str, ...] = ()
    credentials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    authentication: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


def passports(source: Source) -> list[Passport]:
    """Every manifest that a module makes: by `Manifest(…)`, by `OpenAICompatible(…)`, or by a subclass of it."""
    path, names, constants = source.path, source.names, _constants(source.nodes)
    compatible = {"OpenAICompatible", *_subclasses(source.nodes, names)}
    found = []
    for node in source.nodes:
        if isinstance(node, ast.Call):
            kind = dotted(node.func, names).rpartition(".")[2]
            if kind == "Manifest" or kind in compatible:
                found.append(_read(f"{path}:{node.lineno}", node, names, constants, compatible=kind != "Manifest"))
    return [passport for passport in found if passport.name is not None or passport.unreadable]


def _subclasses(nodes: Sequence[ast.AST], names: Mapping[str, str]) -> Iterator[str]:
    for node in [item for item in nodes if isinstance(item, ast.ClassDef)]:
        if "OpenAICompatible" in [dotted(base, names).rpartition(".")[2] for base in node.bases]:
            yield node.name


def _constants(nodes: Sequence[ast.AST]) -> dict[str, Any]:
    """Names that the module binds exactly once, to a literal."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for node in nodes:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.NamedExpr):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                twice |= {target.id} & found.keys()
                plain = isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
                found[target.id] = _value(getattr(node, "value", None), {}) if plain else _UNREADABLE
    return {name: value for name, value in found.items() if name not in twice and value is not _UNREADABLE}


def _value(node: ast.AST | None, constants: Mapping[str, Any]) -> Any:
    """A literal's value, constants of the module filled in; _UNREADABLE for all else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return constants.get(node.id, _UNREADABLE)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        items = [_value(item, constants) for item in node.elts]
        return _UNREADABLE if _UNREADABLE in items else tuple(items)
    if isinstance(node, ast.Dict):
        keys = [_value(key, constants) for key in node.keys]
        pairs = list(zip(keys, [_value(item, constants) for item in node.values], strict=True))
        try:
            return _UNREADABLE if any(_UNREADABLE in pair for pair in pairs) else dict(pairs)
        except TypeError:
            return _UNREADABLE
    return _UNREADABLE


def _read(
    where: str, call: ast.Call, names: Mapping[str, str], constants: Mapping[str, Any], *, compatible: bool
) -> Passport:
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in _FIELDS}
    unreadable = [] if all(keyword.arg for keyword in call.keywords) and not call.args else ["part of it"]
    values: dict[str, Any] = {}
    for name, node in given.items():
        value = _schemes(node, names) if name == "authentication" else _value(node, constants)
        if value is _UNREADABLE or not _fits(str(name), value):
            unreadable.append(str(name))
        else:
            values[str(name)] = value
    if compatible and "base_url" not in unreadable:
        _as_openai_compatible(values, given)
    return Passport(
        where=where,
        name=values.get("name"),
        endpoint=values.get("default_endpoint"),
        hosts=tuple(values.get("hosts") or ()),
        credentials={str(key): tuple(item) for key, item in (values.get("credentials") or {}).items()},
        authentication=values.get("authentication") or {},
        aliases=tuple(values.get("aliases") or ()),
        apis=tuple(values.get("apis") or ()),
        unreadable=tuple(unreadable),
    )


def _as_openai_compatible(values: dict[str, Any], given: Mapping[Any, Any]) -> None:
    """What the class makes of what it is not told; see byollm_openai_compatible.OpenAICompatible."""
    base_url = values.get("base_url")
    values.setdefault("default_endpoint", base_url)
    if "hosts" not in given:
        values["hosts"] = (_host(base_url),) if isinstance(base_url, str) and _host(base_url) else ()
    if "credentials" not in given and isinstance(values.get("name"), str):
        values["credentials"] = {"api_key": (f"{values['name'].upper().replace('-', '_')}_API_KEY",)}
    if "authentication" not in given:
        values["authentication"] = {"bearer-token": "Bearer", "api-key": "HeaderKey", "none": "NoAuth"}
    values.setdefault("apis", ("chat",))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _schemes(node: ast.AST, names: Mapping[str, str]) -> Any:
    if not isinstance(node, ast.Dict) or not all(isinstance(key, ast.Constant) for key in node.keys):
        return _UNREADABLE
    found: dict[str, str] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        scheme = dotted(item.func, names) if isinstance(item, ast.Call) else ""
        found[str(getattr(key, "value", ""))] = scheme.rpartition(".")[2] or "?"
    return found


def _fits(name: str, value: Any) -> bool:
    """The value is of the field's type; a wrong one is as good as none."""
    if name in ("name", "default_endpoint", "base_url"):
        return value is None or isinstance(value, str)
    if name in ("hosts", "aliases", "apis"):
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if name == "credentials":
        return isinstance(value, dict) and all(
            isinstance(item, tuple) and all(isinstance(word, str) for word in item) for item in value.values()
        )
    return isinstance(value, dict)
