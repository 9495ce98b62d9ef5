"""OpenAI's batches: a file of requests goes up, a batch is made of it, two files of answers come down.

Source: the `files` and `batches` resources and types of openai 3.54.0 and OpenAI's reference (read 2026-11-22): at most
50,000 requests and 200 MB a batch, 24 hours, answers in any order, refused requests in a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from byollm.plugin import (
    BatchAnswer,
    BatchItem,
    BatchJob,
    Exchange,
    Frame,
    Head,
    HttpRequest,
    ProtocolError,
    checked,
    dump_json,
    path_segment,
)

ENDED: Final = ("completed", "failed", "expired", "cancelled")
KEPT: Final = 8 * 24 * 3600
"""Seconds after which the files go by themselves, should nobody come back to delete them: a call waits for a week at
most."""


class OpenAIBatches:
    """The batches of one deployment. `base` is the address that `/files` and `/batches` follow, `headers` those of its
    requests, `endpoint` what a batch calls the requests' path; `expires`: files can be told when to go. `exchange`
    brings auth and errors."""

    most = 50_000
    most_bytes = 200_000_000

    def __init__(
        self,
        base: str,
        endpoint: str,
        headers: tuple[tuple[str, str], ...],
        exchange: Callable[..., Exchange[Any]],
        expires: bool,
    ) -> None:
        self._base = base
        self._endpoint = endpoint
        self._headers = headers
        self._exchange = exchange
        self._expires = expires

    def submit(self, items: Sequence[BatchItem]) -> Exchange[Any]:
        """POST /files, then POST /batches."""
        endpoint = dump_json(self._endpoint)
        lines = [
            b'{"custom_id":%b,"method":"POST","url":%b,"body":%b}' % (dump_json(item.key), endpoint, item.request.body)
            for item in items
        ]
        content = b"\n".join(lines) + b"\n"
        boundary = f"byollm-{sha256(content).hexdigest()[:32]}"
        fields = {"purpose": "batch"}
        if self._expires:
            fields |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(KEPT)}
        headers = self._with(("content-type", f"multipart/form-data; boundary={boundary}"))
        upload = HttpRequest("POST", f"{self._base}/files", headers, _form(fields, content, boundary))
        return self._exchange(upload, _reading(_uploaded), then=self._begin)

    def look(self, job: BatchJob) -> Exchange[BatchJob]:
        """GET /batches/{id}."""
        return self._asked("GET", f"/batches/{path_segment(job.id)}", _job)

    def cancel(self, job: BatchJob) -> Exchange[BatchJob]:
        """POST /batches/{id}/cancel."""
        return self._asked("POST", f"/batches/{path_segment(job.id)}/cancel", _job)

    def answers(self, job: BatchJob) -> Exchange[Any]:
        """GET /files/{id}/content of what was answered, then of what was refused."""
        files = [job.files[name] for name in ("output", "error") if name in job.files]
        if not files:  # it ended before anything was done
            return self._asked("GET", f"/batches/{path_segment(job.id)}", _nothing)
        return self._content(files)

    def forget(self, job: BatchJob) -> Exchange[Any] | None:
        """DELETE /files/{id} of all three, or of what was uploaded for a batch that was refused."""
        return self._deleted([job.files[name] for name in ("output", "error", "input") if name in job.files])

    def _begin(self, values: list[Any]) -> Exchange[BatchJob] | None:
        if not values:
            raise ProtocolError("the answer to an upload names no file")
        if values[-1].id:
            return None
        body: dict[str, Any] = {
            "input_file_id": values[-1].files["input"],
            "endpoint": self._endpoint,
            "completion_window": "24h",
        }
        if self._expires:
            body["output_expires_after"] = {"anchor": "created_at", "seconds": KEPT}
        return self._asked("POST", "/batches", _job, dump_json(body))

    def _content(self, files: list[str]) -> Exchange[Any]:
        request = HttpRequest("GET", f"{self._base}/files/{path_segment(files[0])}/content", self._headers)
        then = (lambda values: self._content(files[1:])) if len(files) > 1 else None
        return self._exchange(request, _reading(_answer), framing="ndjson", then=then)

    def _deleted(self, files: list[str]) -> Exchange[Any] | None:
        if not files:
            return None
        request = HttpRequest("DELETE", f"{self._base}/files/{path_segment(files[0])}", self._headers)
        return self._exchange(request, _reading(_nothing), then=lambda values: self._deleted(files[1:]))

    def _asked(self, method: str, path: str, read: Callable[[Frame], list[Any]], body: bytes = b"") -> Exchange[Any]:
        return self._exchange(HttpRequest(method, f"{self._base}{path}", self._headers, body), _reading(read))

    def _with(self, header: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return (*(pair for pair in self._headers if pair[0] != header[0]), header)


def _form(fields: Mapping[str, str], content: bytes, boundary: str) -> bytes:
    parts = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="batch.jsonl"\r\n'
        "content-type: application/jsonl\r\n\r\n"
    )
    return "".join([*parts, head]).encode() + content + f"\r\n--{boundary}--\r\n".encode()


def _reading(read: Callable[[Frame], list[Any]]) -> Callable[[Head], Callable[[Frame], list[Any]]]:
    return lambda head: read


def _uploaded(frame: Frame) -> list[BatchJob]:
    return [BatchJob("", files={"input": checked.identifier(checked.mapping(frame.data, "the file").get("id"), "id")})]


def _nothing(frame: Frame) -> list[Any]:
    return []


def _job(frame: Frame) -> list[BatchJob]:
    found = checked.mapping(frame.data, "the batch")
    named = {name: found.get(f"{name}_file_id") for name in ("input", "output", "error")}
    status = found.get("status")
    counts = found.get("request_counts")
    return [
        BatchJob(
            checked.identifier(found.get("id"), "id"),
            ended=status in ENDED,
            told=sum(checked.count(counts.get(name), name) for name in ("completed", "failed"))
            if isinstance(counts, Mapping)
            else None,
            failed=_problems(found.get("errors")) if status == "failed" else "",
            files={name: checked.identifier(file, f"{name}_file_id") for name, file in named.items() if file},
        )
    ]


def _problems(errors: Any) -> str:
    told = errors.get("data") if isinstance(errors, Mapping) else None
    words = [str(error.get("message")) for error in told or () if isinstance(error, Mapping) and error.get("message")]
    return "; ".join(words[:3]) or "its requests were not accepted"


def _answer(frame: Frame) -> list[BatchAnswer]:
    line = checked.mapping(frame.data, "an answer")
    key = checked.text(line.get("custom_id"), "custom_id")
    response = line.get("response")
    if isinstance(response, Mapping):
        status = response.get("status_code")
        named = response.get("request_id")
        headers = {"x-request-id": named} if isinstance(named, str) else {}
        status = status if type(status) is int and 100 <= status <= 599 else 500
        return [BatchAnswer(key, status, response.get("body"), headers)]
    error = line.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    if error is None or code in ("batch_expired", "batch_cancelled"):
        return [BatchAnswer(key, None)]
    return [BatchAnswer(key, 500, {"error": error})]
