"""What a test says of batches, in neutral terms, and the record it reads afterwards: over both vendors alike."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_asking import Asker
from sandbox_batches import ENDPOINTS, line_for, lines_for, requests_for

from byollm import errors
from byollm_sandbox import BatchPlan, Fault, Raw, Recorded, Twins
from byollm_sandbox.batches import OPERATIONS
from byollm_sandbox.batches.multipart import form_of
from byollm_sandbox.plans import chosen

WIRES = ("anthropic-messages", "openai-chat", "openai-responses")


class Batcher:
    """The same few steps in the words of each vendor."""

    def __init__(self, twin: Twins, client: httpx.Client, wire: str, name: str = "default") -> None:
        self.wire = wire
        self.claude = wire == "anthropic-messages"
        self.base = twin.url(wire, name=name) + ("/v1/messages" if self.claude else "")
        self.client = client

    def submit(self, *names: str) -> httpx.Response:
        if self.claude:
            return self.client.post(f"{self.base}/batches", json={"requests": requests_for(*names)})
        content = lines_for(*[line_for(name, self.wire) for name in names])
        sent = self.client.post(f"{self.base}/files", files={"file": ("a.jsonl", content), "purpose": (None, "batch")})
        if sent.status_code != 200:
            return sent
        body = {"input_file_id": sent.json()["id"], "endpoint": ENDPOINTS[self.wire], "completion_window": "24h"}
        return self.client.post(f"{self.base}/batches", json=body)

    def look(self, id_: str, verb: str = "") -> Any:
        ask = self.client.post if verb else self.client.get
        return ask(f"{self.base}/batches/{id_}{verb}").json()

    def ended(self, batch: Any) -> bool:
        ends = ("ended", "completed", "expired", "cancelled", "failed")
        return batch["processing_status" if self.claude else "status"] in ends

    def results(self, batch: Any) -> dict[str, Any]:
        if self.claude:
            texts = [self.client.get(f"{self.base}/batches/{batch['id']}/results").text]
        else:
            files = [batch[name] for name in ("output_file_id", "error_file_id") if batch[name]]
            texts = [self.client.get(f"{self.base}/files/{file}/content").text for file in files]
        lines = [json.loads(line) for text in texts for line in text.splitlines()]
        return {line["custom_id"]: line for line in lines}


@pytest.fixture(params=WIRES)
def batcher(request: pytest.FixtureRequest, twin: Twins, ask: Asker) -> Batcher:
    return Batcher(twin, ask.client, request.param)


def test_without_a_plan_the_first_look_finds_the_end(twin: Twins, batcher: Batcher) -> None:
    """Nobody waits; the record tells requests, polls, outcomes and what is still stored."""
    batch = batcher.submit("a", "b").json()
    done = batcher.look(batch["id"])
    (kept,) = twin.batches

    assert (False, True) == (batcher.ended(batch), batcher.ended(done))
    assert {"a", "b"} == set(batcher.results(done))
    assert (batcher.wire, 2, 1, 0, False) == (kept.dialect, len(kept.items), kept.polls, kept.cancels, kept.deleted)
    assert {"a": "succeeded", "b": "succeeded"} == kept.outcomes
    assert ([] if batcher.claude else ["batch", "batch_output"]) == [file.purpose for file in twin.files]


def test_a_batch_ends_at_the_look_it_is_told_to(twin: Twins, batcher: Batcher) -> None:
    """`polls=3`: two looks find it working. A list is no look."""
    twin.batch(polls=3)
    id_ = batcher.submit("a").json()["id"]
    batcher.client.get(f"{batcher.base}/batches")

    assert [False, False, True, True] == [batcher.ended(batcher.look(id_)) for _ in range(4)]


def test_a_batch_takes_the_seconds_it_is_told_to(twin: Twins, batcher: Batcher) -> None:
    """`seconds`: it works so long however often it is looked at."""
    twin.batch(seconds=60)
    twin.batch(seconds=0.1)
    slow, began = batcher.submit("a").json()["id"], time.time()
    quick = batcher.submit("a").json()["id"]
    while not batcher.ended(batcher.look(quick)):
        time.sleep(0.02)

    assert 0.1 <= time.time() - began
    assert [False] * 3 == [batcher.ended(batcher.look(slow)) for _ in range(3)]


def test_a_batch_without_end_ends_by_cancellation(twin: Twins, batcher: Batcher) -> None:
    """`never`: no look helps; cancelled, it has the answers that were `answered` before."""
    twin.batch(never=True, answered=0.5)
    id_ = batcher.submit("a", "b", "c", "d").json()["id"]
    looks = [batcher.ended(batcher.look(id_)) for _ in range(5)]
    cancelling = batcher.ended(batcher.look(id_, "/cancel"))
    (kept,) = twin.batches

    assert ([False] * 5, False, True) == (looks, cancelling, batcher.ended(batcher.look(id_)))
    assert {"a": "succeeded", "b": "succeeded", "c": "canceled", "d": "canceled"} == kept.outcomes
    assert (6, 1) == (kept.polls, kept.cancels)


@pytest.mark.parametrize("which", [0.5, ["b"], lambda name, body: name == "b"], ids=["a share", "names", "a function"])
def test_requests_expire_by_share_name_or_function(twin: Twins, batcher: Batcher, which: Any) -> None:
    """A share of what expires is counted from the last."""
    twin.batch(expire=which)
    batcher.look(batcher.submit("a", "b").json()["id"])

    assert {"a": "succeeded", "b": "expired"} == twin.batches[0].outcomes


def test_requests_fail_with_the_error_that_is_told(twin: Twins, batcher: Batcher) -> None:
    """A share of what fails is counted from the first; the error keeps its message."""
    twin.batch(fail=0.5, error=errors.ContextLengthError("prompt is too long: by far"))
    done = batcher.look(batcher.submit("a", "b").json()["id"])

    assert {"a": "errored", "b": "succeeded"} == twin.batches[0].outcomes
    assert "by far" in json.dumps(batcher.results(done)["a"])


@pytest.mark.parametrize("error", [errors.RateLimitError("later", retry_after=7), errors.ServerError("", status=500)])
def test_a_submission_is_refused(twin: Twins, batcher: Batcher, error: errors.ProviderError) -> None:
    """`refuse`: the vendor's status and headers, no batch; the next submission is taken."""
    twin.batch(refuse=error)
    first, second = batcher.submit("a"), batcher.submit("a")

    assert ([error.status or 429, 200], 1) == ([first.status_code, second.status_code], len(twin.batches))
    assert (None if error.retry_after is None else "7") == first.headers.get("retry-after")


def test_a_batch_fails_as_a_whole(twin: Twins, batcher: Batcher) -> None:
    """`collapse`: OpenAI says failed and why; Anthropic, who has no such state, errs each request."""
    twin.batch(collapse=errors.RateLimitError("too much enqueued", code="token_limit_exceeded"), polls=5)
    done = batcher.look(batcher.submit("a", "b").json()["id"])

    assert "too much enqueued" in json.dumps([done, batcher.results(done)])
    assert {"errored"} == set(twin.batches[0].outcomes.values())
    assert batcher.claude or ("failed", "token_limit_exceeded") == (done["status"], done["errors"]["data"][0]["code"])


def test_answers_go_by_name_before_the_common_queue(twin: Twins, batcher: Batcher) -> None:
    """`answers` by custom id; the others take the queue in the order of the requests; the stand-in does the rest."""
    twin.script("from the queue")
    twin.batch(answers={"a": "by name", "d": Raw(body='{"odd": 1}')})
    done = batcher.look(batcher.submit("a", "b", "c", "d").json()["id"])
    found = {name: json.dumps(line, ensure_ascii=False) for name, line in batcher.results(done).items()}

    assert all(words in found[name] for name, words in (("a", "by name"), ("b", "from the queue"), ("c", "stand-in")))
    assert ('"odd": 1', 0) == (found["d"][found["d"].index('"odd"') :][:8], twin.unused)


def test_a_function_answers_requests_and_may_wait(twin: Twins, batcher: Batcher) -> None:
    """It is given each request as it would have come alone; the server goes on meanwhile."""
    going, seen = threading.Event(), []

    def answer(request: Recorded) -> str:
        seen.append((request.dialect, request.operation, request.json["model"]))
        going.wait(10)
        return "slowly"

    twin.script(answer)
    id_ = batcher.submit("a").json()["id"]
    looks: list[Any] = []
    thread = threading.Thread(target=lambda: looks.append(batcher.look(id_)))
    thread.start()
    other = batcher.submit("b").status_code
    going.set()
    thread.join(10)

    assert (200, batcher.wire, "complete") == (other, *seen[0][:2])
    assert "slowly" in json.dumps(batcher.results(looks[0]))


@pytest.mark.parametrize(
    "script", [Fault("reset"), lambda request: 1 / 0, Raw(body=b"\xff")], ids=["fault", "bug", "raw"]
)
def test_what_no_result_can_hold_does_not_break_the_batch(twin: Twins, batcher: Batcher, script: Any) -> None:
    """A fault has no wire to break inside a batch: it is told as a broken provider, as is a script that raises."""
    twin.script(script)
    done = batcher.look(batcher.submit("a", "b").json()["id"])

    assert batcher.ended(done)
    assert {"a", "b"} == set(batcher.results(done))
    assert ("errored" == twin.batches[0].outcomes["a"]) == bool(twin.failures)


def test_a_plan_is_for_so_many_batches_of_an_upstream_and_dialect(twin: Twins, ask: Asker) -> None:
    """`times`, `name` and `dialect` narrow a plan as they narrow faults."""
    twin.batch(name="far", dialect="openai-responses", times=2, never=True)
    seen = {}
    for name, wire in (("default", WIRES[2]), ("far", WIRES[1]), ("far", WIRES[0])):
        seen[name, wire] = Batcher(twin, ask.client, wire, name).submit("a").json()["id"]
    far = Batcher(twin, ask.client, WIRES[2], "far")
    working = [not far.ended(far.look(far.submit("a").json()["id"])) for _ in range(3)]

    assert [True, True, False] == working
    assert [False] * 3 == [batch.plan.never for batch in twin.batches[: len(seen)]]


def test_the_wire_breaks_at_one_operation(twin: Twins, batcher: Batcher) -> None:
    """`operation` leads a fault to the download of results: it ends early; the next one is whole."""
    twin.fault("cut", after=100, unit="bytes", how="eof", operation=_download(batcher), dialect=batcher.wire)
    done = batcher.look(batcher.submit("a").json()["id"])
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        batcher.results(done)

    assert {"a"} == set(batcher.results(done))


@pytest.mark.parametrize("operation", ["batch-create", "batch-get", "batch-cancel"])
def test_vendors_errors_at_one_operation(twin: Twins, batcher: Batcher, operation: str) -> None:
    """A 503 in the vendor's shape there, and nowhere else."""
    twin.fault("status", status=503, operation=operation, dialect=batcher.wire, times=None)
    id_ = batcher.submit("a").json().get("id", "none")
    batcher.look(id_)
    batcher.look(id_, "/cancel")

    assert {operation} == {request.operation for request in twin.requests if request.status == 503}


def _download(batcher: Batcher) -> str:
    return "batch-results" if batcher.claude else "file-content"


def test_unknown_operations_and_plans_are_told(twin: Twins) -> None:
    """Mistakes in a script are told where they are made."""
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (ValueError, {"polls": 0}),
        (ValueError, {"seconds": float("inf")}),
        (ValueError, {"expire": 2}),
        (ValueError, {"fail": "a"}),
        (TypeError, {"refuse": 429}),
        (TypeError, {"answers": {"a": 1}}),
        (TypeError, {"pols": 1}),
    ]
    for kind, plan in wrong:
        with pytest.raises(kind):
            twin.batch(**plan)
    with pytest.raises(ValueError, match="batch-results"):
        twin.fault("reset", operation="batch-result")


def test_clearing_forgets_batches_files_plans_and_limits(twin: Twins, batcher: Batcher) -> None:
    """After `clear` nothing of before is known, and no id comes twice."""
    twin.batch(never=True)
    twin.batch_limits(requests=1)
    first = batcher.submit("a").json()["id"]
    twin.batch(never=True)
    twin.clear()
    second = batcher.submit("a", "b").json()["id"]

    assert (1, False) == (len(twin.batches), first == second)
    assert batcher.ended(batcher.look(second))
    assert "error" in batcher.look(first)


def test_every_operation_is_recorded_by_name(twin: Twins, batcher: Batcher) -> None:
    """`twin.requests` tell what each request asked for."""
    done = batcher.look(batcher.submit("a").json()["id"])
    batcher.results(done)

    steps = ["batch-create", "batch-get", _download(batcher)]
    assert (steps if batcher.claude else ["file-create", *steps]) == [each.operation for each in twin.requests]
    assert {each.operation for each in twin.requests} <= set(OPERATIONS)


def test_other_servers_of_the_dialect_have_batches_too(twin: Twins, ask: Asker) -> None:
    """Below `/custom/v1` requests are judged as there: parameters OpenAI does not know are tolerated."""
    base = twin.url("custom")
    content = lines_for(line_for("a", top_k=5))
    sent: Any = {"file": ("a.jsonl", content), "purpose": (None, "batch")}
    file = ask.client.post(f"{base}/files", files=sent).json()["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    id_ = ask.client.post(f"{base}/batches", json=body).json()["id"]

    counts = ask.client.get(f"{base}/batches/{id_}").json()["request_counts"]
    assert {"total": 1, "completed": 1, "failed": 0} == counts


@pytest.mark.parametrize(
    ("dialect", "path"), [("azure-chat", "/v1/batches"), ("mistral-chat", "/batches"), ("gemini", "/v1/files")]
)
def test_other_vendors_have_no_such_endpoints(twin: Twins, ask: Asker, dialect: str, path: str) -> None:
    """Twins of vendors whose batches are others' do not answer with OpenAI's."""
    assert 404 == ask.client.get(twin.url(dialect) + path).status_code


@given(share=st.floats(0, 1), count=st.integers(0, 50))
def test_a_share_is_so_many_from_one_end(share: float, count: int) -> None:
    """The nearest whole number, from the first or from the last; both ends have the same count."""
    requests: list[tuple[str, Any]] = [(str(place), {}) for place in range(count)]
    first, last = chosen(share, requests), chosen(share, requests, from_the_end=True)

    assert abs(len(first) - share * count) <= 0.5
    assert first == set(range(len(first)))
    assert last == {count - 1 - place for place in first}


@given(content=st.binary(max_size=200), name=st.text("abc-_.ü ", min_size=1, max_size=12))
def test_a_form_is_read_as_it_was_sent(content: bytes, name: str) -> None:
    """Whatever bytes a file has, httpx's form of it is read back to them."""
    request = httpx.Request("POST", "http://x", files={"file": (name, content)}, data={"purpose": "batch"})
    form = form_of(request.headers["content-type"], request.read())

    assert form is not None
    assert (content, name, "batch") == (form["file"].content, form["file"].filename, form["purpose"].text)


@given(body=st.binary(max_size=60), build=st.sampled_from([b"--x\r\n%b\r\n--x--", b"%b", b"--x%b--x--"]))
def test_no_bytes_break_the_reader_of_forms(body: bytes, build: bytes) -> None:
    """What is no form is None, never an exception."""
    form = form_of("multipart/form-data; boundary=x", build % body)

    assert form is None or all(isinstance(name, str) for name in form)


def test_the_default_plan_is_the_plainest() -> None:
    """One look, nothing fails, nothing expires, nothing is refused."""
    plan = BatchPlan()

    assert (1, 0.0, False, None, None) == (plan.polls, plan.seconds, plan.never, plan.refuse, plan.collapse)
    assert [set(), set()] == [chosen(which, [("a", {})]) for which in (plan.expire, plan.fail)]
