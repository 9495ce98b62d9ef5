"""One program, one changed line of YAML, another provider: the answers are equal and the program's text is the same."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import byollm
from byollm.types.parts import ToolCall
from byollm_sandbox import Answer, Twins
from tests.scenarios.conftest import DIALECTS, target


def program(client: byollm.Client) -> list[Any]:
    """What a user wrote once: a question, a tool call and its result, a stream, a schema."""
    weather = byollm.Tool(
        "weather", "Weather of a city", {"type": "object", "properties": {"city": {"type": "string"}}}
    )
    first = client.complete("What is the weather in Oslo?", system="Be brief.", tools=[weather], temperature=0.3)
    result = byollm.ToolResult(first.tool_calls[0].id, "4 degrees")
    history = [byollm.user("What is the weather in Oslo?"), first.message, byollm.tool_results(result)]
    second = client.complete(history, system="Be brief.", tools=[weather], max_tokens=200)
    with client.stream("Say it again.", max_tokens=50) as stream:
        streamed = "".join(stream.text_stream)
    schema = {"type": "object", "properties": {"degrees": {"type": "integer"}}, "required": ["degrees"]}
    parsed = client.complete("As JSON, please.", output_schema=schema, max_tokens=50).parsed
    return [
        [(call.name, call.args) for call in first.tool_calls],
        first.finish_reason,
        second.text,
        second.usage.input_tokens,
        second.usage.output_tokens,
        streamed,
        stream.completion.finish_reason,
        parsed,
    ]


DIGEST = hashlib.sha256(inspect.getsource(program).encode()).hexdigest()


def test_the_same_program_gives_the_same_answers(twin: Twins) -> None:
    """Every provider's run of the unchanged program ends in equal values."""
    runs = {}
    for dialect in DIALECTS:
        usage = byollm.Usage(input_tokens=31, output_tokens=7)
        twin.script(
            [ToolCall("call_abc123", "weather", '{"city": "Oslo"}')],
            Answer(parts=("It is cold.",), usage=usage),
            "It is cold.",
            '{"degrees": 4}',
        )
        with byollm.Client(target(twin, dialect)) as client:
            runs[dialect] = program(client)
        assert hashlib.sha256(inspect.getsource(program).encode()).hexdigest() == DIGEST

    first, *others = runs.values()
    assert all(first == other for other in others), runs


def test_what_a_provider_cannot_is_told(twin: Twins) -> None:
    """Hints that one provider takes and another does not are in `reply.adjustments`, never lost in silence."""
    twin.script("a", "b")

    with byollm.Client(target(twin, "openai-chat")) as client:
        plain = client.complete("hi", temperature=0.3, seed=7)
    with byollm.Client(target(twin, "anthropic-messages")) as client:
        adapted = client.complete("hi", temperature=0.3, seed=7)

    assert () == plain.adjustments
    assert ["temperature", "seed"] == [adjustment.field for adjustment in adapted.adjustments]


def test_only_the_named_key_travels(twin: Twins) -> None:
    """The customer's key is the only credential in any request."""
    twin.script("a", "b", "c")

    for dialect in DIALECTS:
        with byollm.Client(target(twin, dialect)) as client:
            client.complete("hi")

    assert {twin.requests[0].key} == {request.key for request in twin.requests}
    assert 3 == len(twin.requests)
