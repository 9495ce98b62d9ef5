"""OpenAI's batches: `/v1/batches`, for Chat Completions and for Responses.

Shapes and rules after the types and docstrings of the SDK openai 3.54.0 and answers of the API quoted in public issues,
read 2026-11-22: a file that cannot be read makes a batch that fails, not a refusal (stdapi-ai/stdapi.ai#240; the codes
`invalid_file_id` and `invalid_file_purpose` are the twin's own); requests that expired or were cancelled count neither
as completed nor as failed (warmbly/warmbly#333, BerriAI/litellm#36034); a batch that has ended in another way than by
cancellation cannot be cancelled (409, as litellm's tests expect); `collapse` as in openai/openai-python#2084. Endpoints
the twins do not speak (embeddings and others) are refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.batches import openai_files as files
from byollm_sandbox.batches.openai_lines import ENDPOINTS, MOST_REQUESTS, output_lines, read_input, usage_of
from byollm_sandbox.batches.store import CANCELLING, ENDED, Batch, BatchItem
from byollm_sandbox.batches.working import Workshop
from byollm_sandbox.dialects import openai_common as common
from byollm_sandbox.dialects.base import Call, Rejection, identifier
from byollm_sandbox.dialects.openai_checks import kind_of, metadata, missing, refuse, wrong_type, wrong_value
from byollm_sandbox.plans import chosen
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, json_reply

DIALECTS: Final = ("openai-chat", "openai-responses")
_PATH: Final = re.compile(r"(?:^|/openai|/custom)(?:/v1)?/(files|batches)(?:/([^/]+)(?:/(cancel|content))?)?/?$")
_KNOWN: Final = ("input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after")
_OPERATIONS: Final[Mapping[tuple[str, str, bool, str | None], str]] = {
    ("batches", "POST", False, None): "batch-create",
    ("batches", "GET", False, None): "batch-list",
    ("batches", "GET", True, None): "batch-get",
    ("batches", "POST", True, "cancel"): "batch-cancel",
    ("files", "POST", False, None): "file-create",
    ("files", "GET", False, None): "file-list",
    ("files", "GET", True, None): "file-get",
    ("files", "GET", True, "content"): "file-content",
    ("files", "DELETE", True, None): "file-delete",
}


def operation(method: str, path: str) -> str | None:
    """What a path asks of OpenAI's files and batches; None when it is not theirs."""
    found = _PATH.search(path)
    if found is None or "/azure/" in path:
        return None
    kind, id_, verb = found.groups()
    return _OPERATIONS.get((kind, method, id_ is not None, verb))


def answer(request: Recorded, call: Call, shop: Workshop) -> Reply:
    """The answer to one request of the file and batch endpoints."""
    found = _PATH.search(request.path)
    id_ = (found[2] if found else None) or ""
    if str(request.operation).startswith("file-"):
        return files.answer(request, call, shop, id_)
    if request.operation == "batch-create":
        return _create(request, call, shop)
    if request.operation == "batch-list":
        living = [shop.look(batch, counts=False) for batch in shop.store.living(request.name, DIALECTS)]
        return files.page([_document(batch, shop) for batch in living], request.parameters, call, most=100, usual=20)
    batch = shop.store.batch(id_, request.name, DIALECTS)
    if batch is None:
        return common.reject(refuse(f"No batch found with id '{id_}'.", status=404), call)
    with batch.lock:
        if request.operation == "batch-cancel":
            return _cancel(batch, call, shop)
        return _reply(shop.look(batch, counts=True), call, shop)


def _create(request: Recorded, call: Call, shop: Workshop) -> Reply:
    body = request.json
    endpoint = str(body.get("endpoint")) if isinstance(body, dict) else ""
    dialect = ENDPOINTS.get(endpoint, "openai-chat")
    plan = shop.plan(request, dialect)
    if plan.refuse is not None:
        return common.reject(common.rejection_for(plan.refuse, call), call)
    refused = next(_submission(body), None)
    if refused is not None:
        return common.reject(refused, call)
    number = shop.store.number()
    items, problems = _input(request, body, shop)
    batch = Batch(
        identifier("batch_", number, 32),
        number,
        dialect,
        request.name,
        plan,
        items,
        time.time(),
        request.path[: request.path.rindex("/batches")] + endpoint.removeprefix("/v1"),
        details=body,
        headers={name: value for name, value in request.headers.items() if name != "content-length"},
        problems=problems,
    )
    return _reply(shop.open(batch), call, shop)


def _input(request: Recorded, body: Mapping[str, Any], shop: Workshop) -> tuple[list[BatchItem], list[dict[str, Any]]]:
    id_ = body["input_file_id"]
    file = shop.store.file(id_, request.name)
    if file is None:
        text = f"The input file '{id_}' was not found."
        return [], [{"code": "invalid_file_id", "message": text, "param": "input_file_id", "line": None}]
    if file.purpose != "batch":
        text = f"The input file '{id_}' has the purpose '{file.purpose}': 'batch' is needed."
        return [], [{"code": "invalid_file_purpose", "message": text, "param": "input_file_id", "line": None}]
    return read_input(file.content, body["endpoint"], shop.most.get("requests", MOST_REQUESTS))


def _submission(body: Any) -> Iterator[Rejection]:
    if not isinstance(body, dict):
        yield refuse(f"Invalid body: expected an object, but got {kind_of(body)} instead.")
        return
    for name in ("input_file_id", "endpoint", "completion_window"):
        if body.get(name) is None:
            yield missing(name)
        if not isinstance(body[name], str):
            yield wrong_type(name, "a string", body[name])
    for name in body:
        if name not in _KNOWN:
            yield refuse(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if body["endpoint"] not in ENDPOINTS:
        yield wrong_value("endpoint", body["endpoint"], tuple(ENDPOINTS))
    if body["completion_window"] != "24h":
        yield wrong_value("completion_window", body["completion_window"], ("24h",))
    yield from metadata(body)
    expiry = body.get("output_expires_after")
    if isinstance(expiry, dict):
        yield from files.expiry_problems(expiry.get("anchor"), expiry.get("seconds"), "output_expires_after")
    elif expiry is not None:
        yield wrong_type("output_expires_after", "an object", expiry)


def _cancel(batch: Batch, call: Call, shop: Workshop) -> Reply:
    shop.look(batch, counts=False)
    if batch.state == ENDED and status_of(batch) != "cancelled":
        batch.cancels += 1
        return common.reject(refuse(f"Cannot cancel a batch with status '{status_of(batch)}'.", status=409), call)
    return _reply(shop.cancel(batch), call, shop)


def status_of(batch: Batch) -> str:
    """OpenAI's word for the state of a batch."""
    if batch.state == CANCELLING:
        return "cancelling"
    if batch.state != ENDED:
        if not batch.polls:
            return "validating"
        return "finalizing" if batch.polls + 1 == batch.plan.polls > 2 else "in_progress"
    if batch.cancelled_at is not None:
        return "cancelled"
    if batch.problems or batch.plan.collapse:
        return "failed"
    return "expired" if batch.count("expired") else "completed"


def _reply(batch: Batch, call: Call, shop: Workshop) -> Reply:
    return json_reply(_document(batch, shop), headers=common.headers(call))


def _document(batch: Batch, shop: Workshop) -> dict[str, Any]:
    with batch.lock:
        status = status_of(batch)
        _stamp(batch, status)
        if batch.state == ENDED and status != "failed" and not batch.files:
            _write(batch, shop)
    details = batch.details
    at = {f"{word}_at": batch.stamps.get(word) for word in _STAMPED}
    failed = status == "failed"
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": details["endpoint"],
        "model": batch.items[0].body["model"] if batch.items and status != "validating" and not failed else None,
        "errors": {"object": "list", "data": _problems(batch)} if failed else None,
        "input_file_id": details["input_file_id"],
        "completion_window": details["completion_window"],
        "status": status,
        "output_file_id": batch.files.get("output") or None,
        "error_file_id": batch.files.get("error") or None,
        "created_at": int(batch.created),
        "expires_at": int(batch.created) + files.DAY,
        **at,
        "request_counts": _counts(batch, status),
        "usage": usage_of(batch),
        "metadata": details.get("metadata"),
    }


_STAMPED: Final = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


def _stamp(batch: Batch, status: str) -> None:
    if status in ("completed", "expired"):
        # Whoever looks rarely did not see the states between.
        for word in ("in_progress", "finalizing"):
            batch.stamps.setdefault(word, int(batch.ended_at or batch.created))
    if status != "validating":
        batch.stamps.setdefault(status, int(time.time()))


def _problems(batch: Batch) -> list[dict[str, Any]]:
    if batch.problems or batch.plan.collapse is None:
        return batch.problems
    told = common.rejection_for(batch.plan.collapse, Call(body={}, number=batch.number, created=0))
    return [{"code": told.code, "message": told.message, "param": told.param, "line": None}]


def _counts(batch: Batch, status: str) -> dict[str, int]:
    if status in ("validating", "failed"):
        return {"total": 0, "completed": 0, "failed": 0}
    done = batch.count("succeeded")
    if batch.state != ENDED:
        done = len(chosen(batch.plan.answered, [(item.custom_id, item.body) for item in batch.items]))
    return {"total": len(batch.items), "completed": done, "failed": batch.count("errored")}


def _write(batch: Batch, shop: Workshop) -> None:
    policy = batch.details.get("output_expires_after") or {}
    for kind, content in zip(("output", "error"), output_lines(batch), strict=True):
        batch.files[kind] = ""
        if content:
            name = f"{batch.id}_{kind}.jsonl"
            batch.files[kind] = files.store(
                shop,
                name=batch.name,
                filename=name,
                purpose="batch_output",
                content=content,
                seconds=policy.get("seconds"),
            ).id
