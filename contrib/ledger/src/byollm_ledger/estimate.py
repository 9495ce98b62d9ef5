"""The most that an attempt can cost: an upper bound of its tokens at the dearest price of its line."""

from __future__ import annotations

from decimal import ROUND_CEILING
from typing import TYPE_CHECKING, Any, Final

from byollm.plugin import Usage, most_tokens
from byollm_ledger.row import LARGEST, PICO

if TYPE_CHECKING:
    from byollm.plugin import Request

ASSUMED_OUTPUT: Final = 4096
"""Tokens that an answer may have where neither the caller, the plugin nor the model sets a limit."""
KEPT: Final = 60.0
"""Seconds that a price, or the lack of one, is believed."""
_MOST_LINES: Final = 1024


class Bounds:
    """Remembers the dearest price a token of each line, by powers of two of the prompt's size."""

    __slots__ = ("_assumed", "_rates")

    def __init__(self, assumed_output: int = ASSUMED_OUTPUT) -> None:
        self._assumed = assumed_output
        self._rates: dict[tuple[int, int], tuple[float, Any, tuple[int, int, str] | None]] = {}

    def most(self, line: Any, request: Request, now: float) -> tuple[int, str] | None:
        """Picos and currency; None when nobody knows the price. `line` is one of `call.candidates`."""
        size = most_tokens(request)
        rate = self.rate(line, size, now)
        if rate is None:
            return None
        amount = size * rate[0] + self.output(line, request) * rate[1]
        return (amount, rate[2]) if amount <= LARGEST else None

    def output(self, line: Any, request: Request) -> int:
        """Tokens the answer may have: the caller's limit, else the plugin's own, the model's, or what is assumed."""
        known = line.deployment.capabilities
        found: int = request.max_tokens or known.default_max_tokens or known.max_output_tokens or self._assumed
        return found

    def rate(self, line: Any, size: int, now: float) -> tuple[int, int, str] | None:
        """Picos for a token in and for a token out, rounded up, and the currency."""
        key = (id(line), size.bit_length())
        kept = self._rates.get(key)
        if kept is not None and kept[1] is line and now <= kept[0] <= now + KEPT:
            return kept[2]
        if len(self._rates) >= _MOST_LINES:
            self._rates.clear()
        found = _dearest(line, 1 << key[1], now)
        self._rates[key] = (now + KEPT, line, found)
        return found


def _dearest(line: Any, tokens: int, now: float) -> tuple[int, int, str] | None:
    """Writing a cache may cost more than reading nothing from it."""
    plain = line.price_of(Usage(input_tokens=tokens, output_tokens=0), now)
    both = line.price_of(Usage(input_tokens=tokens, output_tokens=tokens), now)
    if plain is None or both is None or plain.currency != both.currency:
        return None
    written = line.price_of(Usage(input_tokens=tokens, output_tokens=0, cache_write_tokens=tokens), now)
    dearest = plain.amount if written is None else max(plain.amount, written.amount)
    return _ceiling(dearest, tokens), _ceiling(both.amount - plain.amount, tokens), plain.currency


def _ceiling(amount: Any, tokens: int) -> int:
    return -(-int((amount * PICO).to_integral_value(ROUND_CEILING)) // tokens)
