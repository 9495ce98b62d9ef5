"""STC: data in the shape that was asked for, there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.errors import ByollmError, OutputInvalidError
from byollm.types.capabilities import Support
from byollm.types.completion import Completion
from byollm.types.parts import Text
from byollm.types.request import Request
from byollm_conformance.checks.answers import NO_REFUSAL, made, modes
from byollm_conformance.checks.sampling import is_told, settled
from byollm_conformance.effort import Effort
from byollm_conformance.generate import paths
from byollm_conformance.judge import alike, completed
from byollm_conformance.mirror import SCHEMA
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer
from byollm_conformance.words import says

FORMATS: Final[tuple[Mapping[str, Any], ...]] = (
    SCHEMA,
    {
        "type": "object",
        "properties": {
            "a": {"type": "string", "minLength": 2, "pattern": "^x"},
            "b": {"type": "integer", "maximum": 9},
        },
        "required": ["a"],
    },
    {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string"}, "minItems": 2}}},
)


@check(
    "STC-01",
    "MUST",
    "`output_schema` arrives whole; a keyword that is left out or changed is reported, or the call is refused.",
    spec="spec/messages.md#23",
    needs=("wire", "structured_output"),
)
def output_schema(subject: Subject, effort: Effort) -> None:
    """Closing objects and requiring members narrows the schema, and is the dialect's business."""
    for schema in FORMATS:
        subject.count()
        request = Request("hi", output_schema=schema)
        try:
            made = subject.translate(request)
        except ByollmError as error:
            if schema is SCHEMA and subject.support("structured_output") is Support.full:
                raise Broken(f"structured_output is declared full, and refused: {error.message}") from None
            continue
        sent = subject.seen(made).output_schema
        if sent is None:
            raise Broken("the schema was not sent", request=request, body=made.body)
        lost = _lost(schema, sent)
        if lost and not is_told(made, "output_schema"):
            raise Broken("parts of the schema were changed without a word", lost=lost, request=request, body=made.body)
    name = next(iter(_names(subject)), "")
    if name:
        raise Broken(name)


def _names(subject: Subject) -> list[str]:
    """The schema may have a name on the wire; it must be one that the provider takes."""
    made = subject.translate(Request("hi", output_schema={**SCHEMA, "title": "Größe der Welt"}))
    rejection = subject.rejected(made)
    return [f"the provider would refuse the schema: {rejection.message}"] if rejection is not None else []


def _lost(given: Any, sent: Any) -> list[str]:
    """The paths of `given` that are not in `sent` with the same value."""
    lost = []
    for path in paths(given):
        ours, theirs = given, sent
        for step in path:
            ours = ours[step]
            try:
                theirs = theirs[step]
            except (KeyError, IndexError, TypeError):
                theirs = None
                break
        if not isinstance(ours, Mapping | list | tuple) and ours != theirs:
            lost.append(".".join(map(str, path)))
    return lost


def _structured(subject: Subject, answer: Answer, words: str) -> None:
    request = Request("hi", output_schema=SCHEMA, **settled(subject))
    for stream in modes(subject):
        subject.count()
        rendered = subject.dialect.render(answer, stream)
        outcome = subject.read(rendered, stream=stream, request=request)
        if not isinstance(outcome, Completion):
            continue
        try:
            value = outcome.parsed
        except OutputInvalidError:
            continue
        raise Broken(words, got=value, stream=stream, body=rendered.body)


@check(
    "STC-02",
    "MUST",
    "A refused or filtered answer is never read as the data that was asked for.",
    spec="spec/events.md#37",
    needs=("wire", "structured_output"),
)
def refused_data(subject: Subject, effort: Effort) -> None:
    """Even when its text happens to fit."""
    text = Text('{"answer": "yes"}')
    filtered, refusal = made(text, finish_reason="content_filter"), made(text, refusal="I will not.")
    sayable = [
        (answer, words)
        for answer, plain, words in (
            (filtered, made(text), "a filtered answer was read as data"),
            (refusal, made(text, Text("I will not.")), "a refusal was read as data"),
        )
        if says(subject, answer, plain)
    ]
    for answer, words in sayable:
        _structured(subject, answer, words)
    reply = completed(
        subject.read(subject.dialect.render(Answer(parts=(text,)), False), request=Request("hi", output_schema=SCHEMA))
    )
    alike({"answer": "yes"}, reply.parsed, "good data was not read")
    if not sayable:
        raise Unsaid(NO_REFUSAL)


@check(
    "STC-03",
    "MUST",
    "Data that was cut off is an error, not half an object.",
    spec="spec/events.md#38",
    needs=("wire", "structured_output"),
)
def cut_data(subject: Subject, effort: Effort) -> None:
    """Cut in the middle, and cut where it happens to be whole."""
    for text in ('{"answer": "ye', '{"answer": "yes"}'):
        _structured(subject, Answer(parts=(Text(text),), finish_reason="length"), "a cut answer was read as data")
