"""Where a request may go: declared hosts only, and never to an address that hands out a machine's credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from byollm.transports.base import Broken

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?")
_PRINTABLE = re.compile(r"[!-~]*")
_RESERVED = "%/:=&?~+!$,;'@()*[]"
_PORTS = {"http": 80, "https": 443}

METADATA = frozenset({
    "100.100.100.200",  # Alibaba Cloud
    "168.63.129.16",  # Azure's WireServer
    "192.0.0.192",  # Oracle Cloud
    "fd00:ec2::254",  # Amazon EC2
    "fd20:ce::254",  # Google Cloud
})  # fmt: skip
"""Instance metadata services outside the link-local ranges (169.254.0.0/16 and fe80::/10, refused as a whole)."""


@dataclass(frozen=True, slots=True)
class Site:
    """A host to connect to. `name` has no brackets and no final dot; `authority` is as it stands in a Host header."""

    scheme: str
    name: str
    port: int

    @property
    def authority(self) -> str:
        """`name`, or `name:port` when the port is not the scheme's own."""
        host = f"[{self.name}]" if ":" in self.name else self.name
        return host if _PORTS[self.scheme] == self.port else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An http(s) proxy. `credentials` is what Basic authentication encodes; it does not show itself."""

    site: Site
    credentials: str | None

    def __repr__(self) -> str:
        return f"Proxy({self.site.authority})"


def _site(scheme: str, host: str | None, port: int | None) -> Site | None:
    name = (host or "").lower().removesuffix(".")
    if scheme not in _PORTS or not (_NAME.fullmatch(name) or (":" in name and _is_address(name))):
        return None
    return Site(scheme, name, port or _PORTS[scheme])


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _split(url: str) -> tuple[Site, str] | None:
    # Parsed once, here: what is checked is what is connected to, and no second parser may see another host in it.
    try:
        parts = urlsplit(url)
        site = _site(parts.scheme, parts.hostname, parts.port)
    except ValueError:
        return None
    if site is None or "@" in parts.netloc:
        return None
    return site, plain(parts.path or "/")


def plain(text: str) -> str:
    """The same text in characters that may stand in a request line."""
    return text if _PRINTABLE.fullmatch(text) else quote(text, safe=_RESERVED)


@lru_cache(maxsize=64)
def _named(hosts: frozenset[str]) -> frozenset[str]:
    plain = (host.lower().removesuffix(".") for host in hosts)
    return frozenset(host[1:-1] if host.startswith("[") and host.endswith("]") else host for host in plain)


def destination(base: str, hosts: frozenset[str]) -> tuple[Site, str] | Broken:
    """The site and the path of a URL (without its query) that a request may go to, else `Broken("refused")`.

    A declared host without a port stands for all its ports. A name and password in the URL are refused: they have no
    business there, and hide the true host from a reader.
    """
    split = _split(base)
    if split is None:
        return Broken("refused", "no", "not a plain http(s) URL")
    site, _ = split
    names = _named(hosts)
    if site.name not in names and site.authority not in names and f"{site.name}:{site.port}" not in names:
        return Broken("refused", "no", f"{site.name} is not among the declared hosts")
    return split


@lru_cache(maxsize=16)
def proxy_of(url: str) -> Proxy | Broken:
    """The proxy a URL names, else `Broken("proxy")`."""
    try:
        parts = urlsplit(url)
        site = _site(parts.scheme, parts.hostname, parts.port)
    except ValueError:
        site = None
    if site is None:
        return Broken("proxy", "no", "the proxy is not an http:// or https:// URL")
    if parts.username is None:
        return Proxy(site, None)
    return Proxy(site, f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def _embedded(address: IPv6Address) -> IPv4Address | None:
    from ipaddress import IPv4Address, IPv6Network

    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    # ::a.b.c.d (RFC 4291) and 64:ff9b::a.b.c.d (NAT64, RFC 6052) carry an IPv4 address in their last four bytes.
    nat64 = address in IPv6Network("64:ff9b::/96")
    if nat64 or (address in IPv6Network("::/96") and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def is_forbidden(text: str) -> bool:
    """True for an address byollm never talks to: metadata services, link-local, unspecified, broadcast, multicast.

    Loopback and private addresses are fine: models run there. IPv4 inside IPv6 is looked at too.
    """
    from ipaddress import IPv6Address, ip_address

    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None and is_forbidden(str(inner)):
            return True
    unusable = address.is_link_local or address.is_unspecified or address.is_multicast
    return unusable or str(address) in METADATA or str(address) == "255.255.255.255"
