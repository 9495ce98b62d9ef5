"""The public door for hosts of Claude: build a body, read an answer, name an error, say what a model takes.

A host that serves the Messages dialect under another roof (Vertex, Bedrock) depends on this module only. It describes
itself as a `Host` and gets back values; URL, headers and credentials are its own affair::

    host = Host(provider="acme", transport="messages", version_in_body="acme-2026-01-01", model_in_body=False)
    built = build_body(request, "claude-opus-5", host)
    Exchange(request=…, reader=reader_for(host, built.names), framing="sse", fail=fail, auth=…)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from byollm.plugin import Adjustment, Event, Frame, Head, Request, TokenCount, checked
from byollm_anthropic.body import Built, build_body, count_body
from byollm_anthropic.capabilities import capabilities_of
from byollm_anthropic.failure import error_of, fail
from byollm_anthropic.families import Family, family_of
from byollm_anthropic.host import Host
from byollm_anthropic.notes import Notes
from byollm_anthropic.reader import MessageReader
from byollm_anthropic.schema import check_limits, wire_schema
from byollm_anthropic.served import MessagesSurface
from byollm_anthropic.thinking import plan

__all__ = [
    "Built",
    "Family",
    "Host",
    "MessagesSurface",
    "Thinking",
    "build_body",
    "capabilities_of",
    "check_limits",
    "count_body",
    "count_reader",
    "error_of",
    "fail",
    "family_of",
    "reader_for",
    "thinking_of",
    "wire_schema",
]


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a request thinks: `fields` as a Messages body has them (`thinking`, `output_config`), and what had to change.

    `keep`: may thinking of earlier turns be sent along?
    """

    fields: Mapping[str, Any]
    adjustments: tuple[Adjustment, ...]
    keep: bool


def reader_for(host: Host, names: Mapping[str, str]) -> Callable[[Head], Callable[[Frame], list[Event]]]:
    """An exchange's `reader`: a fresh one for each response. `names` are `Built.names`."""
    return lambda head: MessageReader(host, names)


def count_reader(head: Head) -> Callable[[Frame], list[TokenCount]]:
    """Reads the answer of `count_tokens`. The provider documents its figure as an estimate (wire facts, 2026-11-21)."""
    return _count


def _count(frame: Frame) -> list[TokenCount]:
    found = checked.tokens(checked.mapping(frame.data, "the count").get("input_tokens"), "input_tokens")
    return [] if found is None else [TokenCount(found, "estimate", source="Anthropic's count_tokens")]


def thinking_of(request: Request, model: str, host: Host) -> Thinking:
    """How a request thinks, for hosts that say it elsewhere than in a Messages body (Bedrock's Converse)."""
    family, notes = family_of(model), Notes()
    max_tokens = request.max_tokens if request.max_tokens is not None else family.default_max_tokens
    found = plan(request, family, host, max_tokens, notes)
    fields: dict[str, Any] = {} if found.thinking is None else {"thinking": found.thinking}
    if found.effort is not None:
        fields["output_config"] = {"effort": found.effort}
    return Thinking(fields, tuple(notes), found.keep)
