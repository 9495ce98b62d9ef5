"""RSP-08 to RSP-10, STR-05, STR-06, STR-15: whatever the bytes, an answer or a typed error, and bounded work."""

from __future__ import annotations

import json
from typing import Any, Final

from byollm.errors import OutputInvalidError, ProtocolError, StreamInterruptedError
from byollm.types.completion import Completion
from byollm.types.parts import ToolCall
from byollm_conformance.binary import edited as edited_message
from byollm_conformance.binary import is_binary
from byollm_conformance.checks.answers import modes
from byollm_conformance.checks.calls import calling
from byollm_conformance.effort import Effort
from byollm_conformance.generate import (
    bytes_mutated,
    drawn,
    edited,
    mutated,
    mutations,
    one_of_all,
    only_text,
    put,
    replaced,
    rewritten,
    with_pieces,
)
from byollm_conformance.judge import Outcome, failed, well_formed
from byollm_conformance.mirror import TOOL
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Piece, Rendered

WIRE: Final = ("wire",)
STREAMING: Final = ("wire", "streaming")


def sound(outcome: Outcome, **evidence: Any) -> None:
    """A completion that is one, or a ByollmError. What is foreign was Broken before."""
    if isinstance(outcome, Completion):
        well_formed(outcome, **evidence)


@check(
    "RSP-08",
    "MUST",
    "Whatever node of an answer is null, of another type or missing, the outcome is a well-formed answer or a "
    "ByollmError.",
    spec="spec/events.md#9",
    needs=WIRE,
)
def node_mutations(subject: Subject, effort: Effort) -> None:
    """Every node of every document, each of nine values in its place."""
    chance = effort.random("RSP-08")
    for stream in modes(subject):
        rendered = subject.dialect.render(one_of_all(subject, events=40), stream)
        for number, path, value in drawn(mutations(rendered), effort.scaled(5), chance):
            subject.count()
            broken = mutated(rendered, number, path, value)
            sound(subject.read(broken, stream=stream), document=number, path=path, value=value, stream=stream)


@check(
    "RSP-09",
    "MUST",
    "Whatever bytes of an answer are changed, lost or added, the outcome is a well-formed answer or a ByollmError.",
    spec="spec/events.md#10",
    needs=WIRE,
)
def byte_mutations(subject: Subject, effort: Effort) -> None:
    """Half of the examples whole, half streamed."""
    chance = effort.random("RSP-09")
    choices = modes(subject)
    rendered = [(stream, subject.dialect.render(one_of_all(subject, events=None), stream)) for stream in choices]
    for number in range(max(150, effort.scaled(2))):
        subject.count()
        stream, whole = rendered[number % len(rendered)]
        body = bytes_mutated(whole.body, chance)
        sound(subject.read((200, whole.headers, body), stream=stream), body=body, stream=stream)


DEPTH: Final = 100_000


@check(
    "RSP-10",
    "MUST",
    "Bombs (deep nesting, a hundred thousand members, numbers beyond any range, members twice) end in an answer or a "
    "ByollmError, in tool arguments too.",
    spec="spec/events.md#11",
    needs=WIRE,
)
def bombs(subject: Subject, effort: Effort) -> None:
    """In place of the document, of its nodes, and inside its texts."""
    deep = b"[" * DEPTH + b"]" * DEPTH
    wide = json.dumps({f"k{number}": number for number in range(100_000)}).encode()
    whole: list[bytes] = [deep, b'{"a":' * DEPTH, wide, b"1e999", b"-1e999", b'{"a":1,"a":2}', b"1" * 5_000]
    plain = subject.dialect.render(only_text("ZZ-TEXT"), False)
    for bomb in (deep, b"1e999", b"NaN", b'{"a":1,"a":2}', b"1" * 5_000):
        whole.append(plain.body.replace(b'"ZZ-TEXT"', bomb))
    for body in whole:
        subject.count()
        sound(subject.read((200, {"content-type": "application/json"}, body)), body=body)
    if not subject.support("tools").refused:
        _argument_bombs(subject)
    top = rewritten(plain, lambda document: put(document, (next(iter(document)),), {"a": 10**400}))
    sound(subject.read(top), body=top.body)


def _argument_bombs(subject: Subject) -> None:
    for stream in modes(subject):
        rendered = subject.dialect.render(calling(ToolCall("call_1", TOOL.name, "ZZ-ARGUMENTS"), events=10**6), stream)
        bomb = '{"a":' + "[" * DEPTH
        changed = rewritten(rendered, lambda document, bomb=bomb: replaced(document, "ZZ-ARGUMENTS", bomb))  # type: ignore[misc]  # bound now
        outcome = subject.read(changed, stream=stream)
        sound(outcome)
        for call in outcome.tool_calls if isinstance(outcome, Completion) else ():
            try:
                _ = call.args
            except OutputInvalidError:
                continue


@check(
    "STR-05",
    "MUST",
    "Bytes that are no UTF-8 are a ProtocolError, never a text with holes.",
    spec="spec/events.md#17",
    needs=WIRE,
)
def invalid_utf8(subject: Subject, effort: Effort) -> None:
    """In the middle of a text, whole and streamed."""
    for stream in modes(subject):
        rendered = subject.dialect.render(only_text("before ZZ after", events=None), stream)
        for junk in (b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x99"):
            subject.count()
            broken = edited(rendered, b"ZZ", junk)
            body = broken.body
            if body == rendered.body:
                raise Unsaid("in this dialect no text stands as its own bytes in an answer")
            outcome = subject.read(broken, stream=stream)
            error = failed(outcome, "bytes that are no text became one", body=body, stream=stream)
            if not isinstance(error, ProtocolError):
                raise Broken(f"bytes that are no text became {type(error).__name__}", body=body)


@check(
    "STR-06",
    "MUST",
    "An event that cannot be read is an error, never skipped.",
    spec="spec/events.md#18",
    needs=STREAMING,
)
def corrupt_events(subject: Subject, effort: Effort) -> None:
    """Each event up to the terminal marker in turn: cut in the middle, and of a type that no event has."""
    rendered = subject.dialect.render(one_of_all(subject, events=40), True)
    last = max(index for index, piece in enumerate(rendered.pieces) if piece.role == "finish")
    for index in range(last + 1):
        for data in _corrupt(rendered, rendered.pieces[index].data):
            subject.count()
            pieces = [*rendered.pieces[:index], Piece(data), *rendered.pieces[index + 1 :]]
            outcome = subject.read(with_pieces(rendered, pieces), stream=True)
            failed(outcome, "an event that cannot be read was passed over", event=index, data=data)


def _corrupt(rendered: Rendered, piece: bytes) -> tuple[bytes, bytes]:
    if not is_binary(rendered.headers):
        return piece[: piece.rindex(b"}")] + b"\n\n", piece[: piece.index(b"{")] + b"[1, 2]\n\n"
    return edited_message(piece, lambda data: data[: data.rindex(b"}")]), edited_message(piece, lambda data: b"[1, 2]")


MEGABYTE: Final = 1024 * 1024
FLOODS: Final = {
    "a line without end": b"x" * MEGABYTE,
    "an event without end": (b"data: " + b"x" * 1018 + b"\n") * 1024,
}


@check(
    "STR-15",
    "MUST",
    "An answer that never ends a line or an event is stopped at a limit.",
    spec="spec/events.md#26",
    needs=STREAMING,
)
def floods(subject: Subject, effort: Effort) -> None:
    """40 MB of each, in pieces of one. Nothing is ever complete in them."""
    head = {"content-type": "text/event-stream"}
    for name, piece in FLOODS.items():
        subject.count()
        before = b"data: " if name != "an event without end" else b""
        outcome = subject.read((200, head, [before + piece, *[piece] * 39]), stream=True)
        error = failed(outcome, f"{name} became an answer")
        if isinstance(error, StreamInterruptedError):
            raise Broken(f"{name} was kept to its end, whatever its size", error=error.message)
