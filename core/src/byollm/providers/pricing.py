"""What an answer costs: the arithmetic, and the shape of a price. Prices themselves come from the file or a plugin.

The order is the same everywhere: the file's `pricing`, then what `byollm.prices` plugins know, then unknown. An unknown
price is None and never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

from byollm.errors import ConfigError
from byollm.providers.target import Target
from byollm.types.usage import Usage

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What was bought: one answer. `answered` is the model's name in the answer, `at` Unix seconds."""

    target: Target
    usage: Usage
    at: float
    answered: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """An exact amount, the ISO code of its currency, and where the price comes from."""

    amount: Decimal
    currency: str = "USD"
    source: str = ""


class PriceSource(Protocol):
    """What an entry point of the group `byollm.prices` is: it knows what sales cost."""

    def cost(self, sale: Sale) -> Cost | None:
        """The cost of a sale; None when the price is not known: it is never guessed. Quick, and without any I/O but
        reading its own files."""
        ...


FIELDS: Final = frozenset({"input", "output", "cached", "cache_write", "currency"})
"""What `pricing:` may say."""


@dataclass(frozen=True, slots=True)
class Price:
    """Money per million tokens. `cached` and `cache_write` fall back to `input`. `currency` is an ISO code."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    currency: str = "USD"

    @classmethod
    def from_config(cls, value: Mapping[str, Any]) -> Price:
        """`pricing: {input: 2, output: 10}`. Raises ConfigError for anything that is not a price."""
        if not isinstance(value, Mapping):
            raise ConfigError(f"pricing must be a mapping, not {value!r}", hint="write pricing: {input: 2, output: 10}")
        unknown = sorted(map(str, value.keys() - FIELDS))
        if unknown or value.get("input") is None or value.get("output") is None:
            hint = "write pricing: {input: 2.00, output: 10.00, cached: 0.20}, per million tokens"
            raise ConfigError(
                f"pricing: {unknown[0]!r} is unknown" if unknown else "pricing wants input and output", hint=hint
            )
        amounts = {name: _amount(name, value[name]) for name in FIELDS - {"currency"} if value.get(name) is not None}
        return cls(**amounts, currency=str(value.get("currency", "USD")))

    def cost(self, usage: Usage) -> Decimal | None:
        """The cost of a usage; None when input or output is not known."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
        plain = max(0, usage.input_tokens - cached - written)
        read = self.cached if self.cached is not None else self.input
        write = self.cache_write if self.cache_write is not None else self.input
        return (plain * self.input + cached * read + written * write + usage.output_tokens * self.output) / MILLION


def _amount(name: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise ConfigError(f"pricing: {name} must be an amount of at least 0, not {value!r}")
    return amount
