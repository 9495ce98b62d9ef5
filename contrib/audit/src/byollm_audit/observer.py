"""The observer: an intent before anything is sent, an outcome after, and the reasons of a refusal.

observers:
  - audit: {path: audit, key: "file:/etc/byollm/audit.key", required: true}
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from byollm import dump_messages
from byollm.errors import ByollmError
from byollm_audit import records
from byollm_audit.keys import Mac
from byollm_audit.settings import Settings, read
from byollm_audit.store import Store

if TYPE_CHECKING:
    from byollm.plugin import Call
    from byollm.types.completion import Attempt
    from byollm_audit.content import Vault

log = logging.getLogger("byollm")
NAMED: Final = 100
"""Lost records that are named one by one; more are only counted."""


class Audit:
    """Records every attempt, and every call that nobody may answer. The options are those of `Settings`.

    With `required: true` nothing is sent whose record cannot be written (AuditError). Without it, records that are lost
    are counted, and the next one that can be written says how many and which. Raises ConfigError for bad options.
    """

    def __init__(self, **options: Any) -> None:
        self.settings: Settings = read(options)
        self.required = self.settings.required
        self._store: Store | None = None
        self._vault: Vault | None = None
        self._sign: Mac | None = None
        self._making = threading.Lock()
        self._counting = threading.Lock()
        self._lost: deque[str] = deque(maxlen=NAMED)
        self._missing = 0
        self._latest = 0.0
        self._candidates = records.Candidates()
        self._forwards = [forward.make() for forward in self.settings.forward]

    def __reduce__(self) -> Any:
        raise TypeError("an audit is not pickled: make one in each process")

    @property
    def store(self) -> Store:
        """The place of the record, opened at first use. Raises AuditError."""
        if self._store is None:
            with self._making:
                if self._store is None:
                    self._sign = Mac(self.settings.chain_key().derive("prompt"))
                    self._vault = self.settings.vault()
                    self._store = self.settings.open_store()
        return self._store

    @property
    def _signed(self) -> Mac:
        assert self._sign is not None  # made with the store
        return self._sign

    def started(self, call: Call, deployment: str) -> None:
        """Before sending. Raises AuditError when the record cannot be written."""
        try:
            store = self._store or self.store
            record = records.intent(call, deployment, self._signed, self._candidates)
            content = None
            if self._vault is not None and call.request is not None:
                content = dump_messages(call.request.conversation)
            self._write(store, record, content)
        except ByollmError:
            self._miss(call, "intent")
            raise

    def finished(self, call: Call, attempt: Attempt) -> None:
        """After an attempt."""
        try:
            content = None
            if self._vault is not None and call.answer is not None:
                content = dump_messages([call.answer.message])
            self._write(self._store or self.store, records.outcome(call, attempt), content)
        except ByollmError:
            self._miss(call, "outcome")
            raise

    def withdrawn(self, call: Call, deployment: str) -> None:
        """Another observer would not have it sent: the intent came to nothing."""
        try:
            self._write(self._store or self.store, records.withdrawal(call, deployment), None)
        except ByollmError:
            self._miss(call, "withdrawn")
            raise

    def refused(self, call: Call, error: ByollmError) -> None:
        """Nobody may answer."""
        try:
            self._write(self.store, records.refusal(call, error), None)
        except ByollmError:
            self._miss(call, "refused")
            raise

    def close(self) -> None:
        """The client is closed: handles are let go, and what is on its way to other places is waited for, briefly."""
        if self._store is not None:
            self._store.close()
        for forward in self._forwards:
            forward.close()

    def _write(self, store: Store, record: dict[str, Any], content: dict[str, Any] | None) -> None:
        at: float = record["at"]
        if self._missing:
            self._tell_missing(store, at)
        if at < self._latest:
            record["clock_back"] = round(self._latest - at, 6)
        else:
            self._latest = at
        if content is not None and self._vault is not None:
            bound = f"{record['operation']} {record['attempt']} {record['kind']}"
            line = store.append_with(record, self._vault.seal(records.written(content), bound))
        else:
            line = store.append(records.written(record))
        for forward in self._forwards:
            forward.send(line, record)

    def _miss(self, call: Call, kind: str) -> None:
        with self._counting:
            self._missing += 1
            self._lost.append(f"{kind} {call.id}")

    def _tell_missing(self, store: Store, at: float) -> None:
        """The chain names its own gap. Raises AuditError, and then the gap is kept for the next record.

        What other threads lose meanwhile is the next gap's.
        """
        with self._counting:
            count, lost = self._missing, list(self._lost)
            self._missing = 0
            self._lost.clear()
        if not count:
            return
        try:
            store.append(records.written({"kind": "gap", "at": at, "records": count, "lost": lost}))
        except BaseException:
            with self._counting:
                self._missing += count
                self._lost.extendleft(reversed(lost[: NAMED - len(self._lost)]))
            raise
