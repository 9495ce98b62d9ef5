"""Grounding and citation metadata of a candidate as citations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from byollm.plugin import Citation


def citations(grounding: Any, cited: Any, text: str) -> Iterator[Citation]:
    """The sources of an answer. The wire's offsets count bytes of UTF-8; here they count characters of `text`."""
    yield from _grounded(grounding if isinstance(grounding, Mapping) else {}, text)
    sources = cited if isinstance(cited, Mapping) else {}
    for source in _objects(sources.get("citations") or sources.get("citationSources")):
        yield _citation(source, source, None, text)


def _grounded(grounding: Mapping[str, Any], text: str) -> Iterator[Citation]:
    chunks = [_source(chunk) for chunk in _objects(grounding.get("groundingChunks"))]
    supports = list(_objects(grounding.get("groundingSupports")))
    for support in supports:
        segment = support.get("segment")
        span = segment if isinstance(segment, Mapping) else {}
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if isinstance(index, int) and 0 <= index < len(chunks):
                yield _citation(chunks[index], span, _word(span, "text"), text)
    if not supports:
        for chunk in chunks:
            yield _citation(chunk, {}, None, text)


def _source(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((value for value in chunk.values() if isinstance(value, Mapping)), {})


def _citation(source: Mapping[str, Any], span: Mapping[str, Any], quoted: str | None, text: str) -> Citation:
    start, end = _offset(span.get("startIndex"), text), _offset(span.get("endIndex"), text)
    if end is not None and start is None:
        start = 0  # a zero is left out on this wire
    title = _word(source, "title") or _word(source, "license")
    return Citation(quoted, _word(source, "uri"), title, start, end)


def _offset(value: Any, text: str) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return len(text.encode("utf-8", "surrogatepass")[:value].decode("utf-8", "ignore"))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def _word(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) and found else None
