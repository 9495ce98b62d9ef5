"""What has to be begun anew in a child process."""

from __future__ import annotations

import os
import weakref
from typing import Any, Protocol


class Forks(Protocol):
    """Something that a child must not use as it is."""

    def after_fork(self) -> None:
        """In the child, before anything else runs there."""
        ...


_known: weakref.WeakSet[Any] = weakref.WeakSet()
_left_alone: list[Any] = []


def watch(thing: Forks) -> None:
    """From now on `thing` is told in every child."""
    _known.add(thing)


def leave_alone(thing: Any) -> None:
    """Never to be closed here: closing a database's connection in a child tidies up what the parent still uses."""
    _left_alone.append(thing)


def _children() -> None:
    for thing in list(_known):
        thing.after_fork()


os.register_at_fork(after_in_child=_children)
