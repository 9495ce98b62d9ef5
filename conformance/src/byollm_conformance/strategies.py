"""What to try: texts, answers, requests and ways to cut bytes, as hypothesis strategies.

All are built to be legal: what a strategy makes, a plugin must handle. Illegal things are made by the checks.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from byollm.types.messages import Message
from byollm.types.parts import Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import Tool
from byollm.types.usage import Usage
from byollm_conformance import pools
from byollm_conformance.generate import spared
from byollm_conformance.mirror import SCHEMA, TOOL
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Style

_SAFE: Final = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
_RARE: Final = 8
"""One text in so many is drawn letter by letter, from all of Unicode."""


@st.composite
def texts(draw: Any, min_size: int = 0) -> str:
    """Text that must arrive as it left: fragments that wires stumble over, and now and then any Unicode."""
    pool = pools.texts()
    place = draw(st.integers(-1 if min_size == 0 else 0, len(pool) + len(pool) // _RARE))
    if place < 0:
        return ""
    return pool[place] if place < len(pool) else str(draw(st.text(_SAFE, min_size=min_size, max_size=12)))


def names() -> SearchStrategy[str]:
    """Tool names that every provider takes."""
    return st.sampled_from(pools.names())


def json_objects() -> SearchStrategy[dict[str, Any]]:
    """JSON objects of small depth, with numbers beyond 2^53 and odd member names. Shared: do not change one."""
    return st.sampled_from(pools.objects())


def arguments() -> SearchStrategy[str]:
    """The JSON text of a tool call's arguments, compact."""
    return json_objects().map(pools.compact)


@st.composite
def tool_calls(draw: Any, max_size: int = 3) -> list[ToolCall]:
    """Calls with ids that differ."""
    number = draw(st.integers(0, max_size))
    return [ToolCall(f"call_{index}", draw(names()), draw(arguments())) for index in range(number)]


_SCHEMAS: Final[tuple[Mapping[str, Any], ...]] = (
    {"type": "object", "properties": {}},
    {"type": "object", "properties": {"q": {"type": "string"}}},
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "all": {"type": "array", "items": {}}},
        "required": ["n"],
    },
    TOOL.parameters,
)


@st.composite
def usages(draw: Any) -> Usage:
    """Counts that include what they must include."""
    cached, written, reasoning = (draw(st.integers(0, 50)) for _ in range(3))
    return Usage(
        cached + written + draw(st.integers(1, 500)), reasoning + draw(st.integers(1, 500)), cached, written, reasoning
    )


@st.composite
def answers(draw: Any, *, tools: bool = True, reasoning: bool = False, cut: bool = True) -> Answer:
    """An answer every dialect can say: perhaps thoughts, perhaps text, perhaps calls; how a stream cuts it is drawn.

    Never empty. `usage` tells input and output only.
    """
    parts: list[Part] = []
    if reasoning:
        parts.append(Reasoning(draw(texts(min_size=1))))
    calls = draw(tool_calls()) if tools else []
    text = draw(texts(min_size=0 if calls else 1))
    if text:
        parts.append(Text(text))
    return Answer(
        parts=(*parts, *calls),
        finish_reason="tool_calls" if calls else draw(st.sampled_from(["stop", "length"])),
        usage=Usage(draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))),
        id=draw(st.sampled_from(["answer-1", "msg_Ünïcode", None])),
        events=draw(st.sampled_from([1, 2, 5, None])) if cut else None,
    )


def answers_of(subject: Subject, *, reasoning: bool = False) -> SearchStrategy[Answer]:
    """`answers` without what the subject declares unsupported."""
    return answers(tools=not subject.support("tools").refused, reasoning=reasoning).map(
        lambda answer: spared(subject, answer)
    )


def tools() -> SearchStrategy[list[Tool]]:
    """One to three tools whose names differ, with small schemas."""
    return st.sampled_from(_tool_pool())


@cache
def _tool_pool() -> tuple[list[Tool], ...]:
    chance = random.Random(4)
    made = []
    for _ in range(pools.SIZE // 10):
        found = {name: chance.choice(_SCHEMAS) for name in chance.sample(pools.names(), chance.randint(1, 3))}
        words = chance.choice((None, chance.choice(pools.texts())))
        made.append([Tool(name, words, schema) for name, schema in found.items()])
    return tuple(sorted(made, key=lambda tools: len(repr(tools))))


def conversations(*, tools: bool = False, system: bool = False) -> SearchStrategy[list[Message]]:
    """A history that ends with the user or with tool results; every call is answered. At most four turns before."""
    return st.sampled_from(_histories(tools, system))


@cache
def _histories(tools: bool, system: bool) -> tuple[list[Message], ...]:
    chance = random.Random(5)
    made = [[Message("user", (Text("hi"),))]]
    made += [_history(chance, tools, system) for _ in range(pools.SIZE // 2)]
    return tuple(sorted(made, key=lambda history: len(repr(history))))


def _history(chance: random.Random, tools: bool, system: bool) -> list[Message]:
    messages: list[Message] = []
    if system and chance.random() < 0.5:
        messages.append(Message("system", (_text(chance),)))
    for turn in range(chance.choice((0, 0, 1, 1, 2, 4))):
        messages.append(Message("user", (_text(chance),)))
        calls = [
            ToolCall(f"call_{turn}_{index}", TOOL.name, pools.compact(chance.choice(pools.objects())))
            for index in range(chance.choice((0, 1, 2)) if tools else 0)
        ]
        messages.append(Message("assistant", (_text(chance), *calls)))
        if calls:
            messages.append(Message("tool", tuple(ToolResult(call.id, (_text(chance),)) for call in calls)))
    return [*messages, Message("user", (_text(chance),))]


def _text(chance: random.Random) -> Text:
    """Several providers refuse a turn of white space alone, and an answer that ends with it."""
    text = chance.choice(pools.texts())
    return Text(text if text.strip() == text else f"{text}.")


NUMBERS: Final[dict[str, tuple[Any, ...]]] = {
    "temperature": (0, 0.0, 0.2, 1.0),
    "top_p": (0.1, 0.9, 1.0),
    "top_k": (1, 40),
    "max_tokens": (16, 1000),
    "seed": (0, 7, 2**31),
    "frequency_penalty": (0, -1.5, 0.5),
    "presence_penalty": (0, 0.5, 1.5),
    "stop": (("END",), ("END", "\n\n")),
    "reasoning_effort": ("low", "medium", "high"),
    "verbosity": ("low", "high"),
    "end_user_id": ("user-1",),
    "cache_key": ("key-1",),
    "metadata": ({"ticket": "4711"},),
}
"""Values of each hint that are inside every provider's range."""


@cache
def _parameters() -> tuple[dict[str, Any], ...]:
    """Mixtures of them: none, each value alone, then more and more."""
    chance = random.Random(6)
    made: list[dict[str, Any]] = [{}]
    made += [{name: value} for name, values in NUMBERS.items() for value in values]
    while len(made) < pools.SIZE:
        names = chance.sample(list(NUMBERS), chance.randint(2, len(NUMBERS)))
        made.append({name: chance.choice(NUMBERS[name]) for name in names})
    return tuple(sorted(made, key=len))


@st.composite
def requests(draw: Any, subject: Subject, *, stream: bool | None = None) -> Request:
    """A request with any legal mixture of parameters; what the subject declares unsupported is asked for as well as
    long as it is a hint, because the core then leaves it out.
    """
    with_tools = not subject.support("tools").refused and draw(st.booleans())
    system = not subject.support("system").refused
    parameters: dict[str, Any] = {**draw(st.sampled_from(_parameters()))}
    if with_tools:
        parameters["tools"] = [TOOL, *[tool for tool in draw(tools()) if tool.name != TOOL.name]]
        if subject.support("tools_while_reasoning").refused:
            parameters["reasoning_effort"] = "none"
        else:
            parameters["tool_choice"] = draw(st.sampled_from([None, "auto", "none"]))
    elif not subject.support("structured_output").refused and draw(st.integers(0, 4)) == 4:
        parameters["output_schema"] = SCHEMA
    if stream is None:
        stream = not subject.support("streaming").refused and draw(st.booleans())
    history = draw(conversations(tools=with_tools, system=system))
    return Request(history, stream=stream, **parameters)


def chunkings(data: bytes, most: int = 30) -> SearchStrategy[list[bytes]]:
    """The same bytes cut in pieces, anywhere."""
    cuts = st.lists(st.integers(0, len(data)), max_size=most, unique=True).map(sorted)
    return cuts.map(lambda places: pieces_of(data, places))


def pieces_of(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """`data` cut at these places; joined it is `data` again."""
    edges = [0, *cuts, len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


def styles() -> SearchStrategy[Style]:
    """Ways to write server-sent events, all legal."""
    return st.builds(
        Style,
        newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
        space=st.sampled_from([b" ", b""]),
        bom=st.booleans(),
        comments=st.booleans(),
    )
