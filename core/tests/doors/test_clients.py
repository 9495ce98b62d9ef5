"""The client as a value: scripted for users' own tests, used in threads and forks, and never pickled."""

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import byollm
from byollm import Completion, Finished, Request, Text, TextDelta, ToolCall
from byollm.engine.operation import Operation
from byollm.engine.steps import Sleep
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


@pytest.mark.parametrize("timeout", [0, -1, "5", float("inf"), float("nan"), True, object(), 604_801, 10**400])
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


def test_leaving_many_calls_early_cancels_those_under_way():
    """Nobody waits for answers that nobody wants."""
    began, cancelled = threading.Event(), list[BaseException]()

    class Hanging:
        position: Any = "operation"

        def around(self, call: Any, request: Any, following: Any) -> Any:
            if request.messages[0].text == "slow":
                began.set()
                try:
                    yield from hanging(call)
                except byollm.errors.CancelledError as error:
                    cancelled.append(error)
                    raise
            return (yield from following(request))

    def hanging(call: Any) -> Any:
        if (yield Sleep(60)):
            raise byollm.errors.CancelledError

    client = scripted("one", "two")
    client.operation = Operation([Hanging()])
    started = time.monotonic()

    found: Any = client.map(["quick", "slow"], concurrency=2)
    began.wait(5)
    next(found)
    began.wait(5)
    found.close()

    assert (1, True) == (len(cancelled), time.monotonic() - started < 30)


HELD = """
import os, signal, sys, threading, byollm
from byollm.types import forks

client = byollm.Client({"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "authentication": "none",
                        "limits": {"concurrency": 1}})
line = client.lines(None, None, None)[0]
assert line.limits.enter() is None
held = [client._lock, line.limits._lock, line.budget._lock, line.credentials._lock, line.credentials._refresh]
ready, done = threading.Event(), threading.Event()

def hold():
    for lock in held:
        lock.acquire()
    ready.set()
    done.wait(20)

threading.Thread(target=hold, daemon=True).start()
ready.wait(5)
child = os.fork()
if child == 0:
    signal.alarm(10)
    try:
        client.complete("hi")
    except byollm.errors.ProviderConnectionError:
        os._exit(0)
    os._exit(1)
print(os.waitpid(child, 0)[1])
"""


def test_what_another_thread_held_at_a_fork_holds_no_child_up():
    """Locks, and places for calls at a time: the threads that have them are the parent's."""
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, timeout=60, check=False)

    assert ("0\n", "") == (done.stdout, done.stderr)


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


@pytest.mark.parametrize("word", ["task", "deployment", "tenant", "data_class", "region"])
@pytest.mark.parametrize("ask", ["complete", "explain", "stream"])
def test_a_name_that_is_no_text_is_refused(word: str, ask: str):
    """With byollm's own error, whatever it is."""
    client = scripted("never")

    for odd in (["a"], {"a": 1}, b"a", 5):
        with pytest.raises(ConfigError, match=f"`{word}` is a text, not"):
            getattr(client, ask)("hi", **{word: odd})
    assert not client.requests  # type: ignore[attr-defined]


@pytest.mark.parametrize("labels", ["search", ["search"], {1: "search"}])
def test_labels_that_nobody_could_book_are_refused(labels: Any):
    """Else the books would lose them after the call was paid."""
    with pytest.raises(ConfigError, match="`labels` is a mapping with names that are texts"):
        scripted("never").complete("hi", labels=labels)


@pytest.mark.parametrize("ask", ["complete", "explain", "count_tokens", "preview"])
def test_a_call_cannot_name_another_model_in_extra(ask: str):
    """Rules, prices and limits are those of the deployment's model."""
    client = byollm.Client({"provider": "openai", "model": "m", "api_key": "literal:never-sent"})

    with pytest.raises(ConfigError, match="`extra` names a model for openai"):
        getattr(client, ask)("hi", extra={"openai": {"model": "another"}})


def test_a_client_whose_file_was_refused_can_be_shown():
    """Reporters of errors show the locals of frames."""
    client = byollm.Client.__new__(byollm.Client)

    assert "Client(…)" == repr(client)
