"""Failures into typed errors: from a broken connection, an error answer, or bytes that break the dialect's rules.

Texts of a provider are redacted here, before anything else sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from byollm.errors import (
    ByollmError,
    CancelledError,
    ConfigError,
    ProtocolError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    StreamInterruptedError,
)
from byollm.transports.base import Broken
from byollm.types.completion import Completion
from byollm.wire.classify import generic_error, one_screen, plain_message, request_id, retry_after
from byollm.wire.exchange import Exchange, Failure, Head
from byollm.wire.json import parse_json

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line

E = TypeVar("E", bound=ByollmError)
_TIMEOUTS = {
    "timeout_connect": ("connect", "no connection in time"),
    "timeout_first_byte": ("first_byte", "no answer in time"),
    "timeout_idle": ("idle", "the answer stopped arriving"),
    "deadline": ("total", "the call took longer than its timeout"),
}
_CONNECTIONS = {
    "dns": "the host name cannot be resolved",
    "connect": "the connection was refused",
    "tls": "the TLS handshake failed",
    "proxy": "the proxy refused",
    "closed": "the connection was closed before the answer was complete",
    "reset": "the connection broke",
}


def from_broken(broken: Broken, partial: Completion | None = None, *, answered: bool = False) -> ByollmError:
    """The error for a failure of the way. After content it is StreamInterruptedError, or CancelledError.

    `answered`: status and headers had come, so the request had been sent, whatever broke later.
    """
    kind = broken.kind
    if answered:
        broken = Broken(kind, "yes", broken.detail)
    billed: Any = "no" if broken.sent == "no" else "unknown"
    detail = f": {broken.detail}" if broken.detail else ""
    if kind == "cancelled":
        return CancelledError(partial=partial, sent=broken.sent, billed=billed)
    if kind == "refused":
        return ConfigError(
            f"byollm does not send there{detail}", hint="check `endpoint:`; `byollm check --hosts` lists all"
        )
    if kind in _TIMEOUTS and (partial is None or kind == "deadline"):
        phase, words = _TIMEOUTS[kind]
        retryable = kind != "deadline"
        return ProviderTimeoutError(
            f"{words}{detail}", phase=phase, sent=broken.sent, billed=billed, retryable=retryable
        )
    if kind == "tls":
        return ProviderConnectionError(f"{_CONNECTIONS[kind]}{detail}", sent="no", billed="no", retryable=False)
    if kind in ("protocol", "too_large"):
        return ProtocolError(f"the answer is not usable{detail}", sent=broken.sent, billed=billed)
    words = _CONNECTIONS.get(kind, "the answer stopped arriving")
    if partial is not None:
        return StreamInterruptedError(f"{words}{detail}", partial=partial, sent="yes", billed="unknown")
    return ProviderConnectionError(f"{words}{detail}", sent=broken.sent, billed=billed)


def bare(error: E) -> E:
    """An error without the frames it passed through and without what it was made from: both may hold a key."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def from_answer(exchange: Exchange[Any], head: Head, body: bytes) -> ProviderError:
    """The error for an error status: the plugin's, else the core's table."""
    try:
        document = parse_json(body)
    except ValueError:
        document = None
    failure = Failure(head.status, head.headers, body, document)
    error: ProviderError | None = None
    problem = ""
    if exchange.fail is not None:
        try:
            error = exchange.fail(failure)
        except ByollmError as raised:
            error = raised if isinstance(raised, ProviderError) else None
        except Exception as broke:  # hostile bytes met a plugin's blind spot: the table still knows the status
            problem = type(broke).__name__
    if not isinstance(error, ProviderError):
        error = generic_error(failure)
    if problem:
        error.message += f" (the plugin could not read this error: {problem})"
    error.status = head.status if error.status is None else error.status
    if not error.message:
        error.message = plain_message(failure)
    return error


def decorate(error: ProviderError, line: Line, head: Head | None, call: Call) -> ProviderError:
    """Say where it happened, read the headers, and mask every trace of a key."""
    redactor = line.credentials.redactor
    redact = redactor.text
    for name, value in bare(error).__dict__.items():
        if type(value) in (str, list, dict):
            error.__dict__[name] = redactor.data(value)
    error.message = one_screen(error.message)
    error.args = (error.message,)
    error.provider = line.provider
    error.model = line.model
    error.deployment = line.name
    if head is not None:
        found = request_id(head.headers)
        error.request_id = error.request_id or (redact(found) if found else None)
        if head.status >= 400 or error.retry_after is None:
            waited = retry_after(head.headers, call.clock.time())
            error.retry_after = waited if waited is not None else error.retry_after
        told = head.headers.get("x-should-retry")
        if head.status >= 400 and told in ("true", "false") and error.retryable != (told == "true"):
            error.retryable = told == "true" and type(error).default_retryable
    return error
