"""Text in columns: cells cut to fit, East Asian letters counted as two, control characters never passed on."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

Align = Literal["left", "right"]
GAP = "  "


def plain(text: str) -> str:
    """One line without control characters: what a document or a provider wrote cannot steer the terminal."""
    safe = text.encode("utf-8", "replace").decode()
    return " ".join("".join(" " if unicodedata.category(letter) in ("Cc", "Cf") else letter for letter in safe).split())


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_width(letter) for letter in text)


def cut(text: str, most: int) -> str:
    """A text in at most `most` columns, with an ellipsis where it was cut."""
    if columns_of(text) <= most:
        return text
    kept, used = "", 0
    for letter in text:
        used += _width(letter)
        if used > most - 1:
            break
        kept += letter
    return f"{kept.rstrip()}…"


def cut_left(text: str, most: int) -> str:
    """The end of a text in at most `most` columns."""
    return text if columns_of(text) <= most else cut(text[::-1], most)[::-1]


def padded(text: str, size: int, align: Align = "left") -> str:
    """A text cut and filled to exactly `size` columns."""
    text = cut(text, size)
    blank = " " * (size - columns_of(text))
    return blank + text if align == "right" else text + blank


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Words in lines of at most `width` columns; a word that is longer than a line is cut."""
    lines: list[str] = []
    current = ""
    room = max(8, width - len(indent))
    for word in text.split():
        longer = f"{current} {word}" if current else word
        if columns_of(longer) <= room:
            current = longer
            continue
        if current:
            lines.append(indent + current)
        current = cut(word, room)
    return [*lines, indent + current] if current else lines


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    flexible: int,
    most: Sequence[int] = (),
    right: Sequence[int] = (),
) -> list[str]:
    """Lines of a table: the head, then the rows.

    Columns are as wide as their cells, at most `most`; `flexible` is the column that takes what is left of `width`.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    sizes = [max(columns_of(row[place]) for row in [list(head), *cells]) for place in range(len(head))]
    for place, limit in enumerate(most):
        sizes[place] = min(sizes[place], limit) if limit else sizes[place]
    others = sum(size for place, size in enumerate(sizes) if place != flexible) + len(GAP) * (len(head) - 1)
    sizes[flexible] = min(sizes[flexible], max(8, width - others))
    return [
        GAP.join(
            padded(cell, sizes[place], "right" if place in right else "left") for place, cell in enumerate(row)
        ).rstrip()
        for row in [list(head), *cells]
    ]


def _width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
