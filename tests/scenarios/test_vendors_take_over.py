"""Failover in mid-conversation: what one vendor's plugin made of a conversation, every other vendor takes.

All ordered pairs of dialects with a strict twin. A conversation begins with a third vendor and goes on with the first
of the pair; the second must take it. It holds parallel calls whose results come out of order, a result that is an
error, thoughts with the state of whoever had them, a picture, an answer without a word. The plugins translate and read
through the core; the twins' rules judge every request, and the suite's readers say what arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import byollm
from byollm.plugin import Message, Opaque, Reasoning, Request, Text, ToolCall, ToolResult
from byollm.providers.discovery import load_provider
from byollm_conformance.mirror import PNG
from byollm_conformance.subject import Subject, Translation
from byollm_conformance.wires import wire_for
from byollm_sandbox import Answer, Twins
from tests.scenarios.conftest import KEY, Asker
from tests.scenarios.providers import STANDS

ENDS: Final = {
    "openai-chat": "chat", "openai": "responses", "anthropic": "messages", "google": "gemini", "bedrock": "converse",
    "bedrock-invoke": "invoke", "mistral": "chat", "cohere": "chat", "ollama": "native",
}  # fmt: skip
"""Deployments of `providers.STANDS`, one for each dialect with a twin of its own, and the API that speaks it."""
PAIRS: Final = list(permutations(ENDS, 2))
STATEFUL: Final = ("anthropic", "openai", "google", "bedrock")
"""Who gives thoughts a state that must come back, and to nobody else."""
TOOLS: Final = [byollm.Tool(name, "It tells.", {"type": "object", "properties": {}}) for name in ("weather", "clock")]
TRAITS: Final = ("parallel", "error", "thoughts", "picture", "empty")


@cache
def subject(name: str) -> Subject:
    """A plugin over its dialect, with the strict twin's rules at the other end."""
    stand = STANDS[name]
    plugin = load_provider(stand.provider).plugin
    wire = wire_for(stand.dialect, model=stand.model)
    return Subject(plugin, api=ENDS[name], model=stand.model, dialect=wire, keys={"api_key": KEY, **stand.keys})


@dataclass(frozen=True)
class Case:
    """What a conversation holds, how it was answered, and what was said in it."""

    traits: frozenset[str]
    third: str
    streamed: bool
    words: str
    ids: tuple[str, str]


def cases() -> st.SearchStrategy[Case]:
    """Nine of ten hold everything."""
    return st.builds(
        Case,
        st.sampled_from([frozenset(TRAITS)] * 45 + [frozenset(TRAITS) - {trait} for trait in TRAITS]),
        st.sampled_from(STATEFUL),
        st.booleans(),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
        st.sampled_from(
            [("call_1", "call_2"), ("toolu_01AbC", "toolu_01AbD"), ("a" * 40, "a" * 39 + "b"), ("x:1", "x.1")]
        ),
    )


def answered(name: str, history: list[Message], answer: Answer, streamed: bool) -> Message:
    """The turn that a plugin reads from its vendor's bytes, in the middle of a conversation."""
    one = subject(name)
    request = Request(history, tools=TOOLS, stream=streamed)
    taken(name, request)
    reply = one.read(one.dialect.render(answer, streamed), stream=streamed, request=request)
    assert isinstance(reply, byollm.Completion), reply
    return reply.message


def spoken(name: str, history: list[Message], case: Case, number: int) -> list[Message]:
    """One exchange with a vendor: a question, calls and their results, and an answer, which may be empty."""
    picture = [byollm.Image(PNG)] if "picture" in case.traits else []
    said = [*history, byollm.user(f"question {number} {case.words}", *picture)]
    count = 2 if "parallel" in case.traits else 1
    calls = [ToolCall(f"{id}-{number}", tool.name, "{}") for id, tool in zip(case.ids, TOOLS, strict=True)][:count]
    thoughts = [Reasoning(f"thought {number}")] if "thoughts" in case.traits else []
    said.append(answered(name, said, Answer(parts=(*thoughts, *calls)), case.streamed))
    results = [
        ToolResult(
            call.id, (Text(f"{number} {call.name}"),), is_error="error" in case.traits and call.name == "weather"
        )
        for call in said[-1].parts
        if isinstance(call, ToolCall)
    ]
    assert count == len(results)
    said.append(Message("tool", tuple(reversed(results))))
    words = () if "empty" in case.traits else (Text("so it is"),)
    last = answered(name, said, Answer(parts=words), case.streamed)
    return [*said, last if last.parts else Message("assistant", (Text(""),))]


def conversation(first: str, case: Case) -> list[Message]:
    """A third vendor's part, the first one's, and a last question."""
    history = spoken(case.third, [], case, 1)
    return [*spoken(first, history, case, 2), byollm.user("and now?")]


def taken(name: str, request: Request) -> Translation:
    """The request, which the strict twin takes."""
    made = subject(name).translate(request)
    refused = subject(name).rejected(made)
    assert refused is None, f"{name} would refuse: {refused}: {made.body.decode()}"
    return made


def foreign_texts(name: str, history: list[Message]) -> Iterator[str]:
    """Long texts in the states of others: signatures, encrypted thoughts, ids of items; a call's id is everybody's."""
    provider, api = STANDS[name].provider, ENDS[name]
    parts = [part for message in history for part in message.parts]
    known = {part.id for part in parts if isinstance(part, ToolCall)}
    for part in parts:
        state = part if isinstance(part, Opaque) else getattr(part, "state", None)
        if state is not None and (state.provider, state.transport) != (provider, api):
            yield from (text for text in _texts(state.data) if len(text) >= 20 and text not in known)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    for inner in data.values() if isinstance(data, Mapping) else data if isinstance(data, list) else ():
        yield from _texts(inner)


def holds_all(history: list[Message]) -> bool:
    """Everything that makes a history hard stands in this one."""
    parts = [part for message in history for part in message.parts]
    calls = [part.id for part in parts if isinstance(part, ToolCall)]
    results = [part for part in parts if isinstance(part, ToolResult)]
    return (
        len(calls) == 4
        and [part.id for part in results] == [calls[1], calls[0], calls[3], calls[2]]
        and any(part.is_error for part in results)
        and any(isinstance(part, Reasoning) for part in parts)
        and any(isinstance(part, Reasoning | ToolCall) and part.state is not None for part in parts)
        and any(isinstance(part, byollm.Image) for part in parts)
        and any(message.role == "assistant" and not message.text for message in history)
    )


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{first}-{second}" for first, second in PAIRS])
def test_a_history_of_one_vendor_is_taken_by_another(first: str, second: str) -> None:
    """Nothing is refused, every result still answers its call, and no state reaches a stranger."""
    hard: list[bool] = []

    @settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(cases())
    def law(case: Case) -> None:
        history = conversation(first, case)
        hard.append(holds_all(history))
        made = taken(second, Request(history, tools=TOOLS))
        arrived(second, history, made, case)

    law()
    assert sum(hard) >= 0.8 * len(hard)


NEXT: Final = list(zip(ENDS, [*list(ENDS)[1:], next(iter(ENDS))], strict=True))


@pytest.mark.parametrize(("first", "second"), NEXT, ids=[f"{first}-{second}" for first, second in NEXT])
def test_when_one_vendor_goes_down_the_next_goes_on(twin: Twins, ask: Asker, first: str, second: str) -> None:
    """On sockets: two calls from the first, which then is gone; the second gets the results and answers."""
    config = {
        **STANDS[first].target(twin, KEY, "first"),
        "failover": [STANDS[second].target(twin, KEY, "second")],
    }
    twin.script([Reasoning("hm"), *[ToolCall(f"call_{tool.name}", tool.name, "{}") for tool in TOOLS]], name="first")
    twin.script("so it is", name="second")
    history = [byollm.user("well?", byollm.Image(PNG))]
    reply = ask.complete(config, history, tools=TOOLS, clock=ask.clock)
    results = [ToolResult(call.id, (Text(call.name),)) for call in reversed(reply.tool_calls)]
    twin.down("first")

    last = ask.complete(config, [*history, reply.message, byollm.tool_results(*results)], tools=TOOLS, clock=ask.clock)

    assert ("so it is", STANDS[second].provider) == (last.text, last.provider)
    assert isinstance(last.attempts[0].error, byollm.errors.ProviderConnectionError)
    asked = [request for request in twin.requests if (request.name, request.operation) == ("second", "complete")]
    assert [200] == [request.status for request in asked]


def arrived(second: str, history: list[Message], made: Translation, case: Case) -> None:
    """What the other end reads: calls and results in pairs, words, pictures, nobody else's state."""
    body = made.body.decode()
    assert [] == [text for text in foreign_texts(second, history) if text in body]
    parts = [part for turn in subject(second).seen(made).messages for part in turn.parts]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    ours = [part for message in history for part in message.parts if isinstance(part, ToolCall)]
    assert len(ours) == len(calls) == len({call.id for call in calls})
    names = {call.id: own.name for call, own in zip(calls, ours, strict=True)}
    results = [part for part in parts if isinstance(part, ToolResult)]
    assert len(results) == len(calls)
    assert [] == [result.text for result in results if not result.text.endswith(names[result.id])]
    texts = " ".join(part.text for part in parts if isinstance(part, Text))
    assert all(f"question {number} {case.words}" in texts for number in (1, 2))
    pictures = 2 if "picture" in case.traits else 0
    assert pictures == sum(isinstance(part, byollm.Image) and part.source == PNG for part in parts)
