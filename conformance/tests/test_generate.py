"""What checks make and how they judge: the same answer otherwise, broken answers, work that is counted."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from byollm.types.parts import Part, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_conformance import measure
from byollm_conformance.generate import (
    GONE,
    bytes_mutated,
    documents,
    drawn,
    holds,
    mutated,
    mutations,
    only_text,
    put,
    replaced,
    rewritten,
    shuffled,
    with_unknown,
)
from byollm_conformance.judge import alike, ordered, spoken, well_formed
from byollm_conformance.model import Broken
from byollm_conformance.wire import Piece, Rendered
from byollm_conformance.zoo.reference import reference_subject
from byollm_conformance.zoo.wire import zoo_wire


def events(*documents: Any) -> Rendered:
    pieces = [Piece(b"event: x\ndata: " + json.dumps(document).encode() + b"\n\n") for document in documents]
    return Rendered(200, {}, (*pieces, Piece(b"data: [DONE]\n\n", "done")))


def test_documents_are_rewritten_where_they_stand() -> None:
    """Names of events, blank lines and end lines stay."""
    made = rewritten(events({"a": 1}), lambda document: {**document, "b": "ü"})

    assert 'event: x\ndata: {"a":1,"b":"ü"}\n\ndata: [DONE]\n\n'.encode() == made.body
    assert [{"a": 1, "b": "ü"}] == documents(made)


def test_nodes_are_replaced_by_value_and_type() -> None:
    """1 is not True, and GONE takes the member out."""
    document = {"a": [1, True, "x"], "b": {"c": "x"}}

    assert {"a": [1, True], "b": {}} == replaced(document, "x", GONE)
    assert {"a": [2, True, "x"], "b": {"c": "x"}} == replaced(document, 1, 2)
    assert holds(document, True)
    assert not holds(document, 2)


def test_every_node_is_tried() -> None:
    """The document itself, its members, the members of those; each with every value."""
    tried = list(mutations(events({"a": [1]})))

    assert {(), ("a",), ("a", 0)} == {path for _, path, _ in tried}
    assert [{"a": []}] == documents(mutated(events({"a": [1]}), 0, ("a", 0), GONE))


def test_the_original_is_left_alone() -> None:
    """Copies are made along the path."""
    document = {"a": {"b": 1}}

    assert {"a": {"b": None}} == put(document, ("a", "b"), None)
    assert {"a": {"b": 1}} == document


def test_bytes_are_changed_by_the_seed() -> None:
    """The same seed makes the same junk."""
    data = b"data: hello there\n\n" * 9

    assert bytes_mutated(data, random.Random(1)) == bytes_mutated(data, random.Random(1)) != data


def test_unknown_members_stay_out_of_arguments() -> None:
    """They would be arguments."""
    made = with_unknown({"input": {"q": 1}, "more": {}}, [{"q": 1}])

    assert {"q": 1} == made["input"]
    assert "zz_unknown" in made["more"]
    assert list(shuffled({"x": {"q": 1, "r": 2}}, random.Random(3), [{"q": 1, "r": 2}])["x"]) == ["q", "r"]


def test_neighbouring_texts_are_one() -> None:
    """What is said counts, not how it is cut; the order of arguments counts."""
    parts: list[Part] = [Reasoning("a"), Text("b"), Text("c"), ToolCall("1", "f", '{"x":1,"y":2}')]

    assert [("reasoning", "a"), ("text", "bc"), ("call", "1", "f", ordered('{"x": 1, "y": 2}'))] == spoken(parts)
    assert ordered('{"y":2,"x":1}') != ordered('{"x":1,"y":2}')
    assert "{oops" == ordered("{oops")


def test_what_differs_is_named() -> None:
    """Of two mappings, the members."""
    with pytest.raises(Broken, match=r"differ: b$") as caught:
        alike({"a": 1, "b": 2}, {"a": 1, "b": 3}, "they differ")

    assert {"expected": {"b": 2}, "got": {"b": 3}} == caught.value.evidence


@pytest.mark.parametrize("usage", [Usage(-1), Usage(1.5), Usage(10**30), Usage(True)])  # type: ignore[arg-type]  # junk
def test_junk_is_no_answer(usage: Usage) -> None:
    """Counts that are none."""
    reply: Any = reference_subject().read(zoo_wire().render(only_text(), False))
    reply.usage = usage

    with pytest.raises(Broken, match="junk"):
        well_formed(reply)


def test_few_are_drawn_of_many() -> None:
    """And all of few."""
    assert [1, 2] == drawn(iter((1, 2)), 5, random.Random(1))
    assert 5 == len(set(drawn(range(100), 5, random.Random(1))))


def test_calls_are_counted() -> None:
    """Twice the work makes about twice the calls."""

    def work(size: int) -> int:
        return measure.calls(lambda: [abs(number) for number in range(size)])

    assert work(100) < work(200) <= 2 * work(100)


def test_memory_is_counted_step_by_step() -> None:
    """What is copied in every step counts in every step."""
    kept: list[bytes] = []

    def grow() -> None:
        kept.append(b"".join(kept) + b"x" * 10_000)

    assert measure.memory([lambda: b"x" * 1_000_000] * 3) > 3_000_000
    assert measure.memory([grow] * 8) > 8 * 10_000 * 8


def test_clocks_and_chance_are_heard() -> None:
    """While somebody listens."""
    assert ["time.time"] == measure.asked(time.time, lambda: True)
    assert [] == measure.asked(time.time, lambda: False)
    assert measure.asked(random.random, lambda: True)
