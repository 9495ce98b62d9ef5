"""Which libraries are measured, and an environment of its own for each, below build/peers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / "build" / "peers"
STAMP = "peers.stamp"
LIMIT = 900
"""Seconds after which an installation is given up."""


@dataclass(frozen=True, slots=True)
class Library:
    """One column of the table.

    `name` is the column's title and the adapter's name; `requirements` what pip is asked for, none for byollm, which
    runs from this tree; `distribution` the one whose version is shown; `own` the packages whose exceptions are this
    library's own; `seconds` how long the installation took on two cores (2026-11-21, empty cache).
    """

    name: str
    distribution: str
    requirements: tuple[str, ...]
    own: tuple[str, ...]
    seconds: int = 0


LIBRARIES = (
    Library("litellm", "litellm", ("litellm==1.109.1",), ("litellm",), 60),
    Library("any-llm", "any-llm-sdk", ("any-llm-sdk[openai]==1.40.2",), ("any_llm",), 40),
    Library("aisuite", "aisuite", ("aisuite[openai]==0.2.0",), ("aisuite",), 30),
    Library(
        "langchain",
        "langchain-openai",
        ("langchain-openai==1.7.3", "langchain==1.5.0"),
        ("langchain", "langchain_core", "langchain_openai"),
        40,
    ),
    Library("pydantic-ai", "pydantic-ai-slim", ("pydantic-ai-slim[openai]==2.68.0",), ("pydantic_ai",), 30),
    Library("llm", "llm", ("llm==0.36",), ("llm",), 30),
    Library("byollm", "byollm", (), ("byollm",)),
)


class NotInstalled(Exception):
    """pip could not install a library; the text is the last thing it said."""


def interpreter(library: Library) -> Path:
    """The Python that has the library. Makes its environment when it is missing; raises NotInstalled."""
    if not library.requirements:
        return Path(sys.executable)
    folder = HOME / library.name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / STAMP
    wanted = " ".join(library.requirements)
    if not (stamp.is_file() and stamp.read_text() == wanted and python.exists()):
        build(library, folder, python)
        stamp.write_text(wanted)
    return python


def build(library: Library, folder: Path, python: Path) -> None:
    """Make the environment and install. Raises NotInstalled, and leaves nothing half-made behind."""
    shown = " ".join(library.requirements)
    print(f"peers: installing {shown} (about {library.seconds} s) …", flush=True)
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        said(sys.executable, "-m", "venv", str(folder))
        said(str(python), "-m", "pip", "install", "--quiet", "--no-input", *library.requirements)
    except NotInstalled:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    print(f"peers: {library.name} is ready after {time.monotonic() - started:.0f} s", flush=True)


def said(*command: str) -> None:
    """Run one command in silence. Raises NotInstalled with its last words when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"no end after {LIMIT} s") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if "ERROR" in line]
        raise NotInstalled(lines[-1] if lines else f"`{' '.join(command[1:4])}` ended with {done.returncode}")
