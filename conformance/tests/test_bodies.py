"""Requests for judges: the whole vocabulary is asked for, and a judge that is told to be strict is."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from byollm.plugin import Audio, Document, Image, Reasoning, Request, Text, ToolCall, ToolResult
from byollm_conformance.bodies import FIELDS, MATRIX, bodies, consumed, forbid_unknown, request_of


class Inner(TypedDict, total=False):
    a: int


class Outer(TypedDict, total=False):
    inner: Inner


def test_every_field_of_the_vocabulary_occurs() -> None:
    """Each parameter of a Request but `extra`, which is a provider's own."""
    assert {field.name for field in dataclasses.fields(Request)} == {*FIELDS, "extra"}


def test_every_kind_of_part_occurs() -> None:
    """Text, thoughts, calls, results, pictures, documents and sound; by bytes and by address."""
    parts = [part for turns in MATRIX["messages"] for turn in turns for part in turn.parts]

    assert {Text, Reasoning, ToolCall, ToolResult, Image, Document, Audio} == {type(part) for part in parts}
    assert {str, bytes} == {type(part.source) for part in parts if isinstance(part, Image | Document)}


@pytest.mark.parametrize("first", FIELDS)
def test_each_value_stands_beside_each_other(first: str) -> None:
    """Over all parameters every pair of values is asked for: what is made or refused is a pair of two fields."""
    later = FIELDS[FIELDS.index(first) + 1 :]
    found = list(bodies("custom", ["a-model"], first))

    assert all(first in item.fields for item in found)
    assert {name for item in found for name in item.fields} - {first} <= {*later, FIELDS[0]}


def test_the_models_take_turns() -> None:
    """And each body says for which it was made."""
    found = list(bodies("groq", ["openai/gpt-oss-120b", "qwen/qwen3-32b"], "temperature"))

    assert {"openai/gpt-oss-120b", "qwen/qwen3-32b"} == {item.model for item in found}
    assert all(item.model == item.body["model"] for item in found)


def test_what_a_parameter_needs_stands_beside_it() -> None:
    """A choice has its tool, a beginning its turn."""
    assert ["f"] == [tool.name for tool in request_of({"tool_choice": "f"}).tools or () if hasattr(tool, "name")]
    assert "assistant" == request_of({"prefill": True}).messages[-1].role


def test_unknown_members_are_forbidden_where_it_was_said() -> None:
    """Inside typed dictionaries, too."""
    judge = TypeAdapter(Outer)
    judge.validate_python({"inner": {"a": 1, "b": 2}})
    forbid_unknown(type("module", (), {"Inner": Inner, "Outer": Outer}))
    strict = TypeAdapter(Outer)

    strict.validate_python({"inner": {"a": 1}})
    with pytest.raises(ValidationError):
        strict.validate_python({"inner": {"a": 1, "b": 2}})


def test_iterables_are_read_to_their_end() -> None:
    """What stands in them is validated only then."""
    left = iter((1, 2))

    consumed({"a": (str(item) for item in left)})

    assert [] == list(left)


class Answered(BaseModel, extra="allow"):
    """As the SDKs read answers: any member is welcome."""

    a: int = 0


def test_an_answers_type_hides_no_unknown_member() -> None:
    """A request may hold parts of an answer, whose types allow anything; here they do not."""
    consumed([Answered(a=1)])

    with pytest.raises(ValueError, match="hue"):
        consumed({"parts": (part for part in [Answered.model_validate({"a": 1, "hue": 2})])})
