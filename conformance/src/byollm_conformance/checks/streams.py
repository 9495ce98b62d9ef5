"""STR: a stream says what the whole document says, however its bytes are cut and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from byollm.errors import ProtocolError
from byollm.types.completion import Completion
from byollm.types.events import (
    Event,
    Finished,
    ReasoningDelta,
    Started,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from byollm.types.request import Request
from byollm_conformance.binary import is_binary
from byollm_conformance.checks.answers import answered
from byollm_conformance.effort import Effort
from byollm_conformance.generate import has_ids, one_of_all, only_text, some_answers, with_pieces
from byollm_conformance.judge import alike, completed, counts, spoken, told
from byollm_conformance.model import Broken, check
from byollm_conformance.strategies import answers_of
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Piece, Rendered, variant
from byollm_sandbox.event_stream import event as message

NEEDS: Final = ("wire", "streaming")
STREAM_USAGE: Final = "stream_usage"
"""What a server lacks that cannot be asked for the counts of a stream: no capability, but said in the same place."""


def streamed(subject: Subject, rendered: Rendered, pieces: Sequence[bytes] | None = None) -> dict[str, Any]:
    """What a caller reads in a stream, as data; `pieces` are its bytes cut otherwise."""
    body: Any = rendered.body if pieces is None else pieces
    return told(completed(subject.read((200, rendered.headers, body), stream=True), body=rendered.body))


@check(
    "STR-01",
    "MUST",
    "A stream and the whole document of one answer are read as the same.",
    spec="spec/events.md#13",
    needs=NEEDS,
)
def same_as_whole(subject: Subject, effort: Effort) -> None:
    """Parts, finish, counts, id and model."""

    def test(answer: Answer) -> None:
        whole = told(answered(subject, answer, False))
        stream = streamed(subject, subject.dialect.render(answer, True))
        if answer.id is None:
            whole.pop("id"), stream.pop("id")
        alike(whole, stream, "the stream and the document of one answer differ", answer=answer)

    reasons = not subject.support("reasoning").refused
    effort.each(subject, answers_of(subject, reasoning=reasons), test, share=0.25)


@check(
    "STR-11",
    "MUST",
    "Events come in their legal order: started once and first, a call before its arguments, each part of one kind, "
    "finished once, then counts only; deltas add up to the answer.",
    spec="spec/events.md#22",
    needs=NEEDS,
)
def lifecycle(subject: Subject, effort: Effort) -> None:
    """The plugin's own events, before the core holds anything back; whole documents too."""
    for answer in [one_of_all(subject), *some_answers(subject, effort, 0.15, "STR-11")]:
        for stream in (True, False):
            subject.count()
            rendered = subject.dialect.render(answer, stream)
            events = subject.events(rendered, stream=stream)
            problem = _disorder(events) or _sum(events, answer)
            if problem:
                raise Broken(problem, events=events, stream=stream)


def _disorder(events: Iterable[Event]) -> str:
    kinds: dict[int, type] = {}
    state = "new"
    for event in events:
        if (state == "new") != isinstance(event, Started):
            return f"{type(event).__name__} came {'before Started' if state == 'new' else 'a second time'}"
        state = "open" if state == "new" else state
        if state == "over" and not isinstance(event, UsageReported):
            return f"{type(event).__name__} came after Finished"
        state = "over" if isinstance(event, Finished) else state
        index = getattr(event, "index", None)
        if index is None or isinstance(event, StateAttached):
            continue
        kind = ToolCallStarted if isinstance(event, ToolCallDelta) else type(event)
        if (kinds.setdefault(index, kind) is not kind) or (isinstance(event, ToolCallDelta) and index not in kinds):
            return f"part {index} is of two kinds"
        if isinstance(event, ToolCallStarted) and (not event.id or not event.name):
            return "a tool call began without an id or a name"
    return "" if state == "over" else "the events of a whole answer do not end with Finished"


def _sum(events: Iterable[Event], answer: Answer) -> str:
    def said(kind: Any, field: str) -> str:
        return "".join([getattr(event, field) for event in events if isinstance(event, kind)])

    sums = said(TextDelta, "text"), said(ReasoningDelta, "text")
    return "" if sums == (answer.text, answer.reasoning) else f"the deltas do not add up to the answer: {sums}"


ODD_DELTAS: Final = ("\n\n", " ", "\u200b", "a", "\t", "\n", " b ", "\ufeff", "\u2028", "c", "  ")


@check(
    "STR-12",
    "MUST",
    "No delta is trimmed or lost: white space alone, leading line ends, zero-width letters.",
    spec="spec/events.md#23",
    needs=NEEDS,
)
def no_trimming(subject: Subject, effort: Effort) -> None:
    """The very deltas, in both orders."""
    for deltas in (ODD_DELTAS, ODD_DELTAS[::-1]):
        subject.count()
        answer = only_text("".join(deltas), pieces=deltas)
        for stream in (True, False):
            reply = answered(subject, answer, stream)
            alike("".join(deltas), reply.text, "white space was lost", stream=stream)


@check(
    "STR-13",
    "MUST",
    "Events that nobody knows yet are passed over.",
    spec="spec/events.md#24",
    needs=NEEDS,
)
def unknown_events(subject: Subject, effort: Effort) -> None:
    """One between any two, with a type of its own; and those that the dialect itself may send."""
    answer = one_of_all(subject, events=30)
    rendered = subject.dialect.render(answer, True)
    whole = streamed(subject, rendered)
    new = Piece(b'event: zz.unknown\ndata: {"type":"zz.unknown","zz":{"a":[1]}}\n\n')
    mixed = [rendered.pieces[0], *[one for piece in rendered.pieces[1:] for one in (new, piece)]]
    if is_binary(rendered.headers):
        new = Piece(message("zzUnknown", b'{"zz":{"a":[1]}}'))
        mixed = [rendered.pieces[0], *[one for piece in rendered.pieces[1:] for one in (new, piece)]]
    others = [with_pieces(rendered, mixed), variant(subject.dialect, answer, True, quirks=("unknown-events",))]
    if is_binary(rendered.headers) or rendered.headers.get("content-type", "").startswith("text/event-stream"):
        for other in others:
            subject.count()
            if other is not None:
                alike(whole, streamed(subject, other), "an unknown event changed the answer", body=other.body)


@check(
    "STR-17",
    "MUST",
    "Token counts of a stream are asked for where the dialect wants to be asked, and reports that repeat or grow are "
    "not added up.",
    spec="spec/events.md#27",
    needs=NEEDS,
)
def stream_usage(subject: Subject, effort: Effort) -> None:
    """Told at the end, told in every event."""
    made = subject.translate(Request("hi", stream=True))
    asked = (made.document.get("stream_options") or {}).get("include_usage")
    wanted = subject.dialect.name == "openai-chat" and STREAM_USAGE not in subject.lacks
    if wanted and asked is not True:
        raise Broken("the stream is not asked for its token counts (stream_options.include_usage)", body=made.body)
    answer = only_text("one two three four five", usage=only_text().usage)
    for quirks in ((), ("usage-every",), ("usage-tail",)):
        subject.count()
        rendered = variant(subject.dialect, answer, True, quirks=quirks) or subject.dialect.render(answer, True)
        reply = completed(subject.read(rendered, stream=True), body=rendered.body)
        got = (reply.usage.input_tokens, reply.usage.output_tokens)
        alike((12, 5), got, "the counts of a stream are wrong", quirks=quirks, usage=counts(reply.usage))


@check(
    "STR-18",
    "MUST",
    "A document where events were asked for, and events where a document was, are read or refused: never misread.",
    spec="spec/events.md#28",
    needs=NEEDS,
)
def other_framing(subject: Subject, effort: Effort) -> None:
    """Both were seen of real servers; with the right content type and with the wrong one."""
    answer, ids = one_of_all(subject), subject.support("tools").refused or has_ids(subject)
    for stream in (True, False):
        rendered = subject.dialect.render(answer, not stream)
        right = rendered.headers
        wrong = {**right, "content-type": "text/event-stream" if stream else "application/json"}
        for headers in (right, wrong):
            subject.count()
            outcome = subject.read((200, headers, rendered.body), stream=stream)
            if isinstance(outcome, Completion):
                alike(
                    spoken(answer.parts, ids),
                    spoken(outcome.parts, ids),
                    "the other framing was misread",
                    stream=stream,
                )
            elif not isinstance(outcome, ProtocolError):
                raise Broken(f"the other framing became {type(outcome).__name__}: {outcome.message}", stream=stream)
