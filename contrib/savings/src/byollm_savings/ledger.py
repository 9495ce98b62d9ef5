"""What byollm-ledger recorded, attempt by attempt. The ledger is an extra: `pip install 'byollm-savings[ledger]'`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from byollm.cli.faults import Failed
from byollm_prices import Billed, UsageError
from byollm_savings.errors import RecordError
from byollm_savings.recorded import Used


def used(path: str) -> Iterator[Used]:
    """Every attempt that was or may have been billed. Raises like `rows`, and RecordError for an impossible record."""
    return (_used(row) for row in rows(path) if row.billed != "no")


def rows(path: str) -> Iterator[Any]:
    """Every row of a ledger: `byollm_ledger.Row`.

    Raises Failed when there is no ledger or byollm-ledger is not installed, and whatever it raises for a damaged one.
    """
    elsewhere = "://" in path or path.startswith("env:")
    if not elsewhere and not Path(path).exists():
        raise Failed(f"there is no {path}", "--ledger names the file that byollm-ledger writes")
    found: Iterator[Any] = _read()(path)
    return found


def _read() -> Any:
    try:
        return import_module("byollm_ledger").read
    except ModuleNotFoundError:
        pass
    raise Failed("--ledger needs byollm-ledger, which is not installed", "pip install byollm-ledger")


def _used(row: Any) -> Used:
    told = row.input_tokens is not None and row.output_tokens is not None
    counts, problem = None, ""
    if told:
        try:
            counts = Billed(
                row.input_tokens, row.output_tokens, row.cached_tokens or 0, row.cache_write_tokens or 0,
                reasoning=min(row.reasoning_tokens or 0, row.output_tokens),
            )  # fmt: skip
        except UsageError as error:
            problem = str(error)
    if problem:
        raise RecordError(f"call {row.call}: {problem}")
    at = datetime.fromtimestamp(row.at, UTC)
    return Used(at, f"{row.provider}/{row.model}", counts, paid=row.cost, currency=row.currency)
