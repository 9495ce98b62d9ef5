"""How a provider's limit comes back, learnt from what its headers say: bit by bit, or all of it at once.

Headers tell a limit, what is left of it, and when it is reset; not for which time it is, and not what a reset is.
OpenAI and Anthropic fill a bucket: the reset is when all is back, and one more is there long before. Others begin a new
window: nothing comes before the reset. In a bucket that was used to a share, the reset divided by that share is always
the same, the time in which the whole comes back. In a window it is another figure at each answer.
"""

from __future__ import annotations

from typing import Final

APART: Final = 0.3
"""By how much two shares differ that are worth comparing: a crowd of answers at one instant proves nothing."""
ALIKE: Final = 0.2
"""By how much two figures of the same may differ: resets are rounded, some to whole seconds."""
USUAL: Final = 60.0
"""What is believed at the first answer, if its figures fit: a limit a minute that comes back bit by bit."""


class Refill:
    """What is known of one limit. Not safe in threads by itself."""

    __slots__ = ("_most", "_seen", "is_window", "whole")

    def __init__(self) -> None:
        self.whole: float | None = None
        """Seconds in which all of it comes back bit by bit; None where it comes at once, or nobody knows."""
        self.is_window = False
        """It was seen to come back at once."""
        self._seen: tuple[float, float] | None = None
        self._most = 0.0

    def pace(self, limit: float | None, remaining: float, reset: float) -> float:
        """Seconds for one more, as far as one answer's figures and those before it tell."""
        self._most = max(self._most, remaining)
        limit = limit if limit is not None and limit > 0 else self._most + 1
        used = limit - remaining
        if used > 0 and reset > 0:
            share = used / limit
            self._compare(share, reset / share)
        if self.whole is not None:
            return self.whole / limit
        spread = reset / (max(remaining, 0.0) + 1)  # the one that was answered is used
        return spread if self.is_window or used <= 0 else min(spread, reset / used)

    def _compare(self, share: float, whole: float) -> None:
        seen = self._seen
        if seen is None:
            fits = _alike(whole, USUAL)
            self.whole = whole if fits else None
        elif abs(share - seen[0]) >= APART:
            fits = _alike(whole, seen[1])
            self.whole, self.is_window = (whole, False) if fits else (None, True)
        else:
            if self.whole is not None and not _alike(whole, self.whole):
                self.whole = None
            return
        self._seen = (share, whole)


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= ALIKE * max(one, other)
