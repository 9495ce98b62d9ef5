"""A request and the head of an answer: what the sync and the async transport share."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic

from byollm.transports.base import Broken, Cancellation, Limits, Outgoing, Place
from byollm.transports.egress import Proxy, Site, destination, is_forbidden, plain, proxy_of
from byollm.transports.http1 import TOO_LARGE, UPGRADE, Headers, written
from byollm.transports.inflate import Body
from byollm.transports.names import literal
from byollm.transports.progress import Progress, Stop
from byollm.wire.exchange import Head

_STALE_WITHIN = 1.0
"""Seconds. A connection that the server closed while it was idle says so within a round trip. A reused connection that
breaks later broke at work: the request may be billed, and is not sent again behind the caller's back."""

_FRAMING = frozenset({"content-length", "transfer-encoding"})
_BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Way:
    """Where a request goes and through what. Idle connections are kept by `key`.

    `forwarding` is the proxy that a plain http request is handed to as a whole; https goes through a tunnel instead.
    """

    site: Site
    path: str
    proxy: Proxy | None
    forwarding: Proxy | None
    authority: bytes
    key: Hashable


@dataclass(slots=True, repr=False, eq=False)
class Opening:
    """What requests share that differ in nothing but their body: the way, and the head up to the body's length."""

    way: Way
    method: bytes
    head: bytes


@dataclass(slots=True, repr=False, eq=False)
class Asked:
    """A request as HTTP/1.1 writes it, credentials and all. `head` ends with the blank line."""

    method: bytes
    head: bytes
    body: bytes


@dataclass(slots=True, repr=False, eq=False)
class Turn(Asked):
    """One try of one request over one connection."""

    way: Way
    progress: Progress
    cancellation: Cancellation


def turn_of(outgoing: Outgoing) -> Turn | Broken:
    """Check where a request wants to go, and write it. What was checked and written once is not done again."""
    kept = outgoing.kept
    opening = kept.value if kept is not None else None
    if opening is None:
        opening = _opening(outgoing)
        if isinstance(opening, Broken):
            return opening
        if kept is not None:
            kept.value = opening
    body, head = outgoing.body, opening.head
    if body or outgoing.method not in _BODILESS:
        head = b"%bcontent-length: %d\r\n\r\n" % (head, len(body))
    else:
        head += b"\r\n"
    progress = Progress(outgoing.timeouts, outgoing.limits, outgoing.deadline)
    return Turn(opening.method, head, body, opening.way, progress, outgoing.cancellation)


def way_of(outgoing: Outgoing) -> Way | Broken:
    """Check where a request wants to go."""
    return _way(outgoing.url.partition("#")[0].partition("?")[0], outgoing.place)


@lru_cache(maxsize=256)
def _way(base: str, place: Place) -> Way | Broken:
    found = destination(base, place.hosts)
    if isinstance(found, Broken):
        return found
    site, path = found
    # A name is checked when it is resolved. An address needs no resolving, and a proxy would take it anywhere.
    if any(is_forbidden(address.where[0]) for address in literal(site.name, site.port)):
        return Broken("refused", "no", f"{site.name} is an address that is never talked to")
    proxy = None if place.proxy is None else proxy_of(place.proxy)
    if isinstance(proxy, Broken):
        return proxy
    forwarding = proxy if site.scheme == "http" else None
    key = (site.scheme, site.name, site.port, place.proxy, place.tls, place.key)
    return Way(site, path, proxy, forwarding, site.authority.encode("ascii"), key)


def _opening(outgoing: Outgoing) -> Opening | Broken:
    """Method, target and headers. Host and accept-encoding are added when missing."""
    way = way_of(outgoing)
    if isinstance(way, Broken):
        return way
    headers = encoded(outgoing.headers)
    if headers is None:
        return Broken("protocol", "no", "a header has characters that HTTP cannot carry")
    names = [name for name, _ in headers]
    if b"host" not in names:
        headers.insert(0, (b"host", way.authority))
    if b"accept-encoding" not in names:
        headers.append((b"accept-encoding", b"gzip"))
    target = target_of(outgoing, way)
    if way.forwarding is not None:
        headers += authorization(way.forwarding)
        target = f"http://{way.site.authority}{target}"
    method = outgoing.method.encode("ascii")
    try:
        return Opening(way, method, written(method, target.encode("ascii"), headers))
    except Stop as stop:
        problem = stop.detail
    return Broken("protocol", "no", problem)


def target_of(outgoing: Outgoing, way: Way) -> str:
    """Path and query."""
    _, mark, query = outgoing.url.partition("#")[0].partition("?")
    return f"{way.path}?{plain(query)}" if mark else way.path


def url_of(outgoing: Outgoing, way: Way) -> str:
    """The URL, written anew from what was checked, so that another parser finds no other host in it."""
    return f"{way.site.scheme}://{way.site.authority}{target_of(outgoing, way)}"


def encoded(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]] | None:
    """Headers as bytes, names in lower case, framing headers left out. None when that cannot be done."""
    try:
        return [
            (name.encode("ascii"), value.encode("latin-1"))
            for mixed, value in pairs
            if (name := mixed.lower()) not in _FRAMING
        ]
    except UnicodeEncodeError:
        return None


def authorization(proxy: Proxy) -> list[tuple[bytes, bytes]]:
    """What a proxy with a user name and password wants to see."""
    if proxy.credentials is None:
        return []
    return [(b"proxy-authorization", b"Basic " + b64encode(proxy.credentials.encode()))]


def tunnel_request(proxy: Proxy, site: Site) -> Asked:
    """The CONNECT that asks a proxy for a tunnel to `site`."""
    host = f"[{site.name}]" if ":" in site.name else site.name
    target = f"{host}:{site.port}".encode("ascii")
    return Asked(b"CONNECT", written(b"CONNECT", target, [(b"host", target), *authorization(proxy)]) + b"\r\n", b"")


def refused_by_proxy(status: int) -> str:
    """What a proxy's answer means, in words."""
    if status == 407:
        return "the proxy wants a user name and password (407)"
    return f"the proxy answered {status}"


def head_of(status: int, raw: Sequence[tuple[bytes, bytes]], limit: int | None) -> Head | Broken:
    """Status and headers; a name that comes twice is joined with a comma. `limit` is None where nothing can be over."""
    if status == 101:
        return Broken("protocol", "yes", UPGRADE)
    if limit is not None and sum([len(name) + len(value) + 4 for name, value in raw]) > limit:
        return Broken("too_large", "yes", TOO_LARGE)
    known = _NAMES
    headers = {known.get(name) or _name(name): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        headers.clear()
        for mixed, value in raw:
            name, text = _name(mixed), value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return Head(status, headers)


_NAMES: dict[bytes, str] = {}
"""Names of headers as they came, and in lower case: servers use few."""


def _name(raw: bytes) -> str:
    if len(_NAMES) >= 1024:
        _NAMES.clear()
    name = _NAMES[raw] = raw.decode("latin-1").lower()
    return name


def answer_of(answer: tuple[int, Headers], progress: Progress, way: Way) -> Head | Broken:
    """The head of an answer, unless it is one that is no answer."""
    progress.in_head = False
    status, headers = answer
    if status == 407 and way.forwarding is not None:
        return Broken("proxy", "no", refused_by_proxy(407))
    limit = progress.limits.headers
    return head_of(status, headers, limit if 2 * progress.heard > limit else None)


def body_of(head: Head, limits: Limits) -> Body | Broken | None:
    """What undoes the encoding of a body; None where there is none to undo."""
    encoding = head.headers.get("content-encoding")
    if not encoding:
        return None
    body = Body(encoding, limits)
    return body.unknown or body


def was_stale(outcome: object, progress: Progress) -> bool:
    """True when a reused connection turned out to be closed: then, and only then, is a new one tried."""
    if not isinstance(outcome, Broken) or outcome.kind not in ("closed", "reset"):
        return False
    return not progress.heard and monotonic() - progress.started < _STALE_WITHIN
