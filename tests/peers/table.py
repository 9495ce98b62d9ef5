"""The measured table, for a terminal and for the README."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from tests.peers.environments import LIBRARIES
from tests.peers.judging import WORDS, verdicts
from tests.peers.scenarios import SCENARIOS, WAIT

WIDTH = 120
EMPTY = ""


def rows(measured: Mapping[str, Any]) -> list[list[str]]:
    """Head and 13 rows; a library that was not measured has an empty column."""
    words = {name: verdicts(each) for name, each in measured.items()}
    head = ["", *[library.name for library in LIBRARIES]]
    body = [
        [
            f"{scenario.number} {scenario.title}",
            *[words.get(library.name, {}).get(scenario.number, EMPTY) for library in LIBRARIES],
        ]
        for scenario in SCENARIOS
    ]
    return [head, *body]


def versions(measured: Mapping[str, Any]) -> list[str]:
    """Distribution and version of each library that was measured."""
    found = [library for library in LIBRARIES if library.name in measured]
    return [f"{library.distribution} {measured[library.name]['version']}" for library in found]


def unmet(measured: Mapping[str, Any]) -> str:
    """A sentence for each requirement that pip could not meet, and for whom."""
    asked: dict[str, list[str]] = {}
    for name, each in measured.items():
        for line in each["unmet"]:
            asked.setdefault(line.partition(" has requirement ")[2].partition(", but ")[0], []).append(name)
    return "".join(f"pip could not meet {what} for {', '.join(names)}. " for what, names in asked.items())


def legend(table: Sequence[Sequence[str]]) -> str:
    """What the words in this table mean."""
    used = {word for row in table[1:] for word in row[1:]}
    return "; ".join(f"*{word}*: {meaning}" for word, meaning in WORDS.items() if word in used and word != "right")


def plain(measured: Mapping[str, Any]) -> str:
    """For a terminal."""
    table = rows(measured)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, "", *textwrap.wrap(legend(table).replace("*", ""), WIDTH)])


def markdown(result: Mapping[str, Any]) -> str:
    """For the README: the table, what was measured when and how, and what the words mean."""
    table = rows(result["libraries"])
    lines = [f"| {' | '.join(row)} |" for row in table]
    lines.insert(1, "|" + "---|" * len(table[0]))
    about = (
        f"Measured on {result['date']} with CPython {result['python']} against a local server of OpenAI's Chat "
        f"Completions, each library as pip installs it, with its defaults: {', '.join(versions(result['libraries']))}. "
        f"{unmet(result['libraries'])}The 429 asks for {WAIT} s. Right answers and rules: `tests/peers`. "
        f"{legend(table)}."
    )
    wrapped = textwrap.wrap(about, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([*lines, "", *wrapped]) + "\n"
