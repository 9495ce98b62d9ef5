"""What Anthropic refuses of schemas it is asked to enforce: strict tools and structured output.

Limits and sentences as recorded in 2026 (20 strict tools, 24 optional parameters, 16 unions, no recursion).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects.base import Rejection, names
from byollm_sandbox.dialects.shapes import schema_misfit

MAX_STRICT_TOOLS: Final = 20
MAX_OPTIONAL: Final = 24
MAX_UNIONS: Final = 16
_FORMATS: Final = names("date-time time date duration email hostname uri ipv4 ipv6 uuid")
_UNSUPPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems", "contains", "prefixItems"),
    "object": ("minProperties", "maxProperties", "patternProperties", "propertyNames"),
}


def tool_schema_problems(tools: list[dict[str, Any]]) -> Iterator[Rejection]:
    """The schemas of strict tools, one by one and together."""
    strict = [(index, tool["input_schema"]) for index, tool in enumerate(tools) if tool.get("strict") is True]
    for index, schema in strict:
        for problem in schema_problems(schema):
            yield Rejection(400, f"tools.{index}.custom: {problem}")
    yield from _together([schema for _, schema in strict])


def format_problems(body: Mapping[str, Any]) -> Iterator[Rejection]:
    """Structured output: `output_config.format`, or `output_format` as the beta had it."""
    config = body.get("output_config")
    if config is not None and not isinstance(config, dict):
        yield Rejection(400, "output_config: Input should be an object")
        return
    format_ = (config or {}).get("format") or body.get("output_format")
    if format_ is None:
        return
    if not isinstance(format_, dict) or format_.get("type") != "json_schema":
        yield Rejection(400, "output_config.format.type: Input should be 'json_schema'")
    elif not isinstance(format_.get("schema"), dict):
        yield Rejection(400, "output_config.format.json_schema.schema: Field required")
    else:
        for problem in schema_problems(format_["schema"]):
            yield Rejection(400, f"output_config.format.schema: {problem}")
        yield from _together([format_["schema"]])


def schema_problems(schema: Mapping[str, Any]) -> Iterator[str]:
    """What the grammar compiler cannot do."""
    misfit = schema_misfit(schema)
    if misfit is not None:
        yield f"Invalid schema: {misfit}"
        return
    cycle = _cycle(schema)
    if cycle is not None:
        yield (
            f"Invalid schema: Circular reference detected in schema definitions: {cycle}. Self-referencing or "
            "mutually-referencing definitions are not supported."
        )
        return
    yield from _node(schema)


def _node(schema: Any) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    for word in ("oneOf", "not", "if"):
        if word in schema:
            yield f"Schema type '{word}' is not supported"
    kind = schema.get("type")
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and any(not isinstance(inner, Mapping) for inner in properties.values()):
        yield "For 'object' type, property 'properties' is not supported"
        return
    if kind == "object" and schema.get("additionalProperties") is not False:
        yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
    for name, words in _UNSUPPORTED.items():
        found = [word for word in words if word in schema] if kind == name else []
        if found:
            plural = "properties" if len(found) > 1 else "property"
            verb = "are" if len(found) > 1 else "is"
            yield f"For '{name}' type, {plural} {', '.join(map(repr, found))} {verb} not supported"
    if kind == "array" and schema.get("minItems") not in (None, 0, 1):
        yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if kind == "string" and schema.get("format") is not None and schema["format"] not in _FORMATS:
        yield f"String format '{schema['format']}' is not supported"
    for inner in _children(schema):
        yield from _node(inner)


def _children(schema: Mapping[str, Any]) -> Iterator[Any]:
    for word in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(word), Mapping):
            yield from schema[word].values()
    for word in ("anyOf", "allOf"):
        yield from schema.get(word) or ()
    if "items" in schema:
        yield schema["items"]


def _together(schemas: list[Any]) -> Iterator[Rejection]:
    if len(schemas) > MAX_STRICT_TOOLS:
        yield Rejection(
            400,
            f"Too many strict tools ({len(schemas)}). The maximum number of strict tools supported is "
            f"{MAX_STRICT_TOOLS}. Try reducing the number of tools marked as strict.",
        )
    optional, unions = [_optional(schema) for schema in schemas], sum(_unions(schema) for schema in schemas)
    if sum(optional) > MAX_OPTIONAL:
        yield Rejection(
            400,
            f"Schemas contains too many optional parameters ({sum(optional)}), which would make grammar compilation "
            f"inefficient. Reduce the number of optional parameters in your schemas (limit: {MAX_OPTIONAL}).",
        )
    if unions > MAX_UNIONS:
        yield Rejection(
            400,
            f"Schemas contains too many parameters with union types ({unions} parameters with type arrays or anyOf). "
            f"Reduce the number of nullable or union-typed parameters (limit: {MAX_UNIONS} parameters with unions).",
        )
    if max(optional, default=0) >= MAX_OPTIONAL:
        # Exactly at the limit in one schema the compiler itself gives up (recorded in 2026).
        yield Rejection(
            400, "Schema is too complex for compilation. Try reducing the number of tools or simplifying schemas."
        )


def _optional(schema: Any) -> int:
    if not isinstance(schema, Mapping):
        return 0
    properties = schema.get("properties")
    own = len(set(properties) - set(schema.get("required") or ())) if isinstance(properties, Mapping) else 0
    return own + sum(_optional(inner) for inner in _children(schema))


def _unions(schema: Any) -> int:
    if not isinstance(schema, Mapping):
        return 0
    own = int(isinstance(schema.get("type"), list) or "anyOf" in schema)
    return own + sum(_unions(inner) for inner in _children(schema))


def _cycle(schema: Mapping[str, Any]) -> str | None:
    defined = {**(schema.get("definitions") or {}), **(schema.get("$defs") or {})}
    links = {name: set(_targets(inner)) for name, inner in defined.items()}
    links["#"] = set(_targets({key: value for key, value in schema.items() if key not in ("$defs", "definitions")}))
    for start in links:
        found = _path(start, start, links, ())
        if found is not None:
            return " -> ".join(found)
    return None


def _path(goal: str, place: str, links: Mapping[str, set[str]], seen: tuple[str, ...]) -> tuple[str, ...] | None:
    for target in sorted(links.get(place, ())):
        if target == goal:
            return (*seen, place, goal)
        if target not in seen and target != place:
            found = _path(goal, target, links, (*seen, place))
            if found is not None:
                return found
    return None


def _targets(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield "#" if reference == "#" else reference.rpartition("/")[2]
        for inner in value.values():
            yield from _targets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _targets(inner)
