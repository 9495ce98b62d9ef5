"""Values of the neutral vocabulary, drawn at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from byollm import (
    Audio,
    Citation,
    Completion,
    Document,
    Image,
    Message,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

texts = st.text(max_size=12)
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
opaques = st.builds(Opaque, names, names, json_values)
states = st.none() | opaques
caches = st.sampled_from([None, "default", "5m", "1h"])
sources = st.binary(max_size=8) | st.just("https://example.com/a.png") | st.just("data:image/png;base64,AAAA")
kinds = st.none() | st.just("image/png")

text_parts = st.builds(Text, texts, caches, states)
images = st.builds(Image, sources, kinds, st.sampled_from([None, "low"]), caches, states)
documents = st.builds(Document, sources, kinds, st.none() | names, caches, states)
audios = st.builds(Audio, sources, kinds, caches, states)
reasonings = st.builds(Reasoning, texts, states)
citations = st.builds(Citation, st.none() | texts, st.none() | texts, st.none() | texts, state=states)
calls = st.builds(ToolCall, names, names, texts | st.just("{}"), caches, states)
leaves = text_parts | images | documents | audios
results = st.builds(
    ToolResult, names, st.lists(leaves, max_size=2).map(tuple), st.booleans(), st.none() | names, caches
)
parts = leaves | reasonings | citations | calls | results | opaques
messages = st.builds(
    Message,
    st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    st.lists(parts, max_size=4).map(tuple),
    st.none() | names,
)
tokens = st.none() | st.integers(0, 10**6)
usages = st.builds(
    Usage, tokens, tokens, tokens, tokens, tokens, st.none() | st.dictionaries(names, json_values, max_size=2)
)
reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "refusal", "error", "other"])
completions = st.builds(
    Completion,
    parts=st.lists(parts, max_size=5).map(tuple),
    finish_reason=reasons,
    raw_finish_reason=st.none() | names,
    usage=usages,
    id=st.none() | names,
    model=st.none() | names,
)


def cuts(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """The same bytes in pieces, none of them empty."""

    def at(places: set[int]) -> list[bytes]:
        ends = [*sorted(places), len(data)]
        return [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]

    if len(data) < 2:
        return st.just([data] if data else [])
    return st.sets(st.integers(1, len(data) - 1), max_size=8).map(at)
