"""Many requests in one, answered within a day for less: what a provider's batches take and give.

A batch carries the very bodies that `complete` translates, and its answers are read by the very readers. So a plugin
says only how they are wrapped, sent, looked for, read and deleted: five exchanges, as pure as all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from byollm.types.frozen import quick
from byollm.wire.exchange import Exchange, HttpRequest


@quick
@dataclass(frozen=True, slots=True)
class BatchItem:
    """One request of a batch. `key` is its name there: 64 letters, digits, `-` and `_` at most. `request` is what
    `complete` would have sent alone."""

    key: str
    request: HttpRequest


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A batch at its provider. `ended`: nothing more comes. `told`: how many answers there are by the provider's own
    count, None where it does not say; fewer that arrive were cut off. `failed` says why none of it was done; `files`
    is what `answers` and `forget` need beside the id."""

    id: str
    ended: bool = False
    told: int | None = None
    failed: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What one item was answered: `document` with the `status` and `headers` (names in lower case) that it would have
    had alone. `status` None: it was never done, because the batch was cancelled or took too long, and costs nothing."""

    key: str
    status: int | None
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Batches(Protocol):
    """The batches of one deployment. All methods are pure: same arguments, same answer."""

    most: int
    """Items that one batch may have."""
    most_bytes: int
    """Bytes that the bodies of one batch may have together."""

    def submit(self, items: Sequence[BatchItem]) -> Exchange[BatchJob]:
        """Send a batch. The items are of one deployment and differ in their bodies only. `then` may come after an
        upload: the last value counts. An upload that is read into a BatchJob without an id is deleted by `forget` when
        what follows it is refused."""
        ...

    def look(self, job: BatchJob) -> Exchange[BatchJob]:
        """How far it is."""
        ...

    def answers(self, job: BatchJob) -> Exchange[BatchAnswer]:
        """All answers of a batch that ended, in any order. An item that has none was not done."""
        ...

    def cancel(self, job: BatchJob) -> Exchange[BatchJob]:
        """Ask for its end. What was done by then can be read once it ended."""
        ...

    def forget(self, job: BatchJob) -> Exchange[Any] | None:
        """Delete requests and answers at the provider, when a batch ended; None where it cannot be asked for."""
        ...
