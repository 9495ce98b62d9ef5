"""The data-flow drawing of the policy report: what is asked on the left, who may answer on the right, as one SVG."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from byollm.routing.report import Flow, Party, Report

WIDTH: Final = 900
LEFT: Final = 270
RIGHT: Final = 360
TALL: Final = 46
GAP: Final = 12
MOST: Final = 40
"""More boxes on the left than this, and only what every task asks by itself is drawn."""


class Box(NamedTuple):
    """A box and its middle."""

    x: int
    y: int
    wide: int

    @property
    def middle(self) -> int:
        """Half its height down."""
        return self.y + TALL // 2


def drawing(found: Report) -> str:
    """The SVG. Its colours are the page's."""
    sources = list(dict.fromkeys((flow.task, flow.data_class) for flow in found.flows))
    if len(sources) > MOST:
        sources = list({task: (task, data_class) for task, data_class in reversed(sources)}.values())[::-1]
    rows = max(len(sources), len(found.deployments))
    height = rows * (TALL + GAP) + GAP
    left = {key: Box(4, _y(n, len(sources), rows), LEFT) for n, key in enumerate(sources)}
    right = {
        item.deployment: Box(WIDTH - RIGHT - 4, _y(n, len(found.deployments), rows), RIGHT)
        for n, item in enumerate(found.deployments)
    }
    lines = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="flow-title" class="flow">',
        '<title id="flow-title">Which task may send which class of data to which deployment</title>',
        *_arrows(found.flows, left, right),
        *(_box(left[key], *_source(*key), "source") for key in sources),
        *(_box(right[item.deployment], *_party(item), _kind(item, found)) for item in found.deployments),
        "</svg>",
    ]
    return "\n".join(lines)


def _y(place: int, count: int, rows: int) -> int:
    """Where the n-th of `count` boxes begins: the shorter column stands in the middle."""
    return GAP + place * (TALL + GAP) + (rows - count) * (TALL + GAP) // 2


def _arrows(flows: tuple[Flow, ...], left: dict[tuple[str, str | None], Box], right: dict[str, Box]) -> Iterator[str]:
    for flow in flows:
        start, end = left.get((flow.task, flow.data_class)), right[flow.deployment]
        if start is None or not flow.allowed:
            continue
        x, to = start.x + start.wide, end.x - 7
        bend = (to - x) // 2
        path = f"M{x} {start.middle}C{x + bend} {start.middle} {to - bend} {end.middle} {to} {end.middle}"
        told = f"{flow.task}, {flow.data_class or 'no class named'}: to {flow.deployment}"
        told += f", until {flow.until}" if flow.until else ""
        yield f'<path class="arrow{" bound" if flow.rests_on else ""}" d="{path}"><title>{escape(told)}</title></path>'
        yield f'<path class="head" d="M{to} {end.middle - 4}l7 4l-7 4z"/>'


def _source(task: str, data_class: str | None) -> tuple[str, str]:
    return task, data_class or "no class named"


def _party(item: Party) -> tuple[str, str]:
    hosts = ", ".join(item.hosts) or "this process"
    return f"{item.deployment}  ·  {item.region or 'no region'}", hosts


def _kind(item: Party, found: Report) -> str:
    """A deployment that nobody may ask is drawn as such."""
    return "party" if any(flow.allowed for flow in found.flows if flow.deployment == item.deployment) else "shut"


def _box(box: Box, first: str, second: str, kind: str) -> str:
    # About 7.2 units a letter at this size; what is cut stands whole in the title.
    room = int(box.wide / 7.2) - 2
    return (
        f'<g class="{kind}"><title>{escape(first)}: {escape(second)}</title>'
        f'<rect x="{box.x}" y="{box.y}" width="{box.wide}" height="{TALL}" rx="6"/>'
        f'<text x="{box.x + 12}" y="{box.y + 19}" class="name">{escape(_cut(first, room))}</text>'
        f'<text x="{box.x + 12}" y="{box.y + 36}">{escape(_cut(second, room))}</text></g>'
    )


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
