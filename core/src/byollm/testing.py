"""The door for tests: a plugin's translation and its reading without a network, and clients with scripted answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from byollm.client import Client
from byollm.engine.build import line_from
from byollm.engine.call import Call
from byollm.engine.line import Line
from byollm.engine.operation import Operation
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import ByollmError, ConfigError, UnsupportedFeatureError
from byollm.previewing import preview
from byollm.providers.hooks import hookimpl
from byollm.providers.manifest import Manifest
from byollm.providers.target import Target
from byollm.transports.base import Cancellation
from byollm.transports.replay import ReplayTransport
from byollm.types.capabilities import Capabilities
from byollm.types.completion import Completion
from byollm.types.events import Event, FinishReason
from byollm.types.parts import as_parts
from byollm.types.request import Request
from byollm.wire.assemble import events_of
from byollm.wire.auth import NoAuth
from byollm.wire.exchange import LocalCall, LocalContext

__all__ = ["ManualClock", "Translation", "replay", "scripted", "translate"]

_PLACE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Translation:
    """What would be sent: `headers` without credentials, `body` as JSON data, and what `fit()` changed."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    adjustments: tuple[Any, ...]


def translate(
    provider: Any, request: Any, *, model: str = "a-model", api: str | None = None, **target: Any
) -> Translation:
    """A provider's translation of a request, `fit()` included. Nothing is sent.

    `provider` is a name or a plugin object; `request` whatever `client.complete` takes first; `target` any key of a
    target in YAML. Raises what the call would raise before sending.
    """
    line = _line(provider, model, api, target)
    shown = preview(line, request if isinstance(request, Request) else Request(request))
    return Translation(shown.method, shown.url, shown.headers, shown.body, shown.adjustments)


def replay(
    provider: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    body: bytes | list[bytes] = b"",
    model: str = "a-model",
    stream: bool = False,
    api: str | None = None,
    request: Any = "hi",
    **target: Any,
) -> Completion:
    """What a provider's plugin reads out of these bytes: a Completion, or the typed error is raised.

    `body` may be a list of pieces, fed as they are. One attempt is made; nothing is sent anywhere.
    """
    line = _line(provider, model, api, {"authentication": "none", **target})
    line.auth = NoAuth()
    asked = request if isinstance(request, Request) else Request(request)
    asked = asked.with_(stream=stream)
    call = Call(stream=stream)
    pieces = body if isinstance(body, list) else [body]
    transport = ReplayTransport(status, dict(headers or {}), pieces)
    return SyncDriver(Operation().run(call, asked, [line]), call, transport).run()


def scripted(*answers: Any) -> Client:
    """A client that gives these answers in turn: strings, parts or lists of parts, Completions, or errors to raise.

    For users' own tests: `client = scripted("answer", ToolCall("1", "f", {}), RateLimitError("slow down"))`. What was
    asked is in `client.requests`. When the answers are used up, ConfigError is raised.
    """
    plugin = _Scripted(answers)
    client = Client("custom/scripted")
    line = line_from(plugin, {"provider": "scripted", "model": "scripted", "retries": {"attempts": 1, "total": 1}})
    client._lines = _Everywhere(line)
    client.requests = plugin.requests  # type: ignore[attr-defined]  # a list only this client has
    return client


class ManualClock:
    """A clock that moves only when somebody sleeps on it; `slept` lists the seconds."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self.now = start
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds since the start of nothing in particular."""
        return self.now

    def time(self) -> float:
        """The same, as Unix time."""
        return self.now

    def sleep(self, seconds: float, cancellation: Cancellation) -> bool:
        """No waiting: the clock jumps."""
        self.slept.append(seconds)
        self.now += seconds
        return cancellation.cancelled

    async def async_sleep(self, seconds: float) -> None:
        """No waiting: the clock jumps."""
        self.slept.append(seconds)
        self.now += seconds


def _line(provider: Any, model: str, api: str | None, target: Mapping[str, Any]) -> Line:
    config: dict[str, Any] = {"model": model, **({"api": api} if api else {}), **target}
    return line_from(provider, config, fallback_endpoint=_PLACE)


class _Everywhere(dict[tuple[str, str | None], Line]):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def get(self, key: Any, default: Any = None) -> Any:
        return self.line


class _Scripted:
    manifest = Manifest(name="scripted", default_endpoint=_PLACE, authentication={"none": NoAuth()}, apis=("local",))

    def __init__(self, answers: tuple[Any, ...]) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    @hookimpl
    def complete(self, request: Request, target: Target) -> LocalCall:
        """The next answer."""
        return LocalCall(self._run)

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """All unknown: whatever is asked is taken."""
        return Capabilities()

    def _run(self, request: Request, call: LocalContext) -> Iterator[Event]:
        self.requests.append(request)
        if not self.answers:
            raise ConfigError("the scripted client has no more answers", hint="give it one per call: scripted(…, …)")
        answer = self.answers.pop(0)
        if isinstance(answer, ByollmError):
            raise answer
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Completion):
            return iter(events_of(answer))
        try:
            parts = as_parts(answer)
        except TypeError as error:
            problem = str(error)
        else:
            calls = any(type(part).__name__ == "ToolCall" for part in parts)
            reason: FinishReason = "tool_calls" if calls else "stop"
            return iter(
                events_of(Completion(parts=parts, finish_reason=reason, raw_finish_reason=reason, model="scripted"))
            )
        raise UnsupportedFeatureError(f"a scripted answer cannot be used: {problem}")
