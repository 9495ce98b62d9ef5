"""The other ends: what they render is read, what they read is what was asked, and they know where an answer ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conformance_acme import CONFORMANT, Conform, Install, of

from byollm.errors import ByollmError, ConfigError, OverloadedError, RateLimitError
from byollm.plugin import Audio, Document, Image, Message, Reasoning, Request, Text, Tool, ToolCall, ToolResult, Usage
from byollm.types.completion import Completion
from byollm.types.messages import assistant, system, user
from byollm.types.tools import ToolChoice
from byollm_anthropic import provider as anthropic
from byollm_conformance.mirror import PDF, PNG, TOOL, WAV
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Style, variant
from byollm_conformance.wires import wire_for
from byollm_google import provider as google
from byollm_ollama import provider as ollama
from byollm_openai import provider as openai

ENDS = [("chat", openai, "gpt-4.1"), ("responses", openai, "gpt-4.1"), ("messages", anthropic, "claude-haiku-4-5")]
each_wire = pytest.mark.parametrize(("api", "plugin", "model"), ENDS, ids=[api for api, _, _ in ENDS])


def subject(api: str, plugin: Any, model: str) -> Subject:
    return Subject(plugin, api=api, model=model, dialect=wire_for(api, model=model))


def told(outcome: Completion | ByollmError) -> Any:
    assert isinstance(outcome, Completion), outcome
    return outcome.text, [(call.id, call.name, call.args) for call in outcome.tool_calls], outcome.usage.output_tokens


@each_wire
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_rendered_is_read(api: str, plugin: Any, model: str, stream: bool) -> None:
    """Text, calls and usage come back."""
    answer = Answer(parts=(Text("héllo"), ToolCall("c1", "f", '{"a":1}')), usage=Usage(11, 7))
    one = subject(api, plugin, model)

    assert ("héllo", [("c1", "f", {"a": 1})], 7) == told(one.read(one.dialect.render(answer, stream), stream=stream))


@each_wire
def test_the_terminal_marker_is_known(api: str, plugin: Any, model: str) -> None:
    """One byte before it is an interruption, with it the answer is whole: the wire says where that is."""
    one = subject(api, plugin, model)
    rendered = one.dialect.render(Answer(parts=("hello",), usage=Usage(3, 2)), True)

    assert isinstance(one.read((200, rendered.headers, rendered.body[: rendered.terminal]), stream=True), ByollmError)
    assert isinstance(
        one.read((200, rendered.headers, rendered.body[: rendered.terminal + 1]), stream=True), Completion
    )


@each_wire
def test_variants_say_the_same(api: str, plugin: Any, model: str) -> None:
    """Line ends, spaces, comments and a byte order mark change nothing."""
    one = subject(api, plugin, model)
    answer = Answer(parts=("hello",), usage=Usage(3, 2))
    rendered = variant(one.dialect, answer, True, style=Style(b"\r\n", b"", bom=True, comments=True))
    assert rendered is not None

    assert rendered.body.startswith(b"\xef\xbb\xbf")
    assert "hello" == told(one.read(rendered, stream=True))[0]


@each_wire
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_rendered(api: str, plugin: Any, model: str, stream: bool) -> None:
    """As a refusal, and inside a stream."""
    one = subject(api, plugin, model)

    assert isinstance(
        one.read(one.dialect.render_error(OverloadedError("busy"), stream=stream), stream=stream), OverloadedError
    )
    assert isinstance(one.read(one.dialect.render_error(RateLimitError("slow"))), RateLimitError)


@each_wire
def test_a_conversation_is_read(api: str, plugin: Any, model: str) -> None:
    """Roles, texts, calls and results, in their order."""
    call, result = ToolCall("c1", TOOL.name, '{"word": "tea"}'), ToolResult("c1", (Text("hot"),))
    request = Request(
        [
            system("be brief"),
            user("hi"),
            Message("assistant", (Text("let me see"), call)),
            Message("tool", (result,)),
            user("so?"),
        ],
        tools=[TOOL],
        tool_choice="required",
        max_tokens=50,
    )
    seen = subject(api, plugin, model).seen(request)

    assert "be brief" == seen.system
    assert ["user", "assistant", "tool", "user"] == [turn.role for turn in seen.turns]
    assert [("c1", TOOL.name, {"word": "tea"})] == [
        (item.id, item.name, item.args) for item in seen.turns[1].tool_calls
    ]
    assert ["hi", "let me see", "", "so?"] == [turn.text for turn in seen.turns]
    assert "hot" == seen.turns[2].parts[0].text  # type: ignore[union-attr]  # a tool result
    assert ToolChoice("required") == seen.tool_choice
    assert (model, False, 50) == (seen.model, seen.stream, seen.parameters["max_tokens"])
    assert [TOOL.name] == [tool.name for tool in seen.tools or () if isinstance(tool, Tool)]


@each_wire
def test_media_are_read(api: str, plugin: Any, model: str) -> None:
    """Bytes and media type, byte for byte."""
    seen = subject(api, plugin, model).seen(Request([user("look", Image(PNG), Document(PDF, name="a.pdf"))]))
    found = {type(part).__name__: part for part in seen.turns[0].parts}

    assert (PNG, PDF) == (found["Image"].source, found["Document"].source)  # type: ignore[union-attr]  # by its name
    assert "image/png" == found["Image"].media_type  # type: ignore[union-attr]  # by its name


def test_sounds_are_read() -> None:
    """Of a model that hears."""
    seen = subject("chat", openai, "gpt-audio").seen(Request([user("listen", Audio(WAV))]))

    assert WAV == next(part.source for part in seen.turns[0].parts if isinstance(part, Audio))


def test_the_key_is_read() -> None:
    """From whichever header the dialect has it in."""
    body = json.dumps({"model": "m", "messages": [], "input": [], "max_tokens": 1}).encode()
    for api, headers in (
        ("chat", {"authorization": "Bearer k"}),
        ("messages", {"x-api-key": "k"}),
        ("chat", {"api-key": "k"}),
    ):
        wire = wire_for(api)
        assert wire is not None

        assert "k" == wire.read_request("POST", "https://x.example.com/v1/y", headers, body).key


def test_what_has_no_neutral_name_is_kept() -> None:
    """Members of the body that nobody knows stand in `rest`."""
    seen = subject("chat", openai, "gpt-4.1").seen(Request("hi", extra={"openai": {"prediction": {"type": "content"}}}))

    assert {"type": "content"} == seen.rest["prediction"]


def test_earlier_thoughts_are_read() -> None:
    """Opaque state goes back as it came."""
    one = subject("messages", anthropic, "claude-haiku-4-5")
    thought = Answer(parts=(Reasoning("hm"), Text("yes")), usage=Usage(3, 2))
    reply = one.read(one.dialect.render(thought, False))
    assert isinstance(reply, Completion)
    seen = one.seen(Request([user("hi"), reply.message, user("sure?")], reasoning_effort="high"))

    assert "hm" == next(part.text for part in seen.turns[1].parts if isinstance(part, Reasoning))


def test_a_dialect_nobody_knows() -> None:
    """There is no wire for it, and asking for one says what to do."""
    assert wire_for("telegraph") is None


def test_a_history_without_results_is_one_user_turn() -> None:
    """Anthropic's user turns with and without results are told apart."""
    seen = subject("messages", anthropic, "claude-haiku-4-5").seen(Request([user("a"), assistant("b"), user("c")]))

    assert ["a", "b", "c"] == [turn.text for turn in seen.turns]


@pytest.mark.parametrize(
    ("api", "dialect", "plugin", "model"),
    [("gemini", "gemini", google, "gemini-2.5-flash"), ("native", "ollama", ollama, "llama3.2")],
    ids=["gemini", "ollama"],
)
def test_dialects_without_events_of_their_own(api: str, dialect: str, plugin: Any, model: str) -> None:
    """Gemini and Ollama: answers and conversations with a tool are read, whole and streamed, and the end is known."""
    one = Subject(plugin, api=api, model=model, dialect=wire_for(api, dialect, model=model))
    answer = Answer(parts=(Text("héllo"), ToolCall("c1", "f", '{"a":1}')), usage=Usage(11, 7))
    call, result = ToolCall("c1", TOOL.name, '{"word": "tea"}'), ToolResult("c1", (Text("hot"),))
    seen = one.seen(
        Request(
            [system("be brief"), user("hi"), Message("assistant", (call,)), Message("tool", (result,)), user("so?")],
            tools=[TOOL],
            max_tokens=50,
            stop=["END"],
            stream=True,
        )
    )
    rendered = one.dialect.render(answer, True)

    for stream in (False, True):
        text, calls, count = told(one.read(one.dialect.render(answer, stream), stream=stream))
        assert ("héllo", [("f", {"a": 1})], 7) == (text, [item[1:] for item in calls], count)
    assert isinstance(one.read((200, rendered.headers, rendered.body[: rendered.terminal]), stream=True), ByollmError)
    assert ["user", "assistant", "tool", "user"] == [turn.role for turn in seen.turns]
    assert seen.turns[1].tool_calls[0].id == seen.turns[2].parts[0].id  # type: ignore[union-attr]  # a tool result
    assert ("be brief", model, True) == (seen.system, seen.model, seen.stream)
    assert {"max_tokens": 50, "stop": ("END",)}.items() <= seen.parameters.items()


OWN = """
from byollm_conformance.wires import wire_for

class Telegraph:
    name, source = "telegraph", "self-supplied"
    inner = wire_for("chat", strict=False)

    def __getattr__(self, word):
        return getattr(self.inner, word)
"""


def test_a_wire_of_ones_own(install: Install, conform: Conform) -> None:
    """A plugin's author may bring the other end: the report says so."""
    install(CONFORMANT, wire__py=OWN)
    report = conform("RSP-01", wire="byollm_acme.wire:Telegraph")

    assert ("telegraph", "self-supplied") == (report.subjects[0]["dialect"], report.subjects[0]["twin"])
    assert "pass" == of(report, "RSP-01").outcome


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("byollm_acme.wire:Nobody", "AttributeError"),
        ("no_such_module:Wire", "ModuleNotFoundError"),
        ("byollm_acme:provider", "it has no 'name'"),
    ],
)
def test_a_reference_that_is_no_wire(install: Install, conform: Conform, reference: str, words: str) -> None:
    """The error names it, and what is missing."""
    install(CONFORMANT, wire__py=OWN)
    with pytest.raises(ConfigError) as caught:
        conform("RSP-01", wire=reference)

    assert f"dialect {reference!r} is no wire" in caught.value.message
    assert words in caught.value.message
