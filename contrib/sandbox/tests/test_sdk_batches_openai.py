"""A judge: OpenAI's own SDK drives the twins' files and batches, each answer after its own strict validation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types import Batch, FileDeleted, FileObject
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from sandbox_batches import begun, line_for, lines_for, refused, told, upload
from sandbox_judging import unknown_members

from byollm import errors
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins, serve

DAY = 24 * 60 * 60
BODIES: dict[str, Any] = {"openai-chat": ChatCompletion, "openai-responses": Response}
RECORDED_RESPONSES = {"frequency_penalty", "presence_penalty", "store"}


@pytest.fixture
def client(twin: Twins) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sk-any", base_url=twin.url("openai-chat"), max_retries=0) as made:
        yield made


@pytest.fixture(params=list(BODIES))
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def strict(kind: Any, raw: Any) -> Any:
    found = kind.model_validate_json(raw.http_response.content, strict=True)
    assert set() == unknown_members(found)
    return found


def test_a_file_is_kept_told_and_deleted(twin: Twins, client: openai.OpenAI) -> None:
    """Uploaded with a life of its own; read back byte by byte; gone after its deletion."""
    content = lines_for(line_for("a")) + "ß\r\n--x\r\n".encode()
    made = strict(
        FileObject,
        client.files.with_raw_response.create(
            file=("in.jsonl", content), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
        ),
    )

    assert (len(content), "in.jsonl", "batch", 3600) == (
        made.bytes,
        made.filename,
        made.purpose,
        made.expires_at - made.created_at,
    )
    assert made == strict(FileObject, client.files.with_raw_response.retrieve(made.id))
    assert content == client.files.content(made.id).content
    assert strict(FileDeleted, client.files.with_raw_response.delete(made.id)).deleted
    assert [] == twin.files
    for ask in (client.files.retrieve, client.files.content, client.files.delete):
        assert "No such File object" in refused(openai.NotFoundError, ask, made.id)


def test_files_are_listed(client: openai.OpenAI) -> None:
    """The latest first or last, by purpose, page by page."""
    ids = [upload(client, line_for("a")) for _ in range(3)]
    other = client.files.create(file=("a.txt", b"text"), purpose="user_data")

    assert ids == [file.id for file in client.files.list(purpose="batch", order="asc", limit=2)]
    assert [other.id, *ids[::-1]] == [file.id for file in client.files.list()]
    assert None is other.expires_at
    assert "Not allowed" in refused(openai.BadRequestError, lambda: client.files.content(other.id))


def test_a_batch_goes_through_its_states(twin: Twins, client: openai.OpenAI, wire: str) -> None:
    """validating, in_progress, finalizing, completed: each a batch of the SDK, with its times and counts."""
    twin.batch(polls=3, dialect=wire)
    begin = begun(client, "a", "b", "c", dialect=wire, metadata={"of": "tests"})
    seen = [strict(Batch, client.batches.with_raw_response.retrieve(begin.id)) for _ in range(3)]

    assert "validating" == begin.status
    assert ["in_progress", "finalizing", "completed"] == [batch.status for batch in seen]
    assert DAY == begin.expires_at - begin.created_at  # type: ignore[operator]  # it is told
    assert {"of": "tests"} == seen[-1].metadata
    assert [(3, 0), (3, 0), (3, 3)] == [(state.request_counts.total, state.request_counts.completed) for state in seen]
    assert all(batch.output_file_id is None for batch in seen[:2])
    done = seen[-1]
    assert (None, None, True) == (done.error_file_id, done.errors, done.completed_at >= done.in_progress_at)


def test_output_lines_are_answers_of_their_endpoint(twin: Twins, client: openai.OpenAI, wire: str) -> None:
    """Each body validates strictly as the endpoint's own; the order is another one; tokens are summed up."""
    twin.script(*[Answer(parts=f"answer {name}", usage=Usage(100, 50, 20, 0, 5)) for name in "abc"])
    batch = client.batches.retrieve(begun(client, "a", "b", "c", dialect=wire).id)
    lines = told(client, batch.output_file_id)

    for line in lines.values():
        body = BODIES[wire].model_validate_json(json.dumps(line["response"]["body"]), strict=True)
        assert RECORDED_RESPONSES >= unknown_members(body)
        assert ({"id", "custom_id", "response", "error"}, 200, None) == (
            set(line),
            line["response"]["status_code"],
            line["error"],
        )
        assert f"answer {line['custom_id']}" in json.dumps(line["response"]["body"])
    assert ["a", "b", "c"] == sorted(lines) != list(lines)
    assert batch.usage is not None
    assert (300, 60, 150, 15, 450) == (
        batch.usage.input_tokens,
        batch.usage.input_tokens_details.cached_tokens,
        batch.usage.output_tokens,
        batch.usage.output_tokens_details.reasoning_tokens,
        batch.usage.total_tokens,
    )


def test_refused_requests_go_to_the_error_file(twin: Twins, client: openai.OpenAI, wire: str) -> None:
    """With their status and body, as the endpoint itself refuses; a batch of nothing else has no output file."""
    bad = line_for("bad", wire, temperature="hot")
    batch = client.batches.retrieve(begun(client, "a", bad, dialect=wire).id)
    only = client.batches.retrieve(begun(client, bad, dialect=wire).id)
    (line,) = told(client, batch.error_file_id).values()

    assert (400, "invalid_type", None) == (
        line["response"]["status_code"],
        line["response"]["body"]["error"]["code"],
        line["error"],
    )
    assert ["a"] == list(told(client, batch.output_file_id))
    assert ("completed", None, ["bad"]) == (
        only.status,
        only.output_file_id,
        list(told(client, only.error_file_id)),
    )
    assert only.request_counts is not None
    assert (0, 1, 1) == (only.request_counts.completed, only.request_counts.failed, only.request_counts.total)


def test_expired_requests_have_no_response(twin: Twins, client: openai.OpenAI) -> None:
    """The batch is expired; what was answered is in its output, the rest `batch_expired` and not counted as failed."""
    twin.batch(expire=0.5)
    batch = strict(Batch, client.batches.with_raw_response.retrieve(begun(client, "a", "b").id))
    (line,) = told(client, batch.error_file_id).values()

    assert ("expired", True, None) == (batch.status, batch.expired_at is not None, batch.completed_at)
    assert (2, 1, 0) == (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed)
    assert ("b", None, "batch_expired") == (line["custom_id"], line["response"], line["error"]["code"])
    assert ["a"] == list(told(client, batch.output_file_id))


def test_a_batch_is_cancelled(twin: Twins, client: openai.OpenAI) -> None:
    """cancelling, then cancelled with what was answered before; cancelling again is no mistake."""
    twin.batch(never=True, answered=0.5)
    batch = begun(client, "a", "b", "c", "d")
    running = client.batches.retrieve(batch.id)
    cancelling = strict(Batch, client.batches.with_raw_response.cancel(batch.id))
    done = strict(Batch, client.batches.with_raw_response.retrieve(batch.id))

    assert running.request_counts is not None
    assert (2, "cancelling", "cancelled") == (running.request_counts.completed, cancelling.status, done.status)
    assert (2, 0, 4) == (done.request_counts.completed, done.request_counts.failed, done.request_counts.total)
    assert (["a", "b"], ["c", "d"]) == (
        sorted(told(client, done.output_file_id)),
        sorted(told(client, done.error_file_id)),
    )
    assert {"batch_cancelled"} == {line["error"]["code"] for line in told(client, done.error_file_id).values()}
    assert "cancelled" == client.batches.cancel(batch.id).status


def test_a_batch_that_has_ended_is_not_cancelled(client: openai.OpenAI) -> None:
    """409 with the status it has."""
    batch = begun(client, "a")
    client.batches.retrieve(batch.id)

    assert "status 'completed'" in refused(openai.ConflictError, lambda: client.batches.cancel(batch.id))


LINES: dict[str, tuple[list[Any], list[tuple[str | None, int | None]]]] = {
    "not json": ([line_for("a"), b"{oops", b"[1]"], [("invalid_json_line", 2), ("invalid_json_line", 3)]),
    "not text": ([b"\xff\xfe"], [("invalid_json_line", 1)]),
    "twice": ([line_for("a"), line_for("b"), line_for("a")], [("duplicate_custom_id", 3)]),
    "blank lines only": ([b"", b"  "], [("empty_file", None)]),
    "blank lines between": ([line_for("a"), b"", b"{"], [("invalid_json_line", 3)]),
    "another url": ([{**line_for("a"), "url": "/v1/responses"}], [("url_mismatch", 1)]),
    "another method": ([{**line_for("a"), "method": "GET"}], [("invalid_method", 1)]),
    "two models": ([line_for("a"), line_for("b", model="gpt-4.1")], [("model_mismatch", None)]),
    "no model": ([{**line_for("a"), "body": {}}], [("missing_required_parameter", 1)]),
    "no body": ([{**line_for("a"), "body": []}], [("invalid_type", 1)]),
    "no id": ([{"method": "POST"}], [("missing_required_parameter", 1)]),
    "empty id": ([line_for("")], [("invalid_value", 1)]),
    "stray": ([{**line_for("a"), "params": {}}], [("unknown_parameter", 1)]),
    "stream": ([line_for("a", stream=True)], [("unsupported_parameter", 1)]),
    "too many": ([line_for("a"), line_for("b"), line_for("c"), line_for("d")], [("too_many_tasks", None)]),
}


@pytest.mark.parametrize("name", LINES)
def test_a_batch_of_bad_lines_fails(twin: Twins, client: openai.OpenAI, name: str) -> None:
    """It is taken, then failed with the codes and lines; no request runs and no file is made."""
    lines, expected = LINES[name]
    twin.batch_limits(requests=3)
    batch = begun(client, *lines)
    failed = strict(Batch, client.batches.with_raw_response.retrieve(batch.id))

    assert ("validating", "failed", True) == (batch.status, failed.status, failed.failed_at is not None)
    assert expected == [(problem.code, problem.line) for problem in failed.errors.data]
    assert (None, None, 1) == (failed.output_file_id, failed.error_file_id, len(twin.files))


def test_a_batch_of_bad_lines_may_be_cancelled_before_it_fails(client: openai.OpenAI) -> None:
    """Cancelled before it was checked, it ends so, without any file."""
    batch = begun(client, b"{oops")
    client.batches.cancel(batch.id)
    done = client.batches.retrieve(batch.id)

    assert ("cancelled", None, None, None) == (done.status, done.output_file_id, done.error_file_id, done.errors)


def test_a_batch_of_no_good_file_fails(client: openai.OpenAI) -> None:
    """An unknown file and one of another purpose make a batch that fails, as the vendor is said to do it."""
    other = client.files.create(file=("a.jsonl", lines_for(line_for("a"))), purpose="user_data").id
    for file in ("file-none", other):
        batch = client.batches.create(input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h")
        failed = client.batches.retrieve(batch.id)
        assert failed.errors is not None
        assert failed.errors.data is not None
        assert ("failed", "input_file_id") == (failed.status, failed.errors.data[0].param)


CREATE: dict[str, tuple[dict[str, Any], str]] = {
    "no file": ({"input_file_id": None}, "input_file_id"),
    "no endpoint": ({"endpoint": None}, "endpoint"),
    "another endpoint": ({"endpoint": "/v1/embeddings"}, "endpoint"),
    "another window": ({"completion_window": "1h"}, "completion_window"),
    "a number": ({"completion_window": 24}, "completion_window"),
    "unknown": ({"priority": 1}, "priority"),
    "metadata": ({"metadata": {"k": 1}}, "metadata.k"),
    "anchor": ({"output_expires_after": {"anchor": "now", "seconds": 3600}}, "output_expires_after.anchor"),
    "seconds": ({"output_expires_after": {"anchor": "created_at", "seconds": 9}}, "output_expires_after.seconds"),
    "policy": ({"output_expires_after": 3600}, "output_expires_after"),
}


@pytest.mark.parametrize("name", CREATE)
def test_a_batch_is_refused(twin: Twins, client: openai.OpenAI, name: str) -> None:
    """400 with the parameter, and nothing is created."""
    more, param = CREATE[name]
    body = {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h", **more}

    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/batches", body={key: value for key, value in body.items() if value is not None}, cast_to=Batch)

    assert (param, []) == (caught.value.param, twin.batches)


def test_output_files_live_as_long_as_asked(client: openai.OpenAI) -> None:
    """`output_expires_after` is the life of the files a batch makes."""
    policy: Any = {"anchor": "created_at", "seconds": 7200}
    batch = client.batches.retrieve(begun(client, "a", output_expires_after=policy).id)
    file = client.files.retrieve(str(batch.output_file_id))

    assert ("batch_output", 7200) == (file.purpose, (file.expires_at or 0) - file.created_at)


UPLOADS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no form": ({"json": {"purpose": "batch"}}, 400, "multipart"),
    "broken form": (
        {"content": b"--x\r\n\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        400,
        "multipart",
    ),
    "no file": ({"files": {"purpose": (None, "batch")}}, 400, "'file'"),
    "no purpose": ({"files": {"file": ("a.jsonl", b"{}")}}, 400, "'purpose'"),
    "another purpose": ({"files": {"file": ("a.jsonl", b"{}"), "purpose": (None, "party")}}, 400, "'party'"),
    "a plain value": ({"files": {"file": (None, b"{}"), "purpose": (None, "batch")}}, 400, "'file'"),
    "empty": ({"files": {"file": ("a.jsonl", b""), "purpose": (None, "batch")}}, 400, "empty"),
    "another kind": ({"files": {"file": ("a.txt", b"{}"), "purpose": (None, "batch")}}, 400, ".jsonl"),
    "too large": ({"files": {"file": ("a.jsonl", b" " * 101), "purpose": (None, "batch")}}, 413, "too large"),
    "stray": ({"files": {"file": ("a.jsonl", b"{}"), "purpose": (None, "batch"), "n": (None, "1")}}, 400, "'n'"),
    "short life": (
        {
            "files": {
                "file": ("a.jsonl", b"{}"),
                "purpose": (None, "batch"),
                "expires_after[anchor]": (None, "created_at"),
                "expires_after[seconds]": (None, "60"),
            }
        },
        400,
        "expires_after.seconds",
    ),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_is_refused(twin: Twins, name: str) -> None:
    """With OpenAI's status and envelope, and nothing is stored."""
    sent, status, words = UPLOADS[name]
    twin.batch_limits(bytes=100)

    reply = httpx.post(twin.url("openai-chat") + "/files", timeout=10, trust_env=False, **sent)

    assert (status, "invalid_request_error") == (reply.status_code, reply.json()["error"]["type"])
    assert words in reply.json()["error"]["message"]
    assert [] == twin.files


def test_batches_are_listed_page_by_page(client: openai.OpenAI) -> None:
    """The latest first; the SDK walks through all; an unknown cursor is refused."""
    ids = [begun(client, "a", dialect=wire).id for wire in ("openai-chat", "openai-responses", "openai-chat")]

    assert ids[::-1] == [batch.id for batch in client.batches.list(limit=2)]
    for wrong in ({"limit": 101}, {"after": "batch_none"}):
        refused(openai.BadRequestError, client.batches.list, **wrong)


def test_unknown_ids_wrong_keys_and_other_upstreams(twin: Twins) -> None:
    """404 for what is not there, 401 for a wrong key, and upstreams do not know each other's batches and files."""
    with serve(key="sk-right") as locked:
        url = locked.url("openai-responses")
        with openai.OpenAI(api_key="sk-right", base_url=url, max_retries=0) as good:
            batch = begun(good, "a")
            refused(openai.NotFoundError, lambda: good.batches.retrieve("batch_none"))
            refused(openai.NotFoundError, lambda: good.batches.cancel("batch_none"))
        with openai.OpenAI(api_key="sk-wrong", base_url=url, max_retries=0) as bad:
            refused(openai.AuthenticationError, lambda: bad.files.retrieve(batch.input_file_id))
        other = locked.url("openai-chat", name="elsewhere")
        with openai.OpenAI(api_key="sk-right", base_url=other, max_retries=0) as far:
            refused(openai.NotFoundError, lambda: far.batches.retrieve(batch.id))
            refused(openai.NotFoundError, lambda: far.files.retrieve(batch.input_file_id))


def test_scripted_errors_have_their_vendors_status(twin: Twins, client: openai.OpenAI) -> None:
    """A request that meets a scripted error stands among the errors with the status it would have had."""
    twin.batch(answers={"a": errors.RateLimitError("slow down"), "b": "fine"})
    batch = client.batches.retrieve(begun(client, "a", "b").id)
    line = told(client, batch.error_file_id)["a"]

    assert (429, "slow down") == (line["response"]["status_code"], line["response"]["body"]["error"]["message"])
    assert ["b"] == list(told(client, batch.output_file_id))
