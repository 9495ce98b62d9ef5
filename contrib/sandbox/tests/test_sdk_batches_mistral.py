"""A judge: mistralai drives the twin's batch jobs, each answer after its own strict validation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError
from mistralai.client.models import BatchJob, ChatCompletionResponse, DeleteBatchJobResponse
from mistralai.extra.batch import BatchOutput
from sandbox_batches import refused

from byollm import errors
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins, serve

MODEL = "mistral-medium-latest"
NAMES = tuple(f"r{number}" for number in range(6))


def made(url: str, key: str = "k-any") -> Mistral:
    return Mistral(api_key=key, server_url=url.removesuffix("/v1"))


@pytest.fixture
def client(twin: Twins) -> Iterator[Mistral]:
    with made(twin.url("mistral-chat")) as opened:
        yield opened


def requests_for(*names: str, **more: Any) -> Any:
    return [{"custom_id": name, "body": {"messages": [{"role": "user", "content": "hello"}], **more}} for name in names]


def begun(client: Mistral, *names: str, **more: Any) -> BatchJob:
    """A job of those names, with `more` in their bodies."""
    return client.batch.jobs.create(endpoint="/v1/chat/completions", model=MODEL, requests=requests_for(*names, **more))


def looked(client: Mistral, job: BatchJob, **more: Any) -> BatchJob:
    return client.batch.jobs.get(job_id=job.id, **more)


def told(client: Mistral, file: Any) -> dict[str, Any]:
    """The lines of a file by name; none of no file."""
    lines = client.files.download(file_id=file).read().splitlines() if file else []
    return {line["custom_id"]: line for line in map(json.loads, lines)}


def test_each_state_of_a_job_validates_strictly(twin: Twins, client: Mistral, ask: Any) -> None:
    """Queued, running, ended: no member is missing, of another type, or unknown."""
    twin.batch(polls=2, fail=["r5"])
    new = begun(client, *NAMES)
    place = f"{twin.url('mistral-chat')}/batch/jobs/{new.id}"
    raw = [ask.client.get(place, headers={"authorization": "Bearer k-any"}).json() for _ in range(2)]
    seen = [BatchJob.model_validate(document, strict=True) for document in raw]

    assert ["QUEUED", "RUNNING", "SUCCESS"] == [new.status, *[job.status for job in seen]]
    assert [set(BatchJob.model_fields)] * 2 == [set(document) for document in raw]
    assert (6, 6, 5, 1) == tuple(
        getattr(seen[1], f"{word}_requests") for word in ("total", "completed", "succeeded", "failed")
    )


def test_answers_stand_in_two_files(twin: Twins, client: Mistral) -> None:
    """The SDK's own reader of batches reads them, whatever became of the request."""
    twin.script(Answer(parts="one", usage=Usage(100, 50)), errors.RateLimitError("later"))
    done = looked(client, begun(client, "a", "b"))
    files = [client.files.download(file_id=str(file)).read() for file in (done.output_file, done.error_file)]
    output, failed = (BatchOutput.from_jsonl_bytes(content, ChatCompletionResponse) for content in files)
    answer: Any = output.responses["a"]

    assert ("one", 150) == (answer.choices[0].message.content, answer.usage.total_tokens)
    assert ([], []) == (output.request_errors, output.response_errors)
    assert [("b", 429, "later")] == [(each.custom_id, each.status_code, each.error) for each in failed.request_errors]


def test_answers_stand_in_the_job_for_who_asks(twin: Twins, client: Mistral) -> None:
    """The same lines, in another order than that of the requests."""
    twin.batch(fail=["r5"])
    job = begun(client, *NAMES)
    outputs: Any = looked(client, job, inline=True).outputs
    done = looked(client, job)

    assert not done.outputs
    assert {**told(client, done.output_file), **told(client, done.error_file)} == {
        line["custom_id"]: line for line in outputs
    }
    assert list(NAMES) != [line["custom_id"] for line in outputs]


def test_the_twins_own_rules_judge_each_request(client: Mistral) -> None:
    """A value out of range is a line of the error file, and no refusal of the job."""
    done = looked(client, begun(client, "a", temperature=7))

    assert 422 == told(client, done.error_file)["a"]["response"]["status_code"]
    assert not done.output_file


def test_a_job_is_cancelled(twin: Twins, client: Mistral) -> None:
    """Asked for, then cancelled; what had its answer keeps it."""
    twin.batch(never=True, answered=["r1", "r2"], cancel_polls=2)
    job = begun(client, *NAMES)
    states = [client.batch.jobs.cancel(job_id=job.id), looked(client, job), looked(client, job)]

    assert ["CANCELLATION_REQUESTED"] * 2 + ["CANCELLED"] == [state.status for state in states]
    assert {"r1", "r2"} == set(told(client, states[-1].output_file))
    assert "has ended" in refused(SDKError, lambda: client.batch.jobs.cancel(job_id=job.id))


def test_a_late_job_keeps_what_was_answered(twin: Twins, client: Mistral) -> None:
    """The others have no line."""
    twin.batch(expire=["b"])
    done = looked(client, begun(client, "a", "b"))

    assert ("TIMEOUT_EXCEEDED", 1, 0) == (done.status, done.succeeded_requests, done.failed_requests)
    assert {"a"} == set(told(client, done.output_file))


def test_a_job_fails_as_a_whole(twin: Twins, client: Mistral) -> None:
    """With its errors, and without files."""
    twin.batch(collapse=errors.ServerError("broken"), polls=5)
    done = looked(client, begun(client, "a"))

    assert ("FAILED", ["broken"]) == (done.status, [error.message for error in done.errors])
    assert [None, None] == [done.output_file, done.error_file]


def test_a_submission_is_refused(twin: Twins, client: Mistral) -> None:
    """And nothing is created."""
    twin.batch(refuse=errors.RateLimitError("later"))

    assert "later" in refused(SDKError, lambda: begun(client, "a"))
    assert [] == twin.batches


def test_the_list_is_paged(client: Mistral) -> None:
    """The latest first, with the count of all."""
    ids = [begun(client, "a").id for _ in range(5)][::-1]
    page = client.batch.jobs.list(page=1, page_size=2)

    assert (ids[2:4], 5) == ([job.id for job in page.data or ()], page.total)


def test_files_and_job_are_deleted(twin: Twins, client: Mistral) -> None:
    """After the end; then nobody knows them."""
    job = begun(client, "a")
    refused(SDKError, lambda: client.batch.jobs.delete(job_id=job.id))
    file = str(looked(client, job).output_file)
    gone = client.batch.jobs.delete(job_id=job.id)

    assert DeleteBatchJobResponse(id=job.id, object="batch", deleted=True) == gone
    assert client.files.delete(file_id=file).deleted
    assert (True, []) == (twin.batches[0].deleted, twin.files)
    for ask in (client.batch.jobs.get, client.batch.jobs.cancel, client.batch.jobs.delete):
        refused(SDKError, ask, job_id=job.id)
    refused(SDKError, client.files.download, file_id=file)
    refused(SDKError, client.files.delete, file_id=file)


CHAT: Any = {"endpoint": "/v1/chat/completions", "model": MODEL}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no requests": (CHAT, "requests"),
    "none": ({**CHAT, "requests": []}, "requests"),
    "another endpoint": ({**CHAT, "endpoint": "/v1/ocr", "requests": requests_for("a")}, "endpoint"),
    "too long": ({**CHAT, "timeout_hours": 169, "requests": requests_for("a")}, "timeout_hours"),
    "no model": ({"endpoint": "/v1/chat/completions", "requests": requests_for("a")}, "model"),
    "too many": ({**CHAT, "requests": requests_for("a", "b", "c")}, "fewer items"),
    "twice": ({**CHAT, "requests": requests_for("a", "a")}, "not unique"),
    "a stream": ({**CHAT, "requests": requests_for("a", stream=True)}, "Streaming"),
    "a file": ({**CHAT, "input_files": ["f2b2e0d6-0000-4000-8000-000000000000"]}, "was not found"),
    "too large": ({**CHAT, "requests": requests_for("a", prompt_cache_key="k" * 2000)}, "too large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_job_is_refused(twin: Twins, client: Mistral, name: str) -> None:
    """With the place or the reason, and nothing is created."""
    twin.batch_limits(requests=2, bytes=1500)
    body, words = REFUSED[name]

    with pytest.raises((HTTPValidationError, SDKError)) as caught:
        client.batch.jobs.create(**body)
    assert words in caught.value.body
    assert [] == twin.batches


def test_jobs_ask_for_a_key_and_belong_to_their_upstream() -> None:
    """A wrong key is refused; other upstreams do not know the job."""
    with serve(key="sk-right") as locked:
        job = begun(made(locked.url("mistral-chat"), "sk-right"), "a")
        refused(SDKError, lambda: looked(made(locked.url("mistral-chat"), "sk-wrong"), job))
        refused(SDKError, lambda: looked(made(locked.url("mistral-chat", name="elsewhere"), "sk-right"), job))
