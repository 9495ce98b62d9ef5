"""The README's picture: a real run's own lines as an SVG. `python -m byollm_examples.picture [FILE]` makes it anew.

Nothing in it is drawn by hand: the demo runs, writes to a screen of 80 columns, and those lines are set in type. Where
lines are left out for length, a mark stands.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from byollm_examples.command import demo
from byollm_examples.screen import Screen
from byollm_examples.table import columns_of

COLUMNS: Final = 80
LETTER: Final = 7.4
LINE: Final = 16.5
EDGE: Final = 18
COLOURS: Final = {"31": "#b3261e", "32": "#17703c", "33": "#8a5a00", "34": "#1f5fbf"}
TEXT, SOFT = "#1c2024", "#6b747d"
SCENES: Final = ("1", "4", "5", "Done")
"""The scenes that are shown; the titles of the others stand in their place."""
ROWS: Final = 2
"""Rows of each task that are shown: so many as they come, and so many that another provider answered."""
_PAINTED: Final = re.compile(r"\x1b\[([0-9;]*)m")
_ROW: Final = re.compile(r" \d+ \+ \d+ +\d+$")
_PART_WAY: Final = re.compile(r" (\d+)/(?!\1$)\d+$")
_HEADING: Final = re.compile(r"(\d|Done\b).* ─{3,}$")


def transcript() -> list[str]:
    """The lines of a run as a terminal would get them. Raises RuntimeError when the run did not go as it says."""
    written = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        code = demo(["--page", str(Path(folder) / "demo.html")], Screen(written, COLUMNS, colour=True))
    if code != 0:
        raise RuntimeError(f"the demo ended with {code}")
    return written.getvalue().splitlines()


def chosen(lines: Sequence[str]) -> Iterator[str]:
    """The lines that fit into a picture."""
    shown, gap, rows, moved = True, False, 0, 0
    for line in lines:
        text = _PAINTED.sub("", line)
        heading = _HEADING.match(text)
        if heading is not None:
            shown = heading.group(1) in SCENES
            if not shown:
                yield f"\x1b[2m⋯  {text.rstrip(' ─')}\x1b[0m"
                yield ""
            if heading.group(1) == "Done":
                yield line
                shown = False
                continue
        elif text.startswith("   ") and " answers, " in text:
            yield line
        in_table = _ROW.search(text) is not None
        rows, moved = (rows + 1, moved + ("↪" in text)) if in_table else (0, 0)
        kept = not in_table or rows <= ROWS or ("↪" in text and moved <= ROWS)
        if not kept and not gap:
            yield "\x1b[2m   ⋯\x1b[0m"
        gap = not kept
        if shown and kept and not _PART_WAY.search(text):
            yield line


def spans(line: str) -> Iterator[tuple[str, str]]:
    """The pieces of a line, each with the codes it is painted in."""
    codes = ""
    for place, piece in enumerate(_PAINTED.split(line)):
        if place % 2:
            codes = "" if piece == "0" else piece
        elif piece:
            yield piece, codes


def svg(lines: Sequence[str]) -> str:
    """The lines as a picture on a light ground, readable with whatever monospaced letters the reader has."""
    width = round(COLUMNS * LETTER + 2 * EDGE)
    height = round(len(lines) * LINE + 2 * EDGE)
    drawn = [text for row, line in enumerate(lines) for text in _line(line, EDGE + (row + 0.75) * LINE)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-label="The output of make demo">\n'
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="#d4d9de"/>\n'
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="12.3" '
        f'fill="{TEXT}">\n' + "\n".join(drawn) + "\n</g>\n</svg>\n"
    )


def _line(line: str, y: float) -> Iterator[str]:
    column = 0
    for piece, codes in spans(line):
        # Runs of blanks are not drawn: every word has its own place, whatever the letters' width is.
        for word in re.finditer(r"\S+(?: \S+)*", piece):
            start = column + columns_of(piece[: word.start()])
            yield _word(word.group(), codes.split(";"), EDGE + start * LETTER, y)
        column += columns_of(piece)


def _word(word: str, codes: Sequence[str], x: float, y: float) -> str:
    fill = next((COLOURS[code] for code in codes if code in COLOURS), SOFT if "2" in codes else "")
    style = (f' fill="{fill}"' if fill else "") + (' font-weight="700"' if "1" in codes else "")
    if set(word) == {"─"}:
        end = x + columns_of(word) * LETTER
        return f'<path d="M{x:.1f} {y - 4:.1f}H{end:.1f}" stroke="#d4d9de"/>'
    length = columns_of(word) * LETTER
    return f'<text x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}"{style}>{escape(word, quote=False)}</text>'


def main(arguments: Sequence[str]) -> int:
    """Write the picture beside this distribution's README, or where the first argument says."""
    path = Path(arguments[0]) if arguments else Path(__file__).parents[2] / "demo.svg"
    lines = ["\x1b[1m$ make demo\x1b[0m", "", *chosen(transcript())]
    path.write_text(svg(lines), "utf-8")
    print(f"{path}: {len(lines)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
