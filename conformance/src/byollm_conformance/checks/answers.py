"""RSP, STC: whole answers, read as they were meant, and what is no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from byollm.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    QuotaExhaustedError,
    RateLimitError,
)
from byollm.types.completion import Completion
from byollm.types.usage import Usage
from byollm_conformance.binary import is_binary
from byollm_conformance.checks.calls import BOTH
from byollm_conformance.effort import Effort
from byollm_conformance.generate import (
    GONE,
    documents,
    has_ids,
    one_of_all,
    only_text,
    replaced,
    rewritten,
    some_answers,
    with_unknown,
)
from byollm_conformance.judge import Outcome, alike, completed, failed, spoken, told
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.strategies import answers_of
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Rendered, variant
from byollm_conformance.words import classed, says

WIRE: Final = ("wire",)
NO_REFUSAL: Final = "the dialect has no word for a refusal, and none for what a filter ended"


def answered(subject: Subject, answer: Answer, stream: bool) -> Completion:
    """What a caller gets when the twin gives this answer. Raises Broken for an error."""
    rendered = subject.dialect.render(answer, stream)
    return completed(subject.read(rendered, stream=stream), body=rendered.body, stream=stream)


def modes(subject: Subject) -> tuple[bool, ...]:
    """Whole, and streamed where the subject streams."""
    return (False,) if subject.support("streaming").refused else BOTH


@check(
    "RSP-01",
    "MUST",
    "An answer is read as it was meant: texts, thoughts, calls, finish, token counts, in order.",
    spec="spec/events.md#1",
    needs=WIRE,
)
def read_as_meant(subject: Subject, effort: Effort) -> None:
    """decode(render(answer)) = answer, for whole documents; streams are compared with them by STR-01."""

    ids = subject.support("tools").refused or has_ids(subject)

    def test(answer: Answer) -> None:
        reply = answered(subject, answer, False)
        alike(spoken(answer.parts, ids), spoken(reply.parts, ids), "the answer was read changed", answer=answer)
        alike(answer.finish_reason, reply.finish_reason, "the finish was read changed", answer=answer)
        usage = (reply.usage.input_tokens, reply.usage.output_tokens)
        alike((answer.usage.input_tokens, answer.usage.output_tokens), usage, "the counts were read changed")  # type: ignore[union-attr]  # every answer of the strategy has one

    reasons = not subject.support("reasoning").refused
    effort.each(subject, answers_of(subject, reasoning=reasons), test, share=0.25)


@check(
    "RSP-02",
    "MUST",
    "Every finish of the dialect has its neutral word, a new one becomes `other` with the provider's word kept, and an "
    "answer without one is no success.",
    spec="spec/events.md#2",
    needs=WIRE,
)
def finish_reasons(subject: Subject, effort: Effort) -> None:
    """stop, length, content_filter; a word from the future; none."""
    accepted: dict[Any, tuple[str, ...]] = {
        "stop": ("stop",), "length": ("length",), "content_filter": ("content_filter", "refusal"), "other": ("other",),
    }  # fmt: skip
    for stream in modes(subject):
        for reason, good in accepted.items():
            answer = only_text(finish_reason=reason)
            if reason != "stop" and not says(subject, answer, only_text(finish_reason="stop"), stream=stream):
                continue  # the dialect has no word for it
            subject.count()
            reply = answered(subject, answer, stream)
            if reply.finish_reason not in good:
                raise Broken(f"the finish {reason} was read as {reply.finish_reason}", stream=stream)
        rendered = subject.dialect.render(only_text(raw_finish_reason="zz_new_word"), stream)
        reply = completed(subject.read(rendered, stream=stream), body=rendered.body)
        alike(("other", "zz_new_word"), (reply.finish_reason, reply.raw_finish_reason), "a new finish was misread")
        for nothing in (None, GONE):
            bare = rewritten(rendered, lambda document, nothing=nothing: replaced(document, "zz_new_word", nothing))  # type: ignore[misc]  # bound now
            outcome = subject.read(bare, stream=stream)
            if isinstance(outcome, Completion) and outcome.finish_reason in ("stop", "tool_calls"):
                raise Broken("an answer without a finish became a success", stream=stream, body=bare.body)


@check(
    "RSP-03",
    "MUST",
    "Members and headers that nobody knows change nothing; the document is kept in `raw`.",
    spec="spec/events.md#3",
    needs=WIRE,
)
def unknown_members(subject: Subject, effort: Effort) -> None:
    """One in every object of the answer, those of tool arguments excepted."""
    for answer in [one_of_all(subject), *some_answers(subject, effort, 0.1, "RSP-03")]:
        kept = [call.args for call in answer.tool_calls]
        for stream in modes(subject):
            subject.count()
            rendered = subject.dialect.render(answer, stream)
            plain = completed(subject.read(rendered, stream=stream), body=rendered.body)
            more = rewritten(rendered, lambda document, kept=kept: with_unknown(document, kept))  # type: ignore[misc]  # bound now
            more = replace(more, headers={**more.headers, "x-zz-unknown": "1"})
            reply = completed(subject.read(more, stream=stream), body=more.body)
            alike(told(plain), told(reply), "a member nobody knows changed the answer", stream=stream, body=more.body)
            if not stream and reply.raw != documents(more)[0]:
                raise Broken("the provider's document is not kept in `raw`", got=reply.raw)


@check(
    "RSP-04",
    "MUST",
    "An answer without text is read; one with a second choice, or with none where there must be one, is an error.",
    spec="spec/events.md#4",
    needs=WIRE,
)
def odd_shapes(subject: Subject, effort: Effort) -> None:
    """Empty text, no part at all, two choices, an empty list of choices."""
    for stream in modes(subject):
        subject.count()
        reply = answered(subject, Answer(parts=(), usage=Usage(3, 0)), stream)
        alike([], spoken(reply.parts), "an answer that says nothing was read as one that speaks", stream=stream)
        rendered = subject.dialect.render(only_text(), stream)
        second = variant(subject.dialect, only_text(), stream, quirks=("second-choice",))
        if second is not None and second.body != rendered.body:
            outcome = subject.read(second, stream=stream)
            error = failed(outcome, "of two choices one was taken, or both were mixed", stream=stream, body=second.body)
            if not isinstance(error, ProtocolError):
                raise Broken(f"a second choice became {type(error).__name__}", stream=stream)
    emptied = rewritten(subject.dialect.render(only_text(), False), _without_lists)
    outcome = subject.read(emptied)
    if isinstance(outcome, Completion) and outcome.text and not any(map(_bare, documents(emptied))):
        raise Broken("text was read where there is none", body=emptied.body)


def _bare(document: Any) -> bool:
    """A document without lists has nothing that could be emptied."""
    return not any(isinstance(value, list) for value in document.values())


def _without_lists(document: Any) -> Any:
    return {name: [] if isinstance(value, list) else value for name, value in document.items()}


TELLING: Final = (
    AuthenticationError, ModelNotFoundError, ContextLengthError, ContentFilterError, QuotaExhaustedError,
    RateLimitError,
)  # fmt: skip
"""Errors that a provider tells by a code or a text, so that they are known without their status."""


@check(
    "RSP-05",
    "MUST",
    "An error in an answer of status 200 is that error, not an answer.",
    spec="spec/events.md#5",
    needs=WIRE,
)
def error_in_200(subject: Subject, effort: Effort) -> None:
    """The class is the one that the same words have with their own status, where code or text tells it."""
    for kind in TELLING:
        subject.count()
        rendered = subject.dialect.render_error(kind(""))
        expected = subject.read(rendered)
        hidden = Rendered(200, rendered.headers, rendered.pieces)
        for stream in modes(subject):
            error = failed(subject.read(hidden, stream=stream), "an error became an answer", body=hidden.body)
            if not classed(subject, kind):
                continue  # outside it is the status that tells
            alike(type(expected).__name__, type(error).__name__, "inside a 200 the error has another class", kind=kind)


@check(
    "RSP-06",
    "MUST",
    "What is no answer of the dialect (markup, nothing, plain text, another JSON) is a ProtocolError without markup in "
    "its message; a byte order mark and a wrong content type alone do no harm.",
    spec="spec/events.md#6",
    needs=WIRE,
)
def no_answer(subject: Subject, effort: Effort) -> None:
    """Whole and streamed, status 200."""
    html = b"<!doctype html><html><head><title>Gateway</title></head><body><h1>Welcome</h1></body></html>"
    bodies = (html, b"", b"  \n", b"OK", b"null", b"[]", b"{}", b'"x"', b"42", b'{"hello": "world"}', b"\xff\xfe\x00")
    for stream in modes(subject):
        for body in bodies:
            for kind in ("application/json", "text/html; charset=utf-8", "text/event-stream"):
                subject.count()
                outcome = subject.read((200, {"content-type": kind}, body), stream=stream)
                error = failed(outcome, "what is no answer became one", body=body, stream=stream)
                if not isinstance(error, ProviderError) or "<" in error.message:
                    words = f"what is no answer became {type(error).__name__}: {error.message}"
                    raise Broken(words, body=body, content_type=kind)
        rendered = subject.dialect.render(only_text(), stream)
        mark = b"" if is_binary(rendered.headers) else b"\xef\xbb\xbf"
        marked = (200, rendered.headers, mark + rendered.body)
        mislabelled = (200, {**rendered.headers, "content-type": "text/plain"}, rendered.body)
        for readable in (marked, mislabelled):
            reply = completed(subject.read(readable, stream=stream), body=readable[2], stream=stream)
            alike("The answer is forty-two.", reply.text, "the answer was read changed", stream=stream)


@check(
    "RSP-07",
    "MUST",
    "The answer's id, the model that served it and the provider's request id reach the caller.",
    spec="spec/events.md#8",
    needs=WIRE,
)
def ids(subject: Subject, effort: Effort) -> None:
    """The model is the one that answered, not the one asked for."""
    answer = only_text(id="answer-4711", model="the-model-that-served")
    for stream in modes(subject):
        subject.count()
        rendered = subject.dialect.render(answer, stream)
        headers = {**rendered.headers, "x-request-id": "request-4711", "request-id": "request-4711"}
        outcome = subject.read((200, headers, rendered.body), stream=stream)
        reply = completed(outcome, body=rendered.body)
        if not says(subject, answer, only_text(id="answer-4712", model=answer.model), stream=stream):
            alike(None, reply.id, "an id was made up where the dialect tells none", stream=stream)
            reply = replace(reply, id=answer.id)
        if not says(subject, answer, only_text(id=answer.id, model="another-model"), stream=stream):
            reply = replace(reply, model=answer.model)  # the dialect does not tell: what was asked for is all there is
        got = {"id": reply.id, "model": reply.model, "request_id": reply.request_id}
        expected = {"id": "answer-4711", "model": "the-model-that-served", "request_id": "request-4711"}
        alike(expected, got, "who answered is not told", stream=stream)


@check(
    "RSP-11",
    "MUST",
    "A refusal, and an answer that a filter ended, show as such: never as an ordinary success.",
    spec="spec/events.md#12",
    needs=WIRE,
)
def refusals(subject: Subject, effort: Effort) -> None:
    """With and without a text before it."""
    sayable = 0
    for stream in modes(subject):
        for answer, plain in (
            (made(refusal="I will not."), made("I will not.")),
            (made("Well, ", refusal="I will not."), made("Well, ", "I will not.")),
            (made("Well, ", finish_reason="content_filter"), made("Well, ")),
            (made(finish_reason="content_filter"), made()),
        ):
            if not says(subject, answer, plain, stream=stream):
                continue
            sayable += 1
            subject.count()
            rendered = subject.dialect.render(answer, stream)
            outcome = subject.read(rendered, stream=stream)
            good = isinstance(outcome, ContentFilterError)
            if isinstance(outcome, Completion):
                good = outcome.finish_reason in ("refusal", "content_filter")
            if not good:
                raise Broken("a refusal became something else", got=_shown(outcome), stream=stream, body=rendered.body)
    if not sayable:
        raise Unsaid(NO_REFUSAL)


def made(*parts: Any, **changes: Any) -> Answer:
    """With token counts of its own, so that two of them differ in their words only."""
    return Answer(parts=parts, usage=Usage(3, 5), **changes)


def _shown(outcome: Outcome) -> Any:
    return told(outcome) if isinstance(outcome, Completion) else repr(outcome)
