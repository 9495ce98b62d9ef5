"""The other end of the zoo's batches: one resource, its answers in lines. So writes who has a wire of his own."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from byollm.errors import InvalidRequestError, ModelNotFoundError, ProviderError
from byollm.types.usage import Usage
from byollm_conformance.wire import Answer, BatchPlan, Piece, Rendered, Submitted, Wire
from byollm_sandbox.plans import chosen

_PATH: Final = re.compile(r"/batches(?:/([^/]+))?(?:/(cancel|results))?$")
_JSON: Final = {"content-type": "application/json"}
_LINES: Final = {"content-type": "application/x-ndjson"}


@dataclass
class Kept:
    """One batch. `lines`: what became of its requests, once it has ended."""

    id: str
    url: str
    items: dict[str, Any]
    looks: int = 0
    cancelled: bool = False
    lines: list[dict[str, Any]] | None = None
    problem: str = ""
    deleted: bool = field(default=False)


class ZooBatches:
    """`POST /batches`, `GET` and `DELETE /batches/{id}`, `/batches/{id}/cancel`, `/batches/{id}/results`."""

    most = 1_000
    most_bytes = 1_200_000

    def __init__(self, wire: Wire, plan: BatchPlan) -> None:
        self._wire = wire
        self._plan = plan
        self._all: list[Kept] = []

    @property
    def batches(self) -> Sequence[Submitted]:
        """All that were submitted, in order."""
        return [
            Submitted(batch.items, batch.cancelled, [it["custom_id"] for it in batch.lines or () if "status" in it])
            for batch in self._all
        ]

    @property
    def kept(self) -> Collection[str]:
        """What was not deleted."""
        return [batch.id for batch in self._all if not batch.deleted]

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Rendered:
        """As a server would."""
        found = _PATH.search(url)
        id_, verb = found.groups() if found else (None, None)
        if method == "POST" and found and id_ is None:
            return self._created(url, body)
        batch = next((batch for batch in self._all if batch.id == id_ and not batch.deleted), None)
        if batch is None:
            return self._wire.render_error(ModelNotFoundError("there is no such batch"))
        return self._of_one(batch, method, verb)

    def _created(self, url: str, body: bytes) -> Rendered:
        asked = json.loads(body)["requests"]
        items = {item["custom_id"]: item["body"] for item in asked}
        if len(items) < len(asked) or len(items) > self.most:
            return self._wire.render_error(InvalidRequestError("too many requests, or two of one name"))
        batch = Kept(f"batch_{len(self._all) + 1:04d}", url, items)
        self._all.append(batch)
        return self._told(batch)

    def _of_one(self, batch: Kept, method: str, verb: str | None) -> Rendered:
        if (method, verb) == ("POST", "cancel"):
            batch.cancelled, batch.looks = True, 0
        elif (method, verb) == ("GET", None):
            batch.looks += 1
            self._worked(batch)
        elif (method, verb) == ("DELETE", None):
            batch.deleted = True
            return _json({"id": batch.id, "deleted": True})
        elif (method, verb) == ("GET", "results") and batch.lines is not None:
            written = [json.dumps(line).encode() + b"\n" for line in reversed(batch.lines)]
            return Rendered(200, _LINES, (Piece(b"".join(written), "finish"),))
        else:
            return self._wire.render_error(InvalidRequestError("not now"))
        return self._told(batch)

    def _worked(self, batch: Kept) -> None:
        plan = self._plan
        if batch.lines is not None or batch.problem:
            return
        due = plan.cancel_polls if batch.cancelled else plan.polls
        if plan.collapse is not None:
            batch.problem = plan.collapse.message
        elif batch.looks >= due and (batch.cancelled or not plan.never):
            asked = list(batch.items.items())
            late = set() if batch.cancelled else chosen(plan.expire, asked, from_the_end=True)
            done = chosen(plan.answered, asked) if batch.cancelled else set(range(len(asked))) - late
            why = "cancelled" if batch.cancelled else "expired"
            batch.lines = [
                self._line(key) if place in done else {"custom_id": key, "why": why}
                for place, (key, _) in enumerate(asked)
            ]

    def _line(self, key: str) -> dict[str, Any]:
        answer: Any = self._plan.answers.get(key) or Answer(parts=("Well.",), usage=Usage(3, 1))
        refused = isinstance(answer, ProviderError)
        made = self._wire.render_error(answer) if refused else self._wire.render(answer, False)
        return {"custom_id": key, "status": made.status, "body": json.loads(made.body)}

    def _told(self, batch: Kept) -> Rendered:
        lines = batch.lines or []
        ended = batch.lines is not None
        state = "failed" if batch.problem else "ended" if ended else "cancelling" if batch.cancelled else "working"
        return _json(
            {
                "id": batch.id,
                "state": state,
                "problem": batch.problem or None,
                "counts": {"total": len(batch.items), "told": len(lines)},
                "results_url": f"{batch.url}/{batch.id}/results" if ended else None,
            }
        )


def _json(document: Any) -> Rendered:
    return Rendered(200, _JSON, (Piece(json.dumps(document).encode(), "finish"),))
