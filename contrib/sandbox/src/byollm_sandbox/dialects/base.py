"""What one dialect has to know so that a server can be its vendor's twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from byollm.errors import ProviderError
from byollm_sandbox.answers import Answer
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply


@dataclass(frozen=True, slots=True)
class Rejection:
    """A request the vendor would refuse: status, its error type and code, the parameter, and a sentence."""

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool that the caller offers, as the stand-in model reads it."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request read for a model that understands words only.

    `choice` is auto, none, required, or the name of the tool to call. `json` is True when the format was asked for by
    a parameter. `results` are the texts of tool results in the last turn.
    """

    system: str = ""
    text: str = ""
    tools: Sequence[ToolOffer] = ()
    choice: str = "auto"
    schema: Mapping[str, Any] | None = None
    json: bool = False
    results: Sequence[str] = ()
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    parallel: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a renderer knows about the request it answers."""

    body: Mapping[str, Any]
    number: int
    created: int
    quirks: frozenset[str] = frozenset()


class Dialect(Protocol):
    """One wire dialect. Everything is pure: bytes in, values out."""

    name: str
    base_path: str

    def operation(self, method: str, path: str) -> str | None:
        """What a path below the base asks for: `complete`, `count`, `models`, `model`; None when it is not ours."""
        ...

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """The vendor's refusal of a missing or wrong key; None when the key is one of `expected`."""
        ...

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """The vendor's refusal of a request, or None when it would be taken.

        `compatible`: the request went to `url("custom")`, where unknown parameters are tolerated.
        """
        ...

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """The same for the counting endpoint."""
        ...

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """The request as a stand-in model reads it."""
        ...

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """The whole answer."""
        ...

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """The same answer as events."""
        ...

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """A refusal as the vendor sends it."""
        ...

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error as this vendor's refusal."""
        ...

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """A neutral error inside a running stream, after `sent` events."""
        ...

    def ping(self) -> Frame | None:
        """The vendor's keep-alive event; None when it has none but comments."""
        ...

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """Headers of every answer: request id, rate limits."""
        ...

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The counting endpoint's document."""
        ...

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """The list of models."""
        ...

    def model(self, name: str) -> dict[str, Any]:
        """One model."""
        ...


def worded(error: ProviderError, usual: str, markers: Mapping[type[ProviderError], str]) -> str:
    """The script's own sentence, behind the words by which readers know the kind; the usual one when there is none."""
    marker = next((words for kind, words in markers.items() if isinstance(error, kind)), "")
    if not error.message:
        return usual
    return error.message if marker.lower() in error.message.lower() else f"{marker}: {error.message}"


def names(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def identifier(prefix: str, number: int, length: int = 24) -> str:
    """An id that looks like the vendor's, differs for each request, and is the same in every run."""
    digits = f"{(number * 0x9E3779B97F4A7C15F39CC060 + 0xD1B54A32D192ED03C2B2AE3D) % (1 << 96):024x}"
    return prefix + (digits * (length // 24 + 1))[:length]
