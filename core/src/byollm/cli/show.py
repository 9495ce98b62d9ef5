"""Output: plain aligned tables, JSON, marks. Sensible without a terminal, in colour only on one that wants it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLOURS: Final = {"ok": "32", "fail": "31", "warn": "33", "error": "31;1", "note": "2"}


def colour_wanted(stream: TextIO) -> bool:
    """True on a terminal, unless NO_COLOR is set (https://no-color.org, read 2026-11-21) or the terminal is dumb."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, kind: str, stream: TextIO | None = None) -> str:
    """`text` in the colour of its kind, where colour is wanted."""
    code = _COLOURS.get(kind)
    return f"\x1b[{code}m{text}\x1b[0m" if code and colour_wanted(stream or sys.stdout) else text


def clean(text: str) -> str:
    """`text` without what moves a terminal's cursor or turns its writing round: others wrote it."""
    return _CONTROLS.sub("", text)


def say(text: str = "", kind: str = "") -> None:
    """A line on stdout; its first word in the colour of `kind`."""
    text = clean(text)
    if kind:
        word = text.split(" ", 1)[0]
        text = paint(word, kind) + text[len(word) :]
    print(text)


def note(text: str) -> None:
    """A line on stderr: what is about the answer, and not the answer."""
    print(paint(clean(text), "note", sys.stderr), file=sys.stderr, flush=True)


def complain(lines: Sequence[str]) -> None:
    """An error: its message first, its mend last."""
    first, *rest = [clean(line) for line in lines]
    text = "\n".join([f"{paint('error:', 'error', sys.stderr)} {first}", *rest])
    print(text, file=sys.stderr, flush=True)


def table(rows: Iterable[Sequence[Any]], header: Sequence[str] = (), indent: str = "") -> list[str]:
    """Rows as aligned lines. A column without any value is left out; the last one is not padded."""
    cells = [["" if cell is None else clean(str(cell)) for cell in row] for row in rows]
    kept = [at for at in range(max(map(len, cells), default=0)) if any(at < len(row) and row[at] for row in cells)]
    body = [[row[at] if at < len(row) else "" for at in kept] for row in cells]
    if header and body:
        body = [[header[at] for at in kept], *body]
    widths = [max(len(row[at]) for row in body) for at in range(len(kept))] if body else []
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in body
    ]


def plain(value: Any) -> Any:
    """Any value of byollm as JSON data. What shows nothing of itself shows nothing here either."""
    from dataclasses import fields, is_dataclass
    from decimal import Decimal
    from enum import Enum

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value) if item.repr}
    return str(value)


def document(value: Any, *, compact: bool = False) -> None:
    """JSON on stdout: one document, or one line of many."""
    import json

    wide = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
    text = json.dumps(plain(value), ensure_ascii=not wide, indent=None if compact else 2)
    print(text, flush=True)
