"""The strict subset: reached where it can be, told where it cannot, and never wider than what was asked for."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from byollm.types.schema import problems_of
from byollm_openai_compatible.schema import NotStrictError, schema_name, strict_schema


def closed(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def test_a_strict_schema_stays_as_it_is():
    """Nothing is changed that need not be, defaults of required properties included."""
    schema = closed(a={"type": "string", "default": "x"}, b={"type": "array", "items": closed(c={"type": "integer"})})

    assert schema == strict_schema(schema)


def test_objects_are_closed_and_require_everything():
    """At every depth; a default of what could be left out goes."""
    inner = {"type": "object", "properties": {"c": {"type": "integer", "default": 1}}}

    assert closed(a=closed(c={"type": "integer"})) == strict_schema({"type": "object", "properties": {"a": inner}})


def test_a_reference_stands_alone():
    """What stands beside a `$ref` moves around it."""
    schema = {"$defs": {"D": closed()}, **closed(a={"$ref": "#/$defs/D", "description": "why"})}

    assert {"description": "why", "anyOf": [{"$ref": "#/$defs/D"}]} == strict_schema(schema)["properties"]["a"]


def test_a_root_that_is_a_reference_is_written_out():
    """Recursive models begin with one."""
    node = closed(children={"type": "array", "items": {"$ref": "#/$defs/Node"}})

    assert {**node, "$defs": {"Node": node}} == strict_schema({"$defs": {"Node": node}, "$ref": "#/$defs/Node"})


REASONS = [
    ({"type": "array", "items": {"type": "string"}}, "root"),
    ({"anyOf": [closed(), closed()]}, "root"),
    ({"type": "object", "additionalProperties": True}, "additionalProperties"),
    (closed(a={"type": "object", "additionalProperties": {"type": "string"}}), "#/properties/a"),
    (closed(a={"type": "array"}), "array of anything"),
    (closed(a={"type": "array", "prefixItems": [{}], "items": {"type": "string"}}), "prefixItems"),
    (closed(a={"type": "string", "format": "uri"}), "format uri"),
    (closed(a={"type": "string", "pattern": "(?=a)"}), "looks around"),
    (closed(a={"allOf": [closed(), closed()]}), "allOf"),
    (closed(a=True), "not schemas"),
    ({"$ref": "#/$defs/Nobody"}, "leads nowhere"),
]


@pytest.mark.parametrize(("schema", "reason"), REASONS)
def test_what_has_no_equivalent_is_told_with_its_place(schema, reason):
    """Then the original is sent, not marked as strict."""
    with pytest.raises(NotStrictError, match=reason):
        strict_schema(schema)


def test_eleven_levels_are_too_many():
    """Ten are allowed."""
    schema = closed()
    for _ in range(11):
        schema = closed(a=schema)

    with pytest.raises(NotStrictError, match="deeper than 10"):
        strict_schema(schema)


class Cat(BaseModel):
    """One of two."""

    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]
    tricks: list[str] = []


class Pets(BaseModel):
    """What people write."""

    first: Cat | Dog
    second: Cat | None = None
    note: str | None = None


def test_a_pydantic_model_is_reached():
    """Unions, defaults and optional fields."""
    made = strict_schema(Pets.model_json_schema())

    assert (["first", "second", "note"], False) == (made["required"], made["additionalProperties"])
    assert ["kind", "lives"] == made["$defs"]["Cat"]["required"]


LEAF = st.sampled_from([{"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"enum": ["a", "b"]}])
SCHEMA = st.recursive(
    LEAF,
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3).map(
        lambda found: {"type": "object", "properties": found}
    ) | inner.map(lambda item: {"type": "array", "items": item}),
    max_leaves=8,
).map(lambda inner: {"type": "object", "properties": {"x": inner}})  # fmt: skip


def example(schema):
    """The value of a strict schema with everything in it."""
    if schema.get("type") == "object":
        return {name: example(inner) for name, inner in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example(schema["items"])]
    return {"string": "s", "integer": 1, "boolean": True}.get(schema.get("type"), "a")


@given(SCHEMA)
def test_what_fits_the_strict_schema_fits_the_original(schema):
    """And the strict form of a strict form is itself."""
    strict = strict_schema(schema)

    assert [] == problems_of(example(strict), schema)
    assert strict == strict_schema(strict)


TITLES = [("A b/c", "A_b_c"), (None, "answer"), ("日本", "answer"), ("x" * 99, "x" * 64)]


@pytest.mark.parametrize(("title", "name"), TITLES)
def test_a_schema_travels_under_its_title(title, name):
    """In the letters and length that are allowed."""
    assert name == schema_name({"title": title} if title else {})
