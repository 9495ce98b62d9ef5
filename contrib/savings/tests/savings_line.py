"""What several test files of this folder need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byollm.cli.main import main

WORKLOAD = """
workload: a small shop
date: "2026-11-22"
documents: {a_year: 12000, tokens: {value: 1000, low: 100, high: 5000, why: two pages}}
tasks: {answer: {instructions: 200, output: 100}}
approaches:
  locked: {per_document: 0.02}
  own: {models: {answer: {model: openai/gpt-5.4, pricing: {input: 2, output: 10}}}}
claims:
  month: {says: "$3 a month", of: month, approach: own, is: 3, to: 1}
"""
"""1,200 tokens in at 2 and 100 out at 10 a million: 0.0034 a document, 3.40 a month, 40.80 a year."""


class Line:
    """The command line, as a user has it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of `byollm savings …`."""
        self._capsys.readouterr()
        code = main(["savings", *words])
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *words: str) -> Any:
        """What `--json` prints; the command must succeed."""
        code, out, err = self(*words, "--json")
        assert (0, "") == (code, err)
        return json.loads(out)

    def fails(self, *words: str) -> str:
        """What the command complains; it must fail, and never with a traceback."""
        code, _, err = self(*words)
        assert code in (1, 2)
        assert "Traceback" not in err
        return err

    def file(self, name: str, text: str) -> str:
        """A file in the folder."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)


def table(*rows: str, currency: str = "USD") -> str:
    """A price file with rows of gpt-5.4."""
    return f"""{{"format": 1, "seller": "openai", "taken": "2026-11-22", "currency": "{currency}", "sources": ["ours"],
      "models": [{{"model": "gpt-5.4", "match": ["=gpt-5.4"], "rows": [{", ".join(rows)}]}}]}}"""


def row(rates: str = '"input": "1", "output": "1"', **bounds: str) -> str:
    """A row of a price file."""
    told = "".join(f'"{"from" if key == "since" else key}": "{value}", ' for key, value in bounds.items())
    return f'{{{told}"rates": {{{rates}}}, "source": 0}}'


def many(count: int) -> str:
    """A workload with so many assumptions: tasks of one price, each of one output that nobody stated."""
    tasks = "".join(f"  t{at}: {{output: {{value: 100, low: 10, high: 200, why: a guess}}}}\n" for at in range(count))
    text = f"workload: many\ndate: '2026-11-22'\ndocuments: {{a_year: 1000, tokens: 0}}\ntasks:\n{tasks}"
    text += f"approaches: {{own: {{models: {{{', '.join(f't{at}: openai/gpt-5.4' for at in range(count))}}}}}}}\n"
    return text + "claims: {year: {says: a year, of: year, approach: own, is: 30, to: 1}}\n"
