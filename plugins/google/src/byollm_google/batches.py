"""Batches of the Gemini API: the bodies of `complete` inside one request, their answers inside the batch's state.

Source: `batches` and its types in google-genai 3.4.0, Google's reference and guide to batches (stored copies), and
answers of the API quoted in public code and issues, read 2026-11-22: 20 MB a batch with its requests inside, a target
of 24 hours, an end after 48 hours without any results. Answers come in any order (googleapis/python-genai#1909), and
some came without the metadata they were sent with (#2008): whose they are cannot be told then, unless there is but one.
They come twice over in each answer to a look, and what is too large for that is never got: batches of 150 pictures
(discuss.ai.google.dev 174261, also 113603). So few go together here, and models of pictures and sound have no batches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from byollm.plugin import (
    AuthScheme,
    BatchAnswer,
    BatchItem,
    BatchJob,
    Exchange,
    Frame,
    HttpRequest,
    ProtocolError,
    checked,
    dump_json,
    path_segment,
)
from byollm_google.failure import STATUSES, fail

_NAME: Final = re.compile(r"batches/(?!\.+$)[^/]+")
ENDED: Final = ("SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
_CODES: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""The words of google.rpc by their numbers: an error inside an answer has the number, or an HTTP status."""


class GeminiBatches:
    """The batches of one deployment. `create` is the address that takes them, `place` that of all batches; `headers`
    are those of a request."""

    most = 500
    """Nobody tells how many there may be; see above for why there should not be many."""
    most_bytes = 19_900_000
    """20 MB, less what wraps so many requests."""

    def __init__(self, create: str, place: str, headers: tuple[tuple[str, str], ...], auth: AuthScheme) -> None:
        self._create = create
        self._place = place
        self._headers = headers
        self._auth = auth

    def submit(self, items: Sequence[BatchItem]) -> Exchange[BatchJob]:
        """POST /models/{model}:batchGenerateContent."""
        requests = [
            b'{"request":%b,"metadata":{"key":%b}}' % (item.request.body, dump_json(item.key)) for item in items
        ]
        name = dump_json(items[0].key if items else "byollm")
        body = b'{"batch":{"display_name":%b,"input_config":{"requests":{"requests":[%b]}}}}'
        return self._asked("POST", self._create, _job, body % (name, b",".join(requests)))

    def look(self, job: BatchJob) -> Exchange[BatchJob]:
        """GET /batches/{id}. When the batch has ended its answers come along; they are not kept."""
        return self._asked("GET", self._of(job), _job)

    def answers(self, job: BatchJob) -> Exchange[BatchAnswer]:
        """GET /batches/{id} once more."""
        return self._asked("GET", self._of(job), _answers)

    def cancel(self, job: BatchJob) -> Exchange[BatchJob]:
        """POST /batches/{id}:cancel, which tells nothing: the next look does."""
        return self._asked("POST", f"{self._of(job)}:cancel", lambda frame: [job], b"{}")

    def forget(self, job: BatchJob) -> Exchange[Any]:
        """DELETE /batches/{id}."""
        return self._asked("DELETE", self._of(job), lambda frame: [])

    def _of(self, job: BatchJob) -> str:
        return f"{self._place}/{path_segment(job.id.removeprefix('batches/'))}"

    def _asked(self, method: str, url: str, read: Callable[[Frame], list[Any]], body: bytes = b"") -> Exchange[Any]:
        request = HttpRequest(method, url, self._headers, body)
        return Exchange(request=request, reader=lambda head: read, framing="json", auth=self._auth, fail=fail)


def _job(frame: Frame) -> list[BatchJob]:
    found = checked.mapping(frame.data, "the batch")
    name = checked.text(found.get("name"), "name")
    if not _NAME.fullmatch(name):
        raise ProtocolError("the batch has no name that it could be asked for by")
    told = checked.mapping(found.get("metadata") or {}, "metadata")
    state = checked.text(told.get("state"), "state").rpartition("_STATE_")[2]
    stats, error = told.get("batchStats"), found.get("error")
    return [
        BatchJob(
            name,
            ended=state in ENDED or found.get("done") is True,
            told=_count(stats, "successfulRequestCount") + _count(stats, "failedRequestCount") if stats else None,
            failed=_problem(error) if state == "FAILED" or (error and state not in ENDED) else "",
        )
    ]


def _problem(error: Any) -> str:
    message = error.get("message") if isinstance(error, Mapping) else None
    return str(message or "its requests were not accepted")


def _count(stats: Any, name: str) -> int:
    """A 64-bit number: as JSON a text, and left out when it is 0."""
    value = checked.mapping(stats, "batchStats").get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return checked.count(value, name)


def _answers(frame: Frame) -> list[BatchAnswer]:
    found = checked.mapping(frame.data, "the batch")
    told = checked.mapping(found.get("metadata") or {}, "metadata")
    output = checked.mapping(found.get("response") or told.get("output") or {}, "response")
    inlined = checked.mapping(output.get("inlinedResponses") or {}, "inlinedResponses").get("inlinedResponses") or []
    if not isinstance(inlined, list):
        raise ProtocolError("inlinedResponses is not a list")
    is_alone = len(inlined) == 1 and bool(told.get("batchStats")) and _count(told["batchStats"], "requestCount") == 1
    own_name = told.get("displayName") if is_alone else None
    return [_answer(checked.mapping(each, "an answer"), own_name) for each in inlined]


def _answer(found: Mapping[str, Any], own_name: Any) -> BatchAnswer:
    sent = checked.mapping(found.get("metadata") or {}, "an answer's metadata")
    key = checked.text(sent.get("key") or own_name, "key")
    if not key:
        raise ProtocolError("an answer of the batch does not say which request it is for")
    error = found.get("error")
    if not error:
        return BatchAnswer(key, 200, found.get("response"))
    wire = checked.mapping(error, "error")
    code = wire.get("code")
    word = _CODES[code] if type(code) is int and 0 < code < len(_CODES) else wire.get("status")
    status = STATUSES.get(str(word)) or (code if type(code) is int and 400 <= code < 600 else 500)
    if status == STATUSES["CANCELLED"]:
        return BatchAnswer(key, None)
    named = {"status": word} if word else {}
    return BatchAnswer(key, status, {"error": {**wire, "code": status, **named}})
