"""REC: what a provider really sent, where the author has recorded it (`--exchanges`)."""

from __future__ import annotations

from byollm.errors import ByollmError
from byollm.types.completion import Completion
from byollm.types.request import Request
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, check
from byollm_conformance.recorded import Recording
from byollm_conformance.strategies import pieces_of
from byollm_conformance.subject import Subject


def _read(subject: Subject, recording: Recording, pieces: list[bytes] | None = None) -> Completion | ByollmError:
    subject.count()
    answer = (recording.status, recording.headers, list(recording.pieces) if pieces is None else pieces)
    return subject.read(answer, stream=recording.stream, request=Request("hi", **recording.request))


def _told(outcome: Completion | ByollmError) -> tuple[object, ...]:
    if isinstance(outcome, ByollmError):
        return (type(outcome).__name__,)
    return outcome.parts, outcome.finish_reason, outcome.usage


@check(
    "REC-01",
    "MUST",
    "A recorded exchange is read into what its author says it means.",
    spec="spec/events.md#45",
    needs=("recordings",),
)
def recordings_are_read(subject: Subject, effort: Effort) -> None:
    """Every recording of this API, in the pieces it came in."""
    for recording in subject.recordings:
        problem = recording.problem(_read(subject, recording))
        if problem:
            raise Broken(f"{recording.file}: {problem}", body=recording.body)


@check(
    "REC-02",
    "MUST",
    "Recorded bytes may be cut into any pieces, and broken in any way: the same answer, or a ByollmError.",
    spec="spec/events.md#46",
    needs=("recordings",),
)
def recordings_are_cut(subject: Subject, effort: Effort) -> None:
    """Byte by byte, in random pieces, with random bytes changed; streams are cut off at random places."""
    chance = effort.random("REC-02")
    for recording in subject.recordings:
        whole, body = _told(_read(subject, recording)), recording.body
        cuttings = [range(1, len(body)), *[sorted(chance.sample(range(len(body)), k=min(8, len(body)))) for _ in "123"]]
        for cuts in cuttings:
            if _told(_read(subject, recording, pieces_of(body, list(cuts)))) != whole:
                raise Broken(f"{recording.file} is read otherwise when it comes in other pieces", cuts=list(cuts)[:20])
        for _ in range(effort.scaled(0.2)):
            place = chance.randrange(len(body))
            _read(subject, recording, [body[:place], bytes([chance.randrange(256)]), body[place + 1 :]])
        if recording.stream and recording.status == 200 and "error" not in recording.expect:
            _cut_off(subject, recording, effort)


def _cut_off(subject: Subject, recording: Recording, effort: Effort) -> None:
    """Once a cut is an interruption, every shorter one is: success never goes away by hearing more."""
    body = recording.body
    chance = effort.random(f"REC-02 {recording.file}")
    places = sorted({0, 1, *chance.sample(range(len(body)), k=min(len(body), effort.scaled(0.5)))})
    good: int | None = None
    for place in places:
        outcome = _read(subject, recording, [body[:place]])
        if isinstance(outcome, Completion):
            good = place if good is None else good
        elif good is not None:
            raise Broken(
                f"{recording.file} cut to {good} bytes is a success, and cut to {place} it is not",
                body=body[:place],
                error=outcome.message,
            )
    if good is not None and good < len(body) // 2:
        raise Broken(f"{recording.file} cut to {good} of {len(body)} bytes is a success", body=body[:good])
