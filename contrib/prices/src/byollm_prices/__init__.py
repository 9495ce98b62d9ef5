"""What an answer cost, by dated price data of many providers that comes with the package.

Installed beside byollm it fills `reply.cost` wherever the configuration has no `pricing:` of its own. By itself:

    from byollm_prices import Conditions, shipped
    shipped("openai").row("gpt-6.1-sol", Conditions(at=instant)).rates.input
"""

from byollm_prices.billed import Billed, billed, served
from byollm_prices.errors import CurrencyError, HoleError, OverlapError, PriceFileError, UsageError
from byollm_prices.hours import Hours
from byollm_prices.money import EXACT, Money
from byollm_prices.rows import Rates, Row
from byollm_prices.source import PriceBook, index, money, shipped
from byollm_prices.table import Conditions, Table, read_table

prices = PriceBook()
"""The entry point of the group `byollm.prices`."""

__all__ = [
    "EXACT",
    "Billed",
    "Conditions",
    "CurrencyError",
    "HoleError",
    "Hours",
    "Money",
    "OverlapError",
    "PriceBook",
    "PriceFileError",
    "Rates",
    "Row",
    "Table",
    "UsageError",
    "billed",
    "index",
    "money",
    "prices",
    "read_table",
    "served",
    "shipped",
]
