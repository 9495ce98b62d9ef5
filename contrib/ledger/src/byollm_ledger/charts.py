"""The page's two drawings, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from byollm_ledger.text import amount

_WIDTH: Final = 960
_HEIGHT: Final = 220
_LEFT: Final = 80
_BOTTOM: Final = 34
_MOST_BARS: Final = 370
_COLOURS: Final = 6


def bars(values: Sequence[tuple[str, Decimal]], unit: str) -> str:
    """One bar a day; the axis begins at nothing. Each bar tells its day and its exact value when it is pointed at."""
    shown = values[-_MOST_BARS:]
    return "".join(_bars(shown, unit))


def _bars(values: Sequence[tuple[str, Decimal]], unit: str) -> Iterator[str]:
    top = max((value for _, value in values), default=Decimal(0)) or Decimal(1)
    height, width = _HEIGHT - _BOTTOM - 16, _WIDTH - _LEFT - 12
    step = width / max(len(values), 1)
    label = f"{len(values)} days, at most {amount(str(top))} {unit} a day"
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
    for share in (Decimal(0), Decimal("0.5"), Decimal(1)):
        y = 16 + height - float(share) * height
        yield f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - 12}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(amount(str(top * share)))}</text>'
    for number, (day, value) in enumerate(values):
        tall = float(value / top) * height
        x = _LEFT + number * step
        yield (
            f'<rect class="bar" x="{x + step * 0.1:.2f}" y="{16 + height - tall:.2f}" width="{step * 0.8:.2f}"'
            f' height="{tall:.2f}"><title>{escape(day)}: {value} {escape(unit)}</title></rect>'
        )
    for number in sorted({0, len(values) // 2, len(values) - 1}):
        anchor = "start" if number == 0 else "end" if number == len(values) - 1 else "middle"
        x = _LEFT + (number + (0 if number == 0 else 1 if number == len(values) - 1 else 0.5)) * step
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="{anchor}">{escape(values[number][0])}</text>'
    yield "</svg>"


def shares(values: Sequence[tuple[str, Decimal]]) -> str:
    """One bar in parts, with a line for each part below it: nothing is written into a part that may be thin."""
    return "".join(_shares(values))


def _shares(values: Sequence[tuple[str, Decimal]]) -> Iterator[str]:
    shown = [*values[: _COLOURS - 1]]
    rest = sum((share for _, share in values[_COLOURS - 1 :]), Decimal(0))
    if rest:
        shown.append(("others" if len(values) > _COLOURS else values[_COLOURS - 1][0], rest))
    height = 48 + 20 * len(shown)
    yield f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Share of attempts">'
    x = 12.0
    for number, (name, share) in enumerate(shown):
        wide = float(share) / 100 * (_WIDTH - 24)
        yield f'<rect class="s{number}" x="{x:.2f}" y="12" width="{wide:.2f}" height="20">'
        yield f"<title>{escape(name)}: {share} %</title></rect>"
        x += wide
    for number, (name, share) in enumerate(shown):
        y = 52 + 20 * number
        yield f'<rect class="s{number}" x="12" y="{y - 10}" width="12" height="12"/>'
        yield f'<text x="32" y="{y}">{escape(name[:60])} {share} %</text>'
    yield "</svg>"
