"""STR: how a stream may end, and how it may not. Only the dialect's terminal marker makes an answer."""

from __future__ import annotations

from typing import Any, Final

from byollm.errors import OverloadedError, ProtocolError, ProviderConnectionError, ProviderError, ServerError
from byollm.transports.base import Broken as BrokenPipe
from byollm.types.completion import Completion
from byollm_conformance.checks.answers import TELLING
from byollm_conformance.effort import Effort
from byollm_conformance.generate import cut_at, drawn, one_of_all, only_text, with_pieces
from byollm_conformance.judge import alike, completed, counts, failed, told
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Piece, Rendered
from byollm_conformance.words import classed

NEEDS: Final = ("wire", "streaming")


def finish_at(rendered: Rendered) -> int:
    """The number of the piece that holds the terminal marker."""
    return max(index for index, piece in enumerate(rendered.pieces) if piece.role == "finish")


@check(
    "STR-07",
    "MUST",
    "Cut anywhere before its terminal marker, an answer is an error that carries what had arrived: never a success.",
    spec="spec/events.md#7",
    needs=("wire",),
)
def every_truncation(subject: Subject, effort: Effort) -> None:
    """Every byte (of more than 25 × `max_examples` bytes the edges of all events, and others); a broken connection."""
    if not subject.support("streaming").refused:
        answer = one_of_all(subject, events=60)
        rendered = subject.dialect.render(answer, True)
        _cuts(subject, effort, rendered, answer)
        _breaks(subject, rendered)
    whole = subject.dialect.render(only_text(), False)
    for cut in _some(range(whole.terminal + 1), effort):
        subject.count()
        outcome = subject.read(cut_at(whole, cut))
        error = failed(outcome, f"a document cut after {cut} bytes became an answer", body=whole.body[:cut])
        if not isinstance(error, ProtocolError):
            raise Broken(f"a document that was cut became {type(error).__name__}", body=whole.body[:cut])


def _some(places: range, effort: Effort) -> list[int]:
    return sorted(drawn(places, effort.scaled(25), effort.random("STR-07")))


def _cuts(subject: Subject, effort: Effort, rendered: Rendered, answer: Answer) -> None:
    edges, length = set(), 0
    for piece in rendered.pieces:
        edges.add(length)
        length += len(piece.data)
    arrived = 0
    for cut in sorted({*_some(range(rendered.terminal + 1), effort), *[e for e in edges if e <= rendered.terminal]}):
        subject.count()
        outcome = subject.read(cut_at(rendered, cut), stream=True)
        error = failed(outcome, f"a stream cut after {cut} bytes became an answer", cut=rendered.body[:cut][-200:])
        if not isinstance(error, ProtocolError):
            raise Broken(f"a stream that was cut became {type(error).__name__}", cut=rendered.body[:cut][-200:])
        partial = getattr(error, "partial", None)
        text = partial.text if partial is not None else ""
        if not answer.text.startswith(text) or len(text) < arrived:
            raise Broken("what had arrived is not in `.partial`", expected=answer.text[:arrived], got=text, cut=cut)
        arrived = len(text)
    alike(len(answer.text), arrived, "at the last cut not all of the text is in `.partial`")


def _breaks(subject: Subject, rendered: Rendered) -> None:
    """The connection is lost instead: the same, or a connection error when nothing had arrived."""
    for index in range(finish_at(rendered)):
        subject.count()
        pieces: list[Any] = [piece.data for piece in rendered.pieces[:index]]
        outcome = subject.read((200, rendered.headers, [*pieces, BrokenPipe("reset", "yes")]), stream=True)
        error = failed(outcome, "a broken connection became an answer", event=index)
        if not isinstance(error, ProtocolError | ProviderConnectionError):
            raise Broken(f"a broken connection became {type(error).__name__}", event=index)


@check(
    "STR-08",
    "MUST",
    "`[DONE]`, or whatever ends the dialect's list of events, is not needed after the terminal marker and does not "
    "stand in for it.",
    spec="spec/events.md#19",
    needs=NEEDS,
)
def done_line(subject: Subject, effort: Effort) -> None:
    """Without it: an answer. With it alone: an error."""
    rendered = subject.dialect.render(one_of_all(subject), True)
    whole = told(completed(subject.read(rendered, stream=True), body=rendered.body))
    bare = rendered.without("done")
    reply = completed(subject.read(bare, stream=True), body=bare.body)
    alike(whole, told(reply), "without its end line the answer is another", body=bare.body)
    done = Piece(b"data: [DONE]\n\n")
    open_end = with_pieces(rendered, [*rendered.pieces[: finish_at(rendered)], done])
    failed(subject.read(open_end, stream=True), "an end line stood in for the terminal marker", body=open_end.body)
    if rendered.headers.get("content-type", "").startswith("text/event-stream"):
        more = with_pieces(rendered, [*bare.pieces, done])
        alike(whole, told(completed(subject.read(more, stream=True), body=more.body)), "an end line changed the answer")


@check(
    "STR-09",
    "MUST",
    "When what follows the terminal marker is lost, token counts are unknown or as they were told, never made up.",
    spec="spec/events.md#20",
    needs=NEEDS,
)
def lost_tail(subject: Subject, effort: Effort) -> None:
    """Cut at every byte behind the marker, and without the counts."""
    rendered = subject.dialect.render(only_text(), True)
    full = counts(completed(subject.read(rendered, stream=True), body=rendered.body).usage)
    bare = rendered.without("usage")
    places = range(rendered.terminal + 1, len(rendered.body) + 1)
    tails = [cut_at(rendered, cut) for cut in drawn(places, 30 + effort.scaled(2), effort.random("STR-09"))]
    for tail in [(200, bare.headers, bare.body), *tails]:
        subject.count()
        outcome = subject.read(tail, stream=True)
        if not isinstance(outcome, Completion):
            continue
        alike(only_text().text, outcome.text, "with its tail the answer lost its text", body=tail[2])
        got = counts(outcome.usage)
        wrong = {name: value for name, value in got.items() if value not in (None, full[name])}
        if wrong:
            raise Broken("token counts were made up for an answer whose tail was lost", expected=full, got=wrong)


@check(
    "STR-10",
    "MUST",
    "An error inside a stream ends it with the class it has outside, wherever it comes, and what had arrived is kept.",
    spec="spec/events.md#21",
    needs=NEEDS,
)
def error_in_stream(subject: Subject, effort: Effort) -> None:
    """Each error that code or text tells, before each event."""
    rendered = subject.dialect.render(only_text("one two three", events=4), True)
    for kind in (*TELLING, OverloadedError, ServerError):
        expected = type(subject.read(subject.dialect.render_error(kind(""))))
        frames = subject.dialect.render_error(kind(""), stream=True).pieces
        for index in range(finish_at(rendered) + 1):
            subject.count()
            stream = with_pieces(rendered, [*rendered.pieces[:index], *frames])
            outcome = subject.read(stream, stream=True)
            error = failed(outcome, "an error inside a stream became an answer", body=stream.body)
            if type(error) is not expected and classed(subject, kind):
                words = f"inside a stream {expected.__name__} became {type(error).__name__}"
                raise Broken(words, body=stream.body)
        partial = getattr(error, "partial", None)
        alike("one two three", partial.text if partial else "", "what had arrived before the error is lost")


@check(
    "STR-21",
    "MUST",
    "After an error nothing makes a success of a stream any more.",
    spec="spec/events.md#30",
    needs=NEEDS,
)
def nothing_after_an_error(subject: Subject, effort: Effort) -> None:
    """The error before each event, and then the rest of a good answer."""
    rendered = subject.dialect.render(only_text("one two three", events=4), True)
    frames = subject.dialect.render_error(ServerError(""), stream=True).pieces
    for index in range(finish_at(rendered) + 1):
        subject.count()
        stream = with_pieces(rendered, [*rendered.pieces[:index], *frames, *rendered.pieces[index:]])
        error = failed(subject.read(stream, stream=True), "a stream went on after its error", body=stream.body)
        if not isinstance(error, ProviderError):
            raise Broken(f"the provider's error became {type(error).__name__}", body=stream.body)
