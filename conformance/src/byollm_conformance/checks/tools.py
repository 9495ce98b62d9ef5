"""TOL, STC-01: tools, choices, histories with calls, and schemas, on their way to the provider."""

from __future__ import annotations

from typing import Any, Final

from byollm.errors import UnsupportedFeatureError
from byollm.types.capabilities import Support
from byollm.types.messages import Message, user
from byollm.types.parts import Image, Part, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import Tool, ToolChoice
from byollm_conformance.checks.requests import sent_or_refused
from byollm_conformance.checks.sampling import settled
from byollm_conformance.effort import Effort
from byollm_conformance.judge import alike, completed, ordered, spoken
from byollm_conformance.mirror import PNG, TOOL
from byollm_conformance.model import Broken, check
from byollm_conformance.strategies import arguments, tools
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Seen

NEEDS: Final = ("wire", "tools")

SCHEMAS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "object", "properties": {}},
    {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/node"}},
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    },
    {"type": "object", "properties": {"größe 🙂": {"type": "number", "minimum": 0.5}}, "required": ["größe 🙂"]},
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "array", "items": {"enum": [1, "x"]}}}}},
    {"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "integer", "default": 2**53 + 1}]}}},
    {"type": "object", "description": "d", "properties": {"type": {"const": "properties"}, "$ref": {"type": "string"}}},
)  # fmt: skip
"""JSON schemas that translators have changed: references, odd names, members called like keywords."""


@check(
    "TOL-01",
    "MUST",
    "The schema, name and description of a tool arrive unchanged, or the call is refused.",
    spec="spec/messages.md#17",
    needs=NEEDS,
)
def tool_schema(subject: Subject, effort: Effort) -> None:
    """Without `strict`, which may need another schema."""
    base = settled(subject)

    def test(offered: list[Tool]) -> None:
        request = Request("hi", tools=offered, **base)
        made = sent_or_refused(subject, request)
        if made is None:
            return
        seen = [
            (tool.name, tool.description, tool.parameters)
            for tool in subject.seen(made).tools or ()
            if isinstance(tool, Tool)
        ]
        expected = [(tool.name, tool.description, tool.parameters) for tool in offered]
        alike(expected, seen, "tools arrived changed", request=request, body=made.body)

    for schema in SCHEMAS:
        subject.count()
        test([Tool("look_up", "Look it up. 🙂", schema)])
    test([Tool(name, None) for name in ("b", "a", "c")])
    effort.each(subject, tools(), test, share=0.1)


ODD_NAMES: Final = ("search.web", "wetter in Köln", "a b", "a/b", "x" * 90, "名前", "a.b")


@check(
    "TOL-02",
    "MUST",
    "A tool name outside the dialect's alphabet gets one that the provider takes and comes back as it was written, or "
    "is refused before any byte leaves.",
    spec="spec/messages.md#18",
    needs=NEEDS,
)
def tool_names(subject: Subject, effort: Effort) -> None:
    """Alone, and beside a name it could be taken for."""
    for name in ODD_NAMES:
        subject.count()
        request = Request("hi", tools=[Tool(name), Tool("a_b")], **settled(subject))
        made = sent_or_refused(subject, request)
        if made is None:
            continue
        sent = [tool.name for tool in subject.seen(made).tools or () if isinstance(tool, Tool)]
        rejection = subject.rejected(made)
        if rejection is not None or len(set(sent)) != 2:
            words = rejection.message if rejection is not None else "two tools have one name"
            raise Broken(f"the tool name {name!r} was sent as {sent[:1]}: {words}", request=request, body=made.body)
        answer = Answer(parts=(ToolCall("call_1", sent[0], "{}"),))
        for stream in (False, True):
            reply = completed(
                subject.read(subject.dialect.render(answer, stream), stream=stream, request=request), request=request
            )
            alike([name], [call.name for call in reply.tool_calls], "the tool's own name did not come back")


@check(
    "TOL-03",
    "MUST",
    "`tool_choice` auto, none, required and a name arrive as they are; what the model cannot keep is refused.",
    spec="spec/messages.md#19",
    needs=NEEDS,
)
def tool_choice(subject: Subject, effort: Effort) -> None:
    """With two tools, so that a name says something."""
    offered = [TOOL, Tool("other")]
    for word, capability in (
        ("auto", "tools"),
        ("none", "tools"),
        ("required", "tool_choice_required"),
        (TOOL.name, "tool_choice_named"),
    ):
        subject.count()
        request = Request("hi", tools=offered, tool_choice=word, **settled(subject))
        asked = request.tool_choice
        try:
            made = subject.translate(request)
        except UnsupportedFeatureError as error:
            if subject.support(capability) is Support.full:
                problem = f"{capability} is declared full, and refused: {error.message}"
                raise Broken(problem, request=request) from None
            continue
        seen = subject.seen(made)
        if word == "none" and not seen.tools and not seen.tool_choice and _chooseless(subject):
            continue
        if not (_is(asked, seen) or (word == "auto" and seen.tool_choice is None)):
            raise Broken(f"the choice {word!r} arrived changed", got=seen.tool_choice, request=request, body=made.body)
        if word == "none" and not seen.tools:
            raise Broken("with the choice `none` the tools vanished from the prompt", request=request)
    plain = subject.seen(Request("hi", tools=offered, **settled(subject))).tool_choice
    if plain not in (None, ToolChoice("auto")):
        raise Broken("a choice was sent that nobody made", got=plain)


def _chooseless(subject: Subject) -> bool:
    """A server that takes no choice at all is told to call nothing by being offered nothing."""
    return all(subject.support(name) is Support.unsupported for name in ("tool_choice_required", "tool_choice_named"))


def _is(asked: ToolChoice | None, seen: Seen) -> bool:
    """The choice itself; of a name, too: that tool alone, and one must be called."""
    if seen.tool_choice == asked:
        return True
    alone = [tool.name for tool in seen.tools or () if isinstance(tool, Tool)]
    return asked is not None and seen.tool_choice == ToolChoice("required") and alone == [asked.name]


def _looped(*results: ToolResult, calls: int = 1, **parameters: Any) -> Request:
    made = tuple(ToolCall(f"call_{number}", TOOL.name, '{"word":"tea"}') for number in range(1, calls + 1))
    return Request(
        [user("hi"), Message("assistant", made), Message("tool", tuple(results))], tools=[TOOL], **parameters
    )


@check(
    "TOL-09",
    "MUST",
    "The results of tools arrive with their ids: text, JSON, several at once, the error flag and pictures where they "
    "are declared.",
    spec="spec/messages.md#20",
    needs=NEEDS,
)
def tool_results(subject: Subject, effort: Effort) -> None:
    """Each kind alone, then two in one turn."""
    base = settled(subject)
    for text in ("plain ü", '{"a": [1, null]}', " padded ", "line\nline"):
        subject.count()
        _results(subject, _looped(ToolResult("call_1", (Text(text),)), **base), [("call_1", text)])
    two = _looped(ToolResult("call_2", (Text("b"),)), ToolResult("call_1", (Text("a"),)), calls=2, **base)
    _results(subject, two, [("call_2", "b"), ("call_1", "a")])
    if subject.support("tool_error_flag") is Support.full:
        request = _looped(ToolResult("call_1", (Text("no"),), is_error=True), **base)
        flags = [part.is_error for part in _result_parts(subject, request)]
        alike([True], flags, "the error flag of a result did not arrive", request=request)
    pictures = not subject.support("images").refused
    if pictures and subject.support("tool_result_media") in (Support.full, Support.partial):
        request = _looped(ToolResult("call_1", (Text("see"), Image(PNG))), **base)
        if not any(source == PNG for source in _pictures(subject, request)):
            raise Broken("a picture in a tool's result did not arrive", request=request)


def _results(subject: Subject, request: Request, expected: list[tuple[str, str]]) -> None:
    """Ids may be written otherwise, or pair by their order: which call a result answers is what arrives."""
    called = [part.id for turn in subject.seen(request).messages for part in turn.parts if isinstance(part, ToolCall)]
    ours = [part.id for turn in request.messages for part in turn.parts if isinstance(part, ToolCall)]
    alike(len(ours), len(set(called)), "calls of the history were lost, or share an id", request=request, ids=called)
    names = dict(zip(called, ours, strict=True))
    got = [(names.get(part.id, part.id), part.text) for part in _result_parts(subject, request)]
    alike(sorted(expected), sorted(got), "results of tools arrived changed", request=request)


def _result_parts(subject: Subject, request: Request) -> list[ToolResult]:
    return [part for turn in subject.seen(request).messages for part in turn.parts if isinstance(part, ToolResult)]


def _pictures(subject: Subject, request: Request) -> list[Any]:
    parts = [part for turn in subject.seen(request).messages for part in turn.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.parts]
    return [part.source for part in [*parts, *inner] if isinstance(part, Image)]


@check(
    "TOL-10",
    "MUST",
    "An earlier turn with text and calls keeps both, in order, with ids, names and arguments.",
    spec="spec/messages.md#21",
    needs=NEEDS,
)
def text_and_calls(subject: Subject, effort: Effort) -> None:
    """One and two calls, with and without a text before them."""
    base, chance = settled(subject), effort.random("TOL-10")
    for number in range(effort.scaled(0.05) + 2):
        subject.count()
        calls = [
            ToolCall(f"call_{at}", TOOL.name, f'{{"word":"tea {chance.randrange(100)}"}}')
            for at in range(1 + number % 2)
        ]
        parts: tuple[Part, ...] = (*((Text("let me look"),) if number % 3 else ()), *calls)
        results = tuple(ToolResult(call.id, (Text("found"),)) for call in calls)
        history = [user("hi"), Message("assistant", parts), Message("tool", results)]
        request = Request(history, tools=[TOOL], **base)
        turns = [turn for turn in subject.seen(request).messages if turn.role == "assistant"]
        got = spoken([part for turn in turns for part in turn.parts], ids=False)
        alike(spoken(parts, ids=False), got, "the turn that called tools arrived changed", request=request)


@check(
    "TOL-11",
    "MUST",
    "Arguments of calls keep their numbers beyond 2^53, their order of members and their text, to the provider and "
    "from it.",
    spec="spec/events.md#36",
    needs=NEEDS,
)
def arguments_kept(subject: Subject, effort: Effort) -> None:
    """There in a history, and back in an answer, whole and streamed."""
    base = settled(subject)
    fixed = '{"z":9007199254740993,"a":-9223372036854775808,"m":[1.5,1e3],"ü":"\\u2028"}'

    def test(text: str) -> None:
        call = ToolCall("call_1", TOOL.name, text)
        results = Message("tool", (ToolResult("call_1", (Text("ok"),)),))
        request = Request([user("hi"), Message("assistant", (call,)), results], tools=[TOOL], **base)
        sent = [part for turn in subject.seen(request).messages for part in turn.tool_calls]
        alike(
            [ordered(text)], [ordered(part.arguments) for part in sent], "arguments were sent changed", arguments=text
        )
        for stream in (False, True):
            reply = completed(
                subject.read(subject.dialect.render(Answer(parts=(call,), events=4), stream), stream=stream)
            )
            got = [ordered(part.arguments) for part in reply.tool_calls]
            alike([ordered(text)], got, "arguments were read changed", arguments=text, stream=stream)

    test(fixed)
    effort.each(subject, arguments(), test, share=0.1)


@check(
    "TOL-12",
    "MUST",
    "`parallel_tool_calls=False` is said to the provider, or the call is refused.",
    spec="spec/messages.md#22",
    needs=NEEDS,
)
def one_at_a_time(subject: Subject, effort: Effort) -> None:
    """True is a hint, and must not come out as False."""
    made = sent_or_refused(subject, Request("hi", tools=[TOOL], parallel_tool_calls=False, **settled(subject)))
    if made is None and subject.support("parallel_tool_calls_off") is Support.full:
        raise Broken("parallel_tool_calls_off is declared full, and was refused")
    if made is not None and subject.seen(made).parameters.get("parallel_tool_calls") is not False:
        raise Broken("parallel_tool_calls=False was dropped: it is a contract", body=made.body)
    made = sent_or_refused(subject, Request("hi", tools=[TOOL], parallel_tool_calls=True, **settled(subject)))
    if made is not None and subject.seen(made).parameters.get("parallel_tool_calls") is False:
        raise Broken("parallel_tool_calls=True was sent as False", body=made.body)
