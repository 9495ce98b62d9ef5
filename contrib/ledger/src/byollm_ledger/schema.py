"""The tables, in words that SQLite and PostgreSQL both understand."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

VERSION: Final = "1"
KIND: Final = ("tenant", "task", "deployment", "provider", "model", "host", "stream", "data_class", "key_owner")
FACTS: Final = (
    "at", "number", "sent", "billed", "status", "error", "input_tokens", "output_tokens", "cached_tokens",
    "cache_write_tokens", "reasoning_tokens", "cost", "currency", "source", "possible", "micros", "first_micros",
    "request_id", "labels", "problem",
)  # fmt: skip
"""What an attempt has beside its kind and its name, in the order of a journal's line. Amounts are picos."""
COLUMNS: Final = ("call", "ordinal", "kind", *FACTS)
STEPS: Final = (10, 25, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200)
"""Milliseconds: the upper ends of the classes of latency; the last class has none."""
UNITS: Final = (
    "attempts", "calls", "answered", "failed", "retries", "failovers", "unsure", "unpriced", "unbounded",
    "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
)  # fmt: skip
MEASURES: Final = (
    *UNITS, "cost_whole", "cost_pico", "possible_whole", "possible_pico", "micros", "timed", "first_micros",
    "first_timed", *(f"class_{number}" for number in range(len(STEPS) + 1)),
)  # fmt: skip
"""What a rollup counts. `unsure`: not certain what they cost; `unpriced`: of those, billed at an unknown amount;
`unbounded`: of those, nobody knows even the most they can have cost. `possible`: the most the others can have."""

_TEXT: Final = {"tenant", "task", "deployment", "provider", "model", "host", "data_class", "key_owner"}


def tables(*, serial: str) -> tuple[str, ...]:
    """The statements that make them. `serial`: how a column of growing numbers is called here."""
    kinds = ", ".join(f"{name} {'TEXT' if name in _TEXT else 'INTEGER'}" for name in KIND)
    measures = ", ".join(f"{name} BIGINT NOT NULL" for name in MEASURES)
    return (
        "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        f"CREATE TABLE IF NOT EXISTS kind (id {serial}, key TEXT NOT NULL UNIQUE, {kinds})",
        f"""CREATE TABLE IF NOT EXISTS attempt (id {serial}, call TEXT NOT NULL, ordinal INTEGER NOT NULL,
            kind INTEGER NOT NULL, at DOUBLE PRECISION NOT NULL, number INTEGER, sent TEXT, billed TEXT NOT NULL,
            status INTEGER, error TEXT, input_tokens BIGINT, output_tokens BIGINT, cached_tokens BIGINT,
            cache_write_tokens BIGINT, reasoning_tokens BIGINT, cost BIGINT, currency TEXT, source TEXT,
            possible BIGINT, micros BIGINT, first_micros BIGINT, request_id TEXT, labels TEXT, problem TEXT,
            settled TEXT)""",
        "CREATE INDEX IF NOT EXISTS attempt_at ON attempt (at)",
        "CREATE INDEX IF NOT EXISTS attempt_unsure ON attempt (call, ordinal) WHERE billed = 'unknown'",
        f"""CREATE TABLE IF NOT EXISTS rollup (hour INTEGER NOT NULL, kind INTEGER NOT NULL, currency TEXT NOT NULL,
            {measures}, PRIMARY KEY (hour, kind, currency))""",
        f"""CREATE TABLE IF NOT EXISTS rollup_day (day INTEGER NOT NULL, kind INTEGER NOT NULL, currency TEXT NOT NULL,
            {measures}, PRIMARY KEY (day, kind, currency))""",
        "CREATE INDEX IF NOT EXISTS rollup_day_of ON rollup_day (kind, currency, day)",
        """CREATE TABLE IF NOT EXISTS intent (call TEXT NOT NULL, ordinal INTEGER NOT NULL, process TEXT NOT NULL,
            kind INTEGER NOT NULL, at DOUBLE PRECISION NOT NULL, possible BIGINT, currency TEXT, labels TEXT,
            PRIMARY KEY (call, ordinal))""",
        "CREATE TABLE IF NOT EXISTS journal (name TEXT PRIMARY KEY, folded BIGINT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS notice (name TEXT PRIMARY KEY, count BIGINT NOT NULL, last TEXT NOT NULL)",
        """CREATE TABLE IF NOT EXISTS budget (name TEXT NOT NULL, scope TEXT NOT NULL, period TEXT NOT NULL,
            currency TEXT NOT NULL, spent BIGINT NOT NULL, warned INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (name, scope, period, currency))""",
        """CREATE TABLE IF NOT EXISTS reservation (call TEXT NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL,
            period TEXT NOT NULL, currency TEXT NOT NULL, amount BIGINT NOT NULL, process TEXT NOT NULL,
            PRIMARY KEY (call, name, scope))""",
        "CREATE INDEX IF NOT EXISTS reservation_of ON reservation (name, scope, period, currency)",
    )


def scan(where: str, hour: str) -> str:
    """The measures of every hour, kind and currency out of the attempts themselves. `hour`: of `at`, as a number."""
    unsure = "(billed = 'unknown' OR (billed = 'yes' AND cost IS NULL))"
    known = "(billed = 'yes' AND cost IS NOT NULL)"
    pico = 10**12

    def count(condition: str) -> str:
        return f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"

    edges = [None, *(step * 1000 for step in STEPS), None]
    classes = [
        count(" AND ".join([f"micros >= {low}"] * (low is not None) + [f"micros < {high}"] * (high is not None)))
        for low, high in pairwise(edges)
    ]
    parts = [
        "COUNT(*)", count("ordinal = 0"), count("error IS NULL"), count("error IS NOT NULL"), count("number > 1"),
        count("ordinal > 0 AND number = 1"), count(unsure), count("billed = 'yes' AND cost IS NULL"),
        count(f"{unsure} AND possible IS NULL"),
        *(f"SUM(COALESCE({name}, 0))" for name in UNITS[-5:]),
        f"SUM(CASE WHEN {known} THEN cost / {pico} ELSE 0 END)",
        f"SUM(CASE WHEN {known} THEN cost % {pico} ELSE 0 END)",
        f"SUM(CASE WHEN {unsure} THEN COALESCE(possible, 0) / {pico} ELSE 0 END)",
        f"SUM(CASE WHEN {unsure} THEN COALESCE(possible, 0) % {pico} ELSE 0 END)",
        "SUM(COALESCE(micros, 0))", count("micros IS NOT NULL"), "SUM(COALESCE(first_micros, 0))",
        count("first_micros IS NOT NULL"), *classes,
    ]  # fmt: skip
    named = ", ".join(f"{part} AS {name}" for part, name in zip(parts, MEASURES, strict=True))
    cell = f"{hour} AS hour, kind, COALESCE(currency, '') AS currency"
    return f"SELECT {cell}, {named} FROM attempt {where} GROUP BY 1, 2, 3"
