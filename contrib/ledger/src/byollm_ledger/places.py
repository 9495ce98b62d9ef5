"""A name for this process among all that write into one ledger, and a lock that says that it lives."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress

from byollm_ledger.errors import LedgerError
from byollm_ledger.journal import Folder, Lock


class Presence:
    """The lock is taken with the first name, and let go by the kernel. Safe in threads and after a fork."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._held: Lock | None = None
        self._name = ""
        self._pid = 0

    def after_fork(self) -> None:
        """The child is another process, and the name stays its parent's."""
        self._lock = threading.Lock()
        if self._held is not None:
            self._held.forget()
        self._held = None

    def leave(self) -> None:
        """Nothing stands under the name any more."""
        with self._lock:
            if self._held is not None:
                self._held.release(remove=True)
            self._held = None

    def name(self) -> str:
        """Raises LedgerError when the folder cannot be written."""
        with self._lock:
            if self._held is None:
                try:
                    self._take()
                except OSError as error:
                    problem = LedgerError(f"{self.folder.path} cannot be written ({error.strerror})")
                else:
                    return self._name
                raise problem
            return self._name

    def _take(self) -> None:
        prefix = self.folder.prepare()
        for _ in range(16):
            self._name = f"{prefix}-{os.urandom(6).hex()}"
            with suppress(BlockingIOError):
                self._held = Lock(self.folder.lock_of(self._name), create=True)
                return
        raise OSError(errno.EAGAIN, "no name can be locked")
