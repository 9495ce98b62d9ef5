"""TOL: calls of tools, as providers write them."""

from __future__ import annotations

import itertools
from typing import Any, Final

from byollm.errors import OutputInvalidError, ProviderError
from byollm.types.completion import Completion
from byollm.types.messages import Message, user
from byollm.types.parts import Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm_conformance.effort import Effort
from byollm_conformance.generate import GONE, documents, has_ids, holds, replaced, rewritten
from byollm_conformance.judge import Outcome, alike, completed, spoken
from byollm_conformance.mirror import TOOL
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.strategies import arguments
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Rendered, variant

NEEDS: Final = ("wire", "tools")
BOTH: Final = (False, True)


def calling(*calls: ToolCall, **changes: Any) -> Answer:
    """An answer of calls."""
    return Answer(**{"parts": calls, "events": 5, **changes})


@check(
    "TOL-04",
    "MUST",
    "A call is read with its id, its name and its arguments, whole and streamed.",
    spec="spec/events.md#31",
    needs=NEEDS,
)
def one_call(subject: Subject, effort: Effort) -> None:
    """The finish is `tool_calls`."""

    ids = has_ids(subject)

    def test(text: str) -> None:
        call = ToolCall("call_Aa-1", TOOL.name, text)
        for stream in BOTH:
            reply = completed(subject.read(subject.dialect.render(calling(call), stream), stream=stream), call=call)
            alike(spoken([call], ids), spoken(reply.parts, ids), "a call was read changed", stream=stream)
            alike("tool_calls", reply.finish_reason, "an answer that calls a tool did not finish so", stream=stream)

    effort.each(subject, arguments(), test, share=0.1)


@check(
    "TOL-05",
    "MUST",
    "Several calls of one answer stay apart, however their pieces are interleaved.",
    spec="spec/events.md#32",
    needs=(*NEEDS, "streaming"),
)
def parallel_calls(subject: Subject, effort: Effort) -> None:
    """One after the other, in turns, and without an index where the dialect can."""
    calls = [ToolCall(f"call_{at}", TOOL.name, f'{{"word":"tea {at}","n":[{at}]}}') for at in range(3)]
    ids = has_ids(subject)
    for number in (2, 3):
        answer = calling(*calls[:number])
        for quirks in ((), ("interleave",), ("no-index",)):
            subject.count()
            rendered = variant(subject.dialect, answer, True, quirks=quirks) or subject.dialect.render(answer, True)
            reply = completed(subject.read(rendered, stream=True), body=rendered.body)
            alike(spoken(answer.parts, ids), spoken(reply.parts, ids), "parallel calls were mixed up", quirks=quirks)


@check(
    "TOL-06",
    "MUST",
    "A call that comes without an id gets one that is neither empty nor used in the conversation, or the answer is a "
    "ProtocolError.",
    spec="spec/events.md#33",
    needs=NEEDS,
)
def made_ids(subject: Subject, effort: Effort) -> None:
    """Two calls without ids, or with null or nothing for one, in a conversation that has made-up ids already."""
    taken = [f"call_{number}" for number in range(3)]
    history = [
        user("hi"),
        Message("assistant", tuple(ToolCall(id, TOOL.name) for id in taken)),
        Message("tool", tuple(ToolResult(id, (Text("ok"),)) for id in taken)),
    ]
    answer = calling(ToolCall("zz-id-one", TOOL.name, '{"a":1}'), ToolCall("zz-id-two", TOOL.name, '{"a":2}'))
    for stream, none in itertools.product(BOTH, (GONE, None, "")):
        subject.count()
        rendered = subject.dialect.render(answer, stream)
        for id in ("zz-id-one", "zz-id-two"):
            rendered = rewritten(rendered, lambda document, id=id, none=none: replaced(document, id, none))  # type: ignore[misc]  # bound now
        outcome = subject.read(rendered, stream=stream, request=Request(history, tools=[TOOL]))
        if isinstance(outcome, Completion):
            ids = [call.id for call in outcome.tool_calls]
            if len(ids) != 2 or len({*ids, *taken}) != 5 or not all(ids):
                raise Broken("calls without ids got none of their own", got=ids, stream=stream, body=rendered.body)
        _typed(outcome, rendered)


def _typed(outcome: Outcome, rendered: Rendered) -> None:
    if not isinstance(outcome, Completion | ProviderError):
        raise Broken(f"a broken answer became {type(outcome).__name__}", body=rendered.body)


BAD_ARGUMENTS: Final = ('{"a":', "[1]", '"s"', "nul", '{"a":NaN}', "{'a': 1}", "{}{}", "1e999")


@check(
    "TOL-07",
    "MUST",
    "Arguments that are no JSON object are kept as text; reading them is an OutputInvalidError, never `{}` and never a "
    "crash.",
    spec="spec/events.md#34",
    needs=NEEDS,
)
def bad_arguments(subject: Subject, effort: Effort) -> None:
    """Where the dialect can carry such a text."""
    carried = 0
    for text in BAD_ARGUMENTS:
        for stream in BOTH:
            answer = calling(ToolCall("call_1", TOOL.name, text), events=10**6)
            rendered = subject.dialect.render(answer, stream)
            if not any(holds(document, text) for document in documents(rendered)):
                continue
            carried += 1
            subject.count()
            outcome = subject.read(rendered, stream=stream)
            _typed(outcome, rendered)
            if isinstance(outcome, Completion):
                _kept(outcome, text, rendered)
    if not carried:
        raise Unsaid("in this dialect arguments are objects, or do not stand as their own text")


def _kept(reply: Completion, text: str, rendered: Rendered) -> None:
    alike([text], [call.arguments for call in reply.tool_calls], "bad arguments were not kept", body=rendered.body)
    try:
        value = reply.tool_calls[0].args
    except OutputInvalidError:
        return
    raise Broken("bad arguments were read as good ones", got=value, body=rendered.body)


@check(
    "TOL-08",
    "MUST",
    "Empty arguments, `{}` and null are the same: no arguments.",
    spec="spec/events.md#35",
    needs=NEEDS,
)
def empty_arguments(subject: Subject, effort: Effort) -> None:
    """Whole and streamed, in each spelling the dialect has."""
    for stream in BOTH:
        for text in ("", "{}", " "):
            subject.count()
            rendered = subject.dialect.render(calling(ToolCall("call_1", TOOL.name, text)), stream)
            _no_arguments(subject, rendered, stream)
        marked = subject.dialect.render(calling(ToolCall("call_1", TOOL.name, "ZZ-ARGUMENTS"), events=10**6), stream)
        if any(holds(document, "ZZ-ARGUMENTS") for document in documents(marked)):
            for value in (None, GONE):
                changed = rewritten(marked, lambda document, value=value: replaced(document, "ZZ-ARGUMENTS", value))  # type: ignore[misc]  # bound now
                _no_arguments(subject, changed, stream)


def _no_arguments(subject: Subject, rendered: Rendered, stream: bool) -> None:
    reply = completed(subject.read(rendered, stream=stream), body=rendered.body)
    alike([{}], [call.args for call in reply.tool_calls], "no arguments became some", stream=stream, body=rendered.body)


__all__ = ["BOTH", "calling"]
