"""Which names mean a model. A pattern is a string whose first character says how it is compared, all in lower case.

`=name` is the name, `^name` begins with it, `$name` ends with it, `*name` has it in it, `~expression` is a regular
expression found somewhere; a list of patterns wants all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from byollm_prices.errors import PriceFileError

Pattern = str | list[Any]


@cache
def expression(text: str) -> re.Pattern[str]:
    """A regular expression, compiled once."""
    return re.compile(text)


_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": str.__eq__,
    "^": str.startswith,
    "$": str.endswith,
    "*": str.__contains__,
    "~": lambda name, pattern: expression(pattern).search(name) is not None,
}
_COMPACT: Final = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?=-|:|$)")


def matches(name: str, patterns: Sequence[Pattern]) -> bool:
    """Whether any pattern fits a name in lower case."""
    return any(_fits(name, pattern) for pattern in patterns)


def _fits(name: str, pattern: Pattern) -> bool:
    if isinstance(pattern, list):
        return all(matches(name, inner) if isinstance(inner, list) else _fits(name, inner) for inner in pattern)
    return _TESTS[pattern[0]](name, pattern[1:])


def check_patterns(patterns: Any, place: str) -> None:
    """Raises PriceFileError for anything that is no list of patterns."""
    if not isinstance(patterns, list):
        raise PriceFileError(f"{place}: `match` is a list of patterns, not {patterns!r}")
    for pattern in patterns:
        if isinstance(pattern, list):
            check_patterns(pattern, place)
        elif not isinstance(pattern, str) or pattern[:1] not in _TESTS:
            raise PriceFileError(f"{place}: {pattern!r} is no pattern: begin it with one of {' '.join(_TESTS)}")
        elif pattern[0] == "~" and not _compiles(pattern[1:]):
            raise PriceFileError(f"{place}: {pattern!r} is no regular expression")


def dashed(name: str) -> str:
    """A name whose compact date is written apart: gateways say `-20251211` where vendors say `-2025-12-11`."""

    def apart(found: re.Match[str]) -> str:
        year, month, day = map(int, found.groups())
        try:
            return f"-{date(year, month, day).isoformat()}"
        except ValueError:
            return found.group()

    return _COMPACT.sub(apart, name)


def _compiles(text: str) -> bool:
    try:
        expression(text)
    except re.error:
        return False
    return True
