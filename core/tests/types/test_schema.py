"""Does a value fit a schema? `jsonschema`, which others wrote, is the judge."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from core_strategies import json_values, names
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm.types.schema import problems_of

numbers = st.integers(-3, 6) | st.sampled_from([0.5, 1.0, -1.5, 2.5])
fields = st.sampled_from(["a", "b", "cc"])
values = st.recursive(
    st.none() | st.booleans() | numbers | st.sampled_from(["", "a", "ab", "b1", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=3),
    max_leaves=5,
)
kinds = st.sampled_from(["object", "array", "string", "boolean", "null", "number", "integer"])
patterns = st.sampled_from(["^a", "[0-9]$", "b", "^$"])
few = st.integers(0, 3)
plain = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds | st.lists(kinds, min_size=1, max_size=2, unique=True),
        "enum": st.lists(values, min_size=1, max_size=3),
        "const": values,
        "minimum": numbers,
        "maximum": numbers,
        "exclusiveMinimum": numbers,
        "exclusiveMaximum": numbers,
        "multipleOf": st.sampled_from([1, 2, 0.5, 0.1]),
        "minLength": few,
        "maxLength": few,
        "minItems": few,
        "maxItems": few,
        "minProperties": few,
        "maxProperties": few,
        "pattern": patterns,
        "required": st.lists(fields, max_size=2, unique=True),
    },
)


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    return plain.flatmap(
        lambda base: st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(fields, inner, max_size=3),
                "patternProperties": st.dictionaries(patterns, inner, max_size=2),
                "additionalProperties": inner,
                "items": inner,
                "prefixItems": some,
                "anyOf": some,
                "oneOf": some,
                "allOf": some,
                "$ref": st.sampled_from(["#/$defs/x", "#/$defs/y"]),
            },
        ).map(lambda more: {**base, **more})
    )


schemas = st.recursive(plain | st.booleans(), deeper, max_leaves=5)


@settings(max_examples=300, deadline=None)
@given(values, schemas, plain, plain)
def test_a_value_fits_when_jsonschema_says_so(value: Any, schema: Any, x: Any, y: Any):
    """Over the part of the language that byollm reads, the two agree."""
    if isinstance(schema, dict):
        schema = {**schema, "$defs": {"x": x, "y": y}}
    judge = jsonschema.Draft202012Validator(schema)

    assert judge.is_valid(value) == (not problems_of(value, schema))


@given(values, json_values)
def test_any_schema_is_read(value: Any, schema: Any):
    """What is no schema constrains as far as it can be read, and never breaks."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError:
        return
    assert isinstance(problems_of(value, schema), list)


NODE = {"required": ["n"], "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}}}
TREE = {"$defs": {"node": NODE}, "$ref": "#/$defs/node"}


def test_a_schema_may_refer_to_itself():
    """Lists of lists of lists are read to the end."""
    chain: dict[str, Any] = {"n": 1}
    for number in range(40):
        chain = {"n": number, "next": chain}

    assert [] == problems_of(chain, TREE)
    assert ["answer.next: 'n' is missing"] == problems_of({"n": 1, "next": {}}, TREE)


def test_a_reference_into_nothing_and_a_circle_end():
    """A reference that leads nowhere constrains nothing; one that leads to itself is told."""
    assert [] == problems_of(1, {"$ref": "#/$defs/none"})
    assert [] == problems_of(1, {"$ref": 5})
    assert ["answer: the schema is nested too deeply"] == problems_of(1, {"$ref": "#"})


def test_a_pattern_of_another_language_constrains_nothing():
    """ECMA knows classes that Python does not: the answer is not refused for that."""
    assert [] == problems_of("x", {"pattern": r"^\p{L}+$"})


@pytest.mark.parametrize(
    "value, schema, problem",
    [
        ({"a": 1}, {"additionalProperties": False}, "answer: 'a' is not allowed"),
        ({"a": ["x"]}, {"properties": {"a": {"items": {"type": "integer"}}}}, "answer.a[0]: expected integer, not str"),
        (True, {"enum": [1]}, "answer: True is not one of [1]"),
        (7, {"multipleOf": 2}, "answer: 7 is not a multiple of 2"),
        ("abc", {"maxLength": 2}, "answer: its length 3 is outside 0 to 2"),
    ],
)
def test_a_problem_says_where_and_what(value: Any, schema: Any, problem: str):
    """One sentence, with the place in the answer."""
    assert [problem] == problems_of(value, schema)


@given(names, json_values)
def test_json_has_its_own_equality(name: str, value: Any):
    """1 is 1.0 and not true, deep inside too."""
    assert [] == problems_of({name: [value, 1.0]}, {"const": {name: [value, 1]}})
    assert problems_of({name: [True]}, {"const": {name: [1]}})
