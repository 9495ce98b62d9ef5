"""Anthropic's Message Batches: `/v1/messages/batches`.

Shapes and rules after the types and docstrings of the SDK anthropic 2.12.0 and Anthropic's API reference and guide to
batch processing (stored copies), read 2026-11-22: 1 to 100,000 requests, 256 MB, custom ids of
`^[a-zA-Z0-9_-]{1,64}$`, parameters judged when the batch is worked on, results in any order, deletion only after the
end. Not taken in a batch are `stream` and the `max_tokens: 0` that warms a cache. The sentences, and the status 400 of
what comes at the wrong time, are the twin's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from byollm_sandbox.batches.store import CANCELLING, ENDED, WORKING, Batch, BatchItem
from byollm_sandbox.batches.working import Workshop
from byollm_sandbox.dialects.anthropic_messages import AnthropicMessages
from byollm_sandbox.dialects.anthropic_rules import VERSIONS
from byollm_sandbox.dialects.base import Call, Rejection, identifier
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, dump, json_reply

MOST_REQUESTS: Final = 100_000
MOST_BYTES: Final = 256 * 1024 * 1024
DAY: Final = 24 * 60 * 60
_DIALECT: Final = AnthropicMessages()
_DIALECTS: Final = ("anthropic-messages",)
_CUSTOM_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PATH: Final = re.compile(r"(?:^|/anthropic)(?:/v1)?/messages/batches(?:/([^/]+)(?:/(cancel|results))?)?/?$")
_WORDS: Final = {WORKING: "in_progress", CANCELLING: "canceling", ENDED: "ended"}


def operation(method: str, path: str) -> str | None:
    """What a path asks of Anthropic's batches; None when it is not theirs."""
    found = _PATH.search(path)
    if found is None:
        return None
    id_, verb = found.groups()
    if id_ is None:
        return {"POST": "batch-create", "GET": "batch-list"}.get(method)
    if verb is not None:
        return {("POST", "cancel"): "batch-cancel", ("GET", "results"): "batch-results"}.get((method, verb))
    return {"GET": "batch-get", "DELETE": "batch-delete"}.get(method)


def answer(request: Recorded, call: Call, shop: Workshop) -> Reply:
    """The answer to one request of the batch endpoints."""
    if request.operation == "batch-create":
        return _create(request, call, shop)
    refused = next(_version(request), None)
    if refused is not None:
        return _DIALECT.reject(refused, call)
    if request.operation == "batch-list":
        return _list(request, call, shop)
    found = _PATH.search(request.path)
    id_ = str(found and found[1])
    batch = shop.store.batch(id_, request.name, _DIALECTS)
    if batch is None:
        return _DIALECT.reject(Rejection(404, f"Message batch {id_} was not found.", "not_found_error"), call)
    with batch.lock:
        return _ONE[str(request.operation)](request, call, shop, batch)


def _refuse(message: str) -> Rejection:
    return Rejection(400, message)


def _version(request: Recorded) -> Iterator[Rejection]:
    version = request.headers.get("anthropic-version")
    if version is None:
        yield _refuse("anthropic-version: header is required")
    elif version not in VERSIONS:
        yield _refuse(f'anthropic-version: "{version}" is not a valid version')


def _create(request: Recorded, call: Call, shop: Workshop) -> Reply:
    plan = shop.plan(request, "anthropic-messages")
    if plan.refuse is not None:
        return _DIALECT.reject(_DIALECT.error(plan.refuse, call), call)
    refused = next(_submission(request, shop.most), None)
    if refused is not None:
        return _DIALECT.reject(refused, call)
    return _reply(shop.open(_made(request, shop, plan)), request, call)


def _made(request: Recorded, shop: Workshop, plan: BatchPlan) -> Batch:
    number = shop.store.number()
    kept = {name: value for name, value in request.headers.items() if name != "content-length"}
    return Batch(
        identifier("msgbatch_01", number, 22),
        number,
        "anthropic-messages",
        request.name,
        plan,
        [BatchItem(item["custom_id"], item["params"]) for item in request.json["requests"]],
        time.time(),
        "/anthropic/v1/messages",
        headers=kept,
    )


def _submission(request: Recorded, most: Mapping[str, int]) -> Iterator[Rejection]:
    yield from _version(request)
    if len(request.body) > most.get("bytes", MOST_BYTES):
        yield Rejection(413, "Request exceeds the maximum size", "request_too_large")
    body = request.json
    if not isinstance(body, dict):
        yield _refuse("The request body is not valid JSON: expected an object")
        return
    for name in body:
        if name != "requests":
            yield _refuse(f"{name}: Extra inputs are not permitted")
    requests = body.get("requests")
    if requests is None:
        yield _refuse("requests: Field required")
    elif not isinstance(requests, list):
        yield _refuse("requests: Input should be a valid list")
    else:
        yield from _items(requests, most.get("requests", MOST_REQUESTS))


def _items(requests: list[Any], most: int) -> Iterator[Rejection]:
    if not requests:
        yield _refuse("requests: List should have at least 1 item after validation, not 0")
    if len(requests) > most:
        yield _refuse(f"requests: List should have at most {most} items after validation, not {len(requests)}")
    seen: set[str] = set()
    for index, item in enumerate(requests):
        place = f"requests.{index}"
        if not isinstance(item, dict):
            yield _refuse(f"{place}: Input should be a valid dictionary")
            return
        yield from _item(item, place)
        if item["custom_id"] in seen:
            yield _refuse(f"{place}.custom_id: '{item['custom_id']}' is not unique within the batch")
        seen.add(item["custom_id"])


def _item(item: Mapping[str, Any], place: str) -> Iterator[Rejection]:
    for name in ("custom_id", "params"):
        if name not in item:
            yield _refuse(f"{place}.{name}: Field required")
    for name in item:
        if name not in ("custom_id", "params"):
            yield _refuse(f"{place}.{name}: Extra inputs are not permitted")
    custom_id, params = item["custom_id"], item["params"]
    if not isinstance(custom_id, str):
        yield _refuse(f"{place}.custom_id: Input should be a valid string")
    elif not _CUSTOM_ID.fullmatch(custom_id):
        yield _refuse(f"{place}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if not isinstance(params, dict):
        yield _refuse(f"{place}.params: Input should be a valid dictionary")
    elif params.get("stream"):
        yield _refuse(f"{place}.params.stream: streaming is not supported in a batch")
    elif params.get("max_tokens") == 0:
        yield _refuse(f"{place}.params.max_tokens: Input should be greater than or equal to 1 in a batch")


def _get(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    return _reply(shop.look(batch, counts=True), request, call)


def _cancel(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    if shop.look(batch, counts=False).state == ENDED:
        batch.cancels += 1
        return _DIALECT.reject(_refuse(f"Message batch {batch.id} has ended: it cannot be canceled."), call)
    return _reply(shop.cancel(batch), request, call)


def _delete(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    batch.deletes += 1
    if shop.look(batch, counts=False).state != ENDED:
        text = f"Message batch {batch.id} has not ended: cancel it before it is deleted."
        return _DIALECT.reject(_refuse(text), call)
    batch.deleted = True
    return json_reply({"id": batch.id, "type": "message_batch_deleted"}, headers=_DIALECT.headers(call))


def _results(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    batch.downloads += 1
    if shop.look(batch, counts=False).state != ENDED:
        return _DIALECT.reject(_refuse(f"Message batch {batch.id} has not ended: it has no results yet."), call)
    if batch.plan.archived:
        text = f"The results of message batch {batch.id} are no longer available."
        return _DIALECT.reject(Rejection(404, text, "not_found_error"), call)
    lines = [dump({"custom_id": item.custom_id, "result": _result(item)}) for _, item in batch.in_order]
    headers = [("content-type", "application/x-jsonl"), *_DIALECT.headers(call)]
    return Reply(200, headers, "".join(line + "\n" for line in lines).encode())


def _result(item: BatchItem) -> dict[str, Any]:
    if item.outcome == "succeeded":
        message = item.document
        if isinstance(message, dict) and "usage" in message:
            message = {**message, "usage": {**message["usage"], "service_tier": "batch"}}
        return {"type": "succeeded", "message": message}
    return {"type": "errored", "error": item.document} if item.outcome == "errored" else {"type": item.outcome}


_ONE: Final[Mapping[str, Callable[[Recorded, Call, Workshop, Batch], Reply]]] = {
    "batch-get": _get,
    "batch-cancel": _cancel,
    "batch-delete": _delete,
    "batch-results": _results,
}


def _list(request: Recorded, call: Call, shop: Workshop) -> Reply:
    asked = request.parameters
    limit = asked.get("limit", "20")
    if not limit.isdecimal() or not 1 <= int(limit) <= 1000:
        return _DIALECT.reject(_refuse("limit: Input should be a number from 1 to 1000"), call)
    batches = shop.store.living(request.name, _DIALECTS)
    ids = [batch.id for batch in batches]
    for name in ("after_id", "before_id"):
        if name in asked and asked[name] not in ids:
            return _DIALECT.reject(_refuse(f"{name}: no message batch has this id"), call)
    first, last = 0, len(ids)
    if "after_id" in asked:
        first = ids.index(asked["after_id"]) + 1
    page = batches[first : first + int(limit)]
    more = first + int(limit) < last
    if "before_id" in asked:
        last = ids.index(asked["before_id"])
        page, more = batches[max(0, last - int(limit)) : last], last > int(limit)
    data = [_document(shop.look(batch, counts=False), request) for batch in page]
    ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    document = {"data": data, "has_more": more, "first_id": ends[0], "last_id": ends[1]}
    return json_reply(document, headers=_DIALECT.headers(call))


def _reply(batch: Batch, request: Recorded, call: Call) -> Reply:
    return json_reply(_document(batch, request), headers=_DIALECT.headers(call))


def _document(batch: Batch, request: Recorded) -> dict[str, Any]:
    ended = batch.state == ENDED
    results = None
    if ended and not batch.plan.archived:
        base = request.path[: request.path.index("/messages/batches")]
        results = f"http://{request.headers.get('host', '127.0.0.1')}{base}/messages/batches/{batch.id}/results"
    counts = {word: batch.count(word) for word in ("succeeded", "errored", "canceled", "expired")}
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": _WORDS[batch.state],
        "request_counts": {"processing": 0 if ended else len(batch.items), **counts},
        "ended_at": _time(batch.ended_at),
        "created_at": _time(batch.created),
        "expires_at": _time(batch.created + DAY),
        "archived_at": _time(batch.ended_at) if batch.plan.archived else None,
        "cancel_initiated_at": _time(batch.cancelled_at),
        "results_url": results,
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
