"""The batch endpoints of the sandbox's twins, in this process: one memory, one plan, no socket."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from byollm_conformance.wire import Piece, Rendered, Submitted
from byollm_sandbox import batches
from byollm_sandbox.batches import anthropic, gemini, mistral, openai_files, openai_lines
from byollm_sandbox.desk import Desk
from byollm_sandbox.dialects.base import Call
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.requests import Recorded
from byollm_sandbox.service import Service, unknown_path

UNTOLD: Final = 10**12
"""More than anybody announces: the vendor names no limit."""
_OPENAI: Final = (re.compile(r"/(?:files|batches)(?:/.*)?$"), openai_lines.MOST_REQUESTS, openai_files.MOST_BYTES)
_GEMINI: Final = re.compile(r"/(?:models/[^/:]+:batchGenerateContent|batches(?:/.*)?)$")
_KNOWN: Final[Mapping[str, tuple[str, re.Pattern[str], int, int]]] = {
    "openai-chat": ("/openai/v1", *_OPENAI),
    "openai-responses": ("/openai/v1", *_OPENAI),
    "anthropic-messages": (
        "/anthropic/v1", re.compile(r"/messages/batches(?:/.*)?$"), anthropic.MOST_REQUESTS, anthropic.MOST_BYTES,
    ),
    "gemini": ("/gemini/v1beta", _GEMINI, UNTOLD, gemini.MOST_BYTES),
    "mistral-chat": ("/mistral/v1", re.compile(r"/(?:batch/jobs|files)(?:/.*)?$"), mistral.MOST_REQUESTS, UNTOLD),
}  # fmt: skip
"""Where the twin has the dialect's endpoints, where they begin in a path, and what they take in one submission."""
_CREATED: Final = 1_763_683_200


class TwinBatches:
    """A dialect's own endpoints. `strict`: refuse in a request what the vendor itself would."""

    def __init__(self, dialect: str, plan: BatchPlan, *, strict: bool) -> None:
        prefix, self._tail, self.most, self.most_bytes = _KNOWN[dialect]
        self._lasting = prefix == "/openai/v1"
        self._prefix = "/custom/v1" if self._lasting and not strict else prefix
        self._service = Service(Desk(), None)
        self._service.desk.add_plan(plan, None, None, None)

    @property
    def batches(self) -> Sequence[Submitted]:
        """All that were submitted, in order."""
        return [
            Submitted(
                {item.custom_id: item.body for item in batch.items},
                batch.cancels > 0,
                [item.custom_id for item in batch.items if item.outcome in ("succeeded", "errored")],
            )
            for batch in self._service.shop.store.batches
        ]

    @property
    def kept(self) -> Collection[str]:
        """Files, and batches where they can be deleted: OpenAI's tell nothing of what was said."""
        store = self._service.shop.store
        return [*store.files, *[batch.id for batch in store.batches if not (self._lasting or batch.deleted)]]

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
