"""A fork copies locks as they are: one that another thread holds at that moment stays taken in the child for ever.

What is registered here begins anew in the child, which has one thread and none of the parent's calls.
"""

from __future__ import annotations

import os
from typing import Any, Final, TypeVar
from weakref import WeakSet

T = TypeVar("T")
_registered: Final[WeakSet[Any]] = WeakSet()


def forkable(thing: T) -> T:
    """The same lock, or whatever else has the standard library's word for it, `_at_fork_reinit()`; held weakly."""
    _registered.add(thing)
    return thing


def _forked() -> None:
    for thing in list(_registered):
        thing._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
