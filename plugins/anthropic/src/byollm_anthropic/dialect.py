"""The public door for hosts of Claude: build a body, read an answer, name an error, say what a model takes.

A host that serves the Messages dialect under another roof (Vertex, Bedrock) depends on this module only. It describes
itself as a `Host` and gets back values; URL, headers and credentials are its own affair::

    host = Host(provider="acme", transport="messages", version_in_body="acme-2026-01-01", model_in_body=False)
    built = build_body(request, "claude-opus-5", host)
    Exchange(request=…, reader=reader_for(host, built.names), framing="sse", fail=fail, auth=…)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from byollm.plugin import Event, Frame, Head, TokenCount
from byollm_anthropic.body import Built, build_body, count_body
from byollm_anthropic.capabilities import capabilities_of
from byollm_anthropic.checked import mapping, tokens
from byollm_anthropic.failure import error_of, fail
from byollm_anthropic.families import Family, family_of
from byollm_anthropic.host import Host
from byollm_anthropic.reader import MessageReader
from byollm_anthropic.served import MessagesSurface

__all__ = [
    "Built",
    "Family",
    "Host",
    "MessagesSurface",
    "build_body",
    "capabilities_of",
    "count_body",
    "count_reader",
    "error_of",
    "fail",
    "family_of",
    "reader_for",
]


def reader_for(host: Host, names: Mapping[str, str]) -> Callable[[Head], Callable[[Frame], list[Event]]]:
    """An exchange's `reader`: a fresh one for each response. `names` are `Built.names`."""
    return lambda head: MessageReader(host, names)


def count_reader(head: Head) -> Callable[[Frame], list[TokenCount]]:
    """Reads the answer of `count_tokens`. The provider documents its figure as an estimate (wire facts, 2026-11-21)."""
    return _count


def _count(frame: Frame) -> list[TokenCount]:
    found = tokens(mapping(frame.data, "the count").get("input_tokens"), "input_tokens")
    return [] if found is None else [TokenCount(found, "estimate", source="Anthropic's count_tokens")]
