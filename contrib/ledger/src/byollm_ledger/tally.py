"""What this process told, and how much of that stands in the database: sums of certain costs, in picos."""

from __future__ import annotations

import threading
from collections.abc import Mapping

Whose = tuple[str, str | None, str]
"""Deployment, tenant, currency."""


class Tally:
    """Both sums grow only, so that whoever read the database at one moment knows what came since. Safe in threads."""

    __slots__ = ("_lock", "_told", "folded")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Whose, int] = {}
        self.folded: dict[Whose, int] = {}
        """Only whoever folds changes it."""

    def tell(self, whose: Whose, picos: int) -> None:
        """Before the journal has it: nothing may be folded that was not told."""
        with self._lock:
            self._told[whose] = self._told.get(whose, 0) + picos

    def told(self, whose: Whose) -> int:
        """All of it."""
        return self._told.get(whose, 0)

    def fold(self, costs: Mapping[Whose, int]) -> None:
        """They stand in the database."""
        for whose, picos in costs.items():
            self.folded[whose] = self.folded.get(whose, 0) + picos
