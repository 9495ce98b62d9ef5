"""An attempt inside the limits of its deployment: a place in the queue before, the books set right after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byollm.engine.steps import Acquire, Sleep, Steps
from byollm.errors import ByollmError, CancelledError, RateLimitError
from byollm.providers.counting import rough
from byollm.routing.joint import Joint, JointTicket
from byollm.routing.limits import Kind, Limits, Ticket

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.completion import Completion
    from byollm.types.request import Request

USUAL_OUTPUT: Final = 256
"""Tokens reserved for an answer where the caller sets no limit; what it really has is settled afterwards."""


def limited(
    call: Call, line: Line, limits: Limits | Joint, request: Request, steps: Steps[Completion]
) -> Steps[Completion]:
    """`steps`, begun when the limits allow it. Raises RateLimitError (`sent="no"`) where that would take too long."""
    now = call.clock.monotonic()
    size, output = rough(request), request.max_tokens or USUAL_OUTPUT
    ticket: Ticket | JointTicket = limits.reserve(size, output, now)
    if ticket.at > now or not limits.enter_at_once():
        ticket = yield from _admitted(call, line, limits, ticket, size, output)
    sent = "no"
    try:
        completion = yield from steps
        sent = "yes"
    except ByollmError as error:
        sent = getattr(error, "sent", "no")
        if isinstance(error, RateLimitError) and sent != "no" and error.retry_after:
            limits.refused(error.retry_after, call.clock.monotonic())
        raise
    except GeneratorExit:
        sent = "yes"
        raise
    finally:
        for part in limits.parts:
            part.leave()
        if sent == "no":
            ticket.cancel()
    ticket.settle(_used(completion))
    return completion


def _used(completion: Completion) -> dict[Kind, float]:
    usage = completion.usage
    used: dict[Kind, float] = {}
    if usage.input_tokens is not None:
        used["input_tokens"] = usage.input_tokens - (usage.cached_tokens or 0)
    if usage.output_tokens is not None:
        used["output_tokens"] = usage.output_tokens
    if usage.input_tokens is not None and usage.output_tokens is not None:
        used["tokens"] = usage.input_tokens + usage.output_tokens
    return used


def _admitted(
    call: Call, line: Line, limits: Limits | Joint, ticket: Ticket | JointTicket, size: int, output: int
) -> Steps[Ticket | JointTicket]:
    inside: list[Limits] = []
    try:
        while len(inside) < len(limits.parts):
            wait = ticket.at - call.clock.monotonic()
            if wait > 0:
                _worth(call, line, wait)
                if (yield Sleep(wait)):
                    raise CancelledError(sent="no", billed="no")
            else:
                for part in limits.parts:  # always in this order, so that no two wait for each other
                    yield from _entered(call, line, part)
                    inside.append(part)
            if ticket.is_void:  # refused meanwhile: to the end of the queue, not all at once
                while inside:
                    inside.pop().leave()
                ticket.cancel()
                ticket = limits.reserve(size, output, call.clock.monotonic())
    finally:
        if len(inside) < len(limits.parts):
            ticket.cancel()
            for part in inside:
                part.leave()
    return ticket


def _entered(call: Call, line: Line, limits: Limits) -> Steps[None]:
    waiting = limits.enter()
    if waiting is None:
        return
    granted = False
    try:
        granted = yield Acquire(waiting, call.seconds_left())
    finally:
        if not granted:
            limits.leave(waiting)
    if not granted:
        if call.cancellation.cancelled:
            raise CancelledError(sent="no", billed="no")
        raise _refused(line, "all its places for calls at a time stayed taken", None)


def _worth(call: Call, line: Line, wait: float) -> None:
    left = call.seconds_left()
    if wait > line.retries.longest_wait or (left is not None and wait >= left):
        raise _refused(line, f"its rate limit in the configuration has no place for {wait:.0f} s", wait)


def _refused(line: Line, why: str, wait: float | None) -> RateLimitError:
    return RateLimitError(
        f"{line.name}: {why}; nothing was sent",
        sent="no",
        billed="no",
        retry_after=wait,
        provider=line.provider,
        model=line.model,
        deployment=line.name,
        hint="raise `limits:` if the provider allows more, or add a deployment to the task",
    )
