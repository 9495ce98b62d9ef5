"""The record as files: `audit-000001.jsonl` and so on in one folder, all one chain, beside what is kept encrypted.

Every line is written with one `write` before the call goes on: it outlives the process. Several processes share the
chain by a lock on `lock`; who finds lines of another reads and proves them first. A line that is torn, because its
writer was killed in the middle of it, is taken away by the next writer, who records how long it was.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_json

from byollm_audit.chain import Chain, header, split
from byollm_audit.content import WRAPPED
from byollm_audit.errors import AuditStoreError, TamperedError
from byollm_audit.keys import Mac
from byollm_audit.locking import FolderLock
from byollm_audit.segments import (
    PLAIN,
    Tail,
    failed,
    log_of,
    of_content,
    read_content,
    repaired,
    segments,
    sync_folder,
    to_disk,
    write_all,
)

LOOK: Final = 64
"""Records between two looks at whether the file was removed or replaced. That it was cut is seen at once."""


class FileStore:
    """The chain of a folder. `limit`: bytes after which a segment is sealed. `sync`: wait for the disk, each time."""

    def __init__(self, folder: Path, key: bytes, *, limit: int = 64 << 20, sync: bool = False, wait: float = 5) -> None:
        self.folder = folder
        self._sign = Mac(key)
        self._limit = limit
        self._sync = sync
        self._lock = FolderLock(folder / "lock", wait)
        self._chain = Chain(self._sign)
        self._file = self._content = -1
        self._path = folder
        self._until_look = 0
        self._segment = self._size = self._inode = self._first = 0
        self.log = ""

    def close(self) -> None:
        """Let all handles go. They are opened again when they are needed."""
        if self._file >= 0:
            with self._lock:
                self._drop()
            self._lock.close()

    def _drop(self) -> None:
        for handle in (self._file, self._content):
            if handle >= 0:
                os.close(handle)
        self._file = self._content = -1

    def append(self, fields: bytes) -> bytes:
        """Write one record, a JSON object that is not empty, and answer with its line. Raises AuditError."""
        try:
            with self._lock:
                self._ready()
                return self._write(fields)
        except OSError as error:
            problem = error
        raise failed(problem)

    def append_with(self, record: dict[str, Any], content: bytes) -> bytes:
        """The same for a record with encrypted content: `content` is added to it, saying where that lies."""
        try:
            with self._lock:
                self._ready()
                at = os.fstat(self._content_handle()).st_size
                write_all(self._content, content)
                if self._sync:
                    to_disk(self._content)
                where = {"segment": self._segment, "at": at, "size": len(content)}
                return self._write(to_json({**record, "content": {**where, **of_content(content)}}))
        except OSError as error:
            problem = error
        raise failed(problem)

    def head(self) -> dict[str, Any]:
        """The anchor: what the chain's end is now. Raises AuditError."""
        try:
            with self._lock:
                self._ready()
                return {"log": self.log, "segment": self._segment, "n": self._chain.n, "mac": self._chain.mac.hex()}
        except OSError as error:
            problem = error
        raise failed(problem)

    def destroy(self, where: dict[str, Any]) -> None:
        """Overwrite the key of a content. Raises AuditStoreError."""
        try:
            with self._content_path(int(where["segment"])).open("r+b") as file:
                file.seek(int(where["at"]))
                file.write(bytes(WRAPPED))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            problem = error
        else:
            return
        raise failed(problem)

    def content(self, where: dict[str, Any]) -> bytes:
        """The bytes of a content; fewer than it should have when the file was cut. Raises AuditStoreError."""
        return read_content(self.folder, where)

    def lines(self) -> Iterator[bytes]:
        """Every line, without its line break; a torn last one is left out."""
        for path in segments(self.folder).values():
            with path.open("rb") as file:
                yield from (line[:-1] for line in file if line.endswith(b"\n"))

    def _content_path(self, segment: int) -> Path:
        return self.folder / f"audit-{segment:06}.content"

    def _content_handle(self) -> int:
        if self._content < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | PLAIN
            self._content = os.open(self._content_path(self._segment), flags, 0o600)
        return self._content

    def _write(self, fields: bytes) -> bytes:
        line, mac = self._chain.sealed(fields)
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise AuditStoreError("the audit's disk took a part of a record only", hint="is it full?")
        except BaseException:
            self._take_back()
            raise
        self._size += len(line)
        self._chain.took(mac)
        if self._sync:
            to_disk(self._file)
        return line

    def _take_back(self) -> None:
        """What a full disk took of a line. Where that fails, the next writer mends it."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            self._drop()

    def _ready(self) -> None:
        """Open at the chain's end, whatever others wrote meanwhile."""
        if self._file < 0:
            self._resume()
        else:
            self._until_look -= 1
            if self._until_look < 0:
                self._until_look = LOOK
                self._look()
            size = os.lseek(self._file, 0, os.SEEK_END)
            if size != self._size:
                self._catch_up(size)
        if self._size >= self._limit:
            self._rotate()
        if self._size == 0:
            self._write(to_json(header(self.log, self._segment, time.time(), self._chain.mac)))

    def _look(self) -> None:
        """Is the file that is open still the one of that name?"""
        if os.stat(self._path).st_ino != self._inode:
            raise self._changed()

    def _changed(self) -> TamperedError:
        return TamperedError(
            f"{self._path.name} was cut, removed or replaced while it was in use",
            hint="`byollm audit verify --anchor …` tells what is missing",
        )

    def _catch_up(self, size: int) -> None:
        self._look()
        if size < self._size:
            raise self._changed()
        with self._path.open("rb") as file:
            file.seek(self._size)
            sealed = self._follow(file.read())
        if sealed:
            self._next(create=not self._path_of(self._segment + 1).exists(), prove=True)

    def _follow(self, data: bytes) -> bool:
        """Lines that others wrote, and whether the segment was sealed. A torn rest is taken away, and recorded."""
        *lines, torn = data.split(b"\n")
        record: dict[str, Any] = {}
        for raw in lines:
            record = self._chain.follow(raw).record()
            self._size += len(raw) + 1
        if torn:
            os.ftruncate(self._file, self._size)
            self._write(repaired(torn))
        return record.get("kind") == "seal" and not torn

    def _path_of(self, segment: int) -> Path:
        return self.folder / f"audit-{segment:06}.jsonl"

    def _resume(self) -> None:
        """Open the last segment, or begin the first. Raises TamperedError when less is there than this process left."""
        numbers = list(segments(self.folder))
        known = self._chain
        self._segment = numbers[-1] - 1 if numbers else 0
        if numbers:
            before = self._path_of(self._segment)
            self._chain = self._end_of(Tail.of(before)) if before.exists() else Chain(self._sign)
            self.log = self.log or log_of(before)
        elif known.n:
            raise TamperedError("the audit's segments are gone", hint="they were there when this process last wrote")
        self.log = self.log or ("" if numbers else secrets.token_hex(8))
        self._next(create=not numbers)
        if known.n > self._chain.n or (known.n == self._chain.n and known.mac != self._chain.mac):
            raise TamperedError(f"the audit had {known.n} records when this process last wrote; it has {self._chain.n}")

    def _end_of(self, tail: Tail) -> Chain:
        """The chain after a segment's last line, which must follow from the line before it."""
        found = [split(line) for line in tail.lines]
        if not found or any(line is None for line in found):
            raise TamperedError("a segment does not end with records", hint="`byollm audit verify` looks at all of it")
        first = found[0]
        assert first is not None
        chain = Chain(self._sign, first.n, first.mac)
        for line in tail.lines[1:]:
            chain.follow(line)
        return chain

    def _next(self, *, create: bool, prove: bool = False) -> None:
        """Go to the next segment: make it, or take up what is in it. `prove`: from its first line on."""
        self._drop()
        self._segment += 1
        self._path = self._path_of(self._segment)
        flags = os.O_WRONLY | os.O_APPEND | PLAIN
        if create:
            self._file = os.open(self._path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            sync_folder(self.folder)
        else:
            self._file = os.open(self._path, flags)
        self._inode, self._size = os.fstat(self._file).st_ino, 0
        if not create:
            self._take_up(prove)

    def _take_up(self, prove: bool) -> None:
        tail = Tail.of(self._path)
        if not tail.lines:
            self._begin_again(tail.torn)
            return
        self.log = self.log or log_of(self._path)
        if prove:
            sealed = self._follow(self._path.read_bytes())
        else:
            sealed = self._trust(tail)
        if sealed:
            self._next(create=not self._path_of(self._segment + 1).exists(), prove=prove)

    def _trust(self, tail: Tail) -> bool:
        """Go on after the last line: the proof of the lines before it is `verify`'s. Was the segment sealed?"""
        if len(tail.lines) == 1:
            self._chain.follow(tail.lines[0])
        else:
            self._chain = self._end_of(tail)
        self._size = tail.size
        if tail.torn:
            os.ftruncate(self._file, self._size)
            self._write(repaired(tail.torn))
            return False
        last = split(tail.lines[-1])
        return last is not None and last.record()["kind"] == "seal"

    def _begin_again(self, torn: bytes) -> None:
        """A segment without a whole first line. What it has instead is taken away, and recorded after the header."""
        self.log = self.log or secrets.token_hex(8)
        if torn:
            os.ftruncate(self._file, 0)
            self._write(to_json(header(self.log, self._segment, time.time(), self._chain.mac)))
            self._write(repaired(torn))

    def _rotate(self) -> None:
        """Seal this segment and begin the next."""
        self._write(to_json({"kind": "seal", "at": time.time(), "segment": self._segment}))
        os.fsync(self._file)
        self._path.chmod(0o400)
        self._next(create=True)
