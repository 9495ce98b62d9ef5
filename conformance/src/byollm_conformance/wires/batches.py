"""The batch endpoints of the sandbox's twins, in this process: one memory, one plan, no socket."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from byollm_conformance.wire import Piece, Rendered, Submitted
from byollm_sandbox import batches
from byollm_sandbox.batches import anthropic, openai_files, openai_lines
from byollm_sandbox.desk import Desk
from byollm_sandbox.dialects.base import Call
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.requests import Recorded
from byollm_sandbox.service import Service, unknown_path

_OPENAI: Final = (re.compile(r"/(?:files|batches)(?:/.*)?$"), openai_lines.MOST_REQUESTS, openai_files.MOST_BYTES)
_ANTHROPIC: Final = (re.compile(r"/messages/batches(?:/.*)?$"), anthropic.MOST_REQUESTS, anthropic.MOST_BYTES)
_KNOWN: Final[Mapping[str, tuple[re.Pattern[str], int, int]]] = {
    "openai-chat": _OPENAI,
    "openai-responses": _OPENAI,
    "anthropic-messages": _ANTHROPIC,
}
"""Where the dialect's endpoints begin in a path, and what they take in one submission."""
_CREATED: Final = 1_763_683_200


class TwinBatches:
    """A dialect's own endpoints. `strict`: refuse in a request what the vendor itself would."""

    def __init__(self, dialect: str, plan: BatchPlan, *, strict: bool) -> None:
        self._tail, self.most, self.most_bytes = _KNOWN[dialect]
        self._prefix = "/anthropic/v1" if dialect == "anthropic-messages" else "/openai/v1" if strict else "/custom/v1"
        self._service = Service(Desk(), None)
        self._service.desk.add_plan(plan, None, None, None)

    @property
    def batches(self) -> Sequence[Submitted]:
        """All that were submitted, in order."""
        made = self._service.shop.store.batches
        return [Submitted({it.custom_id: it.body for it in batch.items}, batch.cancels > 0) for batch in made]

    @property
    def kept(self) -> Collection[str]:
        """Batches of Anthropic's; OpenAI keeps what it was told in files."""
        store = self._service.shop.store
        if self._tail is _OPENAI[0]:
            return list(store.files)
        return [batch.id for batch in store.batches if not batch.deleted]

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Rendered:
        """The twin's answer, wherever its endpoints stand at this server."""
        parts = urlsplit(url)
        found = self._tail.search(parts.path)
        path = f"{self._prefix}{found[0]}" if found else parts.path
        asked = Recorded(method, path, headers, body, query=parts.query)
        self._service.desk.record(asked)
        if batches.route(asked):
            given = asked.json if isinstance(asked.json, dict) else {}
            reply = batches.answer(asked, Call(body=given, number=asked.number, created=_CREATED), self._service.shop)
        else:
            reply = unknown_path(asked)
        made = b"".join([piece for piece in reply.pieces() if isinstance(piece, bytes)])
        told = {name.lower(): value for name, value in reply.headers}
        return Rendered(reply.status, told, (Piece(made, "finish"),))


def twin_batches(dialect: str, plan: BatchPlan, *, strict: bool) -> TwinBatches | None:
    """The endpoints of a dialect's batches, where its vendor sells any."""
    return TwinBatches(dialect, plan, strict=strict) if dialect in _KNOWN else None
