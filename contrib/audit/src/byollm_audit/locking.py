"""One writer at a time: threads by a lock, processes by the system's lock on a file."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from byollm_audit.errors import AuditStoreError

try:
    import fcntl
except ImportError:  # Windows: one process at a time may write; the guide says so
    fcntl = None  # type: ignore[assignment]  # mypy knows the module as one that is there

PAUSE: Final = 0.001
TAKE: Final = 0 if fcntl is None else fcntl.LOCK_EX | fcntl.LOCK_NB
DROP: Final = 0 if fcntl is None else fcntl.LOCK_UN
_all: WeakSet[FolderLock] = WeakSet()


class FolderLock:
    """A context manager. Raises AuditStoreError when another process keeps the lock for `seconds`."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._handle = -1
        self._threads = threading.Lock()
        _all.add(self)

    def forked(self) -> None:
        """The child's own: a lock on an inherited handle would be the parent's, too."""
        self._threads = threading.Lock()
        self.close()

    def close(self) -> None:
        """Let the handle go; it is opened again when it is needed."""
        with self._threads:
            handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def __enter__(self) -> None:
        self._threads.acquire()
        if self._handle >= 0 and fcntl is not None:
            try:
                fcntl.flock(self._handle, TAKE)
            except OSError:
                pass
            else:
                return
        self._opened()

    def _opened(self) -> None:
        """The lock's file is not open yet, or somebody else has it locked."""
        if fcntl is None:
            return
        try:
            if self._handle < 0:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except BaseException:
            self._threads.release()
            raise
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + self._seconds
        while True:
            try:
                return fcntl.flock(self._handle, TAKE)
            except OSError as error:
                if error.errno == errno.EWOULDBLOCK and time.monotonic() < until:
                    time.sleep(PAUSE)
                    continue
            self._threads.release()
            raise AuditStoreError(
                f"another process has kept the audit locked for {self._seconds:g} s",
                hint="find who holds `lock` in the audit's folder",
            )

    def __exit__(self, *problem: Any) -> None:
        try:
            if fcntl is not None:
                fcntl.flock(self._handle, DROP)
        finally:
            self._threads.release()


def _forked() -> None:
    for lock in list(_all):
        lock.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
