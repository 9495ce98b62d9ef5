"""A plugin's day: a bit of everything it can do, for the checks that watch what else it does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from byollm.errors import ByollmError, RateLimitError, ServerError, UnsupportedFeatureError
from byollm.types.completion import Completion
from byollm.types.messages import assistant, system, user
from byollm.types.parts import Text, ToolCall
from byollm.types.request import Request
from byollm.types.usage import Usage
from byollm_conformance.mirror import SCHEMA, TOOL
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer

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
            got.append(subject.call((200, {}, b""), request=request, stream=request.stream).outcome)
    got.append(_outcome(lambda: subject.line.deployment.count(Request(PROMPT))))
    if subject.wire is None or subject.local:
        return got
    streams = (False,) if subject.support("streaming").refused else (False, True)
    for answer in answers(subject):
        got += [subject.read(subject.wire.render(answer, stream), stream=stream) for stream in streams]
    for error in (RateLimitError("slow down", retry_after=3), ServerError("we broke")):
        got.append(subject.read(subject.wire.render_error(error)))
    got.append(subject.read((502, {"content-type": "text/html"}, b"<html>bad gateway</html>")))
    got.append(subject.read((200, {"content-type": "application/json"}, b"{")))
    return got


def _outcome(function: Any) -> Any:
    try:
        return function()
    except UnsupportedFeatureError as error:
        return error


def failed(outcome: Any) -> bool:
    """The caller got an error."""
    return isinstance(outcome, ByollmError) and not isinstance(outcome, Completion)
