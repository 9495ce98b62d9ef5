"""`byollm.lock`: which distributions may be loaded, and the digest of their files, compared before any import.

The digest covers name and bytes of every file that a distribution's record lists, but for what an installer makes on
each machine anew (scripts, bytecode, its own notes), so that the same wheel has the same digest everywhere.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from byollm.errors import ConfigError, PluginError

VERSION: Final = 1
_MADE_HERE: Final = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json", "uv_cache.json", "uv_build.json"}
)


class Pin(NamedTuple):
    """One distribution as it was when it was locked. `digest` is `sha256:` and 64 hexadecimal digits."""

    distribution: str
    version: str
    digest: str


def normalized(name: str) -> str:
    """A distribution's name in the one spelling that stands for all (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pin(owner: Distribution) -> Pin:
    """A distribution as it is installed now. Nothing is imported.

    Raises PluginError when its record does not list the modules that its entry points name (an editable install), or
    when Python would import them from somewhere else.
    """
    _require_modules(owner)
    return Pin(owner.name, owner.version, digest(contents_of(owner)))


def contents_of(owner: Distribution) -> dict[str, str]:
    """What `digest` is made of: each file that the record lists, and the SHA-256 of what stands in it now."""
    return {file.as_posix(): _sha256(file) for file in owner.files or () if not made_here(file)}


def digest(files: Mapping[str, str]) -> str:
    """The one digest of many files: path in the folder for modules → SHA-256 of the content, in hexadecimal digits."""
    lines = [f"{name}\0{files[name]}\n" for name in sorted(files)]
    return f"sha256:{hashlib.sha256(''.join(lines).encode('utf-8', 'surrogateescape')).hexdigest()}"


def made_here(file: PurePosixPath) -> bool:
    """An installer makes it, on each machine anew. Scripts stand outside of the folder for modules; none is one."""
    noted = len(file.parts) == 2 and file.parts[0].endswith(".dist-info") and file.name in _MADE_HERE
    return noted or file.parts[0] == ".." or file.suffix == ".pyc"


def read_lock(path: str) -> Mapping[str, Pin]:
    """The pins of a lock file, by normalized name. Raises ConfigError when it is missing or no lock file."""
    write = f"byollm lock --output {path}"
    mend = f"restore it, or move it away and run: {write}"
    try:
        with open(os.path.expanduser(path), "rb") as file:
            document = {"plugin": [], **tomllib.load(file)}
        pins = {normalized(entry["distribution"]): Pin(**entry) for entry in document["plugin"]}
        if document["version"] == VERSION and len(pins) == len(document["plugin"]):
            return pins
        problem = f"this is no lock file of version {VERSION}, or it names a distribution twice"
    except OSError as error:
        problem = f"the lock file cannot be read: {error.strerror}"
        mend = write if isinstance(error, FileNotFoundError) else "name a file that can be read"
    except (KeyError, TypeError, ValueError) as error:
        problem = f"this is no lock file: {type(error).__name__}: {error}"
    raise ConfigError(problem, hint=mend, file=path)


def require_pinned(owner: Distribution, path: str) -> None:
    """Refuse a distribution that is not installed as the lock file pins it, or that requires one that is not.

    Raises PluginError, naming both digests, and ConfigError for the lock file itself. Nothing is imported.
    """
    pins, waiting, seen = read_lock(path), [owner], set[str]()
    while waiting:
        each = waiting.pop()
        name = normalized(each.name)
        if name not in seen:
            seen.add(name)
            _compare(pin(each), pins.get(name), path)
            waiting += _required(each, pins)


def _compare(found: Pin, pinned: Pin | None, path: str) -> None:
    if found == pinned:
        return
    told = f"it pins {pinned.version} with {pinned.digest}" if pinned else "it does not pin it"
    raise PluginError(
        f"{found.distribution} {found.version} with {found.digest} is not what {path} lets in: {told}; not imported",
        hint=f"install what is pinned; or, once you trust what is installed: byollm lock --output {path}",
    )


def _required(owner: Distribution, pins: Mapping[str, Pin]) -> Iterable[Distribution]:
    names = {normalized(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in owner.requires or ()}
    for name in names & pins.keys():
        try:
            yield distribution(name)
        except PackageNotFoundError:
            continue  # required under a condition that does not hold here


def _require_modules(owner: Distribution) -> None:
    files = {file.as_posix(): file for file in owner.files or ()}
    for module in {point.module.partition(".")[0] for point in owner.entry_points if point.group.startswith("byollm.")}:
        file = files.get(f"{module}/__init__.py") or files.get(f"{module}.py")
        spec = PathFinder.find_spec(module)
        origin = (spec and spec.origin) or "nowhere"
        if file is None or os.path.realpath(origin) != os.path.realpath(str(file.locate())):
            why = f"Python imports {module} from {origin}" if file else f"its record lists no {module} (editable?)"
            hint = f"install its wheel: pip install --force-reinstall {owner.name}"
            raise PluginError(f"{owner.name} {owner.version} cannot be pinned: {why}", hint=hint)


def _sha256(file: PackagePath) -> str:
    try:
        with open(str(file.locate()), "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return "missing"
