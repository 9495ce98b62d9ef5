"""JSON schemas as the Messages API takes them for structured output and strict tools.

What an answer may look like is never widened. Objects are closed, `oneOf` becomes `anyOf`, and bounds that the server
refuses move into the description; the core still holds the answer to the original schema. A schema that the server
would refuse, or would answer with `{}`, raises UnsupportedFeatureError before anything is sent.
Sources: anthropic 2.12.0 `lib/_parse/_transform.py`, litellm 1.109.1, pydantic-ai 2.68.0 and recorded refusals of
strict schemas, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from byollm.plugin import UnsupportedFeatureError, dump_json

FORMATS: Final = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
OPTIONAL_LIMIT: Final = 24
UNION_LIMIT: Final = 16
STRICT_LIMIT: Final = 20

_SCHEMAS: Final = ("$defs", "definitions", "properties")
_LISTS: Final = ("anyOf", "allOf")
_REMARKS: Final = ("default", "examples", "deprecated", "readOnly", "writeOnly", "$comment")
_KEPT: Final = ("type", "title", "description", "enum", "const", "required", "$schema", "$id")


def wire_schema(schema: Mapping[str, Any], field: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema to send, and the keywords that moved into descriptions. The same schema comes back unchanged.

    `field` is the parameter to blame. Raises UnsupportedFeatureError.
    """
    _refuse_recursion(schema, field)
    moved: dict[str, None] = {}
    return _Writer(field, moved).node(schema, "the schema"), tuple(moved)


class _Writer:
    def __init__(self, field: str, moved: dict[str, None]) -> None:
        self.field = field
        self.moved = moved

    def node(self, schema: Any, where: str) -> dict[str, Any]:
        if not isinstance(schema, Mapping) or not schema:
            raise _refused(f"{where} allows anything", self.field, "say its type")
        if "oneOf" in schema and "anyOf" in schema:
            raise _refused(f"{where} has both oneOf and anyOf", self.field, "use anyOf alone")
        kinds = schema.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds or []
        out: dict[str, Any] = {}
        leftover: dict[str, Any] = {}
        for key, value in schema.items():
            if not self.keep(out, key, value, where):
                leftover[key] = value
        if "object" in kinds or "properties" in schema:
            self.close(schema, out, where)
        if not kinds and not out.keys() & {"$ref", "anyOf", "allOf", "enum", "const", "properties"}:
            raise _refused(f"{where} allows anything", self.field, "say its type")
        return self.describe(out, leftover)

    def keep(self, out: dict[str, Any], key: str, value: Any, where: str) -> bool:
        """Write a keyword the server takes; False for one it does not."""
        if key == "$ref":
            if not str(value).startswith("#"):
                raise _refused(f"{where} refers to another document", self.field, "put the definition under $defs")
            out[key] = value
        elif key in _SCHEMAS:
            out[key] = {name: self.node(inner, f"{where}: {name}") for name, inner in value.items()}
        elif key in _LISTS:
            out[key] = [self.node(inner, f"{where}: {key}") for inner in value]
        elif key == "oneOf":
            out["anyOf"] = [self.node(inner, f"{where}: {key}") for inner in value]
        elif key == "items":
            out[key] = self.node(value, f"{where}: items")
        elif key == "additionalProperties":
            out[key] = False
        elif _taken(key, value):
            out[key] = value
        else:
            return False
        return True

    def close(self, schema: Mapping[str, Any], out: dict[str, Any], where: str) -> None:
        """Objects are closed. One without properties of its own would always come back empty."""
        rest = schema.get("additionalProperties")
        free = isinstance(rest, Mapping) or (rest is not False and "properties" not in schema)
        if free or "patternProperties" in schema:
            hint = "name its properties, or use a list of {key, value} objects"
            raise _refused(f"{where} is an object with free keys", self.field, hint)
        out["additionalProperties"] = False

    def describe(self, out: dict[str, Any], leftover: dict[str, Any]) -> dict[str, Any]:
        """Move what the server does not take into the description. Next to a $ref nothing may stand."""
        if "$ref" in out:
            out = {key: value for key, value in out.items() if key in ("$ref", "$defs", "definitions")}
        self.moved.update(dict.fromkeys(key for key in leftover if key not in _REMARKS))
        if leftover and "$ref" not in out:
            words = ", ".join(f"{key}: {dump_json(value).decode()}" for key, value in leftover.items())
            before = f"{out['description']}\n\n" if out.get("description") else ""
            out["description"] = f"{before}{{{words}}}"
        return out


def _taken(key: str, value: Any) -> bool:
    if key == "format":
        return value in FORMATS
    if key == "minItems":
        return value in (0, 1)
    if key == "enum":
        return not any(isinstance(word, Mapping | list) for word in value)
    return key in _KEPT


def _refuse_recursion(schema: Mapping[str, Any], field: str) -> None:
    seen: dict[str, set[str]] = {}
    todo = ["#", *(f"#/{group}/{name}" for group in ("$defs", "definitions") for name in schema.get(group, ()))]
    for name in todo:
        seen[name] = set(_references(_at(schema, name), top=name == "#"))
    for start, nearest in seen.items():
        reached, frontier = set[str](), set(nearest)
        while frontier:
            reached |= frontier
            frontier = set().union(*(seen.get(name, set()) for name in frontier)) - reached
        if start in reached:
            raise _refused("the schema refers to itself", field, "unroll the recursion to a fixed depth")


def _at(schema: Mapping[str, Any], name: str) -> Any:
    if name == "#":
        return schema
    _, group, key = name.split("/", 2)
    return schema[group][key]


def _references(node: Any, top: bool = False) -> Iterable[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.replace("~1", "/").replace("~0", "~")
            elif not (top and key in ("$defs", "definitions")):
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def check_limits(schemas: list[Mapping[str, Any]], strict_tools: int, field: str) -> None:
    """What the server's compiler refuses: too many strict tools, optional parameters or unions, over all schemas."""
    nodes = [node for schema in schemas for node in _subschemas(schema)]
    optional, unions = sum(map(_optional, nodes)), sum(map(_union, nodes))
    for found, limit, what in (
        (strict_tools, STRICT_LIMIT, "strict tools"),
        (optional, OPTIONAL_LIMIT, "optional parameters in strict schemas"),
        (unions, UNION_LIMIT, "parameters with unions in strict schemas"),
    ):
        if found > limit:
            raise _refused(f"there are {found} {what}, and the limit is {limit}", field, "make the schema simpler")


def _subschemas(node: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(node, Mapping):
        return
    yield node
    for key in _SCHEMAS:
        for inner in (node.get(key) or {}).values():
            yield from _subschemas(inner)
    for key in _LISTS:
        for inner in node.get(key) or ():
            yield from _subschemas(inner)
    yield from _subschemas(node.get("items"))


def _optional(node: Mapping[str, Any]) -> int:
    return sum(name not in node.get("required", ()) for name in node.get("properties") or ())


def _union(node: Mapping[str, Any]) -> int:
    return int(isinstance(node.get("type"), list) or "anyOf" in node)


def _refused(problem: str, field: str, hint: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(
        f"the Messages API cannot hold an answer to this schema: {problem}", field=field, hint=hint
    )
