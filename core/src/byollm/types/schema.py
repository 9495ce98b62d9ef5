"""Does a JSON value fit a JSON schema? The part of the language that providers accept, and no more.

A keyword that stands nowhere in this file does not constrain, nor does a pattern that Python cannot read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
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


_SIZES: Final = (
    (str, "minLength", "maxLength"),
    (list, "minItems", "maxItems"),
    (dict, "minProperties", "maxProperties"),
)


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
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where}: {value!r} is not {schema['const']!r}"
    yield from _choices(value, schema, root, where, depth)
    yield from _bounds(value, schema, where)
    if isinstance(value, dict):
        yield from _object(value, schema, root, where, depth)
    elif isinstance(value, list):
        first, rest = schema.get("prefixItems", ()), schema.get("items")
        for position, item in enumerate(value):
            kind = first[position] if position < len(first) else rest
            yield from _problems(item, kind, root, f"{where}[{position}]", depth + 1)


def _choices(value: Any, schema: Mapping[str, Any], root: Any, where: str, depth: int) -> Any:
    for word in ("anyOf", "oneOf", "allOf"):
        if word not in schema:
            continue
        fits = [not list(_problems(value, option, root, where, depth + 1)) for option in schema[word]]
        if {"anyOf": not any(fits), "oneOf": sum(fits) != 1, "allOf": not all(fits)}[word]:
            yield f"{where}: does not fit {word}"


def _object(value: dict[str, Any], schema: Mapping[str, Any], root: Any, where: str, depth: int) -> Any:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}: {name!r} is missing"
    for name, item in value.items():
        kinds = [kind for pattern, kind in patterns.items() if _matches(pattern, name)]
        if name in known:
            kinds.append(known[name])
        if not kinds and schema.get("additionalProperties") is False:
            yield f"{where}: {name!r} is not allowed"
            continue
        for kind in kinds or [schema.get("additionalProperties")]:
            yield from _problems(item, kind, root, f"{where}.{name}", depth + 1)


def _bounds(value: Any, schema: Mapping[str, Any], where: str) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            yield f"{where}: {value} is less than {schema['minimum']}"
        if "maximum" in schema and value > schema["maximum"]:
            yield f"{where}: {value} is more than {schema['maximum']}"
        if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
            yield f"{where}: {value} is not more than {schema['exclusiveMinimum']}"
        if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
            yield f"{where}: {value} is not less than {schema['exclusiveMaximum']}"
        if "multipleOf" in schema and Fraction(str(value)) % Fraction(str(schema["multipleOf"])):
            yield f"{where}: {value} is not a multiple of {schema['multipleOf']}"
    for kind, low, high in _SIZES:
        if isinstance(value, kind) and not schema.get(low, 0) <= len(value) <= schema.get(high, math.inf):
            yield f"{where}: its length {len(value)} is outside {schema.get(low, 0)} to {schema.get(high, 'any')}"
    if isinstance(value, str) and "pattern" in schema and not _matches(schema["pattern"], value):
        yield f"{where}: does not match {schema['pattern']!r}"


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # ECMA's language knows \p{…}, Python's does not
        return True


def _same(one: Any, other: Any) -> bool:
    """JSON's equality: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _target(reference: Any, root: Any) -> Any:
    target = root
    steps = reference.lstrip("#/").split("/") if isinstance(reference, str) else ["?"]
    for step in steps if steps != [""] else ():
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(target, Mapping) and key in target:
            target = target[key]
        elif isinstance(target, Sequence) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        else:
            return {}
    return target
