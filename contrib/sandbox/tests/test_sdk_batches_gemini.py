"""A judge: google-genai drives the twin's batches of the Gemini API and validates each answer by its own types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.genai.errors import APIError, ClientError
from sandbox_batches import refused

from byollm import errors
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins, serve

MODEL = "gemini-3.8-flash"
NAMES = tuple(f"r{number}" for number in range(6))


def made(url: str, key: str = "AQ.any") -> genai.Client:
    return genai.Client(api_key=key, vertexai=False, http_options=types.HttpOptions(base_url=url, api_version="v1beta"))


@pytest.fixture
def client(twin: Twins) -> Iterator[genai.Client]:
    opened = made(twin.url("gemini"))
    yield opened
    opened.close()


def begun(client: genai.Client, *names: str, model: str = MODEL, **config: Any) -> types.BatchJob:
    """A batch of those names, with `config` for each of its requests."""
    requests = [
        types.InlinedRequest(
            contents=f"say {name}", metadata={"key": name}, config=types.GenerateContentConfig(**config)
        )
        for name in names
    ]
    return client.batches.create(model=model, src=requests, config={"display_name": "mine"})


def looked(client: genai.Client, job: types.BatchJob) -> Any:
    return client.batches.get(name=str(job.name))


def results(job: Any) -> dict[str, Any]:
    """The answers by name."""
    return {each.metadata["key"]: each for each in (job.dest and job.dest.inlined_responses) or ()}


def word(job: Any) -> str:
    return str(job.state.value).removeprefix("JOB_STATE_")


def test_a_batch_works_and_ends(client: genai.Client) -> None:
    """Pending, then ended at the first look, with every answer by its name."""
    new = begun(client, *NAMES)
    done = looked(client, new)

    assert ("PENDING", False, None) == (word(new), new.done, new.dest)
    assert ("SUCCEEDED", True, "mine", f"models/{MODEL}") == (word(done), done.done, done.display_name, done.model)
    assert done.end_time >= done.create_time
    assert set(NAMES) == set(results(done))


def test_the_operation_is_as_the_api_tells_it(twin: Twins, client: genai.Client) -> None:
    """Numbers are texts, zeros are left out, and the output stands in the response and in the metadata alike."""
    twin.batch(fail=["b"])
    raw = client._api_client.request("get", str(looked(client, begun(client, "a", "b")).name), {})
    told: Any = json.loads(str(raw.body))

    assert {"requestCount": "2", "successfulRequestCount": "1", "failedRequestCount": "1"} == told["metadata"][
        "batchStats"
    ]
    assert told["metadata"]["output"]["inlinedResponses"] == told["response"]["inlinedResponses"]


def test_answers_come_in_another_order(client: genai.Client) -> None:
    """Never that of the requests."""
    for count in (2, 3, 6):
        seen = list(results(looked(client, begun(client, *NAMES[:count]))))

        assert (list(NAMES[:count]), True) == (sorted(seen), seen != sorted(seen))


def test_each_answer_is_what_the_request_would_have_had_alone(twin: Twins, client: genai.Client) -> None:
    """Words, usage and errors."""
    twin.script(Answer(parts="one", usage=Usage(100, 50, 20)), errors.OverloadedError("busy"))
    found = results(looked(client, begun(client, "a", "b")))
    response, error = found["a"].response, found["b"].error

    assert ("one", 100, 50) == (
        response.text,
        response.usage_metadata.prompt_token_count,
        response.usage_metadata.candidates_token_count,
    )
    assert (14, "busy", None) == (error.code, error.message, found["b"].response)


def test_the_twins_own_rules_judge_each_request(client: genai.Client) -> None:
    """A value out of range is that request's error, and no refusal of the batch."""
    found = results(looked(client, begun(client, "a", temperature=7)))

    assert found["a"].error.code == 3
    assert "temperature" in refused(
        ClientError, client.models.generate_content, model=MODEL, contents="hi", config={"temperature": 7}
    )


@pytest.mark.parametrize(("polls", "states"), [(1, ["SUCCEEDED"]), (3, ["RUNNING", "RUNNING", "SUCCEEDED"])])
def test_it_ends_at_the_look_it_is_told_to(twin: Twins, client: genai.Client, polls: int, states: list[str]) -> None:
    """Until then it runs, without answers."""
    twin.batch(polls=polls)
    job = begun(client, "a")

    assert states == [word(looked(client, job)) for _ in range(polls)]


def test_a_batch_is_cancelled(twin: Twins, client: genai.Client) -> None:
    """It runs on until the look that finds it cancelled; what had its answer keeps it."""
    twin.batch(never=True, answered=["r1", "r2"], cancel_polls=2)
    job = begun(client, *NAMES)
    for _ in range(2):
        client.batches.cancel(name=str(job.name))
    states = [looked(client, job) for _ in range(2)]

    assert ["RUNNING", "CANCELLED"] == [word(state) for state in states]
    assert {"r1", "r2"} == set(results(states[1]))
    assert 2 == twin.batches[0].cancels
    refused(ClientError, lambda: client.batches.cancel(name=str(job.name)))


def test_an_expired_batch_has_no_results_at_all(twin: Twins, client: genai.Client) -> None:
    """Whoever of its requests was late."""
    twin.batch(expire=["b"])
    done = looked(client, begun(client, "a", "b"))

    assert ("EXPIRED", {}) == (word(done), results(done))
    assert {"a": "expired", "b": "expired"} == twin.batches[0].outcomes


def test_a_batch_fails_as_a_whole(twin: Twins, client: genai.Client) -> None:
    """With the operation's error."""
    twin.batch(collapse=errors.ServerError("broken"), polls=5)
    done = looked(client, begun(client, "a"))

    assert ("FAILED", {}) == (word(done), results(done))


def test_a_submission_is_refused(twin: Twins, client: genai.Client) -> None:
    """And nothing is created."""
    twin.batch(refuse=errors.RateLimitError("later"))

    assert "RESOURCE_EXHAUSTED" in refused(ClientError, lambda: begun(client, "a"))
    assert [] == twin.batches


def test_the_list_is_paged(client: genai.Client) -> None:
    """The latest first; the SDK walks through all."""
    names = [begun(client, "a").name for _ in range(5)][::-1]

    assert names == [job.name for job in client.batches.list(config={"page_size": 2})]


def test_a_deleted_batch_is_gone(twin: Twins, client: genai.Client) -> None:
    """From every endpoint; the record keeps it."""
    job = looked(client, begun(client, "a"))
    client.batches.delete(name=str(job.name))

    assert (True, 1, []) == (twin.batches[0].deleted, twin.batches[0].deletes, list(client.batches.list()))
    for verb in (client.batches.get, client.batches.cancel, client.batches.delete):
        assert "NOT_FOUND" in refused(ClientError, verb, name=str(job.name))


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": ({"batch": {}}, "no requests"),
    "no requests": ({"batch": {"inputConfig": {"requests": {"requests": []}}}}, "no requests"),
    "unknown": ({"batch": {"requests": []}}, 'Unknown name "requests"'),
    "unknown within": (
        {"batch": {"input_config": {"requests": {"requests": [{"request": {"messages": []}}]}}}},
        'Unknown name "messages"',
    ),
    "a file": ({"batch": {"inputConfig": {"fileName": "files/a"}}}, "files/a"),
    "a text": ({"batch": {"inputConfig": {"requests": {"requests": [{"request": {}, "metadata": "k"}]}}}}, "metadata"),
    "no body": ({}, "an object was expected"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_batch_is_refused(twin: Twins, client: genai.Client, name: str) -> None:
    """With the place, and nothing is created."""
    body, words = REFUSED[name]

    assert words in refused(
        ClientError, lambda: client._api_client.request("post", f"models/{MODEL}:batchGenerateContent", body)
    )
    assert [] == twin.batches


def test_what_is_too_large_or_of_no_model_is_refused(twin: Twins, client: genai.Client) -> None:
    """Lowered limits, and a name that no model has."""
    twin.batch_limits(requests=2, bytes=1000)

    assert "the most is 2" in refused(ClientError, lambda: begun(client, "a", "b", "c"))
    assert "payload size" in refused(ClientError, lambda: begun(client, "a", system_instruction="long " * 300))
    assert "NOT_FOUND" in refused(ClientError, lambda: begun(client, "a", model="gemini-nonesuch"))


def test_batches_ask_for_a_key_and_belong_to_their_upstream() -> None:
    """A wrong key is refused; other upstreams do not know the batch."""
    with serve(key="sk-right") as locked:
        job = begun(made(locked.url("gemini"), "sk-right"), "a")
        refused(APIError, lambda: looked(made(locked.url("gemini"), "sk-wrong"), job))
        refused(APIError, lambda: looked(made(locked.url("gemini", name="elsewhere"), "sk-right"), job))
