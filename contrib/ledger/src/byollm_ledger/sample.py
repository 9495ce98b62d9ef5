"""A month of invented use: for the tests of the page, and for whoever wants to see one."""

from __future__ import annotations

import random
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from byollm.cli.show import plain
from byollm_ledger.accounts import Account, balance, reserve
from byollm_ledger.address import open_store
from byollm_ledger.cells import zone_of
from byollm_ledger.fold import Fold, notice, write
from byollm_ledger.limits import Limit
from byollm_ledger.report import report
from byollm_ledger.row import PROCESS_ENDED, Kind
from byollm_ledger.schema import COLUMNS
from byollm_ledger.store import Store

NOW: Final = 1_795_305_600.0
"""2026-11-22, midnight UTC."""
_MODELS: Final = (
    ("rule_extraction", "anthropic", "claude-opus-5", "api.anthropic.com", 5.0, 25.0, "USD"),
    ("rule_extraction", "bedrock", "claude-opus-5", "bedrock-runtime.eu-central-1.amazonaws.com", 5.5, 27.5, "USD"),
    ("pii_detection", "openai", "gpt-5.4-mini", "api.openai.com", 0.25, 2.0, "USD"),
    ("document_classification", "mistral", "mistral-medium-3", "api.mistral.ai", 0.4, 2.0, "EUR"),
    (None, "llamacpp", "a-model-of-our-own-with-a-rather-long-name", None, None, None, None),
)


def sample_rows(store: Store, count: int, seed: int = 7, days: int = 40, now: float = NOW) -> list[tuple[Any, ...]]:
    """Attempts as the database takes them, and their kinds made. Inside a transaction."""
    chance = random.Random(seed)
    fold = Fold(store, "sample")
    kinds = [
        (fold.kind(Kind(tenant, task, f"{provider}-{model}", provider, model, host, stream, None, owner)), price)
        for tenant, owner in (("acme", "tenant"), ("globex", "tenant"), (None, "own"))
        for stream in (False, True)
        for task, provider, model, host, *price in _MODELS
    ]
    return [
        _row(chance, number, *chance.choice(kinds), now - chance.random() ** 1.4 * days * 86_400)
        for number in range(count)
    ]


def _row(chance: random.Random, number: int, kind: int, price: list[Any], at: float) -> tuple[Any, ...]:
    went_in, came_out = chance.randint(200, 6000), chance.randint(20, 900)
    failed = chance.random() < 0.03
    known: dict[str, Any] = {
        "call": f"{number:016x}", "ordinal": 1 if chance.random() < 0.02 else 0, "kind": kind, "at": at, "number": 1,
        "sent": "yes", "billed": "yes", "status": 200, "micros": chance.randint(200_000, 4_000_000),
        "currency": price[2],
        "request_id": f"req_{number:x}",
    }  # fmt: skip
    if failed:
        ended = chance.random() < 0.4
        known |= {
            "billed": "unknown" if ended else "no",
            "error": PROCESS_ENDED if ended else "OverloadedError",
            "status": 529,
        }
        known["possible"] = None if price[0] is None else int(went_in * price[0] * 10**6 + 4096 * price[1] * 10**6)
    else:
        known |= {"input_tokens": went_in, "output_tokens": came_out, "cached_tokens": went_in // 3, "source": "sample"}
        known["cost"] = None if price[0] is None else int(went_in * price[0] * 10**6 + came_out * price[1] * 10**6)
    return tuple(known.get(name) for name in COLUMNS)


def sample_report(count: int = 4000) -> dict[str, Any]:
    """A report over invented rows, as JSON data: `page(sample_report())` is a whole page."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "sample.db"))
        try:
            with store.transaction():
                write(store, sample_rows(store, count))
                notice(store, "torn lines", 1, "in an invented journal")
                for name in ("acme", "globex"):
                    account = Account(
                        Limit(name="each tenant", amount=Decimal(50)),
                        f'{{"tenant":"{name}"}}',
                        "2026-11",
                        NOW - 21 * 86_400,
                    )
                    balance(store, account)
                    reserve(store, f"call of {name}", "sample", [(account, 12_300_000_000)])
            found: dict[str, Any] = plain(report(store, zone=zone_of("UTC"), now=NOW))
        finally:
            store.close()
    return found
