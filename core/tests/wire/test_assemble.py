"""Events into a completion: the order is a table, and parts may interleave."""

import itertools
from typing import Any

import pytest
from core_strategies import completions
from hypothesis import given
from hypothesis import strategies as st

from byollm import (
    Citation,
    Completion,
    Finished,
    Image,
    Opaque,
    PartAdded,
    Reasoning,
    ReasoningDelta,
    Started,
    StateAttached,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageReported,
)
from byollm.errors import PluginError
from byollm.wire.assemble import Assembler, events_of

STATE = Opaque("acme", "chat", {"signature": "s"})
CONTENT: list[Any] = [
    TextDelta(0, "a"), ReasoningDelta(0, "a"), ToolCallStarted(0, "1", "f"), PartAdded(0, Text("a")),
    StateAttached(0, STATE),
]  # fmt: skip
BEFORE, WITHIN, AFTER = [], [Started()], [Started(), Finished("stop")]  # type: ignore[var-annotated]


def assembled(*events: Any) -> Completion:
    assembler = Assembler()
    assembler.feed(events)
    return assembler.completion()


@pytest.mark.parametrize(
    "event", [*CONTENT, Finished("stop"), UsageReported(Usage())], ids=lambda it: type(it).__name__
)
def test_nothing_comes_before_started(event: Any):
    """An answer begins with Started."""
    with pytest.raises(PluginError, match="before Started"):
        assembled(event)


@pytest.mark.parametrize("event", [*CONTENT, Started(), Finished("stop")], ids=lambda it: type(it).__name__)
def test_only_usage_comes_after_finished(event: Any):
    """After the end there is nothing more to say but what it cost."""
    with pytest.raises(PluginError, match="after Finished"):
        assembled(*AFTER, event)


def test_usage_may_come_after_finished():
    """Many providers count last."""
    assert 7 == assembled(*AFTER, UsageReported(Usage(output_tokens=7))).usage.output_tokens


def test_started_comes_once():
    """A second beginning is the plugin's mistake."""
    with pytest.raises(PluginError, match="after Started"):
        assembled(Started(), Started())


@pytest.mark.parametrize("event", CONTENT, ids=lambda it: type(it).__name__)
def test_content_may_come_in_between(event: Any):
    """Between beginning and end, everything is legal."""
    assert 1 == len(assembled(*WITHIN, event, Finished("stop")).parts)


@pytest.mark.parametrize("thing", ["text", None, Finished, object()])
def test_what_is_no_event_is_the_plugins_mistake(thing: Any):
    """A plugin that yields something else is told so."""
    with pytest.raises(PluginError, match="not an event"):
        assembled(Started(), thing)


SAME = {("TextDelta", "TextDelta"), ("ReasoningDelta", "ReasoningDelta"), ("ToolCallStarted", "ToolCallDelta")}
SAME |= {(type(event).__name__, "StateAttached") for event in CONTENT}
SAME |= {("StateAttached", type(event).__name__) for event in CONTENT}


@pytest.mark.parametrize(
    "first, second",
    list(itertools.product(CONTENT, [*CONTENT, ToolCallDelta(0, "{}")])),
    ids=lambda it: type(it).__name__,
)
def test_one_index_is_one_part(first: Any, second: Any):
    """Two kinds at one index clash; a state may come before or after its part."""
    pair = (type(first).__name__, type(second).__name__)
    if pair in SAME:
        assert 1 == len(assembled(Started(), first, second).parts)
    else:
        with pytest.raises(PluginError, match="part 0"):
            assembled(Started(), first, second)


def test_arguments_without_a_call_are_the_plugins_mistake():
    """A delta needs its beginning."""
    with pytest.raises(PluginError):
        assembled(Started(), ToolCallDelta(0, "{}"))


def test_a_part_that_came_whole_takes_no_more_text():
    """Text after it would be lost without a word."""
    with pytest.raises(PluginError):
        assembled(Started(), PartAdded(0, Text("a")), TextDelta(0, "b"))


def test_a_state_for_a_block_that_has_none_is_the_plugins_mistake():
    """An opaque block is its own state."""
    with pytest.raises(PluginError):
        assembled(Started(), PartAdded(0, Opaque("p", "t", {})), StateAttached(0, STATE))


def test_parts_interleave_by_index():
    """Two calls and a text, mixed on the wire, are three parts in order."""
    parts = assembled(
        Started("1", "m"), ToolCallStarted(2, "b", "g"), TextDelta(0, "he"), ToolCallStarted(1, "a", "f"),
        ToolCallDelta(2, '{"x":'), ToolCallDelta(1, "{}"), TextDelta(0, "y"), ToolCallDelta(2, "1}"), Finished("stop"),
    ).parts  # fmt: skip

    assert (Text("hey"), ToolCall("a", "f", "{}"), ToolCall("b", "g", '{"x":1}')) == parts


@given(st.permutations([TextDelta(0, "a"), TextDelta(1, "b"), ReasoningDelta(2, "c"), PartAdded(3, Citation("d"))]))
def test_the_order_of_arrival_does_not_matter_between_parts(events: list[Any]):
    """The index tells the place."""
    assert (Text("a"), Text("b"), Reasoning("c"), Citation("d")) == assembled(Started(), *events).parts


@pytest.mark.parametrize(
    "events, part",
    [
        ([TextDelta(0, "a"), StateAttached(0, STATE)], Text("a", None, STATE)),
        ([StateAttached(0, STATE), TextDelta(0, "a")], Text("a", None, STATE)),
        ([StateAttached(0, STATE), ReasoningDelta(0, "a")], Reasoning("a", STATE)),
        ([StateAttached(0, STATE)], Reasoning("", STATE)),
        ([StateAttached(0, STATE), ToolCallStarted(0, "1", "f")], ToolCall("1", "f", "{}", None, STATE)),
        ([PartAdded(0, Image("https://a/b")), StateAttached(0, STATE)], Image("https://a/b", state=STATE)),
        ([StateAttached(0, Opaque("x", "y", 1)), StateAttached(0, STATE)], Reasoning("", STATE)),
    ],
)
def test_a_state_stays_with_its_part(events: list[Any], part: Any):
    """Whichever came first, and the last state wins; alone it is a thought that is not shown."""
    assert (part,) == assembled(Started(), *events).parts


def test_a_partial_answer_has_no_reason():
    """It can be asked for at any time."""
    half = assembled(Started("1", "m"), TextDelta(0, "he"))

    assert ("he", None, "1", "m") == (half.text, half.finish_reason, half.id, half.model)
    assert Completion() == Assembler().completion()


def test_reasons_are_kept_in_both_words():
    """The neutral one and the provider's."""
    answer = assembled(Started(), Finished("length", "max_tokens"))

    assert ("length", "max_tokens") == (answer.finish_reason, answer.raw_finish_reason)


@given(completions)
def test_a_completion_is_made_of_its_events_again(completion: Completion):
    """Taken apart and put together, every part, hint, state and count is there."""
    assert completion == assembled(*events_of(completion))


@given(completions, st.data())
def test_events_may_come_in_any_portions(completion: Completion, data: st.DataObject):
    """Fed one by one or in portions, the answer is the same."""
    events = events_of(completion)
    at = data.draw(st.integers(0, len(events)))
    assembler = Assembler()
    assembler.feed(events[:at])
    assembler.feed(events[at:])

    assert completion == assembler.completion()
    assert assembler.finished


@pytest.mark.parametrize(
    "event",
    [
        TextDelta(0, None),  # type: ignore[arg-type]
        TextDelta(0, b"bytes"),  # type: ignore[arg-type]
        ReasoningDelta(0, 5),  # type: ignore[arg-type]
        ToolCallStarted(0, None, "f"),  # type: ignore[arg-type]
        ToolCallStarted(0, "1", 5),  # type: ignore[arg-type]
        UsageReported({"in": 3}),  # type: ignore[arg-type]
        UsageReported(Usage(input_tokens=-5)),
        UsageReported(Usage(output_tokens="many")),  # type: ignore[arg-type]
        Finished("stopped"),  # type: ignore[arg-type]
        Finished("stop", 3),  # type: ignore[arg-type]
    ],
)
def test_an_event_with_a_value_that_it_cannot_have_is_the_plugins_mistake(event: Any):
    """No caller ever sees bytes for a text, a negative count or a finish reason of the provider's own."""
    with pytest.raises(PluginError, match=f"the plugin made {type(event).__name__} with "):
        Assembler().feed([Started(), event])


def test_arguments_are_a_text():
    """Even where a provider sends them as an object."""
    with pytest.raises(PluginError, match="ToolCallDelta with arguments"):
        Assembler().feed([Started(), ToolCallStarted(0, "1", "f"), ToolCallDelta(0, {"a": 1})])  # type: ignore[arg-type]


def test_a_start_has_texts_for_names():
    """Or none."""
    with pytest.raises(PluginError, match="Started with model=4"):
        Assembler().feed([Started("a", 4)])  # type: ignore[arg-type]
