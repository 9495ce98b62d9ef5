"""REQ: turns, instructions and turns without a word, in their order."""

from __future__ import annotations

from byollm.types.messages import Message, assistant, system, user
from byollm.types.request import Request
from byollm_conformance.checks.requests import WIRE, sent_or_refused, texts_of
from byollm_conformance.effort import Effort
from byollm_conformance.judge import alike
from byollm_conformance.model import Broken, check
from byollm_conformance.strategies import conversations
from byollm_conformance.subject import Subject, Translation


@check(
    "REQ-02",
    "MUST",
    "Turns arrive in their order, each with its role and its text, none lost and none made.",
    spec="spec/messages.md#2",
    needs=WIRE,
)
def turns_in_order(subject: Subject, effort: Effort) -> None:
    """Neighbours of one role may be joined where the dialect wants it; the order of what they say stays."""

    def test(messages: list[Message]) -> None:
        expected = [(message.role, message.text) for message in messages]
        seen = subject.seen(Request(messages))
        alike(expected, [(turn.role, turn.text) for turn in seen.turns], "the conversation arrived changed")

    effort.each(subject, conversations(), test, share=0.2)
    request = Request([user("one"), user("two"), assistant("three"), user("four")])
    said = "|".join(texts_of(subject.seen(request)))
    places = [said.find(word) for word in ("one", "two", "three", "four")]
    if -1 in places or places != sorted(places):
        raise Broken("turns of one role that stand together lost a text or their order", request=request, got=said)


@check(
    "REQ-03",
    "MUST",
    "The system prompt arrives as instructions before the conversation; an instruction given later keeps its place, or "
    "the caller is told.",
    spec="spec/messages.md#3",
    needs=(*WIRE, "system"),
)
def system_prompt(subject: Subject, effort: Effort) -> None:
    """As a parameter, as a first message, as both, and late."""
    hi = user("hi")
    for request in (Request([hi], system="be brief"), Request([system("be brief"), hi])):
        subject.count()
        seen = subject.seen(request)
        alike("be brief", seen.system, "the system prompt arrived changed", request=request)
        if seen.messages[0].role not in ("system", "developer"):
            raise Broken("the system prompt does not come first", request=request)
    both = Request([system("be kind"), hi], system="be brief")
    if " ".join(texts_of(subject.seen(both))).split()[:4] != ["be", "brief", "be", "kind"]:
        raise Broken("of two system prompts not both arrived, in order", request=both, got=subject.seen(both).system)
    late = Request([user("one"), assistant("two"), user("three"), system("now in French"), user("four")])
    made = sent_or_refused(subject, late)
    if made is not None:
        _late(subject, made)


def _late(subject: Subject, made: Translation) -> None:
    seen = subject.seen(made)
    texts = texts_of(seen)
    holders = [number for number, text in enumerate(texts) if "now in French" in text]
    kept = [turn for turn in seen.messages if "now in French" in turn.text]
    if not holders:
        raise Broken("a late instruction did not arrive", request=made.request, body=made.body)
    moved = not texts.index("one") < holders[0] < texts.index("four")
    if (moved or kept[0].role not in ("system", "developer")) and not made.adjustments:
        words = "a late instruction was moved, or became somebody's words, and the caller is not told"
        raise Broken(words, request=made.request, body=made.body)


@check(
    "REQ-04",
    "MUST",
    "A turn whose text is empty is sent, refused, or reported; its neighbours stay.",
    spec="spec/messages.md#4",
    needs=WIRE,
)
def empty_text(subject: Subject, effort: Effort) -> None:
    """Alone, between others, and beside a text."""
    for messages in (
        [user("")],
        [user("one"), assistant("two"), user("")],
        [user("one"), assistant("two"), user("", "three")],
        [user("one"), assistant(""), user("three")],
    ):
        subject.count()
        request = Request(messages)
        made = sent_or_refused(subject, request)
        if made is None:
            continue
        rejection = subject.rejected(made)
        alike(None, rejection, "the provider would refuse the empty turn", request=request)
        seen = subject.seen(made)
        expected = "".join(message.text for message in messages)
        got = "".join(turn.text for turn in seen.turns if turn.text.strip(" ."))
        alike(expected, got, "a neighbour was lost", request=request, body=made.body)
        if len(seen.turns) < len(messages) and not made.adjustments:
            raise Broken("a turn with an empty text vanished, and the caller is not told", request=request)
