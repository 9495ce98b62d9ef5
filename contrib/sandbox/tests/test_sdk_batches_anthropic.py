"""A judge: Anthropic's own SDK drives the twin's Message Batches, each answer after its own strict validation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import anthropic
import pytest
from anthropic.types.messages import DeletedMessageBatch, MessageBatch, MessageBatchIndividualResponse
from pydantic import TypeAdapter
from sandbox_asking import body_for
from sandbox_batches import outcomes, refused, requests_for
from sandbox_judging import unknown_members

from byollm import errors
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins, serve

RESULT: TypeAdapter[Any] = TypeAdapter(MessageBatchIndividualResponse)
NAMES = tuple(f"r{number}" for number in range(6))


@pytest.fixture
def client(twin: Twins) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="sk-any", base_url=twin.url("anthropic-messages"), max_retries=0) as made:
        yield made


def strict(kind: Any, raw: Any) -> Any:
    found = kind.model_validate_json(raw.http_response.content, strict=True)
    assert set() == unknown_members(found)
    return found


def test_a_batch_works_and_ends(client: anthropic.Anthropic) -> None:
    """Created in progress with a day to go; ended at the first look, with its counts and the address of its results."""
    new = strict(MessageBatch, client.messages.batches.with_raw_response.create(requests=requests_for(*NAMES)))
    done = strict(MessageBatch, client.messages.batches.with_raw_response.retrieve(new.id))

    assert ("in_progress", 6, None, None) == (
        new.processing_status,
        new.request_counts.processing,
        new.results_url,
        new.ended_at,
    )
    assert timedelta(hours=24) == new.expires_at - new.created_at
    assert ("ended", 0, 6) == (done.processing_status, done.request_counts.processing, done.request_counts.succeeded)
    assert done.ended_at >= done.created_at
    assert done.results_url.endswith(f"/v1/messages/batches/{new.id}/results")


def test_each_result_validates_strictly(twin: Twins, client: anthropic.Anthropic) -> None:
    """Every line is one of the SDK's union, with no member it does not know, whatever became of the request."""
    twin.batch(expire=["r5"], fail=["r4"], answers={"r0": "the answer"})
    bad = requests_for("r3", temperature=7)
    batch = client.messages.batches.create(requests=[*requests_for("r0", "r1", "r2", "r4", "r5"), *bad])
    client.messages.batches.retrieve(batch.id)

    place = twin.url("anthropic-messages") + f"/v1/messages/batches/{batch.id}/results"
    lines = client.get(place, cast_to=bytes, options={"headers": {"accept": "application/binary"}}).splitlines()
    entries = {entry.custom_id: entry.result for entry in (RESULT.validate_json(line, strict=True) for line in lines)}

    assert set() == set().union(*[unknown_members(result) for result in entries.values()])
    assert {**dict.fromkeys(("r0", "r1", "r2"), "succeeded"), "r3": "errored", "r4": "errored", "r5": "expired"} == {
        name: result.type for name, result in entries.items()
    }
    assert ("the answer", "batch") == (
        entries["r0"].message.content[0].text,
        entries["r0"].message.usage.service_tier,
    )


def test_results_come_in_another_order(client: anthropic.Anthropic) -> None:
    """The order of the results is never that of the requests, and holds all of them."""
    for count in (2, 3, 6):
        batch = client.messages.batches.create(requests=requests_for(*NAMES[:count]))
        client.messages.batches.retrieve(batch.id)
        seen = [entry.custom_id for entry in client.messages.batches.results(batch.id)]

        assert (list(NAMES[:count]), True) == (sorted(seen), seen != sorted(seen))


def test_the_twins_own_rules_judge_each_request(client: anthropic.Anthropic) -> None:
    """Wrong parameters are an `errored` result in the words of the Messages endpoint, and no refusal of the batch."""
    wrong: list[Any] = [{"max_tokens": -1}, {"temperature": 7}, {"model": "claude-nonesuch"}, {"messages": []}]
    requests = [request for index, more in enumerate(wrong) for request in requests_for(f"w{index}", **more)]
    batch = client.messages.batches.create(requests=requests)
    client.messages.batches.retrieve(batch.id)

    for entry in client.messages.batches.results(batch.id):
        # The SDK has no arguments any more for some parameters that the API judges.
        more = wrong[int(entry.custom_id[1:])]
        params: Any = {**body_for("anthropic-messages"), "extra_body": more}
        assert entry.result.type == "errored"
        alone = refused(anthropic.APIStatusError, client.messages.create, **params)
        assert entry.result.error.error.message in alone


def test_scripted_usage_and_errors_reach_the_results(twin: Twins, client: anthropic.Anthropic) -> None:
    """Requests take the common queue in their order: usage is told as scripted, errors in the vendor's shape."""
    twin.script(Answer(parts="one", usage=Usage(100, 50, 20)), errors.OverloadedError("busy"))
    batch = client.messages.batches.create(requests=requests_for("a", "b"))
    client.messages.batches.retrieve(batch.id)
    found = {entry.custom_id: entry.result for entry in client.messages.batches.results(batch.id)}

    assert found["a"].type == "succeeded"
    assert found["b"].type == "errored"
    assert (80, 20, 50) == (
        found["a"].message.usage.input_tokens,
        found["a"].message.usage.cache_read_input_tokens,
        found["a"].message.usage.output_tokens,
    )
    assert ("overloaded_error", "busy") == (found["b"].error.error.type, found["b"].error.error.message)


def test_a_batch_is_cancelled(twin: Twins, client: anthropic.Anthropic) -> None:
    """It is canceling, then ended; what had its answer before keeps it, and cancelling twice changes nothing."""
    twin.batch(never=True, answered=["r1", "r2"], cancel_polls=2)
    batch = client.messages.batches.create(requests=requests_for(*NAMES))
    first = strict(MessageBatch, client.messages.batches.with_raw_response.cancel(batch.id))
    second = client.messages.batches.cancel(batch.id)
    states = [client.messages.batches.retrieve(batch.id) for _ in range(2)]

    assert ("canceling", True) == (first.processing_status, first.cancel_initiated_at is not None)
    assert first.cancel_initiated_at == second.cancel_initiated_at
    assert ["canceling", "ended"] == [state.processing_status for state in states]
    assert (4, 2, 0) == (
        states[1].request_counts.canceled,
        states[1].request_counts.succeeded,
        states[1].request_counts.processing,
    )
    assert {**dict.fromkeys(NAMES, "canceled"), "r1": "succeeded", "r2": "succeeded"} == outcomes(client, batch)


def test_the_list_is_paged_both_ways(client: anthropic.Anthropic) -> None:
    """The latest come first; `after_id` and `before_id` are the ends of a page, and the SDK walks through all."""
    ids = [client.messages.batches.create(requests=requests_for("a")).id for _ in range(5)][::-1]

    walked = [batch.id for batch in client.messages.batches.list(limit=2)]
    after = client.messages.batches.list(limit=2, after_id=ids[0])
    before = client.messages.batches.list(limit=2, before_id=ids[3])

    assert ids == walked
    assert (ids[1:3], True, ids[1], ids[2]) == (
        [batch.id for batch in after.data],
        after.has_more,
        after.first_id,
        after.last_id,
    )
    assert (ids[1:3], True) == ([batch.id for batch in before.data], before.has_more)
    assert [] == client.messages.batches.list(after_id=ids[-1]).data
    for wrong in ({"limit": 0}, {"limit": 1001}, {"after_id": "msgbatch_none"}):
        refused(anthropic.BadRequestError, client.messages.batches.list, **wrong)


def test_a_batch_is_deleted_after_its_end_only(twin: Twins, client: anthropic.Anthropic) -> None:
    """While it works it is refused with 400; afterwards it is gone from every endpoint, and the record keeps it."""
    batch = client.messages.batches.create(requests=requests_for("a"))
    refused(anthropic.BadRequestError, lambda: client.messages.batches.delete(batch.id))
    client.messages.batches.retrieve(batch.id)

    gone = strict(DeletedMessageBatch, client.messages.batches.with_raw_response.delete(batch.id))

    assert batch.id == gone.id
    assert [] == client.messages.batches.list().data
    assert (True, 2) == (twin.batches[0].deleted, twin.batches[0].deletes)
    for verb in ("retrieve", "cancel", "delete", "results"):
        ask = getattr(client.messages.batches, verb)
        assert "not_found_error" in refused(anthropic.NotFoundError, ask, batch.id)


def test_what_comes_at_the_wrong_time_is_refused(twin: Twins, client: anthropic.Anthropic) -> None:
    """Results before the end, cancelling after it, and results that were archived."""
    twin.batch(polls=1, archived=True)
    batch = client.messages.batches.create(requests=requests_for("a"))
    place = twin.url("anthropic-messages") + f"/v1/messages/batches/{batch.id}/results"
    refused(anthropic.BadRequestError, lambda: client.get(place, cast_to=bytes))

    ended = client.messages.batches.retrieve(batch.id)

    assert ("ended", None, True) == (ended.processing_status, ended.results_url, ended.archived_at is not None)
    refused(anthropic.BadRequestError, lambda: client.messages.batches.cancel(batch.id))
    refused(anthropic.NotFoundError, lambda: client.get(place, cast_to=bytes))


REFUSED: dict[str, tuple[Any, str]] = {
    "no requests": ({"requests": []}, "requests: List should have at least 1 item"),
    "no list": ({"requests": {}}, "requests: Input should be a valid list"),
    "no member": ({}, "requests: Field required"),
    "no object": ([1], "expected an object"),
    "unknown": ({"requests": requests_for("a"), "model": "x"}, "model: Extra inputs"),
    "twice": ({"requests": requests_for("a", "b", "a")}, "requests.2.custom_id"),
    "no id": ({"requests": [{"params": {}}]}, "requests.0.custom_id: Field required"),
    "empty id": ({"requests": requests_for("")}, "requests.0.custom_id: String should match pattern"),
    "long id": ({"requests": requests_for("a" * 65)}, "requests.0.custom_id: String should match pattern"),
    "odd id": ({"requests": requests_for("ok", "a b")}, "requests.1.custom_id: String should match pattern"),
    "line end": ({"requests": requests_for("a\n")}, "requests.0.custom_id: String should match pattern"),
    "number": ({"requests": [{"custom_id": 1, "params": {}}]}, "requests.0.custom_id: Input should be a valid string"),
    "no params": ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
    "text": ({"requests": [{"custom_id": "a", "params": "x"}]}, "requests.0.params: Input should be"),
    "stray": ({"requests": [{"custom_id": "a", "params": {}, "url": ""}]}, "requests.0.url: Extra inputs"),
    "nothing": ({"requests": [None]}, "requests.0: Input should be"),
    "stream": ({"requests": requests_for("a", stream=True)}, "requests.0.params.stream"),
    "no tokens": ({"requests": requests_for("a", max_tokens=0)}, "requests.0.params.max_tokens"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_batch_is_refused(twin: Twins, client: anthropic.Anthropic, name: str) -> None:
    """400 with the place, and nothing is created."""
    body, words = REFUSED[name]

    assert words in refused(
        anthropic.BadRequestError, lambda: client.post("/v1/messages/batches", cast_to=MessageBatch, body=body)
    )
    assert [] == twin.batches


def test_the_beta_resource_of_the_sdk_speaks_with_the_same_endpoints(client: anthropic.Anthropic) -> None:
    """`client.beta.messages.batches` creates, looks, reads and deletes."""
    batches = client.beta.messages.batches
    batch = batches.create(requests=requests_for("a"))

    assert ("ended", ["succeeded"]) == (
        batches.retrieve(batch.id).processing_status,
        [entry.result.type for entry in batches.results(batch.id)],
    )
    assert "message_batch_deleted" == batches.delete(batch.id).type


def test_what_is_too_large_is_refused(twin: Twins, client: anthropic.Anthropic) -> None:
    """Lowered limits: too many requests are 400, too many bytes 413."""
    twin.batch_limits(requests=2, bytes=1000)

    refused(anthropic.BadRequestError, lambda: client.messages.batches.create(requests=requests_for("a", "b", "c")))
    big = requests_for("a", system="long " * 300)
    assert "request_too_large" in refused(
        anthropic.RequestTooLargeError, lambda: client.messages.batches.create(requests=big)
    )


def test_batches_ask_for_key_and_version(twin: Twins) -> None:
    """A wrong key is 401 and a missing version 400 on every batch endpoint; other upstreams do not know the batch."""
    with serve(key="sk-right") as locked:
        url = locked.url("anthropic-messages")
        with anthropic.Anthropic(api_key="sk-right", base_url=url, max_retries=0) as good:
            batch = good.messages.batches.create(requests=requests_for("a"))
            odd: Any = {"extra_headers": {"anthropic-version": "1999-01-01"}}
            refused(anthropic.BadRequestError, lambda: good.messages.batches.retrieve(batch.id, **odd))
        with anthropic.Anthropic(api_key="sk-wrong", base_url=url, max_retries=0) as bad:
            refused(anthropic.AuthenticationError, lambda: bad.messages.batches.retrieve(batch.id))
        other = locked.url("anthropic-messages", name="elsewhere")
        with anthropic.Anthropic(api_key="sk-right", base_url=other, max_retries=0) as far:
            refused(anthropic.NotFoundError, lambda: far.messages.batches.retrieve(batch.id))
