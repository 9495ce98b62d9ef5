"""Does a JSON value fit a JSON schema? The part of the language that providers accept, and no more."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int, float),
}


def problems_of(value: Any, schema: Any) -> list[str]:
    """What is wrong with `value`, one sentence each; empty when it fits."""
    return list(_problems(value, schema, schema, "answer", 0))


def _problems(value: Any, schema: Any, root: Any, where: str, depth: int) -> Any:
    if schema is True or not isinstance(schema, Mapping):
        if schema is False:
            yield f"{where}: nothing is allowed here"
        return
    if depth > 100:
        yield f"{where}: the schema is nested too deeply"
        return
    if "$ref" in schema:
        yield from _problems(value, _target(schema["$ref"], root), root, where, depth + 1)
    kinds = schema.get("type")
    if kinds is not None and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield f"{where}: expected {kinds}, not {type(value).__name__}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    yield from _choices(value, schema, root, where, depth)
    yield from _bounds(value, schema, where)
    if isinstance(value, dict):
        yield from _object(value, schema, root, where, depth)
    elif isinstance(value, list):
        items = schema.get("items")
        for position, item in enumerate(value if items is not None else ()):
            yield from _problems(item, items, root, f"{where}[{position}]", depth + 1)


def _choices(value: Any, schema: Mapping[str, Any], root: Any, where: str, depth: int) -> Any:
    for word in ("anyOf", "oneOf", "allOf"):
        if word not in schema:
            continue
        fits = [not list(_problems(value, option, root, where, depth + 1)) for option in schema[word]]
        if {"anyOf": not any(fits), "oneOf": sum(fits) != 1, "allOf": not all(fits)}[word]:
            yield f"{where}: does not fit {word}"


def _object(value: dict[str, Any], schema: Mapping[str, Any], root: Any, where: str, depth: int) -> Any:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}: {name!r} is missing"
    for name, item in value.items():
        if name in known:
            yield from _problems(item, known[name], root, f"{where}.{name}", depth + 1)
        elif schema.get("additionalProperties") is False:
            yield f"{where}: {name!r} is not allowed"
        elif isinstance(schema.get("additionalProperties"), Mapping):
            yield from _problems(item, schema["additionalProperties"], root, f"{where}.{name}", depth + 1)


def _bounds(value: Any, schema: Mapping[str, Any], where: str) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            yield f"{where}: {value} is less than {schema['minimum']}"
        if "maximum" in schema and value > schema["maximum"]:
            yield f"{where}: {value} is more than {schema['maximum']}"
    size = len(value) if isinstance(value, str | list) else None
    low, high = ("minLength", "maxLength") if isinstance(value, str) else ("minItems", "maxItems")
    if size is not None and (size < schema.get(low, 0) or size > schema.get(high, math.inf)):
        yield f"{where}: its length {size} is outside {schema.get(low, 0)} to {schema.get(high, 'any')}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: does not match {schema['pattern']!r}"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _target(reference: str, root: Any) -> Any:
    target = root
    for step in reference.lstrip("#/").split("/") if reference not in ("#", "#/") else ():
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(target, Mapping) and key in target:
            target = target[key]
        elif isinstance(target, Sequence) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        else:
            return {}
    return target
