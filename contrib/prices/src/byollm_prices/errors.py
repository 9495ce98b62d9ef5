"""What can be wrong with prices, and with what is to be priced.

PluginError            (byollm)
└── PriceFileError     a price file cannot be read, or says something impossible
    ├── HoleError      an instant, hour or prompt size between two rows that no row covers
    └── OverlapError   an instant, hour and prompt size that two rows claim
ValueError
├── UsageError         counts that no request can have: negative, or a part larger than its whole
└── CurrencyError      amounts of different currencies in one sum, or a conversion without a rate
"""

from __future__ import annotations

from byollm.plugin import PluginError


class PriceFileError(PluginError):
    """A price file that is not used: the message names the file, the model and the row."""


class HoleError(PriceFileError):
    """Between two rows of one model there is something that no row prices."""


class OverlapError(PriceFileError):
    """Two rows of one model price the same thing."""


class UsageError(ValueError):
    """Counts that no request can have."""


class CurrencyError(ValueError):
    """Amounts of different currencies were brought together without a rate."""
