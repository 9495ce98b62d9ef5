"""JSON Schema as Gemini reads it: a subset, the rest moved into descriptions and told.

`responseJsonSchema` takes $id, $defs, $ref, $anchor, type, format, title, description, enum (texts and numbers), items,
prefixItems, minItems, maxItems, minimum, maximum, anyOf, oneOf (as anyOf), properties, additionalProperties, required
and propertyOrdering; beside a $ref only what begins with $ (google-genai 3.4.0, read 2026-11-21).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import UnsupportedFeatureError

_KEPT: Final = frozenset(
    {
        "$id", "$anchor", "type", "format", "title", "description", "minItems", "maxItems", "minimum", "maximum",
        "required", "propertyOrdering",
    }
)  # fmt: skip
_INNER: Final = ("items", "additionalProperties")
_LISTS: Final = ("prefixItems", "anyOf", "oneOf")
_MAPS: Final = ("properties", "$defs")
_SILENT: Final = frozenset({"$schema", "$comment", "examples", "readOnly", "writeOnly", "deprecated", "strict"})
"""Words for people and tools: they constrain nothing."""
_DEPTH: Final = 64


def wire_schema(schema: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema Gemini takes, and the keywords it does not enforce. Raises UnsupportedFeatureError when too deep."""
    moved: list[str] = []
    made = _object(schema, moved, 0)
    return made, tuple(sorted(set(moved)))


def _schema(value: Any, moved: list[str], depth: int) -> Any:
    if isinstance(value, Mapping):
        return _object(value, moved, depth)
    return {} if value is True else value  # `true` says: anything


def _object(schema: Mapping[str, Any], moved: list[str], depth: int) -> dict[str, Any]:
    if depth > _DEPTH:
        raise UnsupportedFeatureError("the schema is nested too deeply; nothing was sent", field="output_schema")
    schema = _flat(schema, moved)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _reference(schema, reference, moved, depth)
    made: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _KEPT:
            made[word] = value
        elif word == "nullable":
            made["type"] = _nullable(schema.get("type"), value)
        elif word in ("enum", "const"):
            _enumeration(made, lost, value if word == "enum" else [value])
        elif not _nested(made, word, value, moved, depth) and word not in _SILENT:
            lost[word] = value
    if lost:
        moved += lost
        said = "; ".join(f"{word}: {json.dumps(told, ensure_ascii=False, default=str)}" for word, told in lost.items())
        made["description"] = f"{made['description']} ({said})" if made.get("description") else said
    if made.get("type") is None:
        made.pop("type", None)
    return made


def _nested(made: dict[str, Any], word: str, value: Any, moved: list[str], depth: int) -> bool:
    """A keyword that holds schemas; False when it is none of those."""
    if word in _INNER:
        made[word] = _schema(value, moved, depth + 1)
    elif word in _LISTS and isinstance(value, list):
        made[word] = [_schema(item, moved, depth + 1) for item in value]
    elif word in (*_MAPS, "definitions") and isinstance(value, Mapping):
        name = "$defs" if word == "definitions" else word
        made[name] = {key: _schema(inner, moved, depth + 1) for key, inner in value.items()}
    else:
        return False
    return True


def _reference(schema: Mapping[str, Any], reference: str, moved: list[str], depth: int) -> dict[str, Any]:
    """A node with a $ref may have nothing beside it that does not begin with $."""
    made: dict[str, Any] = {"$ref": reference.replace("#/definitions/", "#/$defs/")}
    for word in ("$defs", "definitions"):
        inner = schema.get(word)
        if isinstance(inner, Mapping):
            made["$defs"] = {name: _schema(value, moved, depth + 1) for name, value in inner.items()}
    beside = [word for word in schema if not word.startswith("$") and word not in ("definitions", *_SILENT)]
    moved += [f"{word} beside $ref" for word in beside if word not in ("description", "title", "default")]
    return made


def _flat(schema: Mapping[str, Any], moved: list[str]) -> Mapping[str, Any]:
    """`allOf` is not known: objects in it are joined."""
    parts = schema.get("allOf")
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        return schema
    joined: dict[str, Any] = {}
    for part in (*parts, {word: value for word, value in schema.items() if word != "allOf"}):
        for word, value in part.items():
            before = joined.get(word)
            if word == "properties" and isinstance(before, Mapping) and isinstance(value, Mapping):
                joined[word] = {**before, **value}
            elif word == "required" and isinstance(before, list) and isinstance(value, list):
                joined[word] = [*before, *(name for name in value if name not in before)]
            elif word in joined and before != value:
                moved.append(f"allOf ({word})")
                joined[word] = value
            else:
                joined[word] = value
    return joined


def _enumeration(made: dict[str, Any], lost: dict[str, Any], values: Any) -> None:
    """Texts and numbers only; a null among them is said by the type."""
    if not isinstance(values, list):
        return
    named = [value for value in values if value is not None]
    if named and all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in named):
        made["enum"] = named
        if len(named) < len(values):
            lost["enum"] = values
    else:
        lost["enum"] = values


def _nullable(kind: Any, value: Any) -> Any:
    if value is not True or kind is None:
        return kind
    return [*(kind if isinstance(kind, list) else [kind]), "null"]
