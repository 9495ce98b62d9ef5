"""Recorded exchanges: what a provider really sent, and what it means.

A folder of JSON files, one exchange each::

    {"api": "chat", "stream": true, "recorded": "2026-10-01", "source": "acme-large, by hand",
     "response": {"status": 200, "headers": {"content-type": "text/event-stream"}, "body": "data: …"},
     "expect": {"text": "Hello", "finish_reason": "stop", "input_tokens": 9}}

`body` is text, `{"base64": "…"}` or a list of either (the pieces as they came); an object is written as JSON. `request`
may hold parameters of the request it answers. `expect` says what must be read: `text`, `reasoning`, `tool_calls` (a
list of `{name, args}`, `id` if wanted), `finish_reason`, `input_tokens`, `output_tokens`, `cached_tokens`,
`reasoning_tokens`, `model`, or `error`: the class of the error that must be raised.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from byollm import errors
from byollm.errors import ByollmError, ConfigError, ProviderError
from byollm.types.completion import Completion
from byollm_conformance.model import Broken
from byollm_conformance.wire import Answer, Rejection, Rendered, Seen, Source

LEAST: Final = 12
"""So many recordings stand in for a wire that nobody can render."""
MEMBERS: Final = ("api", "stream", "recorded", "source", "request", "response", "expect")
EXPECT: Final = (
    "text", "reasoning", "tool_calls", "finish_reason", "input_tokens", "output_tokens", "cached_tokens",
    "reasoning_tokens", "model", "error",
)  # fmt: skip


class Unsayable(Broken):
    """A recorded wire was asked to say something that is not among its recordings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange. `pieces` is the body as it came."""

    file: str
    api: str
    stream: bool
    recorded: datetime.date
    source: str
    status: int
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    expect: Mapping[str, Any]
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answer(self) -> tuple[int, Mapping[str, str], list[bytes]]:
        """As `Subject.read` takes it."""
        return self.status, self.headers, list(self.pieces)

    @property
    def body(self) -> bytes:
        """All bytes."""
        return b"".join(self.pieces)

    def problem(self, outcome: Completion | ByollmError) -> str:
        """What differs from what was expected; empty when nothing does."""
        wanted = self.expect.get("error")
        if wanted is not None or isinstance(outcome, ByollmError):
            got = type(outcome).__name__
            return "" if got == wanted else f"{wanted or 'an answer'} was expected, and {got} came"
        for name, value in self.expect.items():
            found = _found(outcome, name, value)
            if found != value:
                return f"{name} is {found!r}, and {value!r} was expected"
        return ""


def _found(completion: Completion, name: str, value: Any) -> Any:
    if name == "tool_calls":
        shown = [set(item) for item in value]
        return [
            {key: getattr(call, key) for key in (shown[number] if number < len(shown) else ("name", "args"))}
            for number, call in enumerate(completion.tool_calls)
        ]
    return getattr(completion.usage if name.endswith("_tokens") else completion, name)


def read_recordings(folder: str | Path) -> list[Recording]:
    """All recordings of a folder, by name. Raises ConfigError, naming file and field, for one that is broken."""
    place = Path(folder)
    if not place.is_dir():
        raise ConfigError(f"{place}: there is no such folder of recorded exchanges")
    found = [_recording(path) for path in sorted(place.glob("*.json"))]
    if not found:
        raise ConfigError(f"{place}: no recorded exchange (*.json) is in it")
    return found


def _recording(path: Path) -> Recording:
    problem = ""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        problem = str(error)
    if problem:
        raise ConfigError(f"{path}: not a JSON document: {problem}")
    reading = _Reading(str(path))
    top = reading.mapping(document, "the document", MEMBERS)
    response = reading.mapping(top.get("response"), "response", ("status", "headers", "body"))
    headers = reading.mapping(response.get("headers", {}), "response.headers")
    return Recording(
        file=path.name,
        api=reading.text(top.get("api", ""), "api"),
        stream=reading.of(top.get("stream", False), bool, "stream", "true or false"),
        recorded=reading.day(top.get("recorded")),
        source=reading.text(top.get("source"), "source"),
        status=reading.of(response.get("status"), int, "response.status", "a whole number"),
        headers={name.lower(): reading.text(value, f"response.headers.{name}") for name, value in headers.items()},
        pieces=reading.pieces(response.get("body")),
        expect=reading.expectation(top.get("expect")),
        request=reading.mapping(top.get("request", {}), "request"),
    )


class _Reading:
    """Reads members, and names file and member when one cannot be."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, where: str, words: str) -> ConfigError:
        return ConfigError(f"{self.file}: {where} {words}")

    def of(self, value: Any, kind: type, where: str, words: str) -> Any:
        if type(value) is not kind:
            raise self.fail(where, f"must be {words}, not {value!r}")
        return value

    def text(self, value: Any, where: str) -> str:
        found: str = self.of(value, str, where, "a text")
        return found

    def mapping(self, value: Any, where: str, known: Sequence[str] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.fail(where, f"must be an object, not {type(value).__name__}")
        for name in value:
            if known is not None and name not in known:
                raise self.fail(where, f"has the unknown member {name!r}; known: {', '.join(known)}")
        return value

    def day(self, value: Any) -> datetime.date:
        try:
            return datetime.date.fromisoformat(self.text(value, "recorded"))
        except ValueError:
            raise self.fail("recorded", f"must be a day like 2026-11-21, not {value!r}") from None

    def pieces(self, body: Any) -> tuple[bytes, ...]:
        return tuple(self.piece(item) for item in (body if isinstance(body, list) else [body]))

    def piece(self, value: Any) -> bytes:
        if isinstance(value, str):
            return value.encode()
        if not isinstance(value, Mapping):
            raise self.fail("response.body", 'must be a text, an object, {"base64": …}, or a list of pieces')
        if set(value) != {"base64"}:
            return json.dumps(value, ensure_ascii=False).encode()
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (TypeError, ValueError):
            raise self.fail("response.body", "holds base64 that is none") from None

    def expectation(self, value: Any) -> Mapping[str, Any]:
        expect = self.mapping(value, "expect", EXPECT)
        if not expect:
            raise self.fail("expect", "says nothing")
        name = expect.get("error")
        if name is not None and not _is_error(name):
            raise self.fail("expect.error", f"{name!r} is no class of byollm.errors")
        for number, call in enumerate(expect.get("tool_calls", ())):
            self.mapping(call, f"expect.tool_calls[{number}]", ("id", "name", "args", "arguments"))
        return expect


def _is_error(name: Any) -> bool:
    kind = getattr(errors, name, None) if isinstance(name, str) else None
    return isinstance(kind, type) and issubclass(kind, ProviderError)


class RecordedWire:
    """A dialect nobody knows: it can repeat what was recorded, and say nothing else."""

    source: Source = "recorded"

    def __init__(self, name: str) -> None:
        self.name = name

    def render(self, answer: Answer, stream: bool) -> Rendered:
        """Raises Unsayable."""
        raise Unsayable("recorded exchanges cannot say this")

    def render_error(self, error: ProviderError, *, stream: bool = False) -> Rendered:
        """Raises Unsayable."""
        raise Unsayable("recorded exchanges cannot say this")

    def read_request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
        """Raises Unsayable."""
        raise Unsayable("nobody can read this dialect's requests")

    def validate(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """Raises Unsayable."""
        raise Unsayable("nobody knows what this provider refuses")
