"""LOC: in-process models. There is no wire, so the events are looked at where they are made."""

from __future__ import annotations

from typing import Final

from byollm.errors import ByollmError
from byollm.types.completion import Completion
from byollm.types.events import Finished, Started, TextDelta, UsageReported
from byollm.types.messages import assistant, user
from byollm.types.request import Request
from byollm.wire.exchange import LocalCall, LocalContext
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, Untestable, check
from byollm_conformance.subject import Subject

_NOTHING: Final[tuple[int, dict[str, str], bytes]] = (200, {}, b"")
_LATE: Final = 3
"""So many events may still come after the caller gave up."""


@check(
    "LOC-01",
    "MUST",
    "An in-process model's events come in the legal order: Started first, Finished once, only usage after it.",
    spec="spec/events.md#42",
    needs=("local",),
)
def events_are_in_order(subject: Subject, effort: Effort) -> None:
    """Through the engine, whole and streamed, over several conversations."""
    for request in (Request("hi"), Request([user("hi"), assistant("yes"), user("and?")]), Request("hi", max_tokens=5)):
        for stream in (False, True):
            subject.count()
            sent = subject.call(_NOTHING, stream=stream, request=request)
            if isinstance(sent.outcome, ByollmError):
                raise Broken(f"the model does not answer: {sent.outcome.message}", request=request)
            kinds = [type(event) for event in sent.events]
            if kinds[:1] != [Started] or kinds.count(Finished) != 1:
                raise Broken("the events are not Started … Finished", events=sent.events[:20])
            after = kinds[kinds.index(Finished) + 1 :]
            if any(kind is not UsageReported for kind in after):
                raise Broken("something other than usage follows Finished", events=sent.events[-5:])


@check(
    "LOC-02",
    "MUST",
    "Once the caller gave up, an in-process model stops.",
    spec="spec/events.md#43",
    needs=("local",),
)
def cancelling_stops_it(subject: Subject, effort: Effort) -> None:
    """Cancelled before the first event, and after the second."""
    for patience in (0, 2):
        subject.count()
        asked = subject.line.deployment.exchange(Request("hi", stream=True))
        if not isinstance(asked, LocalCall):
            raise Untestable("the plugin did not answer with a LocalCall")
        late = _late(asked, patience)
        if late > _LATE:
            raise Broken(f"{late} events came after the caller gave up")


def _late(asked: LocalCall, patience: int) -> int:
    """How many events came after the caller's patience ended; counting stops soon after too many."""
    seen = 0
    context = LocalContext(lambda: seen >= patience, lambda: None)
    for _ in asked.run(Request("hi", stream=True), context):
        seen += 1
        if seen > patience + _LATE:
            break
    return seen - patience


@check(
    "LOC-03",
    "MUST",
    "An in-process model answers the same whole and streamed, and what the caller saw adds up to the answer.",
    spec="spec/events.md#44",
    needs=("local",),
)
def deltas_add_up(subject: Subject, effort: Effort) -> None:
    """The text of the events against the text of the completion."""
    for stream in (False, True):
        subject.count()
        sent = subject.call(_NOTHING, stream=stream, request=Request("hi"))
        text = "".join(event.text for event in sent.events if isinstance(event, TextDelta))
        if isinstance(sent.outcome, Completion) and sent.outcome.text != text:
            raise Broken("the deltas do not add up to the answer", deltas=text, answer=sent.outcome.text)
