"""JSON schemas as OpenAI enforces them: the strict subset, reached without changing what an answer may mean.

Rules of the subset, read 2026-11-21: the root is an object without anyOf; every object is closed and requires all its
properties; no oneOf, nothing beside a `$ref`; typed arrays; at most 10 levels and 5,000 properties; no keyword of
`_UNKNOWN`, no string format outside `_FORMATS`, no look-around in patterns. Each answer that fits the result fits the
original (but for a oneOf, which becomes an anyOf); where that cannot be had, the original is sent and not marked
as strict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_UNKNOWN: Final = frozenset(
    {
        "patternProperties", "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties",
        "unevaluatedItems", "contains", "minContains", "maxContains", "uniqueItems", "prefixItems", "dependentSchemas",
        "dependentRequired", "if", "then", "else", "not", "$dynamicRef", "$anchor", "$id",
    }
)  # fmt: skip
_FORMATS: Final = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_LEVELS: Final = 10
_PROPERTIES: Final = 5000


class NotStrictError(ValueError):
    """The schema cannot be brought into the subset; the message says where (a JSON pointer) and why."""


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the strict subset. Raises NotStrictError when it has no equivalent there."""
    root = dict(schema)
    reference = root.get("$ref")
    if isinstance(reference, str):
        root = {**_resolve(reference, schema), **{key: value for key, value in root.items() if key != "$ref"}}
    if "anyOf" in root or "oneOf" in root or root.get("type", "object" if "properties" in root else None) != "object":
        raise NotStrictError("#: the root must be one object")
    found: dict[str, Any] = _Strict().visit(root, "#", 0)
    return found


class _Strict:
    def __init__(self) -> None:
        self.properties = 0

    def visit(self, schema: Any, where: str, level: int) -> Any:
        if not isinstance(schema, Mapping):
            raise NotStrictError(f"{where}: `true` and `false` are not schemas there")
        if level > _LEVELS:
            raise NotStrictError(f"{where}: deeper than {_LEVELS} levels")
        found = {key: value for key, value in schema.items() if key != "discriminator"}
        self.refuse(found, where)
        if "allOf" in found:
            if len(found["allOf"]) != 1:
                raise NotStrictError(f"{where}: allOf")
            inner = found.pop("allOf")[0]
            found = {**inner, **found}
        if "oneOf" in found:
            if "anyOf" in found:
                raise NotStrictError(f"{where}: oneOf beside anyOf")
            found["anyOf"] = found.pop("oneOf")
        if "$ref" in found and len(found) > 1 and not set(found) <= {"$ref", "$defs", "definitions"}:
            found["anyOf"] = [{"$ref": found.pop("$ref")}]
        return self.children(found, where, level)

    def refuse(self, schema: Mapping[str, Any], where: str) -> None:
        unknown = next((key for key in schema if key in _UNKNOWN), None)
        if unknown is not None:
            raise NotStrictError(f"{where}: {unknown}")
        if isinstance(schema.get("format"), str) and schema["format"] not in _FORMATS:
            raise NotStrictError(f"{where}: format {schema['format']}")
        if re.search(r"\(\?(?:[=!]|<[=!])", str(schema.get("pattern", ""))):
            raise NotStrictError(f"{where}: a pattern that looks around")
        kind = schema.get("type")
        if (kind == "array" or (isinstance(kind, list) and "array" in kind)) and not schema.get("items"):
            raise NotStrictError(f"{where}: an array of anything")

    def children(self, schema: dict[str, Any], where: str, level: int) -> dict[str, Any]:
        for name in ("$defs", "definitions"):
            if name in schema:
                schema[name] = {key: self.visit(item, f"{where}/{name}/{key}", 0) for key, item in schema[name].items()}
        if "anyOf" in schema:
            options = schema["anyOf"]
            schema["anyOf"] = [self.visit(item, f"{where}/anyOf/{place}", level) for place, item in enumerate(options)]
        if "items" in schema:
            schema["items"] = self.visit(schema["items"], f"{where}/items", level + 1)
        kind = schema.get("type")
        if "properties" in schema or kind == "object" or (isinstance(kind, list) and "object" in kind):
            self.object(schema, where, level)
        return schema

    def object(self, schema: dict[str, Any], where: str, level: int) -> None:
        if schema.get("additionalProperties", False) is not False:
            raise NotStrictError(f"{where}: additionalProperties")
        properties = schema.get("properties") or {}
        self.properties += len(properties)
        if self.properties > _PROPERTIES:
            raise NotStrictError(f"{where}: more than {_PROPERTIES} properties")
        schema["properties"] = {
            name: self.visit(item, f"{where}/properties/{name}", level + 1) for name, item in properties.items()
        }
        required = set(schema.get("required") or ())
        if required != set(properties):
            schema["required"] = list(properties)
            for name in set(properties) - required:
                schema["properties"][name].pop("default", None)  # it says what leaving out means
        schema["additionalProperties"] = False


def _resolve(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    target: Any = schema
    for step in reference.removeprefix("#/").split("/"):
        target = target.get(step) if isinstance(target, Mapping) else None
    if not isinstance(target, Mapping):
        raise NotStrictError(f"#: {reference} leads nowhere")
    return target


def schema_name(schema: Mapping[str, Any]) -> str:
    """The name a schema travels under: its title in the letters that are allowed, else "answer"."""
    title = schema.get("title")
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title)[:64].strip("_") if isinstance(title, str) else ""
    return name or "answer"
