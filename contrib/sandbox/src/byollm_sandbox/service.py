"""From a recorded request to the steps that answer it. No socket here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from byollm.errors import (
    ModelNotFoundError,
    ProtocolError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    StreamInterruptedError,
)
from byollm_sandbox import batches, effects
from byollm_sandbox.answers import Answer, Raw, as_answer
from byollm_sandbox.desk import Desk
from byollm_sandbox.dialects import Call, Dialect, Prompt, dialects
from byollm_sandbox.dialects.base import Rejection
from byollm_sandbox.faults import Fault
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import End, Reply, Step, binary_reply, compile_reply, json_reply, lines_reply, sse_reply

Keys = str | Mapping[str, str] | Collection[str] | None
StandIn = Callable[[Prompt], Answer]

KNOWN_MODELS = {
    "openai-chat": ("gpt-5.6", "gpt-5.4", "gpt-5-mini", "gpt-4.1", "gpt-4o", "gpt-4o-mini"),
    "openai-responses": ("gpt-5.6", "gpt-5.4", "gpt-5-mini", "gpt-4.1", "gpt-4o", "gpt-4o-mini"),
    "anthropic-messages": ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5"),
    "ollama": ("qwen3:8b", "gpt-oss:20b", "llama3.2:latest"),
    "bedrock-converse": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.amazon.nova-lite-v1:0"),
    "bedrock-invoke": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.titan-text-express-v1"),
    "gemini": ("gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-2.5-flash", "gemini-2.5-pro"),
}
"""What `GET /models` lists when `serve(models=…)` names nothing."""


@dataclass
class Service:
    """One server's way of answering.

    `key`: None takes any key and none; a string is the one key; a mapping gives keys by upstream name or dialect; any
    other collection is several good keys. `models`: None takes every plausible name, else these and no others.
    `stand_in` answers what nobody scripted; None answers 500.
    """

    desk: Desk
    key: Keys = None
    models: Collection[str] | None = None
    stand_in: StandIn | None = None
    failures: list[BaseException] = field(default_factory=list)
    shop: batches.Workshop = field(init=False)

    def __post_init__(self) -> None:
        self.shop = batches.Workshop(self.desk, self._item)

    def __call__(self, request: Recorded) -> list[Step] | Awaitable[list[Step]]:
        """The steps, or a promise of them when a script's own function has to be asked (in a thread)."""
        dialect = route(request)
        self.desk.record(request)
        if dialect is None:
            return self._steps(request, unknown_path(request))
        call = Call(body=_body(request), number=request.number, created=int(time.time()))
        try:
            return self._answer(request, dialect, call)
        except Exception as error:  # a rule of ours that breaks is told as a broken provider, and kept
            broken = self._broken(error)
            return self._steps(request, dialect.reject(dialect.error(broken, call), call))

    def _answer(self, request: Recorded, dialect: Dialect, call: Call) -> list[Step] | Awaitable[list[Step]]:
        fault = self.desk.next_fault(request)
        if fault is not None and fault.instead:
            reply = effects.instead(effects.Scene(request, dialect, call, fault))
            return self._finish(request, dialect, call, fault, reply)
        refused = self._refusal(request, dialect)
        if refused is not None:
            return self._finish(request, dialect, call, fault, dialect.reject(refused, call))
        if request.operation in batches.OPERATIONS:
            return self._batch(request, dialect, call, fault)
        if request.operation != "complete":
            return self._finish(request, dialect, call, fault, self._side(request, dialect, call))
        scripted = self.desk.next_answer(request)
        if callable(scripted) and not isinstance(scripted, type):
            return self._ask(scripted, request, dialect, call, fault)
        return self._complete(scripted, request, dialect, call, fault)

    async def _batch(self, request: Recorded, dialect: Dialect, call: Call, fault: Fault | None) -> list[Step]:
        # In a thread: the end of a batch may run scripts of its requests, and these may wait for the test.
        try:
            reply = await asyncio.to_thread(batches.answer, request, call, self.shop)
            return self._finish(request, dialect, call, fault, reply)
        except Exception as error:
            return self._steps(request, dialect.reject(dialect.error(self._broken(error), call), call))

    def _item(self, request: Recorded, scripted: Any) -> Reply:
        """One request of a batch, judged and answered as if it had come alone. A fault has no wire to break there."""
        dialect = dialects()[str(request.dialect)]
        call = Call(body=_body(request), number=request.number, created=int(time.time()))
        try:
            refused = self._refusal(request, dialect)
            if refused is not None:
                return dialect.reject(refused, call)
            scripted = self.desk.next_answer(request) if scripted is None else scripted
            if callable(scripted) and not isinstance(scripted, type):
                scripted = scripted(request)
            answer = self._unscripted(dialect, call) if scripted is None else scripted
            return render(answer if isinstance(answer, ProviderError) else _plain(answer), request, dialect, call, None)
        except Exception as error:
            return dialect.reject(dialect.error(self._broken(error), call), call)

    async def _ask(
        self, function: Callable[[Recorded], Any], request: Recorded, dialect: Dialect, call: Call, fault: Fault | None
    ) -> list[Step]:
        # In a thread: a test's function may wait for the test.
        try:
            scripted = await asyncio.to_thread(function, request)
        except Exception as error:  # whatever a script raises is told to the caller as a broken provider
            scripted = self._broken(error)
        return self._complete(scripted, request, dialect, call, fault)

    def _complete(
        self, scripted: Any, request: Recorded, dialect: Dialect, call: Call, fault: Fault | None
    ) -> list[Step]:
        try:
            answer = self._unscripted(dialect, call) if scripted is None else _plain(scripted)
            if isinstance(answer, Fault):
                fault, answer = answer, Answer(parts=("The answer was interrupted before its end.",))
            if isinstance(answer, Answer) and answer.fault is not None:
                fault = answer.fault
            if fault is not None and fault.instead:
                reply = effects.instead(effects.Scene(request, dialect, call, fault))
            else:
                reply = render(answer, request, dialect, call, fault)
            return self._finish(request, dialect, call, fault, reply)
        except Exception as error:
            return self._steps(request, render(self._broken(error), request, dialect, call, None))

    def _finish(self, request: Recorded, dialect: Dialect, call: Call, fault: Fault | None, reply: Reply) -> list[Step]:
        if fault is None:
            return self._steps(request, reply)
        reply = effects.alter_reply(effects.Scene(request, dialect, call, fault), reply)
        steps = self._steps(request, reply)
        if effects.bare(fault, reply):
            request.status = None
            steps = [reply.end]
        return effects.alter_steps(fault, steps)

    @staticmethod
    def _steps(request: Recorded, reply: Reply) -> list[Step]:
        request.status = reply.status
        return compile_reply(reply, head_only=request.method == "HEAD")

    def _refusal(self, request: Recorded, dialect: Dialect) -> Rejection | None:
        keys = self._keys(request)
        refused = dialect.missing_key(request, keys) if keys else None
        if refused is not None or request.operation not in ("complete", "count"):
            return refused
        if request.operation == "count":
            refused = dialect.validate_count(request.asked, request.headers)
        else:
            refused = dialect.validate(request.asked, request.headers, compatible="/custom/" in request.path)
        if refused is None and self.models is not None:
            name = request.asked.get("model")
            if name not in self.models:
                call = Call(body=request.asked, number=request.number, created=0)
                return dialect.error(ModelNotFoundError(""), call)
        return refused

    def _keys(self, request: Recorded) -> frozenset[str]:
        if self.key is None:
            return frozenset()
        if isinstance(self.key, str):
            return frozenset({self.key})
        if isinstance(self.key, Mapping):
            found = self.key.get(request.name) or self.key.get(request.dialect or "")
            return frozenset({found}) if found else frozenset()
        return frozenset(self.key)

    def _side(self, request: Recorded, dialect: Dialect, call: Call) -> Reply:
        headers = dialect.headers(call)
        if request.operation == "count":
            return json_reply(dialect.count(call.body), headers=headers)
        names = tuple(self.models) if self.models is not None else KNOWN_MODELS.get(dialect.name, ())
        if request.operation == "models":
            return json_reply(dialect.models(names), headers=headers)
        name = str(call.body.get("model") or request.path.rpartition("/models/")[2])
        if name in names or self.models is None:
            return json_reply(dialect.model(name), headers=headers)
        return dialect.reject(dialect.error(ModelNotFoundError("", status=404), call), call)

    def _unscripted(self, dialect: Dialect, call: Call) -> Answer | ProviderError:
        if self.stand_in is not None:
            return self.stand_in(dialect.prompt(call.body))
        return _server_error("The twin has no answer: its script is used up, and serve(stand_in=False) was asked for.")

    def _broken(self, error: Exception) -> ProviderError:
        self.failures.append(error)
        return _server_error(f"The twin could not answer: {type(error).__name__}: {error}")


def _server_error(message: str) -> ProviderError:
    from byollm.errors import ServerError

    return ServerError(message)


def _plain(scripted: Any) -> Answer | Raw | ProviderError | Fault:
    if isinstance(scripted, Fault):
        return scripted
    answer = as_answer(scripted)
    # Failures without an HTTP answer are acted out instead.
    if isinstance(answer, ProviderConnectionError):
        return Fault("reset")
    if isinstance(answer, ProviderTimeoutError) and answer.status is None:
        return Fault("hang")
    if isinstance(answer, StreamInterruptedError):
        return Fault("cut", after=3, unit="tokens")
    return Fault("malformed") if isinstance(answer, ProtocolError) else answer


def render(
    answer: Answer | Raw | ProviderError | Fault, request: Recorded, dialect: Dialect, call: Call, fault: Fault | None
) -> Reply:
    """An answer in the dialect's shape."""
    if isinstance(answer, Raw):
        return raw_reply(answer)
    if isinstance(answer, ProviderError):
        return dialect.reject(dialect.error(answer, call), call)
    if isinstance(answer, Fault):
        raise TypeError("a fault was to be acted out, not rendered")
    if fault is not None:
        answer = effects.alter_answer(fault, answer)
        call = Call(body=call.body, number=call.number, created=call.created, quirks=fault.quirks)
    headers = [*dialect.headers(call), *answer.headers.items()]
    lines = getattr(dialect, "lines", False)
    streams = request.streams or (lines and call.body.get("stream") is not False)
    if streams and not (fault is not None and "json-for-stream" in fault.kinds):
        written = lines_reply if lines else binary_reply if getattr(dialect, "binary", False) else sse_reply
        return written(dialect.stream(answer, call), headers)
    return json_reply(dialect.document(answer, call), headers=headers)


def raw_reply(raw: Raw) -> Reply:
    """Bytes as they are."""
    headers = list(raw.headers.items())
    if isinstance(raw.body, bytes | str):
        return Reply(raw.status, headers, raw.body.encode() if isinstance(raw.body, str) else raw.body)
    pieces = [piece.encode() if isinstance(piece, str) else piece for piece in raw.body]
    return Reply(raw.status, headers, chunks=pieces)


def route(request: Recorded) -> Dialect | None:
    """Which dialect a path speaks: first the one whose base it stands under, then whoever knows the rest of it."""
    if batches.route(request):
        return dialects()[str(request.dialect)]
    path = request.path
    known = list(dialects().values())
    known.sort(key=lambda dialect: not path.startswith((dialect.base_path, f"/{request.name}{dialect.base_path}")))
    for dialect in known:
        operation = dialect.operation(request.method, path)
        if operation is not None:
            request.dialect, request.operation = dialect.name, operation
            return dialect
    return None


def unknown_path(request: Recorded) -> Reply:
    """404 as OpenAI words it."""
    message = f"Invalid URL ({request.method} {request.path})"
    document = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    return json_reply(document, status=404)


def _body(request: Recorded) -> Mapping[str, Any]:
    return request.asked if isinstance(request.asked, dict) else {}


__all__ = ["KNOWN_MODELS", "End", "Keys", "Service", "StandIn", "raw_reply", "render", "route"]
