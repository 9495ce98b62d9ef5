"""One program, one changed line of YAML, another provider: the answers are equal and the program's text is the same."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

import byollm
from byollm.types.parts import ToolCall
from byollm_sandbox import Answer, Twins, dialect_named, dialects
from tests.scenarios.conftest import DIALECTS, KEY, target
from tests.scenarios.providers import STANDS


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
SCRIPT = (
    [ToolCall("call_abc123", "weather", '{"city": "Oslo"}')],
    Answer(parts=("It is cold.",), usage=byollm.Usage(input_tokens=31, output_tokens=7)),
    "It is cold.",
    '{"degrees": 4}',
)
EXPECTED = [
    [("weather", {"city": "Oslo"})], "tool_calls", "It is cold.", 31, 7, "It is cold.", "stop", {"degrees": 4},
]  # fmt: skip


@pytest.fixture
def file(twin: Twins, tmp_path: Path) -> Path:
    """One file with every provider, and a line that chooses among them."""
    deployments = {name: stand.target(twin, KEY) for name, stand in STANDS.items()}
    path = tmp_path / "llm.yaml"
    path.write_text(yaml.safe_dump({"llm_config": {"default": "custom", "deployments": deployments}}, sort_keys=False))
    return path


@pytest.mark.parametrize("name", STANDS)
def test_the_same_program_gives_the_same_answers(twin: Twins, file: Path, name: str) -> None:
    """Whatever the line says, the unchanged program ends in equal values; the twin took every request."""
    before = file.read_text()
    after = before.replace("  default: custom\n", f"  default: {name}\n")
    file.write_text(after)
    twin.script(*SCRIPT)

    with byollm.Client.from_yaml(file) as client:
        values = program(client)

    assert sum(one != two for one, two in zip(before.splitlines(), after.splitlines(), strict=True)) <= 1
    assert hashlib.sha256(inspect.getsource(program).encode()).hexdigest() == DIGEST
    assert EXPECTED == values
    assert [200] * 4 == [request.status for request in twin.requests if request.operation == "complete"]


def test_every_provider_and_every_twin_is_there() -> None:
    """A plugin of this repository without a line here would be no switch away; so would a twin nobody talks to."""
    root = Path(__file__).resolve().parents[2]
    folders = {path.parent.name for path in root.glob("plugins/*/pyproject.toml")}
    spoken = {dialect_named(stand.dialect).name for stand in STANDS.values()}

    assert folders - {"openai-compatible"} | {"custom"} == {stand.provider for stand in STANDS.values()}
    assert set() == dialects().keys() - spoken


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
