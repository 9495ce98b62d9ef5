"""The parts of a message: what people and models say to each other, whatever the provider.

Every part is a frozen value. `cache` is a hint that the provider may keep the prompt up to and including this part
("default", or a lifetime the provider knows: "5m", "1h"). `state` is opaque provider state (signatures, encrypted
reasoning, message phases) that goes back to the provider it came from, byte-exact, and to no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from byollm.errors import OutputInvalidError
from byollm.types.frozen import quick
from byollm.types.media import Media, resolve


@quick
@dataclass(frozen=True, slots=True)
class Opaque:
    """A block of one provider's dialect that has no neutral form.

    `data` is JSON-like and kept as it came. It is sent back only to the same `provider` over the same `transport`
    (the surface: "chat", "responses", "messages", …).
    """

    provider: str
    transport: str
    data: Any


@quick
@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str
    cache: str | None = None
    state: Opaque | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An image: bytes, an https URL or a data: URI. `detail` is the field's low | high | auto hint."""

    source: str | bytes
    media_type: str | None = None
    detail: str | None = None
    cache: str | None = None
    state: Opaque | None = None

    @property
    def media(self) -> Media:
        """The source made plain. Raises ConfigError when it cannot be."""
        return resolve(self.source, self.media_type, what="image")


@dataclass(frozen=True, slots=True)
class Document:
    """A document, usually a PDF: bytes, an https URL or a data: URI. `name` is its file name."""

    source: str | bytes
    media_type: str | None = None
    name: str | None = None
    cache: str | None = None
    state: Opaque | None = None

    @property
    def media(self) -> Media:
        """The source made plain. Raises ConfigError when it cannot be."""
        return resolve(self.source, self.media_type, what="document")


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording: bytes, an https URL or a data: URI."""

    source: str | bytes
    media_type: str | None = None
    cache: str | None = None
    state: Opaque | None = None

    @property
    def media(self) -> Media:
        """The source made plain. Raises ConfigError when it cannot be."""
        return resolve(self.source, self.media_type, what="audio")


@quick
@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought aloud, as far as the provider shows it. `state` carries its signature."""

    text: str
    state: Opaque | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source the answer leans on. `cited_text` is the quoted passage, `start`/`end` character offsets if told."""

    cited_text: str | None = None
    url: str | None = None
    title: str | None = None
    start: int | None = None
    end: int | None = None
    state: Opaque | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. `arguments` is the JSON text as it came; a mapping is accepted and written as JSON."""

    id: str
    name: str
    arguments: str = "{}"
    cache: str | None = None
    state: Opaque | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            id: str,
            name: str,
            arguments: str | Mapping[str, Any] = "{}",
            cache: str | None = None,
            state: Opaque | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if isinstance(self.arguments, Mapping):
            object.__setattr__(self, "arguments", json.dumps(self.arguments, ensure_ascii=False))

    @property
    def args(self) -> dict[str, Any]:
        """The arguments read as a JSON object; empty text is `{}`. Raises OutputInvalidError when they are not one."""
        if not self.arguments.strip():
            return {}
        value, problem = read_json(self.arguments)
        if isinstance(value, dict):
            return value
        problem = problem or f"a JSON object was expected, not {type(value).__name__}"
        raise OutputInvalidError(f"the arguments of tool call {self.name!r} cannot be read", problems=[problem])


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered. `id` is the call's; a string stands for one Text."""

    id: str
    parts: tuple[Part, ...] = ()
    is_error: bool = False
    name: str | None = None
    cache: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            id: str,
            parts: str | Part | Sequence[str | Part] = (),
            is_error: bool = False,
            name: str | None = None,
            cache: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", as_parts(self.parts))

    @property
    def text(self) -> str:
        """All its text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


Part = Text | Image | Document | Audio | ToolCall | ToolResult | Reasoning | Citation | Opaque
PART_TYPES: tuple[type, ...] = (Text, Image, Document, Audio, ToolCall, ToolResult, Reasoning, Citation, Opaque)
PLAIN_PARTS: frozenset[type] = frozenset(PART_TYPES)
"""For a look at many parts at once; a subclass of one is a part all the same."""


def read_json(text: str) -> tuple[Any, str]:
    """A model's text read as JSON, and what is wrong with it ("" when nothing is): never an exception."""
    try:
        return json.loads(text, parse_constant=_not_json), ""
    except ValueError as error:
        return None, f"not JSON: {error}"
    except RecursionError:
        return None, "not JSON that anybody can read: it is nested too deeply"


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")


def as_parts(value: Any) -> tuple[Part, ...]:
    """A string, a part, or a sequence of both, as parts. Raises TypeError for anything else."""
    if isinstance(value, str):
        return (Text(value),)
    if isinstance(value, PART_TYPES):
        return (_part(value),)
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise TypeError(f"a part must be a string or a byollm part, not {type(value).__name__}")
    return tuple([_part(item) for item in value])


def _part(value: Any) -> Part:
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, PART_TYPES):
        return cast("Part", value)
    raise TypeError(f"a part must be a string or a byollm part, not {type(value).__name__}")
