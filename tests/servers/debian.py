"""Programs of Debian, without installing them: fetched by apt-get as it is configured here, unpacked beside the tree.

They are kept in $BYOLLM_CACHE, else ~/.cache/byollm, under `debian/`. Nothing of the system changes, and no service is
started: a test starts the program itself, on 127.0.0.1 and with its own files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.build import BuildError, alone, cache, run


def unpacked(name: str, *others: str) -> Path:
    """A folder with the files of a package and of `others` in it, as they would lie under the root of the system.

    Raises BuildError where apt-get is missing or cannot fetch them.
    """
    home = cache() / "debian" / name
    home.mkdir(parents=True, exist_ok=True)
    with alone(home / "lock"):
        if not (home / "whole").exists():
            _fetch(home, [name, *others])
    return home / "root"


def environment(root: Path) -> dict[str, str]:
    """The variables that let an unpacked program find its unpacked libraries."""
    folders = [path for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*") for path in root.glob(pattern)]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}


def _fetch(home: Path, names: list[str]) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise BuildError(f"{names[0]} comes from Debian, and there is no apt-get here")
    log = home / "apt.log"
    root = home / "root"
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        if _download(names, scratch, log):
            run(["apt-get", "update", "-q"], log, check=False)
            if _download(names, scratch, log):
                raise BuildError(f"apt-get could not fetch {' '.join(names)}; its words are in {log}")
        for package in sorted(Path(scratch).glob("*.deb")):
            run(["dpkg-deb", "-x", package, root], log)
    (home / "whole").touch()


def _download(names: list[str], folder: str, log: Path) -> int:
    with log.open("a") as words:
        return subprocess.call(["apt-get", "download", "-q", *names], cwd=folder, stdout=words, stderr=words)
