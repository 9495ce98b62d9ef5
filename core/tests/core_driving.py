"""A small provider, scripted transports, and both drivers over them: for tests that need no network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byollm.engine.async_driver import AsyncDriver
from byollm.engine.call import Call
from byollm.engine.credentials import Credentials
from byollm.engine.line import Line
from byollm.engine.operation import Operation
from byollm.engine.steps import Close, Emit, Open, Run, Sleep
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import ByollmError
from byollm.plugin import (
    AuthenticationError,
    Bearer,
    Capabilities,
    Event,
    Exchange,
    Failure,
    Finished,
    Frame,
    Head,
    HttpRequest,
    InvalidRequestError,
    Manifest,
    ProviderError,
    QuotaExhaustedError,
    Reader,
    ReasoningDelta,
    Request,
    Started,
    Target,
    TextDelta,
    TokenCount,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageReported,
    dump_json,
    hookimpl,
)
from byollm.providers.deployment import Deployment
from byollm.testing import ManualClock
from byollm.transports.base import Broken, Outgoing, Place
from byollm.wire.redact import Secret

KEY = "sk-acme-Zq3vB7+x/Wm9Lk2=tR5y"
SSE = {"content-type": "text/event-stream"}


@dataclass
class Fixed:
    """A reference to a secret that is at hand."""

    text: str

    def resolve(self) -> Secret:
        return Secret(self.text)


class Acme:
    """A provider of a dialect of its own: one JSON object a frame, `f` ends it."""

    def __init__(self, name: str = "acme", capabilities: Capabilities | None = None, framing: str = "sse") -> None:
        self.manifest = Manifest(name=name)
        self.can = capabilities or Capabilities()
        self.framing: Any = framing
        self.asked: list[Request] = []
        self.count: Any = None
        self.read: Callable[[Frame], Iterable[Event]] = events_in
        self.then: Any = None
        self.auth: Any = Bearer()

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        self.asked.append(request)
        texts = [message.text for message in request.conversation]
        body = dump_json({"model": target.model, "texts": texts, "stream": request.stream})
        return Exchange(
            request=HttpRequest("POST", f"{target.endpoint}/chat", (("content-type", "application/json"),), body),
            reader=self.reader,
            framing=self.framing,
            auth=self.auth,
            fail=failed,
            then=self.then,
        )

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        return self.can

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        found: TokenCount | Exchange[TokenCount] | None = self.count
        return found

    def reader(self, head: Head) -> Reader[Event]:
        return self.read


def events_in(frame: Frame) -> Iterable[Event]:
    """A frame's events. Raises the error of an in-band failure."""
    data, events = frame.data, list[Event]()
    if "error" in data:
        raise QuotaExhaustedError(str(data["error"]))
    if "id" in data:
        events.append(Started(data["id"], data.get("model")))
    if "r" in data:
        events.append(ReasoningDelta(0, data["r"]))
    if "t" in data:
        events.append(TextDelta(data.get("at", 1), data["t"]))
    if "call" in data:
        events += [ToolCallStarted(data["at"], data["call"], "f"), ToolCallDelta(data["at"], data["args"])]
    if "out" in data:
        events.append(UsageReported(Usage(data.get("in"), data["out"])))
    if "f" in data:
        events.append(Finished(data["f"], data["f"]))
    return events


def failed(failure: Failure) -> ProviderError | None:
    """Words of a 400 are told; other statuses are the core's, but for a key that is none."""
    if isinstance(failure.document, Mapping) and failure.document.get("error") == "bad key":
        return AuthenticationError("bad key")
    if failure.status == 400 and isinstance(failure.document, Mapping):
        return InvalidRequestError(str(failure.document.get("error")))
    return None


@dataclass
class Answer:
    """What a scripted transport gives back, piece by piece."""

    status: int = 200
    pieces: Sequence[bytes | Broken] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: SSE)


def sse(*frames: Any) -> bytes:
    """Frames as server-sent events."""
    return b"".join(b"data: " + (f if isinstance(f, bytes) else json.dumps(f).encode()) + b"\n\n" for f in frames)


def said(*texts: str, finish: str = "stop", id: str = "a1") -> Answer:
    """A whole answer, a piece for each text."""
    frames = [sse({"id": id}), *(sse({"t": text}) for text in texts), sse({"out": 5, "in": 3}, {"f": finish})]
    return Answer(200, frames)


def refused(status: int, error: Any = "no", **headers: str) -> Answer:
    """An error answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, [json.dumps({"error": error}).encode()], {"content-type": "application/json", **names})


class Script:
    """A transport that gives its answers in turn, the last again and again, and keeps what it was asked."""

    def __init__(self, *answers: Answer | Broken | Callable[[Outgoing], Answer | Broken]) -> None:
        self.answers = list(answers)
        self.requests: list[Outgoing] = []
        self.closed: list[bool] = []

    def open(self, outgoing: Outgoing) -> Any:
        self.requests.append(outgoing)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(outgoing)
        return answer if isinstance(answer, Broken) else _Open(answer, self)

    def close(self) -> None:
        """Nothing is idle."""


class _Open:
    def __init__(self, answer: Answer, script: Script) -> None:
        self.head = Head(answer.status, {name.lower(): value for name, value in answer.headers.items()})
        self.pieces = iter([piece for piece in answer.pieces if piece])
        self.script = script

    def read(self) -> bytes | Broken:
        return next(self.pieces, b"")

    def close(self, reuse: bool) -> None:
        self.script.closed.append(reuse)


class AsyncScript:
    """A Script, awaited."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def open(self, outgoing: Outgoing) -> Any:
        opened = self.script.open(outgoing)
        return opened if isinstance(opened, Broken) else _AsyncOpen(opened)

    async def aclose(self) -> None:
        """Nothing is idle."""


class _AsyncOpen:
    def __init__(self, inner: _Open) -> None:
        self.inner = inner
        self.head = inner.head

    async def read(self) -> bytes | Broken:
        return self.inner.read()

    async def close(self, reuse: bool) -> None:
        self.inner.close(reuse)


def deployment(plugin: Any = None, name: str = "one", **target: Any) -> Deployment:
    """A plugin bound to http://<name>.example."""
    plugin = plugin or Acme()
    strict = target.pop("on_unsupported", "adapt")
    values = {"provider": plugin.manifest.name, "model": "m1", "endpoint": f"http://{name}.example", **target}
    return Deployment(plugin, plugin.manifest, Target(deployment=name, **values), strict)


def line(plugin: Any = None, name: str = "one", *, key: str = KEY, **values: Any) -> Line:
    """A deployment with a key, ready to be called."""
    credentials = values.pop("credentials", None) or Credentials({"api_key": Fixed(key)})
    bound = deployment(plugin, name, on_unsupported=values.pop("on_unsupported", "adapt"))
    return Line(bound, Place(frozenset({f"{name}.example"})), credentials, **values)


class Traced:
    """A decision whose steps are written down as they are made."""

    def __init__(self, steps: Any) -> None:
        self.steps = steps
        self.trace: list[Any] = []

    def send(self, answer: Any) -> Any:
        return self._noted(self.steps.send(answer))

    def throw(self, error: BaseException) -> Any:
        return self._noted(self.steps.throw(error))

    def close(self) -> None:
        self.steps.close()

    def _noted(self, step: Any) -> Any:
        details: Any = None
        if type(step) is Open:
            details = step.request.url
        elif type(step) is Emit:
            details = tuple(step.events)
        elif type(step) is Sleep:
            details = step.seconds
        elif type(step) is Close:
            details = step.reuse
        elif type(step) is Run:
            details = "work"
        self.trace.append((type(step).__name__, details))
        return step


@dataclass
class Ran:
    """What came of a call: an answer or an error, its steps, and the clock it ran on."""

    reply: Any
    error: Any
    trace: list[Any]
    call: Call
    clock: ManualClock

    @property
    def events(self) -> list[Event]:
        return [event for kind, details in self.trace if kind == "Emit" for event in details]

    @property
    def opened(self) -> list[str]:
        """The deployments asked, in order."""
        return [url.removeprefix("http://").partition(".")[0] for kind, url in self.trace if kind == "Open"]

    def outcome(self) -> Any:
        """All that two drivers must agree on."""
        attempts = [(it.deployment, it.number, it.status, it.sent, it.billed) for it in self.call.attempts]
        if self.error is not None:
            state = {name: value for name, value in vars(self.error).items() if name not in ("attempts", "partial")}
            partial = getattr(self.error, "partial", None)
            return type(self.error), state, partial and (partial.parts, partial.usage), attempts

        reply = self.reply
        return reply.parts, reply.finish_reason, reply.usage, reply.deployment, reply.request_id, reply.raw, attempts


def run(
    lines: Line | Sequence[Line],
    script: Script,
    request: Any = "hi",
    *,
    operation: Operation | None = None,
    timeout: float | None = None,
    call: Call | None = None,
    traced: bool = True,
    **parameters: Any,
) -> Ran:
    """One call under the sync driver, on a clock that only moves when somebody sleeps."""
    steps, trace, call, clock = _prepared(lines, request, operation, timeout, call, parameters, traced)
    try:
        reply, error = SyncDriver(steps, call, script).run(), None
    except ByollmError as raised:
        reply, error = None, raised
    return Ran(reply, error, trace, call, clock)


def run_async(
    lines: Line | Sequence[Line],
    script: Script,
    request: Any = "hi",
    *,
    operation: Operation | None = None,
    timeout: float | None = None,
    call: Call | None = None,
    traced: bool = True,
    **parameters: Any,
) -> Ran:
    """`run`, under the async driver."""
    steps, trace, call, clock = _prepared(lines, request, operation, timeout, call, parameters, traced)

    async def go() -> Ran:
        try:
            reply, error = await AsyncDriver(steps, call, AsyncScript(script)).run(), None
        except ByollmError as raised:
            reply, error = None, raised
        return Ran(reply, error, trace, call, clock)

    return asyncio.run(go())


def _prepared(
    lines: Any, request: Any, operation: Any, timeout: Any, call: Any, parameters: Any, traced: bool
) -> tuple[Any, list[Any], Call, Any]:
    asked = request if isinstance(request, Request) else Request(request, **parameters)
    lines = [lines] if isinstance(lines, Line) else list(lines)
    clock = call.clock if call is not None else ManualClock()
    if call is None:
        deadline = None if timeout is None else clock.monotonic() + timeout
        call = Call(clock=clock, random=lambda: 0.5, deadline=deadline, stream=asked.stream)
    steps = (operation or Operation()).run(call, asked, lines)
    if not traced:
        return steps, [], call, clock
    watched = Traced(steps)
    return watched, watched.trace, call, clock
