"""How far two answers agree: the same label, or the same fields. Where there is no measure, nothing is measured."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from byollm.plugin import parse_json
from byollm_compare.samples import Sample

MEASURES: Final = ("label", "fields", "none")
_FENCE: Final = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
_MISSING: Final = object()


def measure_of(samples: Sequence[Sample], schema: bool) -> str:
    """The task's own measure: fields where JSON is expected or asked for, labels where a text is; else none."""
    expected = [sample.expected for sample in samples if sample.judged]
    if any(isinstance(each, dict | list) for each in expected) or (schema and not expected):
        return "fields"
    return "label" if expected else "none"


def agreement(measure: str, answer: str, expected: Any) -> float | None:
    """From 0 to 1: `label`: 1 when they are the same but for case and surrounding space; `fields`: F1 of the fields.

    `expected` is a label, JSON data, or another answer's text. None when there is no measure.
    """
    if measure == "label":
        return float(label(answer) == label(expected if isinstance(expected, str) else str(expected)))
    if measure == "fields":
        return f1(data_of(answer), data_of(expected) if isinstance(expected, str) else expected)
    return None


def label(text: str) -> str:
    """A label without what surrounds it: space, quotes and a full stop, whatever its case."""
    return text.strip().strip("\"'`").rstrip(".").strip().casefold()


def data_of(text: str) -> Any:
    """The JSON data of an answer, bare or in a fenced block; a value that equals nothing when it holds none."""
    fenced = _FENCE.fullmatch(text)
    try:
        return parse_json(fenced[1] if fenced else text)
    except ValueError:
        return _MISSING


def f1(one: Any, other: Any) -> float:
    """Fields in common, of the fields of both: 2 · common ÷ (those of one + those of the other).

    A field is its path and its value; places in a list do not count, so that the order of found things is free. Two
    answers without any field agree; one that is no JSON agrees with nothing.
    """
    if one is _MISSING or other is _MISSING:
        return 0.0
    left, right = Counter(_fields(one)), Counter(_fields(other))
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _fields(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item, f"{path}[]")
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        yield path, f"{float(value)!r}" if number else f"{type(value).__name__} {value}".casefold()
