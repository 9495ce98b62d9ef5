"""Ruff over the tree, mypy --strict over all that ships and over tools, plain mypy over each folder of tests.

Each folder of tests is its own mypy run: test modules of different members bear the same names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.environment import ROOT, members


def run(title: str, *arguments: str, search: list[Path]) -> bool:
    """Run one module of the environment and say how it went; `search` is where mypy finds top-level names."""
    print(f"check: {title}", flush=True)
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(str(path) for path in search)}
    return subprocess.call([sys.executable, "-m", *arguments], cwd=ROOT, env=environment) == 0


def main() -> int:
    """Run every check, all of them even when one fails; 1 when one failed."""
    sources = [member / "src" for member in members()]
    tests = [folder for member in [*members(), ROOT] if any((folder := member / "tests").rglob("*.py"))]
    good = [run("ruff", "ruff", "check", "--quiet", ".", search=[])]
    shipped = [str(path.relative_to(ROOT)) for path in [*sources, ROOT / "tools"]]
    good.append(run("mypy --strict, all that ships", "mypy", "--strict", *shipped, search=[*sources, ROOT]))
    for folder in tests:
        name = str(folder.relative_to(ROOT))
        # The root's tests are the package `tests`; a member's are found by their bare names.
        search = [*sources, ROOT] if folder.parent == ROOT else [folder, *sources]
        good.append(run(f"mypy, {name}", "mypy", name, search=search))
    print("check: all clean" if all(good) else f"check: {good.count(False)} of {len(good)} not clean")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
