"""What holds for any text: it comes back exactly, however it is cut into pieces, and whatever stood in it."""

import json
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from byollm.plugin import Finished, Started, TextDelta, ToolCallDelta, ToolCallStarted
from byollm_redact import KINDS, Session
from byollm_redact.answers import Restorer

PERSONAL = [
    "bob@example.com",
    "+49 30 901820",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "10.0.0.1",
    "536-22-8726",
]
LIKE_ONES = [
    "[EMAIL_1]",
    "[EMAIL_2]",
    "[email 1]",
    "\\[EMAIL\\_1\\]",
    "[EMAIL_",
    "[",
    "]",
    "\\",
    "[PHONE_1",
    "[[",
    "]]",
    "_1]",
    "EMAIL_1",
]
pieces = st.one_of(st.text(max_size=8), st.sampled_from(PERSONAL), st.sampled_from(LIKE_ONES), st.just(" "))
texts = st.lists(pieces, max_size=12).map("".join)


def session(*all_texts):
    made = Session(list(KINDS.values()))
    for text in all_texts:
        made.reserve(text)
    return made


def cut(text, places):
    """A text in pieces."""
    borders = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(borders)]


def through(restorer, deltas):
    """What a caller reads of a stream."""
    events = [Started(), *deltas, Finished("stop")]
    return "".join(
        getattr(new, "text", "") or getattr(new, "arguments", "") for event in events for new in restorer(event)
    )


@given(texts)
@example("\\bob@example.com\\")
@example("[EMAIL_1]bob@example.com[email_2]")
@example("[EMAIL_bob@example.com_1]")
def test_what_was_redacted_comes_back(text):
    """restore(redact(x)) == x."""
    own = session(text)

    assert text == own.restore(own.redact(text))


@given(st.lists(texts, min_size=2, max_size=4))
def test_several_texts_share_placeholders_and_all_come_back(many):
    """The same value has the same placeholder in all of them."""
    own = session(*many)

    assert many == [own.restore(text) for text in [own.redact(text) for text in many]]


@given(texts, st.lists(st.integers(0, 120), max_size=8))
@settings(max_examples=300)
def test_a_stream_cut_anywhere_gives_the_same(text, places):
    """A placeholder that is split over events comes back whole; nothing is lost or held for ever."""
    own = session(text)
    sent = own.redact(text)

    assert text == through(Restorer(own), [TextDelta(0, piece) for piece in cut(sent, places)])


@given(texts, st.lists(st.integers(0, 200), max_size=8))
def test_arguments_of_a_tool_call_come_back_as_json(text, places):
    """Escaped as a JSON string needs it, wherever the events are cut."""
    own = session(json.dumps({"say": text}))
    sent = own.redact_json(json.dumps({"say": text}))
    deltas = [ToolCallDelta(0, piece) for piece in cut(sent, places)]

    assert {"say": text} == json.loads(through(Restorer(own), [ToolCallStarted(0, "id", ""), *deltas]))


@given(texts)
def test_nothing_that_is_found_is_left(text):
    """What was redacted holds no value that was found in it."""
    own = session(text)
    sent = own.redact(text)

    assert own.counts == {} or sent != text
    assert not any(value in sent for value in PERSONAL if value == text)


@given(st.lists(st.sampled_from(PERSONAL), min_size=1, max_size=5))
def test_a_conversation_that_grows_keeps_its_placeholders(values):
    """So that what a provider cached of it still fits, and a signature over a thought holds."""
    turns = [f"turn {at}: {value} is it." for at, value in enumerate(values)]
    before, after = session(*turns[:-1]), session(*turns)

    assert [before.redact(turn) for turn in turns[:-1]] == [after.redact(turn) for turn in turns][:-1]


@given(st.sampled_from(PERSONAL))
def test_models_may_write_a_placeholder_in_other_ways(value):
    """In small letters, with a blank, escaped for Markdown."""
    own = session(value)
    kind = own.redact(value)[1:-3]
    ways = [f"[{kind}_1]", f"[{kind.lower()}_1]", f"[{kind} 1]", f"[{kind}\\_1]", f"\\[{kind}\\_1\\]"]

    assert [value] * 5 == [own.restore(way) for way in ways]


def test_numbers_in_json_become_strings():
    """The document is JSON before and after."""
    own = session()
    text = own.redact_json('{"phone": "+49 30 901820", "card": 4111111111111111, "n": 7, "ok": true}')

    assert {"phone": "[PHONE_1]", "card": "[CARD_1]", "n": 7, "ok": True} == json.loads(text)
