"""What real vendors' prices make of a call that can wait. Nothing is sent: `explain` asks nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import byollm
from byollm.testing import ManualClock

MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC).timestamp()
"""10 o'clock in Shanghai: DeepSeek's dear hours, until noon there."""


def told(provider: str, model: str, **words: float) -> str:
    config = {"provider": provider, "model": model, "api_key": "literal:sk-0123456789abcdef"}
    with byollm.Client(config, clock=ManualClock(MONDAY)) as client:
        (candidate,) = client.explain("hello " * 1000, max_tokens=500, **words)
    return candidate.reason


def test_deepseeks_hours_are_those_of_shanghai() -> None:
    """Noon there is 04:00 UTC."""
    assert told("deepseek", "deepseek-v4-pro", defer=6 * 3600.0).startswith(
        "begins 2026-11-23 04:00 UTC, in 2 h 00 min:"
    )
    assert "begins now" in told("deepseek", "deepseek-v4-pro", defer=3600.0)


def test_openais_flex_tier_is_sold_at_any_hour() -> None:
    """At half the price, which is what a batch would cost, too."""
    reason = told("openai", "gpt-5.4", defer=3600.0)

    assert reason.startswith("begins now, tier flex: about")
    assert "as a batch" not in reason


def test_anthropic_sells_batches_only() -> None:
    """Which are told, and taken by who allows them and has the time."""
    reason = told("anthropic", "claude-haiku-4-5", defer=86400.0)

    assert reason.startswith("begins now: about")
    assert "which `batch: true` allows" in reason
    assert told("anthropic", "claude-haiku-4-5", defer=86400.0, batch=True).startswith("begins now, in a batch: about")
    assert told("anthropic", "claude-haiku-4-5", defer=3600.0, batch=True).startswith("begins now: about")
