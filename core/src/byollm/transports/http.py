"""The default transport: HTTP/1.1 by h11, the parser of httpx's own engine, on connections of ours.

Three things need the floor below `httpx.Client`: a deadline that bounds every single read (a server that drips one
header byte at a time outlives any client-level timeout), cancelling a call that hangs from another thread, and a look
at the resolved address before a byte leaves. So sockets, TLS and idle connections are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byollm.transports.async_http import AsyncHttpTransport
    from byollm.transports.sync_http import HttpTransport

__all__ = ["AsyncHttpTransport", "HttpTransport"]


def __getattr__(name: str) -> Any:
    # Blocking programs never pay for asyncio.
    if name == "HttpTransport":
        from byollm.transports.sync_http import HttpTransport

        return HttpTransport
    if name == "AsyncHttpTransport":
        from byollm.transports.async_http import AsyncHttpTransport

        return AsyncHttpTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
