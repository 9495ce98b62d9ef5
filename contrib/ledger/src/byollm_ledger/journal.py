"""The journal: one append-only file a process, one line a fact. What is in it survives the process.

A line is a checksum, a space, JSON and a newline. `k` names a kind, `i` says that an attempt is about to be sent, `r`
what became of it. A line that does not match its checksum is torn: it is counted and passed over. A process holds a
lock on its journals as long as it lives; who gets the lock knows that it is dead and may take the journals over.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from byollm.plugin import parse_json

_NAME: Final = re.compile(r"([0-9a-f]{8}-[0-9a-f]{12})\.(\d+)\.log")
CHUNK: Final = 1 << 17
STALE: Final = 60.0
"""Seconds after which a lock file without journals is nobody's who is about to write one."""


def line_of(body: bytes) -> bytes:
    """A line as it stands in the file."""
    return b"%08x %b\n" % (crc32(body), body)


def fact_in(line: bytes) -> Any:
    """What a line says, None for a torn one. `line` comes without its newline."""
    body = line[9:]
    try:
        return parse_json(body) if int(line[:8], 16) == crc32(body) and line[8:9] == b" " else None
    except ValueError:
        return None


def facts_in(path: Path, offset: int, *, whole: bool) -> Iterator[tuple[list[Any], int]]:
    """Chunks of facts from `offset`, each with the offset behind it; a torn line is a None among the facts.

    What stands behind the last newline is being written, unless the file is `whole`: then it is torn.
    """
    with path.open("rb") as file:
        file.seek(offset)
        rest = b""
        while chunk := file.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            facts = [fact_in(line) for line in lines if line]
            offset += sum(map(len, lines)) + len(lines)
            if lines:
                yield facts, offset
        if rest and whole:
            yield [None], offset + len(rest)


class Lock:
    """Held by a living process; the kernel lets it go when the process ends, however it ends."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Raises BlockingIOError when somebody else holds it, OSError when it cannot be had at all."""
        self.path = path
        flags = os.O_RDWR | (os.O_CREAT if create else 0)
        self.handle = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists() or os.fstat(self.handle).st_ino != path.stat().st_ino:
                raise BlockingIOError("somebody took it over and is done")
        except OSError:
            os.close(self.handle)
            raise

    def release(self, *, remove: bool) -> None:
        """Let it go; `remove` when nothing is left that it guards."""
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.handle)

    def forget(self) -> None:
        """In a child after a fork: the parent still holds it."""
        os.close(self.handle)


class Folder:
    """Where the journals of one ledger stand."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> str:
        """Make it, and answer its name: drawn once, so that two machines with one database are told apart."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        named = self.path / "name"
        try:
            with named.open("x") as file:
                file.write(os.urandom(4).hex())
        except FileExistsError:
            pass
        deadline = time.monotonic() + 5
        while not (found := named.read_text().strip()):  # another process is writing it at this moment
            if time.monotonic() > deadline:
                raise OSError(f"{named} is empty: delete it")
            time.sleep(0.01)
        return found

    @property
    def name(self) -> str | None:
        """Its name, None while nobody wrote here."""
        try:
            return (self.path / "name").read_text().strip() or None
        except OSError:
            return None

    def journals(self, process: str) -> list[Path]:
        """The journals of a process, oldest first."""
        found = [path for path in self.path.glob(f"{process}.*.log") if _NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: int(path.name.split(".")[1]))

    def processes(self) -> list[str]:
        """All that left something here, and may be alive."""
        with suppress(OSError):
            names = {
                entry.name.partition(".")[0]
                for entry in os.scandir(self.path)
                if entry.name.endswith((".log", ".lock"))
            }
            return sorted(names)
        return []

    def lock_of(self, process: str) -> Path:
        """The file that a process holds locked as long as it lives."""
        return self.path / f"{process}.lock"

    def take_over(self, process: str) -> Lock | None:
        """The lock of a dead process; None while it lives, or somebody else has taken over."""
        try:
            return Lock(self.lock_of(process), create=True)
        except OSError:
            return None

    def waiting(self) -> int:
        """Bytes of all journals: what may not be in the database yet, and a little that is."""
        total = 0
        for path in self.path.glob("*.log"):
            with suppress(OSError):
                total += path.stat().st_size
        return total


class UnconfirmedError(OSError):
    """The line stands in the file, but the disk did not say that it has it. Writing it again would book it twice."""


class Journal:
    """The file being written. Not safe in threads: whoever owns it holds a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)
        self.size = 0
        self.kinds: dict[Any, int] = {}
        self._torn = False

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """Raises OSError, and then the line is not there; at most a torn one that readers pass over.

        Raises UnconfirmedError when only `sync` failed, and then it is there.
        """
        if self._torn:
            line = b"\n" + line
        written = 0
        try:
            written = os.write(self.handle, line)
            while written < len(line):
                written += os.write(self.handle, line[written:])
        except OSError:
            self._torn = self._torn or written > 0
            self.size += written
            raise
        self._torn = False
        self.size += written
        if sync:
            try:
                os.fsync(self.handle)
            except OSError as error:
                problem = UnconfirmedError(error.errno, error.strerror)
            else:
                return
            raise problem

    def close(self) -> None:
        """No more is written."""
        os.close(self.handle)
