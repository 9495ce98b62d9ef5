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
from typing import Any, Final, NamedTuple

from byollm.errors import ConfigError, PluginError

FILE: Final = "byollm.lock"
VERSION: Final = 1
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
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
    files = [file for file in owner.files or () if not _made_here(file)]
    _require_modules(owner, files)
    total = hashlib.sha256()
    for file in sorted(files, key=PackagePath.as_posix):
        total.update(f"{file.as_posix()}\0{_digest(file)}\n".encode("utf-8", "surrogateescape"))
    return Pin(owner.name, owner.version, f"sha256:{total.hexdigest()}")


def read_lock(path: str) -> Mapping[str, Pin]:
    """The pins of a lock file, by normalized name. Raises ConfigError when it is missing or no lock file."""
    try:
        with open(os.path.expanduser(path), "rb") as file:
            document = tomllib.load(file)
        pins = [Pin(**entry) for entry in document["plugin"]]
        if document["version"] != VERSION or not all(_whole(entry) for entry in pins):
            raise ValueError(f"it is not of version {VERSION}, or a pin is not three texts with a sha256 digest")
        if len({normalized(entry.distribution) for entry in pins}) < len(pins):
            raise ValueError("a distribution stands twice")
    except OSError as error:
        problem = f"the lock file cannot be read: {error.strerror}"
    except (KeyError, TypeError, ValueError) as error:
        problem = f"this is no lock file: {type(error).__name__}: {error}"
    else:
        return {normalized(entry.distribution): entry for entry in pins}
    raise ConfigError(problem, hint=f"byollm lock --output {path}", file=path)


def require_pinned(owner: Distribution, path: str) -> None:
    """Refuse a distribution that is not installed as the lock file pins it, or that requires one that is not.

    Raises PluginError, naming both digests, and ConfigError for the lock file itself. Nothing is imported.
    """
    pins = read_lock(path)
    wanted, seen = [owner], set[str]()
    while wanted:
        each = wanted.pop()
        if normalized(each.name) not in seen:
            seen.add(normalized(each.name))
            _compare(pin(each), pins.get(normalized(each.name)), path)
            wanted += _required(each, pins)


def _compare(found: Pin, pinned: Pin | None, path: str) -> None:
    mend = f"install what is pinned; or, once you trust what is installed: byollm lock --output {path}"
    if pinned is None:
        raise PluginError(f"{found.distribution} {found.version} is not in {path}: not loaded", hint=mend)
    if found[1:] != pinned[1:]:
        raise PluginError(
            f"{found.distribution} is not what {path} pins: installed is {found.version} with {found.digest}, pinned "
            f"is {pinned.version} with {pinned.digest}; nothing of it was imported",
            hint=mend,
        )


def _required(owner: Distribution, pins: Mapping[str, Pin]) -> Iterable[Distribution]:
    for line in owner.requires or ():
        name = normalized(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0])
        if name in pins:
            try:
                yield distribution(name)
            except PackageNotFoundError:
                continue  # required under a condition that does not hold here


def _require_modules(owner: Distribution, files: list[PackagePath]) -> None:
    listed = {file.as_posix(): file for file in files}
    modules = {point.module.partition(".")[0] for point in owner.entry_points if point.group.startswith("byollm.")}
    for module in sorted(modules):
        file = listed.get(f"{module}/__init__.py") or listed.get(f"{module}.py")
        what = f"{owner.name} {owner.version} cannot be pinned"
        if file is None:
            hint = "an editable install lists none of its modules: install the wheel"
            raise PluginError(f"{what}: its record does not list the module {module}", hint=hint)
        spec: Any = PathFinder.find_spec(module)
        if spec is None or not os.path.samefile(spec.origin or os.devnull, str(file.locate())):
            raise PluginError(f"{what}: Python would import {module} from elsewhere: {spec and spec.origin}")


def _made_here(file: PackagePath) -> bool:
    """Scripts are made by the installer, outside of the folder for modules; nothing imports them."""
    in_metadata = len(file.parts) == 2 and file.parts[0].endswith(".dist-info")
    return file.parts[0] == ".." or file.suffix == ".pyc" or (in_metadata and file.name in _MADE_HERE)


def _digest(file: PackagePath) -> str:
    try:
        with open(str(file.locate()), "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return "missing"


def _whole(entry: Pin) -> bool:
    return all(isinstance(text, str) and text for text in entry) and _DIGEST.fullmatch(entry.digest) is not None
