"""From a host name to addresses that may be talked to, without ever holding up the caller."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from byollm.transports.egress import is_forbidden
from byollm.transports.progress import Stop


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and port, as `socket.connect` takes it."""

    family: int
    where: tuple[str, int] | tuple[str, int, int, int]


def literal(name: str, port: int) -> list[Address]:
    """The address a name already is; nothing for a real name."""
    for family, where in ((socket.AF_INET, (name, port)), (socket.AF_INET6, (name, port, 0, 0))):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return [Address(family, where)]
    return []


def resolve(name: str, port: int, deliver: Callable[[list[Address]], None]) -> None:
    """Ask the system's resolver in a daemon thread; `deliver` is called there, with nothing when it found nothing.

    `getaddrinfo` can neither be bounded nor interrupted, so whoever waits for it waits for `deliver` and may give up.
    A thread of its own, as an event loop's executor would hold up the end of `asyncio.run` until the resolver is back.
    """

    def look_up() -> None:
        found: list[Address] = []
        try:
            for family, _, _, _, where in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM):
                if family in (socket.AF_INET, socket.AF_INET6):
                    found.append(Address(family, where))  # type: ignore[arg-type]  # typeshed allows for odd families
        except (OSError, UnicodeError):
            found = []
        deliver(found)

    threading.Thread(target=look_up, name="byollm-dns", daemon=True).start()


def checked(name: str, addresses: list[Address]) -> list[Address]:
    """The same addresses, IPv6 and IPv4 in turns (RFC 8305). Raises Stop when there is none, or one is forbidden.

    One forbidden address condemns them all: a name that resolves to a metadata service means no good.
    """
    if not addresses:
        raise Stop("dns", f"{name} has no address")
    if any(is_forbidden(address.where[0]) for address in addresses):
        raise Stop("refused", f"{name} resolves to an address that is never talked to")
    first = [address for address in addresses if address.family == addresses[0].family]
    second = [address for address in addresses if address.family != addresses[0].family]
    turns = [pair for both in zip(first, second, strict=False) for pair in both]
    return turns + first[len(second) :] + second[len(first) :]
