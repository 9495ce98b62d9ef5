"""The Gemini API's batches: what is sent fits the vendor's own types, what comes back is read with care."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google import genai
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

import byollm
from byollm.errors import ProtocolError
from byollm.plugin import BatchAnswer, Batches, BatchItem, BatchJob, Frame, Head, Tool

PLACE = "https://generativelanguage.googleapis.com/v1beta"
JOB = BatchJob("batches/b1")
REQUESTS = [
    byollm.Request("hi", max_tokens=9),
    byollm.Request([byollm.Message("system", "Be brief."), byollm.Message("user", 'Ünïcödé \u2028 and "quotes"\n')]),
    byollm.Request("weather?", tools=[Tool("weather", "Tells it.", {"type": "object", "properties": {}})]),
    byollm.Request("hi", reasoning_effort="low", max_tokens=3000),
]


def deployed(model: str = "gemini-3.8-flash", **more: Any) -> Any:
    target = {"provider": "google", "model": model, "api_key": "literal:AQ.0123456789", **more}
    return byollm.Client(target).lines(None, None, None)[0].deployment


def batches(**more: Any) -> Batches:
    found = deployed(**more).batches()
    assert found is not None
    return found


def items(*requests: byollm.Request) -> list[BatchItem]:
    own = deployed()
    return [
        BatchItem(f"k-{place}", own.exchange(own.fit(request).request).request)
        for place, request in enumerate(requests or REQUESTS)
    ]


def read(exchange: Any, *documents: Any) -> list[Any]:
    reader = exchange.reader(Head(200, {}))
    return [value for document in documents for value in reader(Frame("", document))]


def told(state: str = "BATCH_STATE_SUCCEEDED", *inlined: Any, **more: Any) -> dict[str, Any]:
    """An operation of one's own."""
    stats = {"requestCount": "5", "successfulRequestCount": "3", "failedRequestCount": "1"}
    made = {"name": "batches/b1", "metadata": {"state": state, "displayName": "k-0", "batchStats": stats}, **more}
    return {**made, "response": {"inlinedResponses": {"inlinedResponses": list(inlined)}}} if inlined else made


def test_a_batch_is_sent_with_every_body_as_it_would_go_alone():
    """Under its own name, to the model's address."""
    sent = batches().submit(items()).request
    batch = json.loads(sent.body)["batch"]
    inside = batch["input_config"]["requests"]["requests"]

    assert ("POST", f"{PLACE}/models/gemini-3.8-flash:batchGenerateContent") == (sent.method, sent.url)
    assert [{"key": f"k-{place}"} for place in range(len(REQUESTS))] == [each["metadata"] for each in inside]
    assert [json.loads(item.request.body) for item in items()] == [each["request"] for each in inside]


def test_it_is_the_body_that_the_sdk_sends(monkeypatch: pytest.MonkeyPatch):
    """But for the spelling of two names, which a protocol buffer takes either way."""
    client = genai.Client(api_key="AQ.any", vertexai=False)
    seen: list[Any] = []

    def answered(*given: Any) -> types.HttpResponse:
        seen.append(given)
        return types.HttpResponse(headers={}, body=json.dumps(told()))

    monkeypatch.setattr(client._api_client, "request", answered)
    requests = [types.InlinedRequest(contents=types.UserContent("hi"), metadata={"key": "k-0"})]
    client.batches.create(model="gemini-3.8-flash", src=requests, config={"display_name": "k-0"})

    (verb, path, body, _), own = seen[0], batches().submit(items(byollm.Request("hi"))).request
    batch = body["batch"]
    assert (verb.upper(), path) == (own.method, own.url.removeprefix(f"{PLACE}/"))
    assert json.loads(own.body)["batch"] == {"display_name": batch["displayName"], "input_config": batch["inputConfig"]}


def test_every_other_question_goes_to_the_batchs_own_address():
    """With the key's header left to the engine."""
    own = batches()
    asked: list[Any] = [own.look(JOB), own.answers(JOB), own.cancel(JOB), own.forget(JOB)]

    assert [("GET", ""), ("GET", ""), ("POST", ":cancel"), ("DELETE", "")] == [
        (exchange.request.method, exchange.request.url.removeprefix(f"{PLACE}/batches/b1")) for exchange in asked
    ]


def test_its_requests_stay_below_20_mb_with_all_that_wraps_them():
    """However many there are."""
    own = batches()
    many = [BatchItem(f"{place:064d}", items()[0].request) for place in range(100)]
    wrapping = len(own.submit(many).request.body) - sum(len(item.request.body) for item in many)

    assert own.most_bytes + own.most / 100 * wrapping < 20_000_000


@pytest.mark.parametrize(
    ("state", "ended"),
    [("PENDING", False), ("RUNNING", False), ("UNSPECIFIED", False), ("SUCCEEDED", True), ("CANCELLED", True),
     ("EXPIRED", True), ("PARTIALLY_SUCCEEDED", True), ("OF_TOMORROW", False)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["BATCH", "JOB"])
def test_how_far_it_is(kind: str, state: str, ended: bool):
    """And how many answers there are: numbers are texts here, and zeros are left out."""
    assert [BatchJob("batches/b1", ended, 4)] == read(batches().look(JOB), told(f"{kind}_STATE_{state}"))


def test_what_has_ended_for_the_sdk_has_ended():
    """Its own users wait no longer."""
    for state in types.JOB_STATES_ENDED_VERTEX:
        assert read(batches().look(JOB), told(state))[0].ended


def test_a_failed_one_says_why():
    """As an error of the operation, with or without its state."""
    error = {"code": 3, "message": "no such file"}
    look = batches().look(JOB)

    assert "no such file" == read(look, told("BATCH_STATE_FAILED", error=error, done=True))[0].failed
    assert "no such file" == read(look, {"name": "batches/b1", "done": True, "error": error})[0].failed
    assert read(look, told("BATCH_STATE_FAILED"))[0].failed
    assert not read(look, told("BATCH_STATE_CANCELLED", error={"code": 1, "message": "cancelled"}))[0].failed


def test_every_kind_of_answer():
    """An error has the status that it would have had alone; what was not done has none."""
    inlined = [
        {"metadata": {"key": "a"}, "response": {"candidates": []}},
        {"metadata": {"key": "b"}, "error": {"code": 8, "message": "later"}},
        {"metadata": {"key": "c"}, "error": {"code": 400, "message": "wrong", "status": "INVALID_ARGUMENT"}},
        {"metadata": {"key": "d"}, "error": {"code": 1, "message": "cancelled"}},
        {"metadata": {"key": "e"}, "error": {"message": "?"}},
    ]

    assert read(batches().answers(JOB), told("BATCH_STATE_SUCCEEDED", *inlined)) == [
        BatchAnswer("a", 200, {"candidates": []}),
        BatchAnswer("b", 429, {"error": {"code": 429, "message": "later", "status": "RESOURCE_EXHAUSTED"}}),
        BatchAnswer("c", 400, {"error": {"code": 400, "message": "wrong", "status": "INVALID_ARGUMENT"}}),
        BatchAnswer("d", None),
        BatchAnswer("e", 500, {"error": {"code": 500, "message": "?"}}),
    ]


def test_answers_stand_in_the_response_or_in_the_metadata():
    """The API tells both; the SDK reads the second."""
    inlined = {"inlinedResponses": {"inlinedResponses": [{"metadata": {"key": "a"}, "response": {}}]}}
    inside = {"name": "batches/b1", "metadata": {"output": inlined}}

    for document in (inside, {"name": "batches/b1", "response": inlined}):
        assert [BatchAnswer("a", 200, {})] == read(batches().answers(JOB), document)
    assert [] == read(batches().answers(JOB), told("BATCH_STATE_EXPIRED"))


def test_an_answer_without_a_name_is_nobodys():
    """Unless the batch had but one request: its own name is that request's."""
    answers = batches().answers(JOB)
    bare: dict[str, Any] = {"response": {"candidates": []}}
    alone = told("BATCH_STATE_SUCCEEDED", bare)
    alone["metadata"]["batchStats"] = {"requestCount": "1", "successfulRequestCount": "1"}

    assert [BatchAnswer("k-0", 200, {"candidates": []})] == read(answers, alone)
    for inlined in ([bare], [bare, bare], [{"metadata": {"key": "k-0"}, **bare}, bare]):
        with pytest.raises(ProtocolError, match="which request"):
            read(answers, told("BATCH_STATE_SUCCEEDED", *inlined))


NAMES = [
    "name",
    "metadata",
    "state",
    "batchStats",
    "response",
    "inlinedResponses",
    "error",
    "code",
    "key",
    "requestCount",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
)


@given(JSON, JSON, JSON)
def test_junk_is_read_or_is_a_protocol_error(document: Any, metadata: Any, inlined: Any):
    """Never anything else."""
    own = batches()
    nearly = {
        "name": "batches/b1",
        "metadata": {"state": "BATCH_STATE_SUCCEEDED", "batchStats": metadata},
        "response": {"inlinedResponses": {"inlinedResponses": [inlined]}},
    }
    for asked in (own.submit([]), own.look(JOB), own.answers(JOB), own.cancel(JOB), own.forget(JOB)):
        for junk in (document, nearly):
            try:
                found = read(asked, junk)
            except ProtocolError:
                continue
            assert all(isinstance(value, BatchJob | BatchAnswer) for value in found)


@pytest.mark.parametrize("name", ["", ".", "..", None, 7, "b1", "batches/", "batches/..", "batches/../b1", "models/b1"])
def test_an_id_that_could_climb_out_of_its_path_is_none(name: Any):
    """Nobody is asked for it."""
    with pytest.raises(ProtocolError):
        read(batches().look(JOB), {**told(), "name": name})


@pytest.mark.parametrize("model", ["tunedModels/mine", "gemini-3-pro-image", "gemini-2.5-flash-preview-tts"])
def test_some_models_have_none(model: str):
    """Only `models/` can be asked in a batch, and answers of megabytes can never be read from one."""
    assert deployed(model).batches() is None
