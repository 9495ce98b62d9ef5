"""Tool calls as servers stream them: without index, without id, late, repeated, doubly written."""

import json

import pytest
from compatible_driving import call, calls_of, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import Opaque, ProtocolError, Request, ToolCall


def piece(arguments=None, **fields):
    """A later piece of a call."""
    return {"tool_calls": [{**fields, "function": {"arguments": arguments}}]}


def first(name, arguments="", **fields):
    """The first piece of a call."""
    return {"tool_calls": [{"type": "function", **fields, "function": {"name": name, "arguments": arguments}}]}


def read_calls(*deltas):
    return calls_of(streamed(*deltas, finish="tool_calls"))


TWO = [("f", '{"a": 1}'), ("g", '{"b": 2}')]


def test_pieces_belong_to_the_call_with_their_index():
    """The documented way, interleaved."""
    assert read_calls(first("f", index=0, id="1"), first("g", index=1, id="2"), piece('{"a"', index=0),
                      piece('{"b": 2}', index=1), piece(": 1}", index=0)) == TWO  # fmt: skip


def test_without_an_index_a_new_id_opens_a_call():
    """Gemini's compatible endpoint and others leave the index out."""
    assert read_calls(first("f", id="1"), piece('{"a": 1}'), first("g", id="2"), piece('{"b": 2}')) == TWO


def test_index_zero_for_all_is_no_reason_to_mix_them():
    """A new id on the same index is another call."""
    assert read_calls(first("f", '{"a": 1}', index=0, id="1"), first("g", '{"b": 2}', index=0, id="2")) == TWO


def test_a_name_after_whole_arguments_opens_a_call():
    """Neither index nor id."""
    assert read_calls(first("f", '{"a": 1}'), first("g", '{"b": 2}')) == TWO
    assert read_calls(first("f", '{"a": 1}'), first("f", '{"a": 2}')) == [("f", '{"a": 1}'), ("f", '{"a": 2}')]


def test_two_whole_calls_in_one_chunk_are_two():
    """Also in the chunk that ends the answer."""
    both = [call("f", '{"a": 1}', id="1"), call("g", '{"b": 2}', id="2")]

    assert read_calls({"tool_calls": both}) == TWO
    assert calls_of(whole({"tool_calls": both})) == TWO


def test_calls_of_a_document_are_apart_even_without_ids():
    """Each entry of a whole list is a call."""
    both = [{"function": {"name": "f", "arguments": ""}}, {"function": {"name": "f", "arguments": ""}}]

    reply = whole({"tool_calls": both})

    assert [ToolCall("call_1", "f"), ToolCall("call_2", "f")] == list(reply.tool_calls)


def test_a_repeated_name_or_id_continues_the_call():
    """Some servers repeat both in every chunk (TGI), one appends an empty name."""
    again = [first("f", part, index=0, id="0") for part in ("{", '"a"', ": 1", "}")]

    assert read_calls(*again) == [("f", '{"a": 1}')]
    assert read_calls(first("f", "{", index=0, id="0"), first("", '"a": 1}', index=0)) == [("f", '{"a": 1}')]


def test_a_new_id_for_every_piece_is_no_new_call():
    """A call begins with a name."""
    assert read_calls(first("f", '{"a"', id="1"), piece(": 1}", id="2")) == [("f", '{"a": 1}')]
    assert read_calls(first("f", '{"a"', index=0, id="1"), piece(": 1}", index=0, id="2")) == [("f", '{"a": 1}')]


def test_a_late_name_is_waited_for():
    """Arguments that came first are kept."""
    assert read_calls(piece('{"a"', index=0, id="1"), first("f", ": 1}", index=0)) == [("f", '{"a": 1}')]


def test_a_call_that_never_gets_a_name_is_refused():
    """It cannot be answered, so it is no success."""
    with pytest.raises(ProtocolError, match="without a name"):
        read_calls(piece('{"a": 1}', index=0, id="1"))


def test_an_empty_call_is_nothing():
    """Some servers send one beside text."""
    assert streamed({"content": "a"}, piece("", index=0)).tool_calls == ()


FORMS = [
    ({"a": 1}, '{"a":1}'), (None, "{}"), ("", "{}"), ('"{\\"a\\": 1}"', '{"a": 1}'), ('"just text"', '"just text"'),
    ("{broken", "{broken"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "text"), FORMS)
def test_arguments_in_any_form_become_json_text(arguments, text):
    """An object, null, nothing, JSON inside JSON; what is broken stays as it is."""
    assert [("f", text)] == calls_of(whole({"tool_calls": [call("f", arguments)]}))
    assert [("f", text)] == read_calls(first("f", arguments, index=0, id="1"))


def test_ids_are_made_where_there_are_none_and_never_twice():
    """Unique in the conversation: TGI counts from 0 in every answer."""
    history = Request([
        {"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [call("f", id="0")]},
        {"role": "tool", "tool_call_id": "0", "content": "r"},
    ])  # fmt: skip

    reply = whole(
        {"tool_calls": [call("f", id="0"), call("g", id=None), call("h", id="call_3"), call("k", id="call_3")]},
        request=history,
    )

    assert ["call_1", "call_2", "call_3", "call_4"] == [made.id for made in reply.tool_calls]


def test_a_number_as_id_becomes_text():
    """TGI's older answers."""
    assert "7" == whole({"tool_calls": [call("f", id=7)]}).tool_calls[0].id


def test_the_old_form_is_a_tool_call():
    """function_call, whole and in pieces."""
    assert [("f", '{"a": 1}')] == calls_of(
        whole({"function_call": {"name": "f", "arguments": '{"a": 1}'}}, "function_call")
    )
    assert [("f", '{"a": 1}')] == read_calls(
        {"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": '{"a": 1}'}}
    )


def test_a_custom_tools_input_is_its_text():
    """The state says how it goes back."""
    made = {"id": "1", "type": "custom", "custom": {"name": "f", "input": "plain words"}}

    assert (
        ToolCall("1", "f", "plain words", state=Opaque("custom", "chat", {"type": "custom"}))
        == whole({"tool_calls": [made]}).tool_calls[0]
    )


def test_what_else_stands_on_a_call_is_its_state():
    """Google's signatures."""
    signed = call("f", extra_content={"google": {"thought_signature": "s"}})

    reply = whole({"tool_calls": [signed]})

    assert (
        Opaque("custom", "chat", {"extra_content": {"google": {"thought_signature": "s"}}}) == reply.tool_calls[0].state
    )
    assert reply.parts == streamed({"tool_calls": [signed]}, finish="tool_calls").parts


ARGUMENTS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


@given(st.lists(st.tuples(st.sampled_from("fgh"), ARGUMENTS), min_size=1, max_size=4), st.data())
def test_calls_come_together_however_they_are_streamed(made, data):
    """With indexes or ids or both, cut anywhere: the same calls as in a document."""
    way = data.draw(st.sampled_from(["index", "id", "both", "zero"]))
    deltas = []
    for number, (name, arguments) in enumerate(made):
        text = json.dumps(arguments)
        at = data.draw(st.integers(0, len(text)))
        place = {"index": 0 if way == "zero" else number} if way != "id" else {}
        known = {"id": f"call_x{number}"} if way != "index" else {}
        deltas += [first(name, text[:at], **place, **known), piece(text[at:], **place)]

    assert read_calls(*deltas) == [(name, json.dumps(arguments)) for name, arguments in made]


@pytest.mark.parametrize("fields", [{"function": {"name": -1}}, {"id": [], "function": {"name": "f"}}])
def test_a_name_or_an_id_is_a_text(fields):
    """Conformance RSP-08: junk is no call."""
    with pytest.raises(ProtocolError):
        whole({"tool_calls": [{"id": "1", **fields}]}, "tool_calls")
