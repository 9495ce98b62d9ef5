"""The comparison as plain text, and as data."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_UP, Context, Decimal
from typing import Any, Final

from byollm.cli import show
from byollm_compare.estimate import ASSUMED_OUTPUT, Estimate, Most
from byollm_compare.figures import FEWEST_FOR_P95, SURE, Interval, Quantiles
from byollm_compare.report import Difference, Report, Summary

HEAD: Final = (
    "deployment", "model", "answered", "agreement", "cost", "per 1,000", "first ms", "p95", "total ms", "p95", "output",
)  # fmt: skip
_BETTER: Final = {"agreement": "agrees more", "cost": "costs less", "first": "begins sooner", "total": "is faster",
                  "output": "answers shorter"}  # fmt: skip


def money(amount: Decimal) -> str:
    """Four figures, and no exponent."""
    if not amount:
        return "0"
    digits = max(2, 4 - amount.adjusted() - 1)
    return f"{amount:,.{digits}f}"


def enough(amount: Decimal) -> str:
    """Four figures, rounded up, as an option takes it: no separators, no exponent."""
    return f"{Context(prec=4, rounding=ROUND_UP).plus(amount):f}"


def estimated(found: Estimate, refused: dict[str, str], limited: bool) -> Iterator[str]:
    """What asking costs at most, before anything is asked."""
    rows = [(name, _most(it)) for name, it in found.amounts.items()]
    yield f"{found.calls:,} calls; at most they cost" if rows else "nothing is left to be asked"
    yield from show.table(rows, indent="  ")
    total = found.total
    if total is not None and len(rows) > 1:
        yield f"  together {money(total)} {found.currency or ''}".rstrip()
    if any(it is not None and it.assumed for it in found.amounts.values()):
        yield f"  where neither you nor the model sets a limit, answers of {ASSUMED_OUTPUT:,} tokens are assumed"
    for name, reason in refused.items():
        yield f"not asked: {name}: {reason}"
    if found.calls and not limited:
        yield "  --max-tokens N lowers it: without, the longest answer that each model can give is counted"


def _most(it: Most | None) -> str:
    return "nobody knows the price" if it is None else f"{money(it.amount)} {it.currency}"


def lines(found: Report) -> Iterator[str]:
    """The table, and what it can bear."""
    task = f"task {found.task}, " if found.task else ""
    judged = f", {found.judged} with what was expected" if found.judged else ""
    yield f"{found.data}: {task}{found.samples} questions{judged}"
    yield ""
    yield from show.table([row(it) for it in found.summaries], HEAD, "  ")
    yield ""
    for it in found.summaries:
        yield from _troubles(it)
    for name, reason in found.refused.items():
        yield f"not asked: {name}: {reason}"
    yield from notes(found)
    yield ""
    yield from conclusions(found)


def row(it: Summary) -> tuple[str, ...]:
    """One deployment's cells, in the order of HEAD."""
    thousand = it.cost_per_thousand
    cost = "unknown" if not it.priced else f"{money(it.cost)} {it.currency or ''}".rstrip()
    output = it.output if it.output.count else it.characters
    unit = "" if it.output.count or not it.characters.count else " characters"
    return (
        it.deployment, it.model, f"{it.answered} of {it.asked}", share(it.agreement), cost,
        "" if thousand is None else money(thousand), milliseconds(it.first.median), p95(it.first),
        milliseconds(it.total.median), p95(it.total), f"{number(output.median)}{unit}",
    )  # fmt: skip


def share(it: Interval) -> str:
    """80 % (62 to 91 %): a mean, and where it lies in the long run."""
    if it.mean is None or it.low is None or it.high is None:
        return ""
    return f"{it.mean:.0%} ({it.low * 100:.0f} to {it.high:.0%})"


def milliseconds(value: float | None) -> str:
    """Whole above ten, one digit below."""
    return "" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def p95(it: Quantiles) -> str:
    """The 95th percentile; of few values it is their maximum, and says so."""
    if it.p95 is None:
        return ""
    return milliseconds(it.p95) + (" max" if it.count < FEWEST_FOR_P95 else "")


def number(value: float | None) -> str:
    """A count."""
    return "" if value is None else f"{value:,.0f}"


def _troubles(it: Summary) -> Iterator[str]:
    if it.failures:
        told = ", ".join(f"{count} {name}" for name, count in it.failures.items())
        yield f"{it.deployment} failed {it.asked - it.answered} of {it.asked} times: {told}"
    if it.cut:
        yield f"{it.deployment}: {it.cut} answers were cut by their limit of tokens"
    if it.priced < it.asked:
        yield f"{it.deployment}: the cost of {it.asked - it.priced} of {it.asked} calls is not known, and in no sum"


def notes(found: Report) -> Iterator[str]:
    """What the figures leave out."""
    if found.left:
        yield f"{found.left} calls were not made: they might have cost more than may be spent"
    if found.earlier:
        yield f"{found.earlier} answers are from an earlier run"
    if found.measure == "none":
        yield "agreement: no measure; write `expected` into the sample, or say --measure label | fields"
    elif not found.judged:
        yield "agreement is that with the other deployments: it says who stands alone, not who is right"


def conclusions(found: Report) -> Iterator[str]:
    """Who can be told apart, and who cannot."""
    told = [it for it in found.differences if it.sign.told_apart]
    open_ = [it for it in found.differences if not it.sign.told_apart]
    if told:
        yield f"Told apart (chance would do as much in fewer than {1 - SURE:.0%} of such samples)"
        yield from show.table([difference(it) for it in told], indent="  ")
    if open_:
        yield "Not told apart by this sample"
        yield from show.table([difference(it) for it in open_], indent="  ")
    if not found.differences:
        yield "Nothing can be compared: it takes two deployments that answered the same question"


def difference(it: Difference) -> tuple[str, str, str]:
    """In words: who leads, by how many questions, and what it would take."""
    count = it.sign.better + it.sign.worse
    if count == 0:
        return f"{it.better} and {it.other}", it.what, "no question tells them apart"
    verb = _BETTER[it.what] if it.sign.better != it.sign.worse else "draws"
    tally = f"{it.sign.better} to {it.sign.worse}, p = {it.sign.chance:.2g}"
    if it.needed is not None:
        tally += f"; about {_roughly(it.needed):,} differing questions would"
    return f"{it.better} {verb} than {it.other}" if verb != "draws" else f"{it.better} and {it.other}", it.what, tally


def _roughly(count: int) -> int:
    """Two figures: more would be a promise."""
    return int(float(f"{count:.2g}"))


def data(found: Report) -> dict[str, Any]:
    """The whole comparison for --json."""
    told = show.plain(found)
    for summary, it in zip(told["summaries"], found.summaries, strict=True):
        thousand = it.cost_per_thousand
        summary["cost"] = f"{it.cost:f}" if it.priced else None
        summary["cost_per_thousand"] = None if thousand is None else f"{thousand:.6f}"
    for difference_, each in zip(told["differences"], found.differences, strict=True):
        difference_["told_apart"] = each.sign.told_apart
    assert isinstance(told, dict)
    return told
