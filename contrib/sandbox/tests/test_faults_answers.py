"""Faults in what an answer says: endings, usage, tool calls, and how faults are given."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import httpx
import pytest
from sandbox_asking import PATHS, TERMINAL, Asker, body_for

from byollm.types.parts import ToolCall
from byollm_sandbox import KINDS, Answer, Fault, Twins

WORDS = "one two three four five"


def finish_in(body: str) -> list[Any]:
    """Every finish reason in a chat stream."""
    chunks = [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: {")]
    return [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]


def test_finish_reasons_that_mislead(twin: Twins, ask: Asker) -> None:
    """Calls that end with stop, words nobody knows, a filter that leaves nothing."""
    twin.script(ToolCall("c", "f", "{}"), "x", "x")
    twin.fault("stop-with-tools")
    twin.fault("unknown-finish", value="vibes")
    twin.fault("empty-filtered")

    assert [["stop"], ["vibes"], ["content_filter"]] == [finish_in(ask.stream("openai-chat").text) for _ in range(3)]


def test_ends_that_are_missing(twin: Twins, ask: Asker, dialect: str) -> None:
    """No terminal event; no `[DONE]`; no blank line after the last event; data after the end."""
    for kind in ("no-finish", "no-done", "no-final-blank", "after-done"):
        twin.fault(kind)

    no_finish, no_done, no_blank, after = [ask.stream(dialect).text for _ in range(4)]

    assert TERMINAL[dialect] not in no_finish
    assert ("[DONE]" not in no_done, TERMINAL[dialect] in no_done) == (True, True)
    assert not no_blank.endswith("\n\n")
    assert "too late" in after.split("\n\n")[-2]


def test_usage_where_it_is_not_expected(twin: Twins, ask: Asker) -> None:
    """A last chunk without choices, unasked; running numbers in every chunk; none at all."""
    twin.fault("usage-tail")
    twin.fault("usage-every")
    twin.fault("no-usage")
    twin.fault("no-usage")

    tail, every, none = [ask.stream("openai-chat").text for _ in range(3)]

    assert (1, '"choices":[]' in tail) == (tail.count('"usage":{'), True)
    assert every.count('"usage":{') == every.count("chat.completion.chunk")
    assert '"usage"' not in none
    assert "usage" not in ask.post("openai-chat").json()


def test_deltas_of_tool_calls_without_index_and_taking_turns(twin: Twins, ask: Asker) -> None:
    """No index; and two calls whose arguments are told in turns."""
    calls = [ToolCall("c1", "f", '{"a": 1, "b": 2}'), ToolCall("c2", "g", '{"c": 3, "d": 4}')]
    twin.script(calls, calls)
    twin.fault("no-index")
    twin.fault("interleave")

    lines = [line for line in ask.stream("openai-chat").text.split("\n") if "tool_calls" in line and "delta" in line]
    turns = [
        json.loads(line[6:])["choices"][0]["delta"]["tool_calls"][0]["index"]
        for line in ask.stream("openai-chat").text.split("\n")
        if '"tool_calls":[' in line
    ]

    assert not any('"tool_calls":[{"index"' in line for line in lines)
    assert [0, 1, 0, 1] == turns[:4]


@pytest.mark.parametrize("dialect_", ["openai-responses", "anthropic-messages"])
def test_items_and_blocks_take_turns(twin: Twins, ask: Asker, dialect_: str) -> None:
    """Interleaved parts keep their indexes."""
    twin.script([ToolCall("c1", "f", '{"a": 1}'), ToolCall("c2", "g", '{"c": 3}')])
    twin.fault("interleave")
    member = "output_index" if dialect_ == "openai-responses" else "index"

    events = [json.loads(line[6:]) for line in ask.stream(dialect_).text.split("\n") if line.startswith("data: ")]

    assert [0, 1, 0, 1] == [event[member] for event in events if member in event][:4]


def test_a_document_where_a_stream_was_asked_for(twin: Twins, ask: Asker, dialect: str) -> None:
    """A server that ignores `stream`."""
    twin.fault("json-for-stream")

    assert "stand-in" == ask.stream(dialect).json()["model"]


def test_unknown_events_and_second_choices(twin: Twins, ask: Asker, dialect: str) -> None:
    """Events from the future stand between the known ones; a second choice stands beside the first."""
    twin.fault("unknown-events")
    twin.fault("second-choice")

    assert "from the future" in ask.stream(dialect).text
    if dialect == "openai-chat":
        assert 2 == len(ask.post(dialect).json()["choices"])


def test_pings(twin: Twins, ask: Asker, dialect: str) -> None:
    """The vendor's keep-alive: `event: ping` where there is one, comments elsewhere."""
    twin.fault("pings")

    body = ask.stream(dialect).text

    assert body.count("event: ping" if dialect == "anthropic-messages" else ": keep-alive") > 3


def test_an_answer_may_bring_its_own_fault(twin: Twins, ask: Asker) -> None:
    """A fault in an Answer strikes with that answer only."""
    twin.script(Answer(parts=WORDS, fault=Fault("no-finish")), WORDS)

    assert [[], ["stop"]] == [finish_in(ask.stream("openai-chat").text) for _ in range(2)]


def test_an_unknown_fault_names_the_nearest(twin: Twins) -> None:
    """A typing mistake is told with what was probably meant."""
    with pytest.raises(ValueError, match="did you mean 'odd-sse'"):
        twin.fault("od-sse")


def test_every_fault_leaves_the_server_well(twin: Twins, dialect: str) -> None:
    """Whatever a fault did, the next request is answered and nothing in the twin broke."""
    for kind in KINDS:
        twin.fault(kind, seconds=0.0001, size=2000, depth=100)
        with Asker(twin).client as client:
            with contextlib.suppress(httpx.TransportError, httpx.DecodingError):
                client.post(twin.url(dialect) + PATHS[dialect], json=body_for(dialect, stream=True), timeout=0.3)
            body = body_for(dialect)
            assert 200 == client.post(twin.url(dialect) + PATHS[dialect], json=body).status_code, kind

    assert [] == twin.failures
