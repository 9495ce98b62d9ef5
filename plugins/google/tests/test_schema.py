"""Schemas as Gemini reads them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import UnsupportedFeatureError
from byollm_google.schema import wire_schema

KNOWN = {"$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems",
         "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties",
         "required", "propertyOrdering"}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "wire", "moved"),
    [
        ({"type": "string", "maxLength": 3}, {"type": "string", "description": "maxLength: 3"}, ("maxLength",)),
        ({"type": "string", "pattern": "a", "description": "b"},
         {"type": "string", "description": 'b (pattern: "a")'}, ("pattern",)),
        ({"const": "a"}, {"enum": ["a"]}, ()),
        ({"enum": [True, 1]}, {"description": "enum: [true, 1]"}, ("enum",)),
        ({"type": "integer", "nullable": True}, {"type": ["integer", "null"]}, ()),
        ({"$ref": "#/definitions/a", "description": "x"}, {"$ref": "#/$defs/a"}, ()),
        ({"$ref": "#/$defs/a", "minimum": 1}, {"$ref": "#/$defs/a"}, ("minimum beside $ref",)),
        ({"definitions": {"a": {"type": "string"}}}, {"$defs": {"a": {"type": "string"}}}, ()),
        ({"allOf": [{"properties": {"a": True}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]},
         {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]}, ()),
        ({"$schema": "x", "examples": [1]}, {}, ()),
        ({"items": {"type": "array", "items": False}}, {"items": {"type": "array", "items": False}}, ()),
    ],
)  # fmt: skip
def test_rewriting(schema, wire, moved):
    """What the server knows stays, what it does not know is told in the description and reported."""
    assert (wire, moved) == wire_schema(schema)


WORDS = st.sampled_from([*sorted(KNOWN), "allOf", "const", "default", "pattern", "not", "if", "definitions"])
SCHEMAS = st.recursive(
    st.dictionaries(WORDS, st.sampled_from(["string", 1, True, None, ["a", None], []]), max_size=4),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"properties": st.dictionaries(st.text(max_size=3), inner, max_size=3), "items": inner,
                      "anyOf": st.lists(inner, max_size=2), "allOf": st.lists(inner, max_size=2),
                      "$defs": st.dictionaries(st.text(max_size=3), inner, max_size=2)}),
    max_leaves=8,
)  # fmt: skip


def words(schema):
    for word, value in schema.items():
        yield word
        for inner in value.values() if word in ("properties", "$defs") and isinstance(value, dict) else ():
            yield from words(inner) if isinstance(inner, dict) else ()
        for inner in value if word in ("anyOf", "oneOf", "prefixItems") and isinstance(value, list) else ():
            yield from words(inner) if isinstance(inner, dict) else ()
        if word == "items" and isinstance(value, dict):
            yield from words(value)


@given(SCHEMAS)
def test_only_known_keywords_reach_the_wire(schema):
    """Whatever the schema, and it stays JSON."""
    wire, _ = wire_schema(schema)

    assert set(words(wire)) <= KNOWN
    json.dumps(wire)


def test_a_bottomless_schema_is_refused():
    """Too deep to be read: nothing is sent."""
    schema: dict = {}
    for _ in range(100):
        schema = {"items": schema}

    with pytest.raises(UnsupportedFeatureError):
        wire_schema(schema)
