"""The Gemini API's batches: `/v1beta/models/{model}:batchGenerateContent` and `/v1beta/batches`.

Shapes and rules after `batches` and its types in google-genai 3.4.0, Google's reference and guide to batches (stored
copies) and answers of the API quoted in public code and issues, read 2026-11-22: requests inside one request of at most
20 MB, numbers as texts, the output both in the operation's `response` and in its `metadata`, answers in any order
(googleapis/python-genai#1909), no results at all once a batch has expired. The sentences are the twin's own, and so are
these guesses: that a cancelled batch keeps what was answered, that requests are judged one by one when the batch is
worked on, that what has ended cannot be cancelled (400) and that a working batch can be deleted. Files of requests are
not spoken: the twin stores none for this vendor.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from byollm_sandbox.batches.store import ENDED, Batch, BatchItem
from byollm_sandbox.batches.working import Workshop
from byollm_sandbox.dialects.base import Call, Rejection, identifier
from byollm_sandbox.dialects.gemini import Gemini, error_document
from byollm_sandbox.dialects.gemini_rules import missing_model, refuse
from byollm_sandbox.dialects.gemini_shape import ANY, REQUEST, MisfitError, read
from byollm_sandbox.plans import chosen
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, json_reply

MOST_BYTES: Final = 20 * 1024 * 1024
_DIALECT: Final = Gemini()
_DIALECTS: Final = ("gemini",)
_PATH: Final = re.compile(
    r"(?:/gemini(?:/v1(?:beta|alpha)?)?|^/v1beta)"
    r"/(?:(models/[^/:]+):batchGenerateContent|batches(?:/([^/:]+)(?::(cancel))?)?)/?$"
)
_INLINED: Final = {"request": REQUEST, "metadata": ANY}
_BATCH: Final[dict[str, Any]] = {
    "batch": {
        "name": str, "model": str, "displayName": str, "priority": object, "webhookConfig": ANY,
        "inputConfig": {"requests": {"requests": [_INLINED]}, "fileName": str},
    },
}  # fmt: skip
_TYPE: Final = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"
_NUMBERS: Final = {
    "CANCELLED": 1, "UNKNOWN": 2, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5, "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "INTERNAL": 13, "UNAVAILABLE": 14, "UNAUTHENTICATED": 16,
}  # fmt: skip
"""The numbers of google.rpc's words: an error inside an answer has the number."""


def operation(method: str, path: str) -> str | None:
    """What a path asks of Gemini's batches; None when it is not theirs."""
    found = _PATH.search(path)
    if found is None:
        return None
    model, id_, verb = found.groups()
    if model is not None or verb is not None:
        return ("batch-create" if model else "batch-cancel") if method == "POST" else None
    if id_ is None:
        return "batch-list" if method == "GET" else None
    return {"GET": "batch-get", "DELETE": "batch-delete"}.get(method)


def answer(request: Recorded, call: Call, shop: Workshop) -> Reply:
    """The answer to one request of the batch endpoints."""
    found = _PATH.search(request.path)
    model, id_, _ = found.groups() if found else (None, None, None)
    if request.operation == "batch-create":
        return _create(request, call, shop, str(model))
    if request.operation == "batch-list":
        return _list(request, call, shop)
    batch = shop.store.batch(f"batches/{id_}", request.name, _DIALECTS)
    if batch is None:
        return _DIALECT.reject(refuse(f"Requested entity was not found: batches/{id_}.", 404, "NOT_FOUND"), call)
    with batch.lock:
        return _ONE[str(request.operation)](call, shop, batch)


def _create(request: Recorded, call: Call, shop: Workshop, model: str) -> Reply:
    plan = shop.plan(request, "gemini")
    if plan.refuse is not None:
        return _DIALECT.reject(_DIALECT.error(plan.refuse, call), call)
    try:
        asked = read(request.json, _BATCH)
    except MisfitError as misfit:
        return _DIALECT.reject(refuse(str(misfit)), call)
    details = asked.get("batch") or {}
    inlined = ((details.get("inputConfig") or {}).get("requests") or {}).get("requests") or []
    refused = next(_submission(request, model, details, inlined, shop.most), None)
    if refused is not None:
        return _DIALECT.reject(refused, call)
    number = shop.store.number()
    items = [
        BatchItem(str((each.get("metadata") or {}).get("key", place)), each.get("request") or {})
        for place, each in enumerate(inlined)
    ]
    if chosen(plan.expire, [(item.custom_id, item.body) for item in items]):
        plan = replace(plan, expire=1.0)  # who expires here expires as a whole
    batch = Batch(
        f"batches/{identifier('', number, 36)}",
        number,
        "gemini",
        request.name,
        plan,
        items,
        time.time(),
        f"/gemini/v1beta/{model}:generateContent",
        details={**details, "model": model, "metadata": [each.get("metadata") for each in inlined]},
        headers={name: value for name, value in request.headers.items() if name != "content-length"},
    )
    return _reply(shop.open(batch), call)


def _submission(
    request: Recorded, model: str, details: Mapping[str, Any], inlined: list[Any], most: Mapping[str, int]
) -> Iterator[Rejection]:
    yield from missing_model(model, "batchGenerateContent")
    size = most.get("bytes", MOST_BYTES)
    if len(request.body) > size:
        yield refuse(f"Request payload size exceeds the limit: {size} bytes.")
    source = details.get("inputConfig") or {}
    if "fileName" in source:
        yield refuse(f"File {source['fileName']} was not found.", 404, "NOT_FOUND")
    if not inlined:
        yield refuse("* BatchGenerateContentRequest.batch.input_config: no requests are specified")
    if len(inlined) > most.get("requests", len(inlined)):
        yield refuse(f"The batch has {len(inlined)} requests: the most is {most['requests']}.")
    for place, each in enumerate(inlined):
        if not isinstance(each.get("metadata") or {}, dict):
            yield refuse(f"Invalid value at 'batch.input_config.requests.requests[{place}].metadata'")


def _get(call: Call, shop: Workshop, batch: Batch) -> Reply:
    return _reply(shop.look(batch, counts=True), call)


def _cancel(call: Call, shop: Workshop, batch: Batch) -> Reply:
    if shop.look(batch, counts=False).state == ENDED:
        batch.cancels += 1
        text = f"{batch.id} has ended: it cannot be cancelled."
        return _DIALECT.reject(refuse(text, 400, "FAILED_PRECONDITION"), call)
    shop.cancel(batch)
    return json_reply({}, headers=_DIALECT.headers(call))


def _delete(call: Call, shop: Workshop, batch: Batch) -> Reply:
    batch.deletes += 1
    batch.deleted = True
    return json_reply({}, headers=_DIALECT.headers(call))


_ONE: Final[Mapping[str, Callable[[Call, Workshop, Batch], Reply]]] = {
    "batch-get": _get,
    "batch-cancel": _cancel,
    "batch-delete": _delete,
}


def _list(request: Recorded, call: Call, shop: Workshop) -> Reply:
    asked = request.parameters
    size, token = asked.get("pageSize", "50"), asked.get("pageToken", "")
    batches = shop.store.living(request.name, _DIALECTS)
    ids = [batch.id for batch in batches]
    if not size.isdecimal() or (token and f"batches/{token}" not in ids):
        return _DIALECT.reject(refuse("Invalid page size or page token."), call)
    first = ids.index(f"batches/{token}") if token else 0
    last = first + max(1, int(size))
    listed: dict[str, Any] = {
        "operations": [_document(shop.look(batch, counts=False), call) for batch in batches[first:last]]
    }
    if last < len(ids):
        listed["nextPageToken"] = ids[last].removeprefix("batches/")
    return json_reply(listed, headers=_DIALECT.headers(call))


def state_of(batch: Batch) -> str:
    """Google's word for the state of a batch; one that is being cancelled still runs."""
    if batch.state != ENDED:
        return "BATCH_STATE_RUNNING" if batch.polls else "BATCH_STATE_PENDING"
    if batch.cancelled_at is not None:
        return "BATCH_STATE_CANCELLED"
    if batch.plan.collapse:
        return "BATCH_STATE_FAILED"
    return "BATCH_STATE_EXPIRED" if batch.count("expired") else "BATCH_STATE_SUCCEEDED"


def _reply(batch: Batch, call: Call) -> Reply:
    return json_reply(_document(batch, call), headers=_DIALECT.headers(call))


def _document(batch: Batch, call: Call) -> dict[str, Any]:
    with batch.lock:
        state, ended = state_of(batch), batch.state == ENDED
        done, failed = batch.count("succeeded"), batch.count("errored")
        if state == "BATCH_STATE_FAILED":
            done = failed = 0
    counts = {
        "requestCount": len(batch.items),
        "pendingRequestCount": 0 if ended else len(batch.items),
        "successfulRequestCount": done,
        "failedRequestCount": failed,
    }
    metadata: dict[str, Any] = {
        "@type": _TYPE,
        "model": batch.details["model"],
        "displayName": batch.details.get("displayName", ""),
        "createTime": _time(batch.created),
        "updateTime": _time(batch.ended_at or batch.cancelled_at or batch.created),
        "batchStats": {name: str(count) for name, count in counts.items() if count},
        "state": state,
        "name": batch.id,
    }
    document: dict[str, Any] = {"name": batch.id, "metadata": metadata}
    if not ended:
        return document
    document["done"], metadata["endTime"] = True, _time(batch.ended_at or batch.created)
    if batch.plan.collapse and state == "BATCH_STATE_FAILED":
        document["error"] = _status(error_document(_DIALECT.error(batch.plan.collapse, call)))
    elif done or failed:
        output = {"inlinedResponses": {"inlinedResponses": _inlined(batch)}}
        metadata["output"] = output
        document["response"] = {"@type": f"{_TYPE}Output", **output}
    return document


def _inlined(batch: Batch) -> list[dict[str, Any]]:
    made = []
    for place, item in batch.in_order:
        if item.outcome not in ("succeeded", "errored"):
            continue
        sent = batch.details["metadata"][place]
        told = {"response": item.document} if item.outcome == "succeeded" else {"error": _status(item.document)}
        made.append({"metadata": sent, **told} if sent else told)
    return made


def _status(document: Any) -> dict[str, Any]:
    """A google.rpc.Status: the number of the word, and no details (google-genai's JobError could not read them)."""
    error = document["error"] if isinstance(document, dict) and "error" in document else {"message": str(document)}
    return {"code": _NUMBERS.get(str(error.get("status")), 13), "message": error.get("message", "")}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
