"""Only this machine: whatever a library wants from elsewhere is refused, and noted."""

from __future__ import annotations

import errno
import sys
from typing import Any

HERE = frozenset({"127.0.0.1", "localhost", "::1", b"127.0.0.1", b"localhost"})
refused: list[str] = []
"""Hosts that were asked for and refused, in order."""


def install() -> None:
    """Watch every name lookup and every connection that Python makes, from now on (an audit hook cannot be removed)."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _allow(arguments[0])
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        _allow(address[0] if isinstance(address, tuple) else address)


def _allow(host: Any) -> None:
    if host is None or host in HERE:
        return
    refused.append(host.decode(errors="replace") if isinstance(host, bytes) else str(host))
    raise OSError(errno.ENETUNREACH, "only 127.0.0.1 may be reached here")
