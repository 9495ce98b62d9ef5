"""REQ-18, LAW-08: twice the input, twice the work: counted in calls and bytes, never by a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from byollm.types.messages import Message, assistant, user
from byollm.types.parts import Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm_conformance.checks.cuts import Fed
from byollm_conformance.effort import Effort
from byollm_conformance.generate import only_text
from byollm_conformance.measure import calls, memory
from byollm_conformance.mirror import TOOL
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Piece

MOST: Final = 2.7
"""Twice the input may cost so many times as much: 2 is linear, 4 is quadratic."""
MEGABYTE: Final = 1024 * 1024


def linear(words: str, cost: Callable[[int], int], size: int) -> None:
    """Raises Broken when the cost of twice the size is not about twice the cost."""
    once, twice = cost(size), cost(2 * size)
    if twice > MOST * max(once, 1):
        raise Broken(f"{words} grows faster than its input", size=size, cost=once, twice_the_size=twice)


@check(
    "REQ-18",
    "MUST",
    "A long conversation, many tools and a large text are translated with work that grows as they do.",
    spec="spec/messages.md#16",
    needs=("wire",),
)
def large_requests(subject: Subject, effort: Effort) -> None:
    """Calls for turns and tools, bytes for one text of a megabyte and of two."""
    turns = 60 + effort.scaled(0.3)
    requests: list[tuple[str, Callable[[int], Request]]] = [("a conversation", _conversation)]
    if not subject.support("tools").refused:
        requests.append(("a history of calls", _loops))
    subject.translate(_conversation(3))
    for words, made in requests:
        subject.count(2)
        linear(f"the work for {words}", lambda size, made=made: _calls(subject, made(size)), turns)  # type: ignore[misc]  # bound now
    subject.count(2)
    linear("the memory for a large text", lambda size: memory([lambda: subject.translate(_text(size))]), MEGABYTE)


def _calls(subject: Subject, request: Request) -> int:
    return calls(lambda: subject.translate(request))


def _text(size: int) -> Request:
    return Request([user("ü漢 x\n" * (size // 5))])


def _conversation(turns: int) -> Request:
    messages = [message for number in range(turns) for message in (user(f"question {number}"), assistant("an answer"))]
    return Request([*messages, user("and now?")])


def _loops(turns: int) -> Request:
    messages: list[Message] = [user("hi")]
    for number in range(turns):
        call = ToolCall(f"call_{number}", TOOL.name, '{"word":"tea"}')
        messages += [Message("assistant", (call,)), Message("tool", (ToolResult(call.id, (Text("ok"),)),))]
    return Request(messages, tools=[TOOL])


@check(
    "LAW-08",
    "MUST",
    "An answer twice as long is read with about twice the calls and twice the bytes: its texts, its arguments, its "
    "many calls.",
    spec="spec/events.md#41",
    needs=("wire", "streaming"),
)
def large_answers(subject: Subject, effort: Effort) -> None:
    """Streams of many small deltas; one event that comes in many small pieces."""
    number = 100 + effort.scaled(0.5)
    made: list[tuple[str, Callable[[int], Answer]]] = [("a long text", _long_text)]
    if not subject.support("tools").refused:
        made += [("long arguments", _long_arguments), ("many calls", _many_calls)]
    _read(subject, _long_text(5))()
    for words, answer in made:
        size = number if words != "many calls" else number // 6
        subject.count(2)
        linear(f"the work to read {words}", lambda size, answer=answer: calls(_read(subject, answer(size))), size)  # type: ignore[misc]  # bound now
        linear(f"the memory to read {words}", lambda size, answer=answer: _memory(subject, answer(size)), size)  # type: ignore[misc]  # bound now
    linear("the memory to read one large event", lambda size: _pieces(subject, size), number)


def _long_text(size: int) -> Answer:
    return only_text("0123456789abcdef" * 4 * size, events=64)


def _long_arguments(size: int) -> Answer:
    text = '{"word":"' + "0123456789abcdef" * 4 * size + '"}'
    return Answer(parts=(ToolCall("call_1", TOOL.name, text),), events=64)


def _many_calls(size: int) -> Answer:
    return Answer(parts=tuple(ToolCall(f"call_{at}", TOOL.name, '{"word":"tea"}') for at in range(size)), events=8)


def _steps(subject: Subject, pieces: list[bytes], headers: Any) -> list[Callable[[], Any]]:
    reader = Fed(subject, headers)
    return [lambda piece=piece: reader.feed(piece) for piece in [*pieces, b""]]  # type: ignore[misc]  # bound now


def _read(subject: Subject, answer: Answer) -> Callable[[], None]:
    rendered = subject.dialect.render(answer, True)
    steps = _steps(subject, [piece.data for piece in _deltas(rendered.pieces)], rendered.headers)

    def run() -> None:
        for step in steps:
            step()

    return run


def _memory(subject: Subject, answer: Answer) -> int:
    rendered = subject.dialect.render(answer, True)
    return memory(_steps(subject, [piece.data for piece in _deltas(rendered.pieces)], rendered.headers))


def _deltas(pieces: tuple[Piece, ...]) -> list[Piece]:
    """Without events that repeat the whole answer, which are large by themselves: the deltas are what is measured."""
    return [piece for piece in pieces if len(piece.data) < 2_000]


def _pieces(subject: Subject, number: int) -> int:
    rendered = subject.dialect.render(only_text("x" * 64 * number, events=None), True)
    body = rendered.body
    return memory(_steps(subject, [body[at : at + 64] for at in range(0, len(body), 64)], rendered.headers))
