"""LAW: what must hold for anything, whatever it is: there and back, in another order, over a whole conversation."""

from __future__ import annotations

from collections.abc import Sequence

from byollm.types.capabilities import Support
from byollm.types.messages import Message, assistant, user
from byollm.types.parts import Image, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import Tool
from byollm_conformance import elsewhere, measure, neutral
from byollm_conformance.checks.answers import modes
from byollm_conformance.checks.sampling import settled
from byollm_conformance.effort import Effort
from byollm_conformance.exercise import day
from byollm_conformance.generate import one_of_all, rewritten, shuffled, some_answers
from byollm_conformance.guard import GUARD
from byollm_conformance.judge import alike, completed, told
from byollm_conformance.mirror import PNG, SCHEMA, TOOL
from byollm_conformance.model import Broken, Untestable, check
from byollm_conformance.strategies import requests
from byollm_conformance.subject import Subject, Translation
from byollm_conformance.wire import Rendered


def excused(subject: Subject, made: Translation) -> set[str]:
    """Fields that may differ: the caller was told, or the dialect's own default stands for them."""
    names = {item.field for item in made.adjustments}
    if subject.capabilities.default_max_tokens is not None and made.request.max_tokens is None:
        names.add("max_tokens")
    said = made.request.reasoning_effort
    if said in (None, "none") or "reasoning_budget" in subject.seen(made).parameters:
        names.add("reasoning_effort")
    return names


@check(
    "LAW-01",
    "MUST",
    "What the other end reads in a request is what the caller asked: every turn, tool, choice, schema and parameter, "
    "but for what the caller was told of.",
    spec="spec/messages.md#30",
    needs=("wire",),
)
def there_and_back(subject: Subject, effort: Effort) -> None:
    """decode_request(encode(request)) = request."""

    def test(request: Request) -> None:
        made = subject.translate(request)
        seen = subject.seen(made)
        expected, got = neutral.of_request(request), neutral.of_seen(seen)
        names = neutral.differing(expected, got, [*excused(subject, made), *_at_one(request)])
        if names:
            raise Broken(
                f"the request arrived changed: {', '.join(names)}",
                expected={name: expected.get(name) for name in names},
                got={name: got.get(name) for name in names},
                request=request,
                body=made.body,
            )

    effort.each(subject, requests(subject), test, share=0.25)


def _at_one(request: Request) -> list[str]:
    """Said aloud, a default may go unsaid."""
    return [name for name in ("temperature", "top_p") if getattr(request, name) == 1]


@check(
    "LAW-04",
    "MUST",
    "The order of members in a document and of headers means nothing.",
    spec="spec/events.md#39",
    needs=("wire",),
)
def any_order(subject: Subject, effort: Effort) -> None:
    """Every object of the answer shuffled, but for the arguments of tools."""
    chance = effort.random("LAW-04")
    for answer in [one_of_all(subject), *some_answers(subject, effort, 0.1, "LAW-04")]:
        kept = [call.args for call in answer.tool_calls]
        for stream in modes(subject):
            subject.count()
            rendered = subject.dialect.render(answer, stream)
            plain = told(completed(subject.read(rendered, stream=stream), body=rendered.body))
            mixed = rewritten(rendered, lambda document, kept=kept: shuffled(document, chance, kept))  # type: ignore[misc]  # bound now
            headers = dict(reversed(list(rendered.headers.items())))
            mixed = Rendered(rendered.status, headers, mixed.pieces)
            got = told(completed(subject.read(mixed, stream=stream), body=mixed.body))
            alike(plain, got, "another order of members gave another answer", body=mixed.body, stream=stream)


def swap_requests(subject: Subject) -> list[Request]:
    """What a program may ask of any provider; what this one declares unsupported is left out."""

    def can(*names: str) -> bool:
        return all(subject.support(name) in (Support.full, Support.unknown) for name in names)

    base = settled(subject)
    call = ToolCall("call_1", TOOL.name, '{"word":"tea"}')
    history = [user("hi"), assistant("Let me look.", call), Message("tool", (ToolResult("call_1", (Text("found"),)),))]
    found = [
        Request("hi ü 漢字 🙂", **base),
        Request([user("one"), assistant("two"), user("three")], max_tokens=99, **base),
        *[Request("hi", **base, **{name: 0.25}) for name in ("temperature", "top_p") if can(name)],
        *[Request("hi", **base, stop=["END"]) for name in ("stop",) if can(name)],
    ]
    if can("system"):
        found.append(Request("hi", system="be brief", **base))
    if can("tools"):
        found += [Request("hi", tools=[TOOL, Tool("other")], **base), Request(history, tools=[TOOL], **base)]
    if can("tools", "tool_choice_named"):
        found.append(Request("hi", tools=[TOOL, Tool("other")], tool_choice="other", **base))
    if can("structured_output"):
        found.append(Request("hi", output_schema=SCHEMA, **base))
    if can("images"):
        found.append(Request([user("look", Image(PNG), "well?")], **base))
    if can("streaming"):
        found.append(Request("hi", stream=True, **base))
    return found


@check(
    "LAW-05",
    "MUST",
    "Another provider is asked the same: what the reference plugin's other end reads, this one's reads too.",
    spec="spec/messages.md#31",
    needs=("wire",),
)
def provider_swap(subject: Subject, effort: Effort) -> None:
    """Through the suite's reference plugin, and through this one."""
    from byollm_conformance.zoo.reference import reference_subject

    other = reference_subject()
    for request in swap_requests(subject):
        subject.count()
        made = subject.translate(request)
        asked, seen = other.seen(request), subject.seen(made)
        expected, got = neutral.of_seen(asked), neutral.of_seen(seen)
        names = neutral.differing(expected, got, excused(subject, made))
        if names:
            raise Broken(
                f"another provider is asked something else: {', '.join(names)}",
                reference={name: expected.get(name) for name in names},
                got={name: got.get(name) for name in names},
                request=request,
            )


@check(
    "LAW-07",
    "MUST",
    "Time, chance, hash seed, locale, time zone and optimisation change nothing, in a request or in the reading of an "
    "answer.",
    spec="spec/events.md#40",
    plugin=True,
)
def anywhere(subject: Subject, effort: Effort) -> None:
    """A day's work: no clock and no chance is asked, and two processes in differing environments do the same."""
    used = measure.asked(lambda: day(subject.fresh()), lambda: GUARD.inside > 0)
    if used and not subject.local:
        raise Broken(f"while translating or reading, the plugin asks {', '.join(used)}")
    if subject.entry is None:
        raise Untestable("the plugin has no name by which another process could load it")
    made = elsewhere.KNOWN.get(subject.entry) or _by_place(subject.entry)
    here, there = (made[place] for place in elsewhere.PLACES)
    subject.count(len(here) + len(there))
    if here == there and here:
        return
    broken = next((found[0] for found in (here, there) if len(found) == 1 and ": " in found[0]), "")
    if broken:
        raise Broken(f"in a process of its own the plugin does not get through a day's work: {broken}")
    parts = {
        name: dict(elsewhere.PLACES["here"]) | {name: value} for name, value in elsewhere.PLACES["elsewhere"].items()
    }
    alone = elsewhere.digests([subject.entry], parts)
    guilty = [name for name, found in alone.items() if isinstance(found, str) or found[subject.entry] != here]
    steps = [number for number, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1]]
    raise Broken(f"the same work comes out otherwise under another {', '.join(guilty) or 'environment'}", steps=steps)


def _by_place(entry: str) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for place, answer in elsewhere.digests([entry]).items():
        if isinstance(answer, str):
            raise Broken(
                f"the plugin does not work in a process of its own: {answer}", environment=elsewhere.PLACES[place]
            )
        found[place] = answer[entry]
    return found
