"""Laws that hold for anything."""

import itertools
import json
import re
from typing import Any

from google_driving import NEW, OLD, body, completion, document, events, result, say, sse
from google_driving import chunk as one
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import ByollmError, Request, Text, Tool, ToolCall
from byollm_google.names import Names

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.text(min_size=1, max_size=12)
FIELDS = (
    "candidates", "content", "parts", "text", "thought", "thoughtSignature", "functionCall", "name", "args", "id",
    "inlineData", "mimeType", "data", "finishReason", "index", "usageMetadata", "promptTokenCount", "promptFeedback",
    "blockReason", "error", "status", "code", "groundingMetadata", "groundingChunks", "groundingSupports", "segment",
)  # fmt: skip
HOSTILE = st.recursive(
    JSON | st.sampled_from(("STOP", "SAFETY", "image/png", "OTHER")),
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=14,
)


@given(st.lists(HOSTILE, min_size=1, max_size=6))
def test_no_frames_crash_the_reader(frames):
    """Whatever JSON a server sends, the reader answers with events or with an error of byollm."""
    for wire, stream in ((sse(one({"text": "a"}), *frames), True), (json.dumps(frames[0]).encode(), False)):
        try:
            events(wire, stream=stream)
        except ByollmError:
            continue


@given(st.text(max_size=30), st.text(max_size=30), st.dictionaries(WORDS, JSON, max_size=3), st.data())
def test_any_cut_and_any_form_is_the_same_answer(text, thought, arguments, data):
    """Whole or streamed, in any pieces of text and of bytes."""
    call = {"functionCall": {"name": "f", "args": arguments, "id": "i"}, "thoughtSignature": "QQ=="}

    def pieces(whole, **more):
        at = data.draw(st.integers(0, len(whole)))
        return [one({"text": piece, **more}) for piece in (whole[:at], whole[at:])]

    wire = sse(*pieces(thought, thought=True), *pieces(text), one(call), one(reason="STOP"))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    cut = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True) if a < b]
    whole = completion(document({"text": thought, "thought": True}, {"text": text}, call))
    streamed = completion(cut, stream=True)

    assert (whole.parts, whole.finish_reason, whole.id) == (streamed.parts, streamed.finish_reason, streamed.id)


@given(st.sets(st.text(min_size=1, max_size=200), max_size=20))
def test_names_stay_legal_and_come_back(names):
    """Every name becomes a legal one, and is found again."""
    table = Names()
    made = {table.wire(name): name for name in sorted(names)}

    assert len(made) == len(names)
    assert all(
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}", wire) and table.back.get(wire, wire) == name
        for wire, name in made.items()
    )


PART = st.text(max_size=5).map(Text)
TURN = st.sampled_from(["user", "assistant", "system"])


@given(st.lists(st.tuples(TURN, st.lists(PART, max_size=3)), min_size=1, max_size=6))
def test_turns_alternate_and_the_user_begins(turns):
    """Whatever the history: no empty text, no two turns of one role."""
    made = body(Request([say(role, tuple(parts)) for role, parts in turns], system="s"))["contents"]
    roles = [turn["role"] for turn in made]

    assert all(part["text"] for turn in made for part in turn["parts"])
    assert all(first != second for first, second in itertools.pairwise(roles))
    assert roles[0] == "user"


@given(st.permutations(["a", "b", "c"]), st.integers(0, 3), st.sampled_from([OLD, NEW]))
def test_results_come_first_and_in_call_order(order, at, model):
    """However results and text are mixed, the turn begins with the results in the order of their calls."""
    parts: list[Any] = [result(name, name) for name in order]
    parts.insert(at, Text("and"))
    calls = say("assistant", tuple(ToolCall(name, f"f_{name}") for name in "abc"))
    made = body(Request([say("user", "hi"), calls, say("user", tuple(parts))], tools=[Tool("f_a")]), model)["contents"]

    assert ["f_a", "f_b", "f_c", None] == [part.get("functionResponse", {}).get("name") for part in made[-1]["parts"]]


@given(st.recursive(JSON, lambda inner: st.dictionaries(st.sampled_from(["$ref", "a", "output"]), inner, max_size=3)))
def test_a_result_never_refers(value):
    """Whatever JSON a tool answers, the response is an object without a `$ref`."""
    answered = say("tool", (result("a", json.dumps(value)),))
    made = body(Request([say("user", "hi"), say("assistant", (ToolCall("a", "f"),)), answered]))
    response = made["contents"][2]["parts"][0]["functionResponse"]["response"]

    def keys(inner):
        if isinstance(inner, dict):
            yield from inner
        for item in inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ():
            yield from keys(item)

    assert isinstance(response, dict)
    assert "$ref" not in set(keys(response))


def test_the_events_begin_with_started_and_end_with_finished():
    """Started once and first, Finished once and last, both ways."""
    for wire, stream in ((document({"text": "a"}), False), (sse(one({"text": "a"}), one(reason="STOP")), True)):
        kinds = [type(event).__name__ for event in events(wire, stream=stream)]
        assert (kinds[0], kinds[-1], kinds.count("Started"), kinds.count("Finished")) == ("Started", "Finished", 1, 1)
