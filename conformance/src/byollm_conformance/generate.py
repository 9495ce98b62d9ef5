"""What checks make: answers in a row, the same answer written otherwise, bytes broken in every way.

Strategies make what is legal, one by one, and shrink. Here are plain loops: cheaper, and for what is not legal.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final, TypeVar

from byollm.types.parts import Part, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_conformance import binary, pools
from byollm_conformance.effort import Effort
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Piece, Rendered

T = TypeVar("T")
_POOL: Final = 80


# answers in a row


@cache
def _answers(seed: int, tools: bool, reasoning: bool) -> tuple[Answer, ...]:
    chance = random.Random(seed)
    return tuple([_answer(chance, tools, reasoning) for _ in range(_POOL)])


def _answer(chance: random.Random, tools: bool, reasoning: bool) -> Answer:
    calls = [
        ToolCall(f"call_{number}", chance.choice(pools.names()), pools.compact(chance.choice(pools.objects())))
        for number in range(chance.choice((0, 0, 1, 2, 3)) if tools else 0)
    ]
    parts: list[Part] = [Reasoning(chance.choice(pools.texts()))] if reasoning else []
    if not calls or chance.random() < 0.7:
        parts.append(Text(chance.choice(pools.texts())))
    return Answer(
        parts=(*parts, *calls),
        finish_reason="tool_calls" if calls else chance.choice(("stop", "length")),
        usage=Usage(chance.randint(1, 10**6), chance.randint(1, 10**6)),
        id=f"answer-{chance.randint(1, 10**9)}",
        model="the-model-that-served",
        events=chance.choice((1, 3, 7, None)),
    )


def some_answers(subject: Subject, effort: Effort, share: float = 0.1, label: str = "") -> list[Answer]:
    """Answers that the subject may be given, the shortest first: a share of `max_examples`, drawn without shrinking."""
    tools, reasoning = not subject.support("tools").refused, not subject.support("reasoning").refused
    pool = _answers(effort.seed, tools, reasoning)
    chosen = effort.random(f"answers {label}").sample(pool, min(len(pool), effort.scaled(share)))
    return sorted((spared(subject, answer) for answer in chosen), key=lambda answer: len(repr(answer.parts)))


def spared(subject: Subject, answer: Answer) -> Answer:
    """The answer without what means something else at this server, `<think>` for one."""
    parts = answer.parts
    for word in subject.reserved:
        parts = tuple(
            [replace(part, text=part.text.replace(word, "")) if isinstance(part, Text) else part for part in parts]
        )
    return answer if parts is answer.parts else replace(answer, parts=parts)


def one_of_all(subject: Subject, **changes: Any) -> Answer:
    """An answer with one part of each kind that the subject may be given."""
    parts: list[Part] = [] if subject.support("reasoning").refused else [Reasoning("First I think. 🙂")]
    parts.append(Text("Then I say ü."))
    if not subject.support("tools").refused:
        parts.append(ToolCall("call_1", "look_up", '{"word":"tea"}'))
        parts.append(ToolCall("call_2", "look_up", '{"word":"cup","n":[1,2]}'))
    values: dict[str, Any] = {
        "parts": tuple(parts),
        "usage": Usage(120, 34),
        "id": "answer-1",
        "model": "the-model-that-served",
        "events": 7,
    }
    return Answer(**{**values, **changes})


def has_ids(subject: Subject) -> bool:
    """Does the dialect tell the ids of calls? The twin's own answer says so, never the plugin."""
    probe = Answer(parts=(ToolCall("zz-id-probe", "look_up", "{}"),))
    return any(holds(document, "zz-id-probe") for document in documents(subject.dialect.render(probe, False)))


def only_text(text: str = "The answer is forty-two.", **changes: Any) -> Answer:
    """An answer of one text."""
    return Answer(**{"parts": (Text(text),), "usage": Usage(12, 5), "id": "answer-1", **changes})


# the same answer, written otherwise


def rewritten(rendered: Rendered, change: Callable[[Any], Any]) -> Rendered:
    """Every JSON document in the bytes replaced by `change(document)`; frames and what is no JSON stay."""
    if binary.is_binary(rendered.headers):
        return with_pieces(rendered, [Piece(binary.rewritten(p.data, change), p.role) for p in rendered.pieces])
    pieces = [Piece(b"\n".join([_line(line, change) for line in p.data.split(b"\n")]), p.role) for p in rendered.pieces]
    return Rendered(rendered.status, rendered.headers, tuple(pieces))


def edited(rendered: Rendered, old: bytes, new: bytes) -> Rendered:
    """The bytes `old` replaced by `new` in every document, whatever the frames around it."""
    if not binary.is_binary(rendered.headers):
        pieces = [Piece(piece.data.replace(old, new), piece.role) for piece in rendered.pieces]
    else:
        pieces = [
            Piece(binary.edited(piece.data, lambda data: data.replace(old, new)), piece.role)
            for piece in rendered.pieces
        ]
    return with_pieces(rendered, pieces)


def _line(line: bytes, change: Callable[[Any], Any]) -> bytes:
    for prefix in (b"data: ", b"data:", b""):
        if line.startswith(prefix) and line[len(prefix) : len(prefix) + 1] in (b"{", b"["):
            try:
                document = json.loads(line[len(prefix) :])
            except ValueError:
                return line
            return prefix + json.dumps(change(document), ensure_ascii=False, separators=(",", ":")).encode()
    return line


def documents(rendered: Rendered) -> list[Any]:
    """Every JSON document in the bytes, in order."""
    found: list[Any] = []

    def keep(document: Any) -> Any:
        found.append(document)
        return document

    rewritten(rendered, keep)
    return found


def cut_at(rendered: Rendered, place: int) -> tuple[int, Mapping[str, str], bytes]:
    """The first `place` bytes of an answer."""
    return rendered.status, rendered.headers, rendered.body[:place]


def deep(value: Any, change: Callable[[Any], Any]) -> Any:
    """JSON data with `change` applied to every node, the innermost first."""
    if isinstance(value, Mapping):
        value = {key: deep(inner, change) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [deep(inner, change) for inner in value]
    return change(value)


GONE: Final = object()
"""Put in a node's place it takes the node out."""


def replaced(document: Any, old: Any, new: Any) -> Any:
    """JSON data with every node that equals `old` (of the same type) replaced by `new`, or taken out by GONE."""

    def change(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: inner for key, inner in node.items() if inner is not GONE}
        if isinstance(node, list):
            return [inner for inner in node if inner is not GONE]
        return new if type(node) is type(old) and node == old else node

    return deep(document, change)


def holds(document: Any, value: Any) -> bool:
    """Is a node of the JSON data equal to `value`, and of its type?"""
    found = []

    def look(node: Any) -> Any:
        if type(node) is type(value) and node == value:
            found.append(node)
        return node

    deep(document, look)
    return bool(found)


def shuffled(document: Any, chance: random.Random, kept: Sequence[Any] = ()) -> Any:
    """JSON data with the members of every object in another order, those of `kept` (arguments of tools) left alone."""

    def change(node: Any) -> Any:
        return dict(chance.sample(list(node.items()), len(node))) if isinstance(node, dict) else node

    return _outside(document, kept, change)


# bytes and nodes broken in every way

VALUES: Final[tuple[Any, ...]] = (None, [], {}, "x", -1, True, 1.5, 10**30, GONE)
"""What stands in a node's place."""


def paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every node."""
    yield path
    members: Iterable[tuple[Any, Any]] = ()
    if isinstance(document, Mapping):
        members = document.items()
    elif isinstance(document, list):
        members = enumerate(document)
    for key, inner in members:
        yield from paths(inner, (*path, key))


def put(document: Any, path: Sequence[Any], value: Any) -> Any:
    """A copy with `value` at the end of a path; GONE takes the node out."""
    if not path:
        return {} if value is GONE else value
    made = copy.copy(document)
    if value is GONE and len(path) == 1:
        del made[path[0]]
    else:
        made[path[0]] = put(document[path[0]], path[1:], value)
    return made


def mutations(rendered: Rendered) -> Iterator[tuple[int, tuple[Any, ...], Any]]:
    """Every (document, path, value) there is to try."""
    for number, document in enumerate(documents(rendered)):
        for path in paths(document):
            for value in VALUES:
                yield number, path, value


def mutated(rendered: Rendered, number: int, path: Sequence[Any], value: Any) -> Rendered:
    """The answer with one node of its document `number` replaced."""
    seen = iter(range(10**9))
    return rewritten(rendered, lambda document: put(document, path, value) if next(seen) == number else document)


_JUNK: Final = (
    b"null", b"[]", b'"', b"{", b"}", b"1e999", b"\xff", b"\x00", b"data: ", b"\n\n", b"\r", b"event: error\n",
)  # fmt: skip


def bytes_mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four bytes or runs changed, taken out, or put in."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place, way = chance.randrange(len(made) + 1), chance.random()
        if way < 0.4 and place < len(made):
            made[place] = chance.randrange(256)
        elif way < 0.7:
            del made[place : place + chance.randint(1, 8)]
        else:
            made[place:place] = chance.choice(_JUNK)
    return bytes(made)


def with_unknown(document: Any, kept: Sequence[Any]) -> Any:
    """JSON data with a member nobody knows in every object, those of `kept` (arguments of tools) left alone."""

    def change(node: Any) -> Any:
        return {**node, "zz_unknown": {"a": [1, None]}} if isinstance(node, dict) and node not in kept else node

    return _outside(document, kept, change)


def _outside(document: Any, kept: Sequence[Any], change: Callable[[Any], Any]) -> Any:
    if isinstance(document, dict):
        if document in kept:
            return document
        document = {key: _outside(inner, kept, change) for key, inner in document.items()}
    elif isinstance(document, list):
        document = [_outside(inner, kept, change) for inner in document]
    return change(document)


def with_pieces(rendered: Rendered, pieces: Sequence[Piece]) -> Rendered:
    """The answer with other pieces."""
    return replace(rendered, pieces=tuple(pieces))


def drawn(items: Iterable[T], number: int, chance: random.Random) -> list[T]:
    """At most `number` of them, evenly drawn."""
    found = list(items)
    return found if len(found) <= number else chance.sample(found, number)
