"""What the translator itself had to change, for the caller to read."""

from __future__ import annotations

from typing import Any, Literal

from byollm.plugin import Adjustment


class Notes(list[Adjustment]):
    """Adjustments in the order they were made, each said once."""

    def add(
        self,
        field: str,
        action: Literal["dropped", "clamped", "mapped", "emulated"],
        reason: str,
        before: Any = None,
        after: Any = None,
    ) -> None:
        """One more."""
        note = Adjustment(field, action, before, after, reason)
        if note not in self:
            self.append(note)
