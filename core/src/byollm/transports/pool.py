"""Idle connections: the one used last is taken first, so that the others may grow old and go."""

from __future__ import annotations

import os
from collections.abc import Hashable
from threading import Lock
from time import monotonic
from typing import Generic, Protocol, TypeVar

KEEP = 50.0
"""Seconds that an idle connection is kept: below the 60 after which the usual load balancers drop it."""

MOST = 64
"""Idle connections kept for one key."""

_SWEEP = 10.0


class Pooled(Protocol):
    """What can wait in a pool."""

    def is_stale(self) -> bool:
        """True when it cannot serve again."""
        ...

    def discard(self) -> None:
        """Let go of it. Never raises, and works from any thread, with or without an event loop."""
        ...


Item = TypeVar("Item", bound=Pooled)


_forks = 0
"""How many forks lie between the first process and this one."""


def _forked() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class _Shelf(Generic[Item]):
    """The idle items of one process. A fork leaves it, its lock included, to the parent."""

    def __init__(self) -> None:
        self.forks = _forks
        self.lock = Lock()
        self.idle: dict[Hashable, list[tuple[float, Item]]] = {}
        self.swept = monotonic()


class Pool(Generic[Item]):
    """Idle items by key. Safe in threads; after a fork the child starts with none."""

    def __init__(self, keep: float = KEEP, most: int = MOST) -> None:
        self._keep = keep
        self._most = most
        self._shelf: _Shelf[Item] = _Shelf()

    def _own(self) -> _Shelf[Item]:
        shelf = self._shelf
        if shelf.forks != _forks:
            # Dropping the parent's items here closes the child's copies of their sockets and sends nothing.
            shelf = self._shelf = _Shelf()
        return shelf

    def take(self, key: Hashable) -> Item | None:
        """The item of this key that was used last, if it is fit; what is not is discarded on the way."""
        shelf = self._shelf
        if shelf.forks != _forks:
            shelf = self._own()
        while True:
            with shelf.lock:
                items = shelf.idle.get(key)
                if not items:
                    return None
                until, item = items.pop()
            if monotonic() < until and not item.is_stale():
                return item
            item.discard()

    def give(self, key: Hashable, item: Item) -> None:
        """Keep an item for the next call. The oldest of too many go, and all that have waited too long."""
        shelf, now = self._shelf, monotonic()
        if shelf.forks != _forks:
            shelf = self._own()
        gone: list[tuple[float, Item]] = []
        with shelf.lock:
            items = shelf.idle.get(key)
            if items is None:
                items = shelf.idle[key] = []
            items.append((now + self._keep, item))
            if len(items) > self._most:
                gone.append(items.pop(0))
            if items[0][0] <= now or now - shelf.swept > _SWEEP:
                gone += self._sweep(shelf, now)
        for _, old in gone:
            old.discard()

    def _sweep(self, shelf: _Shelf[Item], now: float) -> list[tuple[float, Item]]:
        shelf.swept = now
        gone = []
        for key, items in list(shelf.idle.items()):
            old = [entry for entry in items if entry[0] <= now]
            del items[: len(old)]  # in order of age
            gone += old
            if not items:
                del shelf.idle[key]
        return gone

    def clear(self) -> None:
        """Discard everything."""
        shelf = self._own()
        with shelf.lock:
            entries = [entry for items in shelf.idle.values() for entry in items]
            shelf.idle.clear()
        for _, item in entries:
            item.discard()

    def __len__(self) -> int:
        shelf = self._own()
        with shelf.lock:
            return sum(len(items) for items in shelf.idle.values())
