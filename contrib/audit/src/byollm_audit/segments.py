"""What a folder of segments is made of, as it is read: names, first and last lines, contents."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_json

from byollm_audit.chain import split
from byollm_audit.content import WRAPPED
from byollm_audit.errors import AuditStoreError, TamperedError
from byollm_audit.keys import sha256

SEGMENT: Final = re.compile(r"audit-(\d{6})\.jsonl")
PLAIN: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""What handles are opened with, where the system knows it."""
to_disk = getattr(os, "fdatasync", os.fsync)
"""Wait until what was written is on the disk: macOS has no `fdatasync`."""
ENOUGH: Final = 1 << 16
"""Bytes from a segment's end in which its last two lines are looked for first."""


def segments(folder: Path) -> dict[int, Path]:
    """The segments of a folder by number, in order."""
    found = {int(match[1]): path for path in folder.glob("audit-*.jsonl") if (match := SEGMENT.fullmatch(path.name))}
    return dict(sorted(found.items()))


def of_content(content: bytes) -> dict[str, str]:
    """What a record says of its content: the digest of its key, which may be destroyed, and of all the rest."""
    return {"key_sha256": sha256(content[:WRAPPED]), "sha256": sha256(content[WRAPPED:])}


def read_content(folder: Path, where: dict[str, Any]) -> bytes:
    """The bytes of a content. Raises AuditStoreError when its file is gone."""
    try:
        with (folder / f"audit-{int(where['segment']):06}.content").open("rb") as file:
            file.seek(int(where["at"]))
            return file.read(int(where["size"]))
    except OSError as error:
        problem = error
    raise failed(problem)


def repaired(torn: bytes) -> bytes:
    """The record of a torn line that was taken away."""
    return to_json({"kind": "repaired", "at": time.time(), "bytes": len(torn), "sha256": sha256(torn)})


def first_line(path: Path) -> bytes:
    """The first whole line without its break; b"" when there is none."""
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    return line[:-1] if line.endswith(b"\n") else b""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a segment: its last two whole lines (fewer where there are fewer), their end, and what follows it."""

    lines: list[bytes]
    size: int
    torn: bytes

    @classmethod
    def of(cls, path: Path) -> Tail:
        """Read it from the end on. Raises OSError."""
        size = path.stat().st_size
        span = ENOUGH
        with path.open("rb") as file:
            while True:
                start = max(0, size - span)
                file.seek(start)
                *lines, torn = file.read().split(b"\n")
                if start == 0 or len(lines) > 2:
                    return cls(lines[-2:], size - len(torn), torn)
                span *= 4


def log_of(path: Path) -> str:
    """The name of the log that a segment belongs to. Raises TamperedError for one without a header."""
    if not path.exists():
        return ""
    head = split(first_line(path))
    with suppress(ValueError, RecursionError):
        if head is not None:
            return str(head.record().get("log"))
    raise TamperedError(f"{path.name} does not begin with a record", hint="`byollm audit verify` looks at all of it")


def write_all(handle: int, data: bytes) -> None:
    """Write all of it, however often that takes. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Windows opens no folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def missing(path: Path) -> AuditStoreError:
    """The error of whoever looks for an audit where there is none."""
    return AuditStoreError(f"there is no audit in {path}", hint="--path names its folder or database")


def failed(error: OSError) -> AuditStoreError:
    """The error that users see, without paths in it."""
    return AuditStoreError(
        f"the audit cannot be written or read ({error.strerror or type(error).__name__})",
        hint="free space on its disk, or look at its folder and who may write there",
    )
