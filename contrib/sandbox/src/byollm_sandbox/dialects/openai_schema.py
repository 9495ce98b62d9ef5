"""The strict subset of JSON Schema that OpenAI enforces, and what it says of schemas outside it.

After the profile of pydantic-ai 2.68 and recorded refusals, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects.shapes import schema_misfit

_FORBIDDEN: Final = (
    "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "prefixItems",
    "patternProperties", "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties",
    "unevaluatedItems", "contains", "minContains", "maxContains", "uniqueItems",
)  # fmt: skip
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
)
MAX_DEPTH: Final = 10
MAX_PROPERTIES: Final = 5000


def strict_problem(schema: Any) -> str | None:
    """What OpenAI says of a schema it was asked to enforce; None when it can."""
    misfit = schema_misfit(schema)
    if misfit is not None or not isinstance(schema, Mapping):
        return misfit or "schema must be a JSON Schema of 'type: \"object\"'."
    if "anyOf" in schema:
        return "In context=(), 'anyOf' is not permitted at the root."
    if schema.get("type") != "object" and "$ref" not in schema:
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    found = next(_problems(schema, (), 0), None)
    if found is None and _count(schema) > MAX_PROPERTIES:
        return f"Expected at most {MAX_PROPERTIES} object properties in a schema."
    return found


def object_problem(schema: Any) -> str | None:
    """What OpenAI says of the parameters of a function that is not strict."""
    misfit = schema_misfit(schema)
    if misfit is not None or not isinstance(schema, Mapping):
        return misfit or "schema must be a JSON Schema of 'type: \"object\"'."
    kind = schema.get("type")
    if kind != "object" and not {"$ref", "properties", "allOf", "anyOf"} & schema.keys() and schema:
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    for name, inner in (schema.get("properties") or {}).items():
        if (
            isinstance(inner, Mapping)
            and inner.get("type") == "array"
            and "items" not in inner
            and "prefixItems" not in inner
        ):
            return f"In context=('properties', '{name}'), array schema missing items."
    return None


def _problems(schema: Any, context: tuple[str, ...], depth: int) -> Iterator[str]:
    where = f"In context={context!r}"
    if not isinstance(schema, Mapping):
        yield f"{where}, schema must be an object."
        return
    if depth > MAX_DEPTH:
        yield f"{where}, the schema exceeds the maximum of {MAX_DEPTH} levels of nesting."
        return
    for word in _FORBIDDEN:
        if word in schema:
            yield f"{where}, '{word}' is not permitted."
    if "$ref" in schema:
        yield from _reference(schema, where)
        return
    if schema.get("type") == "object" or "properties" in schema:
        yield from _object(schema, context, where)
    if schema.get("type") == "array" and not isinstance(schema.get("items"), Mapping):
        yield f"{where}, array schema missing items."
    if schema.get("type") == "string" and schema.get("format", "date") not in _FORMATS:
        yield f"{where}, '{schema['format']}' is not a valid format."
    if not {"type", "anyOf", "enum", "const", "properties"} & schema.keys():
        yield f"{where}, schema must have a 'type' key."
    yield from _inner(schema, context, depth)


def _reference(schema: Mapping[str, Any], where: str) -> Iterator[str]:
    siblings = [key for key in schema if key not in ("$ref", "description", "$defs", "definitions", "title")]
    if siblings:
        yield f"{where}, $ref cannot have keywords {set(siblings)!r}."
    target = str(schema["$ref"])
    if target != "#" and not target.startswith(("#/$defs/", "#/definitions/")):
        yield f"{where}, reference to component '{target}' which was not found in the schema."


def _object(schema: Mapping[str, Any], context: tuple[str, ...], where: str) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"{where}, 'additionalProperties' is required to be supplied and to be false."
    properties = schema.get("properties") or {}
    required = schema.get("required")
    rule = "'required' is required to be supplied and to be an array including every key in properties."
    if properties and not isinstance(required, list):
        yield f"{where}, {rule} Missing '{next(iter(properties))}'."
        return
    for name in properties:
        if name not in (required or ()):
            yield f"{where}, {rule} Missing '{name}'."
    for name in required or ():
        if name not in properties:
            yield f"{where}, {rule} Extra required key '{name}' supplied."


def _inner(schema: Mapping[str, Any], context: tuple[str, ...], depth: int) -> Iterator[str]:
    for name, inner in (schema.get("properties") or {}).items():
        yield from _problems(inner, (*context, "properties", name), depth + 1)
    if isinstance(schema.get("items"), Mapping):
        yield from _problems(schema["items"], (*context, "items"), depth + 1)
    for number, inner in enumerate(schema.get("anyOf") or ()):
        yield from _problems(inner, (*context, "anyOf", str(number)), depth)
    for word in ("$defs", "definitions"):
        for name, inner in (schema.get(word) or {}).items():
            yield from _problems(inner, (*context, word, name), 0)


def _count(schema: Any) -> int:
    if isinstance(schema, Mapping):
        own = len(schema["properties"]) if isinstance(schema.get("properties"), Mapping) else 0
        return own + sum(_count(value) for value in schema.values())
    return sum(_count(value) for value in schema) if isinstance(schema, list) else 0
