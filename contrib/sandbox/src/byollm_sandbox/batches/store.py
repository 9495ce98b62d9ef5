"""What a server of twins keeps: batches and files. The one part of it that has a memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from byollm_sandbox.plans import BatchPlan

WORKING, CANCELLING, ENDED = "working", "cancelling", "ended"


@dataclass(eq=False, slots=True)
class BatchItem:
    """One request of a batch.

    `outcome` is None while the batch works, then succeeded, errored, canceled or expired. `status` and `document` are
    what the twin would have answered had the request come alone (None for canceled and expired).
    """

    custom_id: str
    body: Any
    outcome: str | None = None
    status: int | None = None
    document: Any = None


@dataclass(eq=False, slots=True)
class Batch:
    """One batch as the twin keeps it: what a test may read, after it was deleted too.

    `dialect` is the wire of its requests, `name` the upstream's, `path` where each would have gone by itself. `polls`,
    `cancels`, `deletes` and `downloads` count requests that found the batch (`downloads`: of Anthropic's results;
    OpenAI's are files). Times are Unix seconds. `files` are the ids of OpenAI's output and error file, empty for none.
    `order` are the places of the items in the order in which the results tell them: never that of the requests, unless
    there is but one. Whoever changes a batch holds its `lock`.
    """

    id: str
    number: int
    dialect: str
    name: str
    plan: BatchPlan
    items: list[BatchItem]
    created: float
    path: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)
    state: str = WORKING
    cancelled_at: float | None = None
    ended_at: float | None = None
    stamps: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    polls: int = 0
    polls_since_cancel: int = 0
    cancels: int = 0
    deletes: int = 0
    downloads: int = 0
    deleted: bool = False
    lock: AbstractContextManager[Any] = field(default_factory=threading.RLock, repr=False)

    @property
    def outcomes(self) -> dict[str, str | None]:
        """Custom id → outcome, in the order of the requests."""
        return {item.custom_id: item.outcome for item in self.items}

    def count(self, outcome: str) -> int:
        """How many items ended so."""
        return sum(item.outcome == outcome for item in self.items)

    @property
    def in_order(self) -> list[tuple[int, BatchItem]]:
        """The items as the results tell them, each with its place among the requests."""
        return [(place, self.items[place]) for place in self.order]

    def __repr__(self) -> str:
        return f"<Batch {self.id}: {len(self.items)} requests to {self.dialect} of {self.name}, {self.state}>"


@dataclass(eq=False, slots=True)
class StoredFile:
    """One file: uploaded, or made by a batch. `expires` is in Unix seconds, None for never."""

    id: str
    number: int
    name: str
    filename: str
    purpose: str
    content: bytes = field(repr=False)
    created: float
    expires: float | None = None


class Store:
    """Batches and files of one server, of all its upstreams. Whoever changes what is in them holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.batches: list[Batch] = []
        self.files: dict[str, StoredFile] = {}
        self._numbers = 0

    def number(self) -> int:
        """The next number for an id."""
        with self.lock:
            self._numbers += 1
            return self._numbers

    def batch(self, id_: str, name: str, dialects: tuple[str, ...]) -> Batch | None:
        """The batch of that id in that upstream, unless it was deleted."""
        with self.lock:
            return next((batch for batch in self.living(name, dialects) if batch.id == id_), None)

    def living(self, name: str, dialects: tuple[str, ...]) -> list[Batch]:
        """The batches of an upstream that were not deleted, the latest first."""
        with self.lock:
            kept = [batch for batch in self.batches if batch.name == name and batch.dialect in dialects]
            return [batch for batch in reversed(kept) if not batch.deleted]

    def file(self, id_: str, name: str) -> StoredFile | None:
        """The file of that id in that upstream, unless it was deleted or has expired."""
        with self.lock:
            found = self.files.get(id_)
            if found is None or found.name != name or (found.expires is not None and found.expires <= time.time()):
                return None
            return found

    def clear(self) -> None:
        """Forget everything but the numbers, so that no id comes twice."""
        with self.lock:
            self.batches.clear()
            self.files.clear()
