"""Batch jobs: the bodies of `complete` inside the request that makes the job, their answers in two files.

Source: `batch.jobs`, `files` and `extra.batch` of mistralai 3.7.0, Mistral's guide to batches (stored copies) and what
public code tells of its OpenAPI document, read 2026-11-22: one model a job, 24 hours unless more are asked for, fewer
than 10,000 requests inside. How many bytes is told nowhere; `extra.batch` sends 1,000 requests so and says that bytes
count. Answers stand in `output_file` and `error_file`; of a job whose requests came inside they may stand in `outputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from byollm.plugin import (
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

ENDED: Final = ("SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED")
_ANSWERS: Final = ("output_file", "error_file")


class MistralBatches:
    """The batches of one deployment. `base` is the address that `/batch` and `/files` follow, `headers` those of its
    requests; `exchange` brings auth and errors."""

    most = 1_000
    most_bytes = 10_000_000

    def __init__(
        self, model: str, base: str, headers: tuple[tuple[str, str], ...], exchange: Callable[..., Exchange[Any]]
    ) -> None:
        self._model = model
        self._base = base
        self._headers = headers
        self._exchange = exchange

    def submit(self, items: Sequence[BatchItem]) -> Exchange[BatchJob]:
        """POST /batch/jobs."""
        requests = b",".join(b'{"custom_id":%b,"body":%b}' % (dump_json(item.key), item.request.body) for item in items)
        body = b'{"endpoint":"/v1/chat/completions","model":%b,"requests":[%b]}' % (dump_json(self._model), requests)
        return self._asked("POST", "/batch/jobs", _job, body=body)

    def look(self, job: BatchJob) -> Exchange[BatchJob]:
        """GET /batch/jobs/{id}."""
        return self._asked("GET", _place(job), _job)

    def cancel(self, job: BatchJob) -> Exchange[BatchJob]:
        """POST /batch/jobs/{id}/cancel."""
        return self._asked("POST", f"{_place(job)}/cancel", _job)

    def answers(self, job: BatchJob) -> Exchange[Any]:
        """GET /files/{id}/content of both files; where there is none, GET /batch/jobs/{id}?inline=true."""
        files = [job.files[name] for name in _ANSWERS if name in job.files]
        return self._content(files) if files else self._asked("GET", f"{_place(job)}?inline=true", _outputs)

    def forget(self, job: BatchJob) -> Exchange[Any]:
        """DELETE /files/{id} of all files, then DELETE /batch/jobs/{id}."""
        return self._deleted([*(f"/files/{path_segment(file)}" for file in job.files.values()), _place(job)])

    def _content(self, files: list[str]) -> Exchange[Any]:
        then = (lambda values: self._content(files[1:])) if files[1:] else None
        path = f"/files/{path_segment(files[0])}/content"
        return self._asked("GET", path, lambda frame: [_answer(frame.data)], framing="ndjson", then=then)

    def _deleted(self, paths: list[str]) -> Exchange[Any]:
        then = (lambda values: self._deleted(paths[1:])) if paths[1:] else None
        return self._asked("DELETE", paths[0], lambda frame: [], then=then)

    def _asked(
        self, method: str, path: str, read: Callable[[Frame], list[Any]], *, body: bytes = b"", **more: Any
    ) -> Exchange[Any]:
        request = HttpRequest(method, f"{self._base}{path}", self._headers, body)
        return self._exchange(request, lambda head: read, **more)


def _place(job: BatchJob) -> str:
    return f"/batch/jobs/{path_segment(job.id)}"


def _job(frame: Frame) -> list[BatchJob]:
    found = checked.mapping(frame.data, "the job")
    sent = found.get("input_files") or []
    if not isinstance(sent, list):
        raise ProtocolError("input_files is not a list")
    named = {f"input_{place}": file for place, file in enumerate(sent)} | {name: found.get(name) for name in _ANSWERS}
    files = {name: checked.identifier(file, name) for name, file in named.items() if file}
    is_empty = found.get("status") == "FAILED" and files.keys().isdisjoint(_ANSWERS) and not found.get("outputs")
    return [
        BatchJob(
            checked.identifier(found.get("id"), "id"),
            ended=found.get("status") in ENDED,
            told=_count(found),
            failed=_problems(found.get("errors")) if is_empty else "",
            files=files,
        )
    ]


def _count(found: Mapping[str, Any]) -> int | None:
    told = [checked.count(found[name], name) for name in ("succeeded_requests", "failed_requests") if name in found]
    return sum(told) if told else None


def _problems(errors: Any) -> str:
    told = errors if isinstance(errors, list) else []
    words = [str(error.get("message")) for error in told if isinstance(error, Mapping) and error.get("message")]
    return "; ".join(words[:3]) or "its requests were not accepted"


def _outputs(frame: Frame) -> list[BatchAnswer]:
    outputs = checked.mapping(frame.data, "the job").get("outputs") or []
    if not isinstance(outputs, list):
        raise ProtocolError("outputs is not a list")
    return [_answer(line) for line in outputs]


def _answer(data: Any) -> BatchAnswer:
    line = checked.mapping(data, "an answer")
    key = checked.text(line.get("custom_id"), "custom_id")
    response = checked.mapping(line.get("response") or {}, "response")
    status, error = response.get("status_code"), line.get("error")
    if error is None and not response:
        return BatchAnswer(key, None)
    if type(status) is not int or not (200 if error is None else 400) <= status < 600:
        status = 200 if error is None else 500
    body = response.get("body")
    if error is not None and not body:
        body = error if isinstance(error, Mapping) else {"message": str(error)}
    return BatchAnswer(key, status, body)
