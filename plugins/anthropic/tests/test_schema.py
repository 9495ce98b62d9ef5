"""Schemas for structured output and strict tools."""

import pytest
from anthropic_driving import body, exchange, fitted

from byollm.plugin import Request, Tool, UnsupportedFeatureError
from byollm_anthropic.schema import wire_schema


def obj(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


LIST = {"type": "array", "items": {"type": "string"}}


def wire(schema):
    return wire_schema(schema, "output_schema")[0]


def test_output_schema_is_the_native_format():
    """Structured output never needs a forced tool."""
    made = body(Request("hi", output_schema=obj(name={"type": "string"})))

    assert made["output_config"] == {"format": {"type": "json_schema", "schema": obj(name={"type": "string"})}}


def test_a_pydantic_model_is_a_schema():
    """A class stands for its JSON schema, closed."""
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str

    schema = body(Request("hi", output_schema=Person))["output_config"]["format"]["schema"]

    assert (schema["additionalProperties"], schema["required"]) == (False, ["name"])


def test_objects_are_closed():
    """The server demands `additionalProperties: false` on every object, at every depth."""
    made = wire({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}})

    assert made["additionalProperties"] is False
    assert made["properties"]["a"]["additionalProperties"] is False


def test_one_of_becomes_any_of():
    """The server has no oneOf."""
    made = wire(obj(a={"oneOf": [{"type": "string"}, {"type": "null"}]}))

    assert made["properties"]["a"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


def test_bounds_move_into_the_description_and_are_reported():
    """What the server refuses is told to the model; byollm still checks the answer against the original."""
    schema = obj(a={"type": "integer", "minimum": 1, "description": "Count."})
    made, adjusted = fitted(Request("hi", output_schema=schema), "claude-opus-5")

    assert made["output_config"]["format"]["schema"]["properties"]["a"] == {
        "type": "integer",
        "description": "Count.\n\n{minimum: 1}",
    }
    assert adjusted == {"output_schema"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}),
        ({"type": "string", "format": "isbn"}, {"type": "string", "description": '{format: "isbn"}'}),
        (LIST | {"minItems": 1}, LIST | {"minItems": 1}),
        (LIST | {"minItems": 2}, LIST | {"description": "{minItems: 2}"}),
        ({"enum": ["a", None]}, {"enum": ["a", None]}),
        ({"type": "string", "default": "x"}, {"type": "string", "description": '{default: "x"}'}),
    ],
)
def test_each_keyword_stays_or_moves(schema, expected):
    """Ten formats, minItems of 0 and 1, plain enums stay; the rest is words."""
    assert expected == wire(obj(a=schema))["properties"]["a"]


def test_a_reference_stands_alone():
    """Next to a $ref nothing may stand."""
    made = wire({**obj(a={"$ref": "#/$defs/A", "description": "x"}), "$defs": {"A": {"type": "string"}}})

    assert made["properties"]["a"] == {"$ref": "#/$defs/A"}


def test_a_schema_the_server_takes_comes_back_unchanged():
    """The rewriting is idempotent."""
    once = wire(
        obj(a={"type": ["string", "null"], "maxLength": 3}, b={"anyOf": [{"type": "string"}, {"type": "null"}]})
    )

    assert once == wire(once)


NODE = {"$ref": "#/$defs/Node", "$defs": {"Node": obj(next={"$ref": "#/$defs/Node"})}}
PAIR = {"A": obj(b={"$ref": "#/$defs/B"}), "B": obj(a={"$ref": "#/$defs/A"})}


@pytest.mark.parametrize(
    "schema",
    [
        NODE,
        {**obj(a={"$ref": "#/$defs/A"}), "$defs": PAIR},
        obj(a={"$ref": "#"}),
        obj(a={"$ref": "https://example.com/schema.json"}),
        obj(a={"type": "object"}),
        obj(a={"type": "object", "additionalProperties": {"type": "string"}}),
        obj(a={"type": "object", "properties": {}, "patternProperties": {"^x": {"type": "string"}}}),
        obj(a={}),
        obj(a=True),
        obj(a={"description": "anything"}),
        obj(a={"anyOf": [{"type": "string"}], "oneOf": [{"type": "string"}]}),
        obj(**{f"f{at}": {"type": ["string", "null"]} for at in range(17)}),
        {**obj(**{f"f{at}": {"type": "string"} for at in range(25)}), "required": []},
    ],
)
def test_what_would_be_refused_or_come_back_empty_is_refused_before_sending(schema):
    """Recursion, free keys, "anything", and more optionals or unions than the server compiles."""
    with pytest.raises(UnsupportedFeatureError) as raised:
        exchange(Request("hi", output_schema=schema))

    assert raised.value.field == "output_schema"


def test_a_property_may_bear_the_name_of_a_keyword():
    """`properties`, `type` and `anyOf` as field names are no keywords."""
    schema = obj(properties={"type": "string"}, type={"type": "string"}, anyOf={"type": "string"})

    assert schema == wire(schema)


def test_only_strict_tools_are_rewritten():
    """Without `strict` the server takes any schema, so it is sent as it stands."""
    loose = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    made = body(Request("hi", tools=[Tool("a", None, loose), Tool("b", None, loose, strict=True)]))["tools"]

    assert loose == made[0]["input_schema"]
    assert (made[1]["input_schema"]["additionalProperties"], made[1]["strict"]) == (False, True)


def test_more_than_twenty_strict_tools_are_refused():
    """The server compiles at most twenty."""
    with pytest.raises(UnsupportedFeatureError, match="strict tools"):
        exchange(Request("hi", tools=[Tool(f"t{at}", None, obj(), strict=True) for at in range(21)]))
