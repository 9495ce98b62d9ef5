"""OpenAI's batches: what is uploaded fits the vendor's own types, what comes back is read with care."""

from __future__ import annotations

import json
from email import message_from_bytes
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.resources.batches import Batches as Resource
from openai.types.batch_create_params import BatchCreateParams
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

import byollm
from byollm.errors import ProtocolError
from byollm.plugin import BatchAnswer, BatchItem, BatchJob, Frame, Head

BODY: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(completion_create_params.CompletionCreateParams),
    "responses": TypeAdapter(response_create_params.ResponseCreateParams),
}
CREATED: TypeAdapter[Any] = TypeAdapter(BatchCreateParams)
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
JOB = BatchJob("batch_1", True, files={"input": "file-in", "output": "file-out", "error": "file-err"})
APIS = pytest.mark.parametrize("api", ["chat", "responses"])


def deployed(api: str = "chat", **more: Any) -> Any:
    target = {"provider": "openai", "model": "gpt-4.1", "api": api, "api_key": "literal:sk-0123456789", **more}
    return byollm.Client(target).lines(None, None, None)[0].deployment


def batches(api: str = "chat", **more: Any) -> Any:
    return deployed(api, **more).batches()


def items(api: str) -> list[BatchItem]:
    own = deployed(api)
    texts = ["hi", 'Ünïcödé \u2028 and "quotes"\n\r\n--boundary', "x" * 5000]
    return [
        BatchItem(f"k-{place}", own.exchange(own.fit(byollm.Request(text)).request).request)
        for place, text in enumerate(texts)
    ]


def form(request: Any) -> dict[str, Any]:
    kind = dict(request.headers)["content-type"]
    message: Any = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + request.body)
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in message.get_payload()
    }


@APIS
def test_each_line_of_the_file_is_a_body_as_the_sdk_types_it(api: str):
    """Under its own name, with the path that the batch names."""
    sent = batches(api).submit(items(api)).request
    lines = [json.loads(line) for line in form(sent)["file"].splitlines()]

    assert ("POST", "https://api.openai.com/v1/files") == (sent.method, sent.url)
    assert form(sent)["purpose"] == b"batch"
    assert [(item.key, "POST", PATHS[api]) for item in items(api)] == [
        (line["custom_id"], line["method"], line["url"]) for line in lines
    ]
    assert [json.loads(item.request.body) for item in items(api)] == [line["body"] for line in lines]
    for line in lines:
        BODY[api].validate_python(line["body"])


@APIS
def test_the_batch_is_made_of_the_uploaded_file(api: str):
    """Over an endpoint that the SDK knows, and gone after eight days."""
    submit = batches(api).submit(items(api))
    created = submit.then(read(submit, {"id": "file-in"})).request
    body = CREATED.validate_json(created.body)

    assert ("POST", "https://api.openai.com/v1/batches") == (created.method, created.url)
    assert (body["input_file_id"], body["endpoint"]) == ("file-in", PATHS[api])
    assert 691200 == body["output_expires_after"]["seconds"]
    assert form(submit.request)["expires_after[seconds]"] == b"691200"
    assert submit.then([*read(submit, {"id": "file-in"}), BatchJob("b")]) is None


def test_a_region_and_an_organisation_hold_for_batches_too():
    """Files are data."""
    own = batches(region="eu", organization="org-1")

    for asked in (own.submit([]), own.look(JOB), own.answers(JOB), own.cancel(JOB), own.forget(JOB)):
        assert asked.request.url.startswith("https://eu.api.openai.com/v1/")
        assert dict(asked.request.headers)["openai-organization"] == "org-1"


def test_every_file_is_deleted():
    """Requests and answers, one after the other."""
    asked, urls = batches().forget(JOB), []
    while asked is not None:
        urls.append((asked.request.method, asked.request.url.rsplit("/", 1)[-1]))
        asked = asked.then([])

    assert [("DELETE", "file-out"), ("DELETE", "file-err"), ("DELETE", "file-in")] == urls


def read(exchange: Any, *documents: Any) -> list[Any]:
    reader = exchange.reader(Head(200, {}))
    return [value for document in documents for value in reader(Frame("", document))]


def test_every_status_that_the_sdk_knows_is_over_or_not():
    """None is left out."""
    from openai.types.batch import Batch

    statuses = get_args(Batch.model_fields["status"].annotation)
    ended = [status for status in statuses if read(batches().look(JOB), {"id": "b", "status": status})[0].ended]

    assert {"failed", "completed", "expired", "cancelled"} == set(ended)
    assert 8 == len(statuses)


def test_a_batch_that_failed_says_why():
    """In the vendor's words."""
    errors = {"data": [{"code": "x", "message": "line 3 is no JSON"}, {"message": "line 4 neither"}]}
    (job,) = read(batches().look(JOB), {"id": "b", "status": "failed", "errors": errors})

    assert (True, "line 3 is no JSON; line 4 neither") == (job.ended, job.failed)


def test_every_kind_of_answer():
    """Answered, refused, expired, lost."""
    answered = {"status_code": 200, "request_id": "req_1", "body": {"id": "chat"}}
    refused = {"status_code": 400, "body": {"error": {"message": "no"}}}
    lines: list[dict[str, Any]] = [{"response": answered}, {"response": refused}, {"error": {"code": "batch_expired"}},
             {"error": {"code": "internal", "message": "lost"}}]  # fmt: skip

    found = read(batches().answers(JOB), *({"custom_id": "k", **line} for line in lines))

    assert found == [
        BatchAnswer("k", 200, {"id": "chat"}, {"x-request-id": "req_1"}),
        BatchAnswer("k", 400, {"error": {"message": "no"}}),
        BatchAnswer("k", None),
        BatchAnswer("k", 500, {"error": {"code": "internal", "message": "lost"}}),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "custom_id", "response", "status_code", "body", "error", "errors", "data", "status",
             "request_counts", "completed", "output_file_id"]
        ),
        inner,
    ),
)  # fmt: skip


@given(JSON)
def test_junk_is_read_or_is_a_protocol_error(document: Any):
    """Never anything else."""
    own = batches()
    for asked in (own.submit([]), own.look(JOB), own.answers(JOB)):
        try:
            found = read(asked, document)
        except ProtocolError:
            continue
        assert all(isinstance(value, BatchJob | BatchAnswer | str) for value in found)


def test_groq_sells_batches_of_chat_only():
    """As its own SDK says; files have no expiry there. Other vendors sell none of this kind."""
    groq: dict[str, Any] = {"provider": "groq", "model": "llama-3.3-70b-versatile"}

    assert deployed("responses", **groq).batches() is None
    sent = deployed("chat", **groq).batches().submit([]).request
    assert ("https://api.groq.com/openai/v1/files", {"purpose", "file"}) == (sent.url, set(form(sent)))
    assert deployed(provider="deepseek", model="deepseek-v4-pro").batches() is None


def test_the_sdk_creates_batches_where_we_do():
    """The path is not ours to choose."""
    assert "/batches" in Resource.create.__code__.co_consts
