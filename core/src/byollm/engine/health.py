"""What an error says about the health of a deployment, of its model, or of the key that it shares with others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from byollm.engine.breaker import CONNECTION, KEY, MODEL, PROTOCOL, QUOTA, SERVER, TIMEOUT, Kind
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    ServerError,
)

if TYPE_CHECKING:
    from byollm.engine.line import Line

KINDS: Final[tuple[tuple[type[ByollmError], Kind], ...]] = (
    (QuotaExhaustedError, QUOTA),
    (AuthenticationError, KEY),
    (ModelNotFoundError, MODEL),
    (ProviderTimeoutError, TIMEOUT),
    (ProviderConnectionError, CONNECTION),
    (OverloadedError, SERVER),
    (ServerError, SERVER),
    (ProtocolError, PROTOCOL),
)
"""Every other error of a provider is an answer, and a sign of health."""


def kind_of(error: ByollmError) -> Kind | None:
    """The class of an error as breakers count it; None for what speaks of the request."""
    if isinstance(error, ProviderTimeoutError) and error.phase == "connect":
        return CONNECTION
    return next((kind for each, kind in KINDS if isinstance(error, each)), None)


def tell(line: Line, error: ByollmError, now: float) -> None:
    """Tell the breaker of a line, and of those that share its key, how an attempt ended that was on its way."""
    kind = kind_of(error)
    if kind is None or (kind is KEY and getattr(error, "sent", "no") == "no"):  # no key of ours was refused
        if isinstance(error, ProviderError) and error.sent != "no":
            line.breaker.succeeded(now)
        return
    if kind.whose != "deployment":
        line.breaker.succeeded(now, but=kind)
    case = line.breaker.failed(now, kind)
    if kind.whose == "key" and case.opened is not None and not case.shared:
        case.shared = True  # once: there may be thousands of tenants
        for other in sharing(line, line.kin()):
            other.breaker.share([case])


def joined(line: Line) -> None:
    """A line that was just made begins with what is known of its key."""
    ill = [other for other in line.kin() if not other.breaker.is_well]
    for other in sharing(line, ill):
        line.breaker.share(case for case in other.breaker.cases if case.kind.whose == "key" and case.opened is not None)


def sharing(line: Line, others: Iterable[Line]) -> list[Line]:
    """Those of the same provider whose credentials are the same."""
    return [
        other
        for other in others
        if other is not line and other.provider == line.provider and other.credentials.same_as(line.credentials)
    ]
