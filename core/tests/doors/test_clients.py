"""The client as a value: scripted for users' own tests, used in threads and forks, and never pickled."""

import asyncio
import copy
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import byollm
from byollm import Completion, Finished, Request, Text, TextDelta, ToolCall
from byollm.errors import ConfigError, RateLimitError, UnknownParameterError
from byollm.testing import scripted


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", [byollm.Client, byollm.AsyncClient])
def test_a_client_is_not_pickled(kind: Any, take: Any):
    """It holds connections and keys: make one in each process."""
    with pytest.raises(TypeError, match="not pickled"):
        take(kind({"provider": "openai", "model": "m"}))


def test_a_scripted_client_answers_in_turn():
    """Texts, calls, completions and errors; what was asked is kept."""
    client = scripted("one", ToolCall("1", "f", {"a": 1}), Completion(parts=(Text("three"),), finish_reason="length"))

    replies = [client.complete(f"question {number}") for number in range(3)]

    assert ["one", "", "three"] == [reply.text for reply in replies]
    assert ["stop", "tool_calls", "length"] == [reply.finish_reason for reply in replies]
    assert {"a": 1} == replies[1].tool_calls[0].args
    assert ["question 0", "question 1", "question 2"] == [it.messages[0].text for it in client.requests]  # type: ignore[attr-defined]


def test_a_scripted_error_is_raised_with_its_attempt():
    """As the real one would be."""
    client = scripted(RateLimitError("slow down", retry_after=7), "then")

    with pytest.raises(RateLimitError, match="slow down") as raised:
        client.complete("hi")

    assert (7, 1) == (raised.value.retry_after, len(raised.value.attempts))
    assert "then" == client.complete("hi").text


def test_a_scripted_client_that_has_no_more_to_say_says_so():
    """A test that asks too often is told."""
    with pytest.raises(ConfigError, match="no more answers"):
        scripted().complete("hi")


def test_a_scripted_client_streams():
    """The same words, event by event."""
    with scripted("hello").stream("hi") as stream:
        events = list(stream)

    assert ([TextDelta(0, "hello")], "stop") == (
        [event for event in events if isinstance(event, TextDelta)], stream.completion.finish_reason,
    )  # fmt: skip
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "word, words",
    [
        ("stream", r"client\.stream"),
        ("model", "configuration names the model"),
        ("temprature", "temperature"),
        ("tsk", "task"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_sent(word: str, words: str):
    """With the right one."""
    client: Any = scripted("never")

    with pytest.raises(UnknownParameterError, match=words):
        client.complete("hi", **{word: True})
    assert [] == client.requests


@pytest.mark.parametrize("nothing", [[], (), Request([])])
def test_nothing_to_answer_is_the_callers_mistake(nothing: Any):
    """An empty conversation is not sent."""
    with pytest.raises(ConfigError, match="no message"):
        scripted("never").complete(nothing)


@pytest.mark.parametrize("timeout", [0, -1, "5", float("inf"), float("nan"), True, object()])
def test_a_timeout_is_a_number_of_seconds(timeout: Any):
    """Anything else is refused."""
    with pytest.raises(ConfigError, match="timeout"):
        scripted("never").complete("hi", timeout=timeout)


def test_a_request_is_asked_as_it_is_or_changed():
    """A Request may stand for the messages; parameters beside it change a copy."""
    client: Any = scripted("a", "b")
    request = Request("hi", seed=1)

    client.complete(request)
    client.complete(request, seed=2)

    assert [1, 2] == [it.seed for it in client.requests]
    assert 1 == request.seed


def test_many_calls_at_once_come_with_their_places():
    """Answers and errors, lazily, each with its index."""
    client = scripted(*[lambda request: request.messages[0].text.upper()] * 20)

    found = dict(client.map((f"q{number}" for number in range(20)), concurrency=4))

    assert {number: f"Q{number}" for number in range(20)} == {
        number: reply.text for number, reply in found.items() if isinstance(reply, Completion)
    }


def test_an_error_among_many_is_one_of_the_answers():
    """The others go on."""
    client = scripted("a", RateLimitError("slow"), "c")

    found = [
        type(reply).__name__ for _, reply in sorted(client.map(["1", "2", "3"], concurrency=1), key=lambda it: it[0])
    ]

    assert ["Completion", "RateLimitError", "Completion"] == found


def test_requests_are_taken_as_they_are_needed():
    """A generator of a million questions is not read at once."""
    taken: list[int] = []

    def questions() -> Any:
        for number in range(1_000):
            taken.append(number)
            yield "hi"

    found = scripted(*["a"] * 1_000).map(questions(), concurrency=2)
    next(found)
    found.close()  # type: ignore[attr-defined]  # it is a generator

    assert len(taken) <= 4


def test_a_client_serves_many_threads():
    """One client, sixteen threads."""
    client = scripted(*["hello"] * 160)
    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(lambda _: client.complete("hi").text, range(160)))

    assert ["hello"] * 160 == texts


def test_a_client_serves_after_a_fork():
    """In the child and in the parent."""
    client = scripted("one", "two")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, client.complete("hi").text.encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert (b"one", "one") == (os.read(read, 9), client.complete("hi").text)


def test_two_loops_in_a_row_work_with_one_client():
    """`asyncio.run` twice."""

    async def go(client: Any) -> str:
        async with client:
            return str((await client.complete("hi")).text)

    client: Any = byollm.AsyncClient({"provider": "openai", "model": "m"})
    client._lines = scripted("one", "two")._lines

    assert ["one", "two"] == [asyncio.run(go(client)) for _ in range(2)]
