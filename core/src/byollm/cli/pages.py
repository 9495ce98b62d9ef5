"""Pages that commands write: over an older page, never over a file that holds something else.

`--html` takes its file optionally, so `byollm policy report --html llm.yaml` means a page called llm.yaml to the
parser, and the report of llm.yaml to whoever typed it.
"""

from __future__ import annotations

import os
from typing import Final

from byollm.cli.faults import Failed, UsageFault

_BEGINNINGS: Final = (b"<!doctype html", b"<html")


def check_page(path: str, option: str = "--html") -> None:
    """Whether a page may be written to `path`. Raises UsageFault when something else stands there, Failed when it
    cannot be written there at all."""
    problem = unwritable(path)
    if problem:
        raise Failed(f"{path} cannot be written: {problem}", f"{option} names another file")
    if os.path.isfile(path) and not is_page(path):
        told = f"{path} is there, holds no page, and stays as it is"
        raise UsageFault(told, f"{option} page.html writes another file")


def unwritable(path: str) -> str:
    """Why nothing can be written to `path`, as far as can be seen without writing; empty when it can."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        return "Is a directory"
    if not os.path.isdir(folder):
        return "No such file or directory"
    return "" if os.access(path if os.path.exists(path) else folder, os.W_OK) else "Permission denied"


def is_page(path: str) -> bool:
    """Whether an existing file holds a page, or nothing."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(64).lstrip().lower()
    except OSError:
        return False
    return not beginning or beginning.startswith(_BEGINNINGS)


def write_page(path: str, text: str, option: str = "--html") -> None:
    """Write a page. Raises what `check_page` raises."""
    check_page(path, option)
    problem = ""
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
    if problem:
        raise Failed(problem, f"{option} names another file")
