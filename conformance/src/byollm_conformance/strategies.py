"""What to try: texts, answers, requests and ways to cut bytes, as hypothesis strategies.

All are built to be legal: what a strategy makes, a plugin must handle. Illegal things are made by the checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    {"type": "object", "properties": {"n": {"type": "integer"}, "all": {"type": "array", "items": {}}}, "required": ["n"]},
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
    return answers(tools=not subject.support("tools").refused, reasoning=reasoning)


@st.composite
def tools(draw: Any, max_size: int = 3) -> list[Tool]:
    """Tools whose names differ, with small schemas."""
    found = {draw(names()): draw(st.sampled_from(_SCHEMAS)) for _ in range(draw(st.integers(1, max_size)))}
    return [Tool(name, draw(st.none() | texts(min_size=1)), schema) for name, schema in found.items()]


@st.composite
def conversations(draw: Any, *, tools: bool = False, system: bool = False, max_turns: int = 4) -> list[Message]:
    """A history that ends with the user or with tool results; every call is answered."""
    messages: list[Message] = []
    if system and draw(st.booleans()):
        messages.append(Message("system", (Text(draw(texts(min_size=1)).strip() or "be brief"),)))
    for turn in range(draw(st.integers(0, max_turns))):
        messages.append(Message("user", (Text(_visible(draw(texts(min_size=1)))),)))
        spoken: list[Part] = [Text(_visible(draw(texts(min_size=1))))]
        calls = [
            ToolCall(f"call_{turn}_{index}", TOOL.name, call.arguments)
            for index, call in enumerate(draw(tool_calls(2)) if tools else [])
        ]
        messages.append(Message("assistant", (*spoken, *calls)))
        if calls:
            results = [ToolResult(call.id, (Text(_visible(draw(texts(min_size=1)))),)) for call in calls]
            messages.append(Message("tool", tuple(results)))
    return [*messages, Message("user", (Text(_visible(draw(texts(min_size=1)))),))]


def _visible(text: str) -> str:
    """Several providers refuse a turn of white space alone, and an answer that ends with it."""
    return f"{text}." if text.strip() != text or not text else text


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


@st.composite
def requests(draw: Any, subject: Subject, *, stream: bool | None = None) -> Request:
    """A request with any legal mixture of parameters; what the subject declares unsupported is asked for as well as
    long as it is a hint, because the core then leaves it out.
    """
    with_tools = not subject.support("tools").refused and draw(st.booleans())
    system = not subject.support("system").refused
    parameters: dict[str, Any] = {
        name: draw(st.sampled_from(values)) for name, values in NUMBERS.items() if draw(st.integers(0, 3)) == 0
    }
    if with_tools:
        parameters["tools"] = [TOOL, *draw(tools(2))]
        if not subject.support("tools_while_reasoning").refused:
            parameters["tool_choice"] = draw(st.sampled_from([None, "auto", "none"]))
        else:
            parameters["reasoning_effort"] = "none"
    elif not subject.support("structured_output").refused and draw(st.integers(0, 4)) == 0:
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
