"""Batch jobs: what is sent fits the vendor's own types, what comes back is read with care."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mistralai.client.models import ChatCompletionRequest, CreateBatchJobRequest
from mistralai.extra.batch import RUNNING_STATUSES

import byollm
from byollm.errors import ProtocolError
from byollm.plugin import BatchAnswer, Batches, BatchItem, BatchJob, Frame, Head, Tool

PLACE = "https://api.mistral.ai/v1"
JOB = BatchJob("j1", True, files={"output_file": "f-out", "error_file": "f-err"})
REQUESTS = [
    byollm.Request("hi", max_tokens=9),
    byollm.Request([byollm.Message("system", "Be brief."), byollm.Message("user", 'Ünïcödé \u2028 and "quotes"\n')]),
    byollm.Request("weather?", tools=[Tool("weather", "Tells it.", {"type": "object", "properties": {}})]),
]


def deployed(**more: Any) -> Any:
    target = {"provider": "mistral", "model": "mistral-medium-latest", "api_key": "literal:k0123456789", **more}
    return byollm.Client(target).lines(None, None, None)[0].deployment


def batches(**more: Any) -> Batches:
    found = deployed(**more).batches()
    assert found is not None
    return found


def items() -> list[BatchItem]:
    own = deployed()
    return [
        BatchItem(f"k-{place}", own.exchange(own.fit(request).request).request)
        for place, request in enumerate(REQUESTS)
    ]


def read(exchange: Any, *documents: Any) -> list[Any]:
    reader = exchange.reader(Head(200, {}))
    return [value for document in documents for value in reader(Frame("", document))]


def told(status: str = "SUCCESS", **more: Any) -> dict[str, Any]:
    """A job of one's own."""
    return {"id": "j1", "status": status, "succeeded_requests": 3, "failed_requests": 1, "output_file": "f-out", **more}


def way(exchange: Any) -> list[str]:
    """The requests of an exchange and of those that follow it."""
    found = []
    while exchange is not None:
        found.append(f"{exchange.request.method} {exchange.request.url.removeprefix(PLACE)}")
        exchange = exchange.then([]) if exchange.then else None
    return found


def test_a_job_fits_the_sdks_type():
    """Every body under its own name, as it would have been sent alone; the model is the job's."""
    sent = batches().submit(items()).request
    body = json.loads(sent.body)
    job = CreateBatchJobRequest.model_validate(body, strict=True)

    assert ("POST", f"{PLACE}/batch/jobs") == (sent.method, sent.url)
    assert set(body) <= set(CreateBatchJobRequest.model_fields)
    assert ("/v1/chat/completions", "mistral-medium-latest") == (job.endpoint, job.model)
    assert [(item.key, json.loads(item.request.body)) for item in items()] == [
        (each["custom_id"], each["body"]) for each in body["requests"]
    ]
    for each in body["requests"]:
        ChatCompletionRequest.model_validate(each["body"])


def test_every_other_question_goes_to_the_jobs_own_address():
    """Answers come from its files, or from the job itself where it names none; nothing of it stays."""
    own, bare = batches(), BatchJob("j1", True)

    assert ["GET /batch/jobs/j1"] == way(own.look(JOB))
    assert ["POST /batch/jobs/j1/cancel"] == way(own.cancel(JOB))
    assert ["GET /files/f-out/content", "GET /files/f-err/content"] == way(own.answers(JOB))
    assert ["GET /batch/jobs/j1?inline=true"] == way(own.answers(bare))
    assert ["DELETE /files/f-out", "DELETE /files/f-err", "DELETE /batch/jobs/j1"] == way(own.forget(JOB))
    assert ["DELETE /batch/jobs/j1"] == way(own.forget(bare))


def test_another_servers_jobs_are_beside_its_completions():
    """Wherever the file says."""
    own = batches(endpoint="https://gate.example/mistral/v1", api_key="literal:k")

    assert "https://gate.example/mistral/v1/batch/jobs/j1" == own.look(JOB).request.url


@pytest.mark.parametrize("status", [*sorted(RUNNING_STATUSES), "SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED", "FAILED"])
def test_how_far_it_is(status: str):
    """And how many answers there are: every status of the SDK, which waits for the same ones."""
    files = {"input_0": "f-in", "output_file": "f-out"}

    assert [BatchJob("j1", status not in RUNNING_STATUSES, 4, files=files)] == read(
        batches().look(JOB), told(status, input_files=["f-in"], error_file=None)
    )


def test_a_job_that_counts_nothing_has_not_none():
    """How many answers there are is not known then."""
    (job,) = read(batches().look(JOB), {"id": "j1", "status": "SUCCESS"})

    assert job.told is None


def test_a_failed_one_says_why():
    """Unless it has answers all the same."""
    errors = [{"message": "no such model", "count": 2}, {"message": ""}, 7]

    def why(**more: Any) -> str:
        failed: str = read(batches().look(JOB), told("FAILED", errors=errors, **more))[0].failed
        return failed

    assert "no such model" == why(output_file=None)
    assert ["", ""] == [why(), why(output_file=None, error_file="f-err")]
    assert read(batches().look(JOB), told("FAILED", output_file=None))[0].failed


LINES = [
    ({"response": {"status_code": 200, "body": {"id": "c"}}, "error": None}, (200, {"id": "c"})),
    ({"response": {"status_code": 422, "body": {"detail": "x"}}, "error": "x"}, (422, {"detail": "x"})),
    ({"response": {"status_code": 429, "body": None}, "error": "later"}, (429, {"message": "later"})),
    ({"response": {"status_code": 200, "body": {}}, "error": "broken"}, (500, {"message": "broken"})),
    ({"response": None, "error": {"message": "broken"}}, (500, {"message": "broken"})),
    ({"response": {"body": {"id": "c"}}}, (200, {"id": "c"})),
    ({"response": {"status_code": 9999, "body": {}}, "error": "broken"}, (500, {"message": "broken"})),
    ({"response": None, "error": None}, (None, None)),
]


@pytest.mark.parametrize(("line", "answer"), LINES)
def test_every_kind_of_line(line: dict[str, Any], answer: tuple[int | None, Any]):
    """The same in a file as in the job; what has neither answer nor error was not done."""
    expected, own = [BatchAnswer("k", *answer)], batches()

    assert expected == read(own.answers(JOB), {"custom_id": "k", **line})
    assert expected == read(own.answers(BatchJob("j1", True)), told(outputs=[{"custom_id": "k", **line}]))


NAMES = ["id", "custom_id", "response", "status_code", "body", "error", "outputs", "errors", "input_files", "status"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
)


@given(JSON)
def test_junk_is_read_or_is_a_protocol_error(document: Any):
    """Never anything else."""
    own = batches()
    nearly = {"id": "j1", "status": "FAILED", "errors": document, "input_files": document, "outputs": [document]}
    for asked in (own.submit([]), own.answers(JOB), own.answers(BatchJob("j1")), own.forget(JOB)):
        for junk in (document, nearly):
            try:
                found = read(asked, junk)
            except ProtocolError:
                continue
            assert all(isinstance(value, BatchJob | BatchAnswer) for value in found)


@pytest.mark.parametrize("name", ["", ".", "..", None, 7])
@pytest.mark.parametrize("member", ["id", "output_file", "error_file"])
def test_an_id_that_could_climb_out_of_its_path_is_none(member: str, name: Any):
    """Nobody is asked for it; a file without a name is no file."""
    if member != "id" and not name:
        assert member not in read(batches().look(JOB), told(**{member: name}))[0].files
        return
    with pytest.raises(ProtocolError):
        read(batches().look(JOB), told(**{member: name}))
