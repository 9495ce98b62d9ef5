"""An answer: its text, its parsed value, its turn for the next request, and what it used."""

import json
from decimal import Decimal
from typing import Any

import pytest
from core_strategies import json_values, parts, usages
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from byollm import Adjustment, Attempt, Completion, Opaque, Reasoning, Text, ToolCall, Usage
from byollm.errors import OutputInvalidError, RateLimitError

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


class Answer(BaseModel):
    """An answer."""

    n: int


def reply(text: str, schema: Any = SCHEMA, finish: Any = "stop") -> Completion:
    return Completion(parts=(Text(text),), finish_reason=finish, output_schema=schema)


def test_a_schema_gives_plain_data_and_a_class_an_object():
    """`parsed` is what the schema was."""
    assert {"n": 1} == reply('{"n": 1}').parsed
    assert Answer(n=1) == reply('{"n": 1}', Answer).parsed


@pytest.mark.parametrize("schema", [SCHEMA, Answer])
@pytest.mark.parametrize("text", ["", "no", "{", '{"n": "x"}', '{"m": 1}', "[" * 100_000, '{"n": NaN}', '"\ud800"'])
def test_what_does_not_fit_is_invalid_output(text: str, schema: Any):
    """The error has the whole answer and says what is wrong; nothing else is raised."""
    answer = reply(text, schema)

    with pytest.raises(OutputInvalidError) as raised:
        answer.parsed

    assert (answer, None) == (raised.value.completion, raised.value.__context__)
    assert raised.value.problems


@pytest.mark.parametrize("finish", ["length", "content_filter", "refusal", "error", "other", None])
def test_an_answer_that_was_cut_is_invalid_however_it_looks(finish: Any):
    """A cut answer may look complete: `parsed` does not believe it."""
    with pytest.raises(OutputInvalidError, match=str(finish)):
        reply('{"n": 1}', SCHEMA, finish).parsed


def test_without_a_schema_nothing_is_parsed():
    """Asking for what was not asked for is the caller's mistake."""
    with pytest.raises(ValueError, match="output_schema"):
        reply("{}", None).parsed


@given(st.text(max_size=30), st.sampled_from([SCHEMA, Answer, {}, {"$ref": "#/nowhere"}]))
def test_any_text_is_parsed_or_invalid(text: str, schema: Any):
    """There is no third way, whatever a model wrote."""
    try:
        reply(text, schema).parsed
    except OutputInvalidError as error:
        assert error.problems  # noqa: PT017  # both ways are right


@given(json_values)
def test_an_empty_schema_takes_any_json(value: Any):
    """What a model wrote as JSON is read as JSON."""
    assert value == reply(json.dumps(value), {}).parsed


def test_the_text_is_the_visible_one():
    """Reasoning and calls are not part of the text; str(reply) is it."""
    answer = Completion(parts=(Reasoning("hm"), Text("a"), ToolCall("1", "f"), Text("b"), Opaque("p", "t", {})))

    assert ("ab", "ab", "hm", ["1"]) == (
        answer.text,
        str(answer),
        answer.reasoning,
        [it.id for it in answer.tool_calls],
    )


@given(st.lists(parts, max_size=4).map(tuple))
def test_the_turn_is_the_answer_state_and_all(said: Any):
    """`message` goes back as it came."""
    message = Completion(parts=said).message

    assert ("assistant", said) == (message.role, message.parts)


def test_adjustments_and_attempts_are_sentences():
    """Printed, they are for people."""
    assert "temperature clamped (3 -> 2): too hot" == str(Adjustment("temperature", "clamped", 3, 2, "too hot"))
    assert "seed dropped (7): unknown" == str(Adjustment("seed", "dropped", 7, None, "unknown"))
    assert "d (p/m) 200 answered after 12 ms" == str(Attempt("d", "p", "m", 1, 200, 12.3))
    assert "d (p/m) 429 RateLimitError: slow after 0 ms" == str(
        Attempt("d", "p", "m", 1, 429, error=RateLimitError("slow"))
    )


def test_usage_adds_up_when_both_sides_are_known():
    """Half a sum is no sum."""
    assert (5, None, None) == (Usage(2, 3).total_tokens, Usage(2).total_tokens, Usage().total_tokens)


@given(usages, usages)
def test_the_last_known_value_of_each_field_wins(first: Usage, later: Usage):
    """Usage is cumulative, field by field, and detail by detail."""
    both = first.updated(later)

    for name in ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens"):
        new = getattr(later, name)
        assert getattr(both, name) == (getattr(first, name) if new is None else new)
    assert {**(first.details or {}), **(later.details or {})} == (both.details or {})


@given(usages)
def test_nothing_new_changes_nothing(usage: Usage):
    """An empty report, and the same report again, leave it as it is."""
    assert usage == usage.updated(Usage()) == usage.updated(usage) == Usage().updated(usage)


@given(usages, usages, usages)
def test_reports_may_be_put_together_in_any_way(one: Usage, two: Usage, three: Usage):
    """Updating is associative."""
    assert one.updated(two).updated(three) == one.updated(two.updated(three))


def test_a_cost_is_a_decimal():
    """Money is not a float."""
    assert Decimal("0.01") == Completion(cost=Decimal("0.01")).cost
