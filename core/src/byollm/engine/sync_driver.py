"""The sync driver: runs a decision's steps, and owns the open answer.

It decides nothing. `async_driver` is the same, awaited; a test compares their traces.
"""

from __future__ import annotations

from concurrent.futures import CancelledError as Cancelled
from typing import TYPE_CHECKING, Any, Generic

from byollm.engine.credentials import outcome
from byollm.engine.failures import bare
from byollm.engine.hidden import Hidden, HiddenHeaders
from byollm.engine.outgoing import AUTH_BODY_LIMIT, as_sent, auth_outgoing, outgoing
from byollm.engine.steps import Acquire, Close, Emit, Open, OpenLocal, R, Read, Renew, Run, Sleep, Steps
from byollm.engine.waiting import Waiting
from byollm.errors import ByollmError, PluginError
from byollm.transports.base import Broken, Response, Transport
from byollm.transports.local import LocalResponse
from byollm.transports.progress import Interrupted
from byollm.types.events import Event
from byollm.wire.exchange import HttpResponse

if TYPE_CHECKING:
    from byollm.engine.call import Call


class SyncDriver(Generic[R]):
    """`pull()` runs until events come or the decision ends. `close()` drops what is open, and may be called twice."""

    __slots__ = ("_call", "_response", "_stamp", "_steps", "_transport", "result")

    def __init__(self, steps: Steps[R], call: Call, transport: Transport) -> None:
        self._steps = steps
        self._call = call
        self._transport = transport
        self._response: Response | LocalResponse | None = None
        self._stamp = 0
        self.result: R | None = None

    def pull(self) -> list[Event] | None:
        """The next events, or None at the end, when `result` is there. Raises what the decision raises."""
        answer: Any = None
        send, response = self._steps.send, self._response
        move: Any = send
        try:
            while True:
                step = move(answer)
                move = send
                kind = type(step)
                if kind is Read:
                    answer = response.read()  # type: ignore[union-attr]  # a decision reads only what it opened
                elif kind is Emit:
                    events: list[Event] = step.events
                    return events
                elif kind is Open:
                    answer = self._open(step)
                    response = self._response
                elif kind is Run:
                    move, answer = self._work(step)
                else:
                    answer = self._act(step)
                    response = self._response
        except StopIteration as end:
            self.result = end.value
            if self._response is not None:
                self.drop()
            return None
        except BaseException as error:
            answer = step = None  # the last bytes may echo a key, and a traceback shows its frames' locals
            self.close()
            if type(error) is not Interrupted:
                raise
            told = error.error
        raise told

    def run(self) -> R:
        """To the end, without events."""
        while self.pull() is not None:
            pass
        assert self.result is not None
        return self.result

    def settle(self) -> R | None:
        """To the end, without events, where None is a result too."""
        while self.pull() is not None:
            pass
        return self.result

    def close(self) -> None:
        """Drop the open answer, and end the decision."""
        self.drop()
        self._steps.close()

    def _work(self, step: Any) -> tuple[Any, Any]:
        """What the decision gets next: the result, or what was raised, where it was asked for."""
        try:
            return self._steps.send, step.function()
        except Exception as error:
            return self._steps.throw, error

    def _act(self, step: Any) -> Any:
        kind = type(step)
        if kind is Close:
            response, self._response = self._response, None
            return response.close(step.reuse) if response is not None else None
        if kind is Sleep:
            return self._call.clock.sleep(step.seconds, self._call.cancellation)
        if kind is Acquire:
            return self._acquire(step)
        if kind is Renew:
            return outcome(lambda: step.line.credentials.renew(step.auth, self._stamp))
        if kind is OpenLocal:
            self._response = LocalResponse(step.call, step.request, self._call.local_context(step.deadline))
            return self._response.head
        raise PluginError(f"a middleware yielded a {kind.__name__}, which is no step")

    def _acquire(self, step: Acquire) -> bool:
        if not self._call.cancellation.bind(step.place.cancel):
            return False
        try:
            step.place.result(step.seconds)
        except (Cancelled, TimeoutError):
            return False
        finally:
            self._call.cancellation.bind(None)
        return True

    def _open(self, step: Open) -> Any:
        if self._response is not None:
            self.drop()
        line, call = step.line, self._call
        try:
            place = line.place
        except ByollmError as error:  # a proxy that cannot be read
            return bare(error)
        headers: Any = line.credentials.ready(step.auth)
        if headers is None:
            headers = line.credentials.headers(
                step.auth,
                as_sent(line, step.request),
                Waiting(call, step.deadline),
                lambda asked: self._send(asked, step),
            )
        if not isinstance(headers, HiddenHeaders):
            return headers
        self._stamp = headers.stamp
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

    def _send(self, asked: Hidden, step: Open) -> Hidden | Broken:
        """Carry an auth scheme's own request. No frame here may show what comes and goes."""
        line = step.line
        opened = self._transport_of(line).open(auth_outgoing(asked, line, self._call, step.deadline))
        if isinstance(opened, Broken):
            return Broken(opened.kind, "no", opened.detail)  # what the model is asked has not left
        body = Hidden(b"")
        while True:
            read = Hidden(opened.read())
            if isinstance(read.value, Broken):
                opened.close(False)
                return Broken(read.value.kind, "no", read.value.detail)
            if not read.value:
                break
            body.value += read.value
            if len(body.value) > AUTH_BODY_LIMIT:
                opened.close(False)
                return Broken("too_large", "no", "the token endpoint's answer is too large")
        opened.close(True)
        return Hidden(HttpResponse(opened.head.status, opened.head.headers, body.value))
