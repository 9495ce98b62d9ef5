"""Environments for what is kept out of the development environment: made once by their pins, outside the tree.

They are kept in $BYOLLM_CACHE, else ~/.cache/byollm, in folders named after the pins' digest. Our own distributions are
not installed in them: a test names their sources, so that one environment serves every clone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers.build import alone, cache, run
from tools.environment import python_of


def environment(pins: Path) -> Path:
    """The interpreter of an environment with all that a file pins, and nothing else; made when it is absent.

    pip installs it, by hash, from where it is configured to. Raises BuildError when it fails, as where a package has no
    wheel for this Python: nothing is compiled.
    """
    version = "{}.{}".format(*sys.version_info)
    home = cache() / f"{pins.stem}-{hashlib.sha256(version.encode() + pins.read_bytes()).hexdigest()[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    folder, whole = home / "environment", home / "whole"
    with alone(home / "lock"):
        if not (whole.exists() and works(python_of(folder))):
            whole.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            install(pins, folder, home / "log")
            whole.touch()
    return python_of(folder)


def install(pins: Path, folder: Path, log: Path) -> None:
    """Make the environment; the words of venv and pip are in `log`."""
    run([sys.executable, "-m", "venv", "--without-pip", folder], log)
    pip = [sys.executable, "-m", "pip", "--python", str(python_of(folder)), "--disable-pip-version-check", "--no-input"]
    run([*pip, "install", "--require-hashes", "--only-binary", ":all:", "-r", str(pins)], log)


def works(python: Path) -> bool:
    """Whether the interpreter starts: the Python that it was made from may be gone."""
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


def variables(sources: Sequence[Path], home: Path) -> dict[str, str]:
    """The variables for a program that runs our sources there, with an empty folder for its home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XDG_"))}
    return {**kept, "HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, sources))}
