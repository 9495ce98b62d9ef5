"""Made once, drawn from cheaply: texts, names and JSON objects that wires have stumbled over, the simplest first.

Drawing one index costs a fiftieth of drawing a text letter by letter, and shrinks to the simplest all the same.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any, Final

FRAGMENTS: Final = (
    "a", "word ", " ", "\n", "\n\n", "\r\n", "\t", "0", "{", "}", "[", "]", '"', "\\", "'", ":", ",", "é", "漢字", "🙂",
    "👩‍👩‍👧", "\u2028", "\u0085", "\u200b", "\ufeff", "א", "data: ", "data: [DONE]\n\n", "event: error\n", ": ping\n",
    '{"error": "no"}', "</tool>", "<think>", "\\u0000", "\x7f", "null", "%00", "&amp;", "$ref", "\x1b[31m", "\ud7ff",
    "\ue000", "\U0010ffff", "ﬀ", "İ", "ß", "\u0301",
)  # fmt: skip
"""Pieces of text that wire formats have stumbled over. No NUL and no lone surrogate: those are refused."""
SIZE: Final = 600
_NUMBERS: Final = (0, 1, -1, 2**53 + 1, -(2**53) - 1, 2**63, 0.5, -1.25, 10**19)


@cache
def texts() -> tuple[str, ...]:
    """Non-empty texts, the shortest first."""
    chance = random.Random(1)
    made = {*FRAGMENTS}
    while len(made) < SIZE:
        made.add("".join(chance.choices(FRAGMENTS, k=chance.randint(2, 14))))
    return tuple(sorted(made, key=lambda text: (len(text), text)))


@cache
def names() -> tuple[str, ...]:
    """Tool names that every provider takes."""
    chance = random.Random(2)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    made = {"f", "get_weather", "null", "A-1", "x" * 60}
    while len(made) < SIZE // 4:
        made.add(chance.choice(letters[:52]) + "".join(chance.choices(letters, k=chance.randint(0, 15))))
    return tuple(sorted(made, key=lambda name: (len(name), name)))


@cache
def objects() -> tuple[dict[str, Any], ...]:
    """JSON objects: odd member names, numbers beyond 2^53, nesting; the smallest first."""
    chance = random.Random(3)
    made: list[dict[str, Any]] = [{}, {"a": 1}, {"": None}]
    while len(made) < SIZE // 2:
        made.append(_object(chance, chance.randint(1, 3)))
    return tuple(sorted(made, key=lambda value: len(compact(value))))


def compact(value: Any) -> str:
    """JSON text, compact: the form that survives a dialect in which arguments are JSON and not text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(chance: random.Random, depth: int) -> dict[str, Any]:
    return {chance.choice(texts()[:200]): _value(chance, depth - 1) for _ in range(chance.randint(0, 3))}


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(8 if depth > 0 else 6)
    if kind >= 6:
        return _object(chance, depth) if kind == 6 else [_value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    if kind >= 3:
        return chance.choice(texts())
    return chance.choice(_NUMBERS) if kind else chance.choice((None, True, False, ""))
