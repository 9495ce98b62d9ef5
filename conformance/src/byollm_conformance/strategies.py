"""What to try: texts, answers, requests and ways to cut bytes, as hypothesis strategies.

All are built to be legal: what a strategy makes, a plugin must handle. Illegal things are made by the checks on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from byollm.types.messages import Message
from byollm.types.parts import Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import Tool
from byollm.types.usage import Usage
from byollm_conformance.mirror import SCHEMA, TOOL
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Style

FRAGMENTS: Final = (
    "a", "word ", " ", "\n", "\n\n", "\r\n", "\t", "0", "{", "}", "[", "]", '"', "\\", "'", ":", ",", "é", "漢字", "🙂",
    "👩‍👩‍👧", "\u2028", "\u0085", "\u200b", "\ufeff", "א", "data: ", "data: [DONE]\n\n", "event: error\n", ": ping\n",
    '{"error": "no"}', "</tool>", "<think>", "\\u0000", "\x7f", "null", "%00", "&amp;", "$ref",
)  # fmt: skip
"""Pieces of text that wire formats have stumbled over. No NUL and no lone surrogate: those are refused."""

_SAFE: Final = st.characters(exclude_categories=("Cs",), exclude_characters="\x00")


@lru_cache(maxsize=8)
def texts(min_size: int = 0, max_size: int = 12) -> SearchStrategy[str]:
    """Text that must arrive as it left: fragments that wires stumble over, and any Unicode."""
    pieces = st.lists(st.sampled_from(FRAGMENTS), min_size=min_size, max_size=max_size).map("".join)
    return st.one_of(pieces, st.text(_SAFE, min_size=min_size, max_size=max_size))


def names() -> SearchStrategy[str]:
    """Tool names that every provider takes."""
    return st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,15}", fullmatch=True)


@lru_cache(maxsize=2)
def json_objects() -> SearchStrategy[dict[str, Any]]:
    """JSON objects of small depth, with numbers beyond 2^53 and odd member names."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.sampled_from([0.5, -1.25, 1e-7, 1e21]), texts()
    )
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3), max_leaves=6
    )
    return st.dictionaries(texts(), values, max_size=3)


def arguments() -> SearchStrategy[str]:
    """The JSON text of a tool call's arguments, compact: the form that survives a dialect with JSON objects."""
    return json_objects().map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def tool_calls(max_size: int = 3) -> SearchStrategy[list[ToolCall]]:
    """Calls with ids that differ."""
    named = st.lists(st.tuples(names(), arguments()), max_size=max_size)
    return named.map(lambda pairs: [ToolCall(f"call_{index}", *pair) for index, pair in enumerate(pairs)])


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


def tools(max_size: int = 3) -> SearchStrategy[list[Tool]]:
    """Tools whose names differ, with small schemas."""
    properties = st.dictionaries(
        names(), st.sampled_from([{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {}}]), max_size=3
    )
    made = st.builds(
        lambda name, words, found: Tool(name, words, {"type": "object", "properties": found}),
        names(),
        st.one_of(st.none(), texts(min_size=1)),
        properties,
    )
    return st.lists(made, min_size=1, max_size=max_size, unique_by=lambda tool: tool.name)


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
    return [data[start:end] for start, end in zip(edges, edges[1:], strict=False) if start < end]


def styles() -> SearchStrategy[Style]:
    """Ways to write server-sent events, all legal."""
    return st.builds(
        Style,
        newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
        space=st.sampled_from([b" ", b""]),
        bom=st.booleans(),
        comments=st.booleans(),
    )
