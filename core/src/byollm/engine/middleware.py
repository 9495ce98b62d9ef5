"""Middleware and observers: what may stand around a call, and what is told of it.

Middleware is an object with `around(call, request, next)`, a generator of steps:
`completion = yield from next(request)`. It may change the request, answer with a Completion of its own, refuse by
raising, rewrite events (`map_events`), or `yield Run(function)` for blocking work. `position` is "operation" (once a
call, before routing) or "attempt" (once a deployment tried). The first in the file is the outermost. Before it calls
`next`, one of an operation may leave candidates out of `call.candidates`, saying why in `call.skipped`.

An observer has `started(call, deployment)`, `finished(call, attempt)` and `refused(call, error)` (no candidate may
answer: nothing is sent), all optional. Each is told on its own: one that fails is counted and logged once. Only one
with `required = True` may stop a call, and it is asked before sending; those that were told before are told
`withdrawn(call, deployment)`. `call.request` is what the attempt asks, as middleware left it; in `finished`,
`call.answer` is what it was answered. They are called where the call runs, in an event loop too: they are quick.

An observer that keeps books of what was spent may have `account(deployment, currency, since, tenant)`: routes that use
an agreement up count by it (`byollm.routing.agreements`).

Both may have `close()`: the client calls it when it is closed. A client may be used again afterwards, and they with it.
And `health()`, for `byollm doctor`: (state, sentence, mend) for each thing to tell; a state is ok, warn or fail. Who
leaves out candidates has `left_out(call, request)`, for `explain`: the reason by deployment, and nothing is changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from byollm.engine.steps import Emit, Steps
from byollm.errors import ByollmError, PluginError
from byollm.types.completion import Attempt, Completion
from byollm.types.events import Event
from byollm.wire.assemble import Assembler

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.types.request import Request

Next = Callable[["Request"], Steps[Completion]]
POSITIONS: Final = ("operation", "attempt")
log = logging.getLogger("byollm")


class Middleware(Protocol):
    """Stands around a call."""

    position: str

    def around(self, call: Call, request: Request, next: Next) -> Steps[Completion]:
        """Yield steps; return the completion."""
        ...


def wrap(middleware: Sequence[Middleware], call: Call, core: Next) -> Next:
    """`core` with every middleware around it, the first outermost."""
    for layer in reversed(middleware):
        core = _layer(layer, call, core)
    return core


def _layer(layer: Middleware, call: Call, inner: Next) -> Next:
    def run(request: Request) -> Steps[Completion]:
        steps = layer.around(call, request, inner)
        if not isinstance(steps, Generator):
            raise PluginError(f"middleware {type(layer).__name__}: `around` is no generator: it has to yield")
        completion = yield from steps
        if not isinstance(completion, Completion):
            raise PluginError(
                f"middleware {type(layer).__name__} returned {type(completion).__name__}, not a Completion"
            )
        return completion

    return run


def checked(layers: Sequence[Any]) -> Sequence[Any]:
    """The layers, if each is one. Raises PluginError: what stands at no known place would never be asked."""
    for layer in layers:
        name, position = type(layer).__name__, getattr(layer, "position", POSITIONS[0])
        if not callable(getattr(layer, "around", None)):
            raise PluginError(f"{name} is no middleware: it has no `around`")
        if position not in POSITIONS:
            raise PluginError(f"middleware {name}: `position` is {' or '.join(POSITIONS)}, not {position!r}")
    return layers


def relay(steps: Steps[Completion], change: Callable[[Emit], Emit]) -> Steps[Completion]:
    """`yield from steps`, with every Emit changed on its way out."""
    move: Callable[[Any], Any] = steps.send
    answer: Any = None
    while True:
        try:
            step = move(answer)
        except StopIteration as end:
            completion: Completion = end.value
            return completion
        try:
            answer = yield change(step) if type(step) is Emit else step
            move = steps.send
        except GeneratorExit:
            steps.close()
            raise
        except Exception as error:  # a Run that failed: it is for whoever asked for it
            move, answer = steps.throw, error


def map_events(steps: Steps[Completion], function: Callable[[Event], Sequence[Event]]) -> Steps[Completion]:
    """Run `steps` with every event rewritten, and the completion made of what was rewritten.

    `function` gets one event and answers with none, one or more. The order table still holds.
    """
    assembler = Assembler()

    def change(step: Emit) -> Emit:
        events: list[Event] = []
        for event in step.events:
            new = function(event)
            if not isinstance(new, Iterable):
                raise PluginError(f"map_events: its function answered {type(new).__name__}, not a list of events")
            events += new
        assembler.feed(events)
        return Emit(events)

    completion = yield from relay(steps, change)
    if assembler.started:
        rewritten = assembler.completion()
        completion.parts = rewritten.parts
        completion.usage = rewritten.usage
        completion.finish_reason = rewritten.finish_reason
        completion.raw_finish_reason = rewritten.raw_finish_reason
    return completion


class Observers:
    """Tells each observer on its own. `failures` counts by name, for `byollm doctor`."""

    __slots__ = ("_all", "failures")

    def __init__(self, observers: Sequence[Any] = ()) -> None:
        self._all = tuple(observers)
        self.failures: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def each(self) -> tuple[Any, ...]:
        """In the order in which they are told."""
        return self._all

    def started(self, call: Call, deployment: str) -> None:
        """Asked before sending. Raises what a required observer raises, as PluginError."""
        told = 0
        try:
            for observer in self._all:
                told += 1
                self._tell(observer, "started", call, deployment, required=bool(getattr(observer, "required", False)))
        except ByollmError:
            for observer in self._all[: told - 1]:
                self._tell(observer, "withdrawn", call, deployment, required=False)
            raise

    def finished(self, call: Call, attempt: Attempt) -> None:
        """Told after each attempt; never raises."""
        for observer in self._all:
            self._tell(observer, "finished", call, attempt, required=False)

    def refused(self, call: Call, error: ByollmError) -> None:
        """Told when no candidate may answer; never raises."""
        for observer in self._all:
            self._tell(observer, "refused", call, error, required=False)

    def close(self, others: Sequence[Any] = ()) -> None:
        """Tell all of them, and `others`, that the client is closed; never raises."""
        for extension in dict.fromkeys((*self._all, *others)):
            self._tell(extension, "close", required=False)

    def _tell(self, observer: Any, what: str, *arguments: Any, required: bool) -> None:
        method = getattr(observer, what, None)
        if method is None:
            return
        try:
            method(*arguments)
        except ByollmError as error:
            if required:
                raise
            problem = f"{type(error).__name__}: {error.message}{f' ({error.hint})' if error.hint else ''}"
        except Exception as error:
            problem = type(error).__name__
        else:
            return
        name = type(observer).__name__
        self.failures[name] = self.failures.get(name, 0) + 1
        if self.failures[name] == 1:
            log.warning("observer %s failed in %s: %s; further failures are only counted", name, what, problem)
        if required:
            raise PluginError(f"required observer {name} failed ({problem}): nothing was sent")
