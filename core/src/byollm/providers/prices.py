"""Plugins that know prices: found at the first answer that has none in the file, each one isolated from the rest.

A plugin that cannot be loaded, or that breaks when it is asked, costs nobody an answer: the price is unknown, and the
log says why, once. `byollm doctor` says it too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.metadata import EntryPoint
from typing import Any, Final

from byollm.errors import ByollmError, PluginError
from byollm.providers.discovery import load, permit, pick
from byollm.providers.pricing import Cost, PriceSource, Sale
from byollm.types.forks import forkable

GROUP: Final = "byollm.prices"
log = logging.getLogger("byollm")
_lock = forkable(threading.Lock())
_known: dict[tuple[tuple[str, ...] | None, str | None], Prices] = {}


@dataclass(slots=True, eq=False)
class Prices:
    """All that the installed plugins know. The first that knows a price, in the order of their names, is believed.

    `allowed` and `lock` are what the file's `plugins:` says. `problems` are plugins that do not work, by name.
    """

    allowed: tuple[str, ...] | None = None
    lock: str | None = None
    problems: dict[str, ByollmError] = field(default_factory=dict, init=False)
    _sources: dict[str, PriceSource] | None = field(default=None, init=False, repr=False)

    @property
    def sources(self) -> dict[str, PriceSource]:
        """The plugins that could be loaded, by name; looked for once."""
        if self._sources is None:
            with _lock:
                if self._sources is None:
                    self._sources = self._found()
        return self._sources

    def cost(self, sale: Sale) -> Cost | None:
        """What a sale cost, as the first plugin that knows says; None when none does."""
        for name, source in self.sources.items():
            try:
                cost = source.cost(sale)
                if cost is None:
                    continue
                whole = isinstance(cost, Cost) and isinstance(cost.amount, Decimal)
                if whole and cost.amount.is_finite() and cost.amount >= 0:
                    return cost
                told = f"an amount of {cost.amount}" if whole else type(cost).__name__
                problem: ByollmError = PluginError(f"it answered {told}, not a Cost with a Decimal of at least 0")
            except Exception as error:
                problem = _told(error)
            self._broken(name, problem)
        return None

    def _found(self) -> dict[str, PriceSource]:
        from byollm.providers.discovery import listed

        found: dict[str, Any] = {}
        for name in dict.fromkeys(item.name for item in listed(GROUP)):
            try:
                point = pick(GROUP, name)
                if point is None or not self._permitted(name, point):
                    continue
                source = load(GROUP, point)
                if not callable(getattr(source, "cost", None)):
                    raise PluginError(f"{name} has no `cost`: it knows no prices")
            except ByollmError as error:
                self._broken(name, error)
            else:
                found[name] = source
        return found

    def _permitted(self, name: str, point: EntryPoint) -> bool:
        try:
            permit(point, self.allowed, self.lock)
        except ByollmError as error:
            self.problems[name] = error  # as the file wishes: nothing to warn of
            return False
        return True

    def _broken(self, name: str, problem: ByollmError) -> None:
        if name not in self.problems:
            self.problems[name] = problem
            log.warning("prices of %s are not used, costs may be unknown: %s", name, problem.message)


def prices_for(allowed: Sequence[str] | None = None, lock: str | None = None) -> Prices:
    """The prices of this process under a file's `plugins:`. Nothing is looked for before the first cost."""
    key = (None if allowed is None else tuple(allowed), lock)
    with _lock:
        return _known.setdefault(key, Prices(*key))


def _told(error: Exception) -> ByollmError:
    return error if isinstance(error, ByollmError) else PluginError(f"{type(error).__name__}: {error}")
