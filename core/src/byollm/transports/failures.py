"""The one table from the exceptions of HTTP libraries to the words of `Broken`."""

from __future__ import annotations

from byollm.errors import Sent
from byollm.transports.base import Broken, BrokenKind
from byollm.transports.progress import Progress, Stop

FAILURES: dict[str, tuple[BrokenKind, Sent]] = {
    # httpcore and httpcore2, which share these names with httpx and httpx2
    "ConnectionNotAvailable": ("connect", "no"),
    "ProxyError": ("proxy", "no"),
    "UnsupportedProtocol": ("refused", "no"),
    "ProtocolError": ("protocol", "yes"),
    "RemoteProtocolError": ("protocol", "yes"),
    "LocalProtocolError": ("protocol", "no"),
    "TimeoutException": ("timeout_idle", "yes"),
    "PoolTimeout": ("timeout_connect", "no"),
    "ConnectTimeout": ("timeout_connect", "no"),
    "ReadTimeout": ("timeout_idle", "yes"),
    "WriteTimeout": ("timeout_idle", "partial"),
    "NetworkError": ("reset", "yes"),
    "ConnectError": ("connect", "no"),
    "ReadError": ("reset", "yes"),
    "WriteError": ("reset", "partial"),
    # httpx and httpx2 alone: what a transport that a user hands in may raise
    "CloseError": ("reset", "yes"),
    "TransportError": ("reset", "partial"),
    "RequestError": ("reset", "partial"),
    "HTTPError": ("reset", "partial"),
    "HTTPStatusError": ("protocol", "yes"),
    "DecodingError": ("protocol", "yes"),
    "TooManyRedirects": ("protocol", "yes"),
    "InvalidURL": ("refused", "no"),
    "CookieConflict": ("protocol", "yes"),
    "SSEError": ("protocol", "yes"),
    "StreamError": ("protocol", "yes"),
    "StreamConsumed": ("protocol", "yes"),
    "StreamClosed": ("protocol", "yes"),
    "ResponseNotRead": ("protocol", "yes"),
    "RequestNotRead": ("protocol", "yes"),
    # Python's own
    "TimeoutError": ("timeout_idle", "partial"),
    "gaierror": ("dns", "no"),
    "SSLError": ("tls", "no"),
    "ConnectionRefusedError": ("connect", "no"),
    "OSError": ("reset", "partial"),
    "Exception": ("protocol", "partial"),
}
"""By class name, as four libraries share them; a class that is not here is looked up by its nearest base."""

_DETAILS = {
    "RemoteProtocolError": "the answer is not valid HTTP/1.1",
    "LocalProtocolError": "the request cannot be written as HTTP/1.1: look for odd characters in headers",
}


def known(error: Exception) -> Broken:
    """A library's exception as a value. Its text is left behind: it may quote a header, and with it a key."""
    for base in type(error).__mro__:
        if base.__name__ in FAILURES:
            kind, sent = FAILURES[base.__name__]
            return Broken(kind, sent, _DETAILS.get(base.__name__, ""))
    return Broken("protocol", "partial")


def seen(error: Exception, progress: Progress) -> Broken:
    """An exception of our own HTTP/1.1 connection as a value; `progress` knows how much had been sent."""
    if isinstance(error, Stop):
        # A certificate may be refused after our part of the handshake; then no application ever saw the request.
        refused = error.kind == "tls" and not progress.heard
        return Broken(error.kind, "no" if refused else progress.sent, error.detail)
    broken = known(error)
    return progress.broken(broken.kind, broken.detail)
