"""The context guard: a prompt that cannot fit is refused before any byte leaves, one that may fit is not.

It refuses when even the lower bound of the count exceeds the window. When only the upper bound does, it asks the
provider's counting endpoint if the file says `guard: ask`, else sends. Where a server cuts long prompts in silence, it
refuses on the estimate. The usual case costs one addition per text: no text has more tokens than bytes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from byollm.engine.exchanging import exchange_once
from byollm.engine.steps import Steps
from byollm.errors import ContextLengthError, ProviderError
from byollm.providers.counting import bytes_of, estimate
from byollm.types.capabilities import Capabilities, TokenCount
from byollm.wire.exchange import Exchange

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.types.request import Request

log = logging.getLogger("byollm")

SMALLEST_WINDOW = 512
"""Tokens. A prompt of no more bytes than this fits any model, so no server need be asked for its window."""


def learn(call: Call, line: Line, request: Request) -> Steps[None]:
    """Ask the server for what is not known of the model, once a deployment: without a window nothing can be guarded."""
    deployment = line.deployment
    if bytes_of(request) <= SMALLEST_WINDOW:
        return
    found = yield from _answer(call, line, deployment.ask())
    if isinstance(found, Capabilities):
        deployment.refine(found)


def guard(call: Call, line: Line, request: Request) -> Steps[None]:
    """Raises ContextLengthError with sent="no" when the prompt cannot fit."""
    refused = refusal(line, request)
    if refused is not None:
        raise refused
    window = line.deployment.capabilities.context_window
    if line.guard != "ask" or window is None or bytes_of(request) <= window:
        return
    count = estimate(request, line.deployment.capabilities.vocabulary)
    if count.upper is None or count.upper + count.template > window:
        asked = line.deployment.count(request)
        if isinstance(asked, Exchange):
            asked = yield from _answer(call, line, asked)
        if isinstance(asked, TokenCount) and asked.tokens > window and asked.exactness == "exact":
            raise too_long(line, asked, window)


def refusal(line: Line, request: Request) -> ContextLengthError | None:
    """What byollm's own bounds say against sending a prompt."""
    can = line.deployment.capabilities
    window = can.context_window
    if window is None or bytes_of(request) <= window:
        return None
    count = estimate(request, can.vocabulary)
    if count.lower is not None and count.lower > window:
        return too_long(line, count, window)
    if can.truncates_silently and count.tokens > window:
        return too_long(line, count, window)
    return None


def _answer(call: Call, line: Line, exchange: Exchange[Any]) -> Steps[Any]:
    """What the provider says of a prompt or a model; None when it cannot tell now, which is no reason to refuse."""
    try:
        values = yield from exchange_once(call, line, exchange)
    except ProviderError as error:
        log.info("deployment=%s does not tell: %s; the call is made without", line.name, type(error).__name__)
        return None
    return values[-1] if values else None


def too_long(line: Line, count: TokenCount, window: int) -> ContextLengthError:
    """The refusal, before anything is sent."""
    if count.exactness == "exact" or count.lower is None or count.lower <= window:
        size = f"{'' if count.exactness == 'exact' else 'about '}{count.tokens}"
    else:
        size = f"at least {count.lower}"
    return ContextLengthError(
        f"the prompt has {size} tokens ({count.source or count.exactness}), the window holds {window};"
        " nothing was sent",
        sent="no",
        provider=line.provider,
        model=line.model,
        deployment=line.name,
    )
