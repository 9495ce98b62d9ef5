"""The way to an endpoint, step by step: proxy, name, connection, certificate. Nothing of a request is sent.

Trust, the proxy's URL and the addresses that are never talked to are read by the transport's own functions, so that
what is told here is what a call would meet.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from byollm.cli.findings import Check
from byollm.cli.handshake import Dead, Pipe, judged, named, shaken
from byollm.transports.base import Broken, Place
from byollm.transports.egress import Proxy, Site, proxy_of
from byollm.transports.names import Address, checked, literal, resolve
from byollm.transports.progress import Stop
from byollm.transports.tls import context_for


class Way(NamedTuple):
    """Where to: the endpoint's site, the proxy before it, how to trust it, and how many seconds each step may take."""

    site: Site
    proxy: Proxy | None
    place: Place
    seconds: float

    @property
    def first(self) -> Site:
        """The host that is really connected to."""
        return self.proxy.site if self.proxy is not None else self.site


def walk(endpoint: str, place: Place, seconds: float) -> list[Check]:
    """Each step until one fails; what comes after is skipped."""
    found: list[Check] = []
    try:
        way = _way(endpoint, place, seconds)
        found.append(_proxy_named(way))
        addresses, told = _addresses(way)
        found.append(told)
        pipe, told = _connected(way, addresses)
        found.append(told)
        with _closing(pipe):
            if way.proxy is not None:
                pipe, told = _through(way, pipe)
                found.append(told)
            if way.site.scheme == "https":
                found.append(_trusted(way, pipe, lambda: _again(way, addresses)))
            else:
                found.append(Check("tls", "ok", "none: the endpoint is http"))
    except Dead as dead:
        found.append(dead.check)
    names = ["proxy", "dns", "tcp", "tunnel", "tls"]
    if not any(check.name == "proxy" and check.detail.startswith("through") for check in found):
        names.remove("tunnel")
    told_of = {check.name for check in found}
    return found + [Check(name, "skip", "not reached") for name in names if name not in told_of]


class _closing:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.pipe.close()


def _way(endpoint: str, place: Place, seconds: float) -> Way:
    parts = urlsplit(endpoint)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 443)
    site = Site(parts.scheme, (parts.hostname or "").lower().removesuffix("."), port)
    if place.proxy is None:
        return Way(site, None, place, seconds)
    proxy = proxy_of(place.proxy)
    if isinstance(proxy, Broken):
        raise Dead(Check("proxy", "fail", proxy.detail, "proxy: http://proxy.example.com:3128, or `proxy: none`"))
    return Way(site, proxy, place, seconds)


def _proxy_named(way: Way) -> Check:
    if way.proxy is None:
        return Check("proxy", "ok", "none")
    origin = "with a name and password" if way.proxy.credentials else "without a password"
    return Check("proxy", "ok", f"through {way.proxy.site.scheme}://{way.proxy.site.authority}, {origin}")


def _addresses(way: Way) -> tuple[list[Address], Check]:
    name, port = way.first.name, way.first.port
    started = time.monotonic()
    found = literal(name, port)
    by = "is an address"
    if not found:
        answers: SimpleQueue[list[Address]] = SimpleQueue()
        resolve(name, port, answers.put)
        try:
            found = answers.get(timeout=way.seconds)
        except Empty:
            raise Dead(Check("dns", "fail", f"no answer for {name} within {way.seconds:g} s", _dns_mend(way))) from None
        by = f"has {', '.join(dict.fromkeys(str(address.where[0]) for address in found))} {_since(started)}"
    problem: Stop | None = None
    try:
        return checked(name, found), Check("dns", "ok", f"{name} {by}")
    except Stop as stop:
        problem = stop
    if problem.kind == "refused":
        mend = "byollm never talks to metadata and link-local addresses: name another host in `endpoint:`"
        raise Dead(Check("dns", "fail", problem.detail, mend))
    raise Dead(Check("dns", "fail", problem.detail or f"{name} has no address", _dns_mend(way)))


def _dns_mend(way: Way) -> str:
    if way.proxy is not None:
        return "check the host in `proxy:` (or in HTTPS_PROXY)"
    return "check the host in `endpoint:`, and this machine's resolver; behind a company proxy, set `proxy:`"


def _connected(way: Way, addresses: list[Address]) -> tuple[Pipe, Check]:
    started = time.monotonic()
    problem = ""
    for address in addresses:
        opened = socket.socket(address.family, socket.SOCK_STREAM)
        opened.settimeout(way.seconds)
        try:
            opened.connect(address.where)
            return opened, Check("tcp", "ok", f"port {way.first.port} answers {_since(started)}")
        except TimeoutError:
            problem = f"no connection within {way.seconds:g} s"
        except OSError as error:
            problem = (error.strerror or type(error).__name__).lower()
        opened.close()
    where = "`proxy:` (or HTTPS_PROXY)" if way.proxy is not None else "`endpoint:`"
    mend = f"nothing listens there: start the server, or check the port in {where}"
    if "refused" not in problem:
        mend = f"a firewall may be in the way: check host and port in {where}, or set `proxy:`"
    raise Dead(Check("tcp", "fail", f"{way.first.name} port {way.first.port}: {problem}", mend))


def _through(way: Way, pipe: Pipe) -> tuple[Pipe, Check]:
    """Through the proxy: TLS to it when it wants that, then a tunnel when the endpoint is https."""
    proxy = way.proxy
    assert proxy is not None
    if proxy.site.scheme == "https":
        pipe = shaken(_context(way), pipe, proxy.site.name, "tunnel", "the proxy's certificate: ")
    if way.site.scheme == "http":
        return pipe, Check("tunnel", "ok", "not needed: the endpoint is http, the proxy passes requests on")
    status, reason = _tunnel(way, pipe, proxy)
    if 200 <= status < 300:
        return pipe, Check("tunnel", "ok", f"the proxy opens a tunnel to {way.site.name}:{way.site.port}")
    if status == 407:
        mend = "proxy: http://${PROXY_USER}:${PROXY_PASSWORD}@" + proxy.site.authority
        raise Dead(Check("tunnel", "fail", "the proxy wants a name and password (407)", mend))
    mend = (
        f"have the proxy allow {way.site.name}:{way.site.port}, name another `proxy:`, or `proxy: none` to go without"
    )
    raise Dead(Check("tunnel", "fail", f"the proxy refuses {way.site.name}: {reason}", mend))


def _tunnel(way: Way, pipe: Pipe, proxy: Proxy) -> tuple[int, str]:
    host = f"[{way.site.name}]" if ":" in way.site.name else way.site.name
    lines = [f"CONNECT {host}:{way.site.port} HTTP/1.1", f"Host: {host}:{way.site.port}"]
    if proxy.credentials is not None:
        from base64 import b64encode

        lines.append(f"Proxy-Authorization: Basic {b64encode(proxy.credentials.encode()).decode()}")
    head = b""
    try:
        pipe.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        while b"\r\n\r\n" not in head and len(head) < 65536:
            data = pipe.recv(4096)
            if not data:
                break
            head += data
    except OSError as error:
        return 0, "no answer in time" if isinstance(error, TimeoutError) else "it closed the connection"
    first = head.split(b"\r\n", 1)[0].decode("latin-1")
    words = first.split(" ", 2)
    if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdigit():
        return int(words[1]), f"status {words[1]}"
    return 0, "it closed the connection" if not head else "it does not speak HTTP"


def _context(way: Way) -> ssl.SSLContext:
    problem = ""
    try:
        return context_for(way.place.tls)
    except Stop as stop:
        problem = stop.detail
    raise Dead(Check("tls", "fail", problem, "check the paths under `tls:`; they start at the configuration's folder"))


def _trusted(way: Way, pipe: Pipe, again: Callable[[], Pipe]) -> Check:
    try:
        layer = shaken(_context(way), pipe, way.site.name, "tls")
    except Dead as dead:
        failure = dead.check
    else:
        return judged(layer.session)
    issuer = _issuer_of_untrusted(way, again) if "certificate" in failure.detail else ""
    raise Dead(failure._replace(detail=f"{failure.detail}{issuer}"))


def _issuer_of_untrusted(way: Way, again: Callable[[], Pipe]) -> str:
    """Who issued a certificate that is not trusted, read over connections on which nothing is sent.

    Python tells a certificate's words only when it was verified. So it is fetched unverified, and then verified once
    more with itself as its own authority.
    """
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.verify_mode = ssl.CERT_NONE
    with suppress(OSError, Dead, ValueError):
        pipe = again()
        with _closing(pipe):
            der = shaken(bare, pipe, way.site.name, "tls").session.getpeercert(True)
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        bare.check_hostname = False
        bare.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        bare.load_verify_locations(cadata=der or b"")
        pipe = again()
        with _closing(pipe):
            certificate: Any = shaken(bare, pipe, way.site.name, "tls").session.getpeercert() or {}
        return f" ({named(certificate, 'subject')} issued by {named(certificate, 'issuer')})"
    return ""


def _again(way: Way, addresses: list[Address]) -> Pipe:
    pipe, _ = _connected(way, addresses)
    if way.proxy is not None:
        pipe, _ = _through(way, pipe)
    return pipe


def _since(started: float) -> str:
    return f"({(time.monotonic() - started) * 1000:.0f} ms)"
