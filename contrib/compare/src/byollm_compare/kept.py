"""Results in a file, so that a comparison that was broken off goes on where it was: one JSON line an answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from byollm.plugin import parse_json
from byollm_compare.asking import Answer
from byollm_compare.errors import ResultsError

_MODE: Final = 0o600
"""Answers may hold what their questions held."""


class Kept:
    """A file of results. What is there already is not asked again: the same question, deployment and model.

    Raises ResultsError for a file that cannot be read or holds something else. A torn last line is what a broken-off
    comparison leaves; it is taken away, and that question is asked again.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.answers = self._read()

    def _read(self) -> list[Answer]:
        problem, data = "", b""
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            problem = f"{self.path} cannot be read: {error.strerror}"
        if problem:
            raise ResultsError(problem)
        whole, _, torn = data.rpartition(b"\n")
        if torn:
            self._write((whole + b"\n") if whole else b"")
        return [self._answer(line, number) for number, line in enumerate(whole.split(b"\n"), 1) if line.strip()]

    def _answer(self, line: bytes, number: int) -> Answer:
        try:
            return Answer.from_json(parse_json(line))
        except (ValueError, TypeError, AttributeError, KeyError):
            pass
        raise ResultsError(f"{self.path}, line {number}: this is no result of a comparison")

    def matching(self, wanted: Iterable[tuple[str, str, str]]) -> list[Answer]:
        """The answers of some (digest, deployment, model), one each, the latest; failures are asked again."""
        asked = set(wanted)
        found = {
            (it.digest, it.deployment, it.model): it
            for it in self.answers
            if (it.digest, it.deployment, it.model) in asked and it.error is None
        }
        return list(found.values())

    def add(self, answer: Answer) -> None:
        """Write one more. Raises ResultsError when the disk does not take it."""
        self._write((json.dumps(answer.to_json(), ensure_ascii=False) + "\n").encode(), more=True)

    def _write(self, data: bytes, *, more: bool = False) -> None:
        problem = ""
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if more else os.O_TRUNC)
        try:
            with open(os.open(self.path, flags, _MODE), "wb") as file:
                file.write(data)
        except OSError as error:
            problem = f"{self.path} cannot be written: {error.strerror}"
        if problem:
            raise ResultsError(problem)
