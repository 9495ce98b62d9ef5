"""What the sync and the async transport on pyreqwest share: building clients, requests, and reading its errors."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar

from byollm.transports.base import Broken, BrokenKind, Outgoing, TlsFiles
from byollm.transports.egress import Site
from byollm.transports.inflate import Body
from byollm.transports.message import Way, refused_by_proxy, url_of
from byollm.transports.names import literal
from byollm.transports.pool import KEEP
from byollm.transports.progress import Stop
from byollm.wire.exchange import Head

AGE = 300.0
"""Seconds that a client stays pinned to the address its host had when it was built."""

_SETTLED = 1.0
_process: int | None = None

Builder = TypeVar("Builder", bound=Any)


def survives_here() -> bool:
    """False in a child of a process that used pyreqwest before the fork: its Rust threads did not come along."""
    global _process
    if _process is None:
        _process = os.getpid()
    return _process == os.getpid()


def first_hop(way: Way) -> Site:
    """What is connected to: the proxy if there is one."""
    return way.site if way.proxy is None else way.proxy.site


def pinned(builder: Builder, outgoing: Outgoing, way: Way, address: str) -> Builder:
    """Set up a client builder. `address` is checked, and the only one the client will connect to. Raises Stop("tls").

    Redirects and automatic decompression (which has no limit) are off.
    """
    from pyreqwest.proxy import ProxyBuilder

    builder = builder.follow_redirects(False).referer(False).pool_idle_timeout(timedelta(seconds=KEEP))
    builder = builder.gzip(False).brotli(False).zstd(False).deflate(False)
    hop = first_hop(way)
    if not literal(hop.name, hop.port):
        builder = builder.resolve(hop.name, address, hop.port)
    if outgoing.place.proxy is None:
        builder = builder.no_proxy()
    else:
        builder = builder.proxy(ProxyBuilder.all(outgoing.place.proxy))
    connect, read = outgoing.timeouts.connect, read_timeout(outgoing)
    if connect is not None:
        builder = builder.connect_timeout(timedelta(seconds=connect))
    if read is not None:
        builder = builder.read_timeout(timedelta(seconds=read))
    return _trusting(builder, outgoing.place.tls)


def read_timeout(outgoing: Outgoing) -> float | None:
    """pyreqwest has one limit for the wait before the first byte and the waits between reads: the larger of both."""
    first, idle = outgoing.timeouts.first_byte, outgoing.timeouts.idle
    return None if first is None or idle is None else max(first, idle)


def key_of(outgoing: Outgoing, way: Way) -> Hashable:
    """What a client is built for."""
    return way.key, outgoing.timeouts.connect, read_timeout(outgoing)


def _trusting(builder: Builder, files: TlsFiles | None) -> Builder:
    if files is None:
        return builder
    problem = "the CA bundle (tls.ca) cannot be read"
    try:
        if files.ca is not None:
            builder = builder.add_root_certificate_pem(_content(files.ca))
        problem = "pyreqwest cannot load the client certificate (tls.cert, tls.key)"
        if files.cert is not None:
            identity = _content(files.cert) + b"\n" + (_content(files.key) if files.key is not None else b"")
            if b"ENCRYPTED" in identity:
                problem = "pyreqwest cannot read an encrypted key (tls.key): use transport: httpx"
            else:
                return builder.identity_pem(identity)  # type: ignore[no-any-return]  # the builder's own type
        else:
            return builder
    except (OSError, ValueError):
        pass
    raise Stop("tls", problem)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def prepared(client: Any, outgoing: Outgoing, way: Way) -> Any | Broken:
    """A streamed request, bounded by the deadline."""
    headers = [pair for pair in outgoing.headers if pair[0].lower() not in ("content-length", "transfer-encoding")]
    if not any(name.lower() == "accept-encoding" for name, _ in headers):
        headers.append(("accept-encoding", "gzip"))
    try:
        builder = client.request(outgoing.method, url_of(outgoing, way)).headers(headers)
        if outgoing.body:
            builder = builder.body_bytes(outgoing.body)
        if outgoing.deadline is not None:
            left = outgoing.deadline - monotonic()
            if left <= 0:
                return Broken("deadline", "no")
            builder = builder.timeout(timedelta(seconds=left))
        # The default holds back what has come until 64 KiB are there: the first token of a stream waits for the others.
        return builder.streamed_read_buffer_limit(0).build_streamed()
    except Exception:
        return Broken("protocol", "no", "the request cannot be written as HTTP")


def answered(response: Any, outgoing: Outgoing, way: Way) -> tuple[Head, Body] | Broken:
    """The head of a response, and what will undo its encoding."""
    if response.status == 407 and way.forwarding is not None:
        return Broken("proxy", "no", refused_by_proxy(407))
    if response.status == 101:
        return Broken("protocol", "yes", "the answer switches to another protocol")
    headers: dict[str, str] = {}
    size = 0
    pairs: Iterable[tuple[str, str]] = response.headers.items()
    for mixed, value in pairs:
        name = mixed.lower()
        size += len(name) + len(value) + 4
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if size > outgoing.limits.headers:
        return Broken("too_large", "yes", "the response's headers are larger than allowed")
    body = Body(headers.get("content-encoding", ""), outgoing.limits)
    return body.unknown or (Head(response.status, headers), body)


_SIGNS: tuple[tuple[str, BrokenKind], ...] = (
    ("dns error", "dns"),
    ("handshake eof", "closed"),
    ("certificate", "tls"),
    ("handshake", "tls"),
    ("tls", "tls"),
    ("tunnel", "proxy"),
    ("head is too large", "too_large"),
    ("connection closed before message completed", "closed"),
    ("end of file before message length", "closed"),
    ("unexpected eof", "closed"),
    ("unexpected end of file", "closed"),
    ("reset by peer", "reset"),
    ("broken pipe", "reset"),
    ("invalid", "protocol"),
)
"""Words in the causes of a pyreqwest error that tell more than its class. In order: the first that fits counts."""


def failed(error: Exception, outgoing: Outgoing, in_body: bool) -> Broken:
    """An exception of pyreqwest as a value. Only the words of `_SIGNS` are looked for; its text is left behind."""
    from pyreqwest import exceptions

    if outgoing.cancellation.cancelled:
        return Broken("cancelled", "yes")
    if isinstance(error, Stop):
        return Broken(error.kind, "yes", error.detail)
    details = getattr(error, "details", None)
    causes = (details.get("causes") if isinstance(details, dict) else None) or []
    text = " ".join(str(cause.get("message", "")) for cause in causes[1:]).lower()
    connecting = "client error (connect)" in text and not in_body
    if isinstance(error, exceptions.RequestTimeoutError):
        if outgoing.deadline is not None and monotonic() >= outgoing.deadline - 0.005:
            return Broken("deadline", "no" if connecting else "yes")
        if connecting:
            return Broken("timeout_connect", "no")
        return Broken("timeout_idle" if in_body else "timeout_first_byte", "yes")
    kind = next((kind for sign, kind in _SIGNS if sign in text), None)
    if connecting or kind == "tls":
        # "tls" without "connect": the peer refused our certificate after the handshake, so nobody saw the request.
        return Broken(kind if kind in ("dns", "tls", "proxy") else "connect", "no")
    if kind is None:
        kind = "reset" if isinstance(error, exceptions.NetworkError) else "protocol"
    return Broken(kind, "yes")


def was_stale(outcome: object, reused: bool, started: float) -> bool:
    """True when a request met a connection that had been closed while idle; see `message.was_stale`."""
    if not reused or not isinstance(outcome, Broken) or outcome.kind not in ("closed", "reset"):
        return False
    return monotonic() - started < _SETTLED
