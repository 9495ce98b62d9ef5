"""Which libraries are measured, and an environment of its own for each, below build/peers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / "build" / "peers"
STAMP = "peers.json"
LIMIT = 900
"""Seconds after which an installation is given up."""


@dataclass(frozen=True, slots=True)
class Library:
    """One column of the table.

    `name` is the column's title; `module` that of its adapter; `distribution` the one whose version is shown;
    `requirements` what pip is asked for, none for byollm, which runs from this tree; `own` the packages whose
    exceptions are this library's own; `seconds` how long the installation took on two cores (2026-11-21, empty cache).
    `carriers` are those of its distributions whose lower bound on certifi no index may have reached yet, see `loosely`.
    """

    name: str
    module: str
    distribution: str
    requirements: tuple[str, ...]
    own: tuple[str, ...]
    seconds: int = 0
    carriers: tuple[str, ...] = ()


LIBRARIES = (
    Library(
        "litellm",
        "tests.peers.adapters.litellm",
        "litellm",
        ("litellm==1.109.1",),
        ("litellm",),
        seconds=60,
        carriers=("litellm==1.109.1",),
    ),
    Library(
        "any-llm",
        "tests.peers.adapters.any_llm",
        "any-llm-sdk",
        ("any-llm-sdk[openai]==1.40.2",),
        ("any_llm",),
        seconds=15,
    ),
    Library(
        "aisuite",
        "tests.peers.adapters.aisuite",
        "aisuite",
        ("aisuite[openai]==0.2.0",),
        ("aisuite",),
        seconds=10,
    ),
    Library(
        "langchain",
        "tests.peers.adapters.langchain",
        "langchain-openai",
        ("langchain-openai==1.7.3", "langchain==1.5.0"),
        ("langchain", "langchain_core", "langchain_openai"),
        seconds=30,
        carriers=("langchain-openai==1.7.3", "langchain==1.5.0", "langchain-core==1.8.2"),
    ),
    Library(
        "pydantic-ai",
        "tests.peers.adapters.pydantic_ai",
        "pydantic-ai-slim",
        ("pydantic-ai-slim[openai]==2.68.0",),
        ("pydantic_ai",),
        seconds=20,
    ),
    Library("llm", "tests.peers.adapters.llm", "llm", ("llm==0.36",), ("llm",), seconds=15),
    Library("byollm", "tests.peers.adapters.byollm", "byollm", (), ("byollm",)),
)

NEEDED = """
import json, sys
from importlib.metadata import requires
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
given = {canonicalize_name(Requirement(line).name) for line in sys.argv[1:]}
needs = [Requirement(need) for line in sys.argv[1:] for need in requires(Requirement(line).name) or ()]
needs = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
rest = [need for need in needs if canonicalize_name(need.name) not in given]
print(json.dumps(sorted({need.name if need.name == "certifi" else str(need).partition(";")[0] for need in rest})))
"""


class NotInstalled(Exception):
    """pip could not install a library; the text is the last thing it said."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a library runs, and which requirements pip finds unmet there."""

    python: Path
    unmet: tuple[str, ...] = ()


def environment(library: Library) -> Environment:
    """The environment that has the library, made when it is missing. Raises NotInstalled."""
    if not library.requirements:
        return Environment(Path(sys.executable))
    folder = HOME / library.name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / STAMP
    made = json.loads(stamp.read_text("utf-8")) if stamp.is_file() and python.exists() else {}
    if made.get("requirements") != list(library.requirements) or "unmet" not in made:
        unmet = build(library, folder, python)
        made = {"requirements": library.requirements, "unmet": unmet}
        stamp.write_text(json.dumps(made), "utf-8")
    return Environment(python, tuple(made["unmet"]))


def build(library: Library, folder: Path, python: Path) -> tuple[str, ...]:
    """Make the environment; what is unmet. Raises NotInstalled, and leaves nothing half-made behind."""
    shown = " ".join(library.requirements)
    tell(f"peers: installing {shown} into {folder.relative_to(ROOT)} (about {library.seconds} s; busy, 3 times that) …")
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        said(sys.executable, "-m", "venv", str(folder))
        unmet = install(library, python)
    except NotInstalled:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    tell(f"peers: {library.name} is ready after {time.monotonic() - started:.0f} s")
    return unmet


def install(library: Library, python: Path) -> tuple[str, ...]:
    """As its own words ask; only when that cannot be resolved, `loosely`. What pip finds unmet afterwards."""
    try:
        pip(python, *library.requirements)
    except NotInstalled:
        if not library.carriers:
            raise
        loosely(library, python)
    done = subprocess.run(
        [str(python), "-m", "pip", "check"], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    unmet = tuple(done.stdout.splitlines()) if done.returncode else ()
    for line in unmet:
        tell(f"peers: {line}")
    return unmet


def loosely(library: Library, python: Path) -> None:
    """Install with whatever certifi there is, and everything else as asked.

    litellm 1.109.1 and langchain-core 1.8 ask for a certifi of the same month, which not every index has. It is a list
    of certificates, and the twin speaks no TLS; so it changes nothing that is measured, and what is unmet is told.
    """
    pip(python, "--no-deps", *library.carriers)
    pip(python, *json.loads(said(str(python), "-c", NEEDED, *library.carriers)))
    # What was installed last may have put an older carrier in the place of the one that was asked for.
    pip(python, "--no-deps", *library.carriers)


def pip(python: Path, *arguments: str) -> None:
    """Install into that environment. Where packages come from is pip's own configuration."""
    said(str(python), "-m", "pip", "install", "--quiet", "--no-input", *arguments)


def said(*command: str) -> str:
    """What a command printed. Raises NotInstalled with its last words when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"no end after {LIMIT} s") from None
    if done.returncode:
        errors = [line for line in (done.stderr or done.stdout).splitlines() if line.startswith("ERROR")]
        raise NotInstalled(errors[0] if errors else f"`{' '.join(command[1:4])[:60]}` ended with {done.returncode}")
    return done.stdout


def tell(line: str) -> None:
    """How it goes, beside the answer on standard output."""
    print(line, file=sys.stderr, flush=True)
