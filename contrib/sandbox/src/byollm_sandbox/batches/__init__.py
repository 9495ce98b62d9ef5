"""The vendors' batch endpoints: many requests at once, answered later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from byollm_sandbox.batches import anthropic, gemini, mistral, openai
from byollm_sandbox.batches.store import Batch, BatchItem, StoredFile
from byollm_sandbox.batches.working import Workshop
from byollm_sandbox.dialects.base import Call
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply

OPERATIONS: Final = (
    *("batch-create", "batch-get", "batch-list", "batch-cancel", "batch-results", "batch-delete"),
    *("file-create", "file-get", "file-list", "file-content", "file-delete"),
)
"""What `Recorded.operation` is for requests of these endpoints, and what `fault(operation=…)` takes."""

_VENDORS: Final[Mapping[str, Callable[[Recorded, Call, Workshop], Reply]]] = {
    "anthropic-messages": anthropic.answer,
    "gemini": gemini.answer,
    "mistral-chat": mistral.answer,
    "openai-chat": openai.answer,
    "openai-responses": openai.answer,
}

_OWN: Final = (("anthropic-messages", anthropic), ("gemini", gemini), ("mistral-chat", mistral))


def route(request: Recorded) -> bool:
    """Mark a request that is for these endpoints with dialect and operation; False when it is not.

    OpenAI's two dialects share them: the request is Responses' when it creates a batch of that endpoint, else Chat's.
    """
    for dialect, vendor in _OWN:
        found = vendor.operation(request.method, request.path)
        if found is not None:
            request.dialect, request.operation = dialect, found
            return True
    found = openai.operation(request.method, request.path)
    if found is None:
        return False
    body = request.json if found == "batch-create" else None
    responses = isinstance(body, dict) and body.get("endpoint") == "/v1/responses"
    request.dialect, request.operation = "openai-responses" if responses else "openai-chat", found
    return True


def answer(request: Recorded, call: Call, shop: Workshop) -> Reply:
    """The vendor's answer to a request that `route` marked."""
    return _VENDORS[str(request.dialect)](request, call, shop)


__all__ = ["OPERATIONS", "Batch", "BatchItem", "StoredFile", "Workshop", "answer", "route"]
