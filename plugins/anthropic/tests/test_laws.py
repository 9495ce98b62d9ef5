"""Laws that hold for anything."""

import itertools
import json
import re
from typing import Any

from anthropic_driving import block, body, completion, document, ended, events, result, say, sse, started
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import ByollmError, Request, Text, Tool, ToolCall
from byollm_anthropic.names import Names, wire_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.text(min_size=1, max_size=12)
FIELDS = (
    "type",
    "index",
    "message",
    "content_block",
    "delta",
    "usage",
    "content",
    "id",
    "name",
    "input",
    "stop_reason",
)
KINDS = (
    "message", "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "error", "text", "thinking", "tool_use", "text_delta", "input_json_delta", "signature_delta",
)  # fmt: skip
HOSTILE = st.recursive(
    JSON | st.sampled_from(KINDS),
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(HOSTILE, min_size=1, max_size=6))
def test_no_frames_crash_the_reader(frames):
    """Whatever JSON a server sends, the reader answers with events or with an error of byollm."""
    for wire in (
        b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in [started(), *frames]),
        json.dumps(frames[0]).encode(),
    ):
        try:
            found = completion(wire, stream=wire.startswith(b"data"))
        except ByollmError:
            continue
        assert found.finish_reason is None or found.raw_finish_reason


@given(st.text(max_size=30), st.text(max_size=30), st.dictionaries(WORDS, JSON, max_size=3), st.data())
def test_any_cut_and_any_form_is_the_same_answer(text, thought, arguments, data):
    """Whole or streamed, in any pieces of text, of JSON and of bytes."""
    content = [
        {"type": "thinking", "thinking": thought, "signature": "s"},
        {"type": "text", "text": text},
        {"type": "tool_use", "id": "t", "name": "f", "input": arguments},
    ]
    written = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))

    def pieces(whole, kind, field):
        at = data.draw(st.integers(0, len(whole)))
        return [{"type": kind, field: piece} for piece in (whole[:at], whole[at:])]

    wire = sse(
        started(),
        *block(0, {"type": "thinking", "thinking": ""}, *pieces(thought, "thinking_delta", "thinking"),
               {"type": "signature_delta", "signature": "s"}),
        *block(1, {"type": "text", "text": ""}, *pieces(text, "text_delta", "text")),
        *block(2, {**content[2], "input": {}}, *pieces(written, "input_json_delta", "partial_json")),
        *ended("tool_use"),
    )  # fmt: skip
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    cut = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True) if a < b]

    assert completion(document(content, "tool_use")) == completion(cut, stream=True)


@given(st.sets(st.text(max_size=20), max_size=30))
def test_ids_stay_legal_and_apart(ids):
    """Every id becomes a legal one, and two never become one."""
    made = {wire_id(text) for text in ids}

    assert len(made) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", text) for text in made)


@given(st.sets(st.text(min_size=1, max_size=200), max_size=20))
def test_names_stay_legal_and_come_back(names):
    """Every name becomes a legal one, and is found again."""
    table = Names()
    made = {table.wire(name): name for name in sorted(names)}

    assert len(made) == len(names)
    assert all(
        re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", wire) and table.back.get(wire, wire) == name
        for wire, name in made.items()
    )


PART = st.text(max_size=5).map(Text)
TURN = st.sampled_from(["user", "assistant", "system"])


@given(st.lists(st.tuples(TURN, st.lists(PART, max_size=3)), min_size=1, max_size=6))
def test_no_blank_text_and_no_two_turns_of_one_role_reach_the_wire(turns):
    """Whatever the history, blank blocks are gone, users and assistants take turns, and the user begins."""
    try:
        made = body(Request([say(role, tuple(parts)) for role, parts in turns], system="s"))
    except ByollmError:
        return
    contents = [turn["content"] for turn in made["messages"]]
    texts = [
        text
        for content in contents
        for text in ([content] if isinstance(content, str) else [b["text"] for b in content])
    ]
    roles = [turn["role"] for turn in made["messages"]]

    assert all(text.strip() for text in texts)
    assert all(first != second for first, second in itertools.pairwise(roles))
    assert roles[0] == "user"


@given(st.permutations(["a", "b", "c"]), st.integers(0, 3))
def test_results_come_first_in_any_order(order, at):
    """However results and text are mixed, the turn begins with all results, in the order they were given."""
    parts: list[Any] = [result(name, name) for name in order]
    parts.insert(at, Text("and"))
    calls = say("assistant", tuple(ToolCall(name, "f") for name in "abc"))
    made = body(Request([say("user", "hi"), calls, say("user", tuple(parts))], tools=[Tool("f")]))["messages"][-1]

    assert [*order, None] == [block.get("tool_use_id") for block in made["content"]]


def test_the_events_begin_with_started_and_end_with_finished():
    """Started once and first, Finished once and last, both ways."""
    for wire, stream in ((document([{"type": "text", "text": "a"}]), False), (sse(started(), *ended()), True)):
        kinds = [type(event).__name__ for event in events(wire, stream=stream)]
        assert (kinds[0], kinds[-1], kinds.count("Started"), kinds.count("Finished")) == ("Started", "Finished", 1, 1)
