"""STR: cut anywhere, written otherwise, read side by side, a stream stays what it is."""

from __future__ import annotations

import json
from typing import Any, Final

from byollm.types.events import Event, TextDelta
from byollm.types.request import Request
from byollm.wire.exchange import Head
from byollm.wire.framing import decoder_for
from byollm_conformance.checks.answers import answered
from byollm_conformance.checks.streams import NEEDS, streamed
from byollm_conformance.effort import Effort
from byollm_conformance.generate import one_of_all, only_text, some_answers, with_pieces
from byollm_conformance.judge import alike
from byollm_conformance.model import Broken, check
from byollm_conformance.strategies import chunkings, pieces_of
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Piece, Rendered, Style, variant


class Fed:
    """The plugin's reader, fed piece by piece."""

    def __init__(self, subject: Subject, headers: Any, exchange: Any = None) -> None:
        exchange = exchange or subject.exchange(Request("hi", stream=True))
        self._read = exchange.reader(Head(200, headers))
        self._decoder: Any = None
        self._framing, self._headers = exchange.framing, headers
        self.events: list[Event] = []

    def feed(self, piece: bytes) -> list[Event]:
        """The events of one piece; an empty one ends the stream."""
        self._decoder = self._decoder or decoder_for(self._framing, self._headers, piece)
        found: list[Event] = []
        for frame in self._decoder.feed(piece) if piece else self._decoder.end():
            found += self._read(frame)
        self.events += found
        return found


@check(
    "STR-02",
    "MUST",
    "However the bytes of a stream are cut into pieces, the events come to the same.",
    spec="spec/events.md#14",
    needs=NEEDS,
)
def any_cut(subject: Subject, effort: Effort) -> None:
    """Anywhere, and byte by byte."""
    answers = [one_of_all(subject, events=9), *some_answers(subject, effort, 0.02, "STR-02")]
    for answer in answers:
        rendered = subject.dialect.render(answer, True)
        whole = streamed(subject, rendered)
        single = [rendered.body[at : at + 1] for at in range(len(rendered.body))]
        alike(whole, streamed(subject, rendered, single), "byte by byte the answer is another", answer=answer)

        def test(pieces: list[bytes], rendered: Rendered = rendered, whole: Any = whole) -> None:
            alike(whole, streamed(subject, rendered, pieces), "cut otherwise the answer is another", pieces=pieces)

        effort.each(subject, chunkings(rendered.body), test, share=0.3 / len(answers))


STYLES: Final = tuple(
    Style(newline, space, bom, comments)
    for newline in (b"\n", b"\r\n", b"\r")
    for space in (b" ", b"")
    for bom, comments in ((False, False), (True, True))
)


@check(
    "STR-03",
    "MUST",
    "Every legal way to write server-sent events is read the same: line ends, spaces, comments, ids, data on several "
    "lines, a byte order mark.",
    spec="spec/events.md#15",
    needs=NEEDS,
)
def any_style(subject: Subject, effort: Effort) -> None:
    """Where the dialect is made of such events, and lines of JSON as lines may end; cut anywhere, too."""
    answer = one_of_all(subject, events=11)
    rendered = subject.dialect.render(answer, True)
    whole = streamed(subject, rendered)
    chance = effort.random("STR-03")
    written = [found for style in STYLES if (found := variant(subject.dialect, answer, True, style=style)) is not None]
    if rendered.headers.get("content-type", "").startswith("text/event-stream"):
        written += [_numbered(rendered), _spread(rendered)]
    if rendered.headers.get("content-type", "").startswith("application/x-ndjson"):
        written = [_lined(rendered, b"\r\n"), _lined(rendered, b"\n\n"), _lined(rendered, b" \n")]
    for other in written:
        subject.count()
        alike(whole, streamed(subject, other), "the same events written otherwise are another answer", body=other.body)
        cuts = sorted(chance.sample(range(len(other.body)), min(40, len(other.body))))
        pieces = pieces_of(other.body, cuts)
        alike(whole, streamed(subject, other, pieces), "written otherwise and cut it is another answer", pieces=pieces)


def _numbered(rendered: Rendered) -> Rendered:
    pieces = [Piece(b"id: %d\nretry: 3000\n: note\n%b" % (at, piece.data)) for at, piece in enumerate(rendered.pieces)]
    return with_pieces(rendered, pieces)


def _lined(rendered: Rendered, end: bytes) -> Rendered:
    """Lines of JSON with another end."""
    return with_pieces(rendered, [Piece(piece.data.rstrip(b"\n") + end, piece.role) for piece in rendered.pieces])


def _spread(rendered: Rendered) -> Rendered:
    """Every document over several `data:` lines."""
    pieces = []
    for piece in rendered.pieces:
        lines: list[bytes] = []
        for line in piece.data.split(b"\n"):
            if line.startswith(b"data: {"):
                pretty = json.dumps(json.loads(line[6:]), indent=1, ensure_ascii=False).encode()
                lines += [b"data: " + part for part in pretty.split(b"\n")]
            else:
                lines.append(line)
        pieces.append(Piece(b"\n".join(lines)))
    return with_pieces(rendered, pieces)


@check(
    "STR-04",
    "MUST",
    "A letter of several bytes survives a cut between any two of them.",
    spec="spec/events.md#16",
    needs=NEEDS,
)
def split_letters(subject: Subject, effort: Effort) -> None:
    """Two pieces, cut at every byte of the text."""
    text = "é漢🙂👩‍👩‍👧\u2028ß"
    rendered = subject.dialect.render(only_text(text, events=50), True)
    start = rendered.body.find(text.encode()[:5])
    hidden = start < 0  # the dialect packs its documents: any byte may be one of the letter's
    for cut in range(1, len(rendered.body), 5) if hidden else range(start, start + len(text.encode())):
        subject.count()
        got = streamed(subject, rendered, [rendered.body[:cut], rendered.body[cut:]])
        alike([("text", text)], got["parts"], "a letter that was cut in two came out changed", cut=cut)


@check(
    "STR-14",
    "MUST",
    "Readers of answers that arrive at the same time know nothing of each other.",
    spec="spec/events.md#25",
    needs=NEEDS,
)
def interleaved_readers(subject: Subject, effort: Effort) -> None:
    """Two of one exchange, and one of another, fed in turns; the whole document in between."""
    one = subject.dialect.render(one_of_all(subject, id="answer-one"), True)
    two = subject.dialect.render(only_text("quite another text " * 4, id="answer-two", events=3), True)
    alone = [subject.events(rendered) for rendered in (one, two, one)]
    exchange = subject.exchange(Request("hi", stream=True))
    readers = [Fed(subject, one.headers, exchange), Fed(subject, two.headers, exchange), Fed(subject, one.headers)]
    step = 37
    for start in range(0, max(len(one.body), len(two.body)), step):
        subject.count()
        for reader, rendered in zip(readers, (one, two, one), strict=True):
            piece = rendered.body[start : start + step]
            if piece:
                reader.feed(piece)
        if start == step * 5:
            answered(subject, only_text("a third"), False)
    for reader, expected in zip(readers, alone, strict=True):
        reader.feed(b"")
        alike(expected, reader.events, "answers read at the same time were mixed")


@check(
    "STR-19",
    "SHOULD",
    "Each event goes out with the bytes that complete it, not with those of the next.",
    spec="spec/events.md#29",
    needs=NEEDS,
)
def at_once(subject: Subject, effort: Effort) -> None:
    """Event by event: what has arrived has been said."""
    answer = only_text("one two three four", events=4)
    deltas = list(answer.cut(answer.text))
    rendered = subject.dialect.render(answer, True)
    reader, arrived, out = Fed(subject, rendered.headers), "", ""
    for piece in rendered.pieces:
        subject.count()
        out += "".join([event.text for event in reader.feed(piece.data) if isinstance(event, TextDelta)])
        if deltas and json.dumps(deltas[0]).encode() in piece.data:
            arrived += deltas.pop(0)
        if len(out) < len(arrived):
            raise Broken("a delta is held back until the next one comes", arrived=arrived, out=out)
