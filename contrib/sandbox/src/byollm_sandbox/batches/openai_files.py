"""OpenAI's files, as far as batches need them: `/v1/files`.

Shapes and rules after the types and docstrings of the SDK openai 3.54.0 (purposes, lives of 1 hour to 30 days, 512 MB a
file, 200 MB and `.jsonl` for batches) and answers of the API quoted in BerriAI/litellm#37527 (2026): a file for batches
lives 30 days, and its lines are not looked at before a batch is made of it. Read 2026-11-22. That a file above 200 MB
is refused when it is uploaded, with 413, is the twin's own guess.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.batches.multipart import FormPart, form_of
from byollm_sandbox.batches.store import StoredFile
from byollm_sandbox.batches.working import Workshop
from byollm_sandbox.dialects import openai_common as common
from byollm_sandbox.dialects.base import Call, Rejection, identifier
from byollm_sandbox.dialects.openai_checks import missing, refuse
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Reply, json_reply

MOST_BYTES: Final = 200 * 1024 * 1024
PURPOSES: Final = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
DAY: Final = 24 * 60 * 60
_FIELDS: Final = ("file", "purpose", "expires_after[anchor]", "expires_after[seconds]")
_KEPT_BACK: Final = ("assistants", "vision", "user_data")


def answer(request: Recorded, call: Call, shop: Workshop, id_: str) -> Reply:
    """The answer to one request of the file endpoints; `id_` is empty for uploads and the list."""
    if request.operation == "file-create":
        return _create(request, call, shop)
    if request.operation == "file-list":
        return _list(request, call, shop)
    found = shop.store.file(id_, request.name)
    if found is None:
        return common.reject(refuse(f"No such File object: {id_}", "id", status=404), call)
    if request.operation == "file-delete":
        with shop.store.lock:
            shop.store.files.pop(id_, None)
        return json_reply({"id": id_, "object": "file", "deleted": True}, headers=common.headers(call))
    if request.operation == "file-get":
        return json_reply(document(found), headers=common.headers(call))
    if found.purpose in _KEPT_BACK:
        return common.reject(refuse(f"Not allowed to download files of purpose: {found.purpose}"), call)
    kind = ("content-type", "application/octet-stream")
    return Reply(200, [kind, *common.headers(call)], found.content)


def document(file: StoredFile) -> dict[str, Any]:
    """A `file`."""
    return {
        "object": "file",
        "id": file.id,
        "purpose": file.purpose,
        "filename": file.filename,
        "bytes": len(file.content),
        "created_at": int(file.created),
        "expires_at": None if file.expires is None else int(file.expires),
        "status": "processed",
        "status_details": None,
    }


def store(
    shop: Workshop, *, name: str, filename: str, purpose: str, content: bytes, seconds: int | None = None
) -> StoredFile:
    """Keep a file; `seconds` None lets a batch's input live 30 days and everything else for good."""
    number, now = shop.store.number(), time.time()
    life = seconds if seconds is not None else 30 * DAY if purpose == "batch" else None
    file = StoredFile(
        id=identifier("file-", number, 22),
        number=number,
        name=name,
        filename=filename,
        purpose=purpose,
        content=content,
        created=now,
        expires=None if life is None else now + life,
    )
    with shop.store.lock:
        shop.store.files[file.id] = file
    return file


def expiry_problems(anchor: Any, seconds: Any, param: str) -> Iterator[Rejection]:
    """What is wrong with a policy of expiry."""
    if anchor != "created_at":
        yield refuse(
            f"Invalid value: '{anchor}'. Supported values are: 'created_at'.", f"{param}.anchor", "invalid_value"
        )
    if not isinstance(seconds, int) or not 3600 <= seconds <= 30 * DAY:
        text = f"Invalid '{param}.seconds': expected an integer from 3600 to {30 * DAY}."
        yield refuse(text, f"{param}.seconds", "invalid_value")


def _create(request: Recorded, call: Call, shop: Workshop) -> Reply:
    form = form_of(request.headers.get("content-type", ""), request.body)
    if form is None:
        return common.reject(refuse("The request's body is no multipart form: could not parse it."), call)
    refused = next(_problems(form, shop.most.get("bytes", MOST_BYTES)), None)
    if refused is not None:
        return common.reject(refused, call)
    seconds = form.get("expires_after[seconds]")
    kept = store(
        shop,
        name=request.name,
        filename=form["file"].filename or "upload",
        purpose=form["purpose"].text,
        content=form["file"].content,
        seconds=None if seconds is None else int(seconds.text),
    )
    return json_reply(document(kept), headers=common.headers(call))


def _problems(form: Mapping[str, FormPart], most: int) -> Iterator[Rejection]:
    for name in form:
        if name not in _FIELDS:
            yield refuse(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    for name in ("file", "purpose"):
        if name not in form:
            yield missing(name)
    file, purpose = form["file"], form["purpose"].text
    if file.filename is None:
        yield refuse("Invalid 'file': expected a file, but got a plain value.", "file", "invalid_type")
    if purpose not in PURPOSES:
        yield refuse(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", "purpose")
    if "expires_after[anchor]" in form or "expires_after[seconds]" in form:
        anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
        count = int(seconds.text) if seconds is not None and seconds.text.isdecimal() else None
        yield from expiry_problems(anchor and anchor.text, count, "expires_after")
    if not file.content:
        yield refuse("File is empty.", "file")
    if purpose == "batch":
        if not str(file.filename).endswith(".jsonl"):
            yield refuse("Invalid file format for Batch API. Must be .jsonl")
        if len(file.content) > most:
            yield refuse(f"File is too large for the Batch API: {len(file.content)} bytes > {most}", "file", status=413)


def _list(request: Recorded, call: Call, shop: Workshop) -> Reply:
    asked = request.parameters
    with shop.store.lock:
        files = [file for file in shop.store.files.values() if shop.store.file(file.id, request.name)]
    wanted = [file for file in files if asked.get("purpose") in (None, file.purpose)]
    if asked.get("order", "desc") == "desc":
        wanted.reverse()
    return page([document(file) for file in wanted], asked, call, most=10_000, usual=10_000)


def page(documents: list[dict[str, Any]], asked: Mapping[str, str], call: Call, *, most: int, usual: int) -> Reply:
    """One page of a list, from behind the cursor `after`, of at most `limit`."""
    limit = asked.get("limit", str(usual))
    if not limit.isdecimal() or not 1 <= int(limit) <= most:
        return common.reject(refuse(f"Invalid 'limit': expected an integer from 1 to {most}.", "limit"), call)
    ids = [item["id"] for item in documents]
    if "after" in asked and asked["after"] not in ids:
        return common.reject(refuse(f"Invalid 'after': no object has the id '{asked['after']}'.", "after"), call)
    first = ids.index(asked["after"]) + 1 if "after" in asked else 0
    shown = documents[first : first + int(limit)]
    ends = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
    listed = {"object": "list", "data": shown, "first_id": ends[0], "last_id": ends[1]}
    more = first + int(limit) < len(ids)
    return json_reply({**listed, "has_more": more}, headers=common.headers(call))
