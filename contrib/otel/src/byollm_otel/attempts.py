"""What is told of an attempt, to spans and to metrics: names and numbers, no text of anybody, no key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from byollm.plugin import Call

MOST_NAMES: Final = 100
"""Different values of one label that comes from outside; all further ones are `other`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt goes: words of the configuration, and the server's address."""

    deployment: str
    provider: str
    model: str
    task: str
    address: str | None
    port: int | None


def place_of(call: Call, deployment: str, tasks: Names) -> Place:
    """The place of the attempt that begins now. Beside a deployment, a task may be any word: so it is bounded."""
    line = next((line for line in call.candidates if line.name == deployment), None)
    address, port = server_of(call.url) if call.url is not None else (None, None)
    provider, model = (line.provider, line.model) if line is not None else ("_OTHER", "_OTHER")
    return Place(deployment, provider, model, tasks.bounded(call.task or ""), address, port)


_servers: dict[str, tuple[str | None, int | None]] = {}


def server_of(url: str) -> tuple[str | None, int | None]:
    """Host and port of an address; kept, because there are few."""
    found = _servers.get(url)
    if found is None:
        if len(_servers) > 256:  # some addresses hold names that callers choose
            _servers.clear()
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        found = _servers[url] = (parts.hostname, port if parts.hostname else None)
    return found


class Names:
    """Lets the first MOST_NAMES different names through: answers name models, and an answer may name anything."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def bounded(self, name: str) -> str:
        """The name, or `other` when there were too many before it."""
        if name in self._known:
            return name
        if len(self._known) >= MOST_NAMES or len(name) > 200:
            return "other"
        self._known.add(name)
        return name
