"""The report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from byollm.cli.show import table

_TITLES: Final = {
    "day": "Day by day", "month": "Month by month", "task": "By task", "provider": "By provider", "tenant": "By tenant",
    "model": "By model", "deployment": "By deployment", "host": "By host", "data_class": "By class of data",
    "key_owner": "By whose key paid", "stream": "Streamed or not",
}  # fmt: skip


def title(key: str) -> str:
    """What a group is called."""
    return _TITLES.get(key) or "By " + ", ".join(name.replace("_", " ") for name in key.split(","))


def amount(text: str) -> str:
    """An amount, short enough to read: four digits that count, at least two places."""
    value = Decimal(text)
    if not value:
        return "0"
    places = max(2, 3 - value.adjusted())
    return f"{value:,.{min(places, 12)}f}"


def money(amounts: Mapping[str, str]) -> str:
    """Amounts of several currencies, side by side."""
    return " + ".join(f"{amount(value)} {currency}" for currency, value in amounts.items() if Decimal(value))


def money_of(amounts: Mapping[str, str], unknown: int) -> str:
    """The same of attempts of which `unknown` many have no known price: unknown is not zero."""
    return " + ".join([*filter(None, [money(amounts)]), *(["unknown"] if unknown else [])]) or "0"


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The whole report."""
    total = found["total"]
    since, until = found["since"], found["until"]
    span = f"{'since ' + since if since else 'since the beginning'}{' until ' + until if until else ''}"
    yield f"Usage {span} ({found['timezone']})"
    yield ""
    yield from table(list(_totals(found, total)), indent="  ")
    for key, rows in found["groups"].items():
        yield from _section(title(key), _group_header(key), [_group_row(key, row) for row in rows])
    yield from _section(
        "Provider mix",
        ("provider", "attempts", "cost"),
        [
            (row["provider"], f"{row['attempts_percent']} %",
             ", ".join(f"{share} % of {currency}" for currency, share in row["cost_percent"].items()))
            for row in found["mix"]
        ],
    )  # fmt: skip
    yield from _section(
        "Budgets",
        ("budget", "of", "month", "spent", "promised"),
        [
            (row["budget"], ", ".join(row["scope"].values()) or "all", row["month"],
             f"{amount(row['spent'])} {row['currency']}", f"{amount(row['reserved'])} {row['currency']}")
            for row in found["budgets"]
        ],
    )  # fmt: skip
    yield from _negotiation(found["negotiate"])
    for note in found["state"]["notices"]:
        yield f"notice: {note['name']}: {note['count']} (last: {note['last']})"


def _totals(found: Mapping[str, Any], total: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "calls", f"{total['calls']:,}"
    yield (
        "attempts",
        (
            f"{total['attempts']:,}: {total['answered']:,} answered, {total['failed']:,} failed,"
            f" {total['retries']:,} retries, {total['failovers']:,} failovers"
        ),
    )
    yield (
        "tokens",
        (
            f"{total['input_tokens']:,} in ({total['cached_tokens']:,} from a cache),"
            f" {total['output_tokens']:,} out ({total['reasoning_tokens']:,} reasoning)"
        ),
    )
    yield "spent", money_of(total["cost"], total["unpriced"])
    if total["unsure"]:
        most = money(total["possible"]) or "nobody knows how much"
        more = f"; of {total['unbounded']:,} nobody knows the price" if total["unbounded"] else ""
        yield "not certain", f"{total['unsure']:,} attempts, at most {most} more{more} (byollm usage reconcile)"
    if total["mean_milliseconds"] is not None:
        yield (
            "latency",
            (
                f"mean {total['mean_milliseconds']:,.0f} ms, median about {total['median_milliseconds']:,.0f},"
                f" 95 % within about {total['p95_milliseconds']:,.0f}"
            ),
        )
    forecast = found["forecast"]
    if forecast["expected"]:
        yield (
            f"forecast {forecast['month']}",
            f"{money_of(forecast['expected'], forecast['unpriced'] + forecast['recent_unpriced'])}"
            f" (so far {money_of(forecast['spent'], forecast['unpriced'])})",
        )
    yield "Calls paid with platform keys:", f"{found['platform_key_calls']:,}"
    if found["state"]["waiting_bytes"]:
        yield "in journals", f"{found['state']['waiting_bytes']:,} bytes of processes that live, not all counted yet"
    if found["state"]["in_flight"]:
        yield "on their way", f"{found['state']['in_flight']:,}"


def _section(name: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    if rows:
        yield ""
        yield name
        yield from table(rows, header, indent="  ")


def _group_header(key: str) -> tuple[str, ...]:
    return (
        *key.split(","),
        "spent",
        "not certain",
        "calls",
        "failed",
        "failovers",
        "tokens in",
        "out",
        "median ms",
        "p95 ms",
    )


def _group_row(key: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    def some(count: int) -> str:
        return f"{count:,}" if count else ""

    def milliseconds(value: float | None) -> str:
        return "" if value is None else f"{value:,.0f}"

    return (
        *(row[name] for name in key.split(",")), money_of(row["cost"], row["unpriced"]),
        money_of(row["possible"], row["unbounded"]) if row["unsure"] else "", some(row["calls"]),
        some(row["failed"]), some(row["failovers"]), some(row["input_tokens"]), some(row["output_tokens"]),
        milliseconds(row["median_milliseconds"]), milliseconds(row["p95_milliseconds"]),
    )  # fmt: skip


def _negotiation(found: Mapping[str, Any]) -> Iterator[str]:
    header = (
        "provider/model",
        "currency",
        "calls",
        "tokens in",
        "out",
        "paid",
        "by the list",
        "per million",
        "5 %",
        "10 %",
        "20 %",
    )
    yield from _section(
        "What to negotiate: what a discount would save",
        header,
        [
            (
                f"{row['provider']}/{row['model']}", row["currency"], f"{row['calls']:,}", f"{row['input_tokens']:,}",
                f"{row['output_tokens']:,}", amount(row["paid"]),
                "" if row["list_cost"] is None else amount(row["list_cost"]),
                "" if row["paid_per_million_tokens"] is None else amount(row["paid_per_million_tokens"]),
                *(amount(saved) for saved in row["saved_at"].values()),
            )
            for row in found["models"]
        ],
    )  # fmt: skip
    yield from _section(
        "The cheapest deployment that each task's rules allow, for the same mean answer",
        ("task", "now", "paid", "cheapest", "would cost", "saved"),
        [
            (
                row["task"], f"{row['provider']}/{row['model']}", f"{amount(row['paid'])} {row['currency']}",
                row["cheapest"] or "no price is known",
                "" if row["cheapest_cost"] is None else amount(row["cheapest_cost"]),
                "" if row["saved"] is None else amount(row["saved"]),
            )
            for row in found["tasks"]
        ],
    )  # fmt: skip
