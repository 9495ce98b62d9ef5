"""A wheel, a folder or an installed distribution as names and bytes, whoever packed it and whatever for.

Nothing is imported, unpacked or executed. What cannot be a plugin's wheel is a `Refused` that names what is wrong.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal

from byollm.cli.faults import UsageFault

MOST_BYTES: Final = 512 * 1024 * 1024
"""Of all files together, unpacked; and of the wheel itself."""
MOST_FILES: Final = 20_000
MOST_RATIO: Final = 200
"""Bytes unpacked for each byte of the wheel; honest text stays below 20."""
MOST_DIRECTORY: Final = 8 * 1024 * 1024
"""Bytes of a zip archive's own table of contents."""
_FREE: Final = 1024 * 1024
_END: Final = b"PK\x05\x06"
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "venv", "build", "dist"})
_ODD: Final = re.compile(r"[\x00-\x1f\x7f\\:]")

Open = Callable[[str], IO[bytes]]


class Refused(UsageFault):
    """What was given cannot be looked into. Exit code 2."""


@dataclass(frozen=True)
class Contents:
    """What is looked into. `names` are posix paths; `label` is how the user called it; `sha256` a wheel's own digest.

    `oddities`: (path, sentence) of what no honest archive has and can be told all the same.
    """

    kind: Literal["wheel", "folder", "installed"]
    label: str
    names: tuple[str, ...]
    opener: Open
    sha256: str | None = None
    oddities: tuple[tuple[str, str], ...] = ()
    owner: Distribution | None = None
    place: Path | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def read(self, name: str, limit: int) -> bytes | None:
        """A file's bytes; None when it has more than `limit`. Raises Refused when it cannot be read."""
        with self._reading(name) as file:
            data = file.read(limit + 1)
        return data if len(data) <= limit else None

    def start_of(self, name: str) -> bytes:
        """A file's first bytes. Raises Refused when it cannot be read."""
        with self._reading(name) as file:
            return file.read(8)

    def digest_of(self, name: str) -> str:
        """SHA-256 of a file, in hexadecimal digits. Raises Refused when it cannot be read."""
        total = hashlib.sha256()
        with self._reading(name) as file:
            while piece := file.read(1024 * 1024):
                total.update(piece)
        return total.hexdigest()

    @contextmanager
    def _reading(self, name: str) -> Iterator[IO[bytes]]:
        problem = ""
        try:
            with self.opener(name) as file:
                yield file
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            problem = str(error) or type(error).__name__
        except OSError as error:
            problem = error.strerror or type(error).__name__
        if problem:
            raise Refused(f"{self.label}: {name} cannot be read: {problem}", "ask its author for a whole one")


def contents_of(target: str) -> Contents:
    """Whatever `target` names: a wheel, a folder, an installed distribution. Raises Refused."""
    path = Path(target)
    try:
        if target and path.is_dir():
            return _folder(path)
        if target and path.exists():
            return _wheel(path)
        owner = distribution(target)
    except (PackageNotFoundError, ValueError):
        raise Refused(
            f"{target!r} is no file, no folder and no installed distribution", "byollm vet FILE.whl"
        ) from None
    return _installed(owner)


def _wheel(path: Path) -> Contents:
    label, sha256 = path.name, hashlib.sha256()
    try:
        packed = path.stat().st_size
        if not path.is_file() or packed > MOST_BYTES:
            raise Refused(f"{label}: this is no file, or larger than {MOST_BYTES >> 20} MiB", "a plugin is small")
        with open(path, "rb") as file:
            _look_at_the_end(file, packed, label)
            file.seek(0)
            while piece := file.read(1024 * 1024):
                sha256.update(piece)
        archive = zipfile.ZipFile(path)
        infos = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, OSError) as error:
        problem = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
        raise Refused(f"{label}: this is no wheel: {problem}", "a wheel is a zip archive") from None
    files = _checked(infos, packed, label)
    return Contents(
        "wheel", label, tuple(files), lambda name: archive.open(files[name]), sha256.hexdigest(),
        tuple(_oddities(files)), place=path, sizes={name: info.file_size for name, info in files.items()},
    )  # fmt: skip


def _look_at_the_end(file: IO[bytes], packed: int, label: str) -> None:
    """Refuse a table of contents of a size that reading it would take all memory; `zipfile` reads it whole."""
    file.seek(max(0, packed - 66_000))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise Refused(f"{label}: this is no wheel: it does not end as a zip archive does", "a wheel is a zip archive")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if size > MOST_DIRECTORY or b"PK\x06\x07" in tail[max(0, at - 20) : at]:
        raise Refused(f"{label}: its table of contents is larger than any plugin's", "do not install it")


def _checked(infos: list[zipfile.ZipInfo], packed: int, label: str) -> dict[str, zipfile.ZipInfo]:
    if len(infos) > MOST_FILES:
        raise Refused(f"{label}: {len(infos)} files are more than any plugin has", "do not install it")
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES or total > _FREE + MOST_RATIO * packed:
        raise Refused(f"{label}: it would unpack to {total} bytes: a zip bomb", "do not install it")
    files: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        problem = _problem(info, files)
        if problem:
            raise Refused(f"{label}: the path {info.orig_filename!r:.100} {problem}", "do not install it")
        if not info.is_dir():
            files[info.filename] = info
    return files


def _problem(info: zipfile.ZipInfo, files: Mapping[str, zipfile.ZipInfo]) -> str:
    name = info.orig_filename
    steps = name.removesuffix("/").split("/")
    if _ODD.search(name) or any(step in ("", ".", "..") for step in steps):
        return "leads out of the archive, or is no path"
    if name in files:
        return "stands twice: whoever reads it may get the other one"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    return "is encrypted" if info.flag_bits & 1 else ""


def _oddities(files: Mapping[str, zipfile.ZipInfo]) -> Iterator[tuple[str, str]]:
    first = min((info.header_offset for info in files.values()), default=0)
    if first:
        yield "", f"{first} bytes stand before the archive: the file may be something else as well"
    seen: dict[str, str] = {}
    for name in files:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            yield name, f"is the same file as {other} where case does not count"


def _folder(path: Path) -> Contents:
    names: list[str] = []
    links: list[tuple[str, str]] = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not name.startswith(".") and not Path(folder, name, "pyvenv.cfg").exists()
        )
        for name in sorted([*files, *(item for item in folders if Path(folder, item).is_symlink())]):
            relative = Path(folder, name).relative_to(path).as_posix()
            if Path(folder, name).is_symlink():
                links.append((relative, "is a link: what it leads to was not looked into"))
            elif name in files:
                names.append(relative)
        if len(names) > MOST_FILES:
            raise Refused(f"{path}: more than {MOST_FILES} files", "name the plugin's own folder")
    return Contents("folder", str(path), tuple(names), _opener(path), oddities=tuple(links), place=path)


def _opener(base: Path) -> Open:
    return lambda name: open(base / name, "rb")


def _installed(owner: Distribution) -> Contents:
    files = {file.as_posix(): file for file in owner.files or () if PurePosixPath(file).suffix != ".pyc"}
    if not files:
        raise Refused(f"{owner.name} {owner.version} has no record of its files", "vet its wheel instead")
    there = {name: str(file.locate()) for name, file in files.items() if os.path.isfile(str(file.locate()))}
    gone = tuple((name, "is listed in RECORD and not there") for name in files.keys() - there.keys())
    label = f"{owner.name} {owner.version}"
    return Contents(
        "installed", label, tuple(there), lambda name: open(there[name], "rb"),
        oddities=gone, owner=owner,
    )  # fmt: skip
