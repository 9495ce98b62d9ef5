"""Message Batches: the bodies of `complete` under names of their own, their answers by name and in any order.

Source: the `messages.batches` resource and types of anthropic 2.12.0 (read 2026-11-22): at most 100,000 requests and
256 MB a batch, 24 hours, results kept for 29 days unless the batch is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm.plugin import (
    AuthScheme,
    BatchAnswer,
    BatchItem,
    BatchJob,
    Exchange,
    Frame,
    Head,
    HttpRequest,
    checked,
    dump_json,
    path_segment,
)
from byollm_anthropic.failure import fail

STATUSES: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that an error in a result would have had alone."""


class MessageBatches:
    """The batches of one deployment. `url` is that of its messages, `headers` those of its requests."""

    most = 100_000
    most_bytes = 256_000_000

    def __init__(self, url: str, headers: tuple[tuple[str, str], ...], auth: AuthScheme) -> None:
        self._url = f"{url}/batches"
        self._headers = headers
        self._auth = auth

    def submit(self, items: Sequence[BatchItem]) -> Exchange[BatchJob]:
        """POST /v1/messages/batches."""
        requests = [b'{"custom_id":%b,"params":%b}' % (dump_json(item.key), item.request.body) for item in items]
        return self._job("POST", self._url, b'{"requests":[%b]}' % b",".join(requests))

    def look(self, job: BatchJob) -> Exchange[BatchJob]:
        """GET /v1/messages/batches/{id}."""
        return self._job("GET", self._place(job))

    def cancel(self, job: BatchJob) -> Exchange[BatchJob]:
        """POST /v1/messages/batches/{id}/cancel."""
        return self._job("POST", f"{self._place(job)}/cancel")

    def answers(self, job: BatchJob) -> Exchange[BatchAnswer]:
        """GET /v1/messages/batches/{id}/results: its own address, whatever `results_url` says."""
        request = HttpRequest("GET", f"{self._place(job)}/results", self._headers)
        return Exchange(request=request, reader=lambda head: _answer, framing="ndjson", auth=self._auth, fail=fail)

    def forget(self, job: BatchJob) -> Exchange[Any]:
        """DELETE /v1/messages/batches/{id}."""
        request = HttpRequest("DELETE", self._place(job), self._headers)
        return Exchange(request=request, reader=_unread, framing="json", auth=self._auth, fail=fail)

    def _place(self, job: BatchJob) -> str:
        return f"{self._url}/{path_segment(job.id)}"

    def _job(self, method: str, url: str, body: bytes = b"") -> Exchange[BatchJob]:
        request = HttpRequest(method, url, self._headers, body)
        return Exchange(request=request, reader=lambda head: _read_job, framing="json", auth=self._auth, fail=fail)


def _read_job(frame: Frame) -> list[BatchJob]:
    found = checked.mapping(frame.data, "the batch")
    counts = checked.mapping(found.get("request_counts"), "request_counts")
    told = sum(checked.count(counts.get(name), name) for name in ("succeeded", "errored", "canceled", "expired"))
    ended = found.get("processing_status") == "ended"
    return [BatchJob(checked.identifier(found.get("id"), "id"), ended=ended, told=told)]


def _answer(frame: Frame) -> list[BatchAnswer]:
    line = checked.mapping(frame.data, "a result")
    key = checked.text(line.get("custom_id"), "custom_id")
    result = checked.mapping(line.get("result"), "result")
    if result.get("type") == "succeeded":
        return [BatchAnswer(key, 200, result.get("message"))]
    if result.get("type") != "errored":
        return [BatchAnswer(key, None)]
    document = checked.mapping(result.get("error"), "error")
    error = document.get("error")
    kind = error.get("type") if isinstance(error, Mapping) else None
    return [BatchAnswer(key, STATUSES.get(str(kind), 500), document)]


def _unread(head: Head) -> Any:
    return lambda frame: ()
