"""What a model's answer is made of, in the order it arrives. Frozen, and few.

The legal order: `Started` once and first; then content events; `Finished` once; after it only `UsageReported`.
Every content event carries `index`, the position of its part in the answer; parts may interleave. The same events come
from a whole document as from a stream. `UsageReported` is cumulative: the last known value of each field wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from byollm.types.frozen import quick
from byollm.types.parts import Opaque, Part
from byollm.types.usage import Usage

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "error", "other"]


@quick
@dataclass(frozen=True, slots=True)
class Started:
    """The provider began to answer. `id` is the answer's, `model` the one that really serves; either may be None.

    `restarted`: an answer whose content was shown was cut, and another begins from nothing: forget what came before.
    Only the engine says so, and only where the file allows it (`retries: {on_cut: restart}`).
    """

    id: str | None = None
    model: str | None = None
    restarted: bool = False


@quick
@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the part at `index`."""

    index: int
    text: str


@quick
@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More reasoning text of the part at `index`."""

    index: int
    text: str


@quick
@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """A tool call begins at `index`. `id` is never empty: where the provider gives none, the plugin makes one."""

    index: int
    id: str
    name: str


@quick
@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of the arguments' JSON text of the tool call at `index`."""

    index: int
    arguments: str


@quick
@dataclass(frozen=True, slots=True)
class PartAdded:
    """A part that arrives whole: a made image, a citation, a block byollm does not know (`Opaque`)."""

    index: int
    part: Part


@quick
@dataclass(frozen=True, slots=True)
class StateAttached:
    """Opaque state of the part at `index`: a signature, encrypted reasoning. The last one wins."""

    index: int
    state: Opaque


@quick
@dataclass(frozen=True, slots=True)
class UsageReported:
    """Tokens so far."""

    usage: Usage


@quick
@dataclass(frozen=True, slots=True)
class Finished:
    """The terminal marker of the dialect was seen. `reason` is neutral, `raw` the provider's own word."""

    reason: FinishReason
    raw: str | None = None


Event = (
    Started
    | TextDelta
    | ReasoningDelta
    | ToolCallStarted
    | ToolCallDelta
    | PartAdded
    | StateAttached
    | UsageReported
    | Finished
)
"""Any of the events."""

NOT_CONTENT: frozenset[type] = frozenset({Started, UsageReported})
"""Events that do not commit an answer: failing over after one of these is still invisible to the caller."""
