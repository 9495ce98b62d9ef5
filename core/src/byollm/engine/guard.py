"""The context guard: a prompt that cannot fit is refused before any byte leaves, one that may fit is not.

It refuses when even the lower bound of the count exceeds the window. When only the upper bound does, it asks the
provider's counting endpoint if the file says `guard: ask`, else sends. Where a server cuts long prompts in silence, it
refuses on the estimate. The usual case costs one addition per text: no text has more tokens than bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byollm.engine.steps import Steps
from byollm.errors import ContextLengthError
from byollm.providers.counting import bytes_of, estimate
from byollm.types.capabilities import TokenCount
from byollm.wire.exchange import Exchange

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request


def guard(call: Call, line: Line, request: Request) -> Steps[None]:
    """Raises ContextLengthError with sent="no" when the prompt cannot fit."""
    can = line.deployment.capabilities
    window = can.context_window
    if window is None or bytes_of(request) <= window:
        return
    count = estimate(request)
    if count.lower is not None and count.lower > window:
        raise too_long(line, count, window)
    if can.truncates_silently and count.tokens > window:
        raise too_long(line, count, window)
    if line.guard == "ask" and (count.upper is None or count.upper > window):
        asked = line.deployment.count(request)
        if isinstance(asked, Exchange):
            from byollm.engine.attempt import exchange_once

            values = yield from exchange_once(call, line, asked)
            asked = values[-1] if values else None
        if isinstance(asked, TokenCount) and asked.tokens > window and asked.exactness == "exact":
            raise too_long(line, asked, window)


def too_long(line: Line, count: TokenCount, window: int) -> ContextLengthError:
    """The refusal, before anything is sent."""
    least = count.tokens if count.exactness == "exact" else count.lower
    return ContextLengthError(
        f"the prompt has at least {least} tokens ({count.source or count.exactness}), the window holds {window};"
        " nothing was sent",
        sent="no",
        provider=line.provider,
        model=line.model,
        deployment=line.name,
    )
