"""One try at one deployment: translate, send, read, assemble.

A generator of steps. Events are emitted once an answer has content: until then another deployment may take over and
the caller sees one answer only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from byollm.engine import wirelog
from byollm.engine.exchanging import deadline_of, opened
from byollm.engine.guard import guard, learn
from byollm.engine.reading import Reading
from byollm.engine.steps import OpenLocal, Steps
from byollm.errors import NoRouteError
from byollm.types.completion import Completion
from byollm.types.events import Event
from byollm.types.usage import BATCH
from byollm.wire.exchange import Exchange, LocalCall

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request

Sending = Callable[["Call", str], None]


def attempt(call: Call, line: Line, request: Request, sending: Sending | None = None) -> Steps[Completion]:
    """Ask one deployment once. Raises ProviderError, UnsupportedFeatureError, PluginError or CancelledError, and
    NoRouteError where a rule forbids it meanwhile.

    `sending` is told when all is checked and translated, right before anything leaves; then the call is under way.
    """
    deployment = line.deployment
    if call.sieve is not None and (reason := call.sieve.expired(call, line)):
        call.skipped[line.name] = reason
        raise NoRouteError(f"{line.name} may not be asked any more: {reason}", skipped=call.skipped)
    if deployment.is_unsure:
        yield from learn(call, line, request)
    fitted = deployment.fit(line.with_extra(request) if line.extra else request)
    if deployment.capabilities.context_window is not None:
        yield from guard(call, line, fitted.request)
    asked = deployment.exchange(fitted.request)
    fitted = deployment.noted(fitted, asked)
    shown = wirelog.wanted()
    reading = Reading(call, line, fitted, shown)
    batches = None
    if call.batch_until is not None and not isinstance(asked, LocalCall):
        from byollm.engine.batching import carried, taker

        batches = taker(call, line, request, asked)
    deadline = deadline_of(call, line)
    call.request = request
    call.adjustments = fitted.adjustments
    call.url = None if isinstance(asked, LocalCall) else asked.request.url
    if sending is not None:
        sending(call, line.name)
    call.under_way = True
    if isinstance(asked, LocalCall):
        yield OpenLocal(asked, fitted.request, deadline)
        yield from reading.local()
        return reading.completion()
    exchange: Exchange[Event] | None = asked
    if batches is not None and call.batch_until is not None:
        yield from carried(call, line, batches, asked, reading, call.batch_until)
        completion = reading.completion()
        completion.usage = completion.usage.in_tier(BATCH)  # the answer itself may not know it
        return completion
    while exchange is not None:
        head = yield from opened(call, line, exchange, deadline, shown)
        exchange = yield from reading.answer(exchange, head)
    return reading.completion()
