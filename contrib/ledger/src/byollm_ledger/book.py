"""One process's pen: lines go to its journal at once, and a thread folds the journal into the database.

Whoever calls pays for one `write` and for nothing else. The thread starts with the first line, groups what comes within
`interval` seconds into one commit, and ends when nothing comes. A process that is killed leaves its journal to the
next one that looks (`fold.adopt`).
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from byollm.errors import ByollmError
from byollm_ledger.address import open_store
from byollm_ledger.errors import LedgerError, LedgerFullError, LedgerGoneError
from byollm_ledger.fold import Fold, adopt, notice
from byollm_ledger.forks import leave_alone, watch
from byollm_ledger.journal import Folder, Journal, Lock, UnconfirmedError, line_of
from byollm_ledger.store import Store
from byollm_ledger.tally import Tally

ROTATE: Final = 8 << 20
"""Bytes after which a journal that is folded is begun anew."""
IDLE: Final = 5.0
log = logging.getLogger("byollm")
_Found = TypeVar("_Found")
_alive: weakref.WeakSet[Book] = weakref.WeakSet()


class Book:
    """Writes lines. Safe in threads and after a fork. `failures` counts by name, `lost` the lines that are gone."""

    def __init__(
        self,
        path: str,
        journals: str,
        *,
        full: bool = False,
        interval: float = 0.25,
        backlog: int = 256 << 20,
        spill: int = 10_000,
    ) -> None:
        self.path = path
        self.folder = Folder(Path(journals))
        self.full = full
        self.interval = interval
        self.backlog = backlog
        self.failures: dict[str, int] = {}
        self.lost = 0
        self._noted: dict[str, int] = {}
        self._spill = spill
        self._begin()
        _alive.add(self)
        watch(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._folding = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._dirty = False
        self._owed: deque[tuple[Any, Callable[[int], bytes]]] = deque()
        self._journal: Journal | None = None
        self._held: Lock | None = None
        self._process = ""
        self._number = 0
        self._old: list[Path] = []
        self._store: Store | None = None
        self._fold: Fold | None = None
        self.tally = Tally()

    @property
    def busy(self) -> bool:
        """Something was written, or a database is open."""
        return self._journal is not None or self._store is not None

    def append(self, kind: Any, line: Callable[[int], bytes], *, keep: bool) -> OSError | None:
        """Write a line: `line(number)` is its JSON, given the number of its kind. None when it stands in the journal.

        Else the reason why not; with `keep` the line waits in memory for the disk to take it, as far as there is room.
        An UnconfirmedError is the reason of a line that stands there all the same.
        """
        with self._lock:
            problem = self._pay() if self._owed else None
            if problem is None:
                problem = self._written(kind, line)
            if problem is not None and keep and not isinstance(problem, UnconfirmedError):
                if len(self._owed) < self._spill:
                    self._owed.append((kind, line))
                else:
                    self.lost += 1
        if not self._dirty:
            self._nudge()
        return problem

    def owing(self) -> OSError | None:
        """Why lines still wait in memory; None when none does."""
        with self._lock:
            return self._pay() if self._owed else None

    def _pay(self) -> OSError | None:
        while self._owed:
            problem = self._written(*self._owed[0])
            if problem is not None and not isinstance(problem, UnconfirmedError):
                return problem
            self._owed.popleft()
        return None

    def _written(self, kind: Any, line: Callable[[int], bytes]) -> OSError | None:
        try:
            journal = self._journal or self._opened()
            if journal.size > self.backlog:
                return OSError(errno.EDQUOT, "more is waiting for the database than `backlog_megabytes` allows")
            number = journal.kinds.get(kind)
            if number is None:
                number = len(journal.kinds)
                journal.append(line_of(kind.line(number)))
                journal.kinds[kind] = number
            journal.append(line_of(line(number)), sync=self.full)
        except OSError as error:
            problem = error.with_traceback(None)
        else:
            return None
        self.failed("journal", problem)
        return problem

    def _opened(self) -> Journal:
        name = self.folder.prepare()
        for _ in range(16):
            if self._held is not None:
                break
            self._process, self._number = f"{name}-{os.urandom(6).hex()}", 0
            with suppress(BlockingIOError):
                self._held = Lock(self.folder.lock_of(self._process), create=True)
        if self._held is None:
            raise OSError(errno.EAGAIN, "no journal can be locked")
        self._number += 1
        self._journal = Journal(self.folder.path / f"{self._process}.{self._number}.log")
        return self._journal

    def failed(self, what: str, error: BaseException) -> None:
        """Count a failure, and say the first of its name."""
        reason = getattr(error, "strerror", None) or getattr(error, "message", None) or type(error).__name__
        seen = self.failures[what] = self.failures.get(what, 0) + 1
        if seen == 1:
            log.warning(
                "ledger %s: the %s cannot be written (%s); further failures are counted",
                _shown(self.path),
                what,
                reason,
            )

    def _nudge(self) -> None:
        with self._lock:
            self._dirty = True
            self._wake.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="byollm-ledger", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        pause = self.interval
        while True:
            if not self._wake.wait(IDLE):
                with self._lock:
                    if not self._wake.is_set():
                        self._thread = None
                        return
            self._wake.clear()
            self._hurry.wait(pause)
            self._dirty = False
            try:
                self.fold()
                pause = self.interval
            except Exception as error:  # whatever it is: the journal keeps what this thread could not fold
                self.failed("database", error)
                self._drop_store()
                pause = min(5.0, 2 * pause)
                self._wake.set()

    def fold(self) -> None:
        """Everything that stands in the journal into the database. Raises LedgerError and OSError."""
        with self._folding:
            if self._journal is None and not self._old:
                return
            fold = self._ready()
            while True:
                with self._lock:
                    journal, old = self._journal, list(self._old)
                for path in old:
                    fold.take(path, whole=True)
                    path.unlink()
                    fold.forget(path.name)
                    self._old.remove(path)
                if journal is None:
                    return
                folded = fold.take(journal.path, whole=False)
                if not self._rotated(journal, folded):
                    self._note(fold.store)
                    return

    def looked(self, look: Callable[[Store], _Found]) -> _Found:
        """What `look` finds in the database while this process adds nothing to it. Raises LedgerError and OSError."""
        with self._folding:
            return look(self._ready().store)

    def _note(self, store: Store) -> None:
        """What went wrong stands in the database too, as soon as it can be written: `byollm usage` shows it."""
        seen = {f"{name} could not be written": count for name, count in self.failures.items()}
        if self.lost:
            seen["lines lost"] = self.lost
        new = {name: count - self._noted.get(name, 0) for name, count in seen.items()}
        if any(new.values()):
            when = datetime.now(UTC).isoformat(timespec="seconds")
            with store.transaction():
                for name, count in sorted(new.items()):
                    if count:
                        notice(store, name, count, when)
            self._noted = seen

    def _ready(self) -> Fold:
        if self._store is not None and not self._store.still_there():
            self.failed("database", LedgerGoneError("it was moved or deleted"))
            self._store.close()
            self._store = self._fold = None
        if self._store is None:
            store = open_store(self.path, full=self.full)
            try:
                adopt(store, self.folder)
            except BaseException:
                store.close()
                raise
            self._store, self._fold = store, None
        if self._fold is None or self._fold.process != self._process:
            self._fold = Fold(self._store, self._process, self.tally)
        return self._fold

    def _drop_store(self) -> None:
        with self._folding:
            if self._store is not None:
                self._store.close()
            self._store = self._fold = None

    def _rotated(self, journal: Journal, folded: int) -> bool:
        """A new journal takes the place of a long one; what came meanwhile is folded in the next round."""
        if folded < ROTATE:
            return False
        with self._lock:
            if self._journal is journal:
                try:
                    self._opened()
                except OSError as error:
                    self.failed("journal", error)
                    return False
                journal.close()
                self._old.append(journal.path)
        return True

    def close(self) -> None:
        """Fold the rest, and let go. May be used again afterwards. Never raises."""
        self._hurry.set()
        self.owing()
        try:
            self.fold()
            self._let_go()
        except (LedgerError, OSError) as error:
            self.failed("database", error)
        finally:
            self._hurry.clear()

    def _let_go(self) -> None:
        """Without an attempt on its way nothing is left to guard; else the next who looks finds it."""
        with self._folding, self._lock:
            journal, fold = self._journal, self._fold
            if journal is None and self._store is not None:
                self._store.close()
                self._store = self._fold = None
            if journal is None or fold is None or self._owed:
                return
            if fold.take(journal.path, whole=False) == journal.size and not fold.open:
                journal.close()
                journal.path.unlink()
                fold.forget(journal.path.name)
                if self._held is not None:
                    self._held.release(remove=True)
                self._journal = self._held = None
            if self._store is not None:
                self._store.close()
            self._store = self._fold = None

    def __del__(self) -> None:
        """A client that was dropped instead of closed: its journal is there for whoever opens the ledger next."""
        if self._journal is not None:
            self._journal.close()
        if self._held is not None:
            self._held.release(remove=False)

    def after_fork(self) -> None:
        """In the child: nothing of the parent's is used, and nothing of it is closed that the parent needs."""
        if self._store is not None:
            leave_alone(self._store)
        if self._journal is not None:
            self._journal.close()
        if self._held is not None:
            self._held.forget()
        self.lost, self.failures, self._noted = 0, {}, {}
        self._begin()


def _shown(path: str) -> str:
    return path.partition("://")[0] + "://…" if "://" in path else path


def _at_exit() -> None:
    for book in list(_alive):
        book.close()


atexit.register(_at_exit)


def refusal(problem: OSError, path: str) -> ByollmError:
    """What a call gets that may not go on without its record."""
    kind = LedgerFullError if problem.errno in (errno.ENOSPC, errno.EDQUOT) else LedgerError
    reason = problem.strerror or type(problem).__name__
    return kind(
        f"the ledger {_shown(path)} cannot be written ({reason}); nothing was sent",
        hint="make room, or say `on_failure: spill` or `drop` for the ledger",
    )
