"""The other end of the wire: a dialect as a server knows it. It renders answers to bytes and reads requests from bytes.

It shares no code with any plugin. For the dialects of the sandbox it is there already (`generic`); the author of a
plugin with a wire nobody knows supplies one (`self-supplied`), or recorded exchanges (`recorded`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from byollm.errors import ProviderError
from byollm.types.messages import Message
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm_conformance.binary import is_binary
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Rejection
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.wire import Style

Source = Literal["generic", "self-supplied", "recorded"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that belong together: one event of a stream, or a whole document.

    `role`: "finish" for the terminal marker of the dialect (the last one counts), "usage" for token counts that come
    apart from it, "done" for an end line that means nothing by itself.
    """

    data: bytes
    role: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as bytes. Unpacks to `status, headers, body`; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    pieces: tuple[Piece, ...]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.status, self.headers, self.body))

    @property
    def body(self) -> bytes:
        """All bytes."""
        return b"".join([piece.data for piece in self.pieces])

    @property
    def terminal(self) -> int:
        """How many bytes stand before the last byte of the terminal marker's document.

        A body cut to this length or less has no terminal marker; with one byte more it has.
        """
        marks = [index for index, piece in enumerate(self.pieces) if piece.role == "finish"]
        index = marks[-1] if marks else len(self.pieces) - 1
        before = sum(len(piece.data) for piece in self.pieces[:index])
        data = self.pieces[index].data
        return before + len(data if is_binary(self.headers) else data.rstrip(b"\r\n")) - 1

    def without(self, role: str) -> Rendered:
        """The same without the pieces of a role."""
        return Rendered(self.status, self.headers, tuple([piece for piece in self.pieces if piece.role != role]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as the other end reads it, in neutral words, made from nothing but method, URL, headers and body.

    `messages`: the turns in order, system and developer turns in their places; tool results that stand together are one
    message of role `tool`, as in a byollm history. `parameters`: what else was said, by byollm's own names
    (`temperature`, `max_tokens`, `stop` as a tuple, `reasoning_effort`, …), only what is on the wire. `tools`,
    `tool_choice`, `output_schema`: None where not said. `rest`: members of the body without a neutral name. `key`: the
    credential, without its scheme. `path`: the URL's.
    """

    model: str | None
    stream: bool
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Tool | ProviderTool, ...] | None = None
    tool_choice: ToolChoice | None = None
    output_schema: Mapping[str, Any] | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    path: str = ""

    @property
    def system(self) -> str:
        """The text of all system and developer turns, joined by blank lines."""
        return "\n\n".join(turn.text for turn in self.messages if turn.role in ("system", "developer"))

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages that are not instructions."""
        return tuple(turn for turn in self.messages if turn.role not in ("system", "developer"))


class Wire(Protocol):
    """One dialect, from the other end. Everything is pure."""

    name: str
    source: Source

    def render(self, answer: Answer, stream: bool) -> Rendered:
        """An answer as the provider sends it. Raises TypeError for one the dialect cannot say."""
        ...

    def render_error(self, error: ProviderError, *, stream: bool = False) -> Rendered:
        """A refusal. With `stream`: an error inside a running stream (status 200), the failing events only."""
        ...

    def read_request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
        """A request in neutral words. Raises ValueError for bytes that are none."""
        ...

    def validate(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What the provider would refuse in a body (as JSON data); None when it would be taken."""
        ...


class VariableWire(Wire, Protocol):
    """A wire that can also say the same thing in the ways real servers do. All generic wires can."""

    def render_variant(
        self, answer: Answer, stream: bool, *, style: Style | None = None, quirks: Sequence[str] = ()
    ) -> Rendered:
        """`render` with another style of events, and quirks by the sandbox's names (`interleave`, `no-index`, …)."""
        ...


@dataclass(slots=True)
class Submitted:
    """A batch as the other end has it. `items`: key → body of each request, as JSON data, in the order in which they
    came; `cancelled`: its end was asked for; `done`: the keys that have an answer or a refusal, once it has ended."""

    items: Mapping[str, Any]
    cancelled: bool = False
    done: Collection[str] = ()


class BatchEnd(Protocol):
    """The endpoints of a provider's batches, with a memory: made anew for each question. Nothing of it is a socket.

    `most` requests and `most_bytes` bytes are what it takes in one submission.
    """

    most: int
    most_bytes: int

    @property
    def batches(self) -> Sequence[Submitted]:
        """All that were submitted, in order."""
        ...

    @property
    def kept(self) -> Collection[str]:
        """The ids of what still holds requests or answers: batches, or files."""
        ...

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Rendered:
        """What it answers to one request; header names are in lower case. Answers stand in another order than the
        requests, one to a line or in one document."""
        ...


class BatchWire(Wire, Protocol):
    """A wire whose provider sells batches."""

    def batches(self, plan: BatchPlan) -> BatchEnd | None:
        """The endpoints, where each batch goes as `plan` says (`polls`, `never`, `expire`, `answered`, `cancel_polls`,
        `answers`, `collapse`); None where there are none. What `plan.answers` does not name may be answered anyhow."""
        ...


def batch_end(wire: Wire, plan: BatchPlan | None = None) -> BatchEnd | None:
    """The endpoints of a wire's batches, or None."""
    method = getattr(wire, "batches", None)
    found: BatchEnd | None = method(plan or BatchPlan()) if method is not None else None
    return found


def variant(
    wire: Wire, answer: Answer, stream: bool, *, style: Style | None = None, quirks: Sequence[str] = ()
) -> Rendered | None:
    """`render_variant`, or None for a wire that has no variants."""
    method = getattr(wire, "render_variant", None)
    found: Rendered | None = method(answer, stream, style=style, quirks=quirks) if method is not None else None
    return found


__all__ = [
    "Answer",
    "BatchEnd",
    "BatchPlan",
    "BatchWire",
    "Piece",
    "Rejection",
    "Rendered",
    "Seen",
    "Source",
    "Style",
    "Submitted",
    "VariableWire",
    "Wire",
    "batch_end",
    "variant",
]
