"""`route:` with a policy: what it means, and what is said when it means nothing."""

from __future__ import annotations

from typing import Any

import pytest

from byollm.config.schema import EXAMPLES
from byollm.routing.policies import ByRegion, Cheapest, Failover, Fastest, OffPeak, Prefer, Spread

DAYS, ZONE = EXAMPLES["days"], EXAMPLES["timezone"]
FILE = """llm_config:
  deployments:
    a: {provider: openai, model: gpt-4, failover: [c]}
    b: {provider: anthropic, model: claude-3-opus}
    c: {provider: google, model: gemini-pro}
  tasks:
    t:
      route: """


@pytest.mark.parametrize(
    "text, kind",
    [
        ("{policy: failover, over: [a, b]}", Failover),
        ("{policy: cheapest, over: [a, b], output_tokens: 500}", Cheapest),
        ("{policy: fastest, over: [a, b]}", Fastest),
        ("{policy: by_region, over: [a, b], regions: {europe: a, asia: [b, a]}}", ByRegion),
        ("{policy: spread, over: [a, b]}", Spread),
        ('{policy: off_peak, over: [a, b], hours: "22:00-06:00", timezone: UTC, days: [mon], use: b}', OffPeak),
        ('{policy: prefer, over: [a, b], first: b, amount: 100.50, currency: EUR, until: "2027-03-31"}', Prefer),
        ("{policy: prefer, over: [a, b], first: b, amount: 9, since: '2026-04-01'}", Prefer),
    ],
)  # fmt: skip
def test_each_policy_is_read(read, text: str, kind: Any) -> None:
    """It orders what stands in `over`; the failover of those stays behind them."""
    task = read(FILE + text).tasks["t"]

    assert kind is type(task.policy)
    assert (("a", "b"), ("a", "b", "c")) == (task.policy.names, task.candidates)


def test_a_plain_list_has_no_policy(read) -> None:
    """The order of the file costs nothing."""
    assert read(FILE + "[a, b]").tasks["t"].policy is None


def test_over_takes_models_too(read) -> None:
    """`provider/model` and inline targets, as `failover:` does."""
    task = read(FILE + "{policy: cheapest, over: [groq/llama-x, {provider: mistral, model: m}, a]}").tasks["t"]

    assert ("t/route-1", "t/route-2", "a") == task.policy.names


@pytest.mark.parametrize(
    "text, column, told, mend",
    [
        ("cheapest", 14, "lists deployments, or names a policy", "route: {policy: cheapest, over: [fast, backup]}"),
        ("{over: [a]}", 7, "`route` needs `policy:`", "add `policy:`"),
        ("{policy: cheapest}", 7, "`route` needs `over:`", "over: [fast, backup]"),
        ("{policy: cheapst, over: [a]}", 23, "not `cheapst`", "policy: cheapest"),
        ("{policy: cheapest, over: []}", 33, "`over` names no deployment", "over: [fast, backup]"),
        ("{policy: cheapest, over: [x]}", 40, "there is no deployment `x`", "known: a, b and c"),
        ("{policy: cheapest, over: [a], until: b}", 44, "belongs to prefer", "policy: prefer, or remove the line"),
        ("{policy: cheapest, over: [a], output_tokens: 0}", 59, "must be at least 1", EXAMPLES["output_tokens"]),
        ("{policy: by_region, over: [a]}", 7, "needs `regions:`", EXAMPLES["regions"]),
        ("{policy: by_region, over: [a], regions: {eu: [b]}}", 60, "does not stand in `over`", "over: a"),
        ("{policy: off_peak, over: [a], hours: x, timezone: UTC, use: a}", 51, "no band of time", EXAMPLES["hours"]),
        ("{policy: off_peak, over: [a], hours: 1:00-2:00, timezone: B, use: a}", 72, "no timezone", ZONE),
        ("{policy: off_peak, over: [a], hours: 1:00-2:00, timezone: UTC, use: a, days: [x]}", 92, "no day", DAYS),
        ("{policy: prefer, over: [a, b]}", 7, "needs `first:`", "first: azure"),
        ("{policy: prefer, over: [a, b], first: c}", 52, "`c` does not stand in `over`", "over: a and b"),
        ("{policy: prefer, over: [a], first: a, amount: -1}", 60, "money above 0", "amount: 10000"),
        ("{policy: prefer, over: [a], first: a, until: soon}", 59, "is a date", EXAMPLES["until"]),
        ("{policy: prefer, over: [a], first: a, since: 1}", 59, "is a date", EXAMPLES["since"]),
        ('{policy: prefer, over: [a], first: a, until: "2026-03-31", since: "2026-04-01"}', 80,
         "begins on 2026-04-01 does not end on 2026-03-31", EXAMPLES["since"]),
    ],
)  # fmt: skip
def test_what_makes_no_route(refused, text: str, column: int, told: str, mend: str) -> None:
    """Refused at load with its place; the last line mends it."""
    error = refused(FILE + text)

    assert told in error.message
    assert mend == error.hint
    assert (8, column) == (error.line, error.column)


def test_the_mends_are_right(read, refused) -> None:
    """What a message says to write can be written."""
    for mend in ("regions: {europe: [a]}", 'hours: "22:00-06:00", timezone: Europe/Berlin, use: [a]'):
        policy = "by_region" if mend.startswith("regions") else "off_peak"
        assert read(FILE + f"{{policy: {policy}, over: [a], {mend}}}").tasks["t"].policy is not None


def test_a_tenant_has_a_region(read) -> None:
    """For `by_region`, where the call names none."""
    text = FILE + "[a]\n  tenants: {acme: {region: europe, credentials: {openai: {api_key: env:ACME}}}}"

    assert "europe" == read(text).tenants["acme"].region
