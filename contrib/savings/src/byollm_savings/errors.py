"""What can be wrong with money questions.

ConfigError               (byollm) a workload or mapping file that says something else than it may
ByollmError
├── UnknownPriceError     nobody knows what this model costs under these conditions on that day
├── ExportError           a line of an exported usage that cannot be what it says it is
└── RecordError           a record of the ledger that cannot be: a negative count, a part larger than its whole
"""

from __future__ import annotations

from byollm.errors import ByollmError


class UnknownPriceError(ByollmError):
    """A price that nobody knows. It is never taken for zero, and never for that of a similar name."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message, hint="write `pricing: {input: 2.00, output: 10.00}` beside the model, or --prices FILE"
        )


class ExportError(ByollmError):
    """An exported usage that cannot be read, or whose counts no vendor can have billed."""

    def __init__(self, message: str, hint: str = "") -> None:
        usual = "`--columns mine.yaml` says which column holds what; spec/guides/savings.md has an example"
        super().__init__(message, hint=hint or usual)


class RecordError(ByollmError):
    """A record of the ledger with counts that no request can have."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="`byollm usage` shows what the ledger holds; another program wrote this record")
