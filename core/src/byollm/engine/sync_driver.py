"""The sync driver: runs a decision's steps, and owns the open answer.

It decides nothing. `async_driver` is the same, awaited; a test compares their traces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from byollm.engine.outgoing import AUTH_BODY_LIMIT, auth_outgoing, outgoing
from byollm.engine.steps import Acquire, Close, Emit, Open, OpenLocal, R, Read, Renew, Run, Sleep, Steps
from byollm.errors import ByollmError
from byollm.transports.base import Broken, Response, Transport
from byollm.transports.local import LocalResponse
from byollm.types.events import Event
from byollm.wire.exchange import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from byollm.engine.call import Call


class SyncDriver(Generic[R]):
    """`pull()` runs until events come or the decision ends. `close()` drops what is open, and may be called twice."""

    __slots__ = ("_call", "_response", "_steps", "_transport", "result")

    def __init__(self, steps: Steps[R], call: Call, transport: Transport) -> None:
        self._steps = steps
        self._call = call
        self._transport = transport
        self._response: Response | LocalResponse | None = None
        self.result: R | None = None

    def pull(self) -> list[Event] | None:
        """The next events, or None at the end, when `result` is there. Raises what the decision raises."""
        answer: Any = None
        send, response = self._steps.send, self._response
        try:
            while True:
                step = send(answer)
                kind = type(step)
                if kind is Read:
                    answer = response.read()  # type: ignore[union-attr]  # a decision reads only what it opened
                elif kind is Emit:
                    return step.events  # type: ignore[union-attr]  # narrowed by `kind`
                else:
                    answer = self._act(step)
                    response = self._response
        except StopIteration as end:
            self.result = end.value
            self.close()
            return None
        except BaseException:
            self.close()
            raise

    def run(self) -> R:
        """To the end, without events."""
        while self.pull() is not None:
            pass
        assert self.result is not None
        return self.result

    def close(self) -> None:
        """Drop the open answer, and end the decision."""
        response, self._response = self._response, None
        if response is not None:
            response.close(False)
        self._steps.close()

    def _act(self, step: Any) -> Any:
        kind = type(step)
        if kind is Open:
            return self._open(step)
        if kind is Close:
            response, self._response = self._response, None
            return response.close(step.reuse) if response is not None else None
        if kind is Sleep:
            return self._call.clock.sleep(step.seconds, self._call.cancellation)
        if kind is Run:
            return step.function()
        if kind is Acquire:
            return step.reserve()
        if kind is Renew:
            return _renew(step)
        if kind is OpenLocal:
            self._response = LocalResponse(step.call, step.request, self._call.local_context(step.deadline))
            return self._response.head
        raise AssertionError(f"no such step: {kind.__name__}")

    def _open(self, step: Open) -> Any:
        self.drop()
        line, call = step.line, self._call
        try:
            place = line.place
        except ByollmError as error:  # a proxy that cannot be read
            return error.with_traceback(None)
        headers = line.credentials.headers(
            step.auth, step.request, call.clock.time, lambda request: self._send(request, step)
        )
        if not isinstance(headers, list):
            return headers
        opened = self._transport_of(line).open(outgoing(step, place, call, headers))
        if isinstance(opened, Broken):
            return opened
        self._response = opened
        return opened.head

    def drop(self) -> None:
        """Drop the open answer only."""
        response, self._response = self._response, None
        if response is not None:
            response.close(False)

    def _transport_of(self, line: Any) -> Transport:
        chosen: Transport = line.transport if line.transport is not None else self._transport
        return chosen

    def _send(self, request: HttpRequest, step: Open) -> HttpResponse | Broken:
        opened = self._transport_of(step.line).open(auth_outgoing(request, step.line, self._call, step.deadline))
        if isinstance(opened, Broken):
            return opened
        pieces: list[bytes] = []
        while True:
            piece = opened.read()
            if isinstance(piece, Broken):
                opened.close(False)
                return piece
            if not piece:
                break
            pieces.append(piece)
            if sum(map(len, pieces)) > AUTH_BODY_LIMIT:
                opened.close(False)
                return Broken("too_large", "yes", "the token endpoint's answer is too large")
        opened.close(True)
        return HttpResponse(opened.head.status, opened.head.headers, b"".join(pieces))


def _renew(step: Renew) -> bool | ByollmError:
    try:
        return step.line.credentials.renew(step.auth)
    except ByollmError as error:
        return error.with_traceback(None)
