"""Message Batches: what is sent fits the vendor's own types, what comes back is read with care."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types.messages import batch_create_params
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import byollm
from byollm.errors import ProtocolError
from byollm.plugin import BatchAnswer, Batches, BatchItem, BatchJob, Frame, Head, Tool

SENT: TypeAdapter[Any] = TypeAdapter(batch_create_params.BatchCreateParams)
JOB = BatchJob("msgbatch_1")
REQUESTS = [
    byollm.Request("hi", max_tokens=9),
    byollm.Request([byollm.Message("system", "Be brief."), byollm.Message("user", 'Ünïcödé \u2028 and "quotes"\n')]),
    byollm.Request("weather?", tools=[Tool("weather", "Tells it.", {"type": "object", "properties": {}})]),
    byollm.Request("hi", reasoning_effort="low", max_tokens=3000),
]


def deployed(**more: Any) -> Any:
    target = {"provider": "anthropic", "model": "claude-sonnet-4-5", "api_key": "literal:sk-0123456789", **more}
    return byollm.Client(target).lines(None, None, None)[0].deployment


def batches(**more: Any) -> Batches:
    return deployed(**more).batches()


def items() -> list[BatchItem]:
    own = deployed()
    return [
        BatchItem(f"k-{place}", own.exchange(own.fit(request).request).request)
        for place, request in enumerate(REQUESTS)
    ]


def test_a_batch_fits_the_sdks_type():
    """Every body under its own name, as it would have been sent alone."""
    sent = batches().submit(items()).request
    body = SENT.validate_json(sent.body)

    assert ("POST", "https://api.anthropic.com/v1/messages/batches") == (sent.method, sent.url)
    assert [f"k-{place}" for place in range(len(REQUESTS))] == [request["custom_id"] for request in body["requests"]]
    assert [json.loads(item.request.body) for item in items()] == [
        request["params"] for request in json.loads(sent.body)["requests"]
    ]


def test_the_headers_of_its_requests_are_those_of_the_batch():
    """The version, the betas and the workspace."""
    own = batches(betas=["output-300k-2026-03-24"], workspace_id="wrk")

    asked: Any
    for asked in (own.submit(items()), own.look(JOB), own.answers(JOB), own.cancel(JOB), own.forget(JOB)):
        headers = dict(asked.request.headers)
        assert ("2023-06-01", "wrk") == (headers["anthropic-version"], headers["anthropic-workspace-id"])
        assert "output-300k-2026-03-24" in headers["anthropic-beta"]


def test_answers_are_read_at_their_own_address():
    """Not where `results_url` says: keys go where the file sends them."""
    told = {**ENDED, "results_url": "https://elsewhere.example/results"}
    (job,) = read(batches().look(JOB), told)

    assert "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results" == batches().answers(job).request.url


ENDED = {
    "id": "msgbatch_1",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 1},
}


def read(exchange: Any, *documents: Any) -> list[Any]:
    reader = exchange.reader(Head(200, {}))
    return [value for document in documents for value in reader(Frame("", document))]


@pytest.mark.parametrize(("status", "ended"), [("in_progress", False), ("canceling", False), ("ended", True)])
def test_how_far_it_is(status: str, ended: bool):
    """And how many answers there are."""
    assert [BatchJob("msgbatch_1", ended, 4)] == read(batches().look(JOB), {**ENDED, "processing_status": status})


def test_every_kind_of_result():
    """A refusal has the status that it would have had alone; what was not done has none."""
    refused = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_1"}
    results = [{"type": "succeeded", "message": {"id": "msg"}}, {"type": "errored", "error": refused},
               {"type": "canceled"}, {"type": "expired"}]  # fmt: skip

    found = read(batches().answers(JOB), *({"custom_id": "k", "result": result} for result in results))

    assert found == [
        BatchAnswer("k", 200, {"id": "msg"}),
        BatchAnswer("k", 529, refused),
        *[BatchAnswer("k", None)] * 2,
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "custom_id", "result", "type", "error", "request_counts"]), inner)
    ),
)


@given(JSON)
def test_junk_is_read_or_is_a_protocol_error(document: Any):
    """Never anything else."""
    own = batches()
    for asked in (own.submit([]), own.answers(JOB)):
        try:
            found = read(asked, document)
        except ProtocolError:
            continue
        assert all(isinstance(value, BatchJob | BatchAnswer) for value in found)


@pytest.mark.parametrize("name", ["", ".", "..", None, 7])
def test_an_id_that_could_climb_out_of_its_path_is_none(name: Any):
    """Nobody is asked for it."""
    with pytest.raises(ProtocolError):
        read(batches().look(JOB), {**ENDED, "id": name})
