"""What a fault is: a patch on a plugin without one, and the check that is there to find it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

P = TypeVar("P", bound=type)


@dataclass(frozen=True, slots=True)
class Fault:
    """`killer` is the id of the check that must find it; `alone`: it is the only one that does, so that without it the
    fault must survive. `sentence` says what the plugin does wrong. `plugin` makes it.
    """

    name: str
    killer: str
    alone: bool
    sentence: str
    plugin: Callable[[], Any]


FAULTS: Final[dict[str, Fault]] = {}
"""All faults by name."""


def fault(killer: str, *, alone: bool = False) -> Callable[[P], P]:
    """Register a broken plugin under its class's name in snake case. Its docstring is the sentence."""

    def registered(plugin: P) -> P:
        name = re.sub("(?<!^)(?=[A-Z])", "_", plugin.__name__).lower()
        if name in FAULTS:
            raise ValueError(f"two faults are called {name}")
        FAULTS[name] = Fault(name, killer, alone, (plugin.__doc__ or "").strip().partition("\n")[0], plugin)
        return plugin

    return registered
