"""What is tried is legal, differs, and is the same in every run with the same seed."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from byollm.plugin import Request
from byollm_conformance import pools, strategies
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken
from byollm_conformance.subject import Subject
from byollm_conformance.wires import wire_for
from byollm_openai import provider as openai

EFFORT = Effort(max_examples=100)


def subject() -> Subject:
    return Subject(openai, api="chat", model="gpt-4.1", dialect=wire_for("chat", model="gpt-4.1"))


def test_pools_begin_with_the_simplest() -> None:
    """What breaks a promise is shown in its smallest form."""
    for pool in (pools.texts(), pools.names()):
        assert all(len(one) <= len(other) for one, other in pairwise(pool))


def test_texts_can_be_sent() -> None:
    """No text holds what every provider refuses, and none is empty."""
    assert all(text and "\x00" not in text and text.encode("utf-8") for text in pools.texts())


def test_objects_are_json() -> None:
    """They come back from their text as they were."""
    assert all(value == json.loads(pools.compact(value)) for value in pools.objects())


def test_requests_are_legal() -> None:
    """The vendor would take each of them."""
    one, refused = subject(), []

    def taken(request: Request) -> None:
        refused.append(one.rejected(request))

    EFFORT.each(one, strategies.requests(one), taken)
    assert {None} == set(refused)


def test_requests_differ() -> None:
    """A hundred examples are nearly as many requests."""
    one, seen = subject(), set()
    EFFORT.each(one, strategies.requests(one), lambda request: seen.add(repr(request)))

    assert len(seen) > 80


def test_the_seed_decides() -> None:
    """The same seed draws the same examples, another one others."""

    def drawn(effort: Effort) -> list[str]:
        found: list[str] = []
        effort.each(subject(), strategies.texts(), found.append)
        return found

    assert drawn(EFFORT) == drawn(EFFORT)
    assert drawn(EFFORT) != drawn(Effort(max_examples=100, seed=7))
    assert EFFORT.random("a").random() == EFFORT.random("a").random() != EFFORT.random("b").random()


def test_a_broken_promise_is_shrunk() -> None:
    """The evidence holds the smallest example that was found, and every example was counted."""
    one = subject()

    def short(text: str) -> None:
        if len(text) > 3:
            raise Broken("too long")

    with pytest.raises(Broken) as caught:
        EFFORT.each(one, strategies.texts(), short)

    assert 4 == len(caught.value.evidence["example"])
    assert one.examples > 1


@pytest.mark.parametrize("data", [b"", b"x", b"hello world"])
def test_pieces_join_to_the_whole(data: bytes) -> None:
    """However the bytes are cut."""
    EFFORT.each(subject(), strategies.chunkings(data), lambda pieces: _equal(data, b"".join(pieces)))


def _equal(expected: bytes, actual: bytes) -> None:
    if expected != actual:
        raise Broken("bytes got lost", expected=expected, got=actual)
