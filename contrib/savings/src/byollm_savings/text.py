"""Workloads and verdicts as plain text, and as data for --json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from byollm.cli import show
from byollm_savings.cost import Costing, Rates
from byollm_savings.judge import DEPENDS, MET, NOT_MET, UNKNOWN, Dependence, Judgement
from byollm_savings.workload import Approach, Workload

_SHARES: Final = {"saving", "margin", "cost_of_goods"}
_MARKS: Final = {MET: "met", NOT_MET: "not met", DEPENDS: "depends", UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class Bill:
    """What an approach costs; None where a price is not known, and then `problem` says which."""

    approach: Approach
    document: Fraction | None
    month: Fraction | None
    year: Fraction | None
    problem: str = ""


def number(value: Fraction, digits: int | None = None) -> str:
    """1,234.5: with so many digits, or as many as tell four figures; a half goes up, as on the page."""
    trim = digits is None
    if digits is None:
        whole = len(str(abs(int(value)))) if abs(value) >= 1 else 0
        digits = max(0, 4 - whole)
    units = int(abs(value) * 10**digits + Fraction(1, 2))
    text = f"{units // 10**digits:,}" + (f".{units % 10**digits:0{digits}d}" if digits else "")
    text = text.rstrip("0").rstrip(".") if trim and "." in text else text
    return f"-{text}" if value < 0 and units else text


def figure(of: str, value: Fraction, low_to: Fraction | None = None) -> str:
    """A value as its claim is written: a percentage, or money."""
    if of in _SHARES or (of == "own_figures" and low_to is not None and low_to < 1):
        return f"{number(value * 100, 1)}%"
    return number(value, 0 if abs(value) >= 100 else 4)


def report(workload: Workload, bills: Sequence[Bill], found: Sequence[Judgement]) -> Iterator[str]:
    """One workload: what each approach costs, and what becomes of each sentence."""
    source = workload.source.rsplit("/", 1)[-1]
    yield f"{workload.title}   ({source}, prices of {workload.at:%Y-%m-%d}, {workload.currency})"
    yield ""
    yield from _bills(bills)
    yield ""
    for judgement in found:
        yield from _lines(judgement)
    yield ""


def _bills(bills: Iterable[Bill]) -> list[str]:
    rows = []
    for bill in bills:
        if bill.document is None or bill.month is None or bill.year is None:
            rows.append((bill.approach.name, "unknown", "unknown", "unknown", bill.problem))
        else:
            sums = (number(bill.document, 4), number(bill.month, 0), number(bill.year, 0))
            rows.append((bill.approach.name, *sums, bill.approach.what))
    header = ("approach", "a document", "a month", "a year", "")
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(4)]
    aligned = [
        (row[0], *(cell.rjust(width) for cell, width in zip(row[1:4], widths[1:], strict=True)), row[4])
        for row in [header, *rows]
    ]
    return show.table(aligned, indent="  ")


def _lines(found: Judgement) -> Iterator[str]:
    claim = found.claim
    unit = found.said[1] if claim.of == "own_figures" else None
    if found.value is None:
        yield f"  {_MARKS[found.verdict]:<8} {claim.says}: {found.problem}"
        return
    here = "" if found.verdict != DEPENDS else ", which holds" if found.holds else ", which does not hold"
    yield f"  {_MARKS[found.verdict]:<8} {claim.says}: here {figure(claim.of, found.value, unit)}{here}"
    if found.verdict == NOT_MET and found.lowest is not None and found.highest is not None:
        reach = f"{figure(claim.of, found.lowest, unit)} to {figure(claim.of, found.highest, unit)}"
        yield f"           whatever the assumptions within their ranges: {reach}"
    for it in found.depends_on[:3]:
        yield f"           on {it.assumption} = {number(it.value)}: {room(it)}"
    more = len(found.depends_on) - 3
    if more > 0:
        yield f"           and on {more} more, which decide less (--json tells)"


def room(it: Dependence) -> str:
    """Within which values of an assumption a claim holds, in words."""
    if it.holds_from is None or it.holds_to is None:
        return "it alone cannot make it hold"
    words = f"holds from {number(it.holds_from)} to {number(it.holds_to)}"
    if it.exactly:
        words += f", exactly at {' and '.join(number(value) for value in sorted(it.exactly))}"
    return words


def assumptions(workloads: Iterable[Workload]) -> Iterator[str]:
    """Every number that nobody stated, with its range and why it was taken."""
    seen = {}
    for workload in workloads:
        for name, it in workload.assumptions.items():
            seen[name, it.value, it.why] = (
                name,
                number(workload.values[name]),
                f"{number(it.low)} to {number(it.high)}",
                it.why,
            )
    if seen:
        yield "Assumptions: the guide is silent, so these are ours; put yours in their place (--set NAME=NUMBER)"
        yield from show.table(seen.values(), ("name", "value", "range", "why"), "  ")
        yield ""


def price_lines(costing: Costing) -> Iterator[str]:
    """Every price that was used, per million tokens, and where it comes from."""
    rows = [
        (name, number(it.input), number(it.output), _since(it), it.source.split("; ", maxsplit=1)[0])
        for name, it in costing.used().items()
    ]
    if rows:
        yield "Prices per million tokens"
        yield from show.table(rows, ("model, day", "input", "output", "since", "source"), "  ")
        yield ""


def prices(costing: Costing) -> dict[str, Any]:
    """The same for --json."""
    return {
        name: {
            "input": _text(it.input), "output": _text(it.output), "cached": _text(it.cached), "source": it.source,
            "since": None if it.since is None else it.since.isoformat(),
        }
        for name, it in costing.used().items()
    }  # fmt: skip


def _since(rates: Rates) -> str:
    """Since when the price data says that it holds."""
    return "not told" if rates.since is None else f"{rates.since:%Y-%m-%d}"


def summary(found: Sequence[Judgement]) -> str:
    """One line over all verdicts."""
    counts = Counter(it.verdict for it in found)
    holding = sum(1 for it in found if it.verdict == DEPENDS and it.holds)
    words = [f"{counts[MET]} met", f"{counts[NOT_MET]} not met"]
    words.append(f"{counts[DEPENDS]} depend on an assumption ({holding} of them hold with these values)")
    if counts[UNKNOWN]:
        words.append(f"{counts[UNKNOWN]} unknown for want of a price")
    return f"{len(found)} figures: {', '.join(words)}."


def data(workload: Workload, bills: Iterable[Bill], found: Iterable[Judgement]) -> dict[str, Any]:
    """A workload and its verdicts for --json; amounts as decimal texts."""
    return {
        "workload": workload.title,
        "source": workload.source.rsplit("/", 1)[-1],
        "prices_of": workload.at.isoformat(),
        "currency": workload.currency,
        "inputs": {name: _text(value) for name, value in workload.values.items()},
        "approaches": {
            it.approach.name: {
                "document": _text(it.document), "month": _text(it.month), "year": _text(it.year),
                **({"problem": it.problem} if it.problem else {}),
            }
            for it in bills
        },
        "claims": {it.claim.name: _claim(it) for it in found},
    }  # fmt: skip


def _claim(it: Judgement) -> dict[str, Any]:
    told: dict[str, Any] = {
        "says": it.claim.says,
        "verdict": it.verdict,
        "holds": it.holds,
        "computed": _text(it.value),
    }
    told["said"] = [_text(value) for value in dict.fromkeys(it.said)]
    if it.problem:
        told["problem"] = it.problem
    if it.lowest is not None:
        told["reach"] = [_text(it.lowest), _text(it.highest)]
    told["depends_on"] = [
        {
            "assumption": each.assumption, "value": _text(each.value), "range": [_text(each.low), _text(each.high)],
            "holds": None if each.holds_from is None else [_text(each.holds_from), _text(each.holds_to)],
            "exactly": [_text(value) for value in each.exactly], "why": each.why,
        }
        for each in it.depends_on
    ]  # fmt: skip
    return told


def _text(value: Fraction | None) -> str | None:
    if value is None:
        return None
    return f"{value.numerator}" if value.denominator == 1 else f"{float(value):.10g}"


def bills(workload: Workload, costing: Costing) -> list[Bill]:
    """Every approach's bill. Raises PriceFileError for a price file that is none."""
    return [_bill(workload, approach, costing) for approach in workload.approaches.values()]


def _bill(workload: Workload, approach: Approach, costing: Costing) -> Bill:
    from byollm.errors import ByollmError
    from byollm_prices import CurrencyError, PriceFileError

    try:
        period = next(iter(workload.periods.values()), None)
        sums = (
            costing.document(workload, approach, period),
            costing.month(workload, approach),
            costing.year(workload, approach),
        )
        return Bill(approach, *sums)
    except PriceFileError:
        raise
    except (ByollmError, CurrencyError) as error:
        return Bill(approach, None, None, None, str(error).splitlines()[0])
