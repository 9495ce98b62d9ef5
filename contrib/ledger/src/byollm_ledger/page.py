"""The report as one page: no script, nothing loaded from anywhere, light and dark, for desk and phone.

Every number stands in a `<data>` element whose `value` is what `--json` says and whose `data-at` says where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any, Final

from byollm_ledger.charts import bars, shares
from byollm_ledger.page_style import STYLE
from byollm_ledger.text import amount, title

Report = Mapping[str, Any]
Path = tuple[str | int, ...]
_MOST_ROWS: Final = 1000
"""Rows of a group that the page shows; a note says how many the JSON has beside them."""


def page(found: Report) -> str:
    """The whole document. `found` is the report as JSON data: `byollm.cli.show.plain(report(…))`."""
    return "\n".join([*_head(found), *_body(found), "</body></html>"]) + "\n"


def _head(found: Report) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield "<title>byollm: what was used and spent</title>"
    yield f"<style>\n{STYLE}\n</style></head><body>"
    since, until = found["since"], found["until"]
    span = f"{'since ' + since if since else 'since the beginning'}{' until ' + until if until else ''}"
    yield "<h1>What was used and spent</h1>"
    yield f"<p>{escape(span)}; days of {escape(found['timezone'])}. Currencies are never added together.</p>"


def _body(found: Report) -> Iterator[str]:
    yield from _tiles(found)
    for currency in _currencies(found):
        yield from _chart(found, currency)
    yield from _groups(found, timely=False)
    yield from _mix(found)
    yield from _budgets(found)
    yield from _models(found)
    yield from _tasks(found)
    yield from _groups(found, timely=True)
    if found["state"]["notices"]:
        rows = [
            (escape(note["name"]), _number(note["count"], ("state", "notices", at, "count")), escape(note["last"]))
            for at, note in enumerate(found["state"]["notices"])
        ]
        yield from _table("Look at this", "", ("what", "how often", "last"), rows)


def _currencies(found: Report) -> list[str]:
    return list(found["total"]["cost"])


def _number(value: Any, at: Path, shown: str | None = None) -> str:
    """A number with its place in the JSON."""
    if value is None:
        return "–"
    if shown is None:
        shown = (
            f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if isinstance(value, float) else amount(value)
        )
    return f'<data value="{escape(str(value))}" data-at="{escape("/".join(map(str, at)))}">{escape(shown)}</data>'


def _money(amounts: Mapping[str, str], at: Path, unknown: int = 0) -> str:
    """`unknown`: of so many attempts nobody knows the price, which is not zero."""
    parts = [
        f'<span class="sum">{_number(value, (*at, currency))} <small>{escape(currency)}</small></span>'
        for currency, value in amounts.items()
        if Decimal(value)
    ]
    if unknown:
        parts.append('<span class="sum">unknown</span>')
    return " + ".join(parts) or "0"


def _tiles(found: Report) -> Iterator[str]:
    total, forecast = found["total"], found["forecast"]
    tiles: list[tuple[str, str, str]] = [
        ("spent", _money(total["cost"], ("total", "cost"), total["unpriced"]), ""),
        ("not certain", _money(total["possible"], ("total", "possible"), total["unbounded"]),
         f"at most, for {_number(total['unsure'], ('total', 'unsure'))} attempts"),
        (f"expected in {forecast['month']}",
         _money(forecast["expected"], ("forecast", "expected"), forecast["unpriced"] + forecast["recent_unpriced"]),
         f"so far {_money(forecast['spent'], ('forecast', 'spent'), forecast['unpriced'])}"),
        ("calls", _number(total["calls"], ("total", "calls")),
         f"{_number(total['failed'], ('total', 'failed'))} attempts failed, "
         f"{_number(total['failovers'], ('total', 'failovers'))} failovers"),
        ("tokens", _number(total["input_tokens"], ("total", "input_tokens")) + " in",
         f"{_number(total['output_tokens'], ('total', 'output_tokens'))} out, "
         f"{_number(total['cached_tokens'], ('total', 'cached_tokens'))} from a cache"),
        ("latency", _number(total["median_milliseconds"], ("total", "median_milliseconds")) + " ms",
         f"median; 95 % within {_number(total['p95_milliseconds'], ('total', 'p95_milliseconds'))} ms"),
        ("Calls paid with platform keys:", _number(found["platform_key_calls"], ("platform_key_calls",)),
         "a tenant’s calls are paid with its own key"),
    ]  # fmt: skip
    yield '<dl class="tiles">'
    for name, value, more in tiles:
        yield f"<div><dt>{escape(name)}</dt><dd>{value}</dd>{f'<dd class=more>{more}</dd>' if more else ''}</div>"
    yield "</dl>"


def _chart(found: Report, currency: str) -> Iterator[str]:
    """Spend day by day, where days are told."""
    days = found["groups"].get("day")
    if not days or len(days) < 2:
        return
    values = [(row["day"], Decimal(row["cost"].get(currency, "0"))) for row in days]
    yield f"<h2>Spend over time, {escape(currency)}</h2>"
    yield f'<div class="chart">{bars(values, currency)}</div>'


def _groups(found: Report, *, timely: bool) -> Iterator[str]:
    """The tables of the groups; those that go by time are long, and come last."""
    for key, rows in found["groups"].items():
        if timely == key.startswith(("day", "month")):
            yield from _table(title(key), "", _group_header(key), list(_group_rows(key, rows)), len(rows))


def _group_header(key: str) -> tuple[str, ...]:
    return (
        *(name.replace("_", " ") for name in key.split(",")), "spent", "not certain", "calls", "failed", "failovers",
        "tokens in", "tokens out", "median ms", "95 % ms", "first ms",
    )  # fmt: skip


def _group_rows(key: str, rows: Sequence[Report]) -> Iterator[tuple[str, ...]]:
    names = ("calls", "failed", "failovers", "input_tokens", "output_tokens", "median_milliseconds", "p95_milliseconds",
             "first_milliseconds")  # fmt: skip
    for number, row in enumerate(rows[:_MOST_ROWS]):
        at: Path = ("groups", key, number)
        yield (
            *(_named(name, str(row[name])) for name in key.split(",")),
            _money(row["cost"], (*at, "cost"), row["unpriced"]),
            _money(row["possible"], (*at, "possible"), row["unbounded"]),
            *(_number(row[name], (*at, name)) for name in names),
        )


def _named(dimension: str, value: str) -> str:
    return f"<time>{escape(value)}</time>" if dimension in ("day", "month") else escape(value)


def _mix(found: Report) -> Iterator[str]:
    rows = found["mix"]
    if not rows:
        return
    yield "<h2>Provider mix</h2>"
    yield f'<div class="chart">{shares([(row["provider"], Decimal(row["attempts_percent"])) for row in rows])}</div>'
    cells = [
        (
            escape(row["provider"]),
            _number(row["attempts_percent"], ("mix", at, "attempts_percent"), f"{row['attempts_percent']} %"),
            ", ".join(
                f"{_number(share, ('mix', at, 'cost_percent', currency), f'{share} %')} of {escape(currency)}"
                for currency, share in row["cost_percent"].items()
            )
            or "–",
        )
        for at, row in enumerate(rows)
    ]
    yield from _table("", "", ("provider", "attempts", "spend"), cells)


def _budgets(found: Report) -> Iterator[str]:
    cells = [
        (
            escape(row["budget"]),
            escape(", ".join(row["scope"].values()) or "all"),
            escape(row["month"]),
            _number(row["spent"], ("budgets", at, "spent")) + f" <small>{escape(row['currency'])}</small>",
            _number(row["reserved"], ("budgets", at, "reserved")) + f" <small>{escape(row['currency'])}</small>",
        )
        for at, row in enumerate(found["budgets"])
    ]
    intro = "Promised: the most that calls on their way can cost."
    yield from _table("Budgets", intro, ("budget", "of", "month", "spent", "promised"), cells)


def _models(found: Report) -> Iterator[str]:
    rows = found["negotiate"]["models"]
    names: tuple[str, ...] = ("calls", "input_tokens", "output_tokens", "paid", "list_cost", "paid_per_million_tokens")
    cells = [
        (
            escape(f"{row['provider']}/{row['model']}"),
            escape(row["currency"]),
            *(_number(row[name], ("negotiate", "models", at, name)) for name in names),
            *(
                _number(saved, ("negotiate", "models", at, "saved_at", share))
                for share, saved in row["saved_at"].items()
            ),
        )
        for at, row in enumerate(rows)
    ]
    header = ("model", "currency", "calls", "tokens in", "tokens out", "paid", "by the list", "paid per million",
              "5 % off", "10 % off", "20 % off")  # fmt: skip
    intro = (
        "Volume is what a vendor gives a discount for. By the list: the mean answer at today’s list price, as often; "
        "the last three say what a discount would have saved."
    )
    yield from _table("What to negotiate", intro, header, cells)


def _tasks(found: Report) -> Iterator[str]:
    cells = [
        (
            escape(row["task"]),
            escape(f"{row['provider']}/{row['model']}"),
            escape(row["currency"]),
            _number(row["paid"], ("negotiate", "tasks", at, "paid")),
            escape(row["cheapest"] or "no price is known"),
            _number(row["cheapest_cost"], ("negotiate", "tasks", at, "cheapest_cost")),
            _number(row["saved"], ("negotiate", "tasks", at, "saved")),
        )
        for at, row in enumerate(found["negotiate"]["tasks"])
    ]
    intro = (
        "Among the deployments that each task’s rules allow, for the same mean answer. "
        "Cheaper is not as good as: compare first."
    )
    header = ("task", "now", "currency", "paid", "cheapest", "would cost", "saved")
    yield from _table("The cheapest that may answer", intro, header, cells)


def _table(
    name: str, intro: str, header: Sequence[str], rows: Sequence[Sequence[str]], whole: int | None = None
) -> Iterator[str]:
    """A table of cells that are HTML already; nothing where there is no row."""
    if not rows:
        return
    if name:
        yield f"<h2>{escape(name)}</h2>"
    if intro:
        yield f"<p>{escape(intro)}</p>"
    if whole is not None and whole > len(rows):
        yield f"<p>The first {len(rows):,} of {whole:,}; --json has them all.</p>"
    heads = "".join(f'<th scope="col">{escape(word)}</th>' for word in header)
    label = escape(name or header[0])
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table class="tall">'
    yield f"<thead><tr>{heads}</tr></thead><tbody>"
    for row in rows:
        first, *others = row
        rest = "".join(f'<td data-of="{escape(of)}">{cell}</td>' for of, cell in zip(header[1:], others, strict=True))
        yield f'<tr><th scope="row">{first}</th>{rest}</tr>'
    yield "</tbody></table></div>"


def sample() -> dict[str, Any]:
    """A report with everything in it, as JSON data: for whoever looks at the page."""
    from byollm_ledger.sample import sample_report

    return sample_report()


Renderer = Callable[[Report], str]
