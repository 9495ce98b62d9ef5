"""A plugin's day: a bit of everything it can do, for the checks that watch what else it does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from byollm.errors import RateLimitError, ServerError, UnsupportedFeatureError
from byollm.types.messages import assistant, system, user
from byollm.types.parts import Text, ToolCall
from byollm.types.request import Request
from byollm.types.usage import Usage
from byollm_conformance.mirror import SCHEMA, TOOL
from byollm_conformance.model import Broken
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Wire

PROMPT = "a prompt nobody else would write: kumquat-4711"
ANSWER = "an answer nobody else would give: persimmon-0815"


def requests(subject: Subject) -> Iterator[Request]:
    """Requests of many kinds; what the subject declares unsupported is among them only where it is a hint."""
    yield Request(PROMPT)
    yield Request([user(PROMPT), assistant("yes"), user("go on")], temperature=0.5, max_tokens=50, stop=["END"])
    yield Request(PROMPT, seed=7, top_p=0.5, end_user_id="somebody", metadata={"a": "b"}, reasoning_effort="low")
    if not subject.support("system").refused:
        yield Request([system("be brief"), user(PROMPT)])
    if not subject.support("streaming").refused:
        yield Request(PROMPT, stream=True)
    if not subject.support("tools").refused:
        yield Request(PROMPT, tools=[TOOL])
    if not subject.support("structured_output").refused:
        yield Request(PROMPT, output_schema=SCHEMA)


def answers(subject: Subject) -> Iterator[Answer]:
    """Answers of many kinds."""
    usage = Usage(11, 7)
    yield Answer(parts=(Text(ANSWER),), usage=usage)
    yield Answer(parts=(Text(ANSWER),), usage=usage, finish_reason="length")
    if not subject.support("tools").refused:
        yield Answer(parts=(ToolCall("call_1", TOOL.name, '{"word": "tea"}'),), usage=usage)


def day(subject: Subject) -> list[Any]:
    """All of it: translations, whole answers, streams, refusals, a count. What the caller would get, in order."""
    got: list[Any] = []
    for request in requests(subject):
        got.append(_outcome(lambda request=request: subject.translate(request)) if not subject.local else None)
        if subject.local:
            got.append(_outcome(lambda request=request: subject.call((200, {}, b""), request=request).outcome))
    got.append(_outcome(lambda: subject.line.deployment.count(Request(PROMPT))))
    if subject.wire is None or subject.local:
        return got
    for rendered, stream in _bytes(subject, subject.wire):
        got.append(_outcome(lambda rendered=rendered, stream=stream: subject.read(rendered, stream=stream)))
    return got


def _bytes(subject: Subject, wire: Wire) -> Iterator[tuple[Any, bool]]:
    streams = (False,) if subject.support("streaming").refused else (False, True)
    for recording in subject.recordings:
        yield recording.answer, recording.stream
    if wire.source != "recorded":
        yield from ((wire.render(answer, stream), stream) for answer in answers(subject) for stream in streams)
        for error in (RateLimitError("slow down", retry_after=3), ServerError("we broke")):
            yield wire.render_error(error), False
    yield (502, {"content-type": "text/html"}, b"<html>bad gateway</html>"), False
    yield (200, {"content-type": "application/json"}, b"{"), False


def _outcome(function: Any) -> Any:
    """What breaks here is told by the check that is about it."""
    try:
        return function()
    except (UnsupportedFeatureError, Broken) as error:
        return error
