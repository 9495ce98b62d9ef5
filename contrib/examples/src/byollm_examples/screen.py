"""The terminal: its width, its colours, and a progress line that is plain lines where there is no terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from byollm_examples.record import Row
from byollm_examples.table import columns_of, cut, plain

CODES: Final[Mapping[str, str]] = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}
LEAST_COLUMNS, MOST_COLUMNS = 60, 140
BAR = 24


class Screen:
    """Where lines go. Colours only on a terminal, and never when `NO_COLOR` is set or `TERM` is dumb."""

    def __init__(self, out: TextIO | None = None, width: int | None = None, colour: bool | None = None) -> None:
        self.out = out if out is not None else sys.stdout
        self.terminal = self.out.isatty() and os.environ.get("TERM") != "dumb"
        asked = shutil.get_terminal_size((80, 24)).columns if width is None else width
        self.width = max(LEAST_COLUMNS, min(MOST_COLUMNS, asked))
        self.colour = self.terminal and not os.environ.get("NO_COLOR") if colour is None else colour
        self._bar = False

    def paint(self, text: str, *styles: str) -> str:
        """A text in colours, where there are any."""
        if not self.colour or not styles or not text:
            return text
        return f"\x1b[{';'.join(CODES[style] for style in styles)}m{text}\x1b[0m"

    def lines(self, lines: Sequence[str]) -> None:
        """Write lines at once."""
        self._clear()
        self.out.write("".join(f"{line}\n" for line in lines))
        self.out.flush()

    def step(self, task: str, done: int, total: int, row: Row) -> None:
        """On a terminal the bar moves; elsewhere a line tells each quarter."""
        if self.terminal:
            full = BAR * done // total
            text = f"   {task:<24}{'█' * full}{'░' * (BAR - full)} {done}/{total}  {plain(row.document)}"
            self.out.write(f"\r\x1b[2K{cut(text, self.width - 1)}")
            self.out.flush()
            self._bar = True
            if done == total:
                self._clear()
                self.lines([f"   {task:<24}{self.paint('█' * BAR, 'green')} {done}/{total}"])
        elif done == total or done * 4 // total > (done - 1) * 4 // total:
            self.lines([f"   {task:<24}{done}/{total}"])

    def say(self, sentence: str) -> None:
        """Something happened while the bar was moving."""
        self.lines([f"   {self.paint('!', 'yellow', 'bold')} {sentence}"])

    def _clear(self) -> None:
        if self._bar:
            self._bar = False
            self.out.write("\r\x1b[2K")


def rule(screen: Screen, title: str) -> str:
    """A heading with a line to the right edge."""
    return screen.paint(f"{title} ", "bold") + screen.paint("─" * max(3, screen.width - columns_of(title) - 1), "dim")
