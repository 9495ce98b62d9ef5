"""Money: an exact amount and its currency. Two currencies never meet without a rate that somebody stated."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from typing import Final

from byollm_prices.errors import CurrencyError

EXACT: Final = Context(prec=120, traps=[Inexact])
"""Sums and products of prices and counts have few digits; anything that would be rounded is an error instead."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and the ISO 4217 code of its currency."""

    amount: Decimal
    currency: str = "USD"

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise CurrencyError(f"an amount is a finite Decimal, not {self.amount!r}")
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise CurrencyError(f"a currency is a code of three capital letters, not {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        """The sum. Raises CurrencyError when the currencies differ."""
        if other.currency != self.currency:
            raise CurrencyError(f"{self} and {other} have no sum: convert one of them with a rate first")
        with localcontext(EXACT):
            return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def converted(self, currency: str, rate: Decimal | None = None) -> Money:
        """In another currency, at `rate` units of it for one of this. Raises CurrencyError without a positive rate."""
        if currency == self.currency:
            return self
        if rate is None or not rate.is_finite() or rate <= 0:
            raise CurrencyError(f"{self} in {currency} needs a rate above 0: this package holds none")
        with localcontext(EXACT):
            return Money(self.amount * rate, currency)
