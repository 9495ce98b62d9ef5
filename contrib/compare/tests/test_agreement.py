"""How far answers agree: labels, fields, and what is no measure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm import Request
from byollm_compare import Sample, agreement, f1
from byollm_compare.agreement import measure_of
from byollm_compare.samples import NOTHING

data_of = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "answer, expected, score",
    [
        ("invoice", "invoice", 1), (" Invoice.\n", "invoice", 1), ('"invoice"', "invoice", 1),
        ("an invoice", "invoice", 0), ("", "invoice", 0), ("3", 3, 1), ("invoices", "invoice", 0),
    ],
)  # fmt: skip
def test_a_label_is_the_same_or_it_is_not(answer: str, expected: Any, score: float):
    """Case, space, quotes and a full stop around it do not count; anything else does."""
    assert score == agreement("label", answer, expected)


@pytest.mark.parametrize(
    "answer, expected, score",
    [
        ('{"a": 1, "b": 2}', {"a": 1, "b": 2}, 1),
        ('{"b": 2.0, "a": 1}', {"a": 1, "b": 2}, 1),
        ('{"a": 1, "b": 3}', {"a": 1, "b": 2}, 0.5),
        ('{"a": 1}', {"a": 1, "b": 2}, 2 / 3),
        ('{"a": 1, "b": 2, "c": 3}', {"a": 1}, 0.5),
        ('{"rules": [{"id": "x"}, {"id": "y"}]}', {"rules": [{"id": "y"}, {"id": "x"}]}, 1),
        ('```json\n{"a": "Yes"}\n```', {"a": "yes"}, 1),
        ("I cannot say", {"a": 1}, 0), ('{"a": true}', {"a": 1}, 0), ("{}", {}, 1), ('{"a": "1"}', {"a": 1}, 0),
    ],
)  # fmt: skip
def test_fields_in_common_are_counted_of_both(answer: str, expected: Any, score: float):
    """F1 of path and value; the order of a list is free, and no JSON agrees with nothing."""
    assert score == agreement("fields", answer, expected)


@given(data_of, data_of)
def test_agreement_of_fields_is_fair(one: Any, other: Any):
    """From 0 to 1, the same both ways, and whole with itself."""
    assert 0 <= f1(one, other) <= 1
    assert f1(one, other) == f1(other, one)
    assert 1 == f1(one, one)


@pytest.mark.parametrize(
    "expected, schema, measure",
    [
        (["invoice"], False, "label"), ([{"a": 1}], False, "fields"), ([[1]], True, "fields"),
        ([NOTHING], True, "fields"), ([NOTHING], False, "none"), (["invoice", NOTHING], True, "label"),
    ],
)  # fmt: skip
def test_the_measure_is_that_of_what_is_expected(expected: list[Any], schema: bool, measure: str):
    """JSON by its fields, a text as a label, and nothing where nobody says."""
    samples = [Sample(str(at), Request("hi"), "d", each) for at, each in enumerate(expected)]

    assert measure == measure_of(samples, schema)


def test_two_answers_without_data_do_not_agree():
    """Not to answer in JSON is no agreement, even where both do it."""
    assert 0 == agreement("fields", "I cannot say", "I cannot say")


def test_without_a_measure_nothing_is_measured():
    """Not even equal texts."""
    assert None is agreement("none", "a", "a")
