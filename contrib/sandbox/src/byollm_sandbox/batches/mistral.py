"""Mistral's batch jobs: `/v1/batch/jobs`, and `/v1/files` as far as answers need them.

Shapes after `batch.jobs`, `files` and `extra.batch` of mistralai 3.7.0, Mistral's guide to batches (stored copies) and
what public code tells of its OpenAPI document, read 2026-11-22: fewer than 10,000 requests inside, one model a job, up
to 168 hours, refused requests in a file of their own, `outputs` for who asks with `inline=true`. Known from no source,
and so the twin's guesses: all sentences, the lines of refused requests (status, body and a sentence in `error`), that
requests which were not worked on have no line, that a cancelled or late job keeps what was answered, that only what has
ended can be deleted. Files of requests are not spoken: jobs take theirs inside.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.batches.store import CANCELLING, ENDED, Batch, BatchItem, StoredFile
from byollm_sandbox.batches.working import Workshop
from byollm_sandbox.dialects.base import Call, Rejection, identifier
from byollm_sandbox.dialects.mistral_chat import MistralChat
from byollm_sandbox.dialects.mistral_rules import shape, wrong
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, dump, json_reply

MOST_REQUESTS: Final = 9_999
ENDPOINT: Final = "/v1/chat/completions"
_DIALECT: Final = MistralChat()
_DIALECTS: Final = ("mistral-chat",)
_JOBS: Final = re.compile(r"(?:/mistral(?:/v1)?|^/v1)/batch/jobs(?:/([^/]+)(?:/(cancel))?)?/?$")
_FILES: Final = re.compile(r"/mistral(?:/v1)?/files/([^/]+)(?:/(content))?/?$")
_KNOWN: Final = ("endpoint", "input_files", "requests", "model", "agent_id", "metadata", "timeout_hours")
_OPERATIONS: Final[Mapping[tuple[str, bool, str | None], str]] = {
    ("POST", False, None): "batch-create",
    ("GET", False, None): "batch-list",
    ("GET", True, None): "batch-get",
    ("POST", True, "cancel"): "batch-cancel",
    ("DELETE", True, None): "batch-delete",
}


def operation(method: str, path: str) -> str | None:
    """What a path asks of Mistral's jobs and files; None when it is not theirs."""
    found = _JOBS.search(path)
    if found is not None:
        return _OPERATIONS.get((method, found[1] is not None, found[2]))
    found = _FILES.search(path)
    return (
        {("DELETE", None): "file-delete", ("GET", "content"): "file-content"}.get((method, found[2])) if found else None
    )


def answer(request: Recorded, call: Call, shop: Workshop) -> Reply:
    """The answer to one request of these endpoints."""
    if str(request.operation).startswith("file-"):
        return _file(request, call, shop)
    if request.operation == "batch-create":
        return _create(request, call, shop)
    if request.operation == "batch-list":
        return _list(request, call, shop)
    found = _JOBS.search(request.path)
    id_ = str(found and found[1])
    batch = shop.store.batch(id_, request.name, _DIALECTS)
    if batch is None:
        return _missing(f"Batch job {id_} was not found.", call)
    with batch.lock:
        return _ONE[str(request.operation)](request, call, shop, batch)


def _missing(text: str, call: Call) -> Reply:
    return _DIALECT.reject(Rejection(404, text, "not_found", None, "1404"), call)


def _file(request: Recorded, call: Call, shop: Workshop) -> Reply:
    found = _FILES.search(request.path)
    id_ = str(found and found[1])
    file = shop.store.file(id_, request.name)
    if file is None:
        return _missing(f"File {id_} was not found.", call)
    if request.operation == "file-content":
        return Reply(200, [("content-type", "application/octet-stream"), *_DIALECT.headers(call)], file.content)
    with shop.store.lock:
        shop.store.files.pop(id_, None)
    return json_reply({"id": id_, "object": "file", "deleted": True}, headers=_DIALECT.headers(call))


def _create(request: Recorded, call: Call, shop: Workshop) -> Reply:
    plan = shop.plan(request, "mistral-chat")
    if plan.refuse is not None:
        return _DIALECT.reject(_DIALECT.error(plan.refuse, call), call)
    body = request.json
    refused = next(_submission(body, len(request.body), shop.most), None)
    if refused is not None:
        return _DIALECT.reject(refused, call)
    number = shop.store.number()
    model = {"model": body["model"]} if body.get("model") else {}
    batch = Batch(
        _uuid("batch", number),
        number,
        "mistral-chat",
        request.name,
        plan,
        [BatchItem(_name(item, place), {**item["body"], **model}) for place, item in enumerate(body["requests"])],
        time.time(),
        f"/mistral{ENDPOINT}",
        details=body,
        headers={name: value for name, value in request.headers.items() if name != "content-length"},
    )
    return _reply(shop.open(batch), call, shop)


def _name(item: Mapping[str, Any], place: int) -> str:
    return str(place if item.get("custom_id") is None else item["custom_id"])


def _submission(body: Any, size: int, most: Mapping[str, int]) -> Iterator[Rejection]:
    if not isinstance(body, dict):
        yield shape("model_attributes_type", (), "Input should be a valid dictionary or object to extract fields from")
        return
    for name in body:
        if name not in _KNOWN:
            yield shape("extra_forbidden", (name,), "Extra inputs are not permitted")
    if body.get("endpoint") != ENDPOINT:
        yield shape("enum", ("endpoint",), f"Input should be '{ENDPOINT}'")
    hours = body.get("timeout_hours", 24)
    if type(hours) is not int or not 1 <= hours <= 168:
        yield shape("value_error", ("timeout_hours",), "Input should be between 1 and 168")
    if size > most.get("bytes", size):
        yield Rejection(413, "The request is too large.", "request_too_large", None, "3100")
    for file in body.get("input_files") or ():
        yield Rejection(404, f"File {file} was not found.", "not_found", None, "1404")
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        yield shape("missing", ("requests",), "Field required")
        return
    if len(requests) > most.get("requests", MOST_REQUESTS):
        yield shape("too_long", ("requests",), "List should have fewer items")
    yield from _items(requests, body.get("model"))


def _items(requests: list[Any], model: Any) -> Iterator[Rejection]:
    seen: set[str] = set()
    for place, item in enumerate(requests):
        where = ("requests", place)
        if not isinstance(item, dict) or not isinstance(item.get("body"), dict):
            yield shape("dict_type", (*where, "body"), "Input should be a valid dictionary")
            return
        if not isinstance(item.get("custom_id"), str | None):
            yield shape("string_type", (*where, "custom_id"), "Input should be a valid string")
        if item["body"].get("stream"):
            yield wrong("Streaming is not supported in a batch.", "invalid_request", "3000")
        if not (model or item["body"].get("model")):
            yield shape("missing", ("model",), "Field required")
        name = _name(item, place)
        if name in seen:
            yield wrong(f"custom_id {name} is not unique within the batch.", "invalid_request", "3000")
        seen.add(name)


def _get(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    return _reply(shop.look(batch, counts=True), call, shop, request.parameters.get("inline") == "true")


def _cancel(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    if shop.look(batch, counts=False).state == ENDED:
        batch.cancels += 1
        return _DIALECT.reject(wrong(f"Batch job {batch.id} has ended.", "invalid_request", "3000"), call)
    return _reply(shop.cancel(batch), call, shop)


def _delete(request: Recorded, call: Call, shop: Workshop, batch: Batch) -> Reply:
    batch.deletes += 1
    if shop.look(batch, counts=False).state != ENDED:
        return _DIALECT.reject(wrong(f"Batch job {batch.id} has not ended.", "invalid_request", "3000"), call)
    batch.deleted = True
    return json_reply({"id": batch.id, "object": "batch", "deleted": True}, headers=_DIALECT.headers(call))


_ONE: Final[Mapping[str, Callable[[Recorded, Call, Workshop, Batch], Reply]]] = {
    "batch-get": _get,
    "batch-cancel": _cancel,
    "batch-delete": _delete,
}


def _list(request: Recorded, call: Call, shop: Workshop) -> Reply:
    page, size = request.parameters.get("page", "0"), request.parameters.get("page_size", "100")
    if not (page.isdecimal() and size.isdecimal()):
        return _DIALECT.reject(shape("int_parsing", ("page",), "Input should be a valid integer"), call)
    batches = shop.store.living(request.name, _DIALECTS)
    first = int(page) * int(size)
    shown = [_document(shop.look(batch, counts=False), shop) for batch in batches[first : first + int(size)]]
    return json_reply({"object": "list", "data": shown, "total": len(batches)}, headers=_DIALECT.headers(call))


def status_of(batch: Batch) -> str:
    """Mistral's word for the state of a job."""
    if batch.state == CANCELLING:
        return "CANCELLATION_REQUESTED"
    if batch.state != ENDED:
        return "RUNNING" if batch.polls else "QUEUED"
    if batch.cancelled_at is not None:
        return "CANCELLED"
    if batch.plan.collapse:
        return "FAILED"
    return "TIMEOUT_EXCEEDED" if batch.count("expired") else "SUCCESS"


def _reply(batch: Batch, call: Call, shop: Workshop, inline: bool = False) -> Reply:
    return json_reply(_document(batch, shop, inline), headers=_DIALECT.headers(call))


def _document(batch: Batch, shop: Workshop, inline: bool = False) -> dict[str, Any]:
    with batch.lock:
        status = status_of(batch)
        is_told = batch.state == ENDED and status != "FAILED"
        if is_told and not batch.files:
            for kind, outcome in (("output", "succeeded"), ("error", "errored")):
                batch.files[kind] = _written(batch, kind, _lines(batch, outcome), shop)
    done, failed = (batch.count("succeeded"), batch.count("errored")) if is_told else (0, 0)
    details = batch.details
    return {
        "id": batch.id,
        "object": "batch",
        "input_files": [],
        "metadata": details.get("metadata"),
        "endpoint": details["endpoint"],
        "model": details.get("model"),
        "agent_id": None,
        "output_file": batch.files.get("output") or None,
        "error_file": batch.files.get("error") or None,
        "outputs": _lines(batch, "succeeded", "errored") if inline and is_told else None,
        "errors": [{"message": _problem(batch), "count": 1}] if status == "FAILED" else [],
        "status": status,
        "created_at": int(batch.created),
        "started_at": int(batch.created) if batch.polls else None,
        "completed_at": None if batch.ended_at is None else int(batch.ended_at),
        "total_requests": len(batch.items),
        "completed_requests": done + failed,
        "succeeded_requests": done,
        "failed_requests": failed,
    }


def _problem(batch: Batch) -> str:
    assert batch.plan.collapse is not None
    return _DIALECT.error(batch.plan.collapse, Call(body={}, number=batch.number, created=0)).message


def _lines(batch: Batch, *outcomes: str) -> list[dict[str, Any]]:
    return [_line(batch, place, item) for place, item in batch.in_order if item.outcome in outcomes]


def _line(batch: Batch, place: int, item: BatchItem) -> dict[str, Any]:
    error = None
    if item.outcome == "errored":
        error = (item.document.get("message") if isinstance(item.document, dict) else None) or "The request failed."
    return {
        "id": identifier("batch-", batch.number * 1_000_000 + place, 32),
        "custom_id": item.custom_id,
        "response": {"status_code": item.status, "body": item.document},
        "error": error,
    }


def _written(batch: Batch, kind: str, lines: list[dict[str, Any]], shop: Workshop) -> str:
    """The id of a file of those lines; empty for none."""
    if not lines:
        return ""
    content = "".join(dump(line) + "\n" for line in lines).encode()
    id_ = _uuid(kind, batch.number)
    file = StoredFile(id_, batch.number, batch.name, f"{batch.id}_{kind}.jsonl", "batch", content, time.time())
    with shop.store.lock:
        shop.store.files[id_] = file
    return id_


def _uuid(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{number}"))
