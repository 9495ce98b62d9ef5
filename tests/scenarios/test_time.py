"""Deadlines, cancellation, threads, loops and forks, on real sockets and the real clock."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import pytest

import byollm
from byollm.errors import CancelledError, ProviderTimeoutError
from byollm_sandbox import Answer, Twins
from tests.scenarios.conftest import Asker


@pytest.mark.parametrize("fault", ["drip-head", "drip-body", "hang"])
def test_a_deadline_bounds_a_server_that_drips(twin: Twins, ask: Asker, chat: Any, fault: str) -> None:
    """One byte every 50 ms, or none at all: the call ends within 1.1 of its timeout."""
    twin.fault(fault, seconds=0.05)
    started = time.monotonic()

    with pytest.raises(ProviderTimeoutError):
        ask.complete(chat(), timeout=1.0)

    assert 0.9 < time.monotonic() - started < 1.1


@pytest.mark.parametrize("fault", [{"kind": "hang"}, {"kind": "hang", "after": 1}, {"kind": "drip-head"}])
def test_a_hanging_call_is_cancelled_from_another_thread(twin: Twins, chat: Any, fault: dict[str, Any]) -> None:
    """Within 50 ms, before the head as well as in the middle of the body."""
    twin.script("one two three")
    twin.fault(fault.pop("kind"), **fault)
    ended: list[float] = []
    with byollm.Client(chat()) as client:
        stream = client.stream("hi")

        def read() -> None:
            try:
                with stream:
                    for _ in stream:
                        pass
            except CancelledError:
                ended.append(time.monotonic())

        thread = threading.Thread(target=read)
        thread.start()
        time.sleep(0.3)
        asked = time.monotonic()
        stream.cancel()
        thread.join(5)

    assert 1 == len(ended)
    assert ended[0] - asked < 0.05


def test_an_async_call_is_cancelled_from_another_thread(twin: Twins, chat: Any) -> None:
    """The loop is woken up, and the awaiting task gets CancelledError of byollm."""
    twin.fault("hang")

    async def run() -> float:
        async with byollm.AsyncClient(chat()) as client:
            stream = client.stream("hi")
            threading.Timer(0.2, stream.cancel).start()
            started = time.monotonic()
            with pytest.raises(CancelledError):
                async with stream:
                    pass
            return time.monotonic() - started

    assert 0.15 < asyncio.run(run()) < 0.3


def test_a_task_that_is_cancelled_gives_no_connection_back(twin: Twins, chat: Any) -> None:
    """asyncio's own cancellation passes through, and the next call works."""
    twin.fault("hang")
    twin.script("later")

    async def run() -> str:
        async with byollm.AsyncClient(chat()) as client:
            task = asyncio.create_task(client.complete("hi"))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await client.complete("again")).text

    assert "later" == asyncio.run(run())


def test_leaving_a_stream_early_closes_its_connection(twin: Twins, chat: Any) -> None:
    """The next call opens another connection, and the partial answer stays readable."""
    twin.script(Answer(parts=("one two three four five",), pause=0.05))

    with byollm.Client(chat()) as client:
        with client.stream("hi") as stream:
            next(iter(stream.text_stream))
        twin.script("again")
        client.complete("hi")
        assert 2 == twin.connections

    assert stream.completion.finish_reason is None
    assert stream.completion.text


def test_one_client_over_two_event_loops(twin: Twins, chat: Any) -> None:
    """Two `asyncio.run()` in a row: no connection of a dead loop is used."""
    twin.script("first", "second")
    client = byollm.AsyncClient(chat())

    async def run() -> str:
        return (await client.complete("hi")).text

    assert ["first", "second"] == [asyncio.run(run()), asyncio.run(run())]


def test_one_client_in_sixteen_threads(twin: Twins, chat: Any) -> None:
    """Every thread gets its own answer."""
    twin.script(*[lambda request: request.json["messages"][0]["content"] for _ in range(160)])
    wrong: list[tuple[str, str]] = []

    with byollm.Client(chat()) as client:

        def work(name: int) -> None:
            for turn in range(10):
                asked = f"{name}-{turn}"
                answered = client.complete(asked).text
                if asked != answered:
                    wrong.append((asked, answered))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert [] == wrong


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_one_client_before_and_after_a_fork(twin: Twins, chat: Any) -> None:
    """The child opens its own connection, and the parent's goes on."""
    twin.script("parent", "child", "parent again")

    with byollm.Client(chat()) as client:
        assert "parent" == client.complete("hi").text
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if client.complete("hi").text == "child" else 1)
            finally:
                os._exit(2)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert "parent again" == client.complete("hi").text


def test_a_sync_client_works_inside_a_running_loop(twin: Twins, chat: Any) -> None:
    """It blocks the loop, and that is all."""
    twin.script("done")

    async def run() -> str:
        with byollm.Client(chat()) as client:
            return client.complete("hi").text

    assert "done" == asyncio.run(run())
