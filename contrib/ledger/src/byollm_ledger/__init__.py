"""What byollm used and spent: a ledger that survives kill -9, budgets that hold, and reports.

In a file: `observers: [{name: ledger, path: usage.db}]`, `middleware: [{name: budgets, path: usage.db, limits: […]}]`.
From Python: `byollm_ledger.read("usage.db")` yields `Row` values.
"""

from byollm_ledger.budgets import Budgets
from byollm_ledger.errors import (
    BudgetExceededError,
    LedgerDamagedError,
    LedgerError,
    LedgerFullError,
    LedgerGoneError,
    LedgerLockedError,
    SettledError,
)
from byollm_ledger.limits import Limit
from byollm_ledger.observer import Ledger
from byollm_ledger.plan import Warned
from byollm_ledger.reading import read, settle, unsettled
from byollm_ledger.row import PROCESS_ENDED, Row

__all__ = [
    "PROCESS_ENDED",
    "BudgetExceededError",
    "Budgets",
    "Ledger",
    "LedgerDamagedError",
    "LedgerError",
    "LedgerFullError",
    "LedgerGoneError",
    "LedgerLockedError",
    "Limit",
    "Row",
    "SettledError",
    "Warned",
    "read",
    "settle",
    "unsettled",
]
