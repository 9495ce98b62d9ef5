"""Models in this process: events without a network, under both drivers."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from core_driving import AsyncScript, Script, line, run, run_async, said

from byollm import Finished, Request, Started, TextDelta
from byollm.engine.async_driver import AsyncDriver
from byollm.engine.call import Call
from byollm.engine.line import Retries
from byollm.engine.operation import Operation
from byollm.errors import (
    CancelledError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RateLimitError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from byollm.plugin import LocalCall, LocalContext, Manifest, hookimpl
from byollm.testing import ManualClock

ASK: Any = pytest.mark.parametrize("ask", [run, run_async])
Model = Callable[[Request, LocalContext], Iterator[Any]]


class Here:
    """A plugin around a function."""

    manifest = Manifest(name="here")

    def __init__(self, model: Model) -> None:
        self.model = model

    @hookimpl
    def complete(self, request: Request) -> LocalCall:
        return LocalCall(self.model)


def echo(request: Request, call: LocalContext) -> Iterator[Any]:
    yield Started("l1", "tiny")
    for word in request.messages[0].text.split():
        yield TextDelta(0, f"{word} ")
    yield Finished("stop")


@ASK
def test_a_model_in_this_process_answers_like_any_other(ask: Any):
    """Its events are the answer; there is no status, for there was no HTTP."""
    done = ask(line(Here(echo)), Script(said()), "one two")

    assert ("one two ", "tiny", "here", None) == (
        done.reply.text, done.reply.model, done.reply.provider, done.reply.attempts[0].status,
    )  # fmt: skip


@ASK
def test_it_fails_over_and_is_failed_over_to(ask: Any):
    """Before content, like the others."""

    def broken(request: Request, call: LocalContext) -> Iterator[Any]:
        yield Started()
        raise MemoryError("no room")

    done = ask([line(Here(broken), "d0"), line(name="d1")], Script(said("hello")))

    assert ("hello", "d1", ProviderConnectionError) == (
        done.reply.text, done.reply.deployment, type(done.reply.attempts[0].error),
    )  # fmt: skip
    assert "MemoryError" in done.reply.attempts[0].error.message


@ASK
def test_a_typed_error_of_the_model_is_treated_as_such(ask: Any):
    """Recorded, retried when that helps, and decorated with its place."""
    left = [RateLimitError("slow down", retry_after=3)]

    def busy(request: Request, call: LocalContext) -> Iterator[Any]:
        if left:
            raise left.pop()
        return echo(request, call)

    done = ask(line(Here(busy)), Script(said()), "hi")

    assert ("hi ", [3.0], "one") == (done.reply.text, done.clock.slept, done.reply.attempts[0].error.deployment)


@ASK
def test_a_refusal_of_the_model_is_a_skip(ask: Any):
    """It cannot, another may."""

    def cannot(request: Request, call: LocalContext) -> Iterator[Any]:
        raise UnsupportedFeatureError("not in this house")

    done = ask([line(Here(cannot), "d0"), line(name="d1")], Script(said("hello")))

    assert ("hello", "not in this house") == (done.reply.text, done.call.skipped["d0"])


@ASK
@pytest.mark.parametrize("events", [[], [Started()], [Started(), TextDelta(0, "he")]])
def test_an_end_without_finished_is_an_interrupted_stream(ask: Any, events: list[Any]):
    """A local model cannot invent a happy end either."""
    done = ask(line(Here(lambda request, call: iter(events))), Script(said()))

    assert StreamInterruptedError is type(done.error)
    assert ("he" if len(events) == 2 else None) == (done.error.partial and done.error.partial.text)


@ASK
def test_a_broken_model_after_content_keeps_what_had_come(ask: Any):
    """And nobody takes over."""

    def broken(request: Request, call: LocalContext) -> Iterator[Any]:
        yield Started()
        yield TextDelta(0, "he")
        raise ValueError("oops")

    done = ask([line(Here(broken), "d0"), line(name="d1")], Script(said("hello")))

    assert (StreamInterruptedError, "he", 1) == (type(done.error), done.error.partial.text, len(done.error.attempts))


@ASK
def test_it_sees_how_much_time_is_left(ask: Any):
    """Seconds, by the call's own clock."""
    seen: list[Any] = []

    def look(request: Request, call: LocalContext) -> Iterator[Any]:
        seen.append(call.deadline)
        return echo(request, call)

    ask(line(Here(look)), Script(said()), timeout=30)

    assert [30.0] == seen


@ASK
def test_a_deadline_ends_it_between_two_events(ask: Any):
    """What takes too long is not asked again."""
    clock = ManualClock()
    call = Call(clock=clock, deadline=clock.monotonic() + 5)

    def slow(request: Request, context: LocalContext) -> Iterator[Any]:
        yield Started()
        clock.now += 6
        yield TextDelta(0, "late")
        yield Finished("stop")

    done = ask(line(Here(slow), retries=Retries(1, 1)), Script(said()), call=call)

    assert (ProviderTimeoutError, "total") == (type(done.error), done.error.phase)


@ASK
def test_it_sees_that_nobody_waits_any_more(ask: Any):
    """`cancelled` turns True, and the caller gets CancelledError with what had come."""
    call = Call(clock=ManualClock())
    seen: list[bool] = []

    def patient(request: Request, context: LocalContext) -> Iterator[Any]:
        yield Started()
        yield TextDelta(0, "he")
        seen.append(context.cancelled)
        call.cancellation.cancel()
        seen.append(context.cancelled)
        yield TextDelta(0, "llo")

    done = ask(line(Here(patient)), Script(said()), call=call)

    assert (CancelledError, [False, True]) == (type(done.error), seen)
    assert done.error.partial.text.startswith("he")


def test_a_model_at_work_is_told_when_its_task_is_cancelled():
    """The loop does not wait for a thread that computes; the model sees it and stops."""
    entered, stopped = threading.Event(), threading.Event()

    def stubborn(request: Request, context: LocalContext) -> Iterator[Any]:
        entered.set()
        for _ in range(1_000):
            if context.cancelled:
                stopped.set()
                return
            time.sleep(0.005)
        yield Started()

    async def go() -> None:
        call = Call()
        driver = AsyncDriver(
            Operation().run(call, Request("hi"), [line(Here(stubborn))]), call, AsyncScript(Script(said()))
        )
        task = asyncio.create_task(driver.run())
        await asyncio.to_thread(entered.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())

    assert stopped.wait(5)


def test_its_generator_is_closed():
    """What it opened it can close, when the caller leaves early too; a bad farewell harms nobody."""
    closed: list[str] = []

    def tidy(request: Request, context: LocalContext) -> Iterator[Any]:
        try:
            yield Started()
            yield TextDelta(0, "STOP")
            yield TextDelta(0, "more")
        finally:
            closed.append("closed")
            raise RuntimeError("and slammed the door")

    clock = ManualClock()
    call = Call(clock=clock)
    call.cancellation.cancel()
    run(line(Here(tidy)), Script(said()), call=call)
    assert [] == closed

    from byollm.engine.sync_driver import SyncDriver

    call = Call(clock=clock)
    driver = SyncDriver(Operation().run(call, Request("hi"), [line(Here(tidy))]), call, Script(said()))
    assert driver.pull()
    driver.close()
    driver.close()

    assert ["closed"] == closed
