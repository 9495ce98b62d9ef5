"""How batches go on: looks count, time passes, requests are answered, expire, are cancelled."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from byollm_sandbox.batches.store import CANCELLING, ENDED, WORKING, Batch, BatchItem, Store
from byollm_sandbox.desk import Desk
from byollm_sandbox.plans import BatchPlan, chosen
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, dump


@dataclass
class Workshop:
    """The store and the means to answer what is in it.

    `complete` answers one request as the twin does on its own endpoint; the second argument is its script, or None.
    `most` lowers vendors' limits so that tests can exceed them: `requests` in a batch, `bytes` of its submission.
    """

    desk: Desk
    complete: Callable[[Recorded, Any], Reply]
    store: Store = field(default_factory=Store)
    most: dict[str, int] = field(default_factory=dict)

    def open(self, batch: Batch) -> Batch:
        """Take a batch in."""
        with self.store.lock:
            self.store.batches.append(batch)
        return batch

    def plan(self, request: Recorded, dialect: str) -> BatchPlan:
        """The plan for a batch that `request` creates, taken from the queue; the default one when there is none."""
        asked = Recorded(request.method, request.path, request.headers, name=request.name, dialect=dialect)
        return self.desk.next_plan(asked) or BatchPlan()

    def clear(self) -> None:
        """Forget batches, files and lowered limits."""
        self.store.clear()
        self.most = {}

    def look(self, batch: Batch, *, counts: bool) -> Batch:
        """The batch as it is now. A look that `counts` is one of the polls its plan speaks of."""
        with batch.lock:
            if counts:
                batch.polls += 1
                batch.polls_since_cancel += batch.state == CANCELLING
            if batch.state == CANCELLING and batch.polls_since_cancel >= batch.plan.cancel_polls:
                self._end(batch, cancelled=True)
            elif batch.state == WORKING and self._due(batch):
                self._end(batch, cancelled=False)
            return batch

    def cancel(self, batch: Batch) -> Batch:
        """Ask a working batch to stop."""
        with batch.lock:
            batch.cancels += 1
            if batch.state == WORKING:
                batch.state, batch.cancelled_at = CANCELLING, time.time()
            return batch

    @staticmethod
    def _due(batch: Batch) -> bool:
        plan = batch.plan
        if batch.polls and (batch.problems or plan.collapse):
            return True
        return not plan.never and batch.polls >= plan.polls and time.time() >= batch.created + plan.seconds

    def _end(self, batch: Batch, *, cancelled: bool) -> None:
        batch.state, batch.ended_at = ENDED, time.time()
        batch.order = _shuffled(len(batch.items), batch.number)
        if batch.problems:
            return
        plan = batch.plan
        asked = [(item.custom_id, item.body) for item in batch.items]
        expired = set() if cancelled else chosen(plan.expire, asked, from_the_end=True)
        failing = chosen(plan.fail, asked)
        reached = chosen(plan.answered, asked) if cancelled else set(range(len(asked))) - expired
        for place, item in enumerate(batch.items):
            if place not in reached:
                item.outcome = "expired" if place in expired else "canceled"
            else:
                self._answer(batch, item, place, failing=place in failing)

    def _answer(self, batch: Batch, item: BatchItem, place: int, *, failing: bool) -> None:
        plan = batch.plan
        content = dump(item.body).encode()
        request = Recorded("POST", batch.path, batch.headers, content, name=batch.name, dialect=batch.dialect)
        request.operation = "complete"
        # Ids are made of it: far from those of the requests that came by themselves.
        request.number = batch.number * 1_000_000 + place
        scripted = plan.collapse or (plan.error if failing else plan.answers.get(item.custom_id))
        reply = self.complete(request, scripted)
        item.status, item.document = reply.status, _document(reply)
        item.outcome = "succeeded" if reply.status < 400 else "errored"


def _document(reply: Reply) -> Any:
    content = b"".join(piece for piece in reply.pieces() if isinstance(piece, bytes))
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _shuffled(count: int, seed: int) -> list[int]:
    places = list(range(count))
    random.Random(seed).shuffle(places)
    return places if count < 2 or places != sorted(places) else places[::-1]
