"""What a twin is told to answer, in neutral terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from byollm.errors import ProviderError
from byollm.types.events import FinishReason
from byollm.types.parts import PART_TYPES, Citation, Opaque, Part, Reasoning, Text, ToolCall, as_parts
from byollm.types.usage import Usage
from byollm_sandbox.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a model, rendered by each twin in its vendor's shape.

    `parts`: what it is made of, kept as a tuple of parts; strings stand for Text. `refusal`: text of a refusal, set
    apart from the answer where the dialect does so. `finish_reason`: neutral; None is derived (`tool_calls` when a call
    is among the parts, `refusal` when one is given, else `stop`). `raw_finish_reason`: the vendor's word, sent as it
    is. `stop_sequence`: the stop string that ended it, where the dialect tells. `usage`: None lets the twin count;
    `Usage()` tells nothing. `model` and `id`: None echoes the request and makes an id. `events`: how a stream is cut:
    characters per delta, or None for one delta a word. `pieces`: the very deltas of the text, when a test needs exact
    ones (joined they stand for the parts' text). `pause`: seconds between two events. `headers`: further response
    headers. `extra`: further top-level members of the whole document. `fault`: what goes wrong on the wire with just
    this answer.
    """

    parts: Any = ()
    refusal: str | None = None
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    stop_sequence: str | None = None
    usage: Usage | None = None
    model: str | None = None
    id: str | None = None
    events: int | None = None
    pieces: Sequence[str] | None = None
    pause: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    def __post_init__(self) -> None:
        parts = as_parts(self.parts)
        if self.pieces is not None and not any(isinstance(part, Text) for part in parts):
            parts = (*parts, Text("".join(self.pieces)))
        object.__setattr__(self, "parts", parts)
        if self.finish_reason is None:
            object.__setattr__(self, "finish_reason", self._derived())

    def _derived(self) -> FinishReason:
        if self.refusal is not None:
            return "refusal"
        return "tool_calls" if self.tool_calls else "stop"

    @property
    def text(self) -> str:
        """All visible text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def reasoning(self) -> str:
        """All reasoning, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations, in order."""
        return tuple(part for part in self.parts if isinstance(part, Citation))

    def cut(self, text: str) -> tuple[str, ...]:
        """The deltas in which a stream brings `text`: never an empty one, joined they are `text`."""
        if self.pieces is not None and "".join(self.pieces) == text:
            return tuple(piece for piece in self.pieces if piece)
        if self.events is not None:
            size = max(1, self.events)
            return tuple(text[start : start + size] for start in range(0, len(text), size))
        return tuple(_WORDS.findall(text))


_WORDS = re.compile(r"\s*\S{1,24}|\s+$")


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they are. `body`: bytes, text, or pieces with waits between them (a number is seconds).

    A body of pieces is sent with chunked transfer encoding, one chunk each; whole bytes with a content length.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | Sequence[bytes | str | float] = b""


Scripted = str | Answer | Raw | Fault | ProviderError | Part | Sequence[Any] | Mapping[str, Any]
"""What `script` takes, besides a function of the recorded request that returns one of these."""

Scriptable = Scripted | Callable[[Any], Scripted]

_FIELDS = frozenset(item.name for item in fields(Answer))


def as_answer(value: Any) -> Answer | Raw | ProviderError:
    """Anything `script` accepts, made plain. Raises TypeError for anything else."""
    if isinstance(value, Answer | Raw | ProviderError):
        return value
    if isinstance(value, type) and issubclass(value, ProviderError):
        return value("")
    if isinstance(value, Mapping):
        unknown = value.keys() - _FIELDS
        if unknown:
            raise TypeError(f"{sorted(unknown)[0]!r} is not a member of an answer; known: {', '.join(sorted(_FIELDS))}")
        return Answer(**value)
    if isinstance(value, (str, Sequence, *PART_TYPES)):
        return Answer(parts=as_parts(value))
    raise TypeError(f"a twin cannot answer with {type(value).__name__}")


def state_of(part: Part) -> Mapping[str, Any]:
    """The opaque state of a part as a mapping: a bare string becomes `{"": string}`."""
    state = getattr(part, "state", None)
    if not isinstance(state, Opaque):
        return {}
    return state.data if isinstance(state.data, Mapping) else {"": state.data}
